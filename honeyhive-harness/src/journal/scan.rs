//! Describes the files of an invocation beside their records.

use std::path::PathBuf;

use super::damage::Damage;

/// The place of a record in the files of an invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The index of the file.
    pub(crate) file: usize,
    /// The number of the line, from 1.
    pub(crate) line: usize,
}

/// The findings about the files of an invocation, beside their records.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The files, in the order in which they were read.
    pub(crate) files: Vec<PathBuf>,
    /// Files whose last line was torn by a crash.
    pub(crate) torn: Vec<PathBuf>,
    /// Files without a single whole line: their process was killed before it wrote one, or has only
    /// just started, or the file was emptied.
    pub(crate) without_lines: Vec<PathBuf>,
    /// Damaged lines, which cannot be relied on.
    pub(crate) damage: Vec<Damage>,
}

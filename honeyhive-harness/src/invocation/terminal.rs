//! Prints what people see of an invocation.

use libtest_mimic::ColorSetting;

use crate::report::files::Written;
use crate::report::{self, Summary};

/// The amount of an invocation that is printed, and where.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Terminal {
    /// Prints nothing: a program decides itself what its users see.
    #[default]
    Silent,
    /// Prints everything.
    Prints {
        /// Set when the summary goes to stderr, since stdout is read by programs.
        to_stderr: bool,
        color: Option<ColorSetting>,
        /// The columns for values in the summary.
        columns: usize,
    },
}

impl Terminal {
    /// Returns the columns for values in the summary.
    pub(super) fn columns(self) -> usize {
        match self {
            Self::Silent => report::COLUMNS,
            Self::Prints { columns, .. } => columns,
        }
    }

    pub(super) fn note(self, text: &str) {
        if let Self::Prints { .. } = self {
            report::note(text);
        }
    }

    pub(super) fn error(self, text: &str) {
        if let Self::Prints { .. } = self {
            report::error(text);
        }
    }

    /// Prints what was sent to a destination.
    pub(super) fn sent(self, line: &str, is_complete: bool) {
        if let Self::Prints { .. } = self {
            report::sent(line, is_complete);
        }
    }

    pub(super) fn summary(self, summary: &Summary<'_>) {
        if let Self::Prints { to_stderr, color, .. } = self {
            report::print_summary(summary, to_stderr, color);
        }
    }

    /// Prints the lines for GitHub Actions, and what went wrong with reports.
    pub(super) fn written(self, written: &Written) {
        if let Self::Prints { to_stderr, .. } = self {
            report::print_annotations(&written.annotations, to_stderr);
            for note in &written.notes {
                report::note(note);
            }
        }
    }

    /// Prints where the report is.
    pub(super) fn report(self, written: &Written) {
        if let (Self::Prints { to_stderr, color, .. }, Some(path)) = (self, &written.path) {
            report::print_report(path, to_stderr, color);
        }
    }
}

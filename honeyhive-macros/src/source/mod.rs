//! Reads the source file that an attribute stands in, as text.
//!
//! A macro sees only its own item. Whether an experiment ever runs depends on the code around it: the
//! `#[cfg(test)]` of a module, an `impl` block, a `#[test]` beside it, a missing `main`. This module
//! reads the file again, as far as that needs: words, brackets and attributes, without comments and
//! strings. Where there is no file (an editor, a document test), nothing is reported.

pub(crate) mod lexer;
pub(crate) mod outline;
pub(crate) mod target;

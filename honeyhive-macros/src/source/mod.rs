//! The source file that an attribute stands in, read as text.
//!
//! A macro sees its own item only. What matters for whether an experiment ever runs stands around
//! it: the `#[cfg(test)]` of a module, an `impl` block, a `#[test]` beside it, a missing `main`. Here the
//! file is read again, as far as that needs: words, brackets and attributes, without comments and
//! strings. Where there is no file (an editor, a document test), nothing is claimed.

pub(crate) mod lexer;
pub(crate) mod outline;
pub(crate) mod target;

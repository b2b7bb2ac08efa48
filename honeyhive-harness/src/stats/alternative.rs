//! Names the change that a test of "nothing changed" looks for.

/// The alternative that a test's p-value speaks for, when what came *after* is compared with what
/// was *before*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// The later values are smaller: the side of a gate against regressions.
    Less,
    /// The later values are larger.
    Greater,
    /// The later values are different, in either direction.
    TwoSided,
}

//! Names the change that a test of "nothing changed" looks for.

/// The alternative hypothesis of a test that compares the values *after* a change with those
/// *before* it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// The later values are smaller: the side of a gate against regressions.
    Less,
    /// The later values are larger.
    Greater,
    /// The later values are different, in either direction.
    TwoSided,
}

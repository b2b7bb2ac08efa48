//! Which change a test of "nothing changed" looks for.

/// The alternative that a test's p-value speaks for, when what came *after* is compared with what
/// was *before*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// After is smaller: the side of a gate against regressions.
    Less,
    /// After is larger.
    Greater,
    /// After is different, in whichever direction.
    TwoSided,
}

//! Every difference that is meant, and why.

/// What the Python SDK says and what we say. `*` stands for anything, `–` for nothing at all.
pub(crate) struct Difference {
    pub(crate) place: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) ours: &'static str,
    pub(crate) why: &'static str,
}

pub(crate) const DIFFERENCES: &[Difference] = &[];

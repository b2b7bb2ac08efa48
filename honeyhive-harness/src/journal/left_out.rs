//! Defines what is kept of the parts that the reader leaves out of an attempt.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The data that was left out of an attempt when it was read.
#[doc(hidden)]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeftOut {
    /// The models that the spans name.
    pub(crate) models: BTreeSet<String>,
    /// The number of spans, the journal file, and the offset in it where the attempt's line begins.
    pub(super) spans: Option<(usize, Arc<Path>, u64)>,
}

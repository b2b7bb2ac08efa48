//! Defines what is kept of the parts that the reader leaves out of an attempt.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::tracer::SpanRecord;

/// The attributes of spans that name a model, the one that answered first.
const MODELS: [&str; 3] = ["gen_ai.response.model", "gen_ai.request.model", "llm.model_name"];

/// Returns the models that spans name as those that answered, or were asked.
pub(crate) fn models(spans: &[SpanRecord]) -> impl Iterator<Item = &str> {
    spans.iter().filter_map(|span| {
        MODELS.iter().find_map(|key| span.attributes.get(*key).and_then(Value::as_str))
    })
}

/// The data that was left out of an attempt when it was read.
#[doc(hidden)]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeftOut {
    /// The models that the spans name.
    pub(crate) models: BTreeSet<String>,
    /// The number of spans, the journal file, and the offset in it where the attempt's line begins.
    pub(super) spans: Option<(usize, Arc<Path>, u64)>,
}

impl LeftOut {
    /// Returns what is to be known of spans that are left out; their place is not known yet.
    pub(super) fn of(spans: &[SpanRecord]) -> Self {
        let count = (!spans.is_empty()).then(|| (spans.len(), Arc::from(Path::new("")), 0));
        Self { models: models(spans).map(str::to_owned).collect(), spans: count }
    }

    /// Sets the file that has the spans, and where the line of their attempt begins.
    pub(super) fn stand_at(&mut self, file: &Arc<Path>, begin: u64) {
        if let Some((_, path, at)) = &mut self.spans {
            (*path, *at) = (Arc::clone(file), begin);
        }
    }
}

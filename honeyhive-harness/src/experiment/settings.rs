//! The options that experiments in code have, and their defaults.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::api::HoneyHive;
use crate::config::{FLUSH_TIMEOUT, OtlpTarget};
use crate::engine::{CONCURRENCY, TIMEOUT};
use crate::redact::Mask;

/// The options of an experiment that [`run_experiment`](super::run_experiment) runs. Options that decide
/// whether it passes, such as gates, belong to an [`Experiment`](super::Experiment).
#[derive(Clone, Debug, Default)]
#[must_use = "options have no effect until an experiment is run with them"]
pub struct ExperimentOptions {
    pub(super) settings: Settings,
}

/// The values behind the options that [`ExperimentOptions`] and [`Experiment`](super::Experiment) have
/// in common.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) repeats: u32,
    pub(super) timeout: Duration,
    pub(super) retries: u32,
    pub(super) concurrency: usize,
    pub(super) tags: Vec<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) journal: Option<PathBuf>,
    pub(super) python_ids: bool,
    pub(super) hooks: Vec<Mask>,
    pub(super) capture_none: bool,
    pub(super) run_id: Option<String>,
    pub(super) source: String,
    pub(super) project: Option<String>,
    pub(super) honeyhive: Option<HoneyHive>,
    pub(super) results: Option<&'static str>,
    pub(super) otlp: Option<OtlpTarget>,
    pub(super) flush_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            repeats: 1,
            timeout: TIMEOUT,
            retries: 0,
            concurrency: CONCURRENCY,
            tags: Vec::new(),
            metadata: Map::new(),
            journal: None,
            python_ids: false,
            hooks: Vec::new(),
            capture_none: false,
            run_id: None,
            source: "evaluation".to_owned(),
            project: None,
            honeyhive: None,
            results: None,
            otlp: None,
            flush_timeout: FLUSH_TIMEOUT,
        }
    }
}

impl ExperimentOptions {
    /// Creates the defaults: one attempt per datapoint, 60 s each, no retries, 16 at once, no journal.
    pub fn new() -> Self {
        Self::default()
    }
}

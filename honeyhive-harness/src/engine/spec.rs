//! An experiment, ready to run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::dataset::bind::Fault;
use crate::dataset::bind::{Key, Param};
use crate::dataset::{Dataset, ExternalIds};
use crate::evaluators::BoxFuture;
use crate::evaluators::Evaluator;
use crate::gate::case::{Judge, Rules};
use crate::ids;
use crate::journal::{EvaluatorRecord, ExperimentRecord};
use crate::registry::{Call, Experiment, Runner};

/// How long a call may take when nobody says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// Attempts at once when nobody says otherwise: what the rate limits of model providers bear.
pub(crate) const CONCURRENCY: usize = 16;

/// Whoever wants no limit gets this one; far beyond what a machine can do.
pub(crate) const MOST_AT_ONCE: usize = 1 << 16;

/// An evaluator that takes longer than this (in microseconds) runs beside the others.
const IN_TURN_US: u64 = 2_000;

/// Longer calls of an evaluator count as this long.
const SLOWEST_US: u64 = 1_000_000;

/// Whoever wants no limit gets a year.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An experiment with its dataset.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) function: String,
    pub(crate) module: String,
    /// `file:line` of the attribute.
    pub(crate) place: String,
    pub(crate) params: &'static [Param],
    pub(crate) run: Run,
    pub(crate) rules: Rules,
    pub(crate) evaluators: Vec<Evaluation>,
    pub(crate) repeats: u32,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) concurrency: usize,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) external: ExternalIds,
    pub(crate) run_id: Arc<str>,
}

/// The function of an experiment.
#[derive(Clone)]
pub(crate) enum Run {
    /// Runs on a thread where blocking is fine.
    Sync(Arc<SyncFunction>),
    /// Runs as a task.
    Async(Arc<AsyncFunction>),
}

pub(crate) type SyncFunction = dyn Fn(&Call) -> Result<Value, Fault> + Send + Sync;
pub(crate) type AsyncFunction = dyn Fn(Call) -> BoxFuture<Result<Value, Fault>> + Send + Sync;

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "Run::Sync(..)",
            Self::Async(_) => "Run::Async(..)",
        })
    }
}

/// An evaluator and how its use is written.
pub(crate) struct Evaluation {
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) settings: &'static str,
    is_async: AtomicBool,
    /// How long it takes, in microseconds: an average in which the last few calls weigh most.
    pace: AtomicU64,
}

impl Evaluation {
    pub(crate) fn new(evaluator: Arc<dyn Evaluator>, settings: &'static str) -> Self {
        Self { evaluator, settings, is_async: AtomicBool::new(false), pace: AtomicU64::new(0) }
    }

    /// Whether it runs beside the other evaluators: it is async, or slow.
    pub(super) fn is_apart(&self) -> bool {
        self.is_async.load(Ordering::Relaxed) || self.pace.load(Ordering::Relaxed) > IN_TURN_US
    }

    pub(super) fn note_async(&self) {
        self.is_async.store(true, Ordering::Relaxed);
    }

    /// One call took this long. A thread that the machine let wait for once is no slow evaluator,
    /// so it takes more than one call to become one, and it can be fast again.
    pub(super) fn note_pace(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(SLOWEST_US).min(SLOWEST_US);
        let pace = self.pace.load(Ordering::Relaxed);
        // Two calls that end at once may count as one.
        self.pace.store((pace * 7 + took) / 8, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluation").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Spec {
    /// An experiment as it was registered. `concurrency` is what the command line or the
    /// environment ask for.
    pub(crate) fn new(
        entry: &Experiment,
        dataset: Arc<Dataset>,
        concurrency: Option<usize>,
        python_ids: bool,
        run_id: String,
    ) -> Self {
        let judges = entry
            .evaluators
            .iter()
            .map(|used| Judge { name: used.name.to_owned(), info: used.info.clone() })
            .collect();
        let evaluators = entry
            .evaluators
            .iter()
            .map(|used| Evaluation::new((used.make)(), used.settings))
            .collect();
        let attribute = entry.concurrency.and_then(|number| usize::try_from(number).ok());
        Self {
            name: entry.name.to_owned(),
            function: entry.function.to_owned(),
            module: entry.module.to_owned(),
            place: format!("{}:{}", entry.file, entry.line),
            params: entry.params,
            run: match entry.runner {
                Runner::Sync(function) => Run::Sync(Arc::new(function)),
                Runner::Async(function) => Run::Async(Arc::new(function)),
            },
            rules: Rules { judges, require: entry.require.to_vec(), gates: entry.gates.to_vec() },
            evaluators,
            repeats: entry.repeats.max(1),
            timeout: entry.timeout_ms.map_or(TIMEOUT, Duration::from_millis).min(LONGEST_TIMEOUT),
            retries: entry.retries,
            concurrency: concurrency.or(attribute).unwrap_or(CONCURRENCY).clamp(1, MOST_AT_ONCE),
            tags: entry.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            metadata: entry
                .metadata
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
                .collect(),
            external: dataset.external_ids(python_ids),
            dataset,
            run_id: run_id.into(),
        }
    }

    /// The name of a row's test.
    pub(crate) fn test_name(&self, row: usize) -> String {
        format!("{}::{}", self.name, self.dataset.rows[row].slug)
    }

    /// The inputs that the function takes by name; empty when it takes them all.
    pub(crate) fn reads(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for param in self.params {
            match param.key {
                Key::Input(name) => names.push(name),
                _ => return Vec::new(),
            }
        }
        names
    }

    /// The datapoint's id in HoneyHive.
    pub(crate) fn datapoint_id(&self, row: usize) -> Arc<str> {
        if let Some(rows) = &self.external.rows {
            return Arc::clone(&rows[row]);
        }
        ids::external_datapoint(&self.external.dataset, &self.dataset.rows[row].id).into()
    }

    /// The journal's record of it.
    pub(crate) fn record(&self, selected: &[usize]) -> ExperimentRecord {
        ExperimentRecord {
            experiment: self.name.clone(),
            run_id: self.run_id.to_string(),
            function: self.function.clone(),
            module: self.module.clone(),
            place: self.place.clone(),
            dataset: self.dataset.name.clone(),
            dataset_id: self.external.dataset.to_string(),
            dataset_origin: self.dataset.origin.clone(),
            managed: self.external.managed,
            datapoint_ids: selected.iter().map(|row| self.datapoint_id(*row).to_string()).collect(),
            rows: self.dataset.rows.len(),
            selected: selected.len(),
            repeats: self.repeats,
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
            retries: self.retries,
            concurrency: self.concurrency,
            evaluators: self
                .rules
                .judges
                .iter()
                .zip(&self.evaluators)
                .map(|(judge, used)| EvaluatorRecord {
                    name: judge.name.clone(),
                    settings: used.settings.to_owned(),
                    threshold: judge.info.threshold,
                    direction: judge.info.direction,
                    range: judge.info.range,
                    source_hash: judge.info.source_hash.to_owned(),
                })
                .collect(),
            require: self.rules.require.iter().map(|rule| rule.text.to_owned()).collect(),
            gates: self.rules.gates.iter().map(|rule| rule.text.to_owned()).collect(),
            tags: self.tags.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

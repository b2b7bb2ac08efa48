//! An experiment, ready to run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};

use super::definition::Definition;
use super::function::Run;
use super::replay::Replay;
use crate::dataset::bind::{Key, Param};
use crate::dataset::{Dataset, ExternalIds};
use crate::evaluators::{Evaluator, EvaluatorInfo};
use crate::gate::case::Rules;
use crate::gate::evaluator::Judge;
use crate::ids;
use crate::journal::{ExperimentRecord, StopRecord};
use crate::rule::Stop;

/// The limit of attempts at once where none is wanted; far beyond what a machine can do.
pub(crate) const MOST_AT_ONCE: usize = 1 << 16;

/// The timeout where none is wanted: a year.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An experiment with its dataset.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) function: String,
    pub(crate) module: String,
    /// The place of the attribute, as `file:line`.
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
    /// The metadata of a row that says which cases belong together.
    pub(crate) cluster: Option<String>,
    /// The hashes of tracked files.
    pub(crate) files: BTreeMap<String, String>,
    /// The file of its baseline, which may not exist.
    pub(crate) baseline: PathBuf,
    /// The size and the seed of the sample of rows that it runs on.
    pub(crate) sample: Option<(usize, u64)>,
    /// The condition on which it stops before its last case, and the seed of the order of its cases.
    pub(crate) stop: Option<(Stop, u64)>,
    /// Recorded outputs, which take the place of calls.
    pub(crate) replay: Option<Replay>,
}

/// The options of the invocation for how experiments are run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// The most attempts at once.
    pub(crate) concurrency: Option<usize>,
    /// The number of attempts per case.
    pub(crate) repeats: Option<u32>,
    /// Set when external ids are made as Python makes them.
    pub(crate) python_ids: bool,
    /// The run's id.
    pub(crate) run_id: String,
    /// The values of `metadata(..)`.
    pub(crate) metadata: Map<String, Value>,
    /// The hashes of tracked files.
    pub(crate) files: BTreeMap<String, String>,
    /// The size and the seed of the sample; see [`Spec`].
    pub(crate) sample: Option<(usize, u64)>,
    /// The condition on which it stops early; see [`Spec`].
    pub(crate) stop: Option<(Stop, u64)>,
}

/// An evaluator and the text of its use.
pub(crate) struct Evaluation {
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) info: EvaluatorInfo,
    /// Set when its first evaluation showed that it is async; nothing else shows it.
    is_async: AtomicBool,
}

impl Evaluation {
    pub(crate) fn new(evaluator: Arc<dyn Evaluator>, info: EvaluatorInfo) -> Self {
        Self { evaluator, info, is_async: AtomicBool::new(false) }
    }

    /// Returns whether it is known to be async, so that it runs as a task beside the other evaluators.
    pub(super) fn is_async(&self) -> bool {
        self.is_async.load(Ordering::Relaxed)
    }

    pub(super) fn note_async(&self) {
        self.is_async.store(true, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluation").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Spec {
    /// Creates an experiment from what its author and the invocation say.
    pub(crate) fn new(definition: Definition, dataset: Arc<Dataset>, wishes: Wishes) -> Self {
        let Definition { evaluators, require, gates, .. } = definition;
        let judges = evaluators
            .iter()
            .map(|used| Judge::new(&used.name, &used.info, &used.settings, used.reduce))
            .collect();
        let evaluators =
            evaluators.into_iter().map(|used| Evaluation::new(used.evaluator, used.info)).collect();
        Self {
            name: definition.name,
            function: definition.function,
            module: definition.module,
            place: definition.place,
            params: definition.params,
            run: definition.run,
            rules: Rules { judges, require, gates },
            evaluators,
            repeats: wishes.repeats.unwrap_or(definition.repeats).max(1),
            timeout: definition.timeout.min(LONGEST_TIMEOUT),
            retries: definition.retries,
            concurrency: wishes
                .concurrency
                .unwrap_or(definition.concurrency)
                .clamp(1, MOST_AT_ONCE),
            tags: definition.tags,
            metadata: wishes.metadata,
            external: dataset.external_ids(wishes.python_ids),
            dataset,
            run_id: wishes.run_id.into(),
            cluster: definition.cluster,
            files: wishes.files,
            baseline: definition.baseline,
            sample: wishes.sample,
            stop: wishes.stop,
            replay: None,
        }
    }

    /// Returns the name of a row's test.
    pub(crate) fn test_name(&self, row: usize) -> String {
        format!("{}::{}", self.name, self.dataset.rows[row].slug)
    }

    /// Returns the inputs that the function takes by name; empty when it takes them all.
    pub(crate) fn reads(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for param in self.params {
            match param.key {
                Key::Input(name) => names.push(name),
                // Shown beside the inputs.
                Key::Metadata | Key::History => {}
                _ => return Vec::new(),
            }
        }
        names
    }

    /// Returns the datapoint's id in HoneyHive.
    pub(crate) fn datapoint_id(&self, row: usize) -> Arc<str> {
        if let Some(rows) = &self.external.rows {
            return Arc::clone(&rows[row]);
        }
        ids::external_datapoint(&self.external.dataset, &self.dataset.rows[row].id).into()
    }

    /// Returns the journal's record of it.
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
            evaluators: self.rules.judges.iter().map(Judge::record).collect(),
            require: self.rules.require.iter().map(|rule| rule.text.to_string()).collect(),
            gates: self.rules.gates.iter().map(|rule| rule.text.to_string()).collect(),
            require_rules: self.rules.require.clone(),
            gate_rules: self.rules.gates.clone(),
            cluster: self.cluster.clone(),
            files: self.files.clone(),
            baseline: self.baseline.display().to_string(),
            sample: self.sample,
            stop: self.stop.map(|(when, order_seed)| StopRecord { when, order_seed }),
            tags: self.tags.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

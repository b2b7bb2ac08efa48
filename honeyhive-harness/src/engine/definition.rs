//! An experiment as its author describes it: in an attribute, or in code.
//!
//! Both become a [`Spec`](super::Spec) by one function, so that an option has one default and one
//! meaning, whichever way it is given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::function::{CONCURRENCY, Run, TIMEOUT};
use crate::dataset::bind::Param;
use crate::evaluators::{Evaluator, EvaluatorInfo};
use crate::registry::{Experiment, Runner, Source};
use crate::rule::{GateRule, RequireRule};
use crate::score::Reducer;

/// The definition of an experiment, as its author writes it.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) function: String,
    pub(crate) module: String,
    /// The place of the attribute, as `file:line`; without one, the name of what runs the experiment.
    pub(crate) place: String,
    pub(crate) params: &'static [Param],
    pub(crate) run: Run,
    pub(crate) evaluators: Vec<Used>,
    pub(crate) require: Vec<RequireRule>,
    pub(crate) gates: Vec<GateRule>,
    pub(crate) repeats: u32,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) concurrency: usize,
    pub(crate) tags: Vec<String>,
    /// The metadata of a row that says which cases belong together.
    pub(crate) cluster: Option<String>,
    /// The file of its baseline; empty where it has none.
    pub(crate) baseline: PathBuf,
}

/// An evaluator with its settings, as an experiment uses it.
#[derive(Clone)]
pub(crate) struct Used {
    /// Its name in the experiment.
    pub(crate) name: String,
    /// Its settings as written, for the record.
    pub(crate) settings: String,
    pub(crate) reduce: Reducer,
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) info: EvaluatorInfo,
}

impl std::fmt::Debug for Used {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Used").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Definition {
    /// Creates the definition of an experiment without evaluators, in which every option has its
    /// default.
    pub(crate) fn new(name: &str, run: Run) -> Self {
        Self {
            name: name.to_owned(),
            function: name.to_owned(),
            module: String::new(),
            place: String::new(),
            params: &[],
            run,
            evaluators: Vec::new(),
            require: Vec::new(),
            gates: Vec::new(),
            repeats: 1,
            timeout: TIMEOUT,
            retries: 0,
            concurrency: CONCURRENCY,
            tags: Vec::new(),
            cluster: None,
            baseline: PathBuf::new(),
        }
    }

    /// Returns the definition in an attribute, of the package at `base`. Calls the expressions that
    /// the author wrote as settings of evaluators.
    pub(crate) fn registered(entry: &Experiment, base: &Path) -> Self {
        let run = match entry.runner {
            Runner::Sync(function) => Run::Sync(Arc::new(function)),
            Runner::Async(function) => Run::Async(Arc::new(function)),
        };
        let used = entry.evaluators.iter().map(|used| Used {
            name: used.name.to_owned(),
            settings: used.settings.to_owned(),
            reduce: used.reduce,
            evaluator: (used.make)(),
            info: used.info.clone(),
        });
        let attribute = entry.concurrency.and_then(|number| usize::try_from(number).ok());
        Self {
            function: entry.function.to_owned(),
            module: entry.module.to_owned(),
            place: format!("{}:{}", entry.file, entry.line),
            params: entry.params,
            evaluators: used.collect(),
            require: entry.require.to_vec(),
            gates: entry.gates.to_vec(),
            repeats: entry.repeats,
            timeout: entry.timeout_ms.map_or(TIMEOUT, Duration::from_millis),
            retries: entry.retries,
            concurrency: attribute.unwrap_or(CONCURRENCY),
            tags: entry.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            cluster: entry.cluster.map(str::to_owned),
            baseline: base.join(baseline_file(entry)),
            ..Self::new(entry.name, run)
        }
    }
}

/// Returns the file of the baseline, below the package: beside the dataset, unless the attribute says
/// otherwise.
fn baseline_file(entry: &Experiment) -> PathBuf {
    if let Some(file) = entry.baseline {
        return PathBuf::from(file);
    }
    let beside = match entry.dataset {
        Source::File(file) => Path::new(file).parent().unwrap_or_else(|| Path::new("")),
        Source::Managed(_) | Source::Function { .. } => Path::new(""),
    };
    beside.join("baselines").join(format!("{}.json", entry.name))
}

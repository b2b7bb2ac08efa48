//! The engine without macros and without a test runner: experiments in any program.

use std::fmt::{self, Display};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::dataset::Dataset;
use crate::dataset::bind::Fault;
use crate::engine::{self, CONCURRENCY, Job, LONGEST_TIMEOUT, MOST_AT_ONCE, Run, Spec, TIMEOUT};
use crate::evaluators::Evaluator;
use crate::gate::case::{CaseScore, Judge, Rules};
use crate::gate::judge::mean_interval;
use crate::gate::rule::Of;
use crate::ids;
use crate::journal::{
    self, AttemptRecord, CaseState, EndRecord, Entry, InvocationRecord, Record, Writer,
};
use crate::redact::{Mask, Redactor};
use crate::registry::Call;
use crate::stats::{self, Interval, Spread};

/// The function of an experiment, for [`run_experiment`].
#[derive(Clone, Debug)]
pub struct Function(Run);

impl Function {
    /// An async function or closure. It runs as a task, under the tracer of its attempt.
    pub fn new<F, R, T, E>(function: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: Display,
    {
        Self(Run::Async(Arc::new(move |call| {
            let returned = function(call);
            Box::pin(async move { output(returned.await) })
        })))
    }

    /// A function or closure that may block. It runs on a thread of its own.
    pub fn blocking<F, T, E>(function: F) -> Self
    where
        F: Fn(&Call) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: Display,
    {
        Self(Run::Sync(Arc::new(move |call| output(function(call)))))
    }
}

fn output<T: Serialize, E: Display>(returned: Result<T, E>) -> Result<Value, Fault> {
    let returned = returned.map_err(|error| Fault::Failed(format!("{error:#}")))?;
    crate::json::to_value(&returned).map_err(Fault::Output)
}

/// The evaluators of an experiment, for [`run_experiment`].
#[derive(Clone, Default)]
pub struct Evaluators(Vec<(String, Arc<dyn Evaluator>)>);

impl fmt::Debug for Evaluators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Evaluators {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an evaluator under its own name: `.with(correct {})`, `.with(at_most { characters: 80 })`.
    #[must_use]
    pub fn with(self, evaluator: impl Evaluator) -> Self {
        let name = evaluator.info().name;
        self.named(name, evaluator)
    }

    /// Adds an evaluator under another name, for one that is used twice.
    #[must_use]
    pub fn named(mut self, name: &str, evaluator: impl Evaluator) -> Self {
        self.0.push((name.to_owned(), Arc::new(evaluator)));
        self
    }
}

/// How an experiment is run, for [`run_experiment`].
#[derive(Clone, Debug)]
pub struct ExperimentOptions {
    repeats: u32,
    timeout: Duration,
    retries: u32,
    concurrency: usize,
    tags: Vec<String>,
    metadata: Map<String, Value>,
    journal: Option<PathBuf>,
    python_ids: bool,
    hooks: Vec<Mask>,
}

impl Default for ExperimentOptions {
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
        }
    }
}

impl ExperimentOptions {
    /// One attempt per datapoint, 60 s each, no retries, 16 at once, no journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Attempts per datapoint; at least 1.
    #[must_use]
    pub fn repeats(mut self, repeats: u32) -> Self {
        self.repeats = repeats.max(1);
        self
    }

    /// The longest that one call of the function, or of an evaluator, may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Further tries after an error.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Attempts at once; at least 1.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Adds one entry of metadata, such as the model or the version of the prompt.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Makes external ids as HoneyHive's Python SDK does, so that runs of both languages compare.
    #[must_use]
    pub fn python_ids(mut self) -> Self {
        self.python_ids = true;
        self
    }

    /// Keeps a [journal](crate::journal) below this directory. Then every attempt is on disk
    /// before it counts as done.
    #[must_use]
    pub fn journal(mut self, directory: impl Into<PathBuf>) -> Self {
        self.journal = Some(directory.into());
        self
    }

    /// Masks texts before they are recorded, in the journal and in the [`ExperimentResult`], after
    /// the hooks that [`redact!`](crate::redact!) registered; see there.
    #[must_use]
    pub fn redact(mut self, mask: fn(&str) -> Option<String>) -> Self {
        self.hooks.push(mask);
        self
    }
}

/// Why an experiment was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError(String);

impl Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RunError {}

/// How many datapoints ended in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Nothing is wrong with them.
    pub passed: usize,
    /// A score is not good enough.
    pub failed: usize,
    /// The function gave no result.
    pub errors: usize,
    /// The function gave a result, but an evaluator no score.
    pub unscored: usize,
    /// They were not run.
    pub skipped: usize,
}

/// What an evaluator says of all datapoints.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EvaluatorResult {
    /// Its name in the experiment.
    pub name: String,
    /// The mean over the datapoints, attempts averaged first; `None` without any score.
    pub mean: Option<f64>,
    /// The 95 % interval of the mean; `None` where the scores have no spread or are too few.
    pub interval: Option<Interval>,
    /// Datapoints with a score.
    pub n: usize,
    /// Datapoints that should have a score but have none.
    pub missing: usize,
    /// The share of the judged datapoints that are good enough; `None` where it only measures.
    pub pass_rate: Option<f64>,
}

/// What became of a datapoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DatapointResult {
    /// Its id.
    pub id: String,
    /// Its id in HoneyHive.
    pub datapoint_id: String,
    /// What became of it.
    pub state: CaseState,
    /// Every execution of it: inputs, output, scores, error, spans.
    pub attempts: Vec<AttemptRecord>,
}

/// What became of an experiment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExperimentResult {
    /// Its name.
    pub name: String,
    /// The run: a UUID.
    pub run_id: String,
    /// The dataset's id in HoneyHive.
    pub dataset_id: String,
    /// How many datapoints ended in which state.
    pub totals: Totals,
    /// Evaluator by evaluator.
    pub evaluators: Vec<EvaluatorResult>,
    /// The mean time that the function took, over the datapoints that gave a result.
    pub mean_latency: Option<Duration>,
    /// Datapoint by datapoint, in the order of the dataset.
    pub datapoints: Vec<DatapointResult>,
    /// How long it took in all.
    pub duration: Duration,
    /// Why not all datapoints were run.
    pub stopped: Option<String>,
    /// The journal's file, where one was asked for.
    pub journal: Option<PathBuf>,
}

/// Stops the engine when nobody waits for its results any more.
struct StopOnDrop(Arc<engine::Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop("the future of run_experiment was dropped");
    }
}

/// Runs a function over a dataset and scores what it returns: the same engine as under `cargo
/// test`, for programs of any kind.
///
/// Every attempt has a tracer of its own, so several experiments may run at once. The future can
/// be awaited on any runtime; dropping it starts nothing more.
///
/// The result holds what was recorded: secrets of the environment are `[redacted]`, and with
/// `HH_CAPTURE=none` inputs and outputs are absent (see [`journal`](crate::journal)). The function
/// and the evaluators see real values.
///
/// # Errors
/// When the experiment cannot start: something that an evaluator reads is in none of the rows, two
/// evaluators have one name, a variable `HH_..` cannot be understood, or the journal cannot be made; and when the journal that was asked for
/// cannot be written any more. An error of the function or of an evaluator is a result of its
/// datapoint.
///
/// ```
/// use honeyhive_harness::{
///     Datapoint, Dataset, Evaluators, ExperimentOptions, Function, evaluator, run_experiment,
/// };
///
/// #[evaluator]
/// fn correct(output: &str, ground_truth: &str) -> bool {
///     output == ground_truth
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dataset = Dataset::from_datapoints("capitals", [
///     Datapoint::new().id("fr").input("country", "France").ground_truth("Paris"),
///     Datapoint::new().id("it").input("country", "Italy").ground_truth("Rome"),
/// ])?;
/// let function = Function::new(async |call: honeyhive_harness::Call| {
///     let country: String = call.input("country")?;
///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(match country.as_str() {
///         "France" => "Paris",
///         _ => "Milan",
///     })
/// });
/// let result = run_experiment(
///     "capital_of",
///     dataset,
///     function,
///     Evaluators::new().with(correct {}),
///     ExperimentOptions::new().concurrency(4),
/// )
/// .await?;
/// assert_eq!(result.totals.passed, 1);
/// assert_eq!(result.evaluators[0].mean, Some(0.5));
/// # Ok(())
/// # }
/// ```
pub async fn run_experiment(
    name: &str,
    dataset: Dataset,
    function: Function,
    evaluators: Evaluators,
    options: ExperimentOptions,
) -> Result<ExperimentResult, RunError> {
    let started = std::time::Instant::now();
    let spec = Arc::new(spec(name, dataset, function, evaluators, &options)?);
    let config = Config::from_env().map_err(RunError)?;
    let redactor = Redactor::new(&config, options.hooks.iter().copied());
    let selected: Vec<usize> = (0..spec.dataset.rows.len()).collect();
    let faults = engine::check(&spec, &selected)
        .map_err(|text| RunError(redactor.text(&text).into_owned()))?;
    let journal = open_journal(&spec, &options, &selected, &redactor).await?;
    let job = Job {
        spec: Arc::clone(&spec),
        selected,
        faults,
        recorded: std::collections::HashMap::new(),
        gate_judges: false,
    };
    let run_options =
        engine::Options { keep_attempts: true, redactor, ..engine::Options::default() };
    let mut running = engine::start(vec![job], run_options, Arc::clone(&journal))
        .map_err(|error| RunError(format!("cannot start the engine: {error}")))?;
    let guard = StopOnDrop(Arc::clone(&running.shared));
    running.over().await;
    drop(guard);
    let shared = running.finish();
    if let Some(error) = journal.failure() {
        return Err(RunError(error.to_owned()));
    }
    let result = result(&spec, &shared, started.elapsed(), &journal);
    let mut entry = Entry::default();
    let Totals { passed, failed, errors, unscored, skipped } = result.totals;
    entry.push(&Record::End(EndRecord {
        ended_at: humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string(),
        cases: [passed, failed, errors, unscored, skipped],
        ..EndRecord::default()
    }));
    journal.commit(entry).await.map_err(|error| RunError(error.to_string()))?;
    Ok(result)
}

fn spec(
    name: &str,
    dataset: Dataset,
    function: Function,
    evaluators: Evaluators,
    options: &ExperimentOptions,
) -> Result<Spec, RunError> {
    let mut judges: Vec<Judge> = Vec::new();
    let mut used = Vec::new();
    for (name, evaluator) in evaluators.0 {
        if judges.iter().any(|judge| judge.name == name) {
            return Err(RunError(format!(
                "two evaluators are named `{name}`; add one with `.named(\"..\", ..)`"
            )));
        }
        judges.push(Judge { name, info: evaluator.info() });
        used.push(engine::Evaluation::new(evaluator, ""));
    }
    Ok(Spec {
        name: name.to_owned(),
        function: name.to_owned(),
        module: String::new(),
        place: "run_experiment".to_owned(),
        params: &[],
        run: function.0,
        rules: Rules { judges, require: Vec::new(), gates: Vec::new() },
        evaluators: used,
        repeats: options.repeats,
        timeout: options.timeout.min(LONGEST_TIMEOUT),
        retries: options.retries,
        concurrency: options.concurrency.min(MOST_AT_ONCE),
        tags: options.tags.clone(),
        metadata: options.metadata.clone(),
        external: dataset.external_ids(options.python_ids),
        dataset: Arc::new(dataset),
        run_id: uuid::Uuid::new_v4().to_string().into(),
    })
}

async fn open_journal(
    spec: &Spec,
    options: &ExperimentOptions,
    selected: &[usize],
    redactor: &Redactor,
) -> Result<Arc<Writer>, RunError> {
    let Some(directory) = &options.journal else { return Ok(Arc::new(Writer::nowhere())) };
    let invocation = InvocationRecord {
        target: ids::slug(&spec.name),
        runner_attempt: 1,
        ..InvocationRecord::default()
    };
    let (journal, mut entry) = journal::create(directory, None, invocation).map_err(RunError)?;
    let mut experiment = spec.record(selected);
    experiment.redact(redactor);
    entry.push(&Record::Experiment(experiment));
    journal.commit(entry).await.map_err(|error| RunError(error.to_string()))?;
    Ok(Arc::new(journal))
}

fn result(
    spec: &Spec,
    shared: &engine::Shared,
    duration: Duration,
    journal: &Writer,
) -> ExperimentResult {
    let lane = &shared.board.lanes[0];
    let cases = lane.cases();
    let mut totals = Totals::default();
    for case in &cases {
        *match case.state {
            CaseState::Pass => &mut totals.passed,
            CaseState::Fail => &mut totals.failed,
            CaseState::Error => &mut totals.errors,
            CaseState::Unscored => &mut totals.unscored,
            CaseState::Skipped => &mut totals.skipped,
        } += 1;
    }
    let evaluators = spec.rules.judges.iter().enumerate().map(|(index, judge)| {
        let scores = || cases.iter().filter_map(|case| case.scores.get(index));
        let values: Vec<f64> = scores()
            .filter_map(|score| match score {
                CaseScore::Mean(mean, _) => Some(*mean),
                CaseScore::NotApplicable | CaseScore::Missing => None,
            })
            .collect();
        let judged: Vec<f64> = scores()
            .filter_map(|score| match score {
                CaseScore::Mean(_, good) => good.map(|good| f64::from(u8::from(good))),
                CaseScore::NotApplicable | CaseScore::Missing => None,
            })
            .collect();
        EvaluatorResult {
            name: judge.name.clone(),
            mean: stats::mean(&values),
            interval: match mean_interval(Of::Evaluator(index), &spec.rules.judges, &values) {
                Spread::Interval(interval) => Some(interval),
                Spread::NoSpread { .. } | Spread::TooFew { .. } => None,
            },
            n: values.len(),
            missing: scores().filter(|score| **score == CaseScore::Missing).count(),
            pass_rate: stats::mean(&judged),
        }
    });
    let latencies: Vec<f64> =
        cases.iter().filter_map(|case| stats::mean(&case.latencies)).collect();
    let mut attempts = lane.take_attempts().into_iter().peekable();
    let datapoints = cases.iter().map(|case| {
        let own = attempts.next_if(|(row, _)| *row == case.row);
        DatapointResult {
            id: spec.dataset.rows[case.row].id.clone(),
            datapoint_id: spec.datapoint_id(case.row).to_string(),
            state: case.state,
            attempts: own.map(|(_, attempts)| attempts).unwrap_or_default(),
        }
    });
    ExperimentResult {
        name: spec.name.clone(),
        run_id: spec.run_id.to_string(),
        dataset_id: spec.external.dataset.to_string(),
        totals,
        evaluators: evaluators.collect(),
        mean_latency: stats::mean(&latencies).map(Duration::from_secs_f64),
        datapoints: datapoints.collect(),
        duration,
        stopped: lane
            .stopped
            .get()
            .cloned()
            .or_else(|| shared.stopped().map(str::to_owned))
            .filter(|_| totals.skipped > 0),
        journal: Some(journal.path().to_owned()).filter(|path| !path.as_os_str().is_empty()),
    }
}

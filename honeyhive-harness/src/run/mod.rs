//! The engine without macros and without a test runner: experiments in any program.

mod options;
mod result;

use std::fmt::{self, Display};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

pub use options::ExperimentOptions;
pub use result::{DatapointResult, EvaluatorResult, ExperimentResult, Totals, Upload};

use crate::config::{Config, Protocol};
use crate::dataset::Dataset;
use crate::dataset::bind::Fault;
use crate::engine::{self, Job, LONGEST_TIMEOUT, MOST_AT_ONCE, Run, Spec};
use crate::evaluators::Evaluator;
use crate::gate::case::Rules;
use crate::gate::evaluator::Judge;
use crate::ids;
use crate::journal::{self, EndRecord, Entry, InvocationRecord, Record, Writer};
use crate::redact::Redactor;
use crate::registry::Call;
use crate::score::Reducer;
use crate::text::timestamp;
use crate::upload::{Destination, Uplink};

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

/// Why an experiment was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError(String);

impl Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RunError {}

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
/// Two effects reach beyond the call, and both end with it. Panics of attempts go to a panic hook of
/// this crate, which records them and prints nothing; all other panics go to the hook that was there
/// before, and when the last experiment is over, that one is installed again. Attempts run on threads of
/// their own, which are started for the experiment and end with it; only a call that still blocks keeps
/// its thread until it returns.
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
    if options.python_ids {
        dataset.check_external_ids(true).map_err(|fault| RunError(fault.0))?;
    }
    let spec = Arc::new(spec(name, dataset, function, evaluators, &options)?);
    let mut config = Config::from_env().map_err(RunError)?;
    config.capture_none |= options.capture_none;
    let destinations = if config.offline { Vec::new() } else { destinations(&options)? };
    let redactor = Redactor::new(&config, options.hooks.iter().copied());
    let selected: Vec<usize> = (0..spec.dataset.rows.len()).collect();
    let faults = engine::check(&spec, &selected)
        .map_err(|text| RunError(redactor.text(&text).into_owned()))?;
    let temporary = options.journal.is_none() && !destinations.is_empty();
    let root = match &options.journal {
        Some(directory) => Some(directory.clone()),
        None if temporary => Some(std::env::temp_dir().join("honeyhive")),
        None => None,
    };
    let opened = open_journal(root.as_deref(), &spec, &options, (&selected, &config), &redactor);
    let journal = opened.await?;
    let uplink = if destinations.is_empty() {
        None
    } else {
        let git = journal::ask_git(Path::new("."), &journal, &redactor, true);
        Some(Uplink::start(destinations, &journal, git.answer).map_err(RunError)?)
    };
    let job = Job {
        spec: Arc::clone(&spec),
        selected,
        faults,
        recorded: std::collections::HashMap::new(),
        attempts: 1..=spec.repeats,
        earlier: std::collections::HashMap::new(),
        leave_to_gate: false,
        stop_decided: false,
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
    let mut result = result::result(&spec, &shared, started.elapsed(), &journal);
    let mut entry = Entry::default();
    let Totals { passed, failed, errors, unscored, skipped } = result.totals;
    entry.push(&Record::End(EndRecord {
        ended_at: timestamp(std::time::SystemTime::now()),
        cases: [passed, failed, errors, unscored, skipped].into(),
        redacted: shared.options.redactor.taken(),
        ..EndRecord::default()
    }));
    journal.commit(entry).await.map_err(|error| RunError(error.to_string()))?;
    journal.verify().map_err(|error| RunError(error.to_string()))?;
    if let Some(uplink) = uplink {
        let sent = uplink.finish_async(options.flush_timeout).await;
        // Without a result per destination, the thread that sends has died.
        let complete = !sent.is_empty() && sent.iter().all(crate::upload::Sent::is_complete);
        result.uploads = sent.into_iter().map(Upload::from).collect();
        if temporary && complete {
            remove(result.journal.take().as_deref());
        }
    }
    Ok(result)
}

/// Nobody asked for this journal, and nothing is left to be sent from it.
fn remove(journal: Option<&Path>) {
    if let Some(directory) = journal.and_then(Path::parent) {
        let _ = std::fs::remove_dir_all(directory);
    }
}

fn destinations(options: &ExperimentOptions) -> Result<Vec<Destination>, RunError> {
    let mut to = Vec::new();
    if let Some(client) = &options.honeyhive {
        let results = options.results.map(str::to_owned);
        to.push(Destination::honeyhive(client.clone(), Protocol::default(), results, true));
    }
    if let Some(target) = &options.otlp {
        to.push(Destination::otlp(target).map_err(|error| RunError(error.to_string()))?);
    }
    Ok(to)
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
        let info = evaluator.info();
        judges.push(Judge::new(&name, &info, "", Reducer::Mean));
        used.push(engine::Evaluation::new(evaluator, info));
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
        run_id: ids::run_id(options.run_id.as_deref(), name, true).into(),
        cluster: None,
        files: std::collections::BTreeMap::new(),
        baseline: std::path::PathBuf::new(),
        sample: None,
        stop: None,
        replay: None,
    })
}

async fn open_journal(
    root: Option<&Path>,
    spec: &Spec,
    options: &ExperimentOptions,
    (selected, config): (&[usize], &Config),
    redactor: &Redactor,
) -> Result<Arc<Writer>, RunError> {
    let Some(root) = root else { return Ok(Arc::new(Writer::nowhere())) };
    let invocation = InvocationRecord {
        target: ids::slug(&spec.name),
        runner_attempt: 1,
        service: config.service_name.clone().unwrap_or_else(|| spec.name.clone()),
        source: options.source.clone(),
        project: options.project.clone(),
        ..InvocationRecord::default()
    };
    let (journal, mut entry) = journal::create(root, None, invocation).map_err(RunError)?;
    let mut experiment = spec.record(selected);
    experiment.redact(redactor);
    entry.push(&Record::Experiment(Box::new(experiment)));
    journal.commit(entry).await.map_err(|error| RunError(error.to_string()))?;
    Ok(Arc::new(journal))
}

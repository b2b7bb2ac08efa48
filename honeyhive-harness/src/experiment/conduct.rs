//! Runs an experiment in code as an invocation with one job.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use tokio::sync::oneshot;

use super::result::{Upload, result};
use super::{Experiment, ExperimentResult, RunError, rules};
use crate::baseline::tracked;
use crate::config::{Config, Protocol, Reports};
use crate::engine::{self, Definition, Job, Shared, Spec, Used, Wishes};
use crate::ids;
use crate::invocation::{Answer, NotJudging, Opened, STRICT, Setup, Target, Terminal, sample};
use crate::journal::InvocationRecord;
use crate::redact::Redactor;
use crate::text::count;
use crate::upload::{Destination, Sent};

/// The reason why no further attempt is started.
const DROPPED: &str = "the future of the experiment was dropped";

/// Stops the engine when the caller does not wait for its results any more.
#[derive(Debug, Default)]
struct Stop {
    dropped: AtomicBool,
    shared: OnceLock<Weak<Shared>>,
}

impl Stop {
    /// Stops this run from now on, if the caller waits no longer.
    fn watch(&self, shared: &Arc<Shared>) {
        let _ = self.shared.set(Arc::downgrade(shared));
        if self.dropped.load(Ordering::SeqCst) {
            shared.stop(DROPPED);
        }
    }
}

/// Calls the stop when the future ends, in whichever way.
struct StopOnDrop(Arc<Stop>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.dropped.store(true, Ordering::SeqCst);
        if let Some(shared) = self.0.shared.get().and_then(Weak::upgrade) {
            shared.stop(DROPPED);
        }
    }
}

impl Experiment {
    /// Runs the experiment: the same engine as under `cargo test`, and the same gate.
    ///
    /// Every attempt has a tracer of its own, so several experiments may run at once. The future can
    /// be awaited on any runtime; dropping it starts nothing more, and what was started is recorded
    /// and sent in the background. A thread of its own conducts the run.
    ///
    /// The result holds what was recorded: secrets of the environment are `[redacted]`, and with
    /// `HH_CAPTURE=none` inputs and outputs are absent (see [`journal`](crate::journal)). Where CI
    /// or `HH_REQUIRE_GATES=1` asks for gates that decide, an inconclusive one is not passed.
    ///
    /// # Errors
    /// See [`RunError`]. An error of the function or of an evaluator is a result of its datapoint,
    /// and a gate that fails is a result, too.
    pub async fn run(self) -> Result<ExperimentResult, RunError> {
        run(self).await
    }
}

/// Runs an experiment on a thread of its own, since an invocation blocks.
async fn run(experiment: Experiment) -> Result<ExperimentResult, RunError> {
    let guard = StopOnDrop(Arc::default());
    let stop = Arc::clone(&guard.0);
    let (sender, receiver) = oneshot::channel();
    let conduct = move || {
        let done = catch_unwind(AssertUnwindSafe(|| conduct(experiment, &stop)));
        let _ = sender.send(done);
    };
    let thread = std::thread::Builder::new().name("honeyhive-experiment".to_owned()).spawn(conduct);
    thread.map_err(|error| format!("cannot start a thread: {error}"))?;
    match receiver.await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => Err("the thread of the experiment ended without a result".to_owned().into()),
    }
}

fn conduct(mut experiment: Experiment, stop: &Stop) -> Result<ExperimentResult, RunError> {
    let started = Instant::now();
    if experiment.settings.python_ids {
        experiment.dataset.check_external_ids(true).map_err(|fault| fault.0)?;
    }
    let reports = std::mem::take(&mut experiment.reports);
    let settings = experiment.settings.clone();
    if !reports.is_empty() && settings.journal.is_none() {
        return Err("reports are written beside the journal; name its directory with \
                    `.journal(\"..\")`"
            .to_owned()
            .into());
    }
    let mut config = Config::from_env()?;
    config.capture_none |= settings.capture_none;
    let destinations = if config.offline { Vec::new() } else { destinations(&experiment)? };
    let redactor = Redactor::new(&config, settings.hooks.iter().copied());
    let (job, not_judging) = prepare(experiment, &config, &redactor)?;
    let temporary = settings.journal.is_none() && !destinations.is_empty();
    let root =
        settings.journal.or_else(|| temporary.then(|| std::env::temp_dir().join("honeyhive")));
    let spec = Arc::clone(&job.spec);
    let name = ids::slug(&spec.name);
    let cases = job.selected.len();
    let setup = Setup {
        root,
        parent: None,
        record: InvocationRecord {
            target: name.clone(),
            runner_attempt: 1,
            service: config.service_name.clone().unwrap_or_else(|| spec.name.clone()),
            source: settings.source,
            project: settings.project,
            ..InvocationRecord::default()
        },
        noted: None,
        sources: PathBuf::from("."),
        target: Target { name, ..Target::default() },
        destinations,
        patience: settings.flush_timeout,
        require_upload: false,
        strict: if config.require_gates { STRICT } else { "" },
        reports: Reports { chosen: Some(reports), github: None },
        package: PathBuf::new(),
        options: engine::Options { keep_attempts: true, redactor, ..engine::Options::default() },
        terminal: Terminal::Silent,
    };
    let opened = Opened::new(setup, cases)?;
    if stop.dropped.load(Ordering::SeqCst) {
        return Err(DROPPED.to_owned().into());
    }
    let invocation = opened.start(vec![job], vec![not_judging], Vec::new())?;
    let shared = &invocation.shared;
    stop.watch(shared);
    let answer = invocation.whole(0);
    invocation.join();
    let journal = Arc::clone(&shared.journal);
    if let Some(error) = journal.failure() {
        return Err(RunError::Setup(error.to_owned()));
    }
    let mut result = result(shared, started.elapsed());
    let closed = invocation.close(matches!(answer, Answer::Failed(_)), false);
    journal.verify().map_err(|error| RunError::Setup(error.to_string()))?;
    result.passed = closed.exit_code == 0;
    result.gate = closed.summary.experiments.iter().find_map(|one| one.figures.gate.cloned());
    if let Some(written) = closed.written {
        (result.report, result.notes) = (written.path, written.notes);
    }
    if let Some(sent) = closed.sent {
        // Without a result per destination, the thread that sends has died.
        let complete = !sent.is_empty() && sent.iter().all(Sent::is_complete);
        result.uploads = sent.into_iter().map(Upload::from).collect();
        if temporary && complete {
            remove(result.journal.take().as_deref());
        }
    }
    Ok(result)
}

/// Removes a journal that was made for sending alone, once nothing is left to be sent from it.
fn remove(journal: Option<&Path>) {
    if let Some(directory) = journal.and_then(Path::parent) {
        let _ = std::fs::remove_dir_all(directory);
    }
}

fn destinations(experiment: &Experiment) -> Result<Vec<Destination>, RunError> {
    let settings = &experiment.settings;
    let mut to = Vec::new();
    if let Some(client) = &settings.honeyhive {
        let results = settings.results.map(str::to_owned);
        // A sample that is asked for in code is sent, too.
        to.push(Destination::honeyhive(client.clone(), Protocol::default(), results, true));
    }
    if let Some(target) = &settings.otlp {
        to.push(Destination::otlp(target).map_err(|error| error.to_string())?);
    }
    Ok(to)
}

/// Makes a job of an experiment, and says why its gate does not judge, if it does not.
fn prepare(
    experiment: Experiment,
    config: &Config,
    redactor: &Redactor,
) -> Result<(Job, NotJudging), RunError> {
    let Experiment { name, dataset, settings, .. } = experiment;
    let mut used: Vec<Used> = Vec::new();
    for (name, evaluator) in experiment.evaluators.0 {
        if used.iter().any(|used| used.name == name) {
            return Err(format!(
                "two evaluators are named `{name}`; add one with `.named(\"..\", ..)`"
            )
            .into());
        }
        let info = evaluator.info();
        let (settings, reduce) = (String::new(), crate::score::Reducer::Mean);
        used.push(Used { name, settings, reduce, evaluator, info });
    }
    rules::reduce(&experiment.reduce, &mut used)?;
    let require = rules::require(&experiment.require, &used)?;
    let gates = rules::gate(&experiment.gate, &used)?;
    rules::stop(experiment.stop, &gates, &used)?;
    let baseline = match &experiment.baseline {
        Some(file) => std::path::absolute(file)
            .map_err(|error| format!("the baseline {}: {error}", file.display()))?,
        None => PathBuf::new(),
    };
    let needs = gates.iter().find(|rule| rule.needs_baseline());
    if let (None, Some(rule)) = (&experiment.baseline, needs) {
        return Err(format!(
            "`{}` compares with an accepted run; name its file with `.baseline(\"..\")`",
            rule.text
        )
        .into());
    }
    let patterns: Vec<&str> = experiment.track.iter().map(String::as_str).collect();
    let here = std::env::current_dir().unwrap_or_default();
    let files = tracked(&here, &patterns)?;

    let all = dataset.rows.len();
    let sample = experiment.sample.map(|size| (size, experiment.sample_seed));
    let sample = sample.filter(|(size, _)| *size < all);
    let stop = experiment.stop.filter(|_| !config.run_all).map(|when| (when, 0));
    let mut selected: Vec<usize> = (0..all).collect();
    if let Some((_, seed)) = stop {
        sample::shuffle(&mut selected, seed, &|row| &dataset.rows[row].id);
    }
    let not_judging = sample.map(|(size, seed)| {
        sample::take(&mut selected, size, seed, &|row| &dataset.rows[row].id);
        format!(
            "a sample of {size} of {} (seed {seed}) is not final; a gate judges all",
            count(all, "case")
        )
    });
    let wishes = Wishes {
        concurrency: None,
        repeats: None,
        python_ids: settings.python_ids,
        run_id: ids::run_id(settings.run_id.as_deref(), &name, true),
        metadata: settings.metadata,
        files,
        sample,
        stop,
    };
    let definition = Definition {
        place: "run_experiment".to_owned(),
        evaluators: used,
        require,
        gates,
        repeats: settings.repeats,
        timeout: settings.timeout,
        retries: settings.retries,
        concurrency: settings.concurrency,
        tags: settings.tags,
        cluster: experiment.cluster,
        baseline,
        ..Definition::new(&name, experiment.function.0)
    };
    let spec = Arc::new(Spec::new(definition, Arc::new(dataset), wishes));
    let faults =
        engine::check(&spec, &selected).map_err(|text| redactor.text(&text).into_owned())?;
    let has_gate = !spec.rules.gates.is_empty();
    let job = Job {
        attempts: 1..=spec.repeats,
        stop_decided: has_gate && sample.is_none() && spec.stop.is_some(),
        leave_to_gate: has_gate && (sample.is_none() || !config.require_gates),
        selected,
        faults,
        recorded: HashMap::new(),
        earlier: HashMap::new(),
        spec,
    };
    Ok((job, not_judging))
}

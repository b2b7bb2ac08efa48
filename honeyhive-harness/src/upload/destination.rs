//! The destinations of records, and the form that records have there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::marks::{Begun, Session};
use super::runs::{Run, Runs};
use super::scores;
use crate::api::{
    ApiError, EventUpdate, HoneyHive, NewRun, NewSession, OtlpReceiver, RunStatus, RunUpdate,
    Trouble,
};
use crate::config::{OtlpTarget, Protocol};
use crate::journal::{AttemptRecord, InvocationRecord};
use crate::send::{Receiver, session};
use crate::text::number;

/// The pause between two requests for HoneyHive's own figures.
const POLL: Duration = Duration::from_millis(500);

/// A destination of records.
#[derive(Debug)]
pub(crate) struct Destination {
    /// Its name in the marks.
    pub(super) name: String,
    /// Its name for people.
    pub(crate) shown: String,
    pub(super) receiver: Receiver,
    /// The function by which HoneyHive aggregates its own figures, where they are wanted.
    aggregate: Option<String>,
    /// Set when attempts of a partial selection are wanted, too.
    partial: bool,
    /// A digest of the settings.
    settings: String,
    /// Tries that failed while their request goes on.
    pub(super) trouble: Trouble,
}

/// The result of making an attempt's session known.
#[derive(Debug)]
pub(super) struct Introduced {
    /// Its id there.
    pub(super) there: Option<String>,
    pub(super) updated: bool,
    pub(super) error: Option<ApiError>,
}

impl Destination {
    /// Makes HoneyHive a destination. `aggregate` asks for its own figures when a run is finished.
    pub(crate) fn honeyhive(
        client: HoneyHive,
        protocol: Protocol,
        aggregate: Option<String>,
        partial: bool,
    ) -> Self {
        let address = client.address();
        let receiver = Receiver::HoneyHive { client, protocol };
        let (name, shown) = (format!("honeyhive {address}"), format!("HoneyHive at {address}"));
        Self { aggregate, ..Self::new(name, shown, receiver, partial) }
    }

    /// Makes a receiver of spans a destination.
    ///
    /// # Errors
    /// When its certificate file cannot be used.
    pub(crate) fn otlp(target: &OtlpTarget) -> Result<Self, ApiError> {
        let address = target.printable();
        let receiver = Receiver::Otlp(Box::new(OtlpReceiver::new(target)?));
        let (name, shown) = (format!("otlp {address}"), format!("{address} (spans)"));
        Ok(Self::new(name, shown, receiver, true))
    }

    fn new(name: String, shown: String, receiver: Receiver, partial: bool) -> Self {
        let trouble = Trouble::default();
        let receiver = receiver.watched(trouble.clone());
        let settings = receiver.fingerprint();
        Self { name, shown, receiver, aggregate: None, partial, settings, trouble }
    }

    /// Returns whether it knows runs and sessions beside spans.
    pub(crate) fn has_sessions(&self) -> bool {
        self.receiver.client().is_some()
    }

    /// Returns whether attempts of a partial selection are wanted, too.
    pub(crate) fn takes_partial(&self) -> bool {
        self.partial
    }

    /// Makes the mark that sending to it begins.
    pub(super) fn begun(&self) -> Begun {
        let Self { shown, partial, settings, .. } = self;
        Begun {
            shown: shown.clone(),
            sessions: self.has_sessions(),
            partial: *partial,
            settings: settings.clone(),
        }
    }

    /// Makes the request that starts a run.
    pub(super) fn new_run(&self, run: &Run, runs: &Runs) -> NewRun {
        let experiment = &run.experiment;
        let evaluators: Vec<&str> =
            experiment.evaluators.iter().map(|evaluator| evaluator.name.as_str()).collect();
        let configuration = json!({
            "function": experiment.function,
            "evaluators": evaluators,
            "max_workers": experiment.concurrency,
            "aggregate_function": self.aggregate(),
            "repeats": experiment.repeats,
        });
        NewRun {
            run_id: Some(experiment.run_id.clone()),
            name: Some(experiment.experiment.clone()),
            status: Some(RunStatus::Pending),
            metadata: Some(metadata(run, runs)),
            dataset_id: experiment.managed.then(|| experiment.dataset_id.clone()),
            event_ids: Some(Vec::new()),
            configuration: configuration.as_object().cloned(),
            datapoint_ids: Some(experiment.datapoint_ids.clone()),
            ..NewRun::default()
        }
    }

    /// Returns what HoneyHive aggregates scores by.
    fn aggregate(&self) -> &str {
        self.aggregate.as_deref().unwrap_or("average")
    }

    /// Starts a run, and returns its id there.
    pub(super) async fn create_run(&self, run_id: &str, new: &NewRun) -> Result<String, ApiError> {
        let Some(client) = self.receiver.client() else { return Ok(run_id.to_owned()) };
        let created = client.runs().create(new).await?;
        let there = Some(created.run_id).filter(|id| !id.is_empty());
        Ok(there.unwrap_or_else(|| run_id.to_owned()))
    }

    /// Starts an attempt's session, and updates it with what came out of the attempt.
    pub(super) async fn introduce(
        &self,
        record: &AttemptRecord,
        invocation: &InvocationRecord,
        run: &str,
        known: Session,
    ) -> Introduced {
        let Some(client) = self.receiver.client() else {
            let there = Some(record.session_id.clone());
            return Introduced { there, updated: true, error: None };
        };
        let there = match known.there {
            Some(there) => there,
            None => match client.sessions().start(&new_session(record, invocation, run)).await {
                Ok(started) => {
                    let there = Some(started.session_id).filter(|id| !id.is_empty());
                    there.unwrap_or_else(|| record.session_id.clone())
                }
                Err(error) => {
                    return Introduced { there: None, updated: false, error: Some(error) };
                }
            },
        };
        let error = if known.updated {
            None
        } else {
            client.events().update(&session_update(record, run, &there)).await.err()
        };
        Introduced { there: Some(there), updated: error.is_none(), error }
    }

    /// Sends the end of a run.
    pub(super) async fn finish_run(
        &self,
        there: &str,
        run: &Run,
        runs: &Runs,
        until: Option<Instant>,
    ) -> Result<(), ApiError> {
        let Some(client) = self.receiver.client() else { return Ok(()) };
        let client = match until {
            Some(until) => client.until(until.into_std()),
            None => client.clone(),
        };
        let update = RunUpdate {
            name: Some(run.experiment.experiment.clone()),
            status: Some(match runs.status(run) {
                RunStatus::Cancelled => RunStatus::Cancelled,
                // Nothing of it is there, whatever it came to here.
                _ if run.sessions().is_empty() => RunStatus::Failed,
                status => status,
            }),
            metadata: Some(metadata(run, runs)),
            event_ids: Some(run.sessions()).filter(|ids| !ids.is_empty()),
            ..RunUpdate::default()
        };
        client.runs().update(there, &update).await?;
        Ok(())
    }

    /// Returns HoneyHive's own figures of a run, line by line, where they are wanted.
    pub(super) async fn results(
        &self,
        there: &str,
        run: &Run,
        until: Option<Instant>,
    ) -> Vec<String> {
        let (Some(client), Some(aggregate)) = (self.receiver.client(), &self.aggregate) else {
            return Vec::new();
        };
        let client = match until {
            Some(until) => client.until(until.into_std()),
            None => client.clone(),
        };
        let name = &run.experiment.experiment;
        let sessions = run.sessions().len();
        let mut last = None;
        loop {
            match client.runs().result(there, aggregate).await {
                Ok(result) => {
                    let seen = result.datapoints.len();
                    let complete = seen >= sessions;
                    last = Some(Ok(result));
                    if complete {
                        break;
                    }
                }
                Err(error) if error.is_transient() => last = last.or(Some(Err(error))),
                Err(error) => {
                    last = Some(Err(error));
                    break;
                }
            }
            if until.is_some_and(|until| Instant::now() + POLL >= until) {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        match last {
            Some(Ok(result)) => {
                let seen = result.datapoints.len();
                let mut lines: Vec<String> = result
                    .metrics
                    .details
                    .iter()
                    .map(|metric| {
                        let value = match metric.aggregate {
                            Some(value) => number(value),
                            None => "none".to_owned(),
                        };
                        format!("{name}: {aggregate} of {} is {value}", metric.metric_name)
                    })
                    .collect();
                if seen < sessions {
                    lines.push(format!(
                        "{name}: HoneyHive has figures of {seen} of {sessions} sessions so far"
                    ));
                }
                lines
            }
            Some(Err(error)) => vec![format!("{name}: no figures: {error}")],
            None => Vec::new(),
        }
    }
}

/// Returns the metadata of a run: the sources, the dataset, and what the attribute says.
fn metadata(run: &Run, runs: &Runs) -> Map<String, Value> {
    let experiment = &run.experiment;
    let mut metadata = experiment.metadata.clone();
    if !experiment.tags.is_empty() {
        metadata.insert("tags".to_owned(), experiment.tags.clone().into());
    }
    if let Some(stopped) = run.stopped_early() {
        metadata.insert("stopped_early".to_owned(), stopped.into());
    }
    if !experiment.managed {
        metadata.insert("offline_dataset_id".to_owned(), experiment.dataset_id.clone().into());
    }
    if let Ok(Value::Object(git)) = serde_json::to_value(&runs.git)
        && !git.is_empty()
    {
        metadata.insert("git".to_owned(), git.into());
    }
    metadata
}

/// Returns when an attempt began and ended, in milliseconds since 1970.
fn times(record: &AttemptRecord) -> (u64, u64) {
    let root = record.spans.iter().find(|span| span.parent_span_id.is_none());
    if let Some(root) = root {
        return (root.start_unix_ns / 1_000_000, root.end_unix_ns / 1_000_000);
    }
    let began = humantime::parse_rfc3339(&record.started_at).unwrap_or(SystemTime::UNIX_EPOCH);
    let began = began.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let began = u64::try_from(began).unwrap_or_default();
    (began, began)
}

/// Returns the metadata of an attempt's session. That of its row does not replace the ids.
fn session_metadata(record: &AttemptRecord, run: &str) -> Map<String, Value> {
    let mut metadata = record.metadata.clone();
    if !record.history.is_empty() && record.inputs.contains_key(HISTORY) {
        metadata.insert(HISTORY.to_owned(), record.history.clone().into());
    }
    belonging(&mut metadata, record, run);
    metadata
}

/// Sets what a session belongs to.
fn belonging(metadata: &mut Map<String, Value>, record: &AttemptRecord, run: &str) {
    for (key, value) in [
        ("run_id", run),
        ("dataset_id", &record.dataset_id),
        ("datapoint_id", &record.datapoint_id),
    ] {
        metadata.insert(key.to_owned(), value.into());
    }
    metadata.insert("attempt".to_owned(), record.attempt.into());
    if !record.tags.is_empty() {
        metadata.insert("tags".to_owned(), record.tags.clone().into());
    }
}

/// The input that a row's history is sent as, where no input has this name.
pub(super) const HISTORY: &str = "history";

/// Returns the inputs of an attempt as they are sent: with the row's history, which HoneyHive has no
/// field for.
pub(super) fn inputs(record: &AttemptRecord) -> Map<String, Value> {
    let mut inputs = record.inputs.clone();
    if !record.history.is_empty() {
        inputs.entry(HISTORY).or_insert_with(|| record.history.clone().into());
    }
    inputs
}

fn new_session(record: &AttemptRecord, invocation: &InvocationRecord, run: &str) -> NewSession {
    NewSession {
        session_id: Some(record.session_id.clone()),
        session_name: Some(format!("{}-{}", record.experiment, record.case)),
        source: Some(invocation.source.clone()),
        project: invocation.project.clone(),
        start_time: Some(times(record).0),
        inputs: Some(inputs(record)),
        metadata: Some(session_metadata(record, run)),
        ..NewSession::default()
    }
}

/// Makes the update of an attempt's session. HoneyHive takes objects alone as outputs.
fn session_update(record: &AttemptRecord, run: &str, there: &str) -> EventUpdate {
    let (began, ended) = times(record);
    let mut said = record.enrichment.clone();
    // All of it, as the session was started with it: a server may put it in the place of what is
    // there. A session's inputs are those of its datapoint.
    let mut metadata = session_metadata(record, run);
    metadata.extend(session::metadata(&mut said));
    match &record.output {
        None => {}
        Some(Value::Object(fields)) => said.outputs.extend(fields.clone()),
        Some(other) => {
            said.outputs.insert("result".to_owned(), other.clone());
        }
    }
    if let Some(truth) = &record.ground_truth {
        said.feedback.insert("ground_truth".to_owned(), truth.clone());
    }
    let scored = scores::fields(&record.scores, false);
    said.metrics.extend(scored.metrics);
    metadata.extend(scored.metadata);
    belonging(&mut metadata, record, run);
    if let Some(error) = &record.error {
        metadata.insert("error".to_owned(), error.message.clone().into());
        metadata.insert("error_type".to_owned(), error.kind.name().into());
    }
    let mut update = session::update(there, metadata, said);
    if record.output.is_some() {
        // An output without a field is one, too.
        update.outputs.get_or_insert_default();
    }
    EventUpdate {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of one attempt")]
        duration: Some(ended.saturating_sub(began) as f64),
        end_time: Some(ended),
        ..update
    }
}

//! What a tracer is made of: what the program says, else what the environment says.

use std::sync::Arc;

use opentelemetry_sdk::trace::SpanLimits;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::buffer::MAX_SPANS;
use super::otlp::ResourceInfo;
use super::outbox::{About, Outbox};
use super::pipeline::Pipeline;
use super::program::{Filter, Program};
use super::session::SessionState;
use super::{Ids, LIMITS, Tracer, new_session_id};
use crate::config::{Config, Connection, NamedSecret, Secret, TracerDefaults, program_name};
use crate::json;
use crate::redact::{Mask, Redactor};
use crate::text::one_line;

/// Bytes that the inputs of a session may have as JSON.
const LARGEST_INPUTS: usize = 1 << 20;

/// Makes a [`Tracer`] for a program that is no experiment.
///
/// What is not said here comes from the environment: `HH_API_KEY`, `HH_INGESTION_API_KEY`,
/// `HH_API_URL`, `HH_PROJECT`, `HH_SOURCE`, `HH_SESSION_NAME`, `HH_SESSION_ID`, `HH_RUN_ID`,
/// `HH_DATASET_ID`, `HH_DATAPOINT_ID`, `HH_TEST_MODE`, `HH_OFFLINE`. Without any key the tracer is
/// local: it sends nothing.
///
/// Every tracer stands alone: two of them share neither spans nor ids, however many threads and
/// tasks they are used from.
///
/// ```
/// use honeyhive_harness::Tracer;
///
/// let tracer = Tracer::builder().run_id("nightly").local().build();
/// {
///     let work = tracer.start_span("work");
///     let _current = work.enter();
///     tracer.in_span("step", |step| step.set_attribute("n", 1));
/// }
/// let trace = tracer.trace();
/// assert_eq!(trace.spans.len(), 2);
/// assert_eq!(trace.children(trace.root().unwrap())[0].name, "step");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TracerBuilder {
    api_key: Option<Secret>,
    ingestion_key: Option<Secret>,
    server_url: Option<String>,
    project: Option<String>,
    source: Option<String>,
    session_name: Option<String>,
    session_id: Option<String>,
    /// An error where they have no JSON form.
    inputs: Option<Result<Map<String, Value>, String>>,
    is_evaluation: Option<bool>,
    run_id: Option<String>,
    dataset_id: Option<String>,
    datapoint_id: Option<String>,
    test_mode: bool,
    local: bool,
    filter: Filter,
    max_attributes: Option<u32>,
    max_events: Option<u32>,
    max_links: Option<u32>,
    span_buffer: Option<usize>,
    masks: Vec<Mask>,
}

/// Settings that no tracer that sends can be made of; see [`TracerBuilder::try_build`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TracerError(String);

macro_rules! texts {
    ($($(#[$doc:meta])* $field:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $field(mut self, text: impl Into<String>) -> Self {
                self.$field = Some(text.into());
                self
            }
        )*
    };
}

impl TracerBuilder {
    /// The project's key, instead of `HH_API_KEY`.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.api_key = Some(Secret::new(key.as_ref()));
        self
    }

    /// A key that may only write, instead of `HH_INGESTION_API_KEY`. A tracer needs no other.
    pub fn ingestion_key(mut self, key: impl AsRef<str>) -> Self {
        self.ingestion_key = Some(Secret::new(key.as_ref()));
        self
    }

    texts! {
        /// Where HoneyHive is, such as `https://api.example.com`, instead of `HH_API_URL`.
        server_url;
        /// The project, for keys of old that do not name one; instead of `HH_PROJECT`.
        project;
        /// Where the spans come from, instead of `HH_SOURCE`. By default `dev`, and `evaluation`
        /// for [evaluations](Self::is_evaluation).
        source;
        /// What people call the session, instead of `HH_SESSION_NAME`. By default the name of the
        /// program.
        session_name;
        /// The session, a UUID, instead of `HH_SESSION_ID`. It is taken as one that HoneyHive
        /// knows, so none is started. By default a new one.
        session_id;
        /// The run that the spans belong to, instead of `HH_RUN_ID`.
        run_id;
        /// The dataset that the spans belong to, instead of `HH_DATASET_ID`.
        dataset_id;
        /// The datapoint that the spans belong to, instead of `HH_DATAPOINT_ID`.
        datapoint_id;
    }

    /// What goes into the session. What is no object becomes the one field `input`.
    pub fn inputs(mut self, inputs: impl Serialize) -> Self {
        self.inputs = Some(match json::to_text(&inputs, LARGEST_INPUTS) {
            Ok((text, true)) => match json::read(text.as_bytes()) {
                Ok(Value::Object(fields)) => Ok(fields),
                Ok(other) => Ok(Map::from_iter([("input".to_owned(), other)])),
                Err(error) => Err(format!("inputs: {error}")),
            },
            Ok((_, false)) => Err("inputs: more than 1 MiB of JSON".to_owned()),
            Err(error) => Err(format!("inputs: {error}")),
        });
        self
    }

    /// Whether this is part of an experiment. By default, when run, dataset and datapoint are all
    /// known.
    pub fn is_evaluation(mut self, yes: bool) -> Self {
        self.is_evaluation = Some(yes);
        self
    }

    /// Whether nothing is sent. With `HH_TEST_MODE` or `HH_OFFLINE` nothing is, whatever is said
    /// here.
    pub fn test_mode(mut self, yes: bool) -> Self {
        self.test_mode = yes;
        self
    }

    /// Nothing is sent, whatever the environment says.
    pub fn local(mut self) -> Self {
        self.local = true;
        self
    }

    /// Keeps only spans whose names begin with one of these. The others are neither sent nor shown
    /// by [`Tracer::trace`]; spans below them stay as they are and still name them as parents.
    pub fn only_spans<T: Into<String>>(mut self, prefixes: impl IntoIterator<Item = T>) -> Self {
        self.filter.only.get_or_insert_default().extend(prefixes.into_iter().map(Into::into));
        self
    }

    /// Leaves out spans whose names begin with one of these, even those that
    /// [`only_spans`](Self::only_spans) would keep.
    pub fn without_spans<T: Into<String>>(mut self, prefixes: impl IntoIterator<Item = T>) -> Self {
        self.filter.without.extend(prefixes.into_iter().map(Into::into));
        self
    }

    /// Attributes that a span may have; 1024 by default. Ids and the like do not count.
    pub fn max_attributes(mut self, most: u32) -> Self {
        self.max_attributes = Some(most);
        self
    }

    /// Events that a span may have; 1024 by default.
    pub fn max_events(mut self, most: u32) -> Self {
        self.max_events = Some(most);
        self
    }

    /// Links that a span may have; 128 by default.
    pub fn max_links(mut self, most: u32) -> Self {
        self.max_links = Some(most);
        self
    }

    /// Finished spans that are kept; 10,000 by default. A tracer that sends keeps them until they
    /// are sent, and drops those that find no room. A local one keeps the latest.
    pub fn span_buffer(mut self, spans: usize) -> Self {
        self.span_buffer = Some(spans.max(1));
        self
    }

    /// Asks a function what is to be sent in place of a text: every text in attributes, events,
    /// errors, inputs and enrichments, but for names and ids. `None` leaves it. It comes after what
    /// [`redact!`](macro@crate::redact) registers, and sees what that leaves; where it panics, the
    /// text is replaced as a whole. It runs on the thread that sends, which waits for it.
    pub fn redact(mut self, mask: fn(&str) -> Option<String>) -> Self {
        self.masks.push(mask);
        self
    }

    /// The tracer.
    ///
    /// Where it cannot send what it was asked to, because a key or a setting is none, it is local;
    /// [`Tracer::telemetry`] says why. A program that wants to know uses
    /// [`try_build`](Self::try_build).
    pub fn build(self) -> Tracer {
        self.over(Config::from_env()).0
    }

    /// The tracer, unless a key or a setting cannot be used.
    ///
    /// That there is no key, or that it was told to be local, is no error.
    ///
    /// # Errors
    /// What cannot be used, and why; never with a key.
    pub fn try_build(self) -> Result<Tracer, TracerError> {
        match self.over(Config::from_env()) {
            (_, Some(fault)) => Err(TracerError(fault)),
            (tracer, None) => Ok(tracer),
        }
    }

    /// The tracer, and what is wrong with its settings.
    fn over(self, config: Result<Config, String>) -> (Tracer, Option<String>) {
        let mut faults = Vec::new();
        let mut config = config.unwrap_or_else(|text| {
            // Whoever asks for nothing of the environment need not know of its faults.
            if !self.local {
                faults.push(text.replace('\n', "; "));
            }
            Config::default()
        });
        // Keys that the environment does not know are secrets, too.
        let own = self.api_key.iter().chain(&self.ingestion_key).cloned();
        let named = own.map(|value| NamedSecret { name: "the tracer's key".to_owned(), value });
        config.secrets.extend(named.filter(|secret| !secret.value.expose().is_empty()));
        let redactor = Redactor::new(&config, self.masks.iter().copied());
        let Config { tracer: defaults, connection, service_name, offline, .. } = config;
        let connection = self.connection(connection);
        let quiet = self.quiet(offline, &connection);
        let given = self.given_session(&defaults, &mut faults);
        let ids = self.ids(&defaults, given.as_deref());
        let limits = self.limits();
        let source = self.source.or(defaults.source).filter(|text| !text.trim().is_empty());
        let source = source.unwrap_or_else(|| {
            let known = [&ids.run_id, &ids.dataset_id, &ids.datapoint_id];
            let all_known = known.into_iter().all(|id| !id.is_empty());
            let source = if self.is_evaluation.unwrap_or(all_known) { "evaluation" } else { "dev" };
            source.to_owned()
        });
        let project = self.project.or(defaults.project);
        let name = self.session_name.or(defaults.session_name);
        let name = name.or_else(program_name).unwrap_or_else(|| "unknown".to_owned());
        let inputs = self.inputs.transpose().unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });

        let room = self.span_buffer.unwrap_or(MAX_SPANS);
        let way = match quiet {
            None if faults.is_empty() => {
                Pipeline::of(connection).map_err(|fault| faults.push(fault)).ok()
            }
            _ => None,
        };
        let program = if let Some(pipeline) = way {
            let service = service_name.or_else(|| project.clone()).or_else(program_name);
            let service = service.unwrap_or_else(|| "unknown_service:rust".to_owned());
            let resource = ResourceInfo { service, project: project.clone() };
            let about = About { resource, ids: ids.clone(), source, project, redactor };
            Program::sending(Outbox::new(pipeline, about, room), self.filter)
        } else {
            let why = quiet.filter(|_| faults.is_empty()).map(str::to_owned);
            Program::local(why.unwrap_or_else(|| faults.join("; ")), room, self.filter)
        };
        let session = if given.is_some() {
            Arc::new(SessionState::settled(Arc::clone(&ids.session_id)))
        } else {
            let session = Arc::new(SessionState::new(Arc::clone(&ids.session_id)));
            program.begin(&session, name, inputs);
            session
        };
        let fault = (!faults.is_empty()).then(|| faults.join("; "));
        (Tracer::of_program(ids, limits, program, session), fault)
    }

    fn connection(&self, defaults: Connection) -> Connection {
        Connection {
            api_key: self.api_key.clone().or(defaults.api_key),
            ingestion_key: self.ingestion_key.clone().or(defaults.ingestion_key),
            server: self.server_url.clone().unwrap_or(defaults.server),
            ..defaults
        }
    }

    /// Why nothing is sent, although nothing is wrong.
    fn quiet(&self, offline: bool, connection: &Connection) -> Option<&'static str> {
        let Connection { api_key, ingestion_key, .. } = connection;
        if self.local {
            Some("it was told to be local")
        } else if self.test_mode {
            Some("it is in test mode")
        } else if offline {
            Some("HH_OFFLINE or HH_TEST_MODE is set")
        } else if api_key.is_none() && ingestion_key.is_none() {
            Some("there is no API key: set HH_API_KEY, or give one to `Tracer::builder()`")
        } else {
            None
        }
    }

    /// The session that somebody else has started. What is no UUID does for a local tracer.
    fn given_session(&self, defaults: &TracerDefaults, faults: &mut Vec<String>) -> Option<String> {
        let (name, id) = match (&self.session_id, &defaults.session_id) {
            (Some(id), _) => ("session_id", id),
            (None, Some(id)) => ("HH_SESSION_ID", id),
            (None, None) => return None,
        };
        Some(session_uuid(id).unwrap_or_else(|| {
            faults.push(format!("{name}={}: not a UUID", one_line(id, 100)));
            id.clone()
        }))
    }

    fn ids(&self, defaults: &TracerDefaults, session: Option<&str>) -> Ids {
        let or = |said: &Option<String>, default: &Option<String>| {
            said.as_deref().or(default.as_deref()).unwrap_or_default().into()
        };
        Ids {
            run_id: or(&self.run_id, &defaults.run_id),
            dataset_id: or(&self.dataset_id, &defaults.dataset_id),
            datapoint_id: or(&self.datapoint_id, &defaults.datapoint_id),
            session_id: session.map_or_else(new_session_id, Into::into),
        }
    }

    fn limits(&self) -> SpanLimits {
        SpanLimits {
            max_attributes_per_span: self.max_attributes.unwrap_or(LIMITS.max_attributes_per_span),
            max_events_per_span: self.max_events.unwrap_or(LIMITS.max_events_per_span),
            max_links_per_span: self.max_links.unwrap_or(LIMITS.max_links_per_span),
            ..LIMITS
        }
    }
}

/// A session id as it is written everywhere.
pub(super) fn session_uuid(text: &str) -> Option<String> {
    Uuid::try_parse(text.trim()).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Config {
        let key = Some(Secret::new("hh_from_env"));
        let tracer = TracerDefaults {
            run_id: Some("r".to_owned()),
            dataset_id: Some("d".to_owned()),
            session_id: Some("9A3C6E0F-0000-4000-8000-00000000000A".to_owned()),
            ..TracerDefaults::default()
        };
        // Nobody listens there, and no session is started.
        let server = "http://127.0.0.1:9".to_owned();
        let connection = Connection { api_key: key, server, ..Connection::default() };
        Config { connection, tracer, ..Config::default() }
    }

    fn source(builder: TracerBuilder, config: Config) -> String {
        let (tracer, fault) = builder.over(Ok(config));
        assert_eq!(fault, None);
        tracer.program().unwrap().outbox().unwrap().about.source.clone()
    }

    #[test]
    fn the_source_depends_on_what_is_known() {
        let builder = Tracer::builder;
        assert_eq!(source(builder(), environment()), "dev");
        assert_eq!(source(builder().datapoint_id("p"), environment()), "evaluation");
        let no = builder().datapoint_id("p").is_evaluation(false);
        assert_eq!(source(no, environment()), "dev");
        assert_eq!(source(builder().is_evaluation(true), environment()), "evaluation");
        let mut config = environment();
        config.tracer.source = Some("staging".to_owned());
        assert_eq!(source(builder().is_evaluation(true), config.clone()), "staging");
        assert_eq!(source(builder().source("prod"), config), "prod");
    }

    #[test]
    fn what_is_said_wins_over_the_environment() {
        let (tracer, _) = Tracer::builder().run_id("mine").over(Ok(environment()));
        let ids = tracer.ids();
        assert_eq!((&*ids.run_id, &*ids.dataset_id, &*ids.datapoint_id), ("mine", "d", ""));
        assert_eq!(tracer.session_id(), "9a3c6e0f-0000-4000-8000-00000000000a");
        assert_eq!(tracer.telemetry().local, None);
    }

    #[test]
    fn a_tracer_is_local_for_a_reason() {
        let local = |builder: TracerBuilder, config| {
            let (tracer, fault) = builder.over(config);
            (tracer.telemetry().local.unwrap_or_default(), fault)
        };
        let (why, fault) = local(Tracer::builder(), Ok(Config::default()));
        assert!(why.contains("HH_API_KEY") && fault.is_none(), "{why}");
        let (why, fault) = local(Tracer::builder().test_mode(true), Ok(environment()));
        assert!(why.contains("test mode") && fault.is_none(), "{why}");
        let offline = Config { offline: true, ..environment() };
        let (why, fault) = local(Tracer::builder().test_mode(false), Ok(offline));
        assert!(why.contains("HH_OFFLINE") && fault.is_none(), "{why}");
        let wrong = || Err("HH_CONCURRENCY=many: not a number".to_owned());
        let (why, fault) = local(Tracer::builder().api_key("hh_k"), wrong());
        assert_eq!(
            (why.as_str(), fault.as_ref()),
            ("HH_CONCURRENCY=many: not a number", Some(&why))
        );
        let (_, fault) = local(Tracer::builder().local(), wrong());
        assert_eq!(fault, None);
        let mut config = environment();
        config.tracer.session_id = Some("s\n1".to_owned());
        let (why, fault) = local(Tracer::builder(), Ok(config));
        assert_eq!((why.as_str(), fault.is_some()), ("HH_SESSION_ID=s⏎1: not a UUID", true));
    }

    #[test]
    fn inputs_are_an_object_or_become_one() {
        let of = |builder: TracerBuilder| builder.inputs.unwrap();
        let fields = of(Tracer::builder().inputs(serde_json::json!({"a": 1}))).unwrap();
        assert_eq!(Value::from(fields), serde_json::json!({"a": 1}));
        let fields = of(Tracer::builder().inputs("why")).unwrap();
        assert_eq!(Value::from(fields), serde_json::json!({"input": "why"}));
        let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(of(Tracer::builder().inputs(no_json)).is_err());
    }
}

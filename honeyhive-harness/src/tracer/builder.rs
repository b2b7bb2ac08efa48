//! What a tracer is made of: what the program says, else what the environment says.

use std::fmt;
use std::sync::Arc;

use opentelemetry_sdk::trace::SpanLimits;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::buffer::MAX_SPANS;
use super::mask::Mask;
use super::otlp::ResourceInfo;
use super::outbox::{About, Outbox};
use super::pipeline::Pipeline;
use super::program::{Filter, Program};
use super::session::SessionState;
use super::{Ids, LIMITS, Tracer, new_session_id};
use crate::config::{Config, Connection, Secret, program_name};
use crate::json;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracerError(String);

impl fmt::Display for TracerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TracerError {}

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
            Ok((text, true)) => match serde_json::from_str(&text) {
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
    /// errors, inputs and enrichments, but for names and ids. `None` leaves it. Several functions
    /// are asked one after the other. Where one panics, the text is replaced as a whole.
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
        let config = config.unwrap_or_else(|text| {
            // Whoever asks for nothing of the environment need not know of its faults.
            if !self.local {
                faults.push(text.replace('\n', "; "));
            }
            Config::default()
        });
        let Config { tracer: defaults, connection, service_name, offline, .. } = config;
        let inputs = self.inputs.transpose().unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let given = match self.session_id {
            Some(id) => Some(("session_id", id)),
            None => defaults.session_id.map(|id| ("HH_SESSION_ID", id)),
        };
        let session_id = given.map(|(name, id)| {
            session_uuid(&id).unwrap_or_else(|| {
                faults.push(format!("{name}={id}: no UUID"));
                id
            })
        });
        let or = |said: Option<String>, default| said.or(default).unwrap_or_default();
        let ids = Ids {
            run_id: or(self.run_id, defaults.run_id).into(),
            dataset_id: or(self.dataset_id, defaults.dataset_id).into(),
            datapoint_id: or(self.datapoint_id, defaults.datapoint_id).into(),
            session_id: session_id.clone().map_or_else(new_session_id, Into::into),
        };
        let known = [&ids.run_id, &ids.dataset_id, &ids.datapoint_id];
        let all_known = known.into_iter().all(|id| !id.is_empty());
        let source = self.source.or(defaults.source).filter(|text| !text.trim().is_empty());
        let source = source.unwrap_or_else(|| {
            let source = if self.is_evaluation.unwrap_or(all_known) { "evaluation" } else { "dev" };
            source.to_owned()
        });
        let project = self.project.or(defaults.project);
        let connection = Connection {
            api_key: self.api_key.or(connection.api_key.clone()),
            ingestion_key: self.ingestion_key.or(connection.ingestion_key.clone()),
            server: self.server_url.unwrap_or(connection.server),
            ..connection
        };

        let has_key = connection.api_key.is_some() || connection.ingestion_key.is_some();
        let quiet = if self.local {
            Some("it was told to be local")
        } else if self.test_mode {
            Some("it is in test mode")
        } else if offline {
            Some("HH_OFFLINE or HH_TEST_MODE is set")
        } else if !has_key && faults.is_empty() {
            Some("there is no API key: set HH_API_KEY, or give one to `Tracer::builder()`")
        } else {
            None
        };
        let way = if quiet.is_none() && faults.is_empty() {
            Pipeline::of(connection).map_err(|fault| faults.push(fault)).ok()
        } else {
            None
        };
        let name = self.session_name.or(defaults.session_name);
        let name = name.or_else(program_name).unwrap_or_else(|| "unknown".to_owned());
        let about = About {
            resource: ResourceInfo {
                service: service_name
                    .or_else(|| project.clone())
                    .or_else(program_name)
                    .unwrap_or_else(|| "unknown_service:rust".to_owned()),
                project: project.clone(),
            },
            ids: ids.clone(),
            source,
            project,
            masks: self.masks,
        };
        let room = self.span_buffer.unwrap_or(MAX_SPANS);
        let program = match way {
            Some(pipeline) => Program::sending(Outbox::new(pipeline, about, room), self.filter),
            None => {
                let why = faults.first().cloned().or(quiet.map(str::to_owned)).unwrap_or_default();
                Program::local(why, room, self.filter)
            }
        };
        let limits = SpanLimits {
            max_attributes_per_span: self.max_attributes.unwrap_or(LIMITS.max_attributes_per_span),
            max_events_per_span: self.max_events.unwrap_or(LIMITS.max_events_per_span),
            max_links_per_span: self.max_links.unwrap_or(LIMITS.max_links_per_span),
            ..LIMITS
        };
        let session = match &session_id {
            Some(id) => Arc::new(SessionState::settled(id.as_str().into())),
            None => {
                let session = Arc::new(SessionState::new(Arc::clone(&ids.session_id)));
                program.begin(&session, name, inputs);
                session
            }
        };
        let fault = (!faults.is_empty()).then(|| faults.join("; "));
        (Tracer::of_program(ids, limits, program, session), fault)
    }
}

/// A session id as it is written everywhere.
pub(super) fn session_uuid(text: &str) -> Option<String> {
    Uuid::try_parse(text.trim()).ok().map(|id| id.to_string())
}

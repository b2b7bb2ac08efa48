//! The builder of tracers, with the settings that a program chooses.

use serde::Serialize;
use serde_json::{Map, Value};

use super::processor::Filter;
use crate::config::{Config, OtlpTarget, Protocol, Secret};
use crate::json;
use crate::redact::Mask;
use crate::tracer::Tracer;

/// The largest size of a session's inputs, in bytes of JSON.
const LARGEST_INPUTS: usize = 1 << 20;

/// Makes a [`Tracer`] for any program that is not an experiment.
///
/// The environment says the rest: `HH_API_KEY`, `HH_INGESTION_API_KEY`,
/// `HH_API_URL`, `HH_PROJECT`, `HH_SOURCE`, `HH_SESSION_NAME`, `HH_SESSION_ID`, `HH_RUN_ID`,
/// `HH_DATASET_ID`, `HH_DATAPOINT_ID`, `HH_TEST_MODE`, `HH_OFFLINE`, and `OTEL_EXPORTER_OTLP_*` for
/// a receiver of OTLP. Without any key and any receiver the tracer is local: it sends nothing.
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
    pub(super) api_key: Option<Secret>,
    pub(super) ingestion_key: Option<Secret>,
    pub(super) server_url: Option<String>,
    pub(super) project: Option<String>,
    pub(super) source: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) session_id: Option<String>,
    /// The inputs, or an error where they have no JSON form.
    pub(super) inputs: Option<Result<Map<String, Value>, String>>,
    pub(super) is_evaluation: Option<bool>,
    pub(super) run_id: Option<String>,
    pub(super) dataset_id: Option<String>,
    pub(super) datapoint_id: Option<String>,
    pub(super) otlp: Option<OtlpTarget>,
    pub(super) test_mode: bool,
    pub(super) local: bool,
    pub(super) filter: Filter,
    pub(super) max_attributes: Option<u32>,
    pub(super) max_events: Option<u32>,
    pub(super) max_links: Option<u32>,
    pub(super) span_buffer: Option<usize>,
    pub(super) masks: Vec<Mask>,
}

/// The error for settings that a tracer cannot send with; see [`TracerBuilder::try_build`].
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

impl Tracer {
    /// Makes a tracer for any program that is not an experiment; see
    /// [the module](crate::tracer#tracing-any-program).
    pub fn builder() -> TracerBuilder {
        TracerBuilder::default()
    }
}

impl TracerBuilder {
    /// Sets the project's key, instead of `HH_API_KEY`.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.api_key = Some(Secret::new(key.as_ref()));
        self
    }

    /// Sets a key that may only write, instead of `HH_INGESTION_API_KEY`. A tracer needs no other.
    pub fn ingestion_key(mut self, key: impl AsRef<str>) -> Self {
        self.ingestion_key = Some(Secret::new(key.as_ref()));
        self
    }

    texts! {
        /// Sets the address of HoneyHive, such as `https://api.example.com`, instead of
        /// `HH_API_URL`.
        server_url;
        /// Sets the project, for older keys that do not name one, instead of `HH_PROJECT`.
        project;
        /// Sets where the spans come from, instead of `HH_SOURCE`. By default `dev`, and `evaluation`
        /// for [evaluations](Self::is_evaluation).
        source;
        /// Sets the name of the session, instead of `HH_SESSION_NAME`. By default that of the
        /// program.
        session_name;
        /// Sets the session, a UUID, instead of `HH_SESSION_ID`. HoneyHive is expected to know it,
        /// so none is started. By default a new one.
        session_id;
        /// Sets the run that the spans belong to, instead of `HH_RUN_ID`.
        run_id;
        /// Sets the dataset that the spans belong to, instead of `HH_DATASET_ID`.
        dataset_id;
        /// Sets the datapoint that the spans belong to, instead of `HH_DATAPOINT_ID`.
        datapoint_id;
    }

    /// Sends spans to a receiver of OTLP over HTTP: its whole address, such as
    /// `http://localhost:4318/v1/traces`. It is used instead of the one that
    /// `OTEL_EXPORTER_OTLP_*` name, with a key beside HoneyHive, without one alone. It gets spans;
    /// sessions and what is said of them are HoneyHive's.
    ///
    /// ```
    /// use std::time::Duration;
    /// use honeyhive_harness::Tracer;
    ///
    /// let tracer = Tracer::builder()
    ///     .otlp("http://localhost:4318/v1/traces")
    ///     .otlp_header("x-tenant", "acme")
    ///     # .test_mode(true)
    ///     .build();
    /// tracer.in_span("answer", |_| ());
    /// let flushed = tracer.shutdown(Duration::from_secs(5));
    /// println!("{} spans sent, {:?}", flushed.sent, flushed.error);
    /// ```
    pub fn otlp(mut self, url: impl Into<String>) -> Self {
        self.otlp = Some(OtlpTarget::new(url.into()));
        self
    }

    /// Adds a header to what is sent to the receiver of [`otlp`](Self::otlp). Its value is never
    /// shown.
    pub fn otlp_header(mut self, name: impl Into<String>, value: &str) -> Self {
        if let Some(target) = &mut self.otlp {
            target.add_header(name.into(), value);
        }
        self
    }

    /// Sends spans to that receiver as JSON instead of protobuf.
    pub fn otlp_json(mut self) -> Self {
        if let Some(target) = &mut self.otlp {
            target.protocol = Protocol::Json;
        }
        self
    }

    /// Sets the inputs of the session. A value that is not an object becomes the one field `input`.
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

    /// Sets whether this is part of an experiment. By default it is, when run, dataset and datapoint
    /// are all known.
    pub fn is_evaluation(mut self, yes: bool) -> Self {
        self.is_evaluation = Some(yes);
        self
    }

    /// Turns sending off. With `HH_TEST_MODE` or `HH_OFFLINE` it is off, whatever is set here.
    pub fn test_mode(mut self, yes: bool) -> Self {
        self.test_mode = yes;
        self
    }

    /// Turns sending off, whatever the environment says.
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

    /// Limits the attributes of a span; 1024 by default. Ids and the like do not count.
    pub fn max_attributes(mut self, most: u32) -> Self {
        self.max_attributes = Some(most);
        self
    }

    /// Limits the events of a span; 1024 by default.
    pub fn max_events(mut self, most: u32) -> Self {
        self.max_events = Some(most);
        self
    }

    /// Limits the links of a span; 128 by default.
    pub fn max_links(mut self, most: u32) -> Self {
        self.max_links = Some(most);
        self
    }

    /// Limits the finished spans that are kept; 10,000 by default. A tracer that sends keeps them
    /// until they are sent, for each destination, and drops those that find no room. A local one
    /// keeps the latest.
    pub fn span_buffer(mut self, spans: usize) -> Self {
        self.span_buffer = Some(spans.max(1));
        self
    }

    /// Sets a function that replaces each text before it is sent: every text in attributes, events, errors,
    /// inputs and enrichments, but for names and ids. `None` leaves the text as it is. The function gets
    /// texts after the hooks of [`redact!`](macro@crate::redact); where it panics, the text is replaced as
    /// a whole. It runs on the thread that sends, which waits for it.
    pub fn redact(mut self, mask: fn(&str) -> Option<String>) -> Self {
        self.masks.push(mask);
        self
    }

    /// Makes the tracer.
    ///
    /// The tracer is local if a key or a setting is invalid, and [`Tracer::telemetry`] says why;
    /// [`try_build`](Self::try_build) returns that as an error.
    pub fn build(self) -> Tracer {
        self.over(Config::from_env()).0
    }

    /// Makes the tracer, unless a key or a setting is invalid.
    ///
    /// A missing key and [`local`](Self::local) are not errors.
    ///
    /// # Errors
    /// Names each invalid setting and the reason; keys are not in the text.
    pub fn try_build(self) -> Result<Tracer, TracerError> {
        match self.over(Config::from_env()) {
            (_, Some(fault)) => Err(TracerError(fault)),
            (tracer, None) => Ok(tracer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! The methods that set the options of an experiment in code.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::api::HoneyHive;
use crate::config::OtlpTarget;

use super::Experiment;
use super::settings::ExperimentOptions;

/// Adds the options that both types have to one of them.
macro_rules! settings {
    ($type:ty) => {
        impl $type {
            /// Sets the number of attempts per datapoint; at least 1.
            pub fn repeats(mut self, repeats: u32) -> Self {
                self.settings.repeats = repeats.max(1);
                self
            }

            /// Sets the longest time that one call of the function, or of an evaluator, may take.
            pub fn timeout(mut self, timeout: Duration) -> Self {
                self.settings.timeout = timeout;
                self
            }

            /// Sets the number of further tries after an error.
            pub fn retries(mut self, retries: u32) -> Self {
                self.settings.retries = retries;
                self
            }

            /// Sets the most attempts at once; at least 1.
            pub fn concurrency(mut self, concurrency: usize) -> Self {
                self.settings.concurrency = concurrency.max(1);
                self
            }

            /// Adds a tag.
            pub fn tag(mut self, tag: impl Into<String>) -> Self {
                self.settings.tags.push(tag.into());
                self
            }

            /// Adds one entry of metadata, such as the model or the version of the prompt.
            pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
                self.settings.metadata.insert(key.into(), value.into());
                self
            }

            /// Makes external ids as HoneyHive's Python SDK does, so that runs of both languages compare.
            pub fn python_ids(mut self) -> Self {
                self.settings.python_ids = true;
                self
            }

            /// Keeps a [journal](crate::journal) below this directory. Then every attempt is on disk
            /// before it counts as done.
            pub fn journal(mut self, directory: impl Into<PathBuf>) -> Self {
                self.settings.journal = Some(directory.into());
                self
            }

            /// Masks texts before they are recorded, in the journal and in the result, after
            /// the hooks that [`redact!`](crate::redact!) registered; see there.
            pub fn redact(mut self, mask: fn(&str) -> Option<String>) -> Self {
                self.settings.hooks.push(mask);
                self
            }

            /// Keeps contents out of journal and uploads, like `HH_CAPTURE=none`: inputs, outputs, texts of
            /// errors.
            pub fn capture_none(mut self) -> Self {
                self.settings.capture_none = true;
                self
            }

            /// Sets the id of the run; a new UUID without it.
            pub fn run_id(mut self, id: impl Into<String>) -> Self {
                self.settings.run_id = Some(id.into());
                self
            }

            /// Sets the source of the sessions; `evaluation` without it.
            pub fn source(mut self, source: impl Into<String>) -> Self {
                self.settings.source = source.into();
                self
            }

            /// Sets HoneyHive's project, for keys that do not name one.
            pub fn project(mut self, project: impl Into<String>) -> Self {
                self.settings.project = Some(project.into());
                self
            }

            /// Makes the run, its sessions and spans known to HoneyHive, beside the run.
            ///
            /// Results that do not get through are not an error; see [`ExperimentResult::uploads`]. Without a
            /// [journal](Self::journal) there is one in the directory for temporary files, which stays
            /// where something is left to be sent. `HH_OFFLINE=1` in the environment sends nothing.
            ///
            /// [`ExperimentResult::uploads`]: crate::ExperimentResult::uploads
            pub fn honeyhive(mut self, client: HoneyHive) -> Self {
                self.settings.honeyhive = Some(client);
                self
            }

            /// Waits for HoneyHive's own figures of the run: `average`, `min`, `max`, `median`, `p90`,
            /// `p95`, `p99`, `sum` or `count` of each evaluator.
            pub fn results(mut self, aggregate: &'static str) -> Self {
                self.settings.results = Some(aggregate);
                self
            }

            /// Sends spans to a receiver of OTLP over HTTP as well: its whole address, such as
            /// `http://localhost:4318/v1/traces`.
            pub fn otlp(mut self, url: impl Into<String>) -> Self {
                self.settings.otlp = Some(OtlpTarget::new(url.into()));
                self
            }

            /// Adds a header to what is sent to the receiver of [`otlp`](Self::otlp). Its value is never
            /// shown.
            pub fn otlp_header(mut self, name: impl Into<String>, value: &str) -> Self {
                if let Some(target) = &mut self.settings.otlp {
                    target.add_header(name.into(), value);
                }
                self
            }

            /// Sends spans to that receiver as JSON instead of protobuf.
            pub fn otlp_json(mut self) -> Self {
                if let Some(target) = &mut self.settings.otlp {
                    target.protocol = crate::config::Protocol::Json;
                }
                self
            }

            /// Sets the time that the end of the experiment waits for unsent results; 15 s without it.
            pub fn flush_timeout(mut self, timeout: Duration) -> Self {
                self.settings.flush_timeout = timeout;
                self
            }
        }
    };
}

settings!(ExperimentOptions);
settings!(Experiment);

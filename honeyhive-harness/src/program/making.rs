//! Makes a tracer from the settings of the builder, else from those of the environment.

use std::sync::Arc;

use opentelemetry_sdk::trace::SpanLimits;

use super::builder::TracerBuilder;
use super::info::TracerInfo;
use super::outbox::{Outbox, WorkerHandle};
use super::pipeline::{PipelineKey, worker};
use super::sink::Program;
use crate::config::{
    Config, Connection, NamedSecret, Secret, TracerDefaults, printable, program_name, server,
};
use crate::ids::session_uuid;
use crate::redact::Redactor;
use crate::send::ResourceInfo;
use crate::text::one_line;
use crate::tracer::buffer::MAX_SPANS;
use crate::tracer::session::SessionState;
use crate::tracer::{Ids, LIMITS, SessionSink as _, Tracer, new_session_id};

impl TracerBuilder {
    /// Makes the tracer; returns also the error in its settings, if there is one.
    pub(super) fn over(mut self, config: Result<Config, String>) -> (Tracer, Option<String>) {
        let mut faults = Vec::new();
        let mut config = config.unwrap_or_else(|text| {
            // A tracer that takes nothing from the environment does not report errors in it.
            if !self.local {
                faults.push(text.replace('\n', "; "));
            }
            Config::default()
        });
        let redactor = self.redactor(&mut config);
        let defaults = std::mem::take(&mut config.tracer);
        let given = self.given_session(&defaults, &mut faults);
        let ids = self.ids(&defaults, given.as_deref());
        let inputs = self.inputs.take().transpose().unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let source = self.source_of(&defaults, &ids);
        let project = self.project.take().or(defaults.project);
        let service = config.service_name.take().or_else(|| project.clone()).or_else(program_name);
        let service = service.unwrap_or_else(|| "unknown_service:rust".to_owned());
        let resource = ResourceInfo { service, project: project.clone() };
        let info = Arc::new(TracerInfo { resource, ids: ids.clone(), source, project, redactor });
        let program = self.program(config, &info, &mut faults);
        let session = if given.is_some() {
            Arc::new(SessionState::settled(Arc::clone(&ids.session_id)))
        } else {
            let session = Arc::new(SessionState::new(Arc::clone(&ids.session_id)));
            let name = self.session_name.take().or(defaults.session_name).or_else(program_name);
            program.begin(&session, name.unwrap_or_else(|| "unknown".to_owned()), inputs);
            session
        };
        let fault = (!faults.is_empty()).then(|| faults.join("; "));
        let (processor, buffer) = (program.processor(&session), Arc::clone(&program.buffer));
        let (limits, sink) = (self.limits(), Box::new(program));
        (Tracer::of_program(ids, limits, processor, buffer, session, sink), fault)
    }

    /// Makes the part that sends, or keeps spans where none are sent.
    fn program(&self, config: Config, info: &Arc<TracerInfo>, faults: &mut Vec<String>) -> Program {
        let room = self.span_buffer.unwrap_or(MAX_SPANS);
        let quiet = self.quiet(&config);
        let mut otlp_fault = config.otlp_fault.clone();
        let mut workers = Vec::new();
        if quiet.is_none() && faults.is_empty() {
            workers = self.workers(config, &mut otlp_fault, faults);
        }
        if faults.is_empty() {
            let outbox = |worker| Outbox::new(worker, Arc::clone(info), room);
            let outboxes = workers.into_iter().map(outbox).collect();
            let sending = Program::sending(outboxes, otlp_fault.clone(), self.filter.clone());
            if let Some(program) = sending {
                return program;
            }
        }
        let why = match quiet.or(otlp_fault) {
            Some(why) if faults.is_empty() => why,
            _ => faults.join("; "),
        };
        Program::local(why, room, self.filter.clone())
    }

    /// Starts the workers that send to the destinations, or finds those that send there already.
    fn workers(
        &self,
        config: Config,
        otlp_fault: &mut Option<String>,
        faults: &mut Vec<String>,
    ) -> Vec<Arc<WorkerHandle>> {
        let mut workers = Vec::new();
        for destination in self.destinations(config, faults) {
            let is_foreign = self.otlp.is_none() && matches!(destination, PipelineKey::Otlp(_));
            match worker(destination) {
                Ok(worker) => workers.push(worker),
                // The variables may be there for other parts of the program.
                Err(fault) if is_foreign => *otlp_fault = Some(fault),
                Err(fault) => faults.push(fault),
            }
        }
        workers
    }

    /// Makes the redactor. Keys that the environment does not know are secrets, too.
    fn redactor(&self, config: &mut Config) -> Redactor {
        let own = self.api_key.iter().chain(&self.ingestion_key).cloned().chain(self.header_keys());
        let named = own.map(|value| NamedSecret { name: "the tracer's key".to_owned(), value });
        config.secrets.extend(named.filter(|secret| !secret.value.expose().is_empty()));
        Redactor::new(config, self.masks.iter().copied())
    }

    /// Returns where the spans come from.
    fn source_of(&self, defaults: &TracerDefaults, ids: &Ids) -> String {
        let said = self.source.as_ref().or(defaults.source.as_ref());
        if let Some(said) = said.filter(|text| !text.trim().is_empty()) {
            return said.clone();
        }
        let known = [&ids.run_id, &ids.dataset_id, &ids.datapoint_id];
        let all_known = known.into_iter().all(|id| !id.is_empty());
        let source = if self.is_evaluation.unwrap_or(all_known) { "evaluation" } else { "dev" };
        source.to_owned()
    }

    fn connection(&self, defaults: Connection) -> Connection {
        Connection {
            api_key: self.api_key.clone().or(defaults.api_key),
            ingestion_key: self.ingestion_key.clone().or(defaults.ingestion_key),
            server: self.server_url.clone().unwrap_or(defaults.server),
            ..defaults
        }
    }

    /// Returns where spans go.
    fn destinations(&self, config: Config, faults: &mut Vec<String>) -> Vec<PipelineKey> {
        let mut destinations = Vec::new();
        let connection = self.connection(config.connection);
        if has_key(&connection) {
            destinations.push(PipelineKey::HoneyHive(connection));
        }
        if let Some(target) = &self.otlp
            && let Err(fault) = server(&target.url)
        {
            faults.push(format!("otlp={}: {fault}", printable(&target.url)));
        } else if let Some(target) = self.otlp.clone().or(config.otlp) {
            destinations.push(PipelineKey::Otlp(target));
        }
        destinations
    }

    /// Returns the keys in the headers for the receiver of OTLP, whole and without `Bearer`.
    fn header_keys(&self) -> Vec<Secret> {
        // Others, such as a tenant's name, may be ordinary words.
        const NAMES: [&str; 4] = ["auth", "key", "token", "secret"];
        let headers = self.otlp.iter().flat_map(|target| &target.headers);
        let is_key = |name: &str| {
            let name = name.to_ascii_lowercase();
            NAMES.iter().any(|part| name.contains(part))
        };
        let keys = headers.filter(|(name, _)| is_key(name)).map(|(_, value)| value.expose());
        keys.flat_map(|value| [Some(value), value.rsplit(' ').next()])
            .flatten()
            .map(Secret::new)
            .collect()
    }

    /// Returns why nothing is sent, although nothing is wrong.
    fn quiet(&self, config: &Config) -> Option<String> {
        let has_receiver = self.otlp.is_some() || config.otlp.is_some();
        let why = if self.local {
            "it was told to be local"
        } else if self.test_mode {
            "it is in test mode"
        } else if config.offline {
            "HH_OFFLINE or HH_TEST_MODE is set"
        } else if !has_receiver && !has_key(&self.connection(config.connection.clone())) {
            "there is no API key: set HH_API_KEY, or give one to `Tracer::builder()`"
        } else {
            return None;
        };
        // Then it is what keeps spans from leaving.
        let fault = config.otlp_fault.as_ref().filter(|_| why.contains("no API key"));
        Some(fault.map_or_else(|| why.to_owned(), |fault| format!("{why}; {fault}")))
    }

    /// Returns the session that other code has started. A local tracer takes any text.
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

fn has_key(connection: &Connection) -> bool {
    connection.api_key.is_some() || connection.ingestion_key.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OtlpTarget;

    fn environment() -> Config {
        let key = Some(Secret::new("hh_from_env"));
        let tracer = TracerDefaults {
            run_id: Some("r".to_owned()),
            dataset_id: Some("d".to_owned()),
            session_id: Some("9A3C6E0F-0000-4000-8000-00000000000A".to_owned()),
            ..TracerDefaults::default()
        };
        // No server listens there, and no session is started.
        let server = "http://127.0.0.1:9".to_owned();
        let connection = Connection { api_key: key, server, ..Connection::default() };
        Config { connection, tracer, ..Config::default() }
    }

    fn source(builder: TracerBuilder, config: Config) -> String {
        let (tracer, fault) = builder.over(Ok(config));
        assert_eq!(fault, None);
        tracer.program().unwrap().outboxes[0].info.source.clone()
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
    fn a_receiver_of_spans_is_enough_and_one_that_is_said_must_be_right() {
        let shown = |builder: TracerBuilder, config: Config| {
            let (tracer, fault) = builder.over(Ok(config));
            let telemetry = tracer.telemetry();
            let to = (telemetry.honeyhive.is_some(), telemetry.otlp.is_some());
            (to, telemetry.local, fault)
        };
        let target = |url: &str| Some(OtlpTarget::new(url.to_owned()));
        let alone = || Config { otlp: target("http://127.0.0.1:9/v1/traces"), ..Config::default() };
        assert_eq!(shown(Tracer::builder(), alone()), ((false, true), None, None));
        let both = Config { otlp: alone().otlp, ..environment() };
        assert_eq!(shown(Tracer::builder(), both.clone()), ((true, true), None, None));
        assert_eq!(shown(Tracer::builder().local(), both).0, (false, false));
        let (to, _, fault) = shown(Tracer::builder().otlp("localhost:4318"), environment());
        assert_eq!(
            (to, fault.as_deref()),
            ((false, false), Some("otlp=localhost:4318: not an http:// or https:// address"))
        );
        // An error in variables for other programs does not fail the tracer, but is reported.
        let said = "OTEL_EXPORTER_OTLP_ENDPOINT=x: not an address";
        let wrong = |config| Config { otlp_fault: Some(said.to_owned()), ..config };
        let (tracer, fault) = Tracer::builder().over(Ok(wrong(environment())));
        assert_eq!((fault, tracer.telemetry().local), (None, None));
        assert_eq!(tracer.telemetry().otlp.unwrap().error.as_deref(), Some(said));
        let (_, why, fault) = shown(Tracer::builder(), wrong(Config::default()));
        assert!(fault.is_none() && why.unwrap().ends_with(said));
    }
}

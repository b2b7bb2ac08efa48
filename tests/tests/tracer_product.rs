//! Tests tracers of programs without experiments: what they send, where they send it, and how they
//! handle receivers that refuse or do not answer.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

mod tracer_product {
    pub(crate) mod server;
}

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

use honeyhive_harness::opentelemetry::KeyValue;
use honeyhive_harness::opentelemetry::baggage::BaggageExt;
use honeyhive_harness::opentelemetry::trace::{FutureExt as _, TraceContextExt as _};
use honeyhive_harness::{
    Enrichment, Tracer, TracerBuilder, current_tracer, enrich_session, enrich_span, trace,
};
use honeyhive_tests::fake::{Fake, Fault};
use serde_json::{Value, json};

use tracer_product::server::{Seen, Server};

const START: &str = "POST /session/start";
const UPDATE: &str = "PUT /events";
const TRACES: &str = "POST /opentelemetry/v1/traces";
/// The request line of a receiver that is not HoneyHive.
const PLAIN: &str = "POST /v1/traces";

/// A time limit that no step reaches on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn tracer_of(fake: &Fake) -> TracerBuilder {
    Tracer::builder().api_key(fake.key()).server_url(fake.url())
}

/// Returns the values of an attribute, by the names of the spans.
fn by_name(fake: &Fake, attribute: &str) -> BTreeMap<String, Value> {
    let spans = fake.spans().into_iter();
    spans.map(|span| (span.name, span.attributes[attribute].clone())).collect()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let give_up = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < give_up, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[trace(event_type = "model")]
fn ask(question: &str) -> String {
    enrich_span(Enrichment::new().metadata("model", "m-1"));
    format!("{question}!")
}

#[test]
fn a_program_is_seen_in_honeyhive() {
    let fake = Fake::start();
    let tracer = tracer_of(&fake)
        .session_name("nightly job")
        .project("demo")
        .inputs(json!({"question": "why"}))
        .try_build()
        .unwrap();
    tracer.in_span("answer", |_| {
        assert_eq!(ask("why"), "why!");
        enrich_session(Enrichment::new().metric("good", true).input("more", 1).error("slow"));
    });
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.error.as_deref()), (2, None), "{flushed:?}");
    assert!(flushed.is_complete());

    let session = fake.sessions().remove(0);
    assert_eq!(session.id, tracer.session_id());
    assert_eq!(session.body["session_name"], "nightly job");
    assert_eq!(session.body["source"], "dev");
    assert_eq!(session.body["project"], "demo");
    assert_eq!(session.body["inputs"], json!({"question": "why"}));
    let update = &fake.updates()[&session.id][0].body;
    assert_eq!(update["metrics"], json!({"good": true}));
    assert_eq!(update["metadata"], json!({"inputs": {"more": 1}, "error": "slow"}));

    let spans = fake.spans();
    let [model, root] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(model.parent_span_id.as_ref(), Some(&root.span_id));
    assert_eq!(model.attributes["honeyhive_event_type"], "model");
    assert_eq!(model.attributes["honeyhive_metadata.model"], "m-1");
    assert_eq!(model.attributes["honeyhive.project"], "demo");
    let telemetry = tracer.telemetry();
    assert_eq!(telemetry.local, None);
    assert_eq!((telemetry.sessions_started, telemetry.updates_sent), (1, 1));
    assert!(tracer.trace().spans.is_empty(), "what is sent is gone");
    fake.assert_clean();
}

/// Every tracer has its own key, session, ids and baggage, and is used from a thread and two tasks
/// at once.
#[test]
fn three_hundred_tracers_share_nothing() {
    const COUNT: usize = 300;
    let server = Server::start();
    let tracers: Vec<Tracer> = (0..COUNT)
        .map(|n| {
            let builder = Tracer::builder().api_key(format!("hh_key_{n}"));
            builder.server_url(server.url()).source(format!("source-{n}")).run_id(format!("r{n}"))
        })
        .map(|builder| builder.try_build().unwrap())
        .collect();
    let work = |n: usize, way: &'static str| {
        let tracer = current_tracer().unwrap();
        assert_eq!(&*tracer.ids().run_id, format!("r{n}"));
        let span = tracer.start_span(format!("{way} {n}"));
        span.set_attribute("n", i64::try_from(n).unwrap());
        enrich_session(Enrichment::new().metadata(way, n));
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let mut tasks = Vec::new();
    std::thread::scope(|scope| {
        for (n, tracer) in tracers.iter().enumerate() {
            let root = tracer.start_span(format!("root {n}"));
            let tenant = KeyValue::new("tenant", format!("t{n}"));
            let cx = root.context().with_baggage([tenant]);
            for way in ["task", "other task"] {
                let task = async move {
                    for _ in 0..3 {
                        tokio::task::yield_now().await;
                    }
                    work(n, way);
                };
                tasks.push(runtime.spawn(task.with_context(cx.clone())));
            }
            scope.spawn(move || {
                let _attached = cx.attach();
                work(n, "thread");
                drop(root);
            });
        }
    });
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    for tracer in &tracers {
        let flushed = tracer.flush(LONG);
        assert_eq!((flushed.sent, flushed.is_complete()), (4, true), "{flushed:?}");
    }
    let mut sessions = BTreeSet::new();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Seen { key, source, what, body } in server.seen() {
        let n = key.strip_prefix("hh_key_").unwrap().to_owned();
        let tracer = &tracers[n.parse::<usize>().unwrap()];
        match what.as_str() {
            START => {
                assert_eq!(body["session"]["session_id"], tracer.session_id());
                assert_eq!(body["session"]["source"], format!("source-{n}"));
                assert!(sessions.insert(tracer.session_id()), "a session came twice");
            }
            UPDATE => {
                assert_eq!(body["event_id"], tracer.session_id());
                assert_eq!(body["metadata"]["run_id"], format!("r{n}"));
                let said = body["metadata"].as_object().unwrap().iter();
                let mut ways = said.filter(|(key, _)| *key != "run_id");
                assert!(ways.all(|(_, by)| by.as_u64() == n.parse().ok()));
            }
            _ => {
                assert_eq!(source.unwrap(), format!("source-{n}"));
                for span in body.as_array().unwrap() {
                    let name = span["name"].as_str().unwrap().to_owned();
                    assert_eq!(name.rsplit(' ').next().unwrap(), n, "a span of another tracer");
                    let attributes = &span["attributes"];
                    assert_eq!(attributes["honeyhive.session_id"], tracer.session_id());
                    assert_eq!(attributes["honeyhive.run_id"], format!("r{n}"));
                    if !name.starts_with("root") {
                        assert_eq!(attributes["baggage.tenant"], format!("t{n}"));
                        assert_eq!(attributes["n"].to_string(), n);
                    }
                    assert!(seen.entry(n.clone()).or_default().insert(name), "a span came twice");
                }
            }
        }
    }
    assert_eq!((sessions.len(), seen.len()), (COUNT, COUNT));
    assert!(seen.values().all(|names| names.len() == 4));
}

/// Connections are shared by the whole program, so there are few of them for any number of keys.
#[test]
fn two_hundred_keys_need_few_connections() {
    const COUNT: usize = 200;
    let server = Server::start();
    let tracers: Vec<Tracer> = (0..COUNT)
        .map(|n| Tracer::builder().api_key(format!("hh_many_{n}")).server_url(server.url()))
        .map(|builder| builder.try_build().unwrap())
        .collect();
    for tracer in &tracers {
        for n in 0..20 {
            tracer.with_session(format!("session {n}"), || drop(tracer.start_span("work")));
        }
    }
    for tracer in &tracers {
        let flushed = tracer.flush(LONG);
        assert_eq!((flushed.sent, flushed.is_complete()), (20, true), "{flushed:?}");
    }
    let (open, most) = server.connections();
    // At most 32 requests are sent at the same time; the server notices late that a connection was
    // closed.
    assert!(most <= 150, "{most} connections at once");
    assert!(open <= 40, "{open} connections after all is sent");
    drop(tracers);
    until("connections are closed", || server.connections().0 == 0);
}

#[test]
fn spans_that_are_too_many_for_a_request_go_in_several() {
    let fake = Fake::builder().largest_spans(3000).start();
    let tracer = tracer_of(&fake).try_build().unwrap();
    (0..40).for_each(|n| drop(tracer.start_span(format!("span {n}"))));
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.failed, flushed.pending), (40, 0, 0), "{flushed:?}");
    assert_eq!(fake.spans().len(), 40);
    fake.assert_clean();
}

#[test]
fn what_a_changed_server_may_take_is_kept() {
    for fault in
        [Fault::Status(404), Fault::Status(415), Fault::Status(302), Fault::Page, Fault::Empty]
    {
        let fake = Fake::start();
        let tracer = tracer_of(&fake).try_build().unwrap();
        assert!(tracer.flush(LONG).is_complete());
        fake.on(TRACES, fault);
        drop(tracer.start_span("work"));
        let began = Instant::now();
        let flushed = tracer.flush(LONG);
        assert!(began.elapsed() < Duration::from_secs(30), "a flush does not wait for it");
        assert_eq!((flushed.sent, flushed.pending), (0, 1), "{fault:?}: {flushed:?}");
        assert!(flushed.error.is_some());
        fake.heal();
        until("it is taken", || tracer.flush(LONG).sent == 1);
        assert!(tracer.telemetry().spans.is_complete());
        assert_eq!(fake.spans().len(), 1);
        fake.assert_clean();
    }
}

#[test]
fn tracers_with_one_key_share_requests_and_nothing_else() {
    let fake = Fake::start();
    let tracers: Vec<Tracer> = (0..50).map(|_| tracer_of(&fake).try_build().unwrap()).collect();
    for (n, tracer) in tracers.iter().enumerate() {
        (0..20).for_each(|i| drop(tracer.start_span(format!("{n}-{i}"))));
    }
    for tracer in &tracers {
        assert_eq!(tracer.flush(LONG).sent, 20);
    }
    for (name, session) in by_name(&fake, "honeyhive.session_id") {
        let n: usize = name.split('-').next().unwrap().parse().unwrap();
        assert_eq!(session, tracers[n].session_id());
    }
    assert_eq!((fake.spans().len(), fake.sessions().len()), (1000, 50));
    assert!(fake.count(TRACES) < 50, "{} requests", fake.count(TRACES));
    fake.assert_clean();
}

#[test]
fn the_id_that_the_server_answers_is_on_the_spans() {
    let fake = Fake::builder().server_session_ids().start();
    let tracer = tracer_of(&fake).try_build().unwrap();
    let asked = tracer.session_id();
    drop(tracer.start_span("work"));
    tracer.enrich_session(Enrichment::new().metadata("a", 1));
    assert!(tracer.flush(LONG).is_complete());
    assert_eq!(tracer.session_id(), Fake::server_session_id(&asked));
    assert_eq!(by_name(&fake, "honeyhive.session_id")["work"], tracer.session_id());
    assert!(fake.updates().contains_key(&tracer.session_id()));
    fake.assert_clean();
}

#[test]
fn requests_of_a_server_have_sessions_of_their_own() {
    let fake = Fake::start();
    let tracer = tracer_of(&fake).try_build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let requests: Vec<_> = (0..40)
        .map(|n| {
            let tracer = tracer.clone();
            runtime.spawn(async move {
                let inner = tracer.clone();
                let handle = async move {
                    drop(inner.start_span(format!("a {n}")));
                    tokio::task::yield_now().await;
                    let nested = inner.with_session(format!("nested {n}"), || {
                        drop(inner.start_span(format!("nested {n}")));
                        inner.session_id()
                    });
                    tokio::task::yield_now().await;
                    drop(inner.start_span(format!("b {n}")));
                    enrich_session(Enrichment::new().metadata("n", n));
                    (inner.session_id(), nested)
                };
                tracer.with_session_async(format!("request {n}"), handle).await
            })
        })
        .collect();
    let ids: Vec<_> = runtime.block_on(async {
        let mut ids = Vec::new();
        for request in requests {
            ids.push(request.await.unwrap());
        }
        ids
    });
    let adopted = tracer.adopt_session(&ids[0].0);
    {
        let _entered = adopted.enter();
        drop(tracer.start_span("adopted"));
    }
    drop(tracer.start_span("own"));
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.error), (40 * 3 + 2, None));
    let sessions = by_name(&fake, "honeyhive.session_id");
    for (n, (id, nested)) in ids.iter().enumerate() {
        assert_eq!(sessions[&format!("a {n}")], **id);
        assert_eq!(sessions[&format!("b {n}")], **id);
        assert_eq!(sessions[&format!("nested {n}")], **nested);
        assert_eq!(fake.updates()[id][0].body["metadata"], json!({"n": n}));
    }
    assert_eq!(sessions["adopted"], ids[0].0);
    assert_eq!(sessions["own"], tracer.session_id());
    assert_eq!(fake.sessions().len(), 81);
    fake.assert_clean();
}

#[test]
fn what_passes_is_tried_again_and_comes_once() {
    let fake = Fake::start();
    fake.on(START, Fault::Status(503)).times(1);
    fake.on(TRACES, Fault::Status(503)).times(1);
    fake.on(TRACES, Fault::StatusRetryAfter(429, 1)).times(1);
    fake.on(TRACES, Fault::CutAfter).times(1);
    fake.on(UPDATE, Fault::Status(500)).times(1);
    let tracer = tracer_of(&fake).try_build().unwrap();
    (0..5).for_each(|n| drop(tracer.start_span(format!("span {n}"))));
    tracer.enrich_session(Enrichment::new().metadata("a", 1));
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.is_complete()), (5, true), "{flushed:?}");
    assert_eq!(fake.spans().len(), 5);
    assert_eq!(tracer.telemetry().updates_sent, 1);
    assert_eq!(tracer.telemetry().sessions_failed, 0);
    fake.assert_clean();
}

#[test]
fn a_server_that_comes_back_gets_everything() {
    let fake = Fake::start();
    let tracer = tracer_of(&fake).session_id("9a3c6e0f-0000-4000-8000-00000000000a");
    let tracer = tracer.try_build().unwrap();
    fake.stop();
    let server = Server::start_on(fake.port());
    server.refuse();
    drop(tracer.start_span("early"));
    let began = Instant::now();
    let flushed = tracer.flush(Duration::from_secs(1));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!((flushed.sent, flushed.pending), (0, 1), "{flushed:?}");
    until("it fails once", || tracer.telemetry().spans.error.is_some());
    drop(tracer.start_span("late"));
    server.accept();
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.is_complete()), (2, true), "{flushed:?}");
    let spans = server.seen().into_iter().flat_map(|seen| seen.body.as_array().unwrap().clone());
    let names: Vec<_> = spans.map(|span| span["name"].clone()).collect();
    assert_eq!(names, ["early", "late"]);
}

#[test]
fn nobody_there_costs_the_program_nothing_but_its_spans() {
    let fake = Fake::start();
    let tracer = tracer_of(&fake).span_buffer(3).try_build().unwrap();
    fake.stop();
    let began = Instant::now();
    (0..100).for_each(|_| drop(tracer.start_span("work")));
    assert!(began.elapsed() < Duration::from_secs(5), "recording waits for nobody");
    let flushed = tracer.shutdown(Duration::from_secs(8));
    assert_eq!(
        (flushed.sent, flushed.sent + flushed.dropped + flushed.failed + flushed.pending),
        (0, 100)
    );
    assert!(flushed.dropped >= 90, "{flushed:?}");
    let error = flushed.error.unwrap();
    assert!(error.contains("no connection"), "{error}");
    drop(tracer.start_span("after"));
    let telemetry = tracer.telemetry();
    assert_eq!(telemetry.sessions_failed, 1);
    until("what was under way ends", || {
        let spans = tracer.telemetry().spans;
        (spans.pending, spans.dropped + spans.failed) == (0, 100)
    });
}

#[test]
fn a_server_that_fails_is_left_alone_between_two_tries() {
    let fake = Fake::start();
    fake.on(TRACES, Fault::Status(503));
    fake.on(UPDATE, Fault::Status(503));
    let tracer = tracer_of(&fake).try_build().unwrap();
    drop(tracer.start_span("work"));
    tracer.enrich_session(Enrichment::new().metadata("a", 1));
    let flushed = tracer.flush(Duration::from_secs(6));
    assert_eq!((flushed.sent, flushed.pending), (0, 1), "{flushed:?}");
    // Spans are tried at 0, 0.5, 1.5 and 3.5 s, then after a pause.
    let tries = fake.count(TRACES);
    assert!((2..=8).contains(&tries), "{tries}");
    fake.heal();
    fake.on(UPDATE, Fault::Status(503)).times(6);
    assert_eq!(tracer.flush(LONG).sent, 1);
    assert_eq!((tracer.telemetry().updates_sent, tracer.telemetry().updates_failed), (1, 0));
    fake.assert_clean();
}

#[test]
fn a_refusal_is_final_and_said() {
    let fake = Fake::start();
    fake.on("*", Fault::Status(401));
    let tracer = tracer_of(&fake).try_build().unwrap();
    drop(tracer.start_span("work"));
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.failed, flushed.pending), (0, 1, 0));
    let error = flushed.error.unwrap();
    assert!(error.contains("401") && error.contains("HH_API_KEY"), "{error}");
    assert!(!error.contains(fake.key()));
    assert_eq!(tracer.telemetry().sessions_failed, 1);
    // Sending works again after the key was corrected.
    fake.heal();
    let session = tracer.create_session("later");
    {
        let _entered = session.enter();
        drop(tracer.start_span("later"));
    }
    assert_eq!(tracer.flush(LONG).sent, 1);
}

#[test]
fn a_session_that_cannot_be_started_loses_no_span() {
    let server = Server::start();
    server.fail_sessions();
    let tracer = Tracer::builder().api_key("hh_k").server_url(server.url()).try_build().unwrap();
    let id = tracer.session_id();
    drop(tracer.start_span("work"));
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.is_complete()), (1, true), "{flushed:?}");
    assert_eq!(tracer.telemetry().sessions_failed, 1);
    assert!(flushed.error.unwrap().contains("/session/start"));
    let seen = server.seen();
    let spans = seen.iter().find(|seen| seen.what == TRACES).unwrap();
    assert_eq!(spans.body[0]["attributes"]["honeyhive.session_id"], id);
}

#[test]
fn garbage_and_slowness_are_survived() {
    let fake = Fake::start();
    fake.on(TRACES, Fault::Garbage).times(1);
    let tracer = tracer_of(&fake).try_build().unwrap();
    drop(tracer.start_span("one"));
    // A receiver does not answer with a page, so the span is sent once more.
    assert_eq!(tracer.flush(LONG).sent, 1);
    assert_eq!(fake.count(TRACES), 2);
    fake.on(TRACES, Fault::Delay(1500)).times(1);
    drop(tracer.start_span("two"));
    let began = Instant::now();
    let flushed = tracer.flush(Duration::from_millis(200));
    assert!(began.elapsed() < Duration::from_millis(1400), "{:?}", began.elapsed());
    assert_eq!((flushed.sent, flushed.pending), (1, 1));
    assert_eq!(tracer.flush(LONG).sent, 2);
    fake.assert_clean();
}

#[test]
fn malformed_keys_make_a_tracer_that_works_here() {
    for builder in [
        Tracer::builder().api_key("two words"),
        Tracer::builder().api_key(""),
        Tracer::builder().ingestion_key("hh_ingst_short"),
        Tracer::builder().api_key("hh_ok").server_url("honeyhive"),
        Tracer::builder().api_key("hh_ok").session_id("not-a-uuid"),
    ] {
        let error = builder.clone().try_build().unwrap_err().to_string();
        assert!(!error.contains("two words") && !error.contains("short"), "{error}");
        let tracer = builder.build();
        assert_eq!(tracer.telemetry().local.as_ref(), Some(&error));
        tracer.in_span("work", |_| ());
        assert_eq!(tracer.trace().spans.len(), 1);
        assert_eq!(tracer.shutdown(LONG).error, None);
    }
}

#[test]
fn an_ingestion_key_is_enough() {
    let fake = Fake::with_ingestion_key();
    let tracer = Tracer::builder().ingestion_key(fake.ingestion_key().unwrap());
    let tracer = tracer.server_url(fake.url()).try_build().unwrap();
    drop(tracer.start_span("work"));
    assert_eq!(tracer.flush(LONG).sent, 1);
    fake.assert_clean();
}

/// A receiver of OTLP beside HoneyHive, or alone.
fn with_receiver(builder: TracerBuilder, fake: &Fake) -> TracerBuilder {
    builder.otlp(format!("{}/v1/traces", fake.url())).otlp_header("X-Tenant", "acme")
}

fn receiver() -> Fake {
    Fake::builder().otlp_header("x-tenant", "acme").start()
}

#[test]
fn a_receiver_of_otlp_gets_spans_without_a_key() {
    for json in [false, true] {
        let fake = receiver();
        let builder = with_receiver(Tracer::builder(), &fake).run_id("r");
        let builder = if json { builder.otlp_json() } else { builder };
        let tracer = builder.try_build().unwrap();
        tracer.in_span("answer", |_| ask("why"));
        tracer.with_session("request", || {
            drop(tracer.start_span("other"));
            enrich_session(Enrichment::new().metadata("a", 1));
        });
        let flushed = tracer.flush(LONG);
        assert_eq!((flushed.sent, flushed.is_complete()), (3, true), "{flushed:?}");
        let telemetry = tracer.telemetry();
        assert_eq!((telemetry.local, telemetry.honeyhive), (None, None));
        assert_eq!(telemetry.otlp, Some(flushed));
        assert_eq!((telemetry.sessions_started, telemetry.updates_failed), (0, 0));
        let spans = fake.otlp_spans();
        let names: BTreeSet<_> = spans.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["answer", "other", "tracer_product::ask"]));
        assert!(spans.iter().all(|span| span.attributes["honeyhive.run_id"] == "r"));
        assert_eq!((fake.requests().len(), fake.count(PLAIN)), (1, 1));
        let kind = if json { "application/json" } else { "application/x-protobuf" };
        assert_eq!(fake.requests()[0].header("content-type"), Some(kind));
        fake.assert_clean();
    }
}

/// Each of the two destinations has its own pace: what one does not take waits for it alone.
#[test]
fn a_receiver_of_otlp_and_honeyhive_do_not_wait_for_each_other() {
    let fake = receiver();
    let tracer = with_receiver(tracer_of(&fake), &fake).try_build().unwrap();
    fake.on(TRACES, Fault::Status(404));
    (0..5).for_each(|n| drop(tracer.start_span(format!("span {n}"))));
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.pending), (0, 5), "{flushed:?}");
    let telemetry = tracer.telemetry();
    let of = |spans: Option<honeyhive_harness::Flushed>| spans.map(|spans| spans.sent);
    assert_eq!((of(telemetry.honeyhive), of(telemetry.otlp)), (Some(0), Some(5)));
    fake.heal();
    until("it is taken", || tracer.flush(LONG).sent == 5);
    // And the other way round; a span that is too old is not sent again.
    fake.on(PLAIN, Fault::Status(503)).times(1);
    fake.on(PLAIN, Fault::Status(400)).times(1);
    drop(tracer.start_span("refused"));
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, flushed.failed, flushed.pending), (5, 1, 0), "{flushed:?}");
    assert!(flushed.error.is_some());
    let telemetry = tracer.telemetry();
    assert_eq!((of(telemetry.honeyhive), of(telemetry.otlp)), (Some(6), Some(5)));
    assert_eq!((fake.spans().len(), fake.otlp_spans().len()), (6, 5));
    fake.assert_clean();
}

#[test]
fn names_are_filtered_and_parents_stay() {
    let server = Server::start();
    let builder = Tracer::builder().api_key("hh_k").server_url(server.url());
    let builder = builder.only_spans(["app."]).without_spans(["app.health"]);
    let tracer = builder.session_id("9A3C6E0F-0000-4000-8000-00000000000B").try_build().unwrap();
    let mut parent = String::new();
    tracer.in_span("app.outer", |_| {
        tracer.in_span("http", |http| {
            parent = http.context().span().span_context().span_id().to_string();
            drop(tracer.start_span("app.inner"));
        });
        drop(tracer.start_span("app.health"));
    });
    let flushed = tracer.flush(LONG);
    assert_eq!((flushed.sent, tracer.telemetry().filtered), (2, 2), "{flushed:?}");
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "the session is not ours to start: {seen:?}");
    let spans = seen[0].body.as_array().unwrap();
    let brief = |span: &Value| (span["name"].clone(), span["parent"].clone());
    assert_eq!(brief(&spans[0]), (json!("app.inner"), json!(parent)));
    assert_eq!(brief(&spans[1]), (json!("app.outer"), json!("")));
    let session = &spans[0]["attributes"]["honeyhive.session_id"];
    assert_eq!(session, "9a3c6e0f-0000-4000-8000-00000000000b");
}

#[test]
fn limits_and_redaction() {
    fn mask(text: &str) -> Option<String> {
        text.contains("Ada").then(|| text.replace("Ada", "[name]"))
    }
    let fake = Fake::start();
    let tracer = tracer_of(&fake).max_attributes(3).max_events(1).redact(mask);
    let tracer = tracer.inputs(["for Ada"]).session_name("s").try_build().unwrap();
    tracer.in_span("work", |span| {
        let text = format!("Ada has {}", fake.key());
        (0..9).for_each(|n| span.set_attribute(format!("a{n}"), text.clone()));
        span.record_error(&"Ada is unknown");
        span.add_event("second", Vec::new());
    });
    tracer.enrich_session(Enrichment::new().user_property("name", "Ada"));
    assert!(tracer.flush(LONG).is_complete());
    let span = &fake.spans()[0];
    assert_eq!(span.attributes.keys().filter(|key| key.starts_with('a')).count(), 3);
    assert!(span.attributes.contains_key("honeyhive.session_id"));
    assert_eq!(span.attributes["a0"], "[name] has [redacted]");
    assert_eq!((span.events.len(), span.status_message.as_str()), (1, "[name] is unknown"));
    let all = fake.requests().iter().any(|it| it.body.windows(3).any(|part| part == b"Ada"));
    assert!(!all, "a name was sent");
    assert_eq!(fake.sessions()[0].body["inputs"], json!({"input": ["for [name]"]}));
    fake.assert_clean();
}

#[test]
fn a_tracer_that_is_dropped_still_delivers() {
    let fake = Fake::start();
    {
        let tracer = tracer_of(&fake).try_build().unwrap();
        tracer.in_span("work", |_| enrich_session(Enrichment::new().metadata("a", 1)));
    }
    until("it came", || fake.spans().len() == 1 && fake.updates().len() == 1);
    fake.assert_clean();
}

#[test]
fn shutdown_ends_it() {
    let fake = Fake::start();
    let tracer = tracer_of(&fake).try_build().unwrap();
    drop(tracer.start_span("before"));
    assert_eq!(tracer.shutdown(LONG).sent, 1);
    drop(tracer.start_span("after"));
    let again = tracer.shutdown(LONG);
    assert_eq!((again.sent, again.is_complete()), (1, true));
    assert_eq!(fake.spans().len(), 1);
}

#[test]
fn a_runtime_of_one_thread_is_no_deadlock() {
    let fake = Fake::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tracer = tracer_of(&fake).try_build().unwrap();
        drop(tracer.start_span("blocking"));
        assert_eq!(tracer.flush(LONG).sent, 1);
        drop(tracer.start_span("async"));
        assert_eq!(tracer.flush_async(LONG).await.sent, 2);
        assert!(tracer.shutdown(LONG).is_complete());
    });
    fake.assert_clean();
}

#[test]
fn many_spans_come_in_few_requests() {
    let fake = Fake::start();
    let tracer = tracer_of(&fake).span_buffer(100_000).try_build().unwrap();
    (0..5_000).for_each(|_| drop(tracer.start_span("again")));
    assert_eq!(tracer.flush(LONG).sent, 5_000);
    assert!((10..=20).contains(&fake.count(TRACES)), "{}", fake.count(TRACES));
    assert_eq!(fake.spans().len(), 5_000);
    fake.assert_clean();
}

/// Each check of the environment has its own process, since the tests of this one share its
/// environment.
#[test]
fn the_environment_is_asked() {
    let child = |name: &str, variables: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", name]).env_clear();
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    };
    let fake = Fake::start();
    let url = fake.url();
    let base = [("HH_API_KEY", fake.key()), ("HH_API_URL", &url), ("HH_SESSION_NAME", "job-d-1")];
    for quiet in ["HH_TEST_MODE", "HH_OFFLINE"] {
        child("child_sends_nothing", &[&base[..], &[(quiet, "1")]].concat());
    }
    child("child_sends_nothing", &[("HH_API_URL", &url)]);
    assert_eq!(fake.requests().len(), 0);
    child("child_sends", &base);
    assert_eq!(fake.sessions()[0].body["session_name"], "job-d-1");
    assert_eq!(fake.sessions()[0].body["source"], "dev");
    fake.assert_clean();
    // Without a key, and beside HoneyHive.
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())];
    child("child_sends", &endpoint);
    assert_eq!((fake.otlp_spans().len(), fake.spans().len()), (1, 1));
    child("child_sends", &[&base[..], &endpoint].concat());
    assert_eq!((fake.otlp_spans().len(), fake.spans().len()), (2, 2));
    let offline = [("HH_OFFLINE", "1")];
    child("child_sends_nothing", &[&base[..], &endpoint, &offline].concat());
    let none = [("OTEL_TRACES_EXPORTER", "none")];
    child("child_sends_nothing", &[endpoint, none].concat());
    assert_eq!((fake.otlp_spans().len(), fake.spans().len()), (2, 2));
    fake.assert_clean();
    let ids = [("HH_RUN_ID", "r"), ("HH_DATASET_ID", "d"), ("HH_DATAPOINT_ID", "d-1")];
    let server = Server::start();
    let other = [("HH_API_KEY", "hh_k"), ("HH_API_URL", server.url())];
    child("child_sends", &[&other[..], &ids].concat());
    let seen = server.seen();
    let session = &seen.iter().find(|seen| seen.what == START).unwrap().body["session"];
    assert_eq!(session["source"], "evaluation");
    let wanted = json!({"run_id": "r", "dataset_id": "d", "datapoint_id": "d-1"});
    assert_eq!(session["metadata"], wanted);
    assert!(session["session_name"].as_str().unwrap().starts_with("tracer_product"));
}

#[test]
#[ignore = "run by another test"]
fn child_sends_nothing() {
    let tracer = Tracer::builder().try_build().unwrap();
    assert!(tracer.telemetry().local.is_some());
    drop(tracer.start_span("work"));
    tracer.with_session("s", || enrich_session(Enrichment::new().metadata("a", 1)));
    assert_eq!(tracer.flush(LONG).pending, 0);
    assert_eq!(tracer.trace().spans.len(), 1);
}

#[test]
#[ignore = "run by another test"]
fn child_sends() {
    let tracer = Tracer::builder().try_build().unwrap();
    drop(tracer.start_span("work"));
    assert!(tracer.flush(LONG).is_complete());
}

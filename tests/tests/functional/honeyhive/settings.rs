//! Tests the settings from the environment.

use honeyhive_tests::{Fake, Run};

use super::{PROJECT, aside, evals, span, to};

#[test]
fn check_32_the_ingestion_key_is_for_sessions_events_and_spans() {
    let fake = Fake::with_ingestion_key();
    let key = fake.ingestion_key().expect("the fake has one").to_owned();
    let run = evals(&fake, "capitals")
        .env("HH_INGESTION_API_KEY", &key)
        .env("HH_RESULTS", "average")
        .run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    for request in fake.requests() {
        let ingests = ["POST /session/start", "PUT /events", "POST /opentelemetry/v1/traces"];
        let expected = if ingests.contains(&request.kind) { &*key } else { fake.key() };
        let sent = request.header("authorization");
        assert_eq!(sent, Some(&*format!("Bearer {expected}")), "{}", request.kind);
    }
    no_key_is_kept(&fake, &run);
}

/// Checks that no key is in the output or in a written file.
pub(super) fn no_key_is_kept(fake: &Fake, run: &Run) {
    let keys = [Some(fake.key()), fake.ingestion_key()];
    let mut texts = vec![("output".to_owned(), format!("{}{}", run.stdout, run.cargo_stderr))];
    let files = run.written();
    for path in &files {
        let text = std::fs::read(path).expect("a file");
        texts.push((path.display().to_string(), String::from_utf8_lossy(&text).into_owned()));
    }
    assert!(files.len() >= 2, "journal and marks are there");
    for (what, text) in texts {
        for key in keys.into_iter().flatten() {
            assert!(!text.contains(key), "a key is in {what}");
        }
    }
}

#[test]
fn check_33_an_ingestion_key_that_is_none() {
    let fake = Fake::with_ingestion_key();
    let run = evals(&fake, "capitals").env("HH_INGESTION_API_KEY", "hh_ingst_s3cr3t").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert_eq!(fake.requests().len(), 0);
    assert!(aside(&run).starts_with("error: HH_INGESTION_API_KEY: "), "{}", run.stderr);
    assert!(!run.stderr.contains("s3cr3t") && !run.stdout.contains("s3cr3t"));
}

#[test]
fn check_34_without_a_key_nothing_is_sent() {
    // Differs from the SDK: it is not an error. No data leaves the machine, and the output does not
    // mention it.
    let fake = Fake::start();
    let run = PROJECT.evals(["capitals::"]).env("HH_API_URL", fake.url()).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.connections(), 0);
    assert_eq!(aside(&run), "");
    assert_eq!(run.attempts().len(), 3);
}

#[test]
fn check_35_names_of_variables() {
    let (first, second) = (Fake::start(), Fake::start());
    let run = to(&first, PROJECT.evals(["capitals::"]))
        .env("HONEYHIVE_API_KEY", "hh_another_key")
        .env("HH_API_URL", format!("{}/", first.url()))
        .env("HONEYHIVE_SERVER_URL", second.url())
        .env("HH_SERVER_URL", second.url())
        .run();
    first.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!((first.runs().len(), second.connections()), (1, 0));
    // The old names still work, with a note about the new ones.
    let run = PROJECT
        .evals(["capitals::"])
        .env("HONEYHIVE_API_KEY", second.key())
        .env("HONEYHIVE_SERVER_URL", second.url())
        .env("HH_SERVER_URL", "http://127.0.0.1:9")
        .run();
    second.assert_clean();
    assert_eq!((run.code, second.runs().len()), (Some(0), 1), "{}", run.output());
    let old: Vec<&str> = run.stderr.lines().filter(|line| line.contains("old name")).collect();
    assert_eq!(
        old,
        [
            "note: HONEYHIVE_SERVER_URL is an old name; use HH_API_URL",
            "note: HONEYHIVE_API_KEY is an old name; use HH_API_KEY"
        ]
    );
}

#[test]
fn check_42_no_more_functions_at_once_than_asked_for() {
    let fake = Fake::start();
    let run = evals(&fake, "counted").run();
    fake.assert_clean();
    let most = run.notes("in_flight").iter().filter_map(|line| line.parse::<usize>().ok()).max();
    assert_eq!(most, Some(3));
    assert_eq!(fake.runs()[0].created["configuration"]["max_workers"], 3);

    let fake = Fake::start();
    let run = evals(&fake, "counted").env("HH_CONCURRENCY", "1").run();
    fake.assert_clean();
    assert!(run.notes("in_flight").iter().all(|line| line == "1"));
    assert_eq!(run.notes("order"), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(fake.runs()[0].created["configuration"]["max_workers"], 1);
}

#[test]
fn check_50_source_and_project() {
    let fake = Fake::start();
    // Differs from the SDK: HH_SOURCE also applies to experiments.
    let run = evals(&fake, "capitals").env("HH_SOURCE", "ci").env("HH_PROJECT", "atlas").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    for session in fake.sessions() {
        assert_eq!(
            (&session.body["source"], &session.body["project"]),
            (&"ci".into(), &"atlas".into())
        );
    }
    for key in ["honeyhive.project", "traceloop.association.properties.project"] {
        assert_eq!(span(&fake, "capital").attributes[key], "atlas");
    }
    assert_eq!(span(&fake, "capital").attributes["honeyhive.source"], "ci");
    let requests = fake.requests();
    let export = requests.iter().find(|request| request.kind.contains("traces"));
    assert_eq!(export.and_then(|request| request.header("x-source")), Some("ci"));
    // Checks 11 and 16 test the defaults without these variables.
}

#[test]
fn check_51_offline_sends_nothing() {
    for name in ["HH_OFFLINE", "HH_TEST_MODE"] {
        let fake = Fake::start();
        let run = evals(&fake, "capitals")
            .env(name, "1")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", fake.url())
            .run();
        assert_eq!(run.code, Some(0), "{}", run.output());
        assert_eq!(fake.connections(), 0);
        assert_eq!(aside(&run), format!("note: nothing leaves this machine ({name})\n"));
        assert_eq!(run.attempts().len(), 3);
    }
}

#[test]
fn whoever_requires_an_upload_must_make_it_possible() {
    let fake = Fake::start();
    let run = |variables: &[(&str, &str)]| {
        let mut cargo = evals(&fake, "capitals").env("HH_REQUIRE_UPLOAD", "1");
        for (name, value) in variables {
            cargo = cargo.env(name, value);
        }
        let run = cargo.run();
        assert_eq!((run.code, run.invocations().len()), (Some(101), 0), "{}", run.output());
        run.stderr
    };
    let offline = run(&[("HH_OFFLINE", "1")]);
    assert!(
        offline.contains("nothing can be sent: HH_OFFLINE or HH_TEST_MODE is set"),
        "{offline}"
    );
    // A secret that is not set is an empty variable in CI.
    let no_key = run(&[("HH_API_KEY", "")]);
    assert!(no_key.contains("nothing can be sent: there is no HH_API_KEY"), "{no_key}");
    assert_eq!(fake.connections(), 0);
}

#[test]
fn a_receiver_that_cannot_be_spoken_to_stops_nothing() {
    let fake = Fake::start();
    let run = evals(&fake, "capitals")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", fake.url())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(run.stderr.contains("OTEL_EXPORTER_OTLP_PROTOCOL=grpc: only "), "{}", run.output());
    assert_eq!((fake.runs().len(), fake.otlp_spans().len()), (1, 0));
}

/// The variables of OpenTelemetry may be meant for the program under test: an invalid value is a
/// note, and an error only where an upload is required.
#[test]
fn a_receiver_that_is_configured_wrongly_is_a_note() {
    let fake = Fake::start();
    let run = |variables: &[(&str, &str)]| {
        let mut cargo = evals(&fake, "capitals").env("OTEL_EXPORTER_OTLP_ENDPOINT", fake.url());
        for (name, value) in variables {
            cargo = cargo.env(name, value);
        }
        cargo.run()
    };
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no pair"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/ca.pem"),
    ] {
        let before = fake.runs().len();
        let good = run(&[(name, value)]);
        assert_eq!(good.code, Some(0), "{}", good.output());
        let note = good.stderr.lines().find(|line| line.starts_with(&format!("note: {name}")));
        assert!(note.is_some_and(|note| note.contains("no spans are sent")), "{}", good.output());
        assert_eq!((fake.runs().len(), fake.otlp_spans().len()), (before + 1, 0));
        let required = run(&[(name, value), ("HH_REQUIRE_UPLOAD", "1")]);
        assert_eq!((required.code, required.invocations().len()), (Some(101), 0));
        let said = "HH_REQUIRE_UPLOAD is set, but spans cannot be sent: ";
        assert!(required.stderr.contains(said), "{}", required.output());
        assert!(required.stderr.contains(name), "{}", required.output());
    }
    // The time limit has a default.
    let timeout = run(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"), ("HH_REQUIRE_UPLOAD", "1")]);
    assert_eq!(timeout.code, Some(0), "{}", timeout.output());
    assert!(
        timeout.stderr.contains("note: OTEL_EXPORTER_OTLP_TIMEOUT=soon: "),
        "{}",
        timeout.stderr
    );
    assert_eq!(fake.otlp_spans().len(), 15);
    fake.assert_clean();
}

#[test]
fn the_first_line_names_the_destinations() {
    let fake = Fake::start();
    let run = evals(&fake, "capitals").env("OTEL_EXPORTER_OTLP_ENDPOINT", fake.url()).run();
    fake.assert_clean();
    let first = aside(&run).lines().next();
    let url = fake.url();
    assert_eq!(
        first,
        Some(&*format!(
            "note: results are sent to HoneyHive at {url} and to {url}/v1/traces (spans)"
        ))
    );
    assert_eq!(fake.otlp_spans().len(), fake.spans().len());
}

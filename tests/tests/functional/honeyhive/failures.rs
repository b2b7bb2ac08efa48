//! Tests servers that fail: which data still arrives, what the output says, and how long it takes.

use std::time::{Duration, Instant};

use honeyhive_tests::fake::Fault;
use honeyhive_tests::{Fake, Run};
use insta::assert_snapshot;

use super::settings::no_key_is_kept;
use super::{begin, evals, line, normal_line};

const CREATE: &str = "POST /v1/runs";
const START: &str = "POST /session/start";
const UPDATE: &str = "PUT /events";
const SPANS: &str = "POST /opentelemetry/v1/traces";
const END: &str = "PUT /v1/runs/{id}";
const RESULT: &str = "GET /v1/runs/{id}/result";

/// Runs an experiment whose tests pass while its server has a fault. Cargo is left out, since it
/// has its own waits.
fn meets(fake: &Fake) -> Run {
    let run = evals(fake, "capitals").start().finish();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.attempts().len(), 3);
    no_key_is_kept(fake, &run);
    run
}

/// Checks that all data arrived exactly once.
fn is_whole(fake: &Fake, run: &Run) {
    fake.assert_clean();
    assert_eq!(fake.sessions().len(), 3);
    assert_eq!(fake.updates().len(), 3);
    // Each attempt has five spans: the function, two traced calls, one by hand, and the evaluator.
    assert_eq!(fake.spans().len(), 15);
    assert_eq!(fake.runs()[0].status, "completed");
    let id = &fake.runs()[0].id;
    assert_eq!(line(run), format!("sent 3 attempts to HoneyHive at {}, run {id}", fake.url()));
}

#[test]
fn check_36_a_refused_run_stops_the_upload_with_one_line() {
    for (status, expected) in [(401, "401 Unauthorized"), (400, "400 Bad Request")] {
        let fake = Fake::start();
        fake.on(CREATE, Fault::Status(status));
        // Differs from the SDK: the tests themselves pass.
        let run = meets(&fake);
        assert_eq!(fake.requests().len(), 1, "no session is started");
        let text = line(&run);
        let begin = format!("sent 0 of 3 attempts to HoneyHive at {}: ", fake.url());
        assert!(text.starts_with(&(begin + &format!("POST /v1/runs: {expected}"))), "{text}");
        assert!(text.ends_with("` sends the rest"), "{text}");
    }
}

#[test]
fn check_36_a_refused_run_fails_where_uploads_are_required() {
    let fake = Fake::start();
    fake.on(CREATE, Fault::Status(401));
    let run = evals(&fake, "capitals").env("HH_REQUIRE_UPLOAD", "1").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert!(
        run.stderr.contains("error: not everything was sent, and HH_REQUIRE_UPLOAD is set\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_was_refused_early_is_counted_to_the_end() {
    let fake = Fake::start();
    fake.on(CREATE, Fault::Status(401));
    let run = evals(&fake, "steady").run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.requests().len(), 1);
    assert!(line(&run).starts_with("sent 0 of 6 attempts "), "{}", line(&run));
}

#[test]
fn the_line_about_a_key_that_is_wrong() {
    let fake = Fake::start();
    let run = evals(&fake, "capitals").env("HH_API_KEY", "hh_wrong_key_0123456789").run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(!run.stderr.contains("hh_wrong_key"), "{}", run.stderr);
    assert_eq!(fake.requests().len(), 1);
    assert_snapshot!(normal_line(&fake, &run), @"sent 0 of 3 attempts to HoneyHive at <url>: POST /v1/runs: 401 Unauthorized: Authorization is not `Bearer <project key>` [code FAKE_401]. Check HH_API_KEY, and that the key belongs to this server (<url>) and project; when that is mended, `cargo honeyhive push <invocation>` sends the rest");
}

#[test]
fn check_37_a_session_that_cannot_be_started_at_first() {
    let fake = Fake::start();
    fake.on(START, Fault::Status(503)).times(2);
    // Differs from the SDK: the session is started again, and no other session is made up.
    is_whole(&fake, &meets(&fake));
}

#[test]
fn check_37_a_session_that_cannot_be_started_at_all() {
    let fake = Fake::start();
    fake.on(START, Fault::Status(503));
    let begin = begin();
    let run = meets(&fake);
    fake.assert_clean();
    assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
    assert_eq!((fake.spans().len(), fake.updates().len()), (0, 0));
    assert_eq!(fake.runs()[0].status, "pending");
    assert_snapshot!(normal_line(&fake, &run), @"sent 0 of 3 attempts to HoneyHive at <url>; 1 run not finished: POST /session/start: 503 Service Unavailable: as the test planned [code FAKE_503] (4 tries). The fault is the server's; try again later; `cargo honeyhive push <invocation>` sends the rest");
}

#[test]
fn check_38_and_39_spans_arrive_once_after_faults_in_either_encoding() {
    for protocol in ["http/protobuf", "http/json"] {
        for fault in [Fault::Status(503), Fault::Status(429).retry_after(1)] {
            let fake = Fake::start();
            fake.on(SPANS, fault).times(2);
            let begin = begin();
            let run = evals(&fake, "capitals").env("HH_OTLP_PROTOCOL", protocol).start().finish();
            assert_eq!(run.code, Some(0), "{}", run.output());
            is_whole(&fake, &run);
            assert!(fake.spans().iter().all(|span| span.deliveries == 1));
            assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
            let tries: Vec<Instant> = fake
                .requests()
                .iter()
                .filter(|request| request.kind == SPANS)
                .map(|request| request.arrived)
                .collect();
            assert_eq!(tries.len(), 3);
            if fault != Fault::Status(503) {
                let rests = tries.windows(2).map(|pair| pair[1] - pair[0]);
                assert!(rests.min() >= Some(Duration::from_millis(990)), "Retry-After is kept");
            }
        }
    }
}

#[test]
fn check_39_spans_that_never_arrive_are_given_up_soon() {
    let fake = Fake::start();
    fake.on(SPANS, Fault::Status(503));
    let begin = begin();
    let run = meets(&fake);
    assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
    assert_eq!(fake.spans().len(), 0);
    assert_eq!(fake.runs()[0].status, "pending");
    assert_snapshot!(normal_line(&fake, &run), @"sent 0 of 3 attempts to HoneyHive at <url>; 1 run not finished: POST /opentelemetry/v1/traces: 503 Service Unavailable: as the test planned [code FAKE_503] (4 tries). The fault is the server's; try again later; `cargo honeyhive push <invocation>` sends the rest");
}

#[test]
fn check_40_updates_that_fail() {
    let fake = Fake::start();
    fake.on(UPDATE, Fault::Status(500));
    let begin = begin();
    let run = meets(&fake);
    fake.assert_clean();
    assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
    // All data that does not depend on the failed request arrives.
    assert_eq!((fake.sessions().len(), fake.spans().len()), (3, 15));
    assert_snapshot!(normal_line(&fake, &run), @"sent 0 of 3 attempts to HoneyHive at <url>; 1 run not finished: PUT /events: 500 Internal Server Error: as the test planned [code FAKE_500] (4 tries). The fault is the server's; try again later; `cargo honeyhive push <invocation>` sends the rest");
}

#[test]
fn check_40_a_run_whose_end_is_not_taken() {
    let fake = Fake::start();
    fake.on(END, Fault::Status(500));
    let run = meets(&fake);
    fake.assert_clean();
    assert_eq!((fake.spans().len(), fake.updates().len()), (15, 3));
    assert_eq!(fake.runs()[0].status, "pending");
    assert_snapshot!(normal_line(&fake, &run), @"sent 3 attempts to HoneyHive at <url>; 1 run not finished: PUT /v1/runs/<run>: 500 Internal Server Error: as the test planned [code FAKE_500] (4 tries). The fault is the server's; try again later; `cargo honeyhive push <invocation>` sends the rest");
}

#[test]
fn figures_are_asked_for_even_if_the_end_of_the_run_is_not_taken() {
    let fake = Fake::start();
    fake.on(END, Fault::Status(400));
    let run = evals(&fake, "capitals").env("HH_RESULTS", "average").run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.count(RESULT), 1);
    assert!(line(&run).contains("; 1 run not finished: PUT /v1/runs/"), "{}", line(&run));
}

#[test]
fn a_wait_that_the_server_asked_for_is_named_as_the_reason() {
    let fake = Fake::start();
    fake.on(SPANS, Fault::Status(429).retry_after(3600));
    let run = evals(&fake, "capitals").env("HH_FLUSH_TIMEOUT", "2s").run();
    let said = line(&run);
    assert!(said.contains("POST /opentelemetry/v1/traces: 429 Too Many Requests"), "{said}");
    assert!(said.contains("the server wants 60 m 00 s of rest"), "{said}");
}

#[test]
fn a_run_whose_end_is_not_answered_is_not_finished() {
    let fake = Fake::start();
    fake.on(END, Fault::Hang);
    let begin = begin();
    let run =
        evals(&fake, "capitals").env("HH_FLUSH_TIMEOUT", "2s").env("HH_REQUIRE_UPLOAD", "1").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    assert!(line(&run).contains("; 1 run not finished: "), "{}", line(&run));
}

#[test]
fn whoever_waits_is_told_for_what() {
    let note = "note: still sending, for 15 s at most; Ctrl-C ends it\n";
    let fake = Fake::start();
    fake.on(END, Fault::Delay(2500)).times(1);
    let run = meets(&fake);
    is_whole(&fake, &run);
    assert_eq!(run.stderr.matches(note).count(), 1, "{}", run.stderr);
    let quick = Fake::start();
    assert!(!meets(&quick).stderr.contains("still sending"));
}

#[test]
fn ctrl_c_ends_the_sending_and_says_what_is_left() {
    let fake = Fake::start();
    fake.on("*", Fault::Hang);
    let mut process = evals(&fake, "capitals").start();
    process.wait_for_line("journal ");
    let begin = begin();
    process.signal("INT");
    let run = process.finish();
    // The results of the cases are unchanged; only the upload was interrupted.
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert!(line(&run).starts_with("sent 0 of 3 attempts "), "{}", line(&run));
    assert!(line(&run).contains(": stopped by Ctrl-C; `cargo honeyhive push "), "{}", line(&run));
    assert!(run.stdout.lines().last().is_some_and(|line| line.starts_with("report ")));
}

#[test]
fn check_41_without_results_the_local_ones_count() {
    for fault in [Fault::Status(500), Fault::Hang, Fault::Garbage] {
        let fake = Fake::start();
        fake.on(RESULT, fault);
        let begin = begin();
        let run = evals(&fake, "capitals")
            .env("HH_RESULTS", "average")
            .env("HH_FLUSH_TIMEOUT", "3s")
            .env("HH_REQUIRE_UPLOAD", "1")
            .start()
            .finish();
        fake.assert_clean();
        assert_eq!(run.code, Some(0), "{fault:?}: {}", run.output());
        assert!(begin.elapsed() < Duration::from_secs(9), "{fault:?}: {:?}", begin.elapsed());
        is_whole(&fake, &run);
        let notes = run.stderr.lines().filter(|line| line.starts_with("note: capitals: "));
        let notes: Vec<&str> = notes.collect();
        assert_eq!(notes.len(), 1, "{fault:?}: {}", run.stderr);
        assert!(notes[0].starts_with("note: capitals: no figures: "), "{}", notes[0]);
        assert!(run.stdout.contains("correct"), "{}", run.stdout);
    }
}

#[test]
fn faults_that_pass() {
    for kind in [CREATE, START, UPDATE, SPANS, END] {
        for fault in [
            Fault::Status(500),
            Fault::Status(502),
            Fault::Status(429).retry_after(1),
            Fault::CutBefore,
            Fault::CutAfter,
            Fault::Delay(300),
        ] {
            let fake = Fake::start();
            fake.on(kind, fault).times(1);
            let run = meets(&fake);
            is_whole(&fake, &run);
        }
    }
}

#[test]
fn requests_that_are_not_answered_are_sent_again() {
    for kind in [CREATE, START, UPDATE, SPANS, END] {
        let fake = Fake::start();
        fake.on(kind, Fault::Hang).times(1);
        let begin = begin();
        let run = evals(&fake, "capitals").env("HH_API_TIMEOUT", "1s").start().finish();
        assert_eq!(run.code, Some(0), "{}", run.output());
        assert!(begin.elapsed() < Duration::from_secs(8), "{kind}: {:?}", begin.elapsed());
        is_whole(&fake, &run);
    }
}

#[test]
fn answers_that_nobody_understands() {
    for kind in [START, UPDATE, SPANS] {
        let fake = Fake::start();
        fake.on(kind, Fault::Garbage).times(1);
        let run = meets(&fake);
        is_whole(&fake, &run);
    }
    // It is unknown whether the server accepted the end of the run, and the output says so.
    let fake = Fake::start();
    fake.on(END, Fault::Garbage);
    let run = meets(&fake);
    assert_snapshot!(normal_line(&fake, &run), @"sent 3 attempts to HoneyHive at <url>; 1 run not finished: PUT /v1/runs/<run>: the answer is not understood: 200 with a page for browsers. Is <url> the right HH_API_URL?; `cargo honeyhive push <invocation>` sends the rest");
    // A server that cannot answer this request is not HoneyHive.
    let fake = Fake::start();
    fake.on(CREATE, Fault::Garbage);
    let run = meets(&fake);
    assert_eq!(fake.requests().len(), 1);
    assert_snapshot!(normal_line(&fake, &run), @"sent 0 of 3 attempts to HoneyHive at <url>: POST /v1/runs: the answer is not understood: 200 with a page for browsers. Is <url> the right HH_API_URL?; when that is mended, `cargo honeyhive push <invocation>` sends the rest");
}

#[test]
fn what_is_refused_takes_nothing_else_with_it() {
    let refuses = |kind: &str, times: usize| {
        let fake = Fake::start();
        fake.on(kind, Fault::Status(400)).times(times);
        let run = meets(&fake);
        fake.assert_clean();
        assert_eq!(fake.runs()[0].status, "completed");
        let text = normal_line(&fake, &run);
        (fake, run, text)
    };
    // One session is refused, with all its data.
    let (fake, _, text) = refuses(START, 1);
    assert_eq!((fake.sessions().len(), fake.updates().len(), fake.spans().len()), (2, 2, 10));
    assert_snapshot!(text, @"sent 2 of 3 attempts to HoneyHive at <url>, run <run>; 1 refused: POST /session/start: 400 Bad Request: as the test planned [code FAKE_400]; `cargo honeyhive push <invocation> --again` sends what was refused");
    // The outputs of one session are refused.
    let (fake, _, text) = refuses(UPDATE, 1);
    assert_eq!((fake.sessions().len(), fake.updates().len(), fake.spans().len()), (3, 2, 15));
    assert_snapshot!(text, @"sent 2 of 3 attempts to HoneyHive at <url>, run <run>; 1 refused: PUT /events: 400 Bad Request: as the test planned [code FAKE_400]; `cargo honeyhive push <invocation> --again` sends what was refused");
    // The spans of several sessions are refused together, and then each session is sent alone.
    let (fake, run, _) = refuses(SPANS, 1);
    is_whole(&fake, &run);
    let (fake, _, text) = refuses(SPANS, 2);
    assert_eq!((fake.sessions().len(), fake.updates().len(), fake.spans().len()), (3, 3, 10));
    assert_snapshot!(text, @"sent 2 of 3 attempts to HoneyHive at <url>, run <run>; 1 refused: POST /opentelemetry/v1/traces: 400 Bad Request: as the test planned [code FAKE_400]; `cargo honeyhive push <invocation> --again` sends what was refused");
}

#[test]
fn a_key_that_is_taken_back_stops_the_upload() {
    let fake = Fake::start();
    fake.on("*", Fault::Status(401)).after(4);
    let run = evals(&fake, "steady").start().finish();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(fake.requests().len() < 10, "{:?}", fake.counts());
    let text = line(&run);
    assert!(text.contains(" of 6 attempts to ") && text.contains("401 Unauthorized"), "{text}");
    assert!(text.ends_with("` sends the rest"), "{text}");
}

#[test]
fn many_faults_by_chance() {
    for seed in 1..=3 {
        let fake = Fake::start();
        fake.random_faults(seed, 0.25);
        is_whole(&fake, &meets(&fake));
    }
}

/// Returns the time that the same run takes without a server.
fn alone() -> Duration {
    let begin = begin();
    let run = super::PROJECT.evals(["capitals::"]).start().finish();
    assert_eq!(run.code, Some(0), "{}", run.output());
    begin.elapsed()
}

#[test]
fn a_dead_server_costs_seconds() {
    let usual = alone();
    let fake = Fake::start();
    fake.stop();
    let begin = begin();
    let run = meets(&fake);
    let more = begin.elapsed().saturating_sub(usual);
    assert!(more < Duration::from_secs(6), "{more:?} more than {usual:?}");
    assert_snapshot!(normal_line(&fake, &run), @"sent 0 of 3 attempts to HoneyHive at <url>; 1 run not finished: POST /v1/runs: no connection: Connection refused (os error 111) (4 tries). Is <url> up, and is it the right HH_API_URL?; `cargo honeyhive push <invocation>` sends the rest");
}

#[test]
fn a_server_that_never_answers_costs_no_more_than_the_limit() {
    let fake = Fake::start();
    fake.on("*", Fault::Hang);
    let begin = begin();
    let run = evals(&fake, "capitals").env("HH_FLUSH_TIMEOUT", "3s").start().finish();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(begin.elapsed() < Duration::from_secs(9), "{:?}", begin.elapsed());
    assert!(line(&run).starts_with("sent 0 of 3 attempts "), "{}", line(&run));
}

#[test]
fn a_server_that_dies_in_the_middle_and_comes_back() {
    let fake = Fake::start();
    let process = evals(&fake, "steady").start();
    process.wait_for_notes("steady", 3);
    fake.stop();
    process.wait_for_notes("steady", 5);
    fake.restart();
    let run = process.finish();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!((fake.sessions().len(), fake.updates().len()), (6, 6));
    assert_eq!(fake.runs()[0].status, "completed");
    assert!(line(&run).starts_with("sent 6 attempts to "), "{}", line(&run));
}

#[test]
fn a_server_that_dies_for_good() {
    let fake = Fake::start();
    let process = evals(&fake, "steady").start();
    process.wait_for_notes("steady", 4);
    fake.stop();
    let begin = begin();
    let run = process.finish();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(begin.elapsed() < Duration::from_secs(9), "{:?}", begin.elapsed());
    let text = line(&run);
    assert!(
        text.contains(" of 6 attempts to ") && text.contains("; 1 run not finished: "),
        "{text}"
    );
    assert!(text.contains("no connection") && text.ends_with("` sends the rest"), "{text}");
}

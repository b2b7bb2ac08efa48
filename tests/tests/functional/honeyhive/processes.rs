//! Tests runs that end early, runs in several processes, and large ones.

use std::time::{Duration, Instant};

use honeyhive_tests::fake::Fault;
use honeyhive_tests::{Fake, needs};

use super::settings::no_key_is_kept;
use super::{PROJECT, bodies, evals, line, to};

const UPDATE: &str = "PUT /v1/runs/{id}";

#[test]
#[cfg(unix)]
fn check_45_an_interrupted_run_is_cancelled() {
    for signal in ["INT", "TERM"] {
        let fake = Fake::start();
        let process = evals(&fake, "takes_its_time").start();
        process.wait_for_notes("started", 12);
        let begin = Instant::now();
        process.signal(signal);
        let run = process.finish();
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        fake.assert_clean();
        assert_eq!(run.code, Some(130), "{}", run.output());
        let stored = &fake.runs()[0];
        assert_eq!(stored.status, "cancelled");
        let attempts = run.attempts();
        assert!((10..100).contains(&attempts.len()), "{}", attempts.len());
        let ids = stored.updates[0].body["event_ids"].as_array().map(Vec::len);
        assert_eq!(ids, Some(attempts.len()), "the sessions done so far");
        assert_eq!(fake.sessions().len(), attempts.len());
        no_key_is_kept(&fake, &run);
    }
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_does_not_wait_for_a_dead_server() {
    let fake = Fake::start();
    let process = evals(&fake, "takes_its_time").start();
    process.wait_for_notes("started", 12);
    fake.stop();
    let begin = Instant::now();
    process.signal("INT");
    let run = process.finish();
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    assert_eq!(run.code, Some(130), "{}", run.output());
    assert!(line(&run).contains("; 1 run not finished"), "{}", line(&run));
}

#[test]
#[cfg(unix)]
fn after_kill_9_journal_and_marks_are_left() {
    let fake = Fake::start();
    let process = evals(&fake, "takes_its_time").start();
    process.wait_for_notes("started", 30);
    process.signal("KILL");
    let run = process.finish();
    fake.assert_clean();
    assert_eq!(run.code, None);
    assert_eq!(fake.runs()[0].status, "pending");
    // Only recorded data was sent.
    let recorded: Vec<String> =
        run.attempts().into_iter().map(|attempt| attempt.session_id).collect();
    assert!(recorded.len() >= 25, "{}", recorded.len());
    let there = fake.sessions();
    assert!(!there.is_empty() && there.iter().all(|session| recorded.contains(&session.id)));
    no_key_is_kept(&fake, &run);
}

#[test]
fn a_thousand_attempts_take_few_requests_on_few_connections() {
    let fake = Fake::start();
    let process = evals(&fake, "many");
    let begin = Instant::now();
    let run = process.start().finish();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert_eq!(fake.sessions().len(), 1000);
    assert_eq!(fake.spans().len(), 2000);
    let requests = fake.requests().len();
    assert!(requests <= 2100, "{requests} requests: {:?}", fake.counts());
    assert!(fake.connections() <= 64, "{} connections", fake.connections());
    assert!(fake.sessions().iter().all(|session| session.deliveries == 1));
    assert!(line(&run).starts_with("sent 1,000 attempts to "), "{}", line(&run));
}

#[test]
fn a_thousand_attempts_do_not_wait_for_a_server_that_never_answers() {
    let fake = Fake::start();
    fake.on("*", Fault::Hang);
    let process = evals(&fake, "many").env("HH_FLUSH_TIMEOUT", "2s");
    let begin = Instant::now();
    let run = process.start().finish();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    assert_eq!(fake.requests().len(), 1, "nothing else is tried meanwhile");
    assert!(line(&run).starts_with("sent 0 of 1,000 attempts to "), "{}", line(&run));
}

#[test]
fn nextest_runs_each_experiment_in_a_process_of_its_own() {
    if !needs::nextest() {
        return;
    }
    let fake = Fake::start();
    let run = to(&fake, PROJECT.cargo_nextest(&["nextest", "run"], ["capitals", "repeated"])).run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    let runs = fake.runs();
    let mut names: Vec<&str> = runs.iter().filter_map(|run| run.created["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["capitals", "repeated"]);
    assert!(runs.iter().all(|run| run.status == "completed"));
    assert_eq!(fake.sessions().len(), 12);
    assert_eq!(run.invocations().len(), 1);
}

#[test]
fn a_retry_of_nextest_goes_on_with_the_same_run() {
    if !needs::nextest() {
        return;
    }
    let fake = Fake::start();
    let arguments = ["errs_at_first", "--retries", "1"];
    let run = to(&fake, PROJECT.cargo_nextest(&["nextest", "run"], arguments)).run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    assert_eq!(fake.runs().len(), 1);
    assert_eq!(fake.runs()[0].status, "completed");
    // There are three first attempts, and the repeated one that passed.
    assert_eq!(fake.sessions().len(), 4);
    let updates = bodies(&fake, UPDATE);
    let last = &updates[updates.len() - 1]["event_ids"];
    let healed = &fake.sessions()[3].id;
    let ids: Vec<&str> =
        last.as_array().into_iter().flatten().filter_map(|id| id.as_str()).collect();
    assert!(ids.contains(&healed.as_str()), "the attempt that counts is one of the run's: {ids:?}");
    assert_eq!(ids.len(), 4, "and so is what went wrong before: {ids:?}");
}

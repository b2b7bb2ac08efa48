//! Tests that data which did not arrive is sent later, and that no data arrives twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use honeyhive_tests::{Cargo, Fake, Honeyhive, Run};
use serde_json::{Value, json};

use super::{PROJECT, evals, line};

fn push(fake: &Fake, run: &Run, arguments: &[&str]) -> (Option<i32>, String, String) {
    let journals = run.directory().join("journal").display().to_string();
    let arguments = [&["push", "--dir", &journals], arguments].concat();
    let command = Honeyhive::new(run.directory(), arguments);
    command.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run()
}

/// Checks that each attempt arrived once, with session, update and spans, and that the run is
/// finished.
fn assert_exactly_once(fake: &Fake, attempts: usize, seed: &str) {
    fake.assert_clean();
    let sessions = fake.sessions();
    let names: BTreeSet<&str> =
        sessions.iter().filter_map(|session| session.body["session_name"].as_str()).collect();
    assert_eq!((sessions.len(), names.len()), (attempts, attempts), "{seed}");
    let updates = fake.updates();
    assert_eq!(updates.len(), attempts, "{seed}");
    for (id, updates) in &updates {
        let bodies: BTreeSet<String> =
            updates.iter().map(|update| update.body.to_string()).collect();
        assert_eq!(bodies.len(), 1, "{seed}: {id} was told different things");
    }
    // Each attempt has a span of the function and one of its evaluator.
    let spans = fake.spans();
    assert_eq!(spans.len(), attempts * 2, "{seed}");
    let [run] = &fake.runs()[..] else { panic!("{seed}: one run was expected") };
    assert_eq!(run.status, "completed", "{seed}");
    let last = run.updates.last().expect("an update");
    let listed = last.body["event_ids"].as_array().map_or(0, Vec::len);
    assert_eq!(listed, attempts, "{seed}");
}

#[test]
fn a_server_that_goes_away_in_the_middle_gets_everything_later_and_once() {
    let fake = Fake::start();
    let running = evals(&fake, "many").env("HH_FLUSH_TIMEOUT", "2s").start();
    let waiting = Instant::now();
    while fake.count("POST /session/start") < 200 {
        assert!(waiting.elapsed() < Duration::from_secs(120), "nothing comes");
        std::thread::sleep(Duration::from_millis(1));
    }
    fake.stop();
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let said = line(&run);
    assert!(said.contains(" of 1,000 attempts to HoneyHive"), "{said}");
    assert!(said.contains("; `cargo honeyhive push "), "{said}");
    assert!(fake.sessions().len() < 1000);

    // The server does not listen yet.
    let (code, stdout, stderr) = push(&fake, &run, &[]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("no connection"), "{stderr}");

    fake.restart();
    let (code, stdout, stderr) = push(&fake, &run, &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stderr.starts_with("note: sending to HoneyHive at "), "{stderr}");
    assert!(stdout.starts_with("sent 1,000 attempts to HoneyHive at "), "{stdout}");
    assert_exactly_once(&fake, 1000, "cut");

    let asked = fake.requests().len();
    let (code, stdout, _) = push(&fake, &run, &["--json"]);
    assert_eq!(code, Some(0), "{stdout}");
    let said = json_of(&stdout);
    assert_eq!((&said[0]["sent"], &said[0]["before"]), (&0.into(), &1000.into()));
    assert_eq!(fake.requests().len(), asked, "what is there was sent again");
}

#[test]
fn whatever_fails_on_the_way_everything_arrives_once() {
    let seeds: Vec<u64> = (1..=20).collect();
    // The threads wait most of the time, so they run in parallel.
    std::thread::scope(|scope| {
        for seeds in seeds.chunks(4) {
            scope.spawn(move || seeds.iter().for_each(|seed| with_faults(*seed)));
        }
    });
}

fn with_faults(seed: u64) {
    let fake = Fake::start();
    fake.random_faults(seed, 0.25);
    let cargo = evals(&fake, "thirty_times").env("HH_MAX_RETRIES", "1");
    let run = cargo.env("HH_FLUSH_TIMEOUT", "2s").env("HH_API_TIMEOUT", "2s").run();
    assert_eq!(run.code, Some(0), "{seed}: {}", run.output());
    let mut said = line(&run);
    for _ in 0..30 {
        let (code, stdout, stderr) = push(&fake, &run, &[]);
        said.push_str(&stdout);
        said.push_str(&stderr);
        if code == Some(0) {
            return assert_exactly_once(&fake, 30, &format!("seed {seed}"));
        }
    }
    panic!("seed {seed}: thirty pushes were not enough:\n{said}");
}

#[test]
fn what_is_not_sent_is_listed_and_sent_with_all() {
    let fake = Fake::start();
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    let run = |cargo: Cargo<'static>| {
        let run = cargo.env("HH_DIR", root).start().finish();
        assert_eq!(run.code, Some(0), "{}", run.output());
    };
    let ask = |arguments: &[&str]| {
        let command = Honeyhive::new(root, arguments).env("HH_DIR", root);
        command.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run()
    };
    run(evals(&fake, "capitals"));
    // This run has no server, so it is not listed as unsent.
    run(PROJECT.evals(["capitals::"]));
    fake.stop();
    run(evals(&fake, "capitals"));
    run(evals(&fake, "steady"));

    let (_, listed, _) = ask(&["runs"]);
    let not_sent: Vec<&str> = listed.lines().filter(|line| line.contains("not sent")).collect();
    let [steady, capitals] = &not_sent[..] else { panic!("{listed}") };
    let begin = format!("    6 of 6 attempts not sent to HoneyHive at {}; ", fake.url());
    assert!(steady.starts_with(&begin), "{steady}");
    assert!(steady.contains("`cargo honeyhive push 2"), "{steady}");
    assert!(capitals.starts_with("    3 of 3 attempts not sent to "), "{capitals}");
    let (_, json, _) = ask(&["runs", "--json"]);
    let json = json_of(&json);
    let lefts: Vec<Vec<Value>> = json
        .as_array()
        .expect("an array")
        .iter()
        .map(|run| run["unsent"].as_array().expect("an array").clone())
        .collect();
    let left = |attempts: usize| {
        let to = format!("HoneyHive at {}", fake.url());
        let (left, unfinished_runs) = (attempts, 1);
        vec![
            json!({"to": to, "attempts": attempts, "left": left, "unfinished_runs": unfinished_runs}),
        ]
    };
    assert_eq!(lefts, [left(6), left(3), vec![], vec![]]);

    // After one failed connection, the other runs are not tried.
    let (code, _, stderr) = ask(&["push", "--all"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("note: 1 further run not tried\n"), "{stderr}");
    assert_eq!(stderr.matches("no connection").count(), 1, "{stderr}");

    fake.restart();
    let (code, stdout, stderr) = ask(&["push", "--all", "--json"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let sent = json_of(&stdout);
    assert_eq!((&sent[0]["sent"], &sent[1]["sent"]), (&6.into(), &3.into()));
    assert_eq!(sent[0]["invocation"], json_of(&ask(&["runs", "--json"]).1)[0]["invocation"]);
    fake.assert_clean();
    assert_eq!((fake.runs().len(), fake.sessions().len()), (3, 12));
    assert!(!ask(&["runs"]).1.contains("not sent"));
    let (code, stdout, _) = ask(&["push", "--all"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "nothing to send: no run waits for it\n"));
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_journal_of_a_later_version_is_left_alone() {
    let fake = Fake::start();
    let directory = tempfile::tempdir().expect("a directory");
    let line = r#"{"type":"invocation","schema":99,"invocation":"later"}"#;
    std::fs::write(directory.path().join("later.jsonl"), format!("{line}\n")).expect("a journal");
    let command = Honeyhive::new(directory.path(), ["push", "."]);
    let (code, _, stderr) =
        command.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run();
    assert_eq!(code, Some(1));
    assert!(stderr.contains("by a later honeyhive-harness (schema 99, "), "{stderr}");
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn there_must_be_somewhere_to_send_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let push = |variables: &[(&str, &str)]| {
        let mut command = Honeyhive::new(directory.path(), ["push", "."]);
        for (name, value) in variables {
            command = command.env(name, value);
        }
        let (code, stdout, stderr) = command.run();
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        stderr
    };
    assert!(push(&[]).contains("there is nowhere to send to: set HH_API_KEY"));
    let offline = push(&[("HH_API_KEY", "hh_some_key"), ("HH_OFFLINE", "1")]);
    assert!(offline.contains("nothing is sent while HH_OFFLINE"), "{offline}");
    let empty = push(&[("HH_API_KEY", "hh_some_key")]);
    assert!(empty.contains("no journal in "), "{empty}");
    let bad = push(&[("HH_API_KEY", "hh some key")]);
    assert!(bad.contains("HH_API_KEY: ") && !bad.contains("some key"), "{bad}");
}

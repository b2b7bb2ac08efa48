//! Tests that data which a server refuses, or answers in an unknown way, is kept and sent later:
//! all of it arrives, and only data that arrived counts as sent.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use honeyhive_tests::fake::Fault;
use honeyhive_tests::{Fake, Honeyhive, Run};

use super::{PROJECT, evals, line, to};

const CREATE: &str = "POST /v1/runs";
const START: &str = "POST /session/start";
const UPDATE: &str = "PUT /events";
const SPANS: &str = "POST /opentelemetry/v1/traces";
const END: &str = "PUT /v1/runs/{id}";
const PLAIN: &str = "POST /v1/traces";

/// A run that was never sent.
static RECORDED: LazyLock<Run> = LazyLock::new(|| {
    let run = PROJECT.evals(["capitals::"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    run
});

/// Copies the journal of that run into a directory.
fn copy(root: &Path) -> PathBuf {
    let from = RECORDED.invocations().remove(0);
    let directory = root.join(from.file_name().expect("a name"));
    std::fs::create_dir_all(&directory).expect("a directory");
    for entry in std::fs::read_dir(&from).expect("the journal") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            std::fs::copy(&path, directory.join(path.file_name().expect("a name")))
                .expect("a copy");
        }
    }
    directory
}

/// Runs `cargo honeyhive <arguments>` with the journals of a directory and a server; returns its
/// exit code and its output.
fn honeyhive(root: &Path, fake: &Fake, kind: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let command = Honeyhive::new(root, arguments).env("HH_DIR", root).env("HH_MAX_RETRIES", "0");
    let command = if kind == PLAIN {
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", fake.url())
    } else {
        command.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url())
    };
    let (code, stdout, stderr) = command.run();
    (code, stdout + &stderr)
}

/// Checks that all data arrived exactly once.
fn assert_there(fake: &Fake, kind: &str, what: &str) {
    fake.assert_clean();
    if kind == PLAIN {
        return assert_eq!(fake.otlp_spans().len(), 15, "{what}");
    }
    assert_eq!(fake.spans().len(), 15, "{what}");
    assert_eq!((fake.sessions().len(), fake.updates().len()), (3, 3), "{what}");
    for updates in fake.updates().values() {
        assert_eq!(updates.len(), 1, "{what}: told different things");
    }
    let [run] = &fake.runs()[..] else { panic!("{what}: one run") };
    assert_eq!(run.status, "completed", "{what}");
    let last = run.updates.last().expect("an update");
    assert_eq!(last.body["event_ids"].as_array().map(Vec::len), Some(3), "{what}");
}

/// Pushes a run while all requests of a kind have a fault, and again when the fault is gone.
fn meets(kind: &'static str, fault: Fault) {
    let what = format!("{kind} {fault:?}");
    let root = tempfile::tempdir().expect("a directory");
    copy(root.path());
    let fake = Fake::start();
    fake.on(kind, fault);
    let (code, said) = honeyhive(root.path(), &fake, kind, &["push"]);
    let said = format!("{what}: {said}");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(kind.split('{').next().expect("a part")), "no reason: {said}");
    assert!(said.contains("` sends the rest"), "no remedy: {said}");
    if kind != END {
        assert!(!said.contains("sent 3 attempts"), "{said}");
        assert!(fake.runs().iter().all(|run| run.status != "completed"), "{said}");
        let (_, listed) = honeyhive(root.path(), &fake, kind, &["runs"]);
        assert!(listed.contains("of 3 attempts not sent to "), "{what}: {listed}");
    }
    fake.heal();
    // `--all` sends the runs that are listed as not sent.
    let (code, said) = honeyhive(root.path(), &fake, kind, &["push", "--all"]);
    assert_eq!(code, Some(0), "{what}: {said}");
    assert_there(&fake, kind, &what);
    let (_, listed) = honeyhive(root.path(), &fake, kind, &["runs"]);
    assert!(!listed.contains("not sent"), "{what}: {listed}");
    let asked = fake.requests().len();
    let (code, said) = honeyhive(root.path(), &fake, kind, &["push"]);
    assert_eq!((code, fake.requests().len()), (Some(0), asked), "{what}: {said}");
}

#[test]
fn whatever_a_server_answers_everything_arrives_later_and_once() {
    let statuses = [
        302, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 425, 500, 501, 507, 520, 522,
        529,
    ];
    let mut faults: Vec<Fault> = statuses.map(Fault::Status).into();
    faults.extend([Fault::Status(429).retry_after(0), Fault::Empty, Fault::Page, Fault::CutBefore]);
    // The code is the same for all kinds, so these get only some of the faults.
    let some = [302, 400, 404, 409, 522].map(Fault::Status);
    let some = some.into_iter().chain([Fault::Empty, Fault::Page]);
    let mut all: Vec<(&str, Fault)> =
        [START, PLAIN].iter().flat_map(|kind| faults.iter().map(|fault| (*kind, *fault))).collect();
    for kind in [CREATE, UPDATE, SPANS, END] {
        all.extend(some.clone().map(|fault| (kind, fault)));
    }
    LazyLock::force(&RECORDED);
    // The threads wait most of the time, so they run in parallel.
    std::thread::scope(|scope| {
        for chunk in all.chunks(all.len().div_ceil(6)) {
            scope.spawn(move || chunk.iter().for_each(|(kind, fault)| meets(kind, *fault)));
        }
    });
}

#[test]
fn no_answer_makes_a_run_red_or_counts_as_sent() {
    for (kind, fault) in [
        (CREATE, Fault::Empty),
        (START, Fault::Status(522)),
        (START, Fault::Status(400)),
        (UPDATE, Fault::Empty),
        (SPANS, Fault::Status(415)),
        (SPANS, Fault::Empty),
        ("*", Fault::Empty),
        ("*", Fault::Page),
    ] {
        let fake = Fake::start();
        fake.on(kind, fault);
        let cargo = || evals(&fake, "capitals").env("HH_MAX_RETRIES", "0");
        let run = cargo().env("HH_FLUSH_TIMEOUT", "5s").run();
        assert_eq!(run.code, Some(0), "{kind} {fault:?}: {}", run.output());
        assert!(line(&run).starts_with("sent 0 of 3 attempts"), "{kind} {fault:?}: {}", line(&run));
        assert!(line(&run).ends_with("` sends the rest"), "{kind} {fault:?}: {}", line(&run));
        let required = cargo().env("HH_FLUSH_TIMEOUT", "5s").env("HH_REQUIRE_UPLOAD", "1").run();
        assert_eq!(required.code, Some(101), "{kind} {fault:?}: {}", required.output());
    }
}

#[test]
fn what_is_refused_is_told_listed_and_sent_when_it_is_asked_for() {
    for kind in [START, UPDATE, SPANS] {
        let root = tempfile::tempdir().expect("a directory");
        copy(root.path());
        let fake = Fake::start();
        // One attempt is refused, while the others are accepted.
        fake.on(kind, Fault::Status(400)).times(if kind == SPANS { 2 } else { 1 });
        let ask = |arguments: &[&str]| honeyhive(root.path(), &fake, kind, arguments);
        let (code, said) = ask(&["push"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("sent 2 of 3 attempts to "), "{said}");
        for arguments in [&["push"][..], &["push", "--all"]] {
            let asked = fake.requests().len();
            let (code, said) = ask(arguments);
            assert_eq!((code, fake.requests().len()), (Some(1), asked), "{said}");
            assert!(said.contains(&format!("; 1 refused: {kind}: 400 Bad Request")), "{said}");
            assert!(said.contains(" --again` sends what was refused"), "{said}");
        }
        let (_, listed) = ask(&["runs"]);
        let told =
            listed.lines().find(|line| line.contains("1 of 3 attempts refused by HoneyHive"));
        let told = told.unwrap_or_else(|| panic!("{listed}"));
        assert!(told.contains("400 Bad Request") && told.contains(" --again`"), "{told}");
        let (code, said) = ask(&["push", "--again"]);
        assert_eq!(code, Some(0), "{kind}: {said}");
        assert_there(&fake, kind, kind);
        assert!(!ask(&["runs"]).1.contains("refused"));
    }
}

#[test]
fn other_settings_are_another_chance_for_what_was_refused() {
    let root = tempfile::tempdir().expect("a directory");
    copy(root.path());
    let fake = Fake::start();
    fake.on(SPANS, Fault::Status(422)).times(2);
    let (code, said) = honeyhive(root.path(), &fake, SPANS, &["push"]);
    assert!(code == Some(1) && said.contains("; 1 refused: "), "{said}");
    let command = Honeyhive::new(root.path(), ["push", "--all"]).env("HH_DIR", root.path());
    let command = command.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url());
    let (code, stdout, stderr) = command.env("HH_OTLP_PROTOCOL", "http/json").run();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert_there(&fake, SPANS, "another encoding");
}

#[test]
fn a_run_goes_to_the_right_address_when_the_first_one_was_wrong() {
    let root = tempfile::tempdir().expect("a directory");
    let fake = Fake::start();
    let run = to(&fake, PROJECT.evals(["capitals::"]))
        .env("HH_DIR", root.path())
        .env("HH_API_URL", format!("{}/nothing/here", fake.url()))
        .run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(line(&run).contains("404 Not Found"), "{}", line(&run));
    let (code, said) = honeyhive(root.path(), &fake, SPANS, &["push", "--all"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((fake.sessions().len(), fake.spans().len()), (3, 15));
    // The data for the wrong address does not count as left to send.
    let (_, listed) = honeyhive(root.path(), &fake, SPANS, &["runs"]);
    assert!(!listed.contains("not sent"), "{listed}");
}

#[test]
fn requests_are_halved_until_they_are_taken() {
    for (kind, largest) in [(SPANS, 7_000), (PLAIN, 7_000), (SPANS, 3_500)] {
        let root = tempfile::tempdir().expect("a directory");
        copy(root.path());
        let fake = Fake::builder().largest_spans(largest).start();
        let (code, said) = honeyhive(root.path(), &fake, kind, &["push"]);
        assert_eq!(code, Some(0), "{kind} {largest}: {said}");
        assert_there(&fake, kind, "halved");
    }
}

#[test]
fn marks_that_are_damaged_make_nothing_look_sent() {
    let root = tempfile::tempdir().expect("a directory");
    let directory = copy(root.path());
    let fake = Fake::start();
    let (code, said) = honeyhive(root.path(), &fake, SPANS, &["push"]);
    assert_eq!(code, Some(0), "{said}");
    let marks = std::fs::read_dir(&directory).expect("a directory").find_map(|entry| {
        let path = entry.expect("an entry").path();
        path.extension().is_some_and(|extension| extension == "sent").then_some(path)
    });
    let marks = marks.expect("marks");
    let text = std::fs::read_to_string(&marks).expect("text");
    // The id is changed to that of another session, as a flipped bit may change it.
    let line = text.lines().find(|line| line.contains("\"update\"")).expect("an update");
    let at = line.find("session_id").expect("an id") + 13;
    let digit = if &line[at..=at] == "0" { "1" } else { "0" };
    let damaged = format!("{}{digit}{}", &line[..at], &line[at + 1..]);
    std::fs::write(&marks, text.replace(line, &damaged)).expect("written");
    let (_, listed) = honeyhive(root.path(), &fake, SPANS, &["runs"]);
    assert!(listed.contains("1 of 3 attempts not sent to HoneyHive"), "{listed}");
    let (code, said) = honeyhive(root.path(), &fake, SPANS, &["push"]);
    assert_eq!(code, Some(0), "{said}");
    // The data is sent again with the same ids and contents.
    assert_there(&fake, SPANS, "sent again");
}

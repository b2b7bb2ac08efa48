//! Tests `stop = decided`: no further case is started once the gate can come to no other verdict, and
//! every place that shows the run says so.

use std::sync::LazyLock;

use honeyhive_harness::journal::{StoppedRecord, Verdict};
use honeyhive_tests::{Fake, Project, Run, needs};
use serde_json::Value;

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("stopping", include_str!("evals/stopping.rs")));

/// Runs an experiment in which the first `bad` of 60 rows are bad.
fn run(experiment: &str, bad: u32) -> Run {
    PROJECT.evals([format!("{experiment}::")]).env("BAD", bad.to_string()).run()
}

fn stopped(run: &Run) -> Option<StoppedRecord> {
    let [gate] = &run.gates()[..] else { panic!("one gate was expected:\n{}", run.output()) };
    gate.stopped
}

/// Returns the number of cases after which the run stopped, which it has to.
fn ran(run: &Run) -> usize {
    let Some(stopped) = stopped(run) else { panic!("it did not stop:\n{}", run.output()) };
    assert_eq!((stopped.ran, stopped.of), (run.cases().len(), 60), "{}", run.output());
    let end = run.end().expect("an end");
    assert_eq!(end.cases.skipped, 60 - stopped.ran);
    stopped.ran
}

fn honeyhive(run: &Run, arguments: &[&str]) -> (Option<i32>, String, String) {
    PROJECT.honeyhive(arguments).env("HH_DIR", run.directory().join("journal")).run()
}

#[test]
fn a_floor_that_cannot_be_met_any_more_stops_spending() {
    let run = run("floor", 60);
    assert_eq!(run.code, Some(101), "{}", run.output());
    let ran = ran(&run);
    // With one call at a time, no other call runs when the seventh miss decides.
    assert_eq!(ran, 7, "{}", run.output());
    assert_eq!(run.notes("calls").len(), ran, "nothing was called for a case that was not run");
    let text = format!("stopped: decided after {ran} of 60 cases");
    let left = 60 - ran;
    assert!(run.stdout.contains(&text), "{}", run.output());
    assert!(
        run.stdout.contains(&format!("FAIL {ran} of 60 cases in 1 experiment")),
        "{}",
        run.output()
    );
    // The table has the n of the verdict.
    assert!(!run.stdout.contains("7 of 60  FAIL mean"), "{}", run.output());
    let ignored = run.tests().values().filter(|one| one.contains("the gate is decided")).count();
    assert_eq!(ignored, left, "{}", run.output());
    let [gate] = &run.gates()[..] else { panic!() };
    let best = f64::from(u32::try_from(left).unwrap()) / 60.0;
    assert_eq!(gate.verdict, Verdict::Fail);
    let said = format!("; decided after {ran} of 60 cases: whatever the others score, it is 0.8");
    assert!(gate.rules[0].text.contains(&said) && best < 0.89, "{:?}", gate.rules);
    // The rows are sorted; the cases that ran are not the first ones.
    let calls = run.notes("calls");
    let mut sorted: Vec<u32> = calls.iter().map(|n| n.parse().unwrap()).collect();
    sorted.sort_unstable();
    assert!(sorted.iter().any(|n| *n > 30) && sorted[..] != (1..).take(ran).collect::<Vec<_>>());
    let again = self::run("floor", 60);
    assert_eq!(again.notes("calls")[..7], calls[..7], "the order follows from a seed");
    let other = PROJECT.evals(["floor::", "--shuffle-seed", "5"]).env("BAD", "60").run();
    assert_ne!(other.notes("calls")[..7], calls[..7]);
    assert_eq!(other.experiments()[0].stop.map(|stop| stop.order_seed), Some(5));
}

#[test]
fn whoever_looks_at_the_run_is_told_that_it_stopped() {
    let full = PROJECT.evals(["floor::"]).env("HH_STOP", "never").env("BAD", "3").run();
    assert_eq!((full.code, stopped(&full), full.cases().len()), (Some(0), None, 60));
    let run = PROJECT
        .evals(["floor::"])
        .env("HH_DIR", full.directory().join("journal"))
        .env("BAD", "60")
        .run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let (code, stdout, stderr) = honeyhive(&full, &["runs", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let runs: Value = serde_json::from_str(&stdout).expect("JSON");
    let ran = runs[0]["experiments"][0]["stopped"]["ran"].as_u64().expect("a number");
    let (text, left) = (format!("stopped: decided after {ran} of 60 cases"), 60 - ran);
    for command in [
        &["runs"][..],
        &["gate", "--recorded"],
        &["gate"],
        &["report", "--format", "md"],
        &["report", "--format", "junit"],
        &["compare", "latest~1"],
        &["accept"],
    ] {
        let (code, stdout, stderr) = honeyhive(&full, command);
        let expected = match command[0] {
            "gate" | "accept" => 1,
            _ => 0,
        };
        assert_eq!(code, Some(expected), "{command:?}: {stdout}{stderr}");
        let said = format!("{stdout}{stderr}").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&text), "{command:?}: {said}");
        assert!(!said.contains("removed") && !said.contains("unfinished"), "{command:?}: {said}");
    }
    let (_, stdout, stderr) = honeyhive(&full, &["accept"]);
    assert!(stderr.contains("HH_STOP=never") && stdout.is_empty(), "{stderr}");
    let (_, json, _) = honeyhive(&full, &["report", "--format", "json"]);
    let line = json.lines().find(|line| line.contains(r#""type":"experiment""#)).expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["gate"]["stopped"], serde_json::json!({"ran": ran, "of": 60}));
    assert_eq!((&line["outcome"], &line["cases"]["skipped"]), (&"fail".into(), &left.into()));
    let (_, path, _) = honeyhive(&full, &["report", "--format", "html"]);
    let page = std::fs::read_to_string(path.trim()).expect("a page");
    assert!(page.contains(&format!("Run {text}; {left} not run")));
    // The gate needs none of the other cases, so there is nothing to run again.
    let (code, _, stderr) = honeyhive(&full, &["run", "--rerun", "missing"]);
    assert!(code == Some(2) && stderr.contains("none is missing"), "{stderr}");
    let (code, stdout, _) = honeyhive(&full, &["plan", "--test", "evals"]);
    let said = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        code == Some(0)
            && said.contains(
                "stop = decided: it fails after 7 cases at the earliest, all of them at the worst \
                 score; it passes after 54 cases at the earliest, all of them at the best"
            ),
        "{stdout}"
    );
    // The evaluators judge the recorded outputs again; a case that was not run is not an error.
    let (code, stdout, stderr) = honeyhive(&full, &["rejudge"]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    let said = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&text) && !said.contains("no such case"), "{stdout}{stderr}");
}

#[test]
fn a_floor_that_cannot_be_missed_any_more_stops_where_nothing_else_judges() {
    let good = run("floor", 0);
    assert_eq!(good.code, Some(0), "{}", good.output());
    assert_eq!(ran(&good), 54, "{}", good.output());
    assert!(good.stdout.contains("PASS 54 of 60 cases"), "{}", good.output());
    let (code, stdout, stderr) = honeyhive(&good, &["gate", "--recorded"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    // `safe` fails a case by itself, also one of the last.
    let beside = run("beside", 0);
    assert_eq!((beside.code, stopped(&beside)), (Some(0), None), "{}", beside.output());
    let beside = run("beside", 60);
    assert_eq!(beside.code, Some(101));
    assert_eq!(ran(&beside), 31, "{}", beside.output());
}

#[test]
fn a_case_under_way_gets_all_of_its_attempts() {
    let run = run("repeated", 60);
    assert_eq!(run.code, Some(101), "{}", run.output());
    let ran = ran(&run);
    assert!(ran < 30, "{}", run.output());
    assert_eq!((run.attempts().len(), run.notes("calls").len()), (3 * ran, 3 * ran));
    let [gate] = &run.gates()[..] else { panic!() };
    let verdicts: Vec<Verdict> = gate.rules.iter().map(|rule| rule.verdict).collect();
    // No score is above 1; the latencies have no range.
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Pass, Verdict::Inconclusive]);
    assert!(gate.rules[2].text.contains("; not decided, as "), "{:?}", gate.rules[2].text);
}

#[test]
fn errors_decide_as_the_gate_counts_them() {
    let run = PROJECT.evals(["erring::"]).env("ERRORS", "60").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert_eq!(ran(&run), 7, "{}", run.output());
    let [gate] = &run.gates()[..] else { panic!() };
    assert_eq!(gate.rules[0].verdict, Verdict::Fail);
    // Six of 60 may end in an error: 54 without one decide `error_rate`, and 30 hits the floor.
    let run = PROJECT.evals(["erring::"]).env("ERRORS", "0").run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(ran(&run), 54, "{}", run.output());
}

#[test]
fn what_is_no_whole_run_runs_as_always() {
    let sample = PROJECT.evals(["floor::"]).env("HH_SAMPLE", "20").env("BAD", "60").run();
    assert_eq!((sample.cases().len(), stopped(&sample)), (20, None), "{}", sample.output());
    let filtered = PROJECT.evals(["floor::0"]).env("BAD", "60").run();
    assert_eq!(filtered.cases().len(), 9, "{}", filtered.output());
    let all = PROJECT.evals(["floor::"]).env("HH_STOP", "never").env("BAD", "60").run();
    assert_eq!((all.code, all.cases().len(), stopped(&all)), (Some(101), 60, None));
    let calls: Vec<u32> = all.notes("calls").iter().map(|n| n.parse().unwrap()).collect();
    assert!(calls.is_sorted() && all.experiments()[0].stop.is_none());
    // Only the gate is selected: it runs the whole experiment, and stops it.
    let gate = PROJECT.evals(["--exact", "floor::gate"]).env("BAD", "60").run();
    assert_eq!(gate.code, Some(101));
    assert_eq!(ran(&gate), 7, "{}", gate.output());
}

#[test]
fn honeyhive_is_told_that_the_run_is_complete_and_stopped() {
    let fake = Fake::start();
    let cargo = PROJECT.evals(["floor::"]).env("BAD", "0");
    let run = cargo.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run();
    fake.assert_clean();
    assert_eq!((run.code, ran(&run)), (Some(0), 54), "{}", run.output());
    let requests = fake.requests();
    let end = requests.iter().rfind(|request| request.kind == "PUT /v1/runs/{id}");
    let end = end.expect("the end of the run").json().expect("JSON");
    assert_eq!(end["status"], "completed");
    assert_eq!(end["metadata"]["stopped_early"], "stopped: decided after 54 of 60 cases");
}

#[test]
fn nextest_runs_and_stops_whole_experiments() {
    if !needs::nextest() {
        return;
    }
    let run =
        PROJECT.cargo_nextest(&["nextest", "run"], ["-E", "test(=floor)"]).env("BAD", "60").run();
    assert_eq!(run.code, Some(100), "{}", run.output());
    assert_eq!(ran(&run), 7);
}

//! Tests rules that compare with a baseline: their verdicts, and that every case they leave out is
//! reported.
//!
//! The tests write the baselines themselves; only the hashes of rows and evaluators come from the
//! journal of a run.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use honeyhive_harness::baseline::SCHEMA;
use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;
use serde_json::{Value, json};

mod slices;
mod trend;

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("regression", include_str!("evals/regression.rs")));

/// Returns the default path of the baseline of an experiment.
fn file(experiment: &str) -> PathBuf {
    PROJECT.directory().join("baselines").join(format!("{experiment}.json"))
}

/// Runs an experiment in which the first `bad` cases are bad.
fn run(experiment: &str, bad: u32) -> Run {
    PROJECT.evals([format!("{experiment}::")]).env("BAD", bad.to_string()).run()
}

/// Returns an accepted baseline in which `score` gives the score of each case, the number of its
/// attempts, and the number of its good attempts.
fn baseline(run: &Run, score: impl Fn(usize) -> (f64, u32, Option<u32>)) -> Value {
    let [experiment] = &run.experiments()[..] else { panic!("one experiment") };
    let names = experiment.evaluators.iter().map(|evaluator| evaluator.name.as_str());
    let names: Vec<&str> = names.collect();
    let cases = run.cases().into_iter().map(|case| {
        let n: usize = case.case.parse().expect("cases are numbers here");
        let (score, attempts, good) = score(n);
        let score = match good {
            Some(good) => json!({"score": score, "attempts": attempts, "good": good}),
            None => json!({"score": score, "attempts": attempts}),
        };
        let scores: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), score.clone())).collect();
        (case.case, json!({"row": case.row_hash, "scores": scores}))
    });
    let evaluators = experiment.evaluators.iter().map(|evaluator| {
        let print = json!({
            "source": evaluator.source_hash, "settings": evaluator.settings,
            "direction": evaluator.direction, "reduce": evaluator.reduce,
        });
        (evaluator.name.clone(), print)
    });
    json!({
        "schema": 1,
        "experiment": experiment.experiment,
        "accepted_at": "2025-11-20T08:00:00Z",
        "commit": "9f3e1c2b4d5a69788796a5b4c3d2e1f00f1e2d3c",
        "evaluators": evaluators.collect::<serde_json::Map<_, _>>(),
        "files": experiment.files,
        "metadata": experiment.metadata,
        "cases": cases.collect::<serde_json::Map<_, _>>(),
    })
}

fn write(path: PathBuf, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("a directory");
    fs::write(path, text).expect("a file can be written");
}

/// Writes a baseline in which every case was good, and returns it.
fn all_good(experiment: &str) -> Value {
    let good = baseline(&run(experiment, 0), |_| (1.0, 1, None));
    write(file(experiment), good.to_string());
    good
}

/// Replaces the age of the baseline, which changes each day.
fn ageless(text: &str) -> String {
    let mut parts = text.split("accepted ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once(" (2025-11-20") {
        Some((age, rest)) => {
            assert!(age.ends_with(" days ago"), "{age}");
            text + "accepted <age> (2025-11-20" + rest
        }
        None => text + "accepted " + part,
    })
}

/// Returns the verdict of the one gate and of each of its rules, from the journal.
fn rules(run: &Run) -> String {
    let [gate] = &run.gates()[..] else { panic!("one gate was expected:\n{}", run.output()) };
    let lines = gate.rules.iter().map(|rule| format!("{:?}: {}\n", rule.verdict, rule.text));
    let text = format!("{:?}\n{}", gate.verdict, lines.collect::<String>());
    ageless(&run.normalize(&text))
}

fn report(run: &Run) -> String {
    ageless(&run.report())
}

// ---- no_regression ----

#[test]
fn a_loss_that_is_more_than_chance_fails() {
    all_good("plain");
    let same = run("plain", 0);
    assert_eq!(same.code, Some(0), "{}", same.output());
    assert_snapshot!(rules(&same), @"
    Pass
    Pass: no_regression(points): 1 was 1, p = 1, n = 20; 0 better, 0 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2)
    ");
    // The p of 4 cases that got worse is 1/16, that of 5 is 1/32.
    let chance = run("plain", 4);
    assert_eq!(chance.code, Some(0), "{}", chance.output());
    assert_snapshot!(rules(&chance), @"
    Pass
    Pass: no_regression(points): 0.8 was 1, down 0.2 (95 % of the gain -0.392 to -0.008), p = 0.062, n = 20; 0 better, 4 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.236
    ");
    let worse = run("plain", 5);
    assert_eq!(worse.code, Some(101));
    assert_snapshot!(ageless(&worse.failure("plain::gate")), @"no_regression(points): 0.75 was 1, down 0.25 (95 % of the gain -0.458 to -0.042), p = 0.031, n = 20");
    let gate = &worse.gates()[0];
    let against = gate.rules[0].against.as_ref().expect("a comparison");
    assert_eq!((against.better, against.worse, against.p.to_bits()), (0, 5, 0.03125_f64.to_bits()));
    assert_eq!(against.moved, ["01", "02", "03", "04", "05"]);
    assert!((against.gain + 0.25).abs() < 1e-12 && !against.improved);
    let baseline = gate.baseline.as_ref().expect("a baseline");
    assert_eq!(baseline.accepted_at, "2025-11-20T08:00:00Z");
    assert!(baseline.file.ends_with("baselines/plain.json") && baseline.changed.is_empty());
}

#[test]
fn a_gain_is_said_to_be_one() {
    let bad = baseline(&run("improved", 0), |n| (f64::from(u8::from(n > 6)), 1, None));
    write(file("improved"), bad.to_string());
    let run = run("improved", 0);
    assert_eq!(run.code, Some(0));
    assert_snapshot!(rules(&run), @"
    Pass
    Pass: no_regression(correct): 1 was 0.7, up 0.3 (95 % of the gain 0.08 to 0.52), p = 0.016, n = 20; improved: 6 better, 0 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.27
    ");
    assert!(run.gates()[0].rules[0].against.as_ref().is_some_and(|against| against.improved));
}

#[test]
fn no_regression_leaves_misses_to_their_cases() {
    // One miss is not a regression, but it fails its case.
    let good = baseline(&run("judged", 0), |_| (1.0, 1, Some(1)));
    write(file("judged"), good.to_string());
    let run = run("judged", 1);
    assert_eq!(run.tests()["judged::01"], "FAILED");
    assert_eq!(run.tests()["judged::gate"], "ok");
}

#[test]
fn where_less_is_better_a_rise_fails() {
    let path = PROJECT.directory().join("data/minimal.json");
    let low = baseline(&run("minimal", 0), |_| (9.0, 1, None));
    write(path.clone(), low.to_string());
    let worse = run("minimal", 6);
    assert_eq!(worse.code, Some(101));
    assert_snapshot!(rules(&worse), @"
    Fail
    Fail: no_regression(distance): 9.3 was 9, up 0.3 (95 % of the gain -0.52 to -0.08), p = 0.016, n = 20; 0 better, 6 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 01 (9 → 10), 02 (9 → 10), 03 (9 → 10)
    ");
    let high = baseline(&run("minimal", 0), |n| (if n <= 6 { 10.0 } else { 9.0 }, 1, None));
    write(path, high.to_string());
    assert_snapshot!(rules(&run("minimal", 0)), @"
    Pass
    Pass: no_regression(distance): 9 was 9.3, down 0.3 (95 % of the gain 0.08 to 0.52), p = 0.016, n = 20; improved: 6 better, 0 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.27
    ");
}

#[test]
fn margin_and_alpha_must_both_be_passed() {
    all_good("strict");
    // The loss of 0.2 is less than the margin of 0.25; a p of 1/16 is more than either alpha.
    assert_snapshot!(rules(&run("strict", 4)), @"
    Pass
    Pass: no_regression(points, margin = 0.25): 0.8 was 1, down 0.2 (95 % of the gain -0.392 to -0.008), p = 0.062, n = 20; 0 better, 4 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.327
    Pass: no_regression(points, alpha = 0.01): 0.8 was 1, down 0.2 (95 % of the gain -0.392 to -0.008), p = 0.062, n = 20; 0 better, 4 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.31
    ");
    // The loss is exactly the margin; p is 1/32, and twice that with Holm's correction.
    assert_snapshot!(rules(&run("strict", 5)), @"
    Fail
    Fail: no_regression(points, margin = 0.25): 0.75 was 1, down 0.25 (95 % of the gain -0.458 to -0.042), p = 0.031, n = 20; 0 better, 5 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 01 (1 → 0), 02 (1 → 0), 03 (1 → 0)
    Pass: no_regression(points, alpha = 0.01): 0.75 was 1, down 0.25 (95 % of the gain -0.458 to -0.042), p = 0.031, n = 20; 0 better, 5 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.336
    ");
    assert_snapshot!(rules(&run("strict", 8)), @"
    Fail
    Fail: no_regression(points, margin = 0.25): 0.6 was 1, down 0.4 (95 % of the gain -0.635 to -0.165), p = 0.004, n = 20; 0 better, 8 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 01 (1 → 0), 02 (1 → 0), 03 (1 → 0)
    Fail: no_regression(points, alpha = 0.01): 0.6 was 1, down 0.4 (95 % of the gain -0.635 to -0.165), p = 0.004, n = 20; 0 better, 8 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 01 (1 → 0), 02 (1 → 0), 03 (1 → 0)
    ");
}

#[test]
fn a_slice_compares_its_cases_alone() {
    all_good("sliced");
    let run = run("sliced", 8);
    assert_eq!(run.code, Some(101));
    assert_snapshot!(rules(&run), @r#"
    Fail
    Fail: no_regression(points, slice = "size:low"): 0.333 was 1, down 0.667 (95 % of the gain -0.98 to -0.354), p = 0.004, n = 12; 0 better, 8 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 01 (1 → 0), 02 (1 → 0), 03 (1 → 0)
    Inconclusive: no_regression(points, slice = "size:high"): only 8 cases can be compared with the baseline accepted <age> (2025-11-20, at 9f3e1c2); it takes 10
    Fail: no_regression(points, slice = "size:medium"): no case is in the slice `size:medium`; check its spelling in metadata and tags
    "#);
}

#[test]
fn clusters_are_flipped_as_a_whole() {
    all_good("clustered");
    // The bad cases are in three documents, so p is that of three coins.
    let run = run("clustered", 11);
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_snapshot!(rules(&run), @"
    Pass
    Pass: no_regression(points): 0.45 was 1, down 0.55, p = 0.125 in 6 clusters, n = 20; 0 better, 11 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.669
    ");
}

#[test]
fn fewer_than_ten_pairs_say_nothing() {
    all_good("few");
    assert_snapshot!(report(&run("few", 9)), @"
    exit code 0
    few::01    ok  pass
    few::02    ok  pass
    few::03    ok  pass
    few::04    ok  pass
    few::05    ok  pass
    few::06    ok  pass
    few::07    ok  pass
    few::08    ok  pass
    few::09    ok  pass
    few::gate  ignored (no_regression(points): only 9 cases can be compared with the baseline accepted <age> (2025-11-20, at 9f3e1c2); it takes 10)
    ");
    let required = PROJECT.evals(["few::"]).env("CI", "true").run();
    assert_eq!((required.code, required.tests()["few::gate"].as_str()), (Some(101), "FAILED"));
}

#[test]
fn what_changed_is_said_and_edited_rows_are_not_compared() {
    let mut before = all_good("edited_rows");
    before["files"]["Cargo.toml"] = "0123456789abcdef".into();
    before["files"]["prompts/old.md"] = "0123456789abcdef".into();
    before["metadata"]["model"] = "small".into();
    before["cases"]["99"] = before["cases"]["01"].clone();
    write(file("edited_rows"), before.to_string());
    let run = |edited: &str| {
        PROJECT.evals(["edited_rows::"]).env("BAD", "12").env("EDITED", edited).run()
    };
    let two = run("2");
    assert_eq!(two.code, Some(101));
    assert_snapshot!(rules(&two), @"
    Fail
    Fail: no_regression(points, coverage = 0.7): 0 was 1, down 1, p < 0.001, n = 10 of 13; 0 better, 10 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); coverage down to 0.7 is allowed: 2 rows edited (01, 02), 1 row removed (99); changed since: Cargo.toml, prompts/old.md (gone), model small → large, 1 row removed, 2 rows edited; worst: 03 (1 → 0), 04 (1 → 0), 05 (1 → 0)
    ");
    assert_eq!(two.gates()[0].baseline.as_ref().expect("a baseline").changed.len(), 4);
    // With a third edited row, 9 pairs are left.
    assert_snapshot!(rules(&run("3")), @"
    Inconclusive
    Inconclusive: no_regression(points, coverage = 0.7): only 9 of 13 cases can be compared with the baseline accepted <age> (2025-11-20, at 9f3e1c2) (69 %, needs 70 %): 3 rows edited (01, 02, 03), 1 row removed (99); accept a run, or write `coverage = ..` in the rule
    ");
}

// ---- no_collapse ----

#[test]
fn a_case_that_always_held_and_never_does_fails() {
    let good = baseline(&run("collapsing", 0), |_| (1.0, 3, Some(3)));
    write(file("collapsing"), good.to_string());
    assert_snapshot!(rules(&run("collapsing", 0)), @"
    Pass
    Pass: mean(correct) >= 0.1: 1, n = 20, 95 % 0.839 to 1
    Pass: no_collapse(correct): 0 of 20 cases collapsed since the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice 1 lost case
    ");
    let one = run("collapsing", 1);
    assert_eq!(one.code, Some(101));
    assert_snapshot!(rules(&one), @"
    Fail
    Pass: mean(correct) >= 0.1: 0.95, n = 20, 95 % 0.764 to 0.991; worst: 01 (0)
    Fail: no_collapse(correct): 1 of 20 cases collapsed since the baseline accepted <age> (2025-11-20, at 9f3e1c2), p = 0.05: 01; nothing that is tracked has changed since (code that the function and the evaluators call is not tracked)
    ");
    // Where a few cases are unstable, one collapse may be chance: each could as well be all good
    // and all bad.
    let flickering = baseline(&run("collapsing", 0), |n| match n {
        // A collapse needs three good attempts of six in both runs, which these cases have.
        2..=4 => (0.0, 3, Some(0)),
        _ => (1.0, 3, Some(3)),
    });
    write(file("collapsing"), flickering.to_string());
    assert_snapshot!(rules(&run("collapsing", 1)), @"
    Pass
    Pass: mean(correct) >= 0.1: 0.95, n = 20, 95 % 0.764 to 0.991; worst: 01 (0)
    Pass: no_collapse(correct): 1 of 17 cases collapsed since the baseline accepted <age> (2025-11-20, at 9f3e1c2), p = 0.185: 01; would notice 2 lost cases
    ");
}

// ---- several rules ----

#[test]
fn tests_of_one_gate_are_corrected_together() {
    let good = baseline(&run("several", 0), |_| (1.0, 1, Some(1)));
    write(file("several"), good.to_string());
    // Alone, a p of 1/32 would be significant.
    let five = run("several", 5);
    assert_eq!(five.code, Some(101), "{}", five.output());
    assert_snapshot!(rules(&five), @"
    Fail
    Pass: no_regression(points): 0.75 was 1, down 0.25 (95 % of the gain -0.458 to -0.042), p = 0.094 (corrected for 3 tests), n = 20; 0 better, 5 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.312
    Pass: no_regression(other): 0.75 was 1, down 0.25 (95 % of the gain -0.458 to -0.042), p = 0.094 (corrected for 3 tests), n = 20; 0 better, 5 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice -0.312
    Pass: no_collapse(brief): 0 of 20 cases collapsed since the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice 6 lost cases
    Fail: not_worse(mean(points) >= 0.95): 0.75, n = 20, 95 % 0.531 to 0.888, one-sided 95 % upper bound 0.873; worst: 01 (0), 02 (0), 03 (0)
    ");
    let eight = run("several", 8);
    assert_snapshot!(rules(&eight), @"
    Fail
    Fail: no_regression(points): 0.6 was 1, down 0.4 (95 % of the gain -0.635 to -0.165), p = 0.012 (corrected for 3 tests), n = 20; 0 better, 8 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 01 (1 → 0), 02 (1 → 0), 03 (1 → 0)
    Fail: no_regression(other): 0.6 was 1, down 0.4 (95 % of the gain -0.635 to -0.165), p = 0.012 (corrected for 3 tests), n = 20; 0 better, 8 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 01 (1 → 0), 02 (1 → 0), 03 (1 → 0)
    Pass: no_collapse(brief): 0 of 20 cases collapsed since the baseline accepted <age> (2025-11-20, at 9f3e1c2); would notice 6 lost cases
    Fail: not_worse(mean(points) >= 0.95): 0.6, n = 20, 95 % 0.387 to 0.781, one-sided 95 % upper bound 0.758; worst: 01 (0), 02 (0), 03 (0)
    ");
    let against = eight.gates()[0].rules[0].against.clone().expect("a comparison");
    assert!((against.p - 0.5_f64.powi(8)).abs() < 1e-12);
    assert!(against.p_adjusted.is_some_and(|adjusted| adjusted > against.p));
}

// ---- no verdict ----

#[test]
fn without_a_baseline_there_is_no_verdict_but_the_remedy() {
    let _ = fs::remove_file(file("no_baseline"));
    let here = run("no_baseline", 0);
    assert_snapshot!(here.normalize(&here.tests()["no_baseline::gate"]), @"ignored (no_regression(points): no baseline yet; `cargo honeyhive accept` writes baselines/no_baseline.json from a recorded run)");
    assert_eq!(here.code, Some(0));
    assert_snapshot!(rules(&here), @"
    Inconclusive
    Inconclusive: no_regression(points): no baseline yet; `cargo honeyhive accept` writes baselines/no_baseline.json from a recorded run
    Pass: mean(points) >= 0.5: 1, n = 20, 95 % 0.839 to 1
    ");
    for variable in ["CI", "HH_REQUIRE_GATES"] {
        let run = PROJECT.evals(["no_baseline::"]).env(variable, "true").run();
        assert_eq!(run.code, Some(101), "{variable}");
        let text = run.failure("no_baseline::gate");
        assert!(text.starts_with("inconclusive, and gates must decide here"), "{text}");
        assert!(text.contains("cargo honeyhive accept"), "{text}");
    }
    // A limit that does not hold still fails the gate.
    assert_eq!(run("no_baseline", 15).code, Some(101));
}

#[test]
fn a_file_that_is_no_baseline_of_this_experiment_is_never_a_pass() {
    let good = all_good("wrong_file");
    assert_eq!(run("wrong_file", 0).tests()["wrong_file::gate"], "ok");
    let with = |key: &str, value: Value| {
        let mut file = good.clone();
        file[key] = value;
        file.to_string()
    };
    let torn = good.to_string();
    let mut texts = String::new();
    for (what, text) in [
        ("torn", torn[..torn.len() / 2].to_owned()),
        ("empty", String::new()),
        ("a conflict", format!("<<<<<<< HEAD\n{torn}")),
        ("no object", "[]".to_owned()),
        ("newer", with("schema", (SCHEMA + 1).into())),
        ("newer, with more", with("schema", json!(SCHEMA + 1)).replacen('{', "{\"more\":1,", 1)),
        ("other", with("experiment", "plain".into())),
        ("a misspelt key", torn.replacen("\"cases\"", "\"casse\"", 1)),
        ("no cases", with("cases", json!({}))),
        ("a score that is no number", torn.replacen("\"score\":1.0", "\"score\":\"1\"", 1)),
        ("no attempts", torn.replacen("\"attempts\":1", "\"attempts\":0", 1)),
        ("twice the same case", torn.replacen("\"02\":", "\"01\":", 1)),
    ] {
        write(file("wrong_file"), text);
        let run = run("wrong_file", 0);
        let verdict = &run.tests()["wrong_file::gate"];
        assert!(verdict.starts_with("ignored"), "{what}: {verdict}");
        assert_eq!(
            run.gates()[0].rules[0].verdict,
            honeyhive_harness::journal::Verdict::Inconclusive
        );
        texts.push_str(&format!("{what}: {}\n", ageless(&run.normalize(verdict)).trim_end()));
        let required = PROJECT.evals(["wrong_file::"]).env("CI", "true").run();
        assert_eq!(required.code, Some(101), "{what}");
    }
    assert_snapshot!(texts, @r#"
    torn: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: EOF while parsing a string at line 1 column 924; fix it, or replace it with `cargo honeyhive accept`)
    empty: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: EOF while parsing a value at line 1 column 0; fix it, or replace it with `cargo honeyhive accept`)
    a conflict: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: expected value at line 1 column 1; fix it, or replace it with `cargo honeyhive accept`)
    no object: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: invalid length 0, expected an object with `schema` at line 1 column 2; fix it, or replace it with `cargo honeyhive accept`)
    newer: ignored (no_regression(points): baselines/wrong_file.json: written by a later honeyhive-harness (schema 3, this one knows 2); update it)
    newer, with more: ignored (no_regression(points): baselines/wrong_file.json: written by a later honeyhive-harness (schema 3, this one knows 2); update it)
    other: ignored (no_regression(points): baselines/wrong_file.json is the baseline of the experiment `plain`)
    a misspelt key: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: unknown field `casse`, expected one of `schema`, `experiment`, `accepted_at`, `commit`, `dirty`, `invocation`, `dataset`, `evaluators`, `files`, `metadata`, `models`, `slices`, `cases` at line 1 column 45; fix it, or replace it with `cargo honeyhive accept`)
    no cases: ignored (no_regression(points): only 0 of 20 cases can be compared with the baseline accepted <age> (2025-11-20, at 9f3e1c2) (0 %, needs 95 %): 20 rows added (01, 02, 03, 04, 05, …); accept a run, or write `coverage = ..` in the rule)
    a score that is no number: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: invalid type: string "1", expected f64 at line 1 column 122; fix it, or replace it with `cargo honeyhive accept`)
    no attempts: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: a score of 0 attempts is none at line 1 column 124; fix it, or replace it with `cargo honeyhive accept`)
    twice the same case: ignored (no_regression(points): baselines/wrong_file.json:1: not a baseline: `01` stands here twice at line 1 column 130; fix it, or replace it with `cargo honeyhive accept`)
    "#);
}

#[test]
fn scores_of_another_evaluator_are_not_compared() {
    let good = all_good("other_evaluator");
    let mut texts = String::new();
    for (key, value) in [
        ("source", "0123456789abcdef"),
        ("settings", "min = 3"),
        ("direction", "minimize"),
        ("reduce", "median"),
    ] {
        let mut file = good.clone();
        file["evaluators"]["points"][key] = value.into();
        write(self::file("other_evaluator"), file.to_string());
        let run = run("other_evaluator", 20);
        assert_eq!(run.code, Some(0));
        texts.push_str(&rules(&run));
    }
    let mut file = good;
    file["evaluators"] = json!({});
    write(self::file("other_evaluator"), file.to_string());
    texts.push_str(&rules(&run("other_evaluator", 20)));
    assert_snapshot!(texts, @"
    Inconclusive
    Inconclusive: no_regression(points): the source of evaluator `points` changed since the baseline, so it measures something else; accept a run with `cargo honeyhive accept`
    Inconclusive
    Inconclusive: no_regression(points): the settings of evaluator `points` changed since the baseline, so it measures something else; accept a run with `cargo honeyhive accept`
    Inconclusive
    Inconclusive: no_regression(points): the direction of evaluator `points` changed since the baseline, so it measures something else; accept a run with `cargo honeyhive accept`
    Inconclusive
    Inconclusive: no_regression(points): the reducer of evaluator `points` changed since the baseline, so it measures something else; accept a run with `cargo honeyhive accept`
    Inconclusive
    Inconclusive: no_regression(points): `points` is not in the baseline; accept a run with `cargo honeyhive accept`
    ");
}

#[test]
fn under_95_percent_scored_nothing_is_compared() {
    all_good("erring");
    let run = |err: &str| PROJECT.evals(["erring::"]).env("ERR", err).env("BAD", "8").run();
    assert_snapshot!(rules(&run("2")), @"
    Inconclusive
    Inconclusive: no_regression(points): only 18 of 20 cases scored (90 %, needs 95 %)
    Inconclusive: no_regression(points, margin = 0.1): only 18 of 20 cases scored (90 %, needs 95 %)
    Pass: error_rate <= 1: 0.1, n = 20, 95 % 0.028 to 0.301; worst: 01, 02
    ");
    assert_snapshot!(rules(&run("1")), @"
    Fail
    Fail: no_regression(points): 0.632 was 1, down 0.368 (95 % of the gain -0.607 to -0.13), p = 0.008, n = 19 of 20; 0 better, 7 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 02 (1 → 0), 03 (1 → 0), 04 (1 → 0)
    Fail: no_regression(points, margin = 0.1): 0.632 was 1, down 0.368 (95 % of the gain -0.607 to -0.13), p = 0.008, n = 19 of 20; 0 better, 7 worse than the baseline accepted <age> (2025-11-20, at 9f3e1c2); nothing that is tracked has changed since (code that the function and the evaluators call is not tracked); worst: 02 (1 → 0), 03 (1 → 0), 04 (1 → 0)
    Pass: error_rate <= 1: 0.05, n = 20, 95 % 0.009 to 0.236; worst: 01
    ");
}

#[test]
fn a_partial_selection_and_a_sample_are_not_compared() {
    all_good("partial");
    let partial = PROJECT.evals(["partial::0", "partial::gate"]).env("BAD", "20").run();
    assert_snapshot!(partial.tests()["partial::gate"], @"ignored (a gate judges all 20 cases; 2 filters selected 9)");
    let sample = PROJECT.evals(["partial::"]).env("BAD", "20").env("HH_SAMPLE", "15").run();
    assert_snapshot!(sample.tests()["partial::gate"], @"ignored (a sample of 15 of 20 cases (HH_SAMPLE=15, seed 0) is not final; a gate judges all)");
    assert_eq!(sample.code, Some(0));
}

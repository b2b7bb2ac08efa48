//! Tests baselines and the subcommands that use them: accept, compare, gate, rejudge, plan, review,
//! merge, run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;
use serde_json::Value;

mod attempts;

fn project(name: &str) -> Project {
    let rows = ["alpha", "beta", "gamma", "delta", "epsilon"]
        .map(|text| {
            let truth = if text == "beta" { "wrong label".to_owned() } else { text.to_uppercase() };
            serde_json::json!({"id": text, "text": text, "ground_truth": truth}).to_string() + "\n"
        })
        .concat();
    Project::with_evals(name, include_str!("evals/baselines.rs"))
        .file("data/edited.jsonl", rows)
        .file("prompts/system.md", "Be brief.\n")
}

static PROJECT: LazyLock<Project> = LazyLock::new(|| project("baselines"));

/// A lock for the two tests that write the baseline of the experiment `unlucky`.
static UNLUCKY: Mutex<()> = Mutex::new(());

fn baseline(experiment: &str) -> PathBuf {
    PROJECT.directory().join(format!("baselines/{experiment}.json"))
}

/// Runs an experiment in which `good` of each ten cases are right.
fn run(experiment: &str, good: u32) -> Run {
    PROJECT.evals([format!("{experiment}::")]).env("GOOD", good.to_string()).run()
}

/// Runs `cargo honeyhive` on the journal of a run; returns its exit code, standard output and
/// standard error.
fn honeyhive(run: &Run, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (code, stdout, stderr) =
        PROJECT.honeyhive(arguments).env("HH_DIR", run.directory().join("journal")).run();
    (code, stable(&stdout, run), stable(&stderr, run))
}

/// Puts placeholders for days, paths and names of runs.
fn stable(text: &str, run: &Run) -> String {
    let project = PROJECT.directory().display().to_string();
    let text = text.replace(&project, "<project>");
    let text = text.replace(&run.directory().display().to_string(), "<scratch>");
    let word = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        match core {
            _ if core.len() == 10 && digits == 8 && core.contains('-') => {
                word.replace(core, "<day>")
            }
            _ if core.len() == 22 && core.contains('T') && digits >= 14 => {
                word.replace(core, "<run>")
            }
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(|text| line(text).trim_end().to_owned() + "\n").collect()
}

fn accept(experiment: &str, good: u32) -> Run {
    let _ = fs::remove_file(baseline(experiment));
    let accepted = run(experiment, good);
    let (code, stdout, stderr) = honeyhive(&accepted, &["accept"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    accepted
}

fn gate_text(run: &Run) -> String {
    let [gate] = &run.gates()[..] else { panic!("one gate was expected:\n{}", run.output()) };
    let rules = gate.rules.iter().map(|rule| format!("{:?}: {}\n", rule.verdict, rule.text));
    stable(&format!("{:?}\n{}", gate.verdict, rules.collect::<String>()), run)
}

// ---- accept, and rules that look at the baseline ----

#[test]
fn a_regression_against_the_accepted_run_fails_and_says_what_changed() {
    // One test covers all states of a baseline: none, accepted, unchanged, worse, better.
    let _ = fs::remove_file(baseline("moves"));
    let first = run("moves", 8);
    assert_eq!(first.code, Some(0), "{}", first.output());
    assert!(gate_text(&first).starts_with("Inconclusive\nPass: mean(right) >= 0.3"));
    assert_snapshot!(gate_text(&first).lines().nth(2).unwrap_or_default(), @"Inconclusive: no_regression(right): no baseline yet; `cargo honeyhive accept` writes baselines/moves.json from a recorded run");
    let in_ci = PROJECT.evals(["moves::"]).env("CI", "true").run();
    assert_eq!(in_ci.code, Some(101), "no baseline is a failure in CI");

    let (code, stdout, stderr) = honeyhive(&first, &["accept"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_snapshot!(stdout, @"
    accepted moves: 40 cases, length 1.4, right 0.8
      baselines/moves.json
    ");
    let written = fs::read_to_string(baseline("moves")).expect("a baseline");
    let parsed: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(
        parsed["cases"]["n08"]["scores"]["right"],
        serde_json::json!({"score": 0.0, "attempts": 1, "good": 0})
    );
    assert_eq!(parsed["metadata"]["model"], "small");
    assert_eq!(parsed["files"]["prompts/system.md"].as_str().map(str::len), Some(16));
    assert_eq!(written.lines().filter(|line| line.contains("\"row\"")).count(), 40, "a line each");

    let same = run("moves", 8);
    assert_snapshot!(gate_text(&same), @"
    Pass
    Pass: mean(right) >= 0.3: 0.8, n = 40, 95 % 0.652 to 0.895; worst: n08 (0), n09 (0), n18 (0)
    Pass: no_regression(right): 0.8 was 0.8, p = 1 (corrected for 2 tests), n = 40; 0 better, 0 worse than the baseline accepted today (<day>); would notice -0.15
    Pass: no_regression(length, margin = 0.1): 1.4 was 1.4, p = 1 (corrected for 2 tests), n = 40; 0 better, 0 worse than the baseline accepted today (<day>)
    ");
    let (_, stdout, _) = honeyhive(&same, &["accept"]);
    assert!(stdout.starts_with("unchanged moves: 40 cases"), "{stdout}");
    assert_eq!(fs::read_to_string(baseline("moves")).expect("a baseline"), written);

    fs::write(PROJECT.directory().join("prompts/system.md"), "Be long.\n").expect("a prompt");
    let worse = run("moves", 6);
    fs::write(PROJECT.directory().join("prompts/system.md"), "Be brief.\n").expect("a prompt");
    assert_eq!(worse.code, Some(101));
    assert_snapshot!(gate_text(&worse), @"
    Fail
    Pass: mean(right) >= 0.3: 0.6, n = 40, 95 % 0.446 to 0.737; worst: n06 (0), n07 (0), n08 (0)
    Fail: no_regression(right): 0.6 was 0.8, down 0.2 (95 % of the gain -0.33 to -0.07), p = 0.008 (corrected for 2 tests), n = 40; 0 better, 8 worse than the baseline accepted today (<day>); changed since: prompts/system.md; worst: n06 (1 → 0), n07 (1 → 0), n16 (1 → 0)
    Fail: no_regression(length, margin = 0.1): 1.8 was 1.4, up 0.4 (95 % of the gain -0.659 to -0.141), p = 0.008 (corrected for 2 tests), n = 40; 0 better, 8 worse than the baseline accepted today (<day>); changed since: prompts/system.md; worst: n06 (1 → 3), n07 (1 → 3), n16 (1 → 3)
    ");
    let report = worse.stdout.replace('\u{a0}', " ");
    assert!(report.contains("changed since: prompts/system.md"), "{report}");

    let better = run("moves", 10);
    assert_eq!(better.code, Some(0), "{}", better.output());
    let text = gate_text(&better);
    assert!(text.contains("p = 0.008, n = 40; improved: 8 better, 0 worse"), "{text}");
    assert!(better.stdout.contains("no_regression +0.2 improved"), "{}", better.stdout);
}

#[test]
fn a_case_that_always_held_and_never_does_now_is_found() {
    let file = PROJECT.directory().join("kept/collapses.json");
    let _ = fs::remove_file(&file);
    let first = run("collapses", 8);
    let (code, stdout, _) = honeyhive(&first, &["accept"]);
    assert_eq!(code, Some(0), "{stdout}");
    assert!(file.is_file(), "where `baseline` says");
    let now = run("collapses", 7);
    assert_eq!(now.code, Some(101));
    let text = gate_text(&now);
    let rule = text.lines().find(|line| line.contains("no_collapse")).unwrap_or_default();
    assert_snapshot!(rule, @"Fail: no_collapse(right): 4 of 32 cases collapsed since the baseline accepted today (<day>), p < 0.001: n07, n17, n27, n37; nothing that is tracked has changed since (code that the function and the evaluators call is not tracked)");
}

#[test]
fn accept_takes_whole_runs_and_no_others() {
    let none = "baselines/ungated.json";
    let _ = fs::remove_file(baseline("ungated"));
    let partial = PROJECT.evals(["ungated::n0"]).run();
    let (code, _, stderr) = honeyhive(&partial, &["accept"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains(
            "`ungated` of <run> cannot be accepted: only 10 of 40 cases ran; run them all"
        ),
        "{stderr}"
    );
    let sampled = PROJECT.evals(["ungated::"]).env("HH_SAMPLE", "5").run();
    let (code, _, stderr) = honeyhive(&sampled, &["accept"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("it ran on a sample of 5 cases; a baseline has all of them"),
        "{stderr}"
    );
    let whole = run("ungated", 8);
    let in_ci = PROJECT.honeyhive(["accept"]).env("HH_DIR", whole.directory().join("journal"));
    let (code, _, stderr) = in_ci.env("CI", "true").run();
    assert_eq!(code, Some(1));
    assert!(stderr.contains("a baseline is accepted by a person, not in CI"), "{stderr}");
    let (code, _, stderr) = honeyhive(&whole, &["accept", "-e", "ungatd"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no experiment `ungatd`; did you mean `ungated`?"), "{stderr}");
    assert!(!PROJECT.directory().join(none).exists());
}

#[test]
fn attempts_are_added_to_a_baseline() {
    let first = accept("plain", 8);
    let second = run("plain", 8);
    let (code, stdout, stderr) = honeyhive(&second, &["accept", "--add"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("accepted plain: 40 cases, right 0.8"), "{stdout}");
    let written = fs::read_to_string(baseline("plain")).expect("a baseline");
    assert!(written.contains(r#""right":{"score":1.0,"attempts":6,"good":6}"#), "{written}");
    let (code, _, stderr) = honeyhive(&second, &["accept", "--add"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("is in the baseline already"), "{stderr}");
    drop(first);
}

// ---- a second look ----

#[test]
fn a_regression_is_red_only_if_a_second_look_confirms_it() {
    let first = accept("confirmed", 10);
    assert_eq!(first.notes("confirmed.txt").len(), 40, "no second look without a failure");
    // Eight cases get permanently worse.
    let worse = PROJECT.evals(["confirmed::"]).env("GOOD", "8").run();
    assert_eq!(worse.code, Some(101));
    assert!(
        worse.stderr.contains(
            "note: `confirmed`: a second look at 8 cases that got worse, 4 attempts each"
        ),
        "{}",
        worse.stderr
    );
    let text = gate_text(&worse);
    assert!(text.contains("; confirmed by a second look at 8 cases, p = 0.004"), "{text}");
    assert_eq!(worse.notes("confirmed.txt").len(), 40 + 8 * 4);
    let attempts = worse.attempts();
    let of_one: Vec<u32> =
        attempts.iter().filter(|one| one.case == "n08").map(|one| one.attempt).collect();
    assert_eq!(of_one, [1, 2, 3, 4, 5]);
    let structural = PROJECT.evals(["confirmed::"]).env("GOOD", "5").run();
    assert_eq!(structural.code, Some(101));
    let text = gate_text(&structural);
    assert!(text.contains("; no second look: 20 cases got worse, which is no accident"), "{text}");
    let (code, stdout, _) = honeyhive(&worse, &["gate", "--recorded"]);
    assert_eq!(code, Some(1), "all attempts together say so, too: {stdout}");
}

#[test]
fn bad_luck_is_not_confirmed() {
    let _one = UNLUCKY.lock().unwrap_or_else(PoisonError::into_inner);
    let file = baseline("unlucky");
    let _ = fs::remove_file(&file);
    let first = PROJECT.evals(["unlucky::"]).run();
    let (code, _, stderr) = honeyhive(&first, &["accept"]);
    assert_eq!(code, Some(0), "{stderr}");
    let run = PROJECT.evals(["unlucky::"]).env("UNLUCKY", "1").run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let text = gate_text(&run);
    assert!(text.starts_with("Pass\n"), "{text}");
    assert!(text.contains("; not confirmed by a second look at 6 cases, p = "), "{text}");
}

#[test]
fn a_second_look_that_says_nothing_takes_nothing_back() {
    let _one = UNLUCKY.lock().unwrap_or_else(PoisonError::into_inner);
    let file = baseline("unlucky");
    let _ = fs::remove_file(&file);
    let first = PROJECT.evals(["unlucky::"]).run();
    let (code, _, stderr) = honeyhive(&first, &["accept"]);
    assert_eq!(code, Some(0), "{stderr}");
    // None of the 30 attempts of the second look has a score.
    let run = PROJECT.evals(["unlucky::"]).env("UNLUCKY", "1").env("DOWN", "1").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let text = gate_text(&run);
    assert!(text.starts_with("Fail\n"), "{text}");
    assert!(text.contains("; a second look at 6 cases says nothing (only 40 of 70"), "{text}");
}

// ---- compare ----

#[test]
fn two_runs_are_compared_case_by_case() {
    // Both runs are in one directory of journals.
    let before = run("ungated", 8);
    let root = before.directory().join("journal");
    let after = PROJECT.evals(["ungated::"]).env("GOOD", "6").env("HH_DIR", &root).run();
    assert_eq!(after.code, Some(101));
    let (code, stdout, stderr) = honeyhive(&before, &["compare", "latest~1", "--cases", "2"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_snapshot!(stdout, @"
    ungated · <run> → <run>
      changed: nothing that is tracked

      evaluator  before  after    gain  95 % of the gain      p  better / worse
      right         0.8    0.6    -0.2  -0.33 to -0.07    0.008  0 / 8  worse
      p is two-sided

      worse by right
        n06  1 → 0
        n07  1 → 0
        … and 6 more (--cases)
    ");
    let (code, stdout, _) = honeyhive(&before, &["compare", "latest~1", "latest", "--json"]);
    assert_eq!(code, Some(0));
    let compared: Value = serde_json::from_str(&stdout).expect("JSON");
    let score = &compared[0]["scores"][0];
    assert_eq!((score["worse"].as_u64(), score["pairs"].as_u64()), (Some(8), Some(40)));
    assert_eq!(score["p"].as_f64(), Some(2.0 * 0.5_f64.powi(8)));
    assert_eq!(score["moved"][0], serde_json::json!({"case": "n06", "before": 1.0, "after": 0.0}));
    let (code, _, stderr) = honeyhive(&before, &["compare", "latest~7"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("there are only 2 runs in"), "{stderr}");
}

// ---- gate ----

#[test]
fn a_recorded_run_is_judged_by_the_rules_in_the_journal() {
    let bad = run("plain", 2);
    assert_eq!(bad.code, Some(101));
    let (code, stdout, _) = honeyhive(&bad, &["gate", "--recorded"]);
    assert_eq!(code, Some(1));
    assert_snapshot!(stdout, @"
    FAIL plain · 40 cases
      FAIL
        mean(right) >= 0.3: 0.2, n = 40, 95 % 0.105 to 0.348; worst: n02 (0), n03
        (0), n04 (0)
    ");
    let good = run("plain", 9);
    let (code, stdout, _) = honeyhive(&good, &["gate", "--recorded", "--json"]);
    assert_eq!(code, Some(0));
    let judged: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(judged[0]["verdict"], "pass");
    assert_eq!(judged[0]["gate"]["rules"][0]["value"], 0.9);
    // Cases count even where no gate decides about them.
    let broken = PROJECT.evals(["ungated::"]).env("GOOD", "10").env("BREAK", "1").run();
    let (code, stdout, _) = honeyhive(&broken, &["gate", "--recorded"]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("1 case that no gate decides\n    n05: panicked"), "{stdout}");
}

#[test]
fn shards_are_judged_together_and_not_before_all_are_there() {
    let one = PROJECT.evals(["plain::n0", "plain::n1"]).env("GOOD", "9").run();
    let two = PROJECT.evals(["plain::n2", "plain::n3"]).env("GOOD", "9").run();
    let of = |run: &Run| run.invocations()[0].display().to_string();
    let (code, stdout, _) = honeyhive(&one, &["gate", "--recorded"]);
    assert_eq!(code, Some(2), "{stdout}");
    assert!(stdout.contains("only 20 of 40 cases are recorded; a gate judges all"), "{stdout}");
    let (first, second) = (of(&one), of(&two));
    let (code, stdout, stderr) =
        honeyhive(&one, &["gate", "--recorded", "--merge", &first, &second]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.starts_with("PASS plain · 40 cases\n"), "{stdout}");
    let into = one.directory().join("all");
    let into = into.display().to_string();
    let (code, stdout, _) = honeyhive(&one, &["merge", &first, &second, "--into", &into]);
    assert_eq!(code, Some(0));
    assert_snapshot!(stdout, @"
    2 files copied into <scratch>/all
      plain: 40 cases
    ");
    let (code, stdout, _) = honeyhive(&one, &["merge", &first, "--into", &into]);
    assert_eq!((code, stdout.lines().next()), (Some(0), Some("0 files copied into <scratch>/all")));
    let file =
        fs::read_dir(&into).expect("files").next().expect("a file").expect("an entry").path();
    fs::write(&file, "{}\n").expect("a file");
    let (code, _, stderr) = honeyhive(&one, &["merge", &first, &second, "--into", &into]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("is there already with another content than"), "{stderr}");
}

#[test]
fn two_runs_of_the_same_cases_are_no_shards() {
    let good = PROJECT.evals(["plain::n0"]).env("GOOD", "40").run();
    let bad = PROJECT.evals(["plain::n0"]).env("GOOD", "0").run();
    let of = |run: &Run| run.invocations()[0].display().to_string();
    let (good_run, bad_run) = (of(&good), of(&bad));
    let into = good.directory().join("both");
    let into = into.display().to_string();
    let (code, stdout, stderr) = honeyhive(&good, &["merge", &bad_run, &good_run, "--into", &into]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("10 cases are in more than one of these, such as `n0"), "{stderr}");
    assert!(!Path::new(&into).exists());
    let (code, ..) = honeyhive(&good, &["gate", "--recorded", "--merge", &bad_run, &good_run]);
    assert_eq!(code, Some(1));
    // For a directory above the runs, the error names the runs in it.
    let above = Path::new(&good_run).parent().expect("a directory").display().to_string();
    let (_, _, stderr) = honeyhive(&good, &["merge", &above, "--into", &into]);
    assert!(stderr.contains("1 run below it: say which, or "), "{stderr}");
}

/// The test edits the sources of a project, so it does not share it.
#[test]
fn todays_rules_and_todays_evaluators_decide_about_recorded_outputs() {
    let source = include_str!("evals/baselines.rs");
    let before = project("baselines-edited");
    let recorded = before.evals(["edited::"]).run();
    assert_eq!(recorded.code, Some(0), "{}", recorded.output());
    assert_eq!(recorded.notes("called.txt").len(), 5);
    let then = recorded.attempt("beta");
    let journal = recorded.directory().join("journal");
    let gate = |project: &Project, arguments: &[&str]| {
        project.honeyhive([&["gate"], arguments].concat()).env("HH_DIR", &journal).run()
    };
    let (code, stdout, stderr) = gate(&before, &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");

    // The limit of the gate is raised.
    let strict = project("baselines-edited").file(
        "tests/evals.rs",
        source.replace("gate(mean(same) >= 0.6)", "gate(mean(same) >= 0.95)"),
    );
    let (code, stdout, stderr) = gate(&strict, &[]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.contains("FAIL\n    mean(same) >= 0.95: 0.8, n = 5"), "{stdout}");
    assert_eq!(gate(&strict, &["--recorded"]).0, Some(0), "the rules of then still hold");

    // The evaluator is replaced, and a wrong label is corrected.
    let rows = fs::read_to_string(before.directory().join("data/edited.jsonl")).expect("rows");
    let new = source.replace("output == ground_truth", "output.starts_with(ground_truth)");
    let rejudging = project("baselines-edited")
        .file("data/edited.jsonl", rows.replace("wrong label", "BETA"))
        .file("tests/evals.rs", &new);
    let (code, stdout, stderr) = rejudging
        .honeyhive(["rejudge", "-e", "edited"])
        .env("HH_DIR", &journal)
        .env("SCRATCH", recorded.directory())
        .run();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stderr.contains("5 recorded attempts of "), "{stderr}");
    assert!(stderr.contains("judged again; nothing is called but evaluators"), "{stderr}");
    assert_eq!(recorded.notes("called.txt").len(), 5, "the function was not called again");
    let (code, stdout, _) = gate(&rejudging, &["--json"]);
    assert_eq!(code, Some(0));
    let judged: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(judged[0]["gate"]["rules"][0]["value"], 1.0);
    // The new record has the recorded attempt with the new scores.
    let newest = newest(&journal);
    let text = fs::read_to_string(&newest).expect("a journal");
    let attempts: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|record: &Value| record["type"] == "attempt")
        .collect();
    let now = attempts.iter().find(|one| one["case"] == "beta").expect("beta");
    assert_eq!(now["output"], "BETA");
    assert_eq!(now["trace_id"], then.trace_id);
    assert_eq!(now["started_at"], then.started_at);
    assert_eq!(now["duration_ms"].as_f64(), Some(then.duration_ms));
    assert_eq!(now["scores"][0]["value"], true);
    let names: Vec<&str> = now["spans"]
        .as_array()
        .expect("spans")
        .iter()
        .filter_map(|span| span["name"].as_str())
        .collect();
    assert_eq!(names, ["edited", "evaluator.same"]);

    // An edited question needs a new output, so it is not judged.
    let edited = project("baselines-edited")
        .file("data/edited.jsonl", rows.replace("\"text\":\"gamma\"", "\"text\":\"other\""))
        .file("tests/evals.rs", &new);
    let (code, stdout, _) = edited
        .honeyhive(["rejudge", "-e", "edited", "latest~1"])
        .env("HH_DIR", &journal)
        .env("SCRATCH", recorded.directory())
        .run();
    assert_eq!(code, Some(1));
    assert!(stdout.contains("its inputs were edited since "), "{stdout}");
}

/// Returns the journal file that was written last.
fn newest(root: &Path) -> PathBuf {
    let directories = fs::read_dir(root).expect("journals").map(|one| one.expect("one").path());
    let files = directories.filter(|path| path.is_dir()).flat_map(|path| {
        fs::read_dir(path).expect("a journal").map(|one| one.expect("one").path())
    });
    let journals = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let time =
        |path: &PathBuf| fs::metadata(path).and_then(|data| data.modified()).expect("a time");
    journals.max_by_key(time).expect("a journal")
}

// ---- plan, review, run ----

#[test]
fn a_plan_says_what_it_takes_and_what_it_could_notice() {
    let ran = run("plain", 8);
    let (code, stdout, stderr) = honeyhive(&ran, &["plan", "--test", "evals", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let planned: Value = serde_json::from_str(&stdout).expect("JSON");
    let of = |name: &str| {
        let all = planned.as_array().expect("an array");
        all.iter().find(|one| one["experiment"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let plain = of("plain");
    assert_eq!((plain["cases"].as_u64(), plain["calls"].as_u64()), (Some(40), Some(120)));
    // The mean of 0.8 is far above the limit of 0.3.
    assert!(plain["rules"][0]["false_alarms"].as_f64().is_some_and(|share| share < 0.001));
    assert_eq!(of("collapses")["rules"][1]["false_alarms"], 0.05);
    let (code, stdout, _) = honeyhive(&ran, &["plan", "--test", "evals", "--repeats", "5"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("plain · 40 cases × 5 = 200 calls, about "), "{stdout}");
    assert!(
        stdout.contains("no_regression(right)\n    false alarms 5 %; notices a loss of "),
        "{stdout}"
    );
}

#[test]
fn a_review_shows_what_needs_a_look() {
    let ran = PROJECT.evals(["edited::"]).run();
    let (code, stdout, _) = honeyhive(&ran, &["review"]);
    assert_eq!(code, Some(0));
    assert_snapshot!(stdout, @"
    1/1 edited::beta  fail
        same is false
      same 0
      text
        beta
      expected
        wrong label
      output
        BETA
    ");
    let (_, stdout, _) = honeyhive(&ran, &["review", "--all", "--json"]);
    let all: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(all.as_array().map(Vec::len), Some(5));
    assert_eq!(all[0]["outputs"][0]["output"], "BETA", "the worst comes first");
}

#[test]
fn run_passes_its_switches_on_and_runs_again_what_failed() {
    let ran = PROJECT.evals(["ungated::"]).env("BREAK", "1").run();
    assert_eq!(ran.code, Some(101));
    let journal = ran.directory().join("journal");
    let run = |arguments: &[&str]| {
        PROJECT
            .honeyhive([&["run"], arguments].concat())
            .env("HH_DIR", &journal)
            .env("GOOD", "8")
            .run()
    };
    let (code, stdout, stderr) = run(&["--rerun", "errors"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stderr.contains("1 case of baselines/evals again"), "{stderr}");
    assert!(stdout.contains("PASS 1 case in 1 experiment"), "{stdout}");
    let sample = ["--sample", "5", "--seed", "7", "--filter", "plain::", "--repeats", "2"];
    let (code, stdout, _) = run(&[&sample[..], &["--", "--test", "evals"]].concat());
    assert_eq!(code, Some(0), "{stdout}");
    assert!(stdout.contains("5 of 40 cases × 2 · a sample, not final"), "{stdout}");
    assert!(stdout.contains("NOT FINAL"), "{stdout}");
    let (code, stdout, _) = run(&["--json", "--filter", "plain::n00", "--", "--test", "evals"]);
    assert_eq!(code, Some(0));
    let commands: Value = serde_json::from_str(&stdout).expect("JSON alone");
    assert_eq!(commands[0]["passed"], true);
    let (code, _, stderr) = run(&["--sample", "0"]);
    assert_eq!(code, Some(64));
    assert!(stderr.contains("invalid value '0' for '--sample <N>'"), "{stderr}");
}

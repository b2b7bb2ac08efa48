//! Tests cases that run several times, belong to a cluster, or are in a sample: their results and
//! the texts about them.

use std::sync::LazyLock;

use honeyhive_harness::ScoreValue;
use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("repeats", include_str!("evals/repeats.rs"))
        .file("data/prompts/a.md", "Be brief.")
        .file("data/prompts/b.md", "Be kind.")
        .file("data/schema.json", "{}")
});

fn run(filter: &str) -> Run {
    PROJECT.evals([filter]).run()
}

fn report(filter: &str) -> String {
    run(filter).report()
}

/// Returns the verdict of the one gate and of each of its rules, from the journal.
fn rules(run: &Run) -> String {
    let [gate] = &run.gates()[..] else { panic!("one gate was expected:\n{}", run.output()) };
    let lines = gate.rules.iter().map(|rule| format!("{:?}: {}\n", rule.verdict, rule.text));
    run.normalize(&format!("{:?}\n{}", gate.verdict, lines.collect::<String>()))
}

/// Returns the summary from the line that begins with this text.
fn summary(run: &Run, heading: &str) -> String {
    let output = run.normalize(&run.stdout);
    let from = output.lines().skip_while(|line| !line.starts_with(heading));
    from.map(|line| line.to_owned() + "\n").collect()
}

// ---- repeats and reducers ----

#[test]
fn each_reducer_makes_one_score_of_three_attempts() {
    assert_snapshot!(report("reduced::"), @"
    exit code 101
    reduced::nnn  FAILED  fail
        yes 0 over 3 attempts, needs >= 1
        two 0 of 3 attempts, needs at_least(2)
        any 0 of 3 attempts, needs pass_at(2)
        all 0 of 3 attempts, needs pass_all(2)
        middle 0 as median of 3 attempts, needs >= 1
        best 0 as max of 3 attempts, needs >= 1
        worst 0 as min of 3 attempts, needs >= 1
    reduced::nyn  FAILED  fail
        yes 0.333 over 3 attempts, needs >= 1
        two 1 of 3 attempts, needs at_least(2)
        any 1 of 3 attempts, needs pass_at(2)
        all 1 of 3 attempts, needs pass_all(2)
        middle 0 as median of 3 attempts, needs >= 1
        worst 0 as min of 3 attempts, needs >= 1
    reduced::yyn  FAILED  fail
        yes 0.667 over 3 attempts, needs >= 1
        all 2 of 3 attempts, needs pass_all(2)
        worst 0 as min of 3 attempts, needs >= 1
    reduced::yyy  ok  pass
    ");
}

#[test]
fn rules_see_the_reduced_scores() {
    assert_snapshot!(rules(&run("gated::")), @"
    Fail
    Pass: mean(yes) >= 0.5: 0.5, n = 4, 95 % 0 to 1; worst: nnn (0), nyn (0.333), yyn (0.667)
    Pass: mean(two) >= 0.5: 0.5, n = 4, 95 % 0.15 to 0.85; worst: nyn (0), nnn (0)
    Pass: pass_rate(two) >= 0.5: 0.5, n = 4, 95 % 0.15 to 0.85; worst: nyn (0), nnn (0)
    Pass: mean(any) >= 0.5: 0.667, n = 4, 95 % 0 to 1; worst: nnn (0), nyn (0.667)
    Pass: mean(all) >= 0.3: 0.333, n = 4, 95 % 0 to 1; worst: nyn (0), nnn (0), yyn (0.333)
    Pass: mean(middle) >= 2: 2, n = 4, 95 % 0.163 to 3.837; worst: nyn (1), nnn (1)
    Pass: max(middle) <= 3: 3, n = 4, an extreme has no interval; worst: yyy (3), yyn (3)
    Pass: mean(cheap) >= 0.5: 0.5, n = 4, 95 % 0.15 to 0.85; worst: yyy (0), yyn (0)
    Fail: pass_rate(cheap) >= 0.75: 0.5, n = 4, 95 % 0.15 to 0.85; worst: yyy (0), yyn (0)
    ");
}

#[test]
fn without_a_reducer_the_mean_is_judged_and_a_threshold_loosens_it() {
    assert_snapshot!(report("averaged::"), @"
    exit code 101
    averaged::nnn  FAILED  fail
        mostly 0 over 3 attempts, needs >= 0.6
    averaged::nyn  FAILED  fail
        mostly 0.333 over 3 attempts, needs >= 0.6
    averaged::yyn  ok  pass
    averaged::yyy  ok  pass
    ");
}

#[test]
fn an_attempt_without_a_score_is_missing_and_never_a_miss() {
    let run = run("erring::");
    assert_snapshot!(run.report(), @"
    exit code 0
    erring::---   ok  pass
    erring::eee   ok  error
        error: no answer (attempt 1)
        error: no answer (attempt 2)
        error: no answer (attempt 3)
    erring::gate  ignored (mean(yes) >= 0.5: 1, n = 1 of 5, 1 not applicable, 3 without a score, 95 % 0.207 to 1; only 2 of 12 attempts scored (17 %, needs 95 %))
    erring::y--   ok  pass
    erring::yee   ok  error
        error: no answer (attempt 2)
        error: no answer (attempt 3)
    erring::yye   ok  error
        error: no answer (attempt 3)
    ");
    assert_snapshot!(rules(&run), @"
    Inconclusive
    Inconclusive: mean(yes) >= 0.5: 1, n = 1 of 5, 1 not applicable, 3 without a score, 95 % 0.207 to 1; only 2 of 12 attempts scored (17 %, needs 95 %)
    Pass: error_rate <= 1: 0.6, n = 5, 95 % 0.231 to 0.882; worst: yye, yee, eee
    ");
}

#[test]
fn require_looks_at_every_attempt() {
    assert_snapshot!(report("required::"), @"
    exit code 101
    required::nnn  FAILED  fail
        required yes is false (attempt 1)
        required yes is false (attempt 2)
        required yes is false (attempt 3)
        yes 0 over 3 attempts, needs >= 1
    required::nyn  FAILED  fail
        required yes is false (attempt 1)
        required yes is false (attempt 3)
        yes 0.333 over 3 attempts, needs >= 1
    required::yyn  FAILED  fail
        required yes is false (attempt 3)
        yes 0.667 over 3 attempts, needs >= 1
    required::yyy  ok  pass
    ");
}

#[test]
fn the_journal_has_the_reducers_and_every_attempt() {
    let run = run("reduced::");
    let [experiment] = &run.experiments()[..] else { panic!("one experiment") };
    let reducers: Vec<String> =
        experiment.evaluators.iter().map(|one| format!("{} {}", one.name, one.reduce)).collect();
    assert_snapshot!(reducers.join("\n"), @"
    yes mean
    two at_least(2)
    any pass_at(2)
    all pass_all(2)
    middle median
    best max
    worst min
    ");
    assert_eq!(experiment.repeats, 3);
    let attempts: Vec<(String, u32, Option<f64>)> = run
        .attempts()
        .into_iter()
        .filter(|attempt| attempt.case == "yyn")
        .map(|one| (one.case, one.attempt, one.scores[0].value.map(ScoreValue::as_f64)))
        .collect();
    let expected = [(1, 1.0), (2, 1.0), (3, 0.0)].map(|(n, score)| ("yyn".into(), n, Some(score)));
    assert_eq!(attempts, expected);
    let sessions: std::collections::HashSet<String> =
        run.attempts().into_iter().map(|attempt| attempt.session_id).collect();
    assert_eq!(sessions.len(), 12, "a session per attempt");
}

#[test]
fn hh_repeats_stands_in_for_the_attribute() {
    let run = PROJECT.evals(["averaged::"]).env("HH_REPEATS", "6").run();
    assert_eq!(run.attempts().len(), 24);
    assert_eq!(run.experiments()[0].repeats, 6);
    let run = PROJECT.evals(["sampled::01"]).env("HH_REPEATS", "4").run();
    assert_eq!(run.attempts().len(), 4);
    assert!(run.stdout.contains(" × 4 "), "{}", run.output());
}

#[test]
fn too_few_repeats_for_a_reducer_stop_the_experiment() {
    let run = PROJECT.evals(["gated::"]).env("HH_REPEATS", "1").run();
    assert_snapshot!(run.report(), @"
    exit code 101
    gated::dataset  FAILED
        reduce(two = at_least(2)) of `gated` needs 2 attempts, and a case has 1: set `repeats = 2` or HH_REPEATS=2
    ");
    assert!(run.invocations().is_empty());
}

#[test]
fn repeats_that_are_no_number_are_an_error() {
    for (name, value) in [("HH_REPEATS", "0"), ("HH_REPEATS", "many"), ("HH_SAMPLE", "0")] {
        let run = PROJECT.evals(["averaged::"]).env(name, value).run();
        assert_eq!(run.code, Some(101), "{name}={value}");
        assert!(run.stderr.contains(name) && run.stderr.contains(value), "{}", run.stderr);
        assert!(run.invocations().is_empty());
    }
}

// ---- clusters ----

#[test]
fn cases_that_belong_together_widen_the_interval() {
    assert_snapshot!(rules(&run("apart::")), @"
    Pass
    Pass: mean(yes) >= 0.5: 0.5, n = 32, 95 % 0.336 to 0.664; worst: q04 (0), q05 (0), q06 (0)
    ");
    assert_snapshot!(rules(&run("together::")), @"
    Fail
    Pass: mean(yes) >= 0.5: 0.5, n = 32, 95 % 0.053 to 0.947; worst: q04 (0), q05 (0), q06 (0)
    Fail: confident(mean(yes) >= 0.2): 0.5, n = 32, 95 % 0.053 to 0.947, one-sided 95 % lower bound 0.192; worst: q04 (0), q05 (0), q06 (0)
    Pass: not_worse(mean(yes) >= 0.7): 0.5, n = 32, 95 % 0.053 to 0.947, one-sided 95 % upper bound 0.808; worst: q04 (0), q05 (0), q06 (0)
    ");
    let run = run("together::");
    assert_eq!(run.experiments()[0].cluster.as_deref(), Some("document"));
}

#[test]
fn a_case_without_a_cluster_stands_for_itself() {
    assert_snapshot!(rules(&run("together_but_one::")), @"
    Pass
    Pass: mean(yes) >= 0.5: 0.5, n = 32, 95 % 0.078 to 0.922; worst: q04 (0), q05 (0), q06 (0)
    ");
}

#[test]
fn a_cluster_that_no_row_has_is_a_fault() {
    assert_snapshot!(report("cluster_misspelt::"), @"
    exit code 101
    cluster_misspelt::dataset  FAILED
        none of the 32 rows of questions() has the metadata `documnet`, which `cluster` of `cluster_misspelt` (tests/evals.rs:<line>) names
    ");
}

// ---- samples ----

fn sample(size: &str, seed: &str) -> Run {
    PROJECT.evals(["sampled::"]).env("HH_SAMPLE", size).env("HH_SAMPLE_SEED", seed).run()
}

#[test]
fn a_sample_has_the_same_cases_each_time() {
    let cases = |run: &Run| {
        let mut ran = run.notes("ran");
        ran.sort_unstable();
        ran
    };
    let first = cases(&sample("12", "7"));
    assert_eq!(first.len(), 12);
    assert_eq!(first, cases(&sample("12", "7")));
    assert_ne!(first, cases(&sample("12", "8")));
    // A larger sample contains the smaller ones.
    let more = cases(&sample("13", "7"));
    assert!(first.iter().all(|case| more.contains(case)), "{first:?} {more:?}");
}

#[test]
fn a_sample_is_not_final_and_its_gate_says_nothing() {
    let run = sample("4", "7");
    assert_snapshot!(run.report(), @"
    exit code 0
    sampled::02    ok  pass
    sampled::10    ok  pass
    sampled::15    ok  fail
        yes is false
    sampled::21    ok  fail
        yes is false
    sampled::gate  ignored (a sample of 4 of 40 cases (HH_SAMPLE=4, seed 7) is not final; a gate judges all)
    ");
    assert_snapshot!(summary(&run, "sampled ·"), @"
    sampled · 4 of 40 cases · a sample, not final · forty() · <time>

      misses (the gate decides), worst first
      – 15  yes is false
        input     answers: n
                  n: 15
        output    n
        rerun     cargo test --test evals -- --exact sampled::15
      – 21  yes is false
        input     answers: n
                  n: 21
        output    n
        rerun     cargo test --test evals -- --exact sampled::21

      evaluator     mean  95 % interval        n  gate
      yes          0.500  0.150–0.850          4  not judged mean >= 0.6
      latency <time> <interval> 4 -

      gate not judged
        a sample of 4 of 40 cases (HH_SAMPLE=4, seed 7) is not final; a gate judges
        all

    NOT FINAL 4 cases in 1 experiment, <time>; 2 misses, not judged by a gate
    journal <journal>
    report  <report>
    ");
    assert_eq!(run.experiments()[0].sample, Some((4, 7)));
    let gate = &run.gates()[0];
    assert!(gate.passed && gate.rules.is_empty());
}

#[test]
fn where_gates_are_required_a_sample_fails() {
    for variable in ["CI", "HH_REQUIRE_GATES"] {
        let run = PROJECT.evals(["sampled::"]).env("HH_SAMPLE", "4").env(variable, "true").run();
        assert_eq!(run.code, Some(101), "{variable}");
        assert_eq!(run.tests()["sampled::gate"], "FAILED");
        let failed = run.tests().into_values().filter(|outcome| outcome == "FAILED").count();
        let misses = run.cases().iter().filter(|case| !case.reasons.is_empty()).count();
        assert!(misses > 0);
        assert_eq!(failed, 1 + misses, "the gate, and each miss");
    }
}

#[test]
fn in_a_sample_misses_that_no_gate_owns_fail_their_cases() {
    let run = PROJECT
        .evals(["sampled_and_judged::"])
        .env("HH_SAMPLE", "12")
        .env("HH_SAMPLE_SEED", "7")
        .run();
    assert_eq!(run.code, Some(101));
    let cases = run.cases();
    let missed = cases.iter().filter(|case| !case.reasons.is_empty());
    for case in missed.clone() {
        assert!(!case.passed && case.reasons.iter().any(|why| why == "good is false"), "{case:?}");
    }
    assert!((1..12).contains(&missed.count()));
}

#[test]
fn a_sample_as_large_as_the_dataset_is_none() {
    let run = sample("40", "7");
    assert_eq!((run.code, run.cases().len()), (Some(0), 40));
    assert_eq!((run.experiments()[0].sample, run.tests()["sampled::gate"].as_str()), (None, "ok"));
    assert!(!run.stdout.contains("a sample"), "{}", run.output());
}

#[test]
fn a_seed_without_a_sample_is_noted() {
    let run = PROJECT.evals(["sampled::01"]).env("HH_SAMPLE_SEED", "7").run();
    assert_eq!(run.code, Some(0));
    assert!(
        run.stderr.contains("HH_SAMPLE_SEED has no effect without HH_SAMPLE"),
        "{}",
        run.stderr
    );
}

// ---- files that are tracked ----

#[test]
fn tracked_files_are_in_the_journal_by_their_contents() {
    let [experiment] = &run("tracking::").experiments()[..] else { panic!("one experiment") };
    let files: Vec<&str> = experiment.files.keys().map(String::as_str).collect();
    assert_eq!(files, ["data/prompts/a.md", "data/prompts/b.md", "data/schema.json"]);
    let hashes: std::collections::BTreeSet<&String> = experiment.files.values().collect();
    assert_eq!(hashes.len(), 3);
}

#[test]
fn a_pattern_that_matches_nothing_is_a_fault() {
    assert_snapshot!(report("tracking_nothing::"), @r#"
    exit code 101
    tracking_nothing::dataset  FAILED
        track("data/promts/*.md") matches no file: <project>/data/promts/*.md does not exist
        (attribute of `tracking_nothing`, tests/evals.rs:<line>)
    "#);
}

#[test]
fn spread_and_flaky_cases_are_in_the_summary() {
    let report = run("reduced::").stdout;
    let spread = "spread within a case (mean standard deviation)\n    yes 0.289, two 0.289,";
    assert!(report.contains(spread), "{report}");
    let flaky = "flaky 2 of 4 cases, good attempts of all\n    yyn 2/3, nyn 1/3";
    assert!(report.contains(flaky), "{report}");
}

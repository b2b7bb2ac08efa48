//! Tests that gates pass only with evidence: each test is a case in which a gate once passed with a
//! true loss, or failed or passed without enough data.

use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use honeyhive_harness::journal::{RuleRecord, Verdict};
use honeyhive_tests::{Project, Run};

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("audit", include_str!("evals/audit.rs")));

/// A lock for the two tests that write the baseline of the experiment `company`.
static COMPANY: Mutex<()> = Mutex::new(());

fn file(experiment: &str) -> PathBuf {
    PROJECT.directory().join("baselines").join(format!("{experiment}.json"))
}

fn run(experiment: &str, variables: &[(&str, &str)]) -> Run {
    let mut cargo = PROJECT.evals([format!("{experiment}::")]);
    for (name, value) in variables {
        cargo = cargo.env(name, *value);
    }
    cargo.run()
}

/// Accepts a run as the baseline, and returns what the command printed.
fn accept(run: &Run) -> String {
    let at = run.invocations().remove(0);
    let (code, stdout, stderr) = PROJECT.honeyhive(["accept"]).argument(at).run();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    stdout
}

/// Returns the rules of the gate of a run after an accepted one.
fn after(experiment: &str, accepted: &[(&str, &str)], now: &[(&str, &str)]) -> Vec<RuleRecord> {
    let _ = std::fs::remove_file(file(experiment));
    accept(&run(experiment, accepted));
    rules(&run(experiment, now))
}

fn rules(run: &Run) -> Vec<RuleRecord> {
    let gates = run.gates();
    let [gate] = &gates[..] else { panic!("one gate was expected:\n{}", run.output()) };
    gate.rules.clone()
}

#[track_caller]
fn says(rule: &RuleRecord, verdict: Verdict, words: &[&str]) {
    assert_eq!(rule.verdict, verdict, "{}", rule.text);
    for word in words {
        assert!(rule.text.contains(word), "`{word}` is not in: {}", rule.text);
    }
}

#[test]
fn four_clusters_cannot_show_a_loss() {
    let rules = after("four_clusters", &[], &[("BAD", "20")]);
    let words =
        ["4 clusters cannot show a loss at 0.05", "p would be 0.062", "it takes 5", "down 1"];
    says(&rules[1], Verdict::Inconclusive, &words);
}

#[test]
fn five_clusters_cannot_show_two_losses() {
    let rules = after("five_clusters", &[], &[("BAD", "25")]);
    for rule in &rules[2..] {
        let words = ["5 clusters cannot show a loss at 0.05 with 2 tests", "it takes 6"];
        says(rule, Verdict::Inconclusive, &words);
    }
}

#[test]
fn reducers_are_compared_at_the_same_number_of_attempts() {
    // Half of ten attempts are good: with two of three, that is half of the cases in both runs.
    let rules = after("reduced", &[("HH_REPEATS", "10")], &[]);
    says(&rules[1], Verdict::Pass, &["0.5 was 0.5"]);
    let rules = after("lowest", &[("HH_REPEATS", "10")], &[]);
    let words = ["0 of 20 cases can be compared", "20 scores of another number of attempts"];
    says(&rules[0], Verdict::Inconclusive, &words);
}

#[test]
fn confidence_takes_evidence() {
    let two = rules(&run("sure_of_two_documents", &[]));
    for rule in &two {
        says(rule, Verdict::Fail, &["2 clusters do not show more than", "even if all are perfect"]);
    }
    let numbers = rules(&run("sure_of_two_numbers", &[]));
    says(&numbers[0], Verdict::Inconclusive, &["nothing bounds their mean"]);
    let numbers = rules(&run("sure_that_it_is_bad", &[]));
    says(&numbers[0], Verdict::Inconclusive, &["nothing bounds their mean"]);
    let perfect = rules(&run("flaky", &[]));
    says(&perfect[0], Verdict::Fail, &["lower bound 0.881", "it takes 25 cases"]);
    let flaky = rules(&run("flaky", &[("MODE", "one attempt")]));
    says(&flaky[0], Verdict::Fail, &["0.983, n = 20"]);
}

#[test]
fn cases_that_are_left_out_make_no_gate_green() {
    let rules = after("covered", &[], &[("MODE", "edited")]);
    for rule in &rules[1..] {
        let words = ["only 10 of 200 cases can be compared", "190 rows edited (011, 012"];
        says(rule, Verdict::Inconclusive, &words);
    }
    let rules = after("covered", &[], &[("MODE", "gives up")]);
    for rule in &rules[1..] {
        let words = ["only 10 of 200 cases can be compared", "190 scores now not applicable (011"];
        says(rule, Verdict::Inconclusive, &words);
    }
    let rules = after("covered", &[], &[("ROWS", "160")]);
    for rule in &rules[1..] {
        says(rule, Verdict::Inconclusive, &["only 160 of 200", "40 rows removed (161"]);
    }
    let rules = after("allowed", &[], &[("MODE", "edited")]);
    let words = ["n = 10 of 200", "coverage down to 0.04 is allowed: 190 rows edited"];
    says(&rules[1], Verdict::Pass, &words);
}

#[test]
fn attempts_that_failed_are_not_hidden_by_survivors() {
    let rules = rules(&run("survivors", &[]));
    let words = ["only 20 of 60 attempts scored (33 %, needs 95 %)"];
    says(&rules[1], Verdict::Inconclusive, &words);
}

#[test]
fn another_threshold_measures_something_else() {
    let _one = COMPANY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _ = std::fs::remove_file(file("company"));
    accept(&run("company", &[]));
    let text = std::fs::read_to_string(file("company")).expect("a baseline");
    assert!(text.contains(r#""good":"true""#), "{text}");
    let other = text.replace(r#""good":"true""#, r#""good":">= 0.5""#);
    std::fs::write(file("company"), other).expect("a file");
    for rule in &rules(&run("company", &[]))[1..] {
        says(rule, Verdict::Inconclusive, &["the threshold of evaluator `correct` changed"]);
    }
}

#[test]
fn one_case_that_is_lost_says_the_same_to_both_rules() {
    // Only one test at a time may write the baseline of this experiment.
    let _one = COMPANY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _ = std::fs::remove_file(file("company"));
    accept(&run("company", &[]));
    // One case that is lost in all three attempts gives both rules the same p.
    let rules = rules(&run("company", &[("BAD", "1")]));
    let words = ["1 of 20 cases collapsed since", ", p = 0.05 (jointly with no_regression): 001"];
    says(&rules[2], Verdict::Fail, &words);
    let against = rules[2].against.as_ref().expect("a comparison");
    assert_eq!((against.tests, against.jointly.as_slice()), (1, &["no_regression".to_owned()][..]));
    assert!((against.decisive_p() - 0.05).abs() < 1e-9);
    // The table shows the same p.
    let run = run("company", &[("BAD", "1")]);
    assert!(run.stdout.contains("no_collapse 1 lost, p 0.05"), "{}", run.stdout);
    assert!(run.stdout.contains("no_regression -0.05, p 0.05"), "{}", run.stdout);
    // The reports and `compare` show it, too: a two-sided p would call it not significant.
    let comment = run.report_file("summary.md");
    assert!(comment.contains("-0.05 (**worse**, p = 0.05)"), "{comment}");
    assert!(run.report_file("report.html").contains("<small>worse, p = 0.05</small>"));
    let at = run.invocations().remove(0);
    let (_, text, _) = PROJECT.honeyhive(["compare", "--dir"]).argument(at).run();
    assert!(text.contains("0.05  0 / 1  worse\n"), "{text}");
    assert!(text.contains("p is the gate's"), "{text}");
}

#[test]
fn margins_say_what_they_are() {
    let rules = after("slightly", &[], &[("MODE", "worse")]);
    says(&rules[0], Verdict::Pass, &["down 0.019", "p < 0.001", "within the margin of 0.02"]);
    let rules = after("tolerated", &[], &[]);
    says(&rules[0], Verdict::Pass, &["that the loss is at most 0.05"]);
    says(&rules[1], Verdict::Pass, &["95 % lower bound of the gain"]);
    // 8 points are more than 5, and not shown to be less than 10.
    let rules = after("tolerated", &[], &[("BAD", "16")]);
    says(&rules[0], Verdict::Pass, &["down 0.08"]);
    says(&rules[1], Verdict::Inconclusive, &["not shown to be above -0.1"]);
    let rules = after("tolerated", &[], &[("BAD", "60")]);
    says(&rules[0], Verdict::Fail, &["down 0.3"]);
    says(&rules[1], Verdict::Fail, &["upper bound"]);
}

#[test]
fn no_loss_takes_a_steady_baseline() {
    let rules = after("single", &[], &[("BAD", "1")]);
    let words = ["`no_loss` takes a baseline of 8 attempts", "has 3"];
    says(&rules[1], Verdict::Inconclusive, &words);
    let rules = after("single", &[("HH_REPEATS", "10")], &[("BAD", "1")]);
    says(&rules[1], Verdict::Fail, &["001 10/10 → 0/3 of 20 cases"]);
    let rules = after("single", &[("HH_REPEATS", "10")], &[]);
    says(&rules[1], Verdict::Pass, &["none of 20 cases lost anything"]);
}

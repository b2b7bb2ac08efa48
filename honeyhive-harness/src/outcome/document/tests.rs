use serde_json::json;

use super::super::samples::{attempt, case, end, experiment, failing, process, results, snapshot};
use super::*;
use crate::journal::{CaseCounts, CaseState};
use crate::outcome::{Change, Finding};
use crate::score::Comparison;
use crate::stats::Spread;

#[test]
fn a_failing_run_says_why() {
    let results = results(failing());
    let document = Document::new(&results, &[]);
    assert_eq!((document.outcome, document.ending), (Outcome::Fail, Ending::Complete));
    assert_eq!(document.elapsed, Some(11.5));
    let [detect] = &document.experiments[..] else { panic!("{document:?}") };
    assert_eq!(
        detect.causes,
        [
            "mean(correct) >= 0.9: 0.667, n = 3, 95 % 0.208 to 0.939; worst: b 0",
            "2 of 4 cases failed"
        ]
    );
    assert_eq!(detect.place, Some(("evals/main.rs", 12)));
    let states = CaseCounts { pass: 2, fail: 1, error: 1, ..CaseCounts::default() };
    assert_eq!(detect.figures.counts, Counts { states, misses: 0 });
    assert_eq!(detect.rerun, "cargo test -p app --test evals -- --exact detect");
    let worst: Vec<&str> = detect.worst().iter().map(|case| case.id).collect();
    assert_eq!(worst, ["c", "b"]);
    assert_eq!(detect.cases[1].rerun, "cargo test -p app --test evals -- --exact detect::b");
}

#[test]
fn evaluators_have_means_intervals_and_their_rules() {
    let results = results(failing());
    let document = Document::new(&results, &[]);
    let detect = &document.experiments[0];
    let [correct, close] = &detect.figures.evaluators[..] else { panic!("{detect:?}") };
    assert_eq!(correct.limit, Some((Comparison::AtLeast, 1.0)));
    assert_eq!(close.limit, Some((Comparison::AtLeast, 0.5)));
    assert_eq!((correct.range, close.range), (Some((0.0, 1.0)), None));
    assert_eq!((correct.missing, correct.not_applicable, correct.good), (1, 0, 2));
    let measured = correct.measured.expect("scores");
    assert!((measured.mean - 2.0 / 3.0).abs() < 1e-12 && measured.n == 3);
    let wilson = crate::stats::wilson::wilson(2.0, 3, 0.95);
    assert_eq!(measured.interval(), Some((wilson.low, wilson.high)));
    assert_eq!(correct.rules.len(), 1);
    let latency = detect.figures.latency.as_ref().expect("results");
    assert_eq!(latency.rules[0].rule, "p95(latency) <= \"2s\"");
    assert_eq!(
        (latency.p50.to_bits(), latency.p95.to_bits()),
        (0.5_f64.to_bits(), 1.0_f64.to_bits())
    );
    assert!(matches!(latency.measured.spread, Spread::Interval(_)));
    assert_eq!(detect.figures.error_rate.map(|rate| (rate.mean, rate.n)), Some((0.25, 4)));
}

#[test]
fn attempts_are_averaged_and_may_disagree() {
    let results = results([
        process(),
        experiment(2),
        attempt("a", 0, 1, &json!("en"), &json!({"correct": true, "close": null})),
        attempt("a", 0, 2, &json!("fr"), &json!({"correct": false, "close": null})),
        case("a", "fail", false, &["correct 0.5 over 2 attempts, needs >= 1"]),
        attempt("b", 1, 1, &json!("en"), &json!({"correct": true, "close": 0.25})),
    ]);
    let document = Document::new(&results, &[]);
    assert_eq!(document.ending, Ending::Unfinished);
    let [a, b] = &document.experiments[0].cases[..] else { panic!("{document:?}") };
    assert_eq!((a.scores[0].value(), a.scores[0].good(), a.flaky), (Some(0.5), Some(false), true));
    assert_eq!((a.scores[1].value(), a.scores[1].is_missing()), (None, false));
    assert_eq!(a.worst_attempt().map(|attempt| attempt.attempt), Some(2));
    assert_eq!((b.state, b.test.as_str(), b.flaky), (CaseState::Skipped, "detect::b", false));
}

#[test]
fn a_comparison_reaches_evaluators_and_cases() {
    let results = results(failing());
    let before = snapshot(&[("a", 1.0, 0.5), ("b", 1.0, 0.25), ("gone", 0.0, 0.0)]);
    let now = snapshot(&[("a", 1.0, 1.0), ("b", 0.0, 0.25), ("d", 1.0, 0.75)]);
    let label = "baseline".to_owned();
    let against =
        Against { label, before: &before, now: &now, results: Some(&results.experiments[0]) };
    let document = Document::new(&results, &[Some(against)]);
    let detect = &document.experiments[0];
    let change = |id| detect.cases.iter().find(|case| case.id == id).and_then(|case| case.change);
    assert_eq!(change("a"), Some(Change::Fixed));
    assert_eq!(change("b"), Some(Change::Regressed));
    assert_eq!(change("d"), Some(Change::Added));
    let compared = detect.compared.as_ref().expect("compared");
    assert_eq!((compared.fixed, compared.regressed, compared.incomparable), (1, 1, 2));
    assert_eq!(compared.rows.removed, ["gone"]);
    let correct = detect.figures.evaluators[0].comparison.as_ref().expect("compared");
    assert_eq!((correct.better, correct.worse), (0, 1));
    let difference = detect.figures.evaluators[0].difference.expect("compared");
    assert_eq!((difference.finding, difference.by_gate), (Finding::NotSignificant, false));
    assert_eq!(detect.cases[1].scores[0].gain, Some(-1.0));
    assert_eq!(detect.cases[1].output_before, Some(&json!("fr")));
    // Cases that got worse come before other errors.
    let ids: Vec<&str> = detect.worst().iter().map(|case| case.id).collect();
    assert_eq!(ids, ["b", "c"]);
}

#[test]
fn nothing_failed_but_a_gate_cannot_say() {
    let gate = |verdict: &str| {
        json!({"type": "gate", "experiment": "detect", "verdict": verdict, "passed": true, "rules": [
            {"rule": "mean(correct) >= 0.9", "verdict": verdict, "n": 1, "text": "mean(correct): ?"}
        ]})
    };
    let run = |verdict| {
        results([
            process(),
            experiment(1),
            attempt("a", 0, 1, &json!("en"), &json!({"correct": true})),
            case("a", "pass", true, &[]),
            gate(verdict),
            end(0),
        ])
    };
    assert_eq!(Document::new(&run("pass"), &[]).outcome, Outcome::Pass);
    let inconclusive = run("inconclusive");
    let document = Document::new(&inconclusive, &[]);
    assert_eq!(document.outcome, Outcome::Inconclusive);
    assert_eq!(document.experiments[0].causes, ["mean(correct): ?"]);
}

#[test]
fn what_no_experiment_knows_of_fails_all_the_same() {
    let good = [
        process(),
        experiment(1),
        attempt("a", 0, 1, &json!("en"), &json!({"correct": true})),
        case("a", "pass", true, &[]),
    ];
    let failed = results(good.iter().cloned().chain([end(101)]));
    assert_eq!(Document::new(&failed, &[]).outcome, Outcome::Fail);
    // The outer runner retried, and the retry succeeded.
    let mut second = process();
    second["runner_attempt"] = json!(2);
    let retried = results(good.into_iter().chain([end(101), second, end(0)]));
    assert_eq!(Document::new(&retried, &[]).outcome, Outcome::Pass);
}

#[test]
fn no_score_and_cases_that_were_not_run_are_no_success() {
    let unscored = results([
        process(),
        experiment(1),
        attempt("a", 0, 1, &json!("en"), &json!({"correct": null})),
        case("a", "pass", true, &[]),
        end(0),
    ]);
    let document = Document::new(&unscored, &[]);
    assert_eq!(document.experiments[0].causes, ["no case has a score"]);
    assert_eq!(document.outcome, Outcome::Fail);
    let cut = results([
        process(),
        experiment(3),
        attempt("a", 0, 1, &json!("en"), &json!({"correct": true})),
        case("a", "pass", true, &[]),
    ]);
    let document = Document::new(&cut, &[]);
    assert_eq!(document.experiments[0].causes, ["2 cases not run"]);
    assert_eq!((document.outcome, document.counts.states.skipped), (Outcome::Unfinished, 2));
}

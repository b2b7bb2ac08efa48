use super::*;
use crate::gate::case::Rules;
use crate::gate::evaluator::Scored;
use crate::gate::verdict::judge_all;
use crate::journal::CaseState;
use crate::rule::Test;
use crate::score::{Direction, Reducer, Shape};

const CORRECT: Limit = Limit {
    mode: Mode::Point,
    measure: Measure::Mean,
    of: Of::Evaluator(0),
    comparison: Comparison::AtLeast,
    at: 0.9,
};

fn rules(gates: Vec<GateRule>) -> Rules {
    let judge = Judge {
        name: "correct".to_owned(),
        settings: String::new(),
        threshold: None,
        direction: Direction::Maximize,
        range: None,
        shape: Shape::Bool,
        reduce: Reducer::Mean,
        source: String::new(),
    };
    Rules { judges: vec![judge], require: Vec::new(), gates }
}

fn rule(limit: Limit, text: &'static str) -> GateRule {
    let Limit { mode, measure, of, comparison, at } = limit;
    GateRule {
        text: text.into(),
        slice: None,
        min_n: 0,
        coverage: None,
        test: Test::Limit { mode, measure, of, comparison, limit: at },
    }
}

fn case(row: usize, score: CaseScore, seconds: &[f64]) -> Case {
    let state = if score == CaseScore::Missing { CaseState::Error } else { CaseState::Pass };
    Case {
        row,
        state,
        attempts: 1,
        scores: Box::new([score]),
        latencies: seconds.into(),
        in_slice: Box::default(),
        row_hash: String::new(),
        cluster: None,
        slices: Box::default(),
    }
}

fn score(score: f64, holds: Option<bool>) -> CaseScore {
    CaseScore::Scored(Scored { score, holds, attempts: 1, missing: 0, good: None, spread: None })
}

fn hits(hits: usize, n: usize) -> Vec<Case> {
    (0..n)
        .map(|row| {
            let hit = row < hits;
            case(row, score(f64::from(u8::from(hit)), Some(hit)), &[0.01])
        })
        .collect()
}

fn all(gates: Vec<GateRule>, cases: &[Case]) -> Vec<RuleRecord> {
    let rules = rules(gates);
    let (name, id) = (|row: usize| format!("row-{row}"), |row: usize| row.to_string());
    judge_all(&GateInput::new(&rules, &name, &id), cases)
}

fn verdict(limit: Limit, cases: &[Case]) -> RuleRecord {
    all(vec![rule(limit, "mean(correct) >= 0.9")], cases).remove(0)
}

#[test]
fn a_verdict_says_value_n_interval_limit_and_the_worst() {
    let record = verdict(CORRECT, &hits(55, 62));
    assert_eq!(record.verdict, Verdict::Fail);
    assert_eq!(
        record.text,
        "mean(correct) >= 0.9: 0.887, n = 62, 95 % 0.785 to 0.944; worst: row-55 (0), row-56 (0), row-57 (0)"
    );
    assert_eq!(record.n, 62);
    assert_eq!(verdict(CORRECT, &hits(9, 10)).verdict, Verdict::Pass);
    let perfect = verdict(CORRECT, &hits(10, 10));
    assert!(!perfect.text.contains("worst"), "{}", perfect.text);
}

#[test]
fn modes_look_at_the_bound_of_their_side() {
    let rule = |mode| Limit { mode, ..CORRECT };
    // 19 of 20: the mean holds, its lower bound does not; 16 of 20: the upper bound still does.
    assert_eq!(verdict(rule(Mode::Point), &hits(19, 20)).verdict, Verdict::Pass);
    assert_eq!(verdict(rule(Mode::Confident), &hits(19, 20)).verdict, Verdict::Fail);
    assert_eq!(verdict(rule(Mode::Confident), &hits(60, 60)).verdict, Verdict::Pass);
    assert_eq!(verdict(rule(Mode::Point), &hits(17, 20)).verdict, Verdict::Fail);
    assert_eq!(verdict(rule(Mode::NotWorse), &hits(17, 20)).verdict, Verdict::Pass);
    assert_eq!(verdict(rule(Mode::NotWorse), &hits(10, 20)).verdict, Verdict::Fail);
}

#[test]
fn too_few_scored_cases_decide_nothing() {
    let mut cases = hits(18, 18);
    cases.push(case(18, CaseScore::Missing, &[]));
    let record = verdict(CORRECT, &cases);
    assert_eq!(record.verdict, Verdict::Inconclusive);
    assert!(
        record.text.ends_with("only 18 of 19 cases scored (95 %, needs 95 %)"),
        "{}",
        record.text
    );
    let mut cases = hits(19, 19);
    cases.push(case(19, CaseScore::Missing, &[]));
    assert_eq!(verdict(CORRECT, &cases).verdict, Verdict::Pass);
    let nothing = vec![case(0, CaseScore::NotApplicable, &[])];
    assert_eq!(verdict(CORRECT, &nothing).verdict, Verdict::Inconclusive);
}

#[test]
fn what_n_leaves_out_is_said_and_min_n_asks_for_more() {
    let mut cases = hits(1, 1);
    cases.extend((1..30).map(|row| case(row, CaseScore::NotApplicable, &[0.1, 0.2])));
    let at_least = |min_n, limit| {
        let rule = GateRule { min_n, ..rule(limit, "rule") };
        let record = all(vec![rule], &cases).remove(0);
        (record.verdict, record.text)
    };
    let (verdict, text) = at_least(0, CORRECT);
    assert_eq!(verdict, Verdict::Pass);
    assert!(text.starts_with("rule: 1, n = 1 of 30, 29 not applicable, "), "{text}");
    assert_eq!(at_least(1, CORRECT).0, Verdict::Pass);
    let few = "rule: 1, n = 1 of 30, 29 not applicable; the rule asks for at least 20";
    for mode in [Mode::Point, Mode::Confident, Mode::NotWorse] {
        assert_eq!(
            at_least(20, Limit { mode, ..CORRECT }),
            (Verdict::Inconclusive, few.to_owned())
        );
    }
    let errors = Limit { of: Of::Errors, measure: Measure::ErrorRate, at: 0.0, ..CORRECT };
    assert_eq!(at_least(30, errors).0, Verdict::Pass);
    assert_eq!(at_least(31, errors).1, "rule: 0, n = 30; the rule asks for at least 31");
    let p95 = Limit { of: Of::Latency, measure: Measure::P95, at: 0.0, ..CORRECT };
    assert!(at_least(0, p95).1.contains("n = 59 attempts"), "{}", at_least(0, p95).1);
    let none: Vec<Case> = (0..3).map(|row| case(row, CaseScore::NotApplicable, &[])).collect();
    let record = all(vec![GateRule { min_n: 2, ..rule(CORRECT, "rule") }], &none).remove(0);
    assert_eq!(
        record.text,
        "rule: no case was scored, n = 0 of 3, 3 not applicable; the rule asks for at least 2"
    );
}

#[test]
fn a_slice_without_cases_fails() {
    let mut cases = hits(5, 5);
    for case in &mut cases {
        case.in_slice = Box::new([false]);
    }
    let rule = GateRule { slice: Some("lang:dee".into()), ..rule(CORRECT, "rule") };
    let record = all(vec![rule], &cases).remove(0);
    assert_eq!(record.verdict, Verdict::Fail);
    assert!(record.text.contains("no case is in the slice `lang:dee`"), "{}", record.text);
}

#[test]
fn latency_uses_attempts_for_percentiles_and_cases_for_means() {
    let latency = |measure, limit| Limit {
        measure,
        of: Of::Latency,
        comparison: Comparison::AtMost,
        at: limit,
        ..CORRECT
    };
    let cases = vec![
        case(0, CaseScore::NotApplicable, &[0.1, 0.3]),
        case(1, CaseScore::NotApplicable, &[1.0, 3.0]),
    ];
    let record = verdict(latency(Measure::P95, 2.0), &cases);
    assert_eq!((record.verdict, record.value, record.n), (Verdict::Fail, Some(3.0), 4));
    let record = verdict(latency(Measure::Mean, 2.0), &cases);
    assert_eq!((record.verdict, record.n), (Verdict::Pass, 2));
    assert!((record.value.unwrap() - 1.1).abs() < 1e-12);
    assert!(record.text.contains("95 % 0 µs to 12.5 s; worst: row-1 (2 s)"), "{}", record.text);
}

#[test]
fn every_measure() {
    let cases: Vec<Case> = (1..=20).map(|i| case(i, score(i as f64, None), &[])).collect();
    for (measure, value) in [
        (Measure::Mean, 10.5),
        (Measure::Median, 10.0),
        (Measure::P50, 10.0),
        (Measure::P90, 18.0),
        (Measure::P95, 19.0),
        (Measure::P99, 20.0),
        (Measure::Min, 1.0),
        (Measure::Max, 20.0),
        (Measure::Stddev, 35.0_f64.sqrt()),
    ] {
        let record = verdict(Limit { measure, at: value, ..CORRECT }, &cases);
        assert!((record.value.unwrap() - value).abs() < 1e-9, "{measure:?}: {}", record.text);
        assert_eq!(record.verdict, Verdict::Pass, "{measure:?}");
        let beyond = Limit { measure, at: value + 0.01, ..CORRECT };
        assert_eq!(verdict(beyond, &cases).verdict, Verdict::Fail, "{measure:?}");
    }
    let rate = Limit { measure: Measure::PassRate, at: 0.6, ..CORRECT };
    assert_eq!(verdict(rate, &hits(12, 20)).verdict, Verdict::Pass);
    let rate = Limit {
        measure: Measure::ErrorRate,
        of: Of::Errors,
        comparison: Comparison::AtMost,
        at: 0.1,
        ..CORRECT
    };
    let mut cases = hits(8, 8);
    cases.push(case(8, CaseScore::Missing, &[]));
    let record = verdict(rate, &cases);
    assert_eq!((record.verdict, record.n), (Verdict::Fail, 9));
    assert!(record.text.ends_with("worst: row-8"), "{}", record.text);
}

#[test]
fn equal_scores_have_no_spread() {
    let cases: Vec<Case> = (0..5).map(|row| case(row, score(0.95, None), &[])).collect();
    let record = verdict(CORRECT, &cases);
    assert!(record.text.contains("n = 5, no spread"), "{}", record.text);
    assert_eq!((record.verdict, record.interval), (Verdict::Pass, None));
}

#[test]
fn the_p_of_a_bound_is_where_its_interval_ends() {
    let cases = hits(10, 20);
    let values: Vec<(f64, &Case)> =
        cases.iter().map(|case| (case.scores[0].scored().unwrap().score, case)).collect();
    let rules = rules(Vec::new());
    let bounds = Bounds::new(Of::Evaluator(0), &rules.judges, &values).unwrap();
    let p = |limit| bounds.p_beyond(Comparison::AtLeast, limit);
    // Wilson's bound is the inverse of the score test:
    // scipy.stats.norm.sf((0.9 - 0.5) / math.sqrt(0.9 * 0.1 / 20))
    assert!((p(0.9) - 1.239_395e-9).abs() < 1e-11, "{}", p(0.9));
    // scipy.stats.norm.sf((0.6 - 0.5) / math.sqrt(0.6 * 0.4 / 20))
    assert!((p(0.6) - 0.180_655_2).abs() < 1e-6, "{}", p(0.6));
    assert!((p(0.4) - 1.0).abs() < 1e-12, "{}", p(0.4));
}

#[test]
fn several_tests_are_corrected_together() {
    // 18 of 20 against 0.97 is significant alone, p = 0.033, and not beside another test.
    let not_worse = |at| Limit { mode: Mode::NotWorse, at, ..CORRECT };
    let weak = rule(not_worse(0.97), "weak");
    let alone = all(vec![weak.clone()], &hits(18, 20)).remove(0);
    assert_eq!(alone.verdict, Verdict::Fail);
    let together = all(vec![weak, rule(not_worse(0.96), "other")], &hits(18, 20));
    assert_eq!(together[0].verdict, Verdict::Pass, "{}", together[0].text);
    assert!(together[0].text.contains("(corrected for 2 tests)"));
    let strong =
        all(vec![rule(not_worse(0.999), "strong"), rule(not_worse(0.5), "fine")], &hits(10, 20));
    assert_eq!(strong[0].verdict, Verdict::Fail, "{}", strong[0].text);
    assert_eq!(strong[1].verdict, Verdict::Pass);
}

#[test]
fn clusters_are_the_unit_of_the_interval() {
    let mut cases = hits(16, 32);
    let width = |cases: &[Case]| {
        let (low, high) = verdict(CORRECT, cases).interval.unwrap();
        high - low
    };
    let alone = width(&cases);
    for case in &mut cases {
        case.cluster = Some((case.row / 4).to_string());
    }
    let clustered = width(&cases);
    assert!(clustered > 1.5 * alone, "{clustered} {alone}");
    // A case without a cluster is a cluster of its own, and the clusters of the others stay whole.
    cases[0].cluster = None;
    assert!(width(&cases) > 1.4 * alone, "{} {alone}", width(&cases));
}

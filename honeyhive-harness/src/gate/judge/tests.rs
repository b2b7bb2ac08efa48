use super::*;
use crate::evaluators::EvaluatorInfo;
use crate::journal::CaseState;
use crate::score::{Direction, Shape};

const CORRECT: GateRule = GateRule {
    text: "mean(correct) >= 0.9",
    mode: Mode::Point,
    measure: Measure::Mean,
    of: Of::Evaluator(0),
    slice: None,
    comparison: Comparison::AtLeast,
    limit: 0.9,
};

fn judges(direction: Direction) -> Vec<Judge> {
    let info = EvaluatorInfo {
        name: "correct",
        file: "",
        line: 1,
        params: &[],
        reads_trace: false,
        threshold: None,
        direction,
        range: None,
        shape: Shape::Bool,
        source_hash: "",
    };
    vec![Judge { name: "correct".to_owned(), info }]
}

fn case(row: usize, score: CaseScore, seconds: &[f64]) -> Case {
    let state = if score == CaseScore::Missing { CaseState::Error } else { CaseState::Pass };
    Case {
        row,
        state,
        scores: Box::new([score]),
        latencies: seconds.into(),
        in_slice: Box::default(),
    }
}

fn hits(hits: usize, n: usize) -> Vec<Case> {
    (0..n)
        .map(|row| {
            let hit = row < hits;
            case(row, CaseScore::Mean(f64::from(u8::from(hit)), Some(hit)), &[0.01])
        })
        .collect()
}

fn verdict(rule: &GateRule, cases: &[Case]) -> RuleRecord {
    judge(0, rule, &judges(Direction::Maximize), cases, &|row| format!("row-{row}"))
}

#[test]
fn a_verdict_says_value_n_interval_limit_and_the_worst() {
    let record = verdict(&CORRECT, &hits(55, 62));
    assert_eq!(record.verdict, Verdict::Fail);
    assert_eq!(
        record.text,
        "mean(correct) >= 0.9: 0.887, n = 62, 95 % 0.785 to 0.944; worst: row-55 0, row-56 0, row-57 0"
    );
    assert_eq!(record.n, 62);
    assert_eq!(verdict(&CORRECT, &hits(9, 10)).verdict, Verdict::Pass);
    let perfect = verdict(&CORRECT, &hits(10, 10));
    assert!(!perfect.text.contains("worst"), "{}", perfect.text);
}

#[test]
fn modes_look_at_the_bound_of_their_side() {
    let rule = |mode| GateRule { mode, ..CORRECT };
    // 19 of 20: the mean holds, its lower bound does not; 16 of 20: the upper bound still does.
    assert_eq!(verdict(&rule(Mode::Point), &hits(19, 20)).verdict, Verdict::Pass);
    assert_eq!(verdict(&rule(Mode::Confident), &hits(19, 20)).verdict, Verdict::Fail);
    assert_eq!(verdict(&rule(Mode::Confident), &hits(60, 60)).verdict, Verdict::Pass);
    assert_eq!(verdict(&rule(Mode::Point), &hits(17, 20)).verdict, Verdict::Fail);
    assert_eq!(verdict(&rule(Mode::NotWorse), &hits(17, 20)).verdict, Verdict::Pass);
    assert_eq!(verdict(&rule(Mode::NotWorse), &hits(10, 20)).verdict, Verdict::Fail);
}

#[test]
fn too_few_scored_cases_decide_nothing() {
    let mut cases = hits(18, 18);
    cases.push(case(18, CaseScore::Missing, &[]));
    let record = verdict(&CORRECT, &cases);
    assert_eq!(record.verdict, Verdict::Inconclusive);
    assert!(
        record.text.ends_with("only 18 of 19 cases scored (95 %, needs 95 %)"),
        "{}",
        record.text
    );
    let mut cases = hits(19, 19);
    cases.push(case(19, CaseScore::Missing, &[]));
    assert_eq!(verdict(&CORRECT, &cases).verdict, Verdict::Pass);
    let nothing = vec![case(0, CaseScore::NotApplicable, &[])];
    assert_eq!(verdict(&CORRECT, &nothing).verdict, Verdict::Inconclusive);
}

#[test]
fn a_slice_without_cases_fails() {
    let mut cases = hits(5, 5);
    for case in &mut cases {
        case.in_slice = Box::new([false]);
    }
    let rule = GateRule { slice: Some("lang:dee"), ..CORRECT };
    let record = verdict(&rule, &cases);
    assert_eq!(record.verdict, Verdict::Fail);
    assert!(record.text.contains("no case is in the slice `lang:dee`"), "{}", record.text);
}

#[test]
fn latency_uses_attempts_for_percentiles_and_cases_for_means() {
    let latency = |measure, limit| GateRule {
        measure,
        of: Of::Latency,
        comparison: Comparison::AtMost,
        limit,
        text: "p95(latency) <= \"2s\"",
        ..CORRECT
    };
    let cases = vec![
        case(0, CaseScore::NotApplicable, &[0.1, 0.3]),
        case(1, CaseScore::NotApplicable, &[1.0, 3.0]),
    ];
    let record = verdict(&latency(Measure::P95, 2.0), &cases);
    assert_eq!((record.verdict, record.value, record.n), (Verdict::Fail, Some(3.0), 4));
    let record = verdict(&latency(Measure::Mean, 2.0), &cases);
    assert_eq!((record.verdict, record.n), (Verdict::Pass, 2));
    assert!((record.value.unwrap() - 1.1).abs() < 1e-12);
    assert!(record.text.contains("95 % 0 µs to 12.5 s; worst: row-1 2 s"), "{}", record.text);
}

#[test]
fn every_measure() {
    let cases: Vec<Case> =
        (1..=20).map(|i| case(i, CaseScore::Mean(i as f64, None), &[])).collect();
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
        let record = verdict(&GateRule { measure, limit: value, ..CORRECT }, &cases);
        assert!((record.value.unwrap() - value).abs() < 1e-9, "{measure:?}: {}", record.text);
        assert_eq!(record.verdict, Verdict::Pass, "{measure:?}");
        let beyond = GateRule { measure, limit: value + 0.01, ..CORRECT };
        assert_eq!(verdict(&beyond, &cases).verdict, Verdict::Fail, "{measure:?}");
    }
    let rate = GateRule { measure: Measure::PassRate, limit: 0.6, ..CORRECT };
    assert_eq!(verdict(&rate, &hits(12, 20)).verdict, Verdict::Pass);
    let rate = GateRule {
        measure: Measure::ErrorRate,
        of: Of::Errors,
        comparison: Comparison::AtMost,
        limit: 0.1,
        ..CORRECT
    };
    let mut cases = hits(8, 8);
    cases.push(case(8, CaseScore::Missing, &[]));
    let record = verdict(&rate, &cases);
    assert_eq!((record.verdict, record.n), (Verdict::Fail, 9));
    assert!(record.text.ends_with("worst: row-8"), "{}", record.text);
}

#[test]
fn equal_scores_have_no_spread() {
    let cases: Vec<Case> = (0..5).map(|row| case(row, CaseScore::Mean(0.95, None), &[])).collect();
    let record = verdict(&CORRECT, &cases);
    assert!(record.text.contains("n = 5, no spread"), "{}", record.text);
    assert_eq!((record.verdict, record.interval), (Verdict::Pass, None));
}

use super::*;
use crate::rule::{Measure, Mode, Test};
use crate::score::{Comparison, Direction, Shape};

fn judge(name: &str, shape: Shape, threshold: Option<f64>, direction: Direction) -> Judge {
    Judge {
        name: name.to_owned(),
        settings: String::new(),
        threshold,
        direction,
        range: None,
        shape,
        reduce: Reducer::Mean,
        source: String::new(),
    }
}

fn rules(judges: Vec<Judge>) -> Rules {
    Rules { judges, require: Vec::new(), gates: Vec::new() }
}

fn gate(of: Of, slice: Option<&'static str>) -> GateRule {
    GateRule {
        text: "rule".into(),
        slice: slice.map(Into::into),
        min_n: 0,
        coverage: None,
        test: Test::Limit {
            mode: Mode::Point,
            measure: Measure::Mean,
            of,
            comparison: Comparison::AtLeast,
            limit: 0.9,
        },
    }
}

fn scored(values: &[ScoreValue]) -> AttemptRecord {
    let scores = values
        .iter()
        .map(|value| ScoreRecord { value: Some(*value), ..ScoreRecord::default() })
        .collect();
    AttemptRecord { attempt: 1, scores, duration_ms: 20.0, ..AttemptRecord::default() }
}

fn errored(kind: ErrorKind) -> AttemptRecord {
    let error = Some(AttemptError { kind, message: "boom".to_owned() });
    AttemptRecord { attempt: 1, error, ..AttemptRecord::default() }
}

const YES: ScoreValue = ScoreValue::Bool(true);
const NO: ScoreValue = ScoreValue::Bool(false);

fn run(rules: &Rules, attempts: &[AttemptRecord]) -> (Case, Decision) {
    decide(rules, RowFacts::default(), attempts)
}

#[test]
fn a_boolean_judges_and_a_number_measures() {
    let rules = rules(vec![
        judge("correct", Shape::Bool, None, Direction::Maximize),
        judge("length", Shape::Number, None, Direction::Maximize),
    ]);
    let (case, decision) = run(&rules, &[scored(&[NO, ScoreValue::Number(0.0)])]);
    assert_eq!(case.state, CaseState::Fail);
    assert_eq!(decision.failing, ["correct is false"]);
    let (case, decision) = run(&rules, &[scored(&[YES, ScoreValue::Number(-3.0)])]);
    assert_eq!((case.state, decision), (CaseState::Pass, Decision::default()));
    assert_eq!(*case.latencies, [0.02]);
}

#[test]
fn a_threshold_lets_a_number_judge_in_either_direction() {
    let rules = rules(vec![
        judge("close", Shape::Number, Some(0.7), Direction::Maximize),
        judge("edits", Shape::Number, Some(3.0), Direction::Minimize),
    ]);
    let (_, decision) =
        run(&rules, &[scored(&[ScoreValue::Number(0.69), ScoreValue::Number(4.0)])]);
    assert_eq!(decision.failing, ["close 0.69, needs >= 0.7", "edits 4, needs <= 3"]);
    let (case, _) = run(&rules, &[scored(&[ScoreValue::Number(0.7), ScoreValue::Number(3.0)])]);
    assert_eq!(case.state, CaseState::Pass);
}

#[test]
fn repeats_are_averaged_and_require_looks_at_each() {
    let mut rules = rules(vec![judge("correct", Shape::Bool, Some(0.6), Direction::Maximize)]);
    let attempts = [scored(&[YES]), scored(&[NO]), scored(&[YES])];
    let (case, decision) = run(&rules, &attempts);
    let scored = Scored {
        score: 2.0 / 3.0,
        holds: Some(true),
        attempts: 3,
        missing: 0,
        good: Some(2),
        spread: case.scores[0].scored().and_then(|one| one.spread),
    };
    assert_eq!(case.scores[0], CaseScore::Scored(scored));
    assert!(scored.is_flaky());
    assert_eq!(decision, Decision::default());
    rules.require = vec![RequireRule {
        evaluator: 0,
        limit: Some((Comparison::AtLeast, 1.0)),
        text: "correct >= 1".into(),
    }];
    let (case, decision) = run(&rules, &attempts);
    assert_eq!(case.state, CaseState::Fail);
    assert_eq!(decision.failing, ["required correct >= 1 is false (attempt 1)"]);
}

#[test]
fn an_error_is_no_score_of_zero() {
    let rules = rules(vec![judge("correct", Shape::Bool, None, Direction::Maximize)]);
    let (case, decision) = run(&rules, &[errored(ErrorKind::Returned)]);
    assert_eq!((case.state, case.scores[0]), (CaseState::Error, CaseScore::Missing));
    assert_eq!(decision.failing, ["error: boom"]);
    let mut attempt = scored(&[YES]);
    attempt.scores[0] = ScoreRecord {
        error: Some(AttemptError { kind: ErrorKind::Returned, message: "judge is down".into() }),
        ..ScoreRecord::default()
    };
    let (case, decision) = run(&rules, &[attempt]);
    assert_eq!((case.state, case.scores[0]), (CaseState::Unscored, CaseScore::Missing));
    assert_eq!(decision.failing, ["evaluator `correct`: judge is down"]);
    let mut attempt = scored(&[YES]);
    attempt.scores[0] = ScoreRecord::default();
    let (case, _) = run(&rules, &[attempt]);
    assert_eq!((case.state, case.scores[0]), (CaseState::Pass, CaseScore::NotApplicable));
}

#[test]
fn a_gate_takes_over_what_it_names() {
    let mut rules = rules(vec![judge("correct", Shape::Bool, None, Direction::Maximize)]);
    rules.gates = vec![gate(Of::Evaluator(0), Some("lang:de"))];
    let decide = |in_slice: bool| {
        let facts = RowFacts { in_slice: Box::new([in_slice]), ..RowFacts::default() };
        super::decide(&rules, facts, &[scored(&[NO])]).1
    };
    assert_eq!(decide(true).gated, ["correct is false"]);
    assert_eq!(decide(false).failing, ["correct is false"]);
    rules.gates = vec![GateRule {
        test: Test::NoRegression { evaluator: 0, margin: 0.02, alpha: 0.05, confirm: 0 },
        ..gate(Of::Evaluator(0), None)
    }];
    assert_eq!(run(&rules, &[scored(&[NO])]).1.failing, ["correct is false"]);
    rules.gates = vec![gate(Of::Errors, None)];
    assert_eq!(run(&rules, &[errored(ErrorKind::Timeout)]).1.gated, ["boom"]);
}

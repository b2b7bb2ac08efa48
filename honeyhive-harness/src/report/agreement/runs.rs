//! Generates runs: their journal, their gate, and the baseline that they are compared with.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::baseline;
use crate::datapoint::Datapoint;
use crate::gate::case::{self, Case, RowFacts, Rules};
use crate::gate::decided::judge_gate;
use crate::gate::input::{Baseline, GateInput};
use crate::gate::snapshot::recorded;
use crate::journal::{
    AttemptError, AttemptRecord, CaseRecord, EndRecord, EvaluatorRecord, ExperimentRecord,
    InvocationRecord, Record, Results, ScoreRecord,
};
use crate::rule::{GateRule, Measure, Mode, Of, Test};
use crate::score::{Comparison, Direction, ScoreValue, Shape};
use crate::stats::SplitMix64;

/// A run with its gate.
pub(super) struct Generated {
    pub(super) results: Results,
    /// The cases as they were decided.
    pub(super) cases: Vec<Case>,
    /// The file of the baseline.
    pub(super) baseline: PathBuf,
    /// Set when a case or the gate failed.
    pub(super) failed: bool,
}

impl Drop for Generated {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.baseline);
    }
}

/// A source of random choices.
struct Dice(SplitMix64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0.fraction()
    }

    fn chance(&mut self, p: f64) -> bool {
        self.share() < p
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.index(choices.len())]
    }
}

const EVALUATORS: [&str; 3] = ["correct", "close", "price"];

fn experiment(dice: &mut Dice, baseline: &str) -> ExperimentRecord {
    let evaluator = |name: &str, shape, threshold, direction, range| EvaluatorRecord {
        name: name.to_owned(),
        shape,
        threshold,
        direction,
        range,
        source_hash: name.to_owned(),
        ..EvaluatorRecord::default()
    };
    let rows = dice.of(&[4, 9, 12, 20, 40, 60]);
    let evaluators = vec![
        evaluator("correct", Shape::Bool, None, Direction::Maximize, None),
        evaluator("close", Shape::Number, Some(0.5), Direction::Maximize, Some((0.0, 1.0))),
        evaluator("price", Shape::Number, None, Direction::Minimize, None),
    ];
    let gate_rules = gate(dice);
    ExperimentRecord {
        experiment: "detect".to_owned(),
        run_id: "40350000-0000-4000-8000-000000000000".to_owned(),
        dataset: "sentences".to_owned(),
        rows,
        selected: rows,
        repeats: dice.of(&[1, 1, 2, 3]),
        concurrency: 1,
        evaluators,
        gates: gate_rules.iter().map(|rule| rule.text.clone().into_owned()).collect(),
        gate_rules,
        cluster: dice.chance(0.3).then(|| "document".to_owned()),
        baseline: baseline.to_owned(),
        ..ExperimentRecord::default()
    }
}

fn gate(dice: &mut Dice) -> Vec<GateRule> {
    let limit =
        |mode, measure, of, comparison, limit| Test::Limit { mode, measure, of, comparison, limit };
    let (more, less) = (Comparison::AtLeast, Comparison::AtMost);
    let of = Of::Evaluator;
    let alpha = 0.05;
    let all: Vec<(&str, Option<&str>, Test)> = vec![
        ("mean(correct) >= 0.8", None, limit(Mode::Point, Measure::Mean, of(0), more, 0.8)),
        (
            "confident(mean(correct) >= 0.7)",
            None,
            limit(Mode::Confident, Measure::Mean, of(0), more, 0.7),
        ),
        (
            "not_worse(mean(close) >= 0.7)",
            None,
            limit(Mode::NotWorse, Measure::Mean, of(1), more, 0.7),
        ),
        ("pass_rate(close) >= 0.6", None, limit(Mode::Point, Measure::PassRate, of(1), more, 0.6)),
        ("mean(price) <= 5", None, limit(Mode::Point, Measure::Mean, of(2), less, 5.0)),
        ("p95(latency) <= \"1s\"", None, limit(Mode::Point, Measure::P95, Of::Latency, less, 1.0)),
        ("error_rate <= 0.1", None, limit(Mode::Point, Measure::ErrorRate, Of::Errors, less, 0.1)),
        (
            "mean(correct, slice = \"lang:de\") >= 0.7",
            Some("lang:de"),
            limit(Mode::Point, Measure::Mean, of(0), more, 0.7),
        ),
        (
            "no_regression(correct)",
            None,
            Test::NoRegression { evaluator: 0, margin: 0.02, alpha, confirm: 0 },
        ),
        (
            "no_regression(close)",
            None,
            Test::NoRegression { evaluator: 1, margin: 0.02, alpha, confirm: 0 },
        ),
        (
            "no_regression(price)",
            None,
            Test::NoRegression { evaluator: 2, margin: 0.3, alpha, confirm: 0 },
        ),
        (
            "no_regression(correct, slice = \"lang:de\")",
            Some("lang:de"),
            Test::NoRegression { evaluator: 0, margin: 0.02, alpha, confirm: 0 },
        ),
        ("no_collapse(correct)", None, Test::NoCollapse { evaluator: 0, alpha }),
        (
            "no_worse_than(close, margin = 0.1)",
            None,
            Test::NoWorseThan { evaluator: 1, margin: 0.1, alpha },
        ),
        (
            "non_inferior(correct, margin = 0.2)",
            None,
            Test::NonInferior { evaluator: 0, margin: 0.2, alpha },
        ),
    ];
    let often = dice.of(&[0.15, 0.4, 0.8]);
    let mut rules: Vec<GateRule> = Vec::new();
    for (text, slice, test) in all {
        if dice.chance(often) {
            let (slice, min_n) = (slice.map(Into::into), 0);
            rules.push(GateRule { text: text.into(), slice, min_n, coverage: None, test });
        }
    }
    if rules.is_empty() {
        let test = Test::NoRegression { evaluator: 0, margin: 0.02, alpha, confirm: 0 };
        rules.push(GateRule {
            text: "no_regression(correct)".into(),
            slice: None,
            min_n: 0,
            coverage: None,
            test,
        });
    }
    rules
}

/// The conditions of a run: the chance of each case to succeed, and of what goes wrong.
struct Weather {
    rates: Vec<f64>,
    errors: f64,
    not_applicable: f64,
}

fn attempts(
    dice: &mut Dice,
    record: &ExperimentRecord,
    weather: &Weather,
) -> Vec<Vec<AttemptRecord>> {
    (0..record.rows)
        .map(|row| {
            let applies = !dice.chance(weather.not_applicable);
            (1..=record.repeats).map(|n| attempt(dice, weather, row, n, applies)).collect()
        })
        .collect()
}

fn attempt(dice: &mut Dice, weather: &Weather, row: usize, n: u32, applies: bool) -> AttemptRecord {
    let rate = weather.rates[row];
    let error = |message: &str| AttemptError { message: message.to_owned(), ..Default::default() };
    let failed = dice.chance(weather.errors);
    let language = if row.is_multiple_of(3) { "de" } else { "fr" };
    let metadata = json!({"lang": language, "document": row / 4});
    let mut scores = Vec::new();
    for name in EVALUATORS {
        let value = match name {
            "correct" => ScoreValue::Bool(dice.chance(rate)),
            "close" => ScoreValue::Number((rate + 0.3 * dice.share() - 0.15).clamp(0.0, 1.0)),
            _ => ScoreValue::Number(3.0 + 4.0 * (1.0 - rate) * dice.share()),
        };
        let broken = dice.chance(weather.errors / 2.0);
        scores.push(ScoreRecord {
            evaluator: name.to_owned(),
            value: (!broken && (applies || name != "close")).then_some(value),
            error: broken.then(|| error("it broke")),
            ..ScoreRecord::default()
        });
    }
    AttemptRecord {
        experiment: "detect".to_owned(),
        case: format!("c{row:02}"),
        row,
        attempt: n,
        tries: 1,
        duration_ms: 100.0 + 900.0 * dice.share(),
        inputs: [("text".to_owned(), Value::from(row))].into_iter().collect(),
        metadata: metadata.as_object().cloned().unwrap_or_else(Map::new),
        output: (!failed).then(|| json!("out")),
        error: failed.then(|| error("no answer")),
        scores: if failed { Vec::new() } else { scores },
        ..AttemptRecord::default()
    }
}

/// Returns the journal of a run without its gate, and its cases.
fn journal(record: &ExperimentRecord, made: Vec<Vec<AttemptRecord>>) -> (Vec<Record>, Vec<Case>) {
    let rules = Rules::recorded(record);
    let mut records = vec![
        Record::Invocation(InvocationRecord {
            invocation: "20261122T190158-3f2a".to_owned(),
            started_at: "2026-11-22T19:01:58.000Z".to_owned(),
            package: "app".to_owned(),
            target: "evals".to_owned(),
            runner_attempt: 1,
            ..InvocationRecord::default()
        }),
        Record::Experiment(Box::new(record.clone())),
    ];
    let mut cases = Vec::new();
    for attempts in made {
        let (row, id) = (attempts[0].row, attempts[0].case.clone());
        let mut datapoint = Datapoint::new();
        datapoint.inputs.clone_from(&attempts[0].inputs);
        datapoint.metadata.clone_from(&attempts[0].metadata);
        let facts = RowFacts::new(&rules, row, &datapoint, record.cluster.as_deref());
        let (case, decision) = case::decide(&rules, facts, &attempts);
        records.extend(attempts.into_iter().map(|one| Record::Attempt(Box::new(one))));
        records.push(Record::Case(CaseRecord {
            experiment: "detect".to_owned(),
            case: id.clone(),
            test: format!("detect::{id}"),
            state: case.state,
            passed: decision.failing.is_empty(),
            reasons: decision.reasons().cloned().collect(),
            row_hash: case.row_hash.clone(),
        }));
        cases.push(case);
    }
    (records, cases)
}

impl Generated {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice(SplitMix64::new(seed));
        let file = format!("honeyhive-agreement-{}-{seed}.json", std::process::id());
        let path = std::env::temp_dir().join(file);
        let record = experiment(&mut dice, &path.display().to_string());
        let level = dice.of(&[0.3, 0.7, 0.95, 1.0]);
        let rates = |dice: &mut Dice| -> Vec<f64> {
            (0..record.rows).map(|_| (level + 0.3 * dice.share() - 0.15).clamp(0.0, 1.0)).collect()
        };
        let before = Weather { rates: rates(&mut dice), errors: 0.0, not_applicable: 0.05 };
        let loss = dice.of(&[0.0, 0.0, 0.1, 0.4, 1.0, -0.3]);
        let fallen = before.rates.iter().map(|rate| (rate - loss).clamp(0.0, 1.0)).collect();
        let after = Weather {
            rates: fallen,
            errors: dice.of(&[0.0, 0.0, 0.02, 0.2]),
            not_applicable: dice.of(&[0.0, 0.05]),
        };

        let made = attempts(&mut dice, &record, &before);
        let (records, _) = journal(&record, made);
        let then = Results::new(records);
        let mut snapshot = recorded(&then.experiments[0]);
        "2026-11-20T10:00:00Z".clone_into(&mut snapshot.accepted_at);
        "20261120T090000-0000".clone_into(&mut snapshot.invocation);
        snapshot.commit = Some("1".repeat(40));
        for case in snapshot.cases.values_mut() {
            if dice.chance(0.01) {
                "edited".clone_into(&mut case.row);
            }
        }
        baseline::write(&path, &snapshot).expect("a baseline");

        let made = attempts(&mut dice, &record, &after);
        let (mut records, cases) = journal(&record, made);
        let results = Results::new(records.clone());
        let now = recorded(&results.experiments[0]);
        let rules = Rules::recorded(&record);
        let id = |row: usize| format!("c{row:02}");
        let input = GateInput::new(&rules, &id, &id)
            .compared_with(|| Baseline::read(&path, "detect"), || now.clone());
        let gate = judge_gate(&input, "detect", &cases, None, false);
        let is_failed = |record: &Record| matches!(record, Record::Case(case) if !case.passed);
        let failed = !gate.passed || records.iter().any(is_failed);
        records.push(Record::Gate(gate));
        let exit_code = if failed { 101 } else { 0 };
        records.push(Record::End(EndRecord { exit_code, ..EndRecord::default() }));
        Self { results: Results::new(records), cases, baseline: path, failed }
    }
}

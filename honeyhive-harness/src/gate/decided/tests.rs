use super::*;
use crate::gate::case::CaseScore;
use crate::gate::evaluator::Scored;
use crate::gate::verdict::verdict_of;
use crate::journal::CaseState;
use crate::rule::RequireRule;
use crate::score::{Direction, Reducer, Shape};
use crate::stats::SplitMix64;

/// The result that a case may have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    Score(f64),
    NotApplicable,
    Error,
}

fn rules(shape: Shape, range: Option<(f64, f64)>, gates: Vec<GateRule>) -> Rules {
    let judge = Judge {
        name: "correct".to_owned(),
        settings: String::new(),
        threshold: None,
        direction: Direction::Maximize,
        range,
        shape,
        reduce: Reducer::Mean,
        source: String::new(),
    };
    Rules { judges: vec![judge], require: Vec::new(), gates }
}

fn rule(measure: Measure, comparison: Comparison, limit: f64) -> GateRule {
    let of = if measure == Measure::ErrorRate { Of::Errors } else { Of::Evaluator(0) };
    GateRule {
        text: format!("{measure:?} {} {limit}", comparison.symbol()).into(),
        slice: None,
        min_n: 0,
        coverage: None,
        test: Test::Limit { mode: Mode::Point, measure, of, comparison, limit },
    }
}

fn case(row: usize, comes: Comes) -> Case {
    let (state, score) = match comes {
        Comes::Error => (CaseState::Error, CaseScore::Missing),
        Comes::NotApplicable => (CaseState::Pass, CaseScore::NotApplicable),
        Comes::Score(score) => {
            let holds = Some(score >= 1.0);
            let state = if score >= 1.0 { CaseState::Pass } else { CaseState::Fail };
            let scored = Scored { score, holds, attempts: 1, missing: 0, good: None, spread: None };
            (state, CaseScore::Scored(scored))
        }
    };
    Case { state, scores: Box::new([score]), ..Case::of_row(row) }
}

fn judged(rules: &Rules, cases: &[Case], left: Option<usize>) -> Vec<RuleRecord> {
    let (name, id) = (|row: usize| format!("c{row}"), |row: usize| row.to_string());
    let input = GateInput::new(rules, &name, &id);
    match left {
        Some(left) => judge_stopped(&input, cases, left),
        None => judge_all(&input, cases),
    }
}

fn decided(rules: &Rules, cases: &[Case], left: usize) -> Option<Verdict> {
    let mut decided = Decided::new(rules);
    for case in cases {
        decided.add(rules, case);
    }
    decided.verdict(rules, left)
}

/// Returns all ways in which `left` cases may end.
fn endings(values: &[Comes], left: usize) -> Vec<Vec<Comes>> {
    (0..left).fold(vec![Vec::new()], |all, _| {
        let longer = |one: Vec<Comes>| {
            values.iter().map(move |value| [one.clone(), vec![*value]].concat()).collect::<Vec<_>>()
        };
        all.into_iter().flat_map(longer).collect()
    })
}

/// Checks that the verdict of a gate that is decided early is that of every way in which the run may go
/// on, and that a gate that is not decided may still come to another verdict.
#[test]
fn no_way_to_go_on_comes_to_another_verdict() {
    let bools = [Comes::Score(0.0), Comes::Score(1.0), Comes::NotApplicable, Comes::Error];
    let numbers = [
        Comes::Score(0.0),
        Comes::Score(0.5),
        Comes::Score(2.0),
        Comes::NotApplicable,
        Comes::Error,
    ];
    let mut random = SplitMix64::new(12);
    let (mut found, mut early) = (std::collections::HashMap::new(), 0);
    for round in 0..240 {
        let is_bool = round % 2 == 0;
        let values: &[Comes] = if is_bool { &bools } else { &numbers };
        let high = if is_bool { 1.0 } else { 2.0 };
        let gates: Vec<GateRule> = (0..=random.index(2))
            .map(|_| {
                let measures =
                    [Measure::Mean, Measure::Mean, Measure::PassRate, Measure::ErrorRate];
                let measure = measures[random.index(4)];
                let sides = [Comparison::AtLeast, Comparison::AtMost];
                let top = if measure == Measure::Mean { high } else { 1.0 };
                let limit = top * random.index(9) as f64 / 8.0;
                let mut rule = rule(measure, sides[random.index(2)], limit);
                rule.min_n = [0, 0, 0, 2][random.index(4)];
                rule
            })
            .collect();
        let (shape, range) =
            if is_bool { (Shape::Bool, None) } else { (Shape::Number, Some((0.0, 2.0))) };
        let rules = rules(shape, range, gates);
        let total = 5;
        let rare = |random: &mut SplitMix64| values[random.index(values.len() - 1)];
        let ended: Vec<Comes> = (0..total)
            .map(|_| if random.index(12) == 0 { Comes::Error } else { rare(&mut random) })
            .collect();
        for ran in 1..total {
            let before: Vec<Case> = (0..ran).map(|row| case(row, ended[row])).collect();
            let verdict = decided(&rules, &before, total - ran);
            let mut seen = Vec::new();
            for rest in endings(values, total - ran) {
                let mut cases = before.clone();
                cases.extend(rest.iter().zip(ran..).map(|(comes, row)| case(row, *comes)));
                let full = verdict_of(&judged(&rules, &cases, None));
                // An error gives no score, so there may be too few scores for a verdict.
                let silent = full == Verdict::Inconclusive && rest.contains(&Comes::Error);
                if let Some(verdict) = verdict {
                    assert!(
                        full == verdict || silent,
                        "{:?}: {verdict:?} after {before:?}, {full:?} with {rest:?}",
                        rules.gates
                    );
                }
                if !silent {
                    seen.push(full);
                }
            }
            if let Some(verdict) = verdict {
                let stopped = judged(&rules, &before, Some(total - ran));
                assert_eq!(verdict_of(&stopped), verdict, "{stopped:?}");
                *found.entry(verdict == Verdict::Fail).or_insert(0) += 1;
                early += usize::from(ran <= 2);
                continue;
            }
            // With one rule, every case scored and no `min_n`, an undecided gate may still pass or
            // fail.
            let errs = ended[..ran].contains(&Comes::Error);
            let waits = rules.gates.len() > 1 || rules.gates[0].min_n > 0;
            let held = seen[0] == Verdict::Pass && others_judge(&rules);
            let is_open = seen.iter().any(|one| *one != seen[0]);
            assert!(
                is_open || errs || waits || held || seen[0] == Verdict::Inconclusive,
                "{:?} is {:?} whatever comes after {before:?}",
                rules.gates,
                seen[0]
            );
        }
    }
    let (fails, passes) = (found[&true], found[&false]);
    assert!(
        fails > 60 && passes > 30 && early > 30,
        "{fails} fails, {passes} passes, {early} early"
    );
}

#[test]
fn a_floor_is_decided_at_the_miss_or_hit_that_decides_it() {
    let gate = || vec![rule(Measure::Mean, Comparison::AtLeast, 0.9)];
    let rules = rules(Shape::Bool, None, gate());
    let after = |score: f64, ran: usize| {
        let cases: Vec<Case> = (0..ran).map(|row| case(row, Comes::Score(score))).collect();
        decided(&rules, &cases, 200 - ran)
    };
    assert_eq!((after(0.0, 20), after(0.0, 21)), (None, Some(Verdict::Fail)));
    assert_eq!((after(1.0, 179), after(1.0, 180)), (None, Some(Verdict::Pass)));
    #[cfg(feature = "cli")]
    assert_eq!(earliest(&rules, 200), (Some(21), Some(180)));
}

#[test]
fn what_the_rest_is_needed_for_is_never_decided() {
    let misses: Vec<Case> = (0..9).map(|row| case(row, Comes::Score(0.0))).collect();
    let with = |change: &dyn Fn(&mut GateRule)| {
        let mut gate = rule(Measure::Mean, Comparison::AtLeast, 0.9);
        change(&mut gate);
        decided(&rules(Shape::Bool, None, vec![gate]), &misses, 1)
    };
    assert_eq!(with(&|_| {}), Some(Verdict::Fail));
    for mode in [Mode::Confident, Mode::NotWorse] {
        let of_mode = |gate: &mut GateRule| {
            if let Test::Limit { mode: own, .. } = &mut gate.test {
                *own = mode;
            }
        };
        assert_eq!(with(&of_mode), None);
    }
    let against = Test::NoRegression { evaluator: 0, margin: 0.0, alpha: 0.05, confirm: 0 };
    assert_eq!(with(&|gate| gate.test = against), None);
    assert_eq!(with(&|gate| gate.min_n = 10), None);
    // A number without a range has no lowest value.
    let unbounded = rules(Shape::Number, None, vec![rule(Measure::Mean, Comparison::AtLeast, 0.9)]);
    assert_eq!(decided(&unbounded, &misses, 1), None);
}

#[test]
fn a_gate_that_holds_waits_for_cases_that_could_fail_by_themselves() {
    let hits: Vec<Case> = (0..9).map(|row| case(row, Comes::Score(1.0))).collect();
    let mut rules = rules(Shape::Bool, None, vec![rule(Measure::Mean, Comparison::AtLeast, 0.5)]);
    assert_eq!(decided(&rules, &hits, 1), Some(Verdict::Pass));
    rules.require.push(RequireRule { evaluator: 0, limit: None, text: "correct".into() });
    assert_eq!(decided(&rules, &hits, 1), None);
    rules.require.clear();
    rules.judges.push(Judge { name: "safe".to_owned(), ..rules.judges[0].clone() });
    assert_eq!(decided(&rules, &hits, 1), None);
}

#[test]
fn a_rule_says_how_it_was_decided() {
    let mut gates = vec![
        rule(Measure::Mean, Comparison::AtLeast, 0.9),
        rule(Measure::PassRate, Comparison::AtLeast, 0.1),
    ];
    gates[1].slice = Some("language:de".into());
    let rules = rules(Shape::Bool, None, gates);
    let in_slice = |hit: bool, row: usize| Case {
        in_slice: [true, false].into(),
        ..case(row, Comes::Score(f64::from(u8::from(hit))))
    };
    let cases: Vec<Case> = (0..103).map(|row| in_slice(row >= 31, row)).collect();
    let records = judged(&rules, &cases, Some(97));
    let texts: Vec<&str> = records.iter().map(|record| record.text.as_str()).collect();
    assert!(
        texts[0].ends_with(
            "; decided after 103 of 200 cases: whatever the others score, it is 0.845 at best"
        ),
        "{texts:?}"
    );
    assert_eq!(texts[1], "PassRate >= 0.1: not decided, as 97 cases were not run");
    assert_eq!([records[0].verdict, records[1].verdict], [Verdict::Fail, Verdict::Inconclusive]);
}

/// Checks the figures of the manual: a floor of 0.85, 200 cases.
#[test]
fn clear_failures_take_half_of_the_cases() {
    let rules = rules(Shape::Bool, None, vec![rule(Measure::Mean, Comparison::AtLeast, 0.85)]);
    let mut random = SplitMix64::new(7);
    for (percent, expected) in [(70, 103.3), (60, 77.5)] {
        let worlds = 400_u32;
        let mut ran = 0_u32;
        for _ in 0..worlds {
            let mut decided = Decided::new(&rules);
            ran += (1..200_u32)
                .find(|ran| {
                    let hit = random.index(100) < percent;
                    decided.add(&rules, &case(0, Comes::Score(f64::from(u8::from(hit)))));
                    decided.verdict(&rules, 200 - *ran as usize).is_some()
                })
                .unwrap_or(200);
        }
        let mean = f64::from(ran) / f64::from(worlds);
        // Four standard errors.
        assert!((mean - expected).abs() < 4.0, "{percent} %: {mean}");
    }
}

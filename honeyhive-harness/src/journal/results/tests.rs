use super::*;
use crate::journal::{CaseState, Verdict};

fn process(runner_attempt: u32) -> Record {
    let (package, target) = ("app".to_owned(), "evals".to_owned());
    Record::Invocation(InvocationRecord { package, target, runner_attempt, ..Default::default() })
}

fn experiment(ids: &[&str]) -> Record {
    Record::Experiment(Box::new(ExperimentRecord {
        experiment: "e".to_owned(),
        run_id: "run".to_owned(),
        selected: ids.len(),
        datapoint_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..Default::default()
    }))
}

fn attempt(case: &str, row: usize, attempt: u32) -> Record {
    let (experiment, case) = ("e".to_owned(), case.to_owned());
    Record::Attempt(Box::new(AttemptRecord {
        experiment,
        case,
        row,
        attempt,
        ..Default::default()
    }))
}

fn case(id: &str, state: CaseState) -> Record {
    let (experiment, case) = ("e".to_owned(), id.to_owned());
    Record::Case(CaseRecord { experiment, case, state, ..CaseRecord::default() })
}

fn gate(verdict: Verdict) -> Record {
    let (rules, reason) = (Vec::new(), None);
    let experiment = "e".to_owned();
    Record::Gate(GateRecord {
        experiment,
        verdict,
        passed: true,
        rules,
        reason,
        baseline: None,
        stopped: None,
    })
}

fn states(results: &Results) -> Vec<(String, Option<CaseState>, usize)> {
    let [experiment] = &results.experiments[..] else { panic!("{results:?}") };
    let of = |case: &CaseResults| {
        let state = case.record.as_ref().map(|record| record.state);
        (case.id.clone(), state, case.attempts.len())
    };
    experiment.cases.iter().map(of).collect()
}

#[test]
fn the_latest_attempt_of_the_runner_counts_whatever_the_order_of_files() {
    let results = Results::new(vec![
        process(2),
        experiment(&["a"]),
        attempt("a", 0, 1),
        case("a", CaseState::Pass),
        gate(Verdict::Pass),
        process(1),
        experiment(&["a", "b"]),
        attempt("b", 1, 1),
        case("b", CaseState::Fail),
        attempt("a", 0, 1),
        case("a", CaseState::Error),
        gate(Verdict::Fail),
    ]);
    let (pass, fail) = (Some(CaseState::Pass), Some(CaseState::Fail));
    assert_eq!(states(&results), [("a".to_owned(), pass, 1), ("b".to_owned(), fail, 1)]);
    let [experiment] = &results.experiments[..] else { panic!() };
    assert_eq!(experiment.gate.as_ref().map(|gate| gate.verdict), Some(Verdict::Pass));
    assert_eq!((experiment.record.selected, experiment.target.as_str()), (2, "app/evals"));
}

#[test]
fn shards_are_one_experiment_in_the_order_of_the_dataset() {
    let results = Results::new(vec![
        process(1),
        experiment(&["b"]),
        attempt("b", 1, 2),
        attempt("b", 1, 1),
        case("b", CaseState::Pass),
        process(1),
        experiment(&["a"]),
        attempt("a", 0, 1),
        case("a", CaseState::Pass),
    ]);
    let pass = Some(CaseState::Pass);
    assert_eq!(states(&results), [("a".to_owned(), pass, 1), ("b".to_owned(), pass, 2)]);
    let attempts = &results.experiments[0].cases[1].attempts;
    assert_eq!(attempts.iter().map(|one| one.attempt).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(results.experiments[0].record.selected, 2);
}

#[test]
fn a_second_look_adds_attempts_and_leaves_the_case_as_it_was_decided() {
    let results = Results::new(vec![
        process(1),
        attempt("a", 0, 1),
        case("a", CaseState::Fail),
        attempt("a", 0, 2),
        attempt("a", 0, 3),
        case("a", CaseState::Pass),
    ]);
    assert_eq!(states(&results), [("a".to_owned(), Some(CaseState::Fail), 3)]);
}

#[test]
fn a_case_that_was_cut_off_has_attempts_alone() {
    let cut = vec![process(1), experiment(&["a"]), attempt("a", 0, 1)];
    assert_eq!(states(&Results::new(cut.clone())), [("a".to_owned(), None, 1)]);
    // An attempt alone does not change a case that was decided before.
    let decided =
        vec![process(1), attempt("a", 0, 1), attempt("a", 0, 2), case("a", CaseState::Fail)];
    let both = [decided, cut].concat();
    assert_eq!(states(&Results::new(both)), [("a".to_owned(), Some(CaseState::Fail), 2)]);
}

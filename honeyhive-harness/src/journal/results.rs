//! What the files of an invocation say, put together: experiments, their cases, their attempts.
//!
//! The journal is a log; this is the state that it comes to. Where several processes ran an
//! experiment (shards, or a retry by the outer runner), their cases are one set, and what the
//! latest attempt of the runner says of a case or gate counts, in whatever order the files come.

use std::collections::HashMap;

use super::schema::{
    AttemptRecord, CaseRecord, EndRecord, ExperimentRecord, GitRecord, InvocationRecord, Record,
};
use super::verdict::GateRecord;

/// An invocation, put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Each process, in the order of their files.
    pub processes: Vec<InvocationRecord>,
    /// The state of the sources, as far as any process knew it.
    pub git: Option<GitRecord>,
    /// Each experiment, in the order in which they started.
    pub experiments: Vec<ExperimentResults>,
    /// How the processes ended; one that was killed has no entry.
    pub ends: Vec<EndRecord>,
    /// Cases, with their experiments, that were decided more than once by processes of which none
    /// is a retry: then these are no parts of one run.
    pub twice: Vec<(String, String)>,
}

/// An experiment, put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExperimentResults {
    /// The package and test target that ran it: `app/evals`.
    pub target: String,
    /// The command that runs tests of this target, up to their names.
    pub rerun: String,
    /// The experiment as it was about to run; where several processes ran it, as in the first.
    pub record: ExperimentRecord,
    /// Its runs: one, unless several processes ran it.
    pub run_ids: Vec<String>,
    /// The cases that ran, in the order of the dataset.
    pub cases: Vec<CaseResults>,
    /// What its gate said, where it was asked.
    pub gate: Option<GateRecord>,
}

/// A case with its attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseResults {
    /// The datapoint's id.
    pub id: String,
    /// Its place in the dataset, from 0.
    pub row: usize,
    /// What became of it; absent where the process was killed before that was known.
    pub record: Option<CaseRecord>,
    /// Its attempts, in their order.
    pub attempts: Vec<AttemptRecord>,
}

impl ExperimentResults {
    /// The command that runs exactly one test of its target, or all tests of an experiment.
    pub(crate) fn rerun(&self, test: &str) -> String {
        let command = if self.rerun.is_empty() {
            // Recorded before this was. With the package it works anywhere in the workspace.
            let (package, target) = self.target.rsplit_once('/').unwrap_or(("", &self.target));
            rerun_command(Some(package), target)
        } else {
            self.rerun.clone()
        };
        rerun(&command, test)
    }
}

/// The command that runs tests of a target, up to their names. `package` is only named where it is
/// needed.
pub(crate) fn rerun_command(package: Option<&str>, target: &str) -> String {
    let package = package.filter(|package| !package.is_empty());
    let package = package.map(|package| format!(" -p {package}")).unwrap_or_default();
    format!("cargo test{package} --test {target} --")
}

/// The command that runs exactly one test, or all tests of an experiment.
pub(crate) fn rerun(command: &str, test: &str) -> String {
    format!("{command} --exact {test}")
}

/// The name of a target as results have it.
pub(super) fn target(process: &InvocationRecord) -> String {
    let name = format!("{}/{}", process.package, process.target);
    name.trim_start_matches('/').to_owned()
}

/// What is known of a case or gate, and since which attempt of the outer runner.
#[derive(Default)]
struct Pending {
    experiments: HashMap<(String, String), usize>,
    cases: HashMap<(usize, String), usize>,
    /// Per experiment and case: the runner's attempt that its record is from.
    known: Vec<Vec<u32>>,
    gates: Vec<u32>,
}

impl Results {
    /// Puts records together, as [`read_invocation`](super::read_invocation) gives them.
    pub fn new(records: Vec<Record>) -> Self {
        let mut results = Self::default();
        let mut pending = Pending::default();
        let (mut runner, mut place) = (0, String::new());
        // Attempts whose case is not decided yet, within a process.
        let mut open: HashMap<(usize, String), Vec<AttemptRecord>> = HashMap::new();
        for record in records {
            match record {
                Record::Invocation(process) => {
                    results.put_undecided(&mut pending, &mut open, runner);
                    runner = process.runner_attempt;
                    place = target(&process);
                    results.processes.push(process);
                }
                Record::Experiment(record) => {
                    let name = record.experiment.clone();
                    let index = results.experiment(&mut pending, &place, &name);
                    let run_ids = &mut results.experiments[index].run_ids;
                    if !run_ids.contains(&record.run_id) {
                        run_ids.push(record.run_id.clone());
                    }
                    let known = &mut results.experiments[index].record;
                    if known.run_id.is_empty() {
                        *known = *record;
                    } else {
                        let new = |id: &String| !known.datapoint_ids.contains(id);
                        let more: Vec<String> =
                            record.datapoint_ids.into_iter().filter(new).collect();
                        known.selected += more.len();
                        known.datapoint_ids.extend(more);
                    }
                }
                Record::Attempt(attempt) => {
                    let index = results.experiment(&mut pending, &place, &attempt.experiment);
                    open.entry((index, attempt.case.clone())).or_default().push(*attempt);
                }
                Record::Case(case) => {
                    let index = results.experiment(&mut pending, &place, &case.experiment);
                    let attempts = open.remove(&(index, case.case.clone())).unwrap_or_default();
                    results.put(&mut pending, index, runner, Some(case), attempts);
                }
                Record::Gate(gate) => {
                    let index = results.experiment(&mut pending, &place, &gate.experiment);
                    if runner >= pending.gates[index] {
                        pending.gates[index] = runner;
                        results.experiments[index].gate = Some(gate);
                    }
                }
                Record::Git(git) => {
                    if git.commit_hash.is_some() || results.git.is_none() {
                        results.git = Some(git);
                    }
                }
                Record::End(end) => results.ends.push(end),
                Record::Unknown => {}
            }
        }
        results.put_undecided(&mut pending, &mut open, runner);
        for experiment in &mut results.experiments {
            let process = results.processes.iter().find(|one| target(one) == experiment.target);
            experiment.rerun = process.map(|one| one.rerun.clone()).unwrap_or_default();
            experiment.cases.sort_by_key(|case| case.row);
        }
        results
    }

    fn experiment(&mut self, pending: &mut Pending, target: &str, name: &str) -> usize {
        let key = (target.to_owned(), name.to_owned());
        if let Some(index) = pending.experiments.get(&key) {
            return *index;
        }
        let index = self.experiments.len();
        pending.experiments.insert(key, index);
        pending.known.push(Vec::new());
        pending.gates.push(0);
        let record = ExperimentRecord { experiment: name.to_owned(), ..Default::default() };
        self.experiments.push(ExperimentResults {
            target: target.to_owned(),
            record,
            ..ExperimentResults::default()
        });
        index
    }

    fn put(
        &mut self,
        pending: &mut Pending,
        experiment: usize,
        runner: u32,
        record: Option<CaseRecord>,
        mut attempts: Vec<AttemptRecord>,
    ) {
        attempts.sort_by_key(|attempt| attempt.attempt);
        let id = match (&record, attempts.first()) {
            (Some(record), _) => record.case.clone(),
            (None, Some(attempt)) => attempt.case.clone(),
            (None, None) => return,
        };
        // An experiment that could not run has a case without a row; it comes first.
        let row = attempts.first().map_or(0, |attempt| attempt.row);
        let ExperimentResults { record: ExperimentRecord { experiment: name, .. }, cases, .. } =
            &mut self.experiments[experiment];
        let known = &mut pending.known[experiment];
        let index = *pending.cases.entry((experiment, id.clone())).or_insert_with(|| {
            cases.push(CaseResults { id: id.clone(), row, ..CaseResults::default() });
            known.push(0);
            cases.len() - 1
        });
        let decided = cases[index].record.is_some();
        let last = cases[index].attempts.last().map_or(0, |attempt| attempt.attempt);
        let is_second_look = attempts.first().is_some_and(|attempt| attempt.attempt > last);
        if decided && runner == known[index] && last > 0 && is_second_look {
            cases[index].attempts.append(&mut attempts);
            return;
        }
        // What is known for sure is not given up for what was cut off.
        if runner >= known[index] && (record.is_some() || !decided) {
            if decided && runner == known[index] {
                self.twice.push((name.clone(), id.clone()));
            }
            known[index] = runner;
            cases[index] = CaseResults { id, row, record, attempts };
        }
    }

    /// Attempts of cases that a process had no time to decide.
    fn put_undecided(
        &mut self,
        pending: &mut Pending,
        open: &mut HashMap<(usize, String), Vec<AttemptRecord>>,
        runner: u32,
    ) {
        for ((experiment, _), attempts) in open.drain() {
            self.put(pending, experiment, runner, None, attempts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{CaseState, Verdict};

    fn process(runner_attempt: u32) -> Record {
        let (package, target) = ("app".to_owned(), "evals".to_owned());
        Record::Invocation(InvocationRecord {
            package,
            target,
            runner_attempt,
            ..Default::default()
        })
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
        // It is no news of a case that was decided.
        let decided =
            vec![process(1), attempt("a", 0, 1), attempt("a", 0, 2), case("a", CaseState::Fail)];
        let both = [decided, cut].concat();
        assert_eq!(states(&Results::new(both)), [("a".to_owned(), Some(CaseState::Fail), 2)]);
    }
}

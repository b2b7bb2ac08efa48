//! Puts the files of an invocation together: experiments, their cases, their attempts.
//!
//! The journal is a log; this is the state that it comes to. Where several processes ran an
//! experiment (shards, or a retry by the outer runner), their cases are one set, and what the
//! latest attempt of the runner says of a case or gate counts, in whatever order the files come.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::damage::{self, Damage};
use super::left_out;
use super::scan::{Place, Scan};
use super::schema::{
    AttemptRecord, CaseCounts, CaseRecord, CaseState, EndRecord, ExperimentRecord, GitRecord,
    InvocationRecord, Record,
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
    /// The ends of the processes; one that was killed has no entry.
    pub ends: Vec<EndRecord>,
    /// Cases, with their experiments, that were decided more than once by processes of which none
    /// is a retry: then these are no parts of one run.
    pub twice: Vec<(String, String)>,
    /// The files, in the order in which they were read; empty where the records come from elsewhere.
    pub files: Vec<PathBuf>,
    /// Files whose last line was torn by a crash; the line is left out.
    pub torn: Vec<PathBuf>,
    /// Files that have no whole line.
    pub without_lines: Vec<PathBuf>,
    /// Lines that cannot be relied on, and what is wrong with them. Where there is any, these results
    /// prove nothing.
    pub damage: Vec<Damage>,
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
    /// The verdict of its gate, where the gate was judged.
    pub gate: Option<GateRecord>,
    /// The models that spans name as those that answered, or were asked.
    pub models: BTreeSet<String>,
    /// The place of the record of its gate: the index of the file and the line.
    pub(crate) gate_at: Place,
    /// The number of processes that ran it.
    pub(crate) processes: usize,
}

/// A case with its attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseResults {
    /// The datapoint's id.
    pub id: String,
    /// Its place in the dataset, from 0.
    pub row: usize,
    /// The result of the case; absent where the process was killed before that was known.
    pub record: Option<CaseRecord>,
    /// Its attempts, in their order.
    pub attempts: Vec<AttemptRecord>,
    /// The number of attempts that the case was decided on; a second look adds attempts.
    pub(crate) decided_on: usize,
    /// The place of the record.
    pub(crate) at: Place,
}

impl CaseResults {
    /// Returns the record of a case that was run to its end: it has attempts, and was decided on them.
    pub(crate) fn decided(&self) -> Option<&CaseRecord> {
        self.record.as_ref().filter(|record| record.state.has_run() && !self.attempts.is_empty())
    }

    /// Returns whether the case was run to its end.
    pub(crate) fn has_run(&self) -> bool {
        self.decided().is_some()
    }

    /// Returns the state of the case; `Skipped` where its process was killed before that was known.
    pub(crate) fn state(&self) -> CaseState {
        self.record.as_ref().map_or(CaseState::Skipped, |record| record.state)
    }
}

impl ExperimentResults {
    /// Returns the number of cases that were run to their end.
    #[cfg(feature = "cli")]
    pub(crate) fn ran(&self) -> usize {
        self.cases.iter().filter(|case| case.has_run()).count()
    }

    /// The command that runs exactly one test of its target, or all tests of an experiment.
    pub(crate) fn rerun(&self, test: &str) -> String {
        let command = if self.rerun.is_empty() {
            // Recorded before this was. With the package it works anywhere in the workspace.
            let (package, target) = self.target.rsplit_once('/').unwrap_or(("", &self.target));
            rerun_command(Some(package), &crate::cargo::test_arguments(target))
        } else {
            self.rerun.clone()
        };
        rerun(&command, test)
    }
}

/// The command that runs tests of a target, up to their names. `package` is only named where it is
/// needed.
pub(crate) fn rerun_command(package: Option<&str>, target: &[String]) -> String {
    let package = package.filter(|package| !package.is_empty());
    let package = package.map(|package| format!(" -p {package}")).unwrap_or_default();
    format!("cargo test{package} {} --", target.join(" "))
}

/// The command that runs exactly one test, or all tests of an experiment.
pub(crate) fn rerun(command: &str, test: &str) -> String {
    format!("{command} --exact {test}")
}

impl Results {
    /// Puts records together, as [`read_invocation`](super::read_invocation) gives them.
    pub fn new(records: Vec<Record>) -> Self {
        let mut builder = Builder::default();
        let mut file = 0;
        for (index, record) in records.into_iter().enumerate() {
            file += usize::from(matches!(record, Record::Invocation(_)));
            builder.add(record, Place { file, line: index + 1 });
        }
        builder.finish(Scan::default())
    }

    /// The results, unless something of them is damaged.
    ///
    /// # Errors
    /// The damaged lines, and what to do.
    pub(crate) fn sound(self) -> Result<Self, String> {
        if self.damage.is_empty() { Ok(self) } else { Err(damage::list(&self.damage)) }
    }

    /// Something that is wrong with a line.
    pub(crate) fn damage_at(&self, at: Place, message: impl Into<String>) -> Damage {
        let file = self.files.get(at.file).map_or_else(|| Path::new("records"), PathBuf::as_path);
        Damage::new(file, at.line, message)
    }
}

/// The records of one process so far.
#[derive(Default)]
struct Process {
    record: InvocationRecord,
    /// The experiments that it announced.
    announced: HashSet<String>,
    /// Its cases, each as it was decided first.
    cases: CaseCounts,
    /// Something that it recorded did not pass.
    failed: bool,
    /// Something of it is damaged already; its counts then say nothing new.
    damaged: bool,
}

/// Puts results together, record by record.
#[derive(Default)]
pub(super) struct Builder {
    results: Results,
    process: Process,
    place: String,
    experiments: HashMap<(String, String), usize>,
    cases: HashMap<(usize, String), usize>,
    /// The runner's attempt that each record is from, by experiment and case.
    known: Vec<Vec<u32>>,
    gates: Vec<u32>,
    /// Attempts whose case is not decided yet, within a process, and where they stand.
    open: HashMap<(usize, String), Vec<AttemptRecord>>,
    /// Records that contradict each other: the place of the later one.
    contradictions: Vec<(Place, String)>,
}

impl Builder {
    pub(super) fn add(&mut self, record: Record, at: Place) {
        match record {
            Record::Invocation(process) => {
                self.put_undecided();
                self.place = process.path();
                self.process = Process { record: process.clone(), ..Process::default() };
                self.results.processes.push(process);
            }
            Record::Experiment(record) => self.announce(*record),
            Record::Attempt(mut attempt) => {
                let name = std::mem::take(&mut attempt.experiment);
                if !self.process.announced.contains(&name) {
                    self.contradict(at, format!(
                        "an attempt of the experiment `{name}`, of which no `experiment` record stands before it"
                    ));
                }
                let index = self.experiment(&name);
                let models = &mut self.results.experiments[index].models;
                let left_out = attempt.left_out.as_ref();
                for model in left_out::models(&attempt.spans).chain(
                    left_out.into_iter().flat_map(|one| one.models.iter().map(String::as_str)),
                ) {
                    if !models.contains(model) {
                        models.insert(model.to_owned());
                    }
                }
                attempt.experiment = name;
                let key = (index, attempt.case.clone());
                self.open.entry(key).or_default().push(*attempt);
            }
            Record::Case(case) => self.case(case, at),
            Record::Gate(gate) => {
                if !self.process.announced.contains(&gate.experiment) {
                    self.contradict(at, format!(
                        "the gate of the experiment `{}`, of which no `experiment` record stands before it",
                        gate.experiment
                    ));
                }
                self.process.failed |= !gate.passed;
                let index = self.experiment(&gate.experiment);
                let runner = self.process.record.runner_attempt;
                if runner >= self.gates[index] {
                    self.gates[index] = runner;
                    self.results.experiments[index].gate = Some(gate);
                    self.results.experiments[index].gate_at = at;
                }
            }
            Record::Git(git) => {
                if git.commit_hash.is_some() || self.results.git.is_none() {
                    self.results.git = Some(git);
                }
            }
            Record::End(end) => {
                self.end(&end, at);
                self.results.ends.push(end);
            }
            Record::Unknown => {}
        }
    }

    pub(super) fn finish(mut self, scan: Scan) -> Results {
        self.put_undecided();
        let mut results = self.results;
        for experiment in &mut results.experiments {
            let process = results.processes.iter().find(|one| one.path() == experiment.target);
            experiment.rerun = process.map(|one| one.rerun.clone()).unwrap_or_default();
            experiment.cases.sort_by_key(|case| case.row);
        }
        results.files = scan.files;
        results.torn = scan.torn;
        results.without_lines = scan.without_lines;
        // Where a line is damaged, others miss what it said.
        results.damage = scan.damage;
        if results.damage.is_empty() {
            let told = self.contradictions.into_iter();
            results.damage = told.map(|(at, text)| results.damage_at(at, text)).collect();
        }
        results
    }

    fn contradict(&mut self, at: Place, text: String) {
        /// The first few say what is wrong; a record that is missing may be contradicted by thousands.
        const MOST: usize = 100;
        self.process.damaged = true;
        if self.contradictions.len() < MOST {
            self.contradictions.push((at, text));
        }
    }

    fn announce(&mut self, record: ExperimentRecord) {
        let index = self.experiment(&record.experiment);
        self.process.announced.insert(record.experiment.clone());
        let experiment = &mut self.results.experiments[index];
        experiment.processes += 1;
        if !experiment.run_ids.contains(&record.run_id) {
            experiment.run_ids.push(record.run_id.clone());
        }
        let known = &mut experiment.record;
        if known.run_id.is_empty() {
            *known = record;
        } else {
            let there: HashSet<&str> = known.datapoint_ids.iter().map(String::as_str).collect();
            let new = |id: &String| !there.contains(id.as_str());
            let more: Vec<String> = record.datapoint_ids.into_iter().filter(new).collect();
            known.selected += more.len();
            known.datapoint_ids.extend(more);
        }
    }

    fn case(&mut self, case: CaseRecord, at: Place) {
        let index = self.experiment(&case.experiment);
        let attempts = self.open.remove(&(index, case.case.clone())).unwrap_or_default();
        if self.process.announced.contains(&case.experiment) {
            let known = self.cases.get(&(index, case.case.clone()));
            let known = known.map(|known| &self.results.experiments[index].cases[*known]);
            // A second look decides a case again, for its gate alone.
            if known.is_none_or(|known| known.record.is_none() || known.at.file != at.file) {
                self.process.cases.add(case.state);
                self.process.failed |= !case.passed;
            }
        } else {
            // An experiment that cannot run at all has such a case, and nothing else.
            if case.passed || case.state != CaseState::Error || !attempts.is_empty() {
                let text = format!(
                    "a case of the experiment `{}`, of which no `experiment` record stands before it",
                    case.experiment
                );
                self.contradict(at, text);
            }
            self.process.failed |= !case.passed;
        }
        let right = match case.state {
            CaseState::Pass => case.passed && case.reasons.is_empty(),
            _ => !case.reasons.is_empty(),
        };
        if !right {
            self.contradict(at, format!(
                "the case `{}` is recorded as {}, with {} and `\"passed\":{}`, which contradict each other",
                case.case,
                case.state.name(),
                crate::text::count(case.reasons.len(), "reason"),
                case.passed
            ));
        }
        self.put(index, Some(case), attempts, at);
    }

    /// Checks that the process counted in the end what it recorded.
    fn end(&mut self, end: &EndRecord, at: Place) {
        let Process { record, cases, failed, damaged, .. } = &self.process;
        // With Ctrl-C, a case may end while the cases are counted; a retry counts those of before, too.
        if end.interrupted || record.runner_attempt > 1 || *damaged {
            return;
        }
        let recorded = CaseCounts { skipped: end.cases.skipped, ..*cases };
        let under_test = !record.package.is_empty();
        if recorded != end.cases {
            let text = format!(
                "the process counted {}, its records come to {}",
                shown(end.cases),
                shown(recorded)
            );
            self.contradict(at, text);
        } else if *failed && end.exit_code == 0 && under_test {
            let text = "the process ended with exit code 0, but recorded a failure".to_owned();
            self.contradict(at, text);
        }
    }

    fn experiment(&mut self, name: &str) -> usize {
        let key = (self.place.clone(), name.to_owned());
        if let Some(index) = self.experiments.get(&key) {
            return *index;
        }
        let index = self.results.experiments.len();
        self.experiments.insert(key, index);
        self.known.push(Vec::new());
        self.gates.push(0);
        let record = ExperimentRecord { experiment: name.to_owned(), ..Default::default() };
        self.results.experiments.push(ExperimentResults {
            target: self.place.clone(),
            record,
            ..ExperimentResults::default()
        });
        index
    }

    fn put(
        &mut self,
        experiment: usize,
        record: Option<CaseRecord>,
        mut attempts: Vec<AttemptRecord>,
        at: Place,
    ) {
        attempts.sort_by_key(|attempt| attempt.attempt);
        // A list that grows by itself begins with room for four, and records are large: 300 MB of nothing
        // for 100,000 cases.
        attempts.shrink_to_fit();
        let runner = self.process.record.runner_attempt;
        let id = match (&record, attempts.first()) {
            (Some(record), _) => record.case.clone(),
            (None, Some(attempt)) => attempt.case.clone(),
            (None, None) => return,
        };
        // An experiment that could not run has a case without a row; it comes first.
        let row = attempts.first().map_or(0, |attempt| attempt.row);
        let ExperimentResults { record: ExperimentRecord { experiment: name, .. }, cases, .. } =
            &mut self.results.experiments[experiment];
        let known = &mut self.known[experiment];
        let index = *self.cases.entry((experiment, id.clone())).or_insert_with(|| {
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
                self.results.twice.push((name.clone(), id.clone()));
            }
            known[index] = runner;
            let decided_on = attempts.len();
            cases[index] = CaseResults { id, row, record, attempts, decided_on, at };
        }
    }

    /// Attempts of cases that a process had no time to decide.
    fn put_undecided(&mut self) {
        for ((experiment, _), attempts) in std::mem::take(&mut self.open) {
            self.put(experiment, None, attempts, Place::default());
        }
    }
}

/// `2 pass, 1 fail, 0 error, 0 unscored`
fn shown(counts: CaseCounts) -> String {
    let CaseCounts { pass, fail, error, unscored, .. } = counts;
    format!("{pass} pass, {fail} fail, {error} error, {unscored} unscored")
}

#[cfg(test)]
mod tests;

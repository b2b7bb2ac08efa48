//! Computes an invocation in a few numbers, as `cargo honeyhive runs` lists it.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::counts::Counts;
use super::ending::Ending;
use super::experiment::Experiment;
use crate::journal::{
    CaseResults, ExperimentResults, Keep, Results, StoppedRecord, Verdict, read_results, run_head,
    size,
};

/// The overview of an experiment of an invocation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ExperimentOverview {
    pub(crate) name: String,
    /// The test target, as `package/target`.
    pub(crate) target: String,
    /// The ids of its runs: one, unless several processes ran it.
    pub(crate) run_ids: Vec<String>,
    /// The cases that are recorded, by state.
    pub(crate) cases: Counts,
    /// The number of rows of the dataset.
    pub(crate) rows: usize,
    /// The number of rows that were selected.
    pub(crate) selected: usize,
    /// The means of its evaluators.
    pub(crate) scores: Vec<ScoreOverview>,
    /// The verdict of its gate; `None` without a gate, or where it was not asked.
    pub(crate) gate: Option<Verdict>,
    /// The reason why its gate did not judge: `sample`, or `partial` where only some cases were selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_judged: Option<&'static str>,
    /// The cases that ran, where its gate was decided before the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<StoppedRecord>,
}

/// The overview of an evaluator over all cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ScoreOverview {
    pub(crate) evaluator: String,
    /// The mean over the cases that have a score.
    pub(crate) mean: f64,
    /// The number of these cases.
    pub(crate) n: usize,
    /// Set when its scores decide cases.
    pub(crate) judges: bool,
}

/// The overview of an invocation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Overview {
    /// The name of its directory.
    pub(crate) invocation: String,
    pub(crate) directory: PathBuf,
    /// The time when the first process started, RFC 3339; empty when no file has it.
    pub(crate) started_at: String,
    /// The test targets, as `package/target`.
    pub(crate) targets: Vec<String>,
    pub(crate) experiments: Vec<ExperimentOverview>,
    /// The way in which it ended; `None` when the journal cannot be read.
    #[serde(serialize_with = "ending")]
    pub(crate) ending: Option<Ending>,
    /// The files whose last line was torn by a crash.
    pub(crate) torn: Vec<PathBuf>,
    /// The size of its files.
    pub(crate) bytes: u64,
    /// The reason why it cannot be read.
    pub(crate) error: Option<String>,
}

// Signature demanded by `serialize_with`.
#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
fn ending<S: Serializer>(ending: &Option<Ending>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match ending {
        Some(Ending::Complete) => "complete",
        Some(Ending::Interrupted) => "interrupted",
        Some(Ending::Unfinished) => "no_end",
        None => "unreadable",
    })
}

impl Overview {
    /// Reads an invocation's directory. The overview of one that cannot be read has the reason.
    pub(crate) fn read(directory: &Path) -> Self {
        let name = directory.file_name().unwrap_or(directory.as_os_str());
        let mut overview = Self {
            invocation: name.to_string_lossy().into_owned(),
            directory: directory.to_owned(),
            started_at: run_head(directory).started_at,
            targets: Vec::new(),
            experiments: Vec::new(),
            ending: None,
            torn: Vec::new(),
            bytes: size(directory),
            error: None,
        };
        match read_results(directory, Keep::Scores) {
            Ok(results) => {
                overview.torn.clone_from(&results.torn);
                match &results.damage[..] {
                    [] => overview.add(&results),
                    [one] => overview.error = Some(format!("damaged: {one}")),
                    [one, more @ ..] => {
                        overview.error = Some(format!("damaged: {one}; and {} more", more.len()));
                    }
                }
            }
            Err(error) => overview.error = Some(error.to_string()),
        }
        overview
    }

    fn add(&mut self, results: &Results) {
        self.experiments = results.experiments.iter().map(ExperimentOverview::new).collect();
        self.ending = Some(Ending::of(results));
        for process in &results.processes {
            let target = process.path();
            if !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
    }
}

impl ExperimentOverview {
    /// Returns the overview of an experiment.
    pub(crate) fn new(results: &ExperimentResults) -> Self {
        let experiment = Experiment::new(results, None);
        let state =
            |case: &CaseResults| case.record.as_ref().map(|record| (record.state, record.passed));
        let scores = experiment.figures.evaluators.iter().filter_map(|evaluator| {
            let measured = evaluator.measured?;
            Some(ScoreOverview {
                evaluator: evaluator.record.name.clone(),
                mean: measured.mean,
                n: measured.n,
                judges: evaluator.judges(),
            })
        });
        Self {
            name: experiment.name.to_owned(),
            target: experiment.target.to_owned(),
            run_ids: experiment.run_ids.to_vec(),
            cases: Counts::of(results.cases.iter().filter_map(state)),
            rows: experiment.record.rows,
            selected: experiment.record.selected,
            scores: scores.collect(),
            gate: experiment.figures.gate.map(|gate| gate.verdict),
            not_judged: not_judged(&experiment),
            stopped: experiment.figures.stopped(),
        }
    }
}

/// Returns the reason why a gate that was asked did not judge.
fn not_judged(experiment: &Experiment<'_>) -> Option<&'static str> {
    // A gate that judged has no reason beside its rules.
    experiment.figures.gate?.reason.as_ref()?;
    if experiment.record.sample.is_some() {
        return Some("sample");
    }
    (experiment.record.selected < experiment.record.rows).then_some("partial")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{
        CaseCounts, CaseRecord, CaseState, EndRecord, GateRecord, InvocationRecord, Record,
    };

    fn overview(records: Vec<Record>) -> Overview {
        let mut overview = Overview::read(Path::new("no/such/directory"));
        assert!(overview.error.is_some() && overview.ending.is_none());
        overview.add(&Results::new(records));
        overview
    }

    fn process(runner_attempt: u32) -> Record {
        let target = "evals".to_owned();
        let package = "app".to_owned();
        Record::Invocation(InvocationRecord {
            package,
            target,
            runner_attempt,
            ..InvocationRecord::default()
        })
    }

    fn case(id: &str, state: CaseState) -> Record {
        let (experiment, case) = ("e".to_owned(), id.to_owned());
        Record::Case(CaseRecord { experiment, case, state, ..CaseRecord::default() })
    }

    fn gate(verdict: Verdict) -> Record {
        let experiment = "e".to_owned();
        let (rules, reason) = (Vec::new(), None);
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

    #[test]
    fn the_last_attempt_of_the_runner_counts_whatever_the_order_of_files() {
        let overview = overview(vec![
            process(2),
            case("a", CaseState::Pass),
            gate(Verdict::Pass),
            Record::End(EndRecord::default()),
            process(1),
            case("a", CaseState::Error),
            case("b", CaseState::Fail),
            gate(Verdict::Fail),
            Record::End(EndRecord::default()),
        ]);
        assert_eq!(overview.targets, ["app/evals"]);
        let [experiment] = &overview.experiments[..] else { panic!("{overview:?}") };
        let counts = CaseCounts { pass: 1, fail: 1, ..CaseCounts::default() };
        assert_eq!(experiment.cases, Counts { states: counts, misses: 0 });
        assert_eq!(experiment.gate, Some(Verdict::Pass));
        assert_eq!(overview.ending, Some(Ending::Complete));
    }

    #[test]
    fn a_process_without_an_end_is_seen() {
        let end = |interrupted| Record::End(EndRecord { interrupted, ..EndRecord::default() });
        let ending = |records| overview(records).ending;
        assert_eq!(ending(vec![process(1), end(true)]), Some(Ending::Interrupted));
        let killed = vec![process(1), end(true), process(1)];
        assert_eq!(ending(killed), Some(Ending::Unfinished));
    }
}

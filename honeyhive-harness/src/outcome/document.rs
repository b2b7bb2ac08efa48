//! Puts together an invocation as outputs show it.

use super::counts::Counts;
use super::ending::{Ending, Outcome};
use super::experiment::{Against, Experiment};
use crate::journal::{GitRecord, Results};

/// An invocation, put together for renderers.
#[derive(Clone, Debug)]
pub(crate) struct Document<'a> {
    /// The name of the invocation's directory.
    pub(crate) invocation: &'a str,
    /// The time when the first process started, RFC 3339 in UTC; empty when no file says it.
    pub(crate) started_at: &'a str,
    /// The seconds from the first start to the last end; absent while a process has no end.
    pub(crate) elapsed: Option<f64>,
    /// The version of `honeyhive-harness` that ran it.
    pub(crate) harness: &'a str,
    /// The state of the sources.
    pub(crate) git: Option<&'a GitRecord>,
    /// The way in which its processes ended.
    pub(crate) ending: Ending,
    /// The outcome over all experiments.
    pub(crate) outcome: Outcome,
    /// The cases of all experiments by state.
    pub(crate) counts: Counts,
    /// The experiments, in the order in which they started.
    pub(crate) experiments: Vec<Experiment<'a>>,
}

impl<'a> Document<'a> {
    /// Puts a document together. `against` has, for each experiment of the results, what it is
    /// compared with; where it is shorter, the rest is compared with nothing.
    pub(crate) fn new(results: &'a Results, against: &[Option<Against<'a>>]) -> Self {
        let experiments: Vec<Experiment<'a>> = results
            .experiments
            .iter()
            .enumerate()
            .map(|(index, one)| Experiment::new(one, against.get(index).and_then(Option::as_ref)))
            .collect();
        let first = results.processes.iter().min_by_key(|process| &process.started_at);
        let ending = Ending::of(results);
        Self {
            invocation: first.map_or("", |process| &process.invocation),
            started_at: first.map_or("", |process| &process.started_at),
            elapsed: elapsed(results).filter(|_| ending != Ending::Unfinished),
            harness: first.map_or("", |process| &process.harness),
            git: results.git.as_ref(),
            ending,
            outcome: outcome(results, ending, &experiments),
            counts: counts(&experiments),
            experiments,
        }
    }

    /// Returns a copy of the document that has only some of its experiments.
    pub(crate) fn only(&self, keep: &dyn Fn(&Experiment<'a>) -> bool) -> Self {
        let experiments: Vec<Experiment<'a>> =
            self.experiments.iter().filter(|experiment| keep(experiment)).cloned().collect();
        let worst = experiments.iter().map(|experiment| experiment.outcome).max();
        Self {
            outcome: worst.unwrap_or(self.outcome),
            counts: counts(&experiments),
            experiments,
            ..self.clone()
        }
    }

    /// Returns the test targets that have experiments, as `package/target`, each once.
    pub(crate) fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> =
            self.experiments.iter().map(|experiment| experiment.target.to_owned()).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}

fn counts(experiments: &[Experiment<'_>]) -> Counts {
    experiments.iter().map(|experiment| experiment.figures.counts).sum()
}

fn outcome(results: &Results, ending: Ending, experiments: &[Experiment<'_>]) -> Outcome {
    let worst = experiments.iter().map(|experiment| experiment.outcome).max();
    // An exit code may have a reason that no experiment has, such as a journal that could not be
    // written. Where the outer runner retried, the experiments count instead of the exit codes.
    let retried = results.processes.iter().any(|process| process.runner_attempt > 1);
    let failed = results.ends.iter().any(|end| end.exit_code != 0 && !end.interrupted);
    let own = match ending {
        _ if failed && !retried => Outcome::Fail,
        Ending::Complete => Outcome::Pass,
        Ending::Interrupted | Ending::Unfinished => Outcome::Unfinished,
    };
    worst.map_or(own, |worst| worst.max(own))
}

/// Returns the seconds between the first start and the last end.
fn elapsed(results: &Results) -> Option<f64> {
    let time = |text: &str| humantime::parse_rfc3339(text).ok();
    let start = results.processes.iter().filter_map(|process| time(&process.started_at)).min()?;
    let end = results.ends.iter().filter_map(|end| time(&end.ended_at)).max()?;
    Some(end.duration_since(start).ok()?.as_secs_f64())
}

#[cfg(test)]
mod tests;

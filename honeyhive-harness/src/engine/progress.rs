//! The progress of a job, for the rules that stop it and for the live line.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::board::lock;
use super::job::Job;
use super::spec::Spec;
use crate::gate::case::{Case, CaseScore, Rules};
use crate::gate::decided::Decided;
use crate::journal::{AttemptRecord, models};

/// The number of outputs after which an evaluator that could read none stops the experiment.
const FIRST_OUTPUTS: usize = 5;

/// The progress of a job.
#[derive(Debug)]
pub(super) struct Progress {
    /// The numbers of outputs that an evaluator could read, and could not, per evaluator.
    readable: Vec<(AtomicUsize, AtomicUsize)>,
    /// The sum of the first evaluator's case means, and their number.
    sum: Mutex<(f64, usize)>,
    failing: AtomicUsize,
    /// The state of the gate's decision; only where it may stop the experiment.
    decided: Option<Mutex<Decided>>,
    /// The models that answered.
    models: Mutex<BTreeSet<String>>,
}

impl Progress {
    /// Creates that of a job that has not begun.
    pub(super) fn new(job: &Job) -> Self {
        Self {
            readable: job.spec.evaluators.iter().map(|_| Default::default()).collect(),
            sum: Mutex::default(),
            failing: AtomicUsize::new(0),
            decided: job.stop_decided.then(|| Mutex::new(Decided::new(&job.spec.rules))),
            models: Mutex::default(),
        }
    }

    /// Returns the models that answered so far.
    pub(super) fn models(&self) -> BTreeSet<String> {
        lock(&self.models).clone()
    }

    /// Returns the running mean of the first evaluator, and how many cases failed so far.
    pub(super) fn mean_and_failing(&self) -> (Option<f64>, usize) {
        let (sum, n) = *lock(&self.sum);
        ((n > 0).then(|| sum / n as f64), self.failing.load(Ordering::Acquire))
    }

    /// Adds the models that answered, for the comparison with the baseline.
    pub(super) fn note_models(&self, record: &AttemptRecord) {
        for model in models(&record.spans) {
            let mut known = lock(&self.models);
            if !known.contains(model) {
                known.insert(model.to_owned());
            }
        }
    }

    /// Counts, per evaluator, whether it could read an output, and returns why the experiment is to
    /// be stopped: an evaluator that reads none of the outputs was written for another type, and
    /// every further call would be paid for nothing.
    pub(super) fn note_readable(
        &self,
        spec: &Spec,
        record: &AttemptRecord,
        readable: &[bool],
    ) -> Option<String> {
        let mut reason = None;
        for (index, could) in readable.iter().enumerate() {
            let (fine, bad) = &self.readable[index];
            if *could {
                fine.fetch_add(1, Ordering::AcqRel);
            } else if bad.fetch_add(1, Ordering::AcqRel) + 1 >= FIRST_OUTPUTS
                && fine.load(Ordering::Acquire) == 0
            {
                reason.get_or_insert_with(|| unreadable(spec, record, index));
            }
        }
        reason
    }

    /// Adds a case to the running mean and to the number of failures.
    pub(super) fn note_case(&self, case: &Case, passed: bool) {
        self.failing.fetch_add(usize::from(!passed), Ordering::AcqRel);
        if let Some(scored) = case.scores.first().and_then(CaseScore::scored) {
            let mut sum = lock(&self.sum);
            *sum = (sum.0 + scored.score, sum.1 + 1);
        }
    }

    /// Adds a case to the state of the gate, and returns whether the gate can come to no other verdict
    /// with the cases that are `left`.
    pub(super) fn is_decided(&self, rules: &Rules, case: &Case, left: usize) -> bool {
        let Some(decided) = &self.decided else { return false };
        let mut decided = lock(decided);
        decided.add(rules, case);
        decided.verdict(rules, left).is_some()
    }
}

/// Returns the text about an evaluator that could read none of the first outputs.
fn unreadable(spec: &Spec, record: &AttemptRecord, index: usize) -> String {
    let (judge, used) = (&spec.rules.judges[index], &spec.evaluators[index]);
    let error = record.scores.get(index).and_then(|score| score.error.as_ref());
    format!(
        "evaluator `{}` ({}:{}) could read none of the first {FIRST_OUTPUTS} outputs of `{}`: {}",
        judge.name,
        used.info.file,
        used.info.line,
        spec.function,
        error.map_or("", |error| &error.message)
    )
}

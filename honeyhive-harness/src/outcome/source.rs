//! Reads the records of an invocation and those that they are compared with, from memory or from files.

use std::path::Path;

use super::document::Document;
use super::experiment::Against;
use crate::baseline::Snapshot;
use crate::gate::input::Baseline;
use crate::gate::{checked, snapshot};
use crate::journal::{ExperimentResults, Keep, Own, Results};

/// The records of an invocation, and the runs that its experiments are compared with.
#[derive(Debug)]
pub(crate) struct DocumentSource {
    results: Results,
    /// The runs that they are compared with, by experiment.
    before: Vec<Option<Before>>,
    /// The records of the run that it is compared with, where that is not a baseline.
    other: Option<Results>,
}

/// An experiment before and now, ready to be compared.
#[derive(Debug)]
struct Before {
    label: String,
    then: Snapshot,
    now: Snapshot,
    /// The place of the experiment in the other run.
    other: Option<usize>,
}

impl DocumentSource {
    /// Reads an invocation, and the baselines of its experiments where there are any.
    ///
    /// # Errors
    /// Returns an error when the journal cannot be read.
    pub(crate) fn read(invocation: &Path) -> Result<Self, String> {
        Ok(Self::of(results_of(invocation)?))
    }

    /// Puts the records of this process together with those of the others of its invocation, and reads the
    /// baselines of its experiments where there are any.
    ///
    /// # Errors
    /// Returns an error when the journals of the others cannot be read.
    pub(crate) fn with_others(invocation: &Path, own: Own) -> Result<Self, String> {
        checked::with_others(invocation, own, Keep::Contents).map(Self::of)
    }

    fn of(results: Results) -> Self {
        let name = results.processes.first().map_or("", |process| process.invocation.as_str());
        let accepted = |experiment: &ExperimentResults| {
            let record = &experiment.record;
            let baseline = Baseline::read(Path::new(&record.baseline), &record.experiment).ok()?;
            let (label, then, other) = (baseline.words(), baseline.snapshot, None);
            // A run that was accepted is not compared with itself.
            (then.invocation != name).then(|| Before {
                label,
                then,
                now: snapshot::recorded(experiment),
                other,
            })
        };
        let before = results.experiments.iter().map(accepted).collect();
        Self { results, before, other: None }
    }

    /// Reads an invocation, and another one that it is compared with.
    ///
    /// # Errors
    /// Returns an error when a journal cannot be read.
    #[cfg(feature = "cli")]
    pub(crate) fn read_against(invocation: &Path, other: &Path) -> Result<Self, String> {
        let (results, earlier) = (results_of(invocation)?, results_of(other)?);
        let name = other.file_name().unwrap_or_default().to_string_lossy();
        let of = |experiment: &ExperimentResults| {
            let mut all = earlier.experiments.iter();
            let other =
                all.position(|one| one.record.experiment == experiment.record.experiment)?;
            let mut then = snapshot::recorded(&earlier.experiments[other]);
            then.accepted_at.clone_from(&earlier.processes.first()?.started_at);
            then.commit = earlier.git.as_ref().and_then(|git| git.commit_hash.clone());
            let (label, now) = (format!("the run {name}"), snapshot::recorded(experiment));
            Some(Before { label, then, now, other: Some(other) })
        };
        let before = results.experiments.iter().map(of).collect();
        Ok(Self { results, before, other: Some(earlier) })
    }

    /// Returns the document of the invocation.
    pub(crate) fn document(&self) -> Document<'_> {
        let against = self.before.iter().map(|before| {
            let Before { label, then, now, other } = before.as_ref()?;
            let results = self.other.as_ref().zip(*other);
            let results = results.and_then(|(results, at)| results.experiments.get(at));
            Some(Against { label: label.clone(), before: then, now, results })
        });
        Document::new(&self.results, &against.collect::<Vec<_>>())
    }
}

fn results_of(invocation: &Path) -> Result<Results, String> {
    checked::read_sound(invocation, Keep::Contents)
}

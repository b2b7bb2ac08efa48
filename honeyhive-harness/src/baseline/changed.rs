//! Describes what changed between two runs: the first thing to look at when scores moved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::snapshot::{EvaluatorPrint, Snapshot};
use crate::text::count;

/// The ids of the datapoints whose rows were added, removed or edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowChanges {
    /// The rows that are in the later run alone.
    pub added: Vec<String>,
    /// The rows that are in the baseline alone.
    pub removed: Vec<String>,
    /// The rows in both runs that have other inputs, another ground truth or another history now.
    pub edited: Vec<String>,
}

impl RowChanges {
    /// Compares the rows of two runs.
    pub(crate) fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let missing_in = |other: &Snapshot, one: &Snapshot| -> Vec<String> {
            one.cases.keys().filter(|id| !other.cases.contains_key(*id)).cloned().collect()
        };
        let edited = after
            .cases
            .iter()
            .filter(|(id, case)| before.cases.get(*id).is_some_and(|then| then.row != case.row));
        // Rows that a stopped run did not reach may still be in its dataset.
        let unless_stopped = |one: &Snapshot, ids: Vec<String>| {
            if one.stopped.is_some() { Vec::new() } else { ids }
        };
        Self {
            added: unless_stopped(before, missing_in(before, after)),
            removed: unless_stopped(after, missing_in(after, before)),
            edited: edited.map(|(id, _)| id.clone()).collect(),
        }
    }

    /// Describes the changes: `2 rows added, 1 row edited`; empty when nothing changed.
    pub(crate) fn text(&self) -> String {
        let parts = [(&self.added, "added"), (&self.removed, "removed"), (&self.edited, "edited")];
        let parts = parts.iter().filter(|(ids, _)| !ids.is_empty());
        let texts: Vec<String> =
            parts.map(|(ids, what)| format!("{} {what}", count(ids.len(), "row"))).collect();
        texts.join(", ")
    }
}

/// Returns what changed from one run to a later one, the most telling changes first: that one of them
/// stopped early, tracked files, models, metadata, evaluators, rows. Each entry is a few words:
/// `prompts/system.md`, `model small → large`.
pub fn changed(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    for (which, run) in [("the earlier run", before), ("the later run", after)] {
        if let Some(stopped) = run.stopped {
            found.push(format!("{which} {}", stopped.text()));
        }
    }
    for (path, (then, now)) in both(&before.files, &after.files) {
        match (then, now) {
            (None, Some(_)) => found.push(format!("{path} (new)")),
            (Some(_), None) => found.push(format!("{path} (gone)")),
            (then, now) if then != now => found.push(path.clone()),
            _ => {}
        }
    }
    if before.models != after.models && !before.models.is_empty() && !after.models.is_empty() {
        found.push(format!("model {} → {}", names(&before.models), names(&after.models)));
    }
    for (key, (then, now)) in both(&before.metadata, &after.metadata) {
        if then != now {
            found.push(format!("{key} {} → {}", shown(then), shown(now)));
        }
    }
    // Files of schema 1 record neither which scores are good nor the range of scores.
    let knows_all = before.schema != 1;
    let same = |then: Option<&EvaluatorPrint>, now: Option<&EvaluatorPrint>| {
        let (Some(then), Some(now)) = (then, now) else { return then.is_none() && now.is_none() };
        let known = |print: &EvaluatorPrint| {
            let mut print = print.clone();
            if !knows_all {
                (print.good, print.range) = (String::new(), None);
            }
            print
        };
        known(then) == known(now)
    };
    for (name, (then, now)) in both(&before.evaluators, &after.evaluators) {
        match (then, now) {
            (None, Some(_)) => found.push(format!("evaluator {name} (new)")),
            (Some(_), None) => found.push(format!("evaluator {name} (gone)")),
            (then, now) if !same(then, now) => found.push(format!("evaluator {name}")),
            _ => {}
        }
    }
    let rows = RowChanges::between(before, after).text();
    if !rows.is_empty() {
        found.push(rows);
    }
    found
}

/// Returns the keys of both maps, each with its values in the two maps.
fn both<'a, V>(
    before: &'a BTreeMap<String, V>,
    after: &'a BTreeMap<String, V>,
) -> BTreeMap<&'a String, (Option<&'a V>, Option<&'a V>)> {
    let keys = before.keys().chain(after.keys());
    keys.map(|key| (key, (before.get(key), after.get(key)))).collect()
}

fn names(models: &BTreeSet<String>) -> String {
    models.iter().map(String::as_str).collect::<Vec<_>>().join(" + ")
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CaseSnapshot;
    use super::*;

    #[test]
    fn everything_that_changed_is_said_in_few_words() {
        let before = Snapshot {
            files: [("prompts/a.md", "1"), ("prompts/b.md", "2"), ("prompts/c.md", "3")]
                .map(|(path, hash)| (path.to_owned(), hash.to_owned()))
                .into(),
            models: ["a".to_owned()].into(),
            metadata: [("temperature".to_owned(), 0.2.into())].into(),
            evaluators: [("correct".to_owned(), EvaluatorPrint::default())].into(),
            cases: [("x".to_owned(), CaseSnapshot::default())].into(),
            ..Snapshot::default()
        };
        assert!(changed(&before, &before).is_empty());
        let mut after = before.clone();
        after.files.remove("prompts/c.md");
        after.files.insert("prompts/a.md".to_owned(), "9".to_owned());
        after.files.insert("prompts/d.md".to_owned(), "4".to_owned());
        after.models = ["b".to_owned(), "c".to_owned()].into();
        after.metadata.insert("temperature".to_owned(), 0.7.into());
        after.metadata.insert("prompt".to_owned(), "v2".into());
        after.evaluators.entry("correct".to_owned()).or_default().source = "new".to_owned();
        after.cases.entry("x".to_owned()).or_default().row = "edited".to_owned();
        after.cases.insert("y".to_owned(), CaseSnapshot::default());
        assert_eq!(
            changed(&before, &after),
            [
                "prompts/a.md",
                "prompts/c.md (gone)",
                "prompts/d.md (new)",
                "model a → b + c",
                "prompt none → v2",
                "temperature 0.2 → 0.7",
                "evaluator correct",
                "1 row added, 1 row edited",
            ]
        );
    }
}

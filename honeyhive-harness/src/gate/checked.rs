//! Checks that the parts of recorded results agree with each other.
//!
//! A checksum finds a changed byte. These checks find what was recorded wrongly, also in files of schema
//! 1, which have no checksums: a case whose recorded state is not what its scores come to, and a gate
//! whose recorded verdict is not that of its rules. Such results are reported as damaged.

use std::collections::HashMap;
use std::path::Path;

use super::case::{self, Case, Rules};
use super::decided::judge_gate;
use super::input::GateInput;
use super::snapshot::facts;
use super::verdict::verdict_of;
use crate::journal::{
    CaseResults, Damage, ExperimentResults, JournalError, Keep, Results, Verdict, read_results,
};

/// Reads the journal files of an invocation. Records that are damaged or contradict each other are
/// listed in the results.
///
/// # Errors
/// Returns an error when the directory or a file cannot be read, or is of a later version.
pub(crate) fn read(directory: &Path, keep: Keep) -> Result<Results, JournalError> {
    let mut results = read_results(directory, keep)?;
    if results.damage.is_empty() {
        results.damage = contradictions(&results);
    }
    Ok(results)
}

/// Reads the journal files of an invocation like [`read`], but treats damaged results as an error.
///
/// # Errors
/// Returns an error when the files cannot be read or are damaged; the text says where, and what to do.
pub(crate) fn read_sound(directory: &Path, keep: Keep) -> Result<Results, String> {
    read(directory, keep).map_err(|error| error.to_string())?.sound()
}

/// Returns the contradictions between the records of a run, as damage.
fn contradictions(results: &Results) -> Vec<Damage> {
    let old = results.processes.iter().any(|process| process.schema < 2);
    let mut found = Vec::new();
    for experiment in &results.experiments {
        let rules = Rules::recorded(&experiment.record);
        let mut cases = Vec::new();
        for one in &experiment.cases {
            let Some(record) = one.record.as_ref().filter(|_| !one.attempts.is_empty()) else {
                continue;
            };
            if let Some(text) = attempts(experiment, one, old) {
                found.push(results.damage_at(one.at, text));
            }
            let facts = facts(&rules, experiment.record.cluster.as_deref(), one);
            let decided_on = one.attempts.get(..one.decided_on).unwrap_or(&one.attempts);
            let (case, decision) = case::decide(&rules, facts, decided_on);
            if case.state != record.state {
                let why = decision.reasons().next().map(|reason| format!(" ({reason})"));
                found.push(results.damage_at(
                    one.at,
                    format!(
                        "the case `{}` is recorded as {}, its attempts come to {}{}",
                        one.id,
                        record.state.name(),
                        case.state.name(),
                        why.unwrap_or_default()
                    ),
                ));
            }
            cases.push(case);
        }
        found.extend(gate(results, experiment, &rules, &cases));
    }
    found
}

/// Describes what is wrong with the list of attempts that a case was decided on; `None` if nothing is.
fn attempts(experiment: &ExperimentResults, case: &CaseResults, old: bool) -> Option<String> {
    let numbers = case.attempts.iter().map(|attempt| attempt.attempt);
    let gap = numbers.zip(1..).find(|(number, expected)| number != expected);
    if let Some((number, expected)) = gap {
        return Some(format!(
            "the case `{}` has an attempt {number} where attempt {expected} is expected",
            case.id
        ));
    }
    // Later schemas number their lines, so a missing line is found without this check.
    let repeats = experiment.record.repeats as usize;
    (old && experiment.processes == 1 && case.decided_on < repeats)
        .then(|| format!("the case `{}` has {} of {repeats} attempts", case.id, case.decided_on))
}

/// Returns what is wrong with the recorded verdict of a gate, as damage; `None` if nothing is.
fn gate(
    results: &Results,
    experiment: &ExperimentResults,
    rules: &Rules,
    cases: &[Case],
) -> Option<Damage> {
    let gate = experiment.gate.as_ref()?;
    let damage = |text: String| Some(results.damage_at(experiment.gate_at, text));
    let name = &experiment.record.experiment;
    let passed = match gate.verdict {
        Verdict::Pass => gate.passed,
        Verdict::Fail => !gate.passed,
        Verdict::Inconclusive => true,
    };
    let of_rules = verdict_of(&gate.rules);
    if !passed || (gate.reason.is_none() && gate.verdict != of_rules) {
        return damage(format!(
            "the gate of `{name}` is recorded as {:?} with `\"passed\":{}`, and its rules as {of_rules:?}",
            gate.verdict, gate.passed
        ));
    }
    // Where several processes ran the experiment, each judged only the cases that it knew.
    let (rows, is_alone) = (experiment.record.rows, experiment.processes == 1);
    let told = gate.stopped.map_or(rows, |stopped| stopped.ran);
    if let Some(stopped) = gate.stopped.filter(|_| is_alone)
        && (stopped.ran != cases.len() || stopped.of != rows)
    {
        return damage(format!(
            "the gate of `{name}` is recorded as {}, and {} of {rows} are recorded",
            stopped.text(),
            cases.len()
        ));
    }
    let is_whole = is_alone && cases.len() == told;
    if !is_whole || gate.reason.is_some() || gate.rules.len() != rules.gates.len() {
        return None;
    }
    let names: HashMap<usize, &str> =
        experiment.cases.iter().map(|case| (case.row, case.id.as_str())).collect();
    let name_of = |row: usize| names.get(&row).copied().unwrap_or_default().to_owned();
    // Rules that compare with a baseline are left out: the baseline may have been replaced since.
    let input = GateInput::new(rules, &name_of, &name_of);
    let again = judge_gate(&input, name, cases, gate.stopped, false).rules;
    let differs = rules
        .gates
        .iter()
        .zip(gate.rules.iter().zip(&again))
        .find(|(rule, (then, now))| !rule.needs_baseline() && then.verdict != now.verdict);
    let (_, (then, now)) = differs?;
    damage(format!(
        "the rule `{}` of `{name}` is recorded as {:?}, its scores come to {:?}",
        then.rule, then.verdict, now.verdict
    ))
}

/// Returns a warning about a file from which nothing was read, so that the run proves less than it seems
/// to; `None` if there is no such file.
#[cfg(feature = "cli")]
pub(crate) fn unread(results: &Results) -> Option<String> {
    let path = results.without_lines.first()?;
    Some(format!(
        "{} has no whole line: its process was killed before it recorded anything, still starts, or \
         the file was emptied",
        path.display()
    ))
}

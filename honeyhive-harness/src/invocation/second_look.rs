//! Runs cases again before a gate fails: `no_regression(e, confirm = 2)`.
//!
//! A second look often makes false alarms likelier, since either of two looks may fail. Here both must: a
//! rule fails only if it fails on the first look and on all attempts together, so false alarms can only
//! become fewer, at the cost of some power.

use std::collections::HashMap;
use std::sync::Arc;

use super::Terminal;
use crate::engine::{Job, Shared};
use crate::gate::case::Case;
use crate::gate::correct::p_value;
use crate::gate::verdict::{passes, verdict_of};
use crate::journal::{ComparisonRecord, GateRecord, RuleRecord, Verdict};
use crate::rule::GateRule;
use crate::text::count;

/// The most cases that a second look runs: when more got worse, that is not chance.
const MOST_CASES: usize = 15;

/// Returns whether the attempts of some job are to be kept for a second look.
pub(crate) fn is_wanted(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| job.spec.rules.gates.iter().any(|rule| rule.confirm() > 0))
}

/// Runs the cases that got worse again, where a rule that failed asks for that: these cases, with
/// all their attempts; or returns why it was not done.
pub(super) fn at(
    shared: &Shared,
    job: usize,
    first: &GateRecord,
    terminal: Terminal,
) -> Option<Result<Vec<Case>, String>> {
    let Job { spec, selected, .. } = &shared.jobs[job];
    let failed = || {
        let rules = spec.rules.gates.iter().zip(&first.rules);
        rules.filter(|(rule, record)| rule.confirm() > 0 && record.verdict == Verdict::Fail)
    };
    let more = failed().map(|(rule, _)| rule.confirm()).max()?;
    // The record names no more than so many; then they are too many anyway.
    let worse =
        failed().filter_map(|(_, record)| record.against.as_ref()).map(|one| one.worse).max()?;
    if worse > MOST_CASES {
        return Some(Err(format!("{worse} cases got worse, which is no accident of some of them")));
    }
    let moved = |row: &&usize| {
        let id = &spec.dataset.rows[**row].id;
        failed().any(|(_, record)| {
            record.against.as_ref().is_some_and(|against| against.moved.contains(id))
        })
    };
    let rows: Vec<usize> = selected.iter().filter(moved).copied().collect();
    if rows.is_empty() || shared.stopped().is_some() || spec.replay.is_some() {
        return None;
    }
    terminal.note(&format!(
        "`{}`: a second look at {} that got worse, {} each",
        spec.name,
        count(rows.len(), "case"),
        count(more as usize, "attempt")
    ));
    let again = Job {
        earlier: shared.board.lanes[job].attempts_of(&rows),
        selected: rows,
        attempts: spec.repeats + 1..=spec.repeats + more,
        spec: Arc::clone(spec),
        faults: crate::engine::no_faults(),
        recorded: HashMap::new(),
        // Cases were decided on the first look.
        leave_to_gate: true,
        stop_decided: false,
    };
    Some(match shared.again(again) {
        Ok(running) => {
            let shared = running.finish();
            Ok(shared.board.lanes[0].cases())
        }
        Err(error) => Err(format!("it cannot be run: {error}")),
    })
}

/// Adds to each rule that asked for a second look why there was none; it stays as it was.
pub(super) fn not_taken(mut first: GateRecord, rules: &[GateRule], why: &str) -> GateRecord {
    for (rule, record) in rules.iter().zip(&mut first.rules) {
        if is_looked_at_again(rule, record) {
            record.text.push_str(&format!("; no second look: {why}"));
        }
    }
    first
}

fn is_looked_at_again(rule: &GateRule, record: &RuleRecord) -> bool {
    rule.confirm() > 0 && record.verdict == Verdict::Fail && record.against.is_some()
}

/// Puts both looks together: a rule with `confirm` that failed passes if it passes on all attempts
/// together. A second look that cannot say anything takes nothing back. The other rules are as the
/// first look left them, since the cases of the second one were chosen by one rule alone.
pub(super) fn both(
    mut first: GateRecord,
    pooled: GateRecord,
    rules: &[GateRule],
    cases: usize,
    strict: bool,
) -> GateRecord {
    let again = count(cases, "case");
    for ((rule, record), second) in rules.iter().zip(&mut first.rules).zip(pooled.rules) {
        if !is_looked_at_again(rule, record) {
            continue;
        }
        let p = second.against.as_ref().map_or(f64::NAN, ComparisonRecord::decisive_p);
        let p = p_value(p, rule.alpha().unwrap_or_default());
        record.text.push_str(&match second.verdict {
            Verdict::Fail => format!("; confirmed by a second look at {again}, {p}"),
            Verdict::Pass => format!("; not confirmed by a second look at {again}, {p}"),
            Verdict::Inconclusive => {
                let reason = second.text.strip_prefix(&*rule.text);
                let reason = reason.and_then(|rest| rest.strip_prefix(": "));
                let reason = reason.unwrap_or(&second.text);
                format!("; a second look at {again} says nothing ({reason})")
            }
        });
        if second.verdict == Verdict::Pass {
            record.verdict = Verdict::Pass;
        }
        if second.verdict != Verdict::Inconclusive
            && let (Some(before), Some(after)) = (&mut record.against, second.against)
        {
            let moved = std::mem::take(&mut before.moved);
            *before = ComparisonRecord { moved, ..after };
        }
    }
    // Reports compare all attempts together.
    first.baseline = pooled.baseline;
    first.verdict = verdict_of(&first.rules);
    first.passed = passes(first.verdict, strict);
    first
}

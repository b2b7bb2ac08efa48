//! Confirm before red: `no_regression(e, confirm = 2)`.
//!
//! The usual danger of a second look is that either of two may say no. Here both must: a rule fails
//! only if it fails on the first look and on all attempts together, so false alarms can only become
//! fewer, and some power is the price.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::{Job, Shared};
use crate::gate::case::Case;
use crate::gate::verdict::verdict_of;
use crate::journal::{ComparisonRecord, GateRecord, RuleRecord, Verdict};
use crate::report;
use crate::text::count;

/// More cases than this that got worse are no accident of some of them.
const MOST_CASES: usize = 15;

/// Whether the attempts of some job are to be kept for a second look.
pub(super) fn is_wanted(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| job.spec.rules.gates.iter().any(|rule| rule.confirm() > 0))
}

/// Runs the cases that got worse again, where a rule that failed asks for that: these cases, with
/// all their attempts; or why it was not done.
pub(super) fn at(
    shared: &Shared,
    job: usize,
    first: &GateRecord,
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
    report::note(&format!(
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

/// The gate when no second look could be taken.
pub(super) fn not_taken(mut first: GateRecord, why: &str) -> GateRecord {
    for rule in first.rules.iter_mut().filter(|rule| is_relative_failure(rule)) {
        rule.text.push_str(&format!("; no second look: {why}"));
    }
    first
}

fn is_relative_failure(rule: &RuleRecord) -> bool {
    rule.verdict == Verdict::Fail && rule.against.is_some()
}

/// What both looks come to: a rule that fails on the first and not on all attempts together holds.
pub(super) fn both(
    mut first: GateRecord,
    pooled: GateRecord,
    cases: usize,
    strict: bool,
) -> GateRecord {
    let again = count(cases, "case");
    for (rule, second) in first.rules.iter_mut().zip(pooled.rules) {
        if !is_relative_failure(rule) {
            continue;
        }
        // The p that decided, as everywhere.
        let p = second.against.as_ref().map_or(f64::NAN, ComparisonRecord::decisive_p);
        if second.verdict == Verdict::Fail {
            rule.text.push_str(&format!(
                "; confirmed by a second look at {again}, p = {}",
                crate::text::number(p)
            ));
        } else {
            rule.verdict = Verdict::Pass;
            if let (Some(first), Some(second)) = (&mut rule.against, second.against) {
                let moved = std::mem::take(&mut first.moved);
                *first = ComparisonRecord { moved, ..second };
            }
            rule.text.push_str(&format!(
                "; not confirmed by a second look at {again}, p = {}",
                crate::text::number(p)
            ));
        }
    }
    let verdict = verdict_of(&first.rules);
    first.verdict = verdict;
    first.passed = match verdict {
        Verdict::Pass => true,
        Verdict::Fail => false,
        Verdict::Inconclusive => !strict,
    };
    first
}

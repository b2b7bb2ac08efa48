//! Decides cases: averages their attempts, judges the scores, and explains what is wrong.

use crate::baseline;
use crate::datapoint::Datapoint;
use crate::journal::{
    AttemptError, AttemptRecord, CaseState, ErrorKind, ExperimentRecord, ScoreRecord,
};
use crate::rule::{GateRule, Of, RequireRule};
use crate::score::{Judges, Reducer, ScoreValue};
use crate::text::{apart, beside, count, number};

use super::evaluator::{Judge, Scored};

/// The rules that decide about the cases of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) judges: Vec<Judge>,
    pub(crate) require: Vec<RequireRule>,
    pub(crate) gates: Vec<GateRule>,
}

impl Rules {
    /// Returns the rules that an experiment was recorded with.
    pub(crate) fn recorded(record: &ExperimentRecord) -> Self {
        Self {
            judges: record.evaluators.iter().map(Judge::recorded).collect(),
            require: record.require_rules.clone(),
            gates: record.gate_rules.clone(),
        }
    }

    /// Returns whether any rule compares with the baseline.
    pub(crate) fn need_baseline(&self) -> bool {
        self.gates.iter().any(GateRule::needs_baseline)
    }

    /// Returns the evaluators whose slices any rule names, each with the key or tag of those
    /// slices.
    pub(crate) fn sliced(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for rule in &self.gates {
            let (Some(slice), Of::Evaluator(index)) = (&rule.slice, rule.of()) else { continue };
            // A damaged record may name an evaluator that it does not have.
            let Some(judge) = self.judges.get(index) else { continue };
            let one = (judge.name.clone(), baseline::sliced_by(slice).to_owned());
            if !found.contains(&one) {
                found.push(one);
            }
        }
        found
    }

    /// Returns the slices of a datapoint: those that rules name, and its others by the same keys.
    fn slices_of(&self, datapoint: &Datapoint) -> Box<[String]> {
        let mut found = std::collections::BTreeSet::new();
        for slice in self.gates.iter().filter_map(|rule| rule.slice.as_deref()) {
            if datapoint.in_slice(slice) {
                found.insert(slice.to_owned());
            } else if let Some((key, _)) = slice.split_once(':') {
                found.extend(datapoint.slice_by(key));
            }
        }
        found.into_iter().collect()
    }
}

/// The result of an evaluator for a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CaseScore {
    /// The case has a score.
    Scored(Scored),
    /// The evaluator does not apply to this datapoint.
    NotApplicable,
    /// The case should have a score, but the function or the evaluator failed.
    Missing,
}

impl CaseScore {
    /// Returns the score, where there is one.
    pub(crate) fn scored(&self) -> Option<Scored> {
        match self {
            Self::Scored(scored) => Some(*scored),
            Self::NotApplicable | Self::Missing => None,
        }
    }
}

/// A case as rules see it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The place of the row in the dataset, from 0.
    pub(crate) row: usize,
    /// The state of the case.
    pub(crate) state: CaseState,
    /// The number of attempts that were made.
    pub(crate) attempts: u32,
    /// The result of each evaluator.
    pub(crate) scores: Box<[CaseScore]>,
    /// The latencies of the function alone, in seconds, one for each attempt that gave a result.
    pub(crate) latencies: Box<[f64]>,
    /// One flag per gate rule, set when the case is in the slice of that rule. Empty where no rule
    /// has a slice.
    pub(crate) in_slice: Box<[bool]>,
    /// The hash of the contents of the row, which define the question; empty where it cannot be
    /// read.
    pub(crate) row_hash: String,
    /// The name of the cluster that the case belongs to; `None` where the experiment has no
    /// clusters.
    pub(crate) cluster: Option<String>,
    /// The slices of the case, by the keys and tags that rules name. Empty where no rule has a
    /// slice.
    pub(crate) slices: Box<[String]>,
}

impl Case {
    /// Returns what the mean of several cases counts together: the cluster of the case, or its row
    /// where it has none.
    pub(super) fn unit(&self) -> (Option<&str>, usize) {
        match &self.cluster {
            Some(cluster) => (Some(cluster), 0),
            None => (None, self.row),
        }
    }

    /// Creates a case that was not run.
    pub(crate) fn skipped(row: usize, rules: &Rules) -> Self {
        Self {
            row,
            state: CaseState::Skipped,
            attempts: 0,
            scores: vec![CaseScore::Missing; rules.judges.len()].into(),
            latencies: Box::default(),
            in_slice: Box::default(),
            row_hash: String::new(),
            cluster: None,
            slices: Box::default(),
        }
    }

    /// Creates a case that passed, with nothing else known about it.
    #[cfg(test)]
    pub(crate) fn of_row(row: usize) -> Self {
        let rules = Rules { judges: Vec::new(), require: Vec::new(), gates: Vec::new() };
        Self { state: CaseState::Pass, attempts: 1, ..Self::skipped(row, &rules) }
    }

    /// Returns whether the rule at `index` looks at this case.
    pub(crate) fn counts_for(&self, index: usize) -> bool {
        self.in_slice.get(index).copied().unwrap_or(true)
    }

    /// Returns whether the case was run to its end.
    pub(crate) fn has_run(&self) -> bool {
        self.state.has_run()
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self.state, CaseState::Error | CaseState::Unscored)
    }
}

/// The reasons why a case is not good, by who decides on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The reasons that fail the case.
    pub(crate) failing: Vec<String>,
    /// The reasons that a gate decides on; they fail the case only where no gate judges.
    pub(crate) gated: Vec<String>,
}

impl Decision {
    /// Returns all reasons, worst first.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = &String> {
        self.failing.iter().chain(&self.gated)
    }
}

/// Returns whether any attempt has a score that is judged not good enough.
pub(crate) fn has_miss(rules: &Rules, attempts: &[AttemptRecord]) -> bool {
    rules.judges.iter().enumerate().any(|(index, judge)| {
        score_of(judge, attempts, index).scored().is_some_and(|scored| scored.holds == Some(false))
    })
}

/// The facts about a case that are known before its attempts: those of its row.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowFacts {
    /// The place of the row in the dataset, from 0.
    pub(crate) row: usize,
    /// One flag per gate rule, as in [`Case::in_slice`].
    pub(crate) in_slice: Box<[bool]>,
    /// The hash of the contents of the row, as in [`Case::row_hash`].
    pub(crate) row_hash: String,
    /// The name of the cluster, as in [`Case::cluster`].
    pub(crate) cluster: Option<String>,
    /// The slices of the row, as in [`Case::slices`].
    pub(crate) slices: Box<[String]>,
}

impl RowFacts {
    /// Returns the facts about a row that can be read.
    pub(crate) fn new(
        rules: &Rules,
        row: usize,
        datapoint: &Datapoint,
        cluster: Option<&str>,
    ) -> Self {
        let row_hash = baseline::row_print(
            &datapoint.inputs,
            datapoint.ground_truth.as_ref(),
            &datapoint.history,
        );
        Self::hashed(rules, row, datapoint, cluster, row_hash)
    }

    /// Returns the facts about a row whose hash is known.
    pub(crate) fn hashed(
        rules: &Rules,
        row: usize,
        datapoint: &Datapoint,
        cluster: Option<&str>,
        row_hash: String,
    ) -> Self {
        let sliced = rules.gates.iter().any(|rule| rule.slice.is_some());
        let slices = rules.gates.iter().filter(|_| sliced);
        let in_slice =
            |rule: &GateRule| rule.slice.as_deref().is_none_or(|slice| datapoint.in_slice(slice));
        let cluster = cluster.and_then(|key| datapoint.metadata.get(key));
        Self {
            row,
            in_slice: slices.map(in_slice).collect(),
            slices: if sliced { rules.slices_of(datapoint) } else { Box::default() },
            row_hash,
            cluster: cluster.filter(|value| !value.is_null()).map(|value| match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
        }
    }

    /// Returns the facts about a row that cannot be read: it is in no slice.
    pub(crate) fn unreadable(rules: &Rules, row: usize) -> Self {
        let sliced = rules.gates.iter().any(|rule| rule.slice.is_some());
        let slices = rules.gates.iter().filter(|_| sliced);
        Self { row, in_slice: slices.map(|rule| rule.slice.is_none()).collect(), ..Self::default() }
    }
}

/// Decides a case from the records of its attempts.
pub(crate) fn decide(
    rules: &Rules,
    facts: RowFacts,
    attempts: &[AttemptRecord],
) -> (Case, Decision) {
    let RowFacts { row, in_slice, row_hash, cluster, slices } = facts;
    let mut case = Case {
        row,
        row_hash,
        cluster,
        slices,
        state: CaseState::Pass,
        attempts: u32::try_from(attempts.len()).unwrap_or(u32::MAX),
        scores: Box::default(),
        latencies: attempts
            .iter()
            .filter(|attempt| attempt.error.is_none())
            .map(|attempt| attempt.duration_ms / 1000.0)
            .collect(),
        in_slice,
    };
    let gates_on = |wanted: &dyn Fn(&GateRule) -> bool, case: &Case| {
        rules.gates.iter().enumerate().any(|(index, rule)| wanted(rule) && case.counts_for(index))
    };
    let mut decision = Decision::default();
    let errors_gated = gates_on(&|rule| rule.takes_over() == Some(Of::Errors), &case);

    let errors = attempts.iter().filter_map(|attempt| Some((attempt, attempt.error.as_ref()?)));
    let mut file_error = |gated: bool, state: CaseState, text: String, case: &mut Case| {
        case.state = worse(case.state, state);
        let list = if gated { &mut decision.gated } else { &mut decision.failing };
        if !list.contains(&text) {
            list.push(text);
        }
    };
    for (attempt, error) in errors {
        let text = in_attempt(describe(error), attempt.attempt, attempts.len());
        file_error(errors_gated, CaseState::Error, text, &mut case);
    }

    let mut scores = Vec::with_capacity(rules.judges.len());
    let mut misses = Vec::new();
    for (index, judge) in rules.judges.iter().enumerate() {
        let records =
            || attempts.iter().filter_map(move |a| Some((a.attempt, a.scores.get(index)?)));
        for (attempt, error) in records().filter_map(|(n, score)| Some((n, score.error.as_ref()?)))
        {
            let text = format!("evaluator `{}`: {}", judge.name, error.message);
            let text = in_attempt(text, attempt, attempts.len());
            file_error(errors_gated, CaseState::Unscored, text, &mut case);
        }
        let score = score_of(judge, attempts, index);
        if let CaseScore::Scored(scored @ Scored { holds: Some(false), .. }) = score {
            let bad = records().find(|(_, score)| is_bad(judge, score)).map(|(_, score)| score);
            let text = miss(judge, scored, attempts.len(), bad);
            let gated = gates_on(&|rule| rule.takes_over() == Some(Of::Evaluator(index)), &case);
            misses.push((gated, text));
        }
        scores.push(score);
    }
    case.scores = scores.into();

    let mut broken = Vec::new();
    for rule in &rules.require {
        // A damaged record may name an evaluator that it does not have.
        let Some(judge) = rules.judges.get(rule.evaluator) else { continue };
        for attempt in attempts {
            let Some(score) = attempt.scores.get(rule.evaluator) else { continue };
            if let Some(value) = score.value
                && !required(rule, judge, value)
            {
                let value = match (value, rule.limit) {
                    (ScoreValue::Number(value), Some((_, limit))) => beside(value, limit, number),
                    _ => shown(value),
                };
                let text = format!("required {} is {value}", rule.text);
                broken.push(in_attempt(text, attempt.attempt, attempts.len()));
            }
        }
    }
    if !misses.is_empty() || !broken.is_empty() {
        case.state = worse(case.state, CaseState::Fail);
    }
    decision.failing.extend(broken);
    // The note is added to the last reason, so that it stands after what the evaluators found.
    if let Some((_, text)) = misses.last_mut()
        && let Some(how) = attempts.iter().find_map(differs)
    {
        text.push_str(&format!(" ({how})"));
    }
    for (gated, text) in misses {
        if gated { decision.gated.push(text) } else { decision.failing.push(text) }
    }
    (case, decision)
}

/// Describes how an output differs from a ground truth that it resembles; `None` where they do not
/// resemble each other.
fn differs(attempt: &AttemptRecord) -> Option<String> {
    apart(attempt.ground_truth.as_ref()?, attempt.output.as_ref()?)
}

/// Returns the state that says more about what is wrong.
fn worse(a: CaseState, b: CaseState) -> CaseState {
    let rank = |state| match state {
        CaseState::Pass => 0,
        CaseState::Fail => 1,
        CaseState::Unscored => 2,
        CaseState::Skipped => 3,
        CaseState::Error => 4,
    };
    if rank(b) > rank(a) { b } else { a }
}

fn describe(error: &AttemptError) -> String {
    match error.kind {
        ErrorKind::Returned => format!("error: {}", error.message),
        _ => error.message.clone(),
    }
}

fn in_attempt(text: String, attempt: u32, of: usize) -> String {
    if of > 1 { format!("{text} (attempt {attempt})") } else { text }
}

fn score_of(judge: &Judge, attempts: &[AttemptRecord], index: usize) -> CaseScore {
    let mut values = Vec::with_capacity(attempts.len());
    let mut missing = 0;
    for attempt in attempts {
        match attempt.scores.get(index) {
            Some(ScoreRecord { value: Some(value), .. }) => values.push(*value),
            Some(ScoreRecord { error: None, .. }) if attempt.error.is_none() => {}
            _ => missing += 1,
        }
    }
    if values.is_empty() {
        return if missing > 0 { CaseScore::Missing } else { CaseScore::NotApplicable };
    }
    let scored = judge.case_score(&values);
    scored.map_or(CaseScore::Missing, |scored| CaseScore::Scored(Scored { missing, ..scored }))
}

fn is_bad(judge: &Judge, score: &ScoreRecord) -> bool {
    score.value.is_some_and(|value| !judge.is_good(value))
}

fn required(rule: &RequireRule, judge: &Judge, value: ScoreValue) -> bool {
    match (rule.limit, judge.judges(), value) {
        (Some((comparison, limit)), ..) => comparison.holds(value.as_f64(), limit),
        // A number of an evaluator that has no threshold measures, so there is nothing to require.
        (None, Judges::WhenBool, ScoreValue::Number(_) | ScoreValue::Integer(_)) => true,
        (None, ..) => judge.is_good(value),
    }
}

fn shown(value: ScoreValue) -> String {
    match value {
        ScoreValue::Bool(yes) => yes.to_string(),
        other => number(other.as_f64()),
    }
}

/// Describes a score that is not good enough: `correct is false`,
/// `close 0.42, needs >= 0.7: partial: 2 of 4 facts`, `correct 1 of 3 attempts, needs at_least(2)`.
fn miss(judge: &Judge, scored: Scored, attempts: usize, bad: Option<&ScoreRecord>) -> String {
    let mut text = match (bad.and_then(|score| score.value), scored.good) {
        (Some(value @ ScoreValue::Bool(_)), _) if attempts == 1 => {
            format!("{} is {}", judge.name, shown(value))
        }
        (_, Some(good)) if judge.reduce.counts() => {
            let of = count(scored.attempts as usize, "attempt");
            format!("{} {good} of {of}, needs {}", judge.name, judge.reduce)
        }
        _ => {
            let over = match attempts {
                1 => String::new(),
                attempts if judge.reduce == Reducer::Mean => format!(" over {attempts} attempts"),
                attempts => format!(" as {} of {attempts} attempts", judge.reduce),
            };
            let (comparison, limit) = judge.case_limit();
            let (needs, score) = (comparison.symbol(), beside(scored.score, limit, number));
            format!("{} {score}{over}, needs {needs} {}", judge.name, number(limit))
        }
    };
    let words = bad.map(|score| [&score.label, &score.explanation]).into_iter().flatten().flatten();
    for word in words {
        text.push_str(": ");
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests;

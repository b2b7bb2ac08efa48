//! What became of a case: its attempts averaged, judged, and explained.

use crate::evaluators::EvaluatorInfo;
use crate::journal::{AttemptError, AttemptRecord, CaseState, ErrorKind, ScoreRecord};
use crate::score::{Judges, ScoreValue};
use crate::text::number;

use super::rule::{GateRule, Of, RequireRule};

/// An evaluator as an experiment uses it.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    /// Its name in the experiment.
    pub(crate) name: String,
    /// What is known about it.
    pub(crate) info: EvaluatorInfo,
}

/// Everything that decides about the cases of an experiment.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) judges: Vec<Judge>,
    pub(crate) require: Vec<RequireRule>,
    pub(crate) gates: Vec<GateRule>,
}

/// What an evaluator says of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CaseScore {
    /// The mean over the attempts that have a score, and whether it is good enough, where the
    /// evaluator judges.
    Mean(f64, Option<bool>),
    /// The evaluator does not apply to this datapoint.
    NotApplicable,
    /// There should be a score, but the function or the evaluator failed.
    Missing,
}

/// A case, as rules see it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The row of the dataset.
    pub(crate) row: usize,
    /// What became of it.
    pub(crate) state: CaseState,
    /// Per evaluator.
    pub(crate) scores: Box<[CaseScore]>,
    /// Of the function alone, in seconds, for each attempt that gave a result.
    pub(crate) latencies: Box<[f64]>,
    /// Per gate rule: whether the case is in its slice. Empty where no rule has a slice.
    pub(crate) in_slice: Box<[bool]>,
}

impl Case {
    /// A case that was not run.
    pub(crate) fn skipped(row: usize, rules: &Rules) -> Self {
        Self {
            row,
            state: CaseState::Skipped,
            scores: vec![CaseScore::Missing; rules.judges.len()].into(),
            latencies: Box::default(),
            in_slice: Box::default(),
        }
    }

    /// Whether the rule at `index` looks at this case.
    pub(crate) fn counts_for(&self, index: usize) -> bool {
        self.in_slice.get(index).copied().unwrap_or(true)
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self.state, CaseState::Error | CaseState::Unscored)
    }
}

/// What is wrong with a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Fails the case.
    pub(crate) failing: Vec<String>,
    /// A gate decides on it; fails the case only where no gate judges.
    pub(crate) gated: Vec<String>,
}

impl Decision {
    /// Everything, worst first.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = &String> {
        self.failing.iter().chain(&self.gated)
    }
}

/// Whether any attempt has a score that is judged not good enough.
pub(crate) fn has_miss(rules: &Rules, attempts: &[AttemptRecord]) -> bool {
    rules.judges.iter().enumerate().any(|(index, judge)| {
        matches!(score_of(judge, attempts, index), CaseScore::Mean(_, Some(false)))
    })
}

/// Decides a case from the records of its attempts.
pub(crate) fn decide(
    rules: &Rules,
    row: usize,
    in_slice: Box<[bool]>,
    attempts: &[AttemptRecord],
) -> (Case, Decision) {
    let mut case = Case {
        row,
        state: CaseState::Pass,
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
    let errors_gated = gates_on(&|rule| rule.of == Of::Errors, &case);

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
        if let CaseScore::Mean(mean, Some(false)) = score {
            let bad = records().find(|(_, score)| is_bad(judge, score)).map(|(_, score)| score);
            let text = miss(judge, mean, attempts.len(), bad);
            let gated = gates_on(&|rule| rule.of == Of::Evaluator(index), &case);
            misses.push((gated, text));
        }
        scores.push(score);
    }
    case.scores = scores.into();

    let mut broken = Vec::new();
    for rule in &rules.require {
        let judge = &rules.judges[rule.evaluator];
        for attempt in attempts {
            let Some(score) = attempt.scores.get(rule.evaluator) else { continue };
            if let Some(value) = score.value
                && !required(rule, judge, value)
            {
                let text = format!("required {} is {}", rule.text, shown(value));
                broken.push(in_attempt(text, attempt.attempt, attempts.len()));
            }
        }
    }
    if !misses.is_empty() || !broken.is_empty() {
        case.state = worse(case.state, CaseState::Fail);
    }
    decision.failing.extend(broken);
    for (gated, text) in misses {
        if gated { decision.gated.push(text) } else { decision.failing.push(text) }
    }
    (case, decision)
}

/// The state that says more about what is wrong.
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
    let mut missing = false;
    for attempt in attempts {
        match attempt.scores.get(index) {
            Some(ScoreRecord { value: Some(value), .. }) => values.push(*value),
            Some(ScoreRecord { error: None, .. }) if attempt.error.is_none() => {}
            _ => missing = true,
        }
    }
    if values.is_empty() {
        return if missing { CaseScore::Missing } else { CaseScore::NotApplicable };
    }
    let mean = values.iter().map(|value| value.as_f64()).sum::<f64>() / values.len() as f64;
    let judged = match judge.info.judges() {
        Judges::Always => true,
        Judges::Never => false,
        Judges::WhenBool => values.iter().any(|value| matches!(value, ScoreValue::Bool(_))),
    };
    let info = &judge.info;
    CaseScore::Mean(mean, judged.then(|| info.direction.comparison().holds(mean, info.limit())))
}

fn is_bad(judge: &Judge, score: &ScoreRecord) -> bool {
    let info = &judge.info;
    score
        .value
        .is_some_and(|value| !info.direction.comparison().holds(value.as_f64(), info.limit()))
}

fn required(rule: &RequireRule, judge: &Judge, value: ScoreValue) -> bool {
    let info = &judge.info;
    match (rule.limit, info.judges(), value) {
        (Some((comparison, limit)), ..) => comparison.holds(value.as_f64(), limit),
        // A number of an evaluator that has no threshold measures, so there is nothing to require.
        (None, Judges::WhenBool, ScoreValue::Number(_)) => true,
        (None, ..) => info.direction.comparison().holds(value.as_f64(), info.limit()),
    }
}

fn shown(value: ScoreValue) -> String {
    match value {
        ScoreValue::Bool(yes) => yes.to_string(),
        ScoreValue::Number(value) => number(value),
    }
}

/// `correct is false`, `close 0.42, needs >= 0.7: partial: 2 of 4 facts`
fn miss(judge: &Judge, mean: f64, attempts: usize, bad: Option<&ScoreRecord>) -> String {
    let info = &judge.info;
    let mut text = match bad.and_then(|score| score.value) {
        Some(value @ ScoreValue::Bool(_)) if attempts == 1 => {
            format!("{} is {}", judge.name, shown(value))
        }
        _ => {
            let over = match attempts {
                1 => String::new(),
                attempts => format!(" over {attempts} attempts"),
            };
            let needs = info.direction.comparison().symbol();
            format!("{} {}{over}, needs {needs} {}", judge.name, number(mean), number(info.limit()))
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

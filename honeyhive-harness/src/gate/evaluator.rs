//! The evaluator of an experiment as rules see it, which makes one score of a case's attempts.

use crate::evaluators::EvaluatorInfo;
use crate::journal::EvaluatorRecord;
use crate::score::{Comparison, Direction, Judges, Reducer, ScoreValue, Shape};
use crate::stats;

/// The settings of an evaluator in an experiment. Those from the source and those from a journal have
/// the same form here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judge {
    /// The name of the evaluator in the experiment.
    pub(crate) name: String,
    /// The settings of the evaluator, as written in the attribute.
    pub(crate) settings: String,
    /// The lowest good score (the highest one when minimizing).
    pub(crate) threshold: Option<f64>,
    pub(crate) direction: Direction,
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) shape: Shape,
    /// The reducer that makes one score of the attempts of a case.
    pub(crate) reduce: Reducer,
    /// The hash of the evaluator's source.
    pub(crate) source: String,
}

impl Judge {
    /// Creates the settings from those in the source.
    pub(crate) fn new(name: &str, info: &EvaluatorInfo, settings: &str, reduce: Reducer) -> Self {
        Self {
            name: name.to_owned(),
            settings: settings.to_owned(),
            threshold: info.threshold,
            direction: info.direction,
            range: info.range,
            shape: info.shape,
            reduce,
            source: info.source_hash.to_owned(),
        }
    }

    /// Creates the settings from those in a journal.
    pub(crate) fn recorded(record: &EvaluatorRecord) -> Self {
        Self {
            name: record.name.clone(),
            settings: record.settings.clone(),
            threshold: record.threshold,
            direction: record.direction,
            range: record.range,
            shape: record.shape,
            reduce: record.reduce,
            source: record.source_hash.clone(),
        }
    }

    /// Returns the record for the journal.
    pub(crate) fn record(&self) -> EvaluatorRecord {
        EvaluatorRecord {
            name: self.name.clone(),
            settings: self.settings.clone(),
            shape: self.shape,
            reduce: self.reduce,
            threshold: self.threshold,
            direction: self.direction,
            range: self.range,
            source_hash: self.source.clone(),
        }
    }

    /// Returns whether the scores decide cases.
    pub(crate) fn judges(&self) -> Judges {
        Judges::from_shape(self.shape, self.threshold.is_some())
    }

    /// Returns the limit that the score of an attempt must hold to be good.
    pub(crate) fn limit(&self) -> f64 {
        self.threshold.unwrap_or(self.direction.bool_limit())
    }

    /// Returns whether the score of an attempt is good.
    pub(crate) fn is_good(&self, value: ScoreValue) -> bool {
        let limit = match (self.shape, value) {
            // A threshold on yes and no loosens the mean of attempts, not the single answer.
            (Shape::Bool, _) | (_, ScoreValue::Bool(_)) => self.direction.bool_limit(),
            _ => self.limit(),
        };
        self.direction.comparison().holds(value.as_f64(), limit)
    }

    /// Describes which scores of an attempt are good: `>= 0.7`, `true`; empty where the evaluator only
    /// measures.
    pub(crate) fn good_when(&self) -> String {
        let (symbol, threshold) = (self.direction.comparison().symbol(), self.threshold);
        match (self.judges(), threshold) {
            (_, Some(threshold)) => format!("{symbol} {threshold}"),
            (Judges::Never, None) => String::new(),
            (_, None) => (self.direction == Direction::Maximize).to_string(),
        }
    }

    /// Returns the direction in which the score of a case is better: shares of good attempts are better
    /// the higher.
    pub(crate) fn case_direction(&self) -> Direction {
        if self.reduce.counts() { Direction::Maximize } else { self.direction }
    }

    /// Returns the comparison and the limit that the score of a case must hold to be good.
    pub(crate) fn case_limit(&self) -> (Comparison, f64) {
        if !self.reduce.counts() {
            return (self.direction.comparison(), self.limit());
        }
        // The threshold of a number says when an attempt is good, that of a yes or no how many of
        // them must be.
        let limit = match (self.shape, self.direction) {
            (Shape::Bool, Direction::Maximize) => self.limit(),
            _ => 1.0,
        };
        (Comparison::AtLeast, limit)
    }

    /// Returns the range of the score of a case; `None` where it has no known range.
    pub(crate) fn case_range(&self) -> Option<(f64, f64)> {
        match (self.reduce.counts(), self.range, self.shape) {
            (true, ..) | (false, None, Shape::Bool) => Some((0.0, 1.0)),
            (false, range, _) => range,
        }
    }

    /// Reduces the scores of a case's attempts to one; returns `None` when there are too few.
    pub(crate) fn case_score(&self, values: &[ScoreValue]) -> Option<Scored> {
        let judged = match self.judges() {
            Judges::Always => true,
            Judges::Never => false,
            Judges::WhenBool => values.iter().any(|value| matches!(value, ScoreValue::Bool(_))),
        };
        let attempts = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let good = values.iter().filter(|value| self.is_good(**value)).count();
        let good = u32::try_from(good).unwrap_or(u32::MAX);
        let mut numbers: Vec<f64> = values.iter().map(|value| value.as_f64()).collect();
        let spread = stats::stddev(&numbers);
        let score = match self.reduce {
            Reducer::Mean => stats::mean(&numbers)?,
            Reducer::Median => {
                numbers.sort_unstable_by(f64::total_cmp);
                let (low, high) = ((numbers.len().checked_sub(1)?) / 2, numbers.len() / 2);
                f64::midpoint(numbers[low], numbers[high])
            }
            Reducer::Min => numbers.into_iter().reduce(f64::min)?,
            Reducer::Max => numbers.into_iter().reduce(f64::max)?,
            Reducer::AtLeast(k) if attempts < k => return None,
            Reducer::AtLeast(k) => f64::from(u8::from(good >= k)),
            Reducer::PassAt(k) => stats::pass_at_k(attempts, good, k)?,
            Reducer::PassAll(k) => stats::pass_hat_k(attempts, good, k)?,
        };
        let (comparison, limit) = self.case_limit();
        Some(Scored {
            score,
            holds: judged.then(|| comparison.holds(score, limit)),
            attempts,
            missing: 0,
            good: judged.then_some(good),
            spread,
        })
    }
}

/// The score of a case, made of the scores of its attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scored {
    /// The score, by the evaluator's reducer.
    pub(crate) score: f64,
    /// Set where the evaluator judges: `true` if the score is good enough.
    pub(crate) holds: Option<bool>,
    /// The number of attempts that have a score.
    pub(crate) attempts: u32,
    /// The number of attempts that should have a score, and have none.
    pub(crate) missing: u32,
    /// The number of attempts with a good score; absent where the evaluator only measures.
    pub(crate) good: Option<u32>,
    /// The standard deviation of the scores of the attempts; absent for a single attempt.
    pub(crate) spread: Option<f64>,
}

impl Scored {
    /// Returns whether the attempts disagree: some of them are good, and some are not.
    pub(crate) fn is_flaky(&self) -> bool {
        self.good.is_some_and(|good| good > 0 && good < self.attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(shape: Shape, threshold: Option<f64>, reduce: Reducer) -> Judge {
        Judge {
            name: "e".to_owned(),
            settings: String::new(),
            threshold,
            direction: Direction::Maximize,
            range: None,
            shape,
            reduce,
            source: String::new(),
        }
    }

    fn yes_no(reduce: Reducer, answers: &[bool]) -> (f64, Option<bool>) {
        let values: Vec<ScoreValue> = answers.iter().map(|yes| ScoreValue::Bool(*yes)).collect();
        let scored = judge(Shape::Bool, None, reduce).case_score(&values).expect("enough");
        (scored.score, scored.holds)
    }

    #[test]
    fn each_reducer_makes_one_score_of_many() {
        let (t, f) = (true, false);
        assert_eq!(yes_no(Reducer::Mean, &[t, t, f, f]), (0.5, Some(false)));
        assert_eq!(yes_no(Reducer::Median, &[t, t, f]), (1.0, Some(true)));
        assert_eq!(yes_no(Reducer::Median, &[t, t, f, f]), (0.5, Some(false)));
        assert_eq!(yes_no(Reducer::Max, &[f, t, f]), (1.0, Some(true)));
        assert_eq!(yes_no(Reducer::Min, &[t, t, f]), (0.0, Some(false)));
        assert_eq!(yes_no(Reducer::AtLeast(2), &[t, f, t]), (1.0, Some(true)));
        assert_eq!(yes_no(Reducer::AtLeast(2), &[f, f, t]), (0.0, Some(false)));
        // The shares are 1 - C(1,2)/C(3,2), and C(2,2)/C(3,2).
        assert_eq!(yes_no(Reducer::PassAt(2), &[t, f, t]), (1.0, Some(true)));
        let (all, holds) = yes_no(Reducer::PassAll(2), &[t, f, t]);
        assert!((all - 1.0 / 3.0).abs() < 1e-12 && holds == Some(false));
    }

    /// Checks all ways to answer six attempts against counting every choice of some of them.
    #[test]
    fn counting_reducers_are_what_counting_says() {
        for answers in 0_u32..1 << 6 {
            for n in 1..=6_u32 {
                let values: Vec<bool> = (0..n).map(|at| answers >> at & 1 == 1).collect();
                let good = (answers & ((1 << n) - 1)).count_ones();
                for k in 1..=n {
                    let choices = || (0_u32..1 << n).filter(|choice| choice.count_ones() == k);
                    let share = |holds: &dyn Fn(u32) -> bool| {
                        let held = choices().filter(|choice| holds(*choice)).count();
                        held as f64 / choices().count() as f64
                    };
                    for (reduce, want) in [
                        (Reducer::PassAt(k), share(&|choice| choice & answers != 0)),
                        (Reducer::PassAll(k), share(&|choice| choice & answers == choice)),
                        (Reducer::AtLeast(k), f64::from(u8::from(good >= k))),
                    ] {
                        let (score, holds) = yes_no(reduce, &values);
                        assert!((score - want).abs() < 1e-12, "{values:?} {reduce}: {score}");
                        assert_eq!(holds, Some((score - 1.0).abs() < 1e-9), "{values:?} {reduce}");
                    }
                }
                let [min, median, mean, max] =
                    [Reducer::Min, Reducer::Median, Reducer::Mean, Reducer::Max]
                        .map(|reduce| yes_no(reduce, &values).0);
                assert!(min <= median && median <= max && min <= mean && mean <= max);
            }
        }
    }

    #[test]
    fn too_few_attempts_have_no_answer() {
        for reduce in [Reducer::AtLeast(3), Reducer::PassAt(3), Reducer::PassAll(3)] {
            let judge = judge(Shape::Bool, None, reduce);
            assert_eq!(judge.case_score(&[ScoreValue::Bool(true); 2]), None);
            assert!(judge.case_score(&[ScoreValue::Bool(true); 3]).is_some());
        }
        assert_eq!(judge(Shape::Number, None, Reducer::Median).case_score(&[]), None);
    }

    #[test]
    fn the_threshold_of_a_number_says_which_attempts_are_good() {
        let values = [0.9, 0.5, 0.8].map(ScoreValue::Number);
        let two = judge(Shape::Number, Some(0.7), Reducer::AtLeast(2));
        let scored = two.case_score(&values).expect("enough");
        assert_eq!((scored.score, scored.holds, scored.good), (1.0, Some(true), Some(2)));
        assert!(scored.is_flaky());
        // statistics.stdev([0.9, 0.5, 0.8])
        assert!(
            scored.spread.is_some_and(|spread| (spread - 0.208_166_599_946_613_3).abs() < 1e-12)
        );
        let plain = judge(Shape::Number, None, Reducer::Mean).case_score(&values).expect("three");
        assert_eq!((plain.holds, plain.good, plain.is_flaky()), (None, None, false));
    }

    #[test]
    fn a_threshold_on_yes_and_no_loosens_the_mean_alone() {
        let judge = judge(Shape::Bool, Some(0.6), Reducer::Mean);
        let scored = judge.case_score(&[true, true, false].map(ScoreValue::Bool)).expect("three");
        assert_eq!((scored.holds, scored.good), (Some(true), Some(2)));
        assert!(!judge.is_good(ScoreValue::Bool(false)) && judge.is_good(ScoreValue::Bool(true)));
    }

    #[test]
    fn a_minimizing_evaluator_counts_small_numbers() {
        let mut judge = judge(Shape::Number, Some(2.0), Reducer::PassAll(2));
        judge.direction = Direction::Minimize;
        let scored = judge.case_score(&[1.0, 2.0].map(ScoreValue::Number)).expect("two");
        assert_eq!((scored.score, scored.holds, scored.good), (1.0, Some(true), Some(2)));
        assert_eq!(judge.case_direction(), Direction::Maximize);
        assert_eq!(judge.case_range(), Some((0.0, 1.0)));
    }
}

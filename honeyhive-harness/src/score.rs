//! Defines scores, which evaluators give to outputs.
//!
//! A score is a yes or no ([`ScoreValue::Bool`]) or a number; a label, an explanation and metadata for
//! people can be added. [`Judges`] decides whether a score *judges* or only *measures*: a boolean always
//! judges, a number only with a threshold.

mod reducer;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use reducer::Reducer;

use crate::text::error_text;

/// The distance beyond a limit at which a value still holds, relative to `max(1, |limit|)`.
///
/// Means of decimal fractions miss their round values by a few ulps; a gate must not fail on that.
const LIMIT_TOLERANCE: f64 = 1e-9;

/// The distance for values of 32 bits: four of their steps at 1.
const SINGLE_TOLERANCE: f64 = 4.0 * f32::EPSILON as f64;

/// The value of a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ScoreValue {
    /// A yes or no. It counts as 1 or 0 wherever a number is needed.
    Bool(bool),
    /// A whole number, from an evaluator whose type has no others.
    Integer(i64),
    /// A finite number.
    Number(f64),
}

impl ScoreValue {
    /// Returns the value as a number: `true` is 1, `false` is 0.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Bool(yes) => f64::from(u8::from(yes)),
            #[expect(clippy::cast_precision_loss, reason = "scores are judged as floats")]
            Self::Integer(whole) => whole as f64,
            Self::Number(number) => number + 0.0,
        }
    }
}

// An untagged enum cannot read numbers where a crate of the build turns on `arbitrary_precision`.
impl<'de> Deserialize<'de> for ScoreValue {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = match Value::deserialize(from)? {
            Value::Bool(yes) => Some(Self::Bool(yes)),
            // A whole number is written without a point where the evaluator's type has no others.
            Value::Number(number) => {
                let whole = number.as_i64().map(Self::Integer);
                whole.or_else(|| number.as_f64().map(Self::Number))
            }
            _ => None,
        };
        value.ok_or_else(|| serde::de::Error::custom("a score is a boolean or a number"))
    }
}

/// Returns the value of a score without the effects of rounding.
///
/// A value that lies beyond an end of its range by no more than the tolerance of a limit becomes that
/// end: the cosine of two equal vectors may be 1.0000000000000002. A value of 32 bits is the limit (an
/// end of the range, or the threshold) that it is as near to as 32 bits can tell, else it has the digits
/// that it has there: 0.7, not 0.699999988079071.
pub(crate) fn rounded(value: f64, range: Option<(f64, f64)>, threshold: Option<f64>) -> f64 {
    let single = single(value);
    let tolerance = if single.is_some() { SINGLE_TOLERANCE } else { LIMIT_TOLERANCE };
    let within = |limit: f64, scale: f64| (value - limit).abs() <= tolerance * scale;
    if let Some((low, high)) = range {
        let end = if value < low { low } else { high };
        if (value < low || value > high) && within(end, end.abs().max(1.0)) {
            return end;
        }
    }
    if single.is_some() {
        let ends = range.map(|(low, high)| [low, high]).into_iter().flatten();
        // The bound is not relative to the 1 of a limit of 0: a small probability is not 0.
        if let Some(limit) = ends.chain(threshold).find(|limit| within(*limit, limit.abs())) {
            return limit;
        }
    }
    single.unwrap_or(value)
}

/// Returns the number with the shortest digits that has this value in 32 bits; `None` if the value does
/// not come from 32 bits. Fractions with a power of two below them are the same in both widths and are
/// left alone.
#[allow(clippy::cast_possible_truncation, clippy::float_cmp)]
fn single(value: f64) -> Option<f64> {
    let narrow = value as f32;
    let few_bits = narrow.to_bits().trailing_zeros() >= 12;
    if f64::from(narrow) != value || value.fract() == 0.0 || few_bits {
        return None;
    }
    narrow.to_string().parse().ok()
}

impl From<bool> for ScoreValue {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for ScoreValue {
            #[allow(clippy::cast_lossless, clippy::cast_precision_loss)]
            fn from(number: $number) -> Self {
                // The sum of no floats is -0.0, which nobody means to return.
                Self::Number(number as f64 + 0.0)
            }
        }
    )*};
}
numbers!(f32, f64);

macro_rules! integers {
    ($($number:ty),*) => {$(
        impl From<$number> for ScoreValue {
            #[allow(clippy::cast_lossless, clippy::cast_precision_loss)]
            fn from(number: $number) -> Self {
                i64::try_from(number).map_or(Self::Number(number as f64), Self::Integer)
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

/// A score with a label, an explanation and metadata for people.
///
/// Evaluators may return a bare `bool` or number; return a `Score` to say why.
///
/// ```
/// use honeyhive_harness::Score;
///
/// let score = Score::new(0.5).label("partial").explanation("2 of 4 facts are named");
/// assert_eq!(score.value.as_f64(), 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Score {
    /// The value that gates and thresholds look at.
    pub value: ScoreValue,
    /// A short class such as `partial`, for grouping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The reason for the score, which is shown beside every miss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Further data worth keeping, such as the judge's model or its raw answer.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl Score {
    /// Creates a score of this value: a `bool` or any number.
    pub fn new(value: impl Into<ScoreValue>) -> Self {
        Self { value: value.into(), label: None, explanation: None, metadata: Map::new() }
    }

    /// Adds a label: a short class such as `partial`.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds the reason for the score, which is shown beside every miss.
    #[must_use]
    pub fn explanation(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// Adds one entry of metadata.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

impl<V: Into<ScoreValue>> From<V> for Score {
    fn from(value: V) -> Self {
        Self::new(value)
    }
}

/// The direction in which an evaluator's numbers are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The higher, the better.
    #[default]
    Maximize,
    /// The lower, the better, as for errors, toxicity or distance.
    Minimize,
}

/// The kind of scores that an evaluator's return type allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// The type is `bool`, also inside `Option` and `Result`.
    Bool,
    /// The type is a number, also inside `Option` and `Result`.
    Number,
    /// The type is [`Score`]: a boolean or a number, known only once it is there.
    #[default]
    Score,
}

/// The rule by which the scores of an evaluator decide cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judges {
    /// Every score decides its case.
    Always,
    /// A boolean score decides its case, a number does not.
    WhenBool,
    /// No score decides a case; they only measure.
    Never,
}

impl Judges {
    /// Returns the rule that follows from the return type and from whether there is a threshold.
    pub const fn from_shape(shape: Shape, has_threshold: bool) -> Self {
        match shape {
            _ if has_threshold => Self::Always,
            Shape::Bool => Self::Always,
            Shape::Score => Self::WhenBool,
            Shape::Number => Self::Never,
        }
    }
}

/// The side of a limit on which a value holds. Limits are inclusive: a value on the limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// The value must be at least the limit.
    #[serde(rename = ">=")]
    AtLeast,
    /// The value must be at most the limit.
    #[serde(rename = "<=")]
    AtMost,
}

impl Comparison {
    /// Returns whether `value` holds against `limit`, with room for rounding (1e-9 of the limit).
    ///
    /// ```
    /// use honeyhive_harness::__private::Comparison;
    ///
    /// assert!(Comparison::AtLeast.holds(0.1 + 0.2, 0.3));
    /// assert!(Comparison::AtLeast.holds(0.7 + 0.1 + 0.1, 0.9));
    /// assert!(!Comparison::AtMost.holds(0.31, 0.3));
    /// ```
    pub fn holds(self, value: f64, limit: f64) -> bool {
        let slack = LIMIT_TOLERANCE * limit.abs().max(1.0);
        match self {
            Self::AtLeast => value >= limit - slack,
            Self::AtMost => value <= limit + slack,
        }
    }

    /// Returns the operator as users write it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        }
    }
}

impl Direction {
    /// Returns the side of a threshold on which a score is good.
    pub const fn comparison(self) -> Comparison {
        match self {
            Self::Maximize => Comparison::AtLeast,
            Self::Minimize => Comparison::AtMost,
        }
    }

    /// Returns the limit for booleans without a threshold: all must be good.
    pub const fn bool_limit(self) -> f64 {
        match self {
            Self::Maximize => 1.0,
            Self::Minimize => 0.0,
        }
    }
}

/// The types that an evaluator function may return.
///
/// The trait is implemented for `bool`, all number types, [`Score`], `Option` of those (`None` means the
/// evaluator does not apply to this datapoint) and `Result` of all of these with any error that can be
/// displayed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a score",
    label = "an evaluator cannot return this type",
    note = "return `bool`, a number, `Score`, an `Option` of those, or a `Result` of any of them"
)]
pub trait IntoScore {
    /// The kind of scores that the type allows, known before any score exists.
    const SHAPE: Shape;

    /// Converts the value into a score; `None` when the evaluator does not apply.
    ///
    /// # Errors
    /// Returns the text of the evaluator's own error.
    fn into_score(self) -> Result<Option<Score>, String>;
}

/// The types of [`IntoScore`] that may stand inside an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a score",
    label = "an evaluator cannot return this type",
    note = "return `bool`, a number, `Score`, an `Option` of those, or a `Result` of any of them"
)]
pub trait ScoreLike {
    /// The kind of scores that the type allows, known before any score exists.
    const SHAPE: Shape;
    /// Converts the value into a score.
    fn score(self) -> Score;
}

macro_rules! score_like {
    ($shape:ident: $($kind:ty),*) => {$(
        impl ScoreLike for $kind {
            const SHAPE: Shape = Shape::$shape;
            fn score(self) -> Score {
                self.into()
            }
        }
        impl IntoScore for $kind {
            const SHAPE: Shape = Shape::$shape;
            fn into_score(self) -> Result<Option<Score>, String> {
                Ok(Some(self.into()))
            }
        }
    )*};
}
score_like!(Bool: bool);
score_like!(Number: f32, f64, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);
score_like!(Score: Score);

impl<T: ScoreLike> IntoScore for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    fn into_score(self) -> Result<Option<Score>, String> {
        Ok(self.map(ScoreLike::score))
    }
}

impl<T: IntoScore, E: std::fmt::Display> IntoScore for Result<T, E> {
    const SHAPE: Shape = T::SHAPE;
    fn into_score(self) -> Result<Option<Score>, String> {
        self.map_err(|error| error_text(&error)).and_then(IntoScore::into_score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score_of(value: impl IntoScore) -> Result<Option<f64>, String> {
        value.into_score().map(|score| score.map(|score| score.value.as_f64()))
    }

    #[test]
    fn every_return_shape_becomes_a_score() {
        assert_eq!(score_of(true), Ok(Some(1.0)));
        assert_eq!(score_of(3_u8), Ok(Some(3.0)));
        assert_eq!(score_of(Some(0.5_f32)), Ok(Some(0.5)));
        assert_eq!(score_of(None::<bool>), Ok(None));
        assert_eq!(score_of(Ok::<_, String>(Some(false))), Ok(Some(0.0)));
        assert_eq!(score_of(Err::<bool, _>("down")), Err("down".into()));
        assert_eq!(score_of(Err::<bool, _>(" ")), Err("an error without a text".into()));
        assert_eq!(score_of(Score::new(2)), Ok(Some(2.0)));
    }

    #[test]
    fn the_return_type_tells_who_judges() {
        fn judges<T: IntoScore>(_: T, threshold: bool) -> Judges {
            Judges::from_shape(T::SHAPE, threshold)
        }
        assert_eq!(judges(Ok::<_, String>(Some(true)), false), Judges::Always);
        assert_eq!(judges(0.1, false), Judges::Never);
        assert_eq!(judges(0.1, true), Judges::Always);
        assert_eq!(judges(Score::new(1), false), Judges::WhenBool);
    }

    #[test]
    fn a_limit_holds_within_rounding() {
        assert!(Comparison::AtLeast.holds(0.9 - 1e-10, 0.9));
        assert!(!Comparison::AtLeast.holds(0.9 - 1e-8, 0.9));
        assert!(Comparison::AtMost.holds(1e6 + 1e-4, 1e6));
        assert!(!Comparison::AtMost.holds(f64::NAN, 1.0));
    }

    #[test]
    fn rounding_moves_no_value_beyond_its_range() {
        let unit = Some((0.0, 1.0));
        let is = |value: f64, want: f64| {
            let got = rounded(value, unit, Some(0.7));
            assert!(got.to_bits() == want.to_bits(), "{value:?}: {got:?} is not {want:?}");
        };
        is(1.000_000_000_000_000_2, 1.0);
        is(-1e-17, 0.0);
        is(-0.0, -0.0);
        // Values within the range stay as they are.
        is(0.999_999_999_999_999_9, 0.999_999_999_999_999_9);
        is(0.699_999_999_999_999_9, 0.699_999_999_999_999_9);
        // Values beyond the tolerance stay outside.
        is(1.000_000_1, 1.000_000_1);
        is(1.01, 1.01);
        is(-1e-8, -1e-8);
        // Numbers of 32 bits have seven digits.
        is(f64::from(1.000_000_1_f32), 1.0);
        is(f64::from(0.999_999_94_f32), 1.0);
        is(f64::from(0.7_f32), 0.7);
        is(f64::from(0.700_000_05_f32), 0.7);
        is(f64::from(-1e-8_f32), 0.0);
        is(f64::from(1e-8_f32), 1e-8);
        is(f64::from(0.1_f32), 0.1);
        is(f64::from(1.000_01_f32), 1.000_01);
        is(f64::from(0.375_f32), 0.375);
        is(0.609_375, 0.609_375);
        is(33_554_434.0, 33_554_434.0);
        let wide = rounded(1e6 + 1e-4, Some((0.0, 1e6)), None);
        assert!(wide.to_bits() == 1e6_f64.to_bits(), "{wide}");
    }

    #[test]
    fn scores_read_back_what_they_wrote() {
        let score = Score::new(true).label("ok").explanation("all there").metadata("judge", "m");
        let text = serde_json::to_string(&score).unwrap();
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
    }
}

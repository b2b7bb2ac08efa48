//! Defines the reducers, which make one score of the attempts of a case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The function that makes the score of a case of the scores of its attempts. Written
/// `reduce(evaluator = at_least(2))`; without that it is the mean.
///
/// The last three count the attempts that the evaluator judges good. Their result is a share of 0
/// to 1 that is better the higher it is, also where lower numbers of the evaluator are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Reducer {
    /// The arithmetic mean.
    #[default]
    Mean,
    /// The middle value, or the mean of the two middle values.
    Median,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The result is 1 if at least this many attempts are good, else 0.
    AtLeast(u32),
    /// The probability that at least one of this many attempts is good (pass@k).
    PassAt(u32),
    /// The probability that all of this many attempts are good (pass^k).
    PassAll(u32),
}

impl Reducer {
    /// Returns whether the reducer counts good attempts, so that its result is a share.
    pub const fn counts(self) -> bool {
        matches!(self, Self::AtLeast(_) | Self::PassAt(_) | Self::PassAll(_))
    }

    /// Returns the number of attempts below which there is no result.
    pub const fn attempts_needed(self) -> u32 {
        match self {
            Self::AtLeast(k) | Self::PassAt(k) | Self::PassAll(k) => k,
            Self::Mean | Self::Median | Self::Min | Self::Max => 1,
        }
    }
}

impl fmt::Display for Reducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("mean"),
            Self::Median => f.write_str("median"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::AtLeast(k) => write!(f, "at_least({k})"),
            Self::PassAt(k) => write!(f, "pass_at({k})"),
            Self::PassAll(k) => write!(f, "pass_all({k})"),
        }
    }
}

impl From<Reducer> for String {
    fn from(reducer: Reducer) -> Self {
        reducer.to_string()
    }
}

impl FromStr for Reducer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is no way to reduce attempts");
        let plain = match text {
            "mean" => Self::Mean,
            "median" => Self::Median,
            "min" => Self::Min,
            "max" => Self::Max,
            _ => {
                let (name, rest) = text.split_once('(').ok_or_else(unknown)?;
                let k = rest.strip_suffix(')').and_then(|k| k.parse().ok()).ok_or_else(unknown)?;
                return match name {
                    "at_least" => Ok(Self::AtLeast(k)),
                    "pass_at" => Ok(Self::PassAt(k)),
                    "pass_all" => Ok(Self::PassAll(k)),
                    _ => Err(unknown()),
                };
            }
        };
        Ok(plain)
    }
}

impl TryFrom<String> for Reducer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reducer_is_read_as_it_is_written() {
        use Reducer::{AtLeast, Max, Mean, Median, Min, PassAll, PassAt};
        for reducer in [Mean, Median, Min, Max, AtLeast(2), PassAt(3), PassAll(10)] {
            assert_eq!(reducer.to_string().parse(), Ok(reducer));
        }
        for wrong in ["", "mode", "at_least", "at_least(x)", "at_least(2", "mean(2)"] {
            assert!(wrong.parse::<Reducer>().is_err(), "{wrong}");
        }
    }
}

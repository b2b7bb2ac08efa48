//! Why an experiment in code was not run.

use std::fmt;

use crate::rule::RuleError;

/// Why an experiment was not run, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunError {
    /// A rule of `gate` or `require` cannot be understood, or does not fit its evaluator.
    Rule(RuleError),
    /// A rule or an option names an evaluator that the experiment does not have.
    UnknownEvaluator {
        /// The name.
        name: String,
        /// The evaluator with the most similar name, where one is similar.
        nearest: Option<String>,
        /// The whole text of the error.
        text: String,
    },
    /// Anything else, such as a row without a value that is read, a variable that cannot be
    /// understood, or a journal that cannot be written. The text says what was found and what to do.
    Setup(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(error) => write!(f, "the rule {error}"),
            Self::UnknownEvaluator { text, .. } | Self::Setup(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for RunError {}

impl From<RuleError> for RunError {
    fn from(error: RuleError) -> Self {
        Self::Rule(error)
    }
}

impl From<String> for RunError {
    fn from(text: String) -> Self {
        Self::Setup(text)
    }
}

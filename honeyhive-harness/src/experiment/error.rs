//! The errors for which an experiment in code is not run.

use crate::rule::RuleError;

/// The reason why an experiment was not run, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A rule of `gate` or `require` cannot be understood, or does not fit its evaluator.
    #[error("the rule {0}")]
    Rule(#[from] RuleError),
    /// A rule or an option names an evaluator that the experiment does not have.
    #[error("{text}")]
    UnknownEvaluator {
        /// The name.
        name: String,
        /// The evaluator with the most similar name, where one is similar.
        nearest: Option<String>,
        /// The whole text of the error.
        text: String,
    },
    /// Any other error, such as a row without a value that is read, a variable that cannot be
    /// understood, or a journal that cannot be written. The text says what was found and what to do.
    #[error("{0}")]
    Setup(String),
}

impl From<String> for RunError {
    fn from(text: String) -> Self {
        Self::Setup(text)
    }
}

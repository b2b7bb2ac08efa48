//! Datasets that a function of the user's builds.

use serde_json::Value;

use crate::datapoint::Datapoint;

/// What a dataset function may yield: a [`Datapoint`], or a JSON value in the shape of a row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a datapoint",
    label = "a dataset function cannot yield this type",
    note = "yield `honeyhive_harness::Datapoint` or `serde_json::Value`"
)]
pub trait IntoDatapoint {
    /// The datapoint.
    ///
    /// # Errors
    /// What is wrong with the row.
    fn into_datapoint(self) -> Result<Datapoint, String>;
}

impl IntoDatapoint for Datapoint {
    fn into_datapoint(self) -> Result<Datapoint, String> {
        Ok(self)
    }
}

impl IntoDatapoint for Value {
    fn into_datapoint(self) -> Result<Datapoint, String> {
        super::row::parse(self)
    }
}

/// The rows of a dataset function: each may be bad by itself, or the function failed.
pub type LoadedRows = Result<Vec<Result<Datapoint, String>>, String>;

/// What a dataset function may return: anything that iterates over datapoints.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dataset",
    label = "a dataset function cannot return this type",
    note = "return an iterator (or a `Vec`, or a `Result` of one) of `Datapoint` or `serde_json::Value`"
)]
pub trait IntoDatapoints {
    /// All rows; a bad one with what is wrong with it.
    fn into_datapoints(self) -> Vec<Result<Datapoint, String>>;
}

#[diagnostic::do_not_recommend]
impl<I> IntoDatapoints for I
where
    I: IntoIterator,
    I::Item: IntoDatapoint,
{
    fn into_datapoints(self) -> Vec<Result<Datapoint, String>> {
        self.into_iter().map(IntoDatapoint::into_datapoint).collect()
    }
}

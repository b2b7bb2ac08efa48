//! Experiments in code: the engine without macros and without a test runner, for any program.
//!
//! [`Experiment`] collects what the attribute `#[experiment]` says, and runs it as an invocation of its
//! own. [`run_experiment`] is its short form.

mod builder;
mod conduct;
mod error;
mod function;
mod options;
mod result;
mod rules;
mod settings;

pub use builder::{Experiment, Report};
pub use error::RunError;
pub use function::{Evaluators, Function};
pub use result::{DatapointResult, EvaluatorResult, ExperimentResult, Totals, Upload};
pub use settings::ExperimentOptions;

use crate::dataset::Dataset;

/// Runs a function over a dataset and scores what it returns: the same engine as under `cargo
/// test`, for programs of any kind. The short form of [`Experiment`], which has gates, baselines and
/// reports as well.
///
/// Every attempt has a tracer of its own, so several experiments may run at once. The future can
/// be awaited on any runtime; dropping it starts nothing more.
///
/// The result holds what was recorded: secrets of the environment are `[redacted]`, and with
/// `HH_CAPTURE=none` inputs and outputs are absent (see [`journal`](crate::journal)). The function
/// and the evaluators see real values.
///
/// Two effects reach beyond the call, and both end with it. Panics of attempts go to a panic hook of
/// this crate, which records them and prints nothing; all other panics go to the hook that was there
/// before, and when the last experiment is over, that one is installed again. Attempts run on threads of
/// their own, which are started for the experiment and end with it; only a call that still blocks keeps
/// its thread until it returns.
///
/// # Errors
/// When the experiment cannot start: something that an evaluator reads is in none of the rows, two
/// evaluators have one name, a variable `HH_..` cannot be understood, or the journal cannot be made;
/// and when the journal that was asked for cannot be written any more. An error of the function or of
/// an evaluator is a result of its datapoint.
///
/// ```
/// use honeyhive_harness::{
///     Datapoint, Dataset, Evaluators, ExperimentOptions, Function, evaluator, run_experiment,
/// };
///
/// #[evaluator]
/// fn correct(output: &str, ground_truth: &str) -> bool {
///     output == ground_truth
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dataset = Dataset::from_datapoints("capitals", [
///     Datapoint::new().id("fr").input("country", "France").ground_truth("Paris"),
///     Datapoint::new().id("it").input("country", "Italy").ground_truth("Rome"),
/// ])?;
/// let function = Function::new(async |call: honeyhive_harness::Call| {
///     let country: String = call.input("country")?;
///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(match country.as_str() {
///         "France" => "Paris",
///         _ => "Milan",
///     })
/// });
/// let result = run_experiment(
///     "capital_of",
///     dataset,
///     function,
///     Evaluators::new().with(correct {}),
///     ExperimentOptions::new().concurrency(4),
/// )
/// .await?;
/// assert_eq!(result.totals.passed, 1);
/// assert_eq!(result.evaluators[0].mean, Some(0.5));
/// # Ok(())
/// # }
/// ```
pub async fn run_experiment(
    name: &str,
    dataset: Dataset,
    function: Function,
    evaluators: Evaluators,
    options: ExperimentOptions,
) -> Result<ExperimentResult, RunError> {
    Experiment::new(name, dataset, function).evaluators(evaluators).options(options).run().await
}

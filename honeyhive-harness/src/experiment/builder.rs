//! The builder of an experiment in code.

use std::path::PathBuf;

use super::{Evaluators, ExperimentOptions, Function};
use crate::config::Format;
use crate::dataset::Dataset;
use crate::evaluators::Evaluator;
use crate::rule::Stop;
use crate::score::Reducer;

use super::settings::Settings;

/// An experiment in code, with everything that the attribute `#[experiment]` has.
///
/// ```
/// use honeyhive_harness::{Datapoint, Dataset, Experiment, Fault, Function, Rule, evaluator};
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
///     Ok::<_, Fault>(if country == "France" { "Paris" } else { "Milan" })
/// });
/// let result = Experiment::new("capital_of", dataset, function)
///     .evaluator(correct {})
///     .gate(Rule::mean("correct").at_least(0.9))
///     .gate("error_rate <= 0.05, p95(latency) <= \"2s\"")
///     .repeats(3)
///     .run()
///     .await?;
///
/// assert!(!result.passed);
/// let gate = result.gate.expect("there is a gate");
/// assert!(gate.rules[0].text.starts_with("mean(correct) >= 0.9: 0.5, n = 2"));
/// # Ok(())
/// # }
/// ```
///
/// A gate takes rules as values (see [`Rule`](crate::Rule)) or as the text that stands in the
/// attribute. What it names moves the decision from the datapoints to the gate, as in the attribute.
/// Relative paths start at the current directory.
#[derive(Debug)]
#[must_use = "an experiment runs with `.run().await`"]
pub struct Experiment {
    pub(super) name: String,
    pub(super) dataset: Dataset,
    pub(super) function: Function,
    pub(super) evaluators: Evaluators,
    pub(super) require: Vec<String>,
    pub(super) gate: Vec<String>,
    pub(super) reduce: Vec<(String, Reducer)>,
    pub(super) cluster: Option<String>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) track: Vec<String>,
    pub(super) sample: Option<usize>,
    pub(super) sample_seed: u64,
    pub(super) stop: Option<Stop>,
    pub(super) reports: Vec<Format>,
    pub(super) settings: Settings,
}

/// A report after a run, written beside the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// A page for people: `report.html`.
    Html,
    /// A summary in Markdown: `summary.md`.
    Markdown,
    /// An XML file for CI services: `junit.xml`.
    Junit,
    /// A line of JSON per case, for other tools: `results.jsonl`.
    Json,
}

impl From<Report> for Format {
    fn from(report: Report) -> Self {
        match report {
            Report::Html => Self::Html,
            Report::Markdown => Self::Md,
            Report::Junit => Self::Junit,
            Report::Json => Self::Json,
        }
    }
}

impl Experiment {
    /// Creates an experiment without evaluators: one attempt per datapoint, 60 s each, no retries, 16 at
    /// once, no journal.
    pub fn new(name: &str, dataset: Dataset, function: Function) -> Self {
        Self {
            name: name.to_owned(),
            dataset,
            function,
            evaluators: Evaluators::new(),
            require: Vec::new(),
            gate: Vec::new(),
            reduce: Vec::new(),
            cluster: None,
            baseline: None,
            track: Vec::new(),
            sample: None,
            sample_seed: 0,
            stop: None,
            reports: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// Adds an evaluator under its own name: `.evaluator(correct {})`.
    pub fn evaluator(mut self, evaluator: impl Evaluator) -> Self {
        self.evaluators = self.evaluators.with(evaluator);
        self
    }

    /// Adds an evaluator under another name, for one that is used twice.
    pub fn evaluator_named(mut self, name: &str, evaluator: impl Evaluator) -> Self {
        self.evaluators = self.evaluators.named(name, evaluator);
        self
    }

    /// Adds evaluators.
    pub fn evaluators(mut self, evaluators: Evaluators) -> Self {
        self.evaluators.0.extend(evaluators.0);
        self
    }

    /// Adds a rule of the gate, or several with commas between them: a
    /// [`Rule`](crate::Rule), or the text that stands in `gate(..)` of the attribute. An
    /// evaluator whose name is not a path is written in quotes, `mean("at most 80") >= 0.9`.
    pub fn gate(mut self, rules: impl Into<String>) -> Self {
        self.gate.push(rules.into());
        self
    }

    /// Adds a rule that must hold in every attempt: a [`Requirement`](crate::Requirement), or
    /// the text that stands in `require(..)` of the attribute.
    pub fn require(mut self, rules: impl Into<String>) -> Self {
        self.require.push(rules.into());
        self
    }

    /// Sets how the scores of a datapoint's attempts become one score; the mean without it. A text
    /// becomes a reducer by `"at_least(2)".parse()?`.
    pub fn reduce(mut self, evaluator: &str, reducer: Reducer) -> Self {
        self.reduce.push((evaluator.to_owned(), reducer));
        self
    }

    /// Names the metadata of a datapoint that says which datapoints belong together, such as the
    /// document that questions are about. Comparisons with the baseline allow for it.
    pub fn cluster(mut self, key: &str) -> Self {
        self.cluster = Some(key.to_owned());
        self
    }

    /// Names the file of the accepted run that rules such as `no_regression` compare with.
    /// `cargo honeyhive accept` writes it from a [journal](Self::journal).
    pub fn baseline(mut self, file: impl Into<PathBuf>) -> Self {
        self.baseline = Some(file.into());
        self
    }

    /// Records hashes of files that the function depends on, such as prompts; the pattern is one of
    /// `glob`: `prompts/*.md`.
    pub fn track(mut self, pattern: &str) -> Self {
        self.track.push(pattern.to_owned());
        self
    }

    /// Runs only this many of the datapoints, as `HH_SAMPLE` does. The choice follows from
    /// [`sample_seed`](Self::sample_seed) and their ids. The gate is inconclusive then.
    pub fn sample(mut self, size: usize) -> Self {
        self.sample = Some(size);
        self
    }

    /// Chooses another sample; 0 without it.
    pub fn sample_seed(mut self, seed: u64) -> Self {
        self.sample_seed = seed;
        self
    }

    /// Starts no further datapoint once the gate can come to no other verdict, as `stop = decided` of
    /// the attribute does. The datapoints run in an order by chance then.
    pub fn stop_when_decided(mut self) -> Self {
        self.stop = Some(Stop::Decided);
        self
    }

    /// Writes a report after the run, beside its [journal](Self::journal).
    pub fn report(mut self, report: Report) -> Self {
        self.reports.push(report.into());
        self
    }

    /// Names the dataset, in records and in HoneyHive.
    pub fn dataset_name(mut self, name: impl Into<String>) -> Self {
        self.dataset.name = name.into();
        self
    }

    /// Replaces all options that [`ExperimentOptions`] has.
    pub fn options(mut self, options: ExperimentOptions) -> Self {
        self.settings = options.settings;
        self
    }
}

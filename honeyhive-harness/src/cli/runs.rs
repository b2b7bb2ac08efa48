//! Implements `cargo honeyhive runs`, which lists recorded runs.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::place::Places;
use crate::config::Config;
use crate::outcome::Overview;
use crate::report::{self, Listed};
use crate::upload::unsent;

/// Lists what was run, the newest first.
///
/// Per invocation: when it started, its package and test target, whether it ended in good order,
/// the size of its journal and the name of its directory; per experiment the cases by what became
/// of them, and what the gate said. Where it was sent to somewhere and has not arrived as a whole,
/// what is left. A journal that cannot be read is listed with the reason. Below them stands how the
/// scores of each experiment went from run to run, the last one at the right, of runs with all rows.
///
/// With `--trend`: a line per experiment and evaluator, of the runs since the baseline that measure
/// the same as the newest one. What each run lost, in standard deviations of a run and less 0.5, is
/// added up and never falls below 0 (CUSUM); above 4, a note names the run since which scores drift.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive runs
  cargo honeyhive runs --limit 3
  cargo honeyhive runs --json --dir ci-artifacts/honeyhive
  cargo honeyhive runs --trend

Exit codes: 0 listed (also when there is nothing to list), 1 there is no such directory, 64 usage.")]
pub(super) struct Args {
    /// Shows at most N invocations
    #[arg(long, value_name = "N", default_value = "20")]
    limit: NonZeroUsize,
    /// Prints a JSON array, with the same facts, for scripts
    #[arg(long)]
    json: bool,
    /// Shows how the scores of each experiment went from run to run instead, and since when they drift
    #[arg(long, conflicts_with = "limit")]
    trend: bool,
    /// The directory of journals, or that of a single invocation
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
}

/// Returns the list of runs as text or as JSON.
pub(super) fn run(args: &Args, config: &Config) -> Result<String, String> {
    let places = Places::find(args.dir.as_deref(), config)?;
    if args.trend {
        return super::trend::run(&places, args.json);
    }
    let found: Vec<PathBuf> = places.runs()?.into_iter().map(|run| run.directory).collect();
    let listed = |directory: &PathBuf| Listed {
        overview: Overview::read(directory),
        // The overview has the reason where the run cannot be read.
        unsent: unsent(directory).unwrap_or_default(),
    };
    let runs: Vec<Listed> = found.iter().take(args.limit.get()).map(listed).collect();
    if args.json {
        let json = serde_json::to_string_pretty(&runs);
        return json.map(|json| json + "\n").map_err(|error| error.to_string());
    }
    if runs.is_empty() {
        return Ok(format!("nothing was run yet: no journal in {}\n", places.shown()));
    }
    Ok(report::runs(&runs, found.len() - runs.len()))
}

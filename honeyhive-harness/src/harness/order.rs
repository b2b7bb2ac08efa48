//! Determines the order in which the cases of an experiment are listed and run.

use super::args::Args;
use super::load::Loaded;
use crate::config::Config;
use crate::invocation::sample;
use crate::registry::Experiment;
use crate::rule::Stop;
use crate::stats::SplitMix64;

impl Loaded {
    /// Returns the rows in the order in which they are listed and run.
    pub(super) fn order(&self, args: &Args, config: &Config) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.dataset.rows.len()).collect();
        match stop(self.entry, args, config) {
            // A list runs nothing, so it keeps the order of the dataset.
            Some(_) if args.list => {}
            Some((_, seed)) => sample::shuffle(&mut rows, seed, &|row| &self.dataset.rows[row].id),
            None => {
                if let Some(seed) = args.shuffle {
                    shuffle(&mut rows, seed);
                }
            }
        }
        rows
    }
}

/// Returns when an experiment stops before its last case, and the seed of the order in which its cases
/// run; `None` where it does not stop early.
pub(super) fn stop(entry: &Experiment, args: &Args, config: &Config) -> Option<(Stop, u64)> {
    let when = entry.stop.filter(|_| !config.run_all)?;
    Some((when, args.shuffle.unwrap_or(0)))
}

/// Shuffles the rows by the algorithm of Fisher and Yates.
fn shuffle(rows: &mut [usize], seed: u64) {
    let mut random = SplitMix64::new(seed);
    for end in (1..rows.len()).rev() {
        rows.swap(end, random.index(end + 1));
    }
}

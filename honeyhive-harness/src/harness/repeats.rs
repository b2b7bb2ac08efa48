//! Notes on experiments that run with fewer attempts than their gate was written for.

use super::args::Args;
use super::plan::{Plan, What};
use crate::config::Config;
use crate::registry::Experiment;
use crate::rule::GateRule;
use crate::text::count;

impl Plan {
    /// Returns notes on the experiments whose gate compares with the baseline, and notices less because
    /// `HH_REPEATS` asks for fewer attempts than the attribute.
    pub(super) fn about_repeats(&self, args: &Args, config: &Config) -> Vec<String> {
        let Some(repeats) = config.repeats else { return Vec::new() };
        let judged = |index: usize| {
            self.running(args).any(|test| match test.what {
                What::Gate { experiment } | What::Whole { experiment } => experiment == index,
                _ => false,
            })
        };
        let all = self.loaded.iter().map(|loaded| loaded.entry).enumerate();
        let weaker = all.filter(|(index, entry)| is_weaker(entry, repeats) && judged(*index));
        weaker.map(|(_, entry)| note(entry, repeats)).collect()
    }
}

fn is_weaker(entry: &Experiment, repeats: u32) -> bool {
    repeats < entry.repeats && entry.gates.iter().any(GateRule::needs_baseline)
}

/// Returns the note about an experiment whose comparisons see less than its attribute intends:
/// `` HH_REPEATS=1: `qa` has 3 attempts per case in its attribute, so what its gate compares .. ``
fn note(entry: &Experiment, repeats: u32) -> String {
    format!(
        "HH_REPEATS={repeats}: `{}` has {} per case in its attribute, so what its gate compares with the \
         baseline notices less than it was written for",
        entry.name,
        count(entry.repeats as usize, "attempt")
    )
}

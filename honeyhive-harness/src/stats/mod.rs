//! Computes the statistics behind summaries and gates, by pure functions of numbers.
//!
//! A suite's mean is an estimate from a sample of cases, so it is never shown without the range it could
//! plausibly have come from. The range depends on the data:
//!
//! | data | range | function |
//! |---|---|---|
//! | every value 0 or 1 | Wilson's score interval | [`wilson`] |
//! | other scores | Student's t | [`t_interval`] |
//! | a quantile, such as the 95th percentile of a latency | two order statistics | [`quantile_interval`] |
//! | any other statistic | percentile bootstrap | [`bootstrap_interval`] |
//! | scores of cases that belong together | cluster-robust standard error | [`clustered_interval`] |
//!
//! [`interval_of_mean`] chooses between the first two, and says when the data allow neither.
//!
//! Two runs of the same cases are compared in pairs, and the answer is a p-value: how often chance
//! alone would look like this.
//!
//! | question | test | function |
//! |---|---|---|
//! | did the mean change? | paired sign-flip permutation | [`sign_flip_test`] |
//! | did more hits become misses than misses hits? | `McNemar`'s, exact | [`mcnemar`] |
//! | the same, of runs with different numbers of attempts | permutation of attempts | [`dealing_test`] |
//! | which of several p-values are findings? | Holm's correction | [`holm`] |
//!
//! The power functions tell before a run what a suite of some size can notice at all: [`mean_power`],
//! [`proportion_power`] and those that go with them. [`pass_at_k`] and [`pass_hat_k`] are about repeated
//! attempts of one case.
//!
//! The conventions are the same in every function:
//!
//! - Values are finite and carry whatever unit the caller gave them; results have that unit.
//!   Non-finite scores are evaluator errors and must not get this far.
//! - The sample is one value per *case*. Attempts of one case resemble each other, and pooling them
//!   makes every interval too narrow.
//! - `confidence` is a probability such as `0.95`. Two-sided intervals take anything between 0 and 1,
//!   both excluded; one-sided bounds take 0.5 up to, but not including, 1. Outside of that the ends are
//!   NaN, or the answer is `None` where ends are picked from data.
//! - A one-sided bound at confidence `c` is the same end of the two-sided interval at `2c - 1`.
//! - Nothing is random without a seed: the same input gives the same output.

mod alternative;
mod beta;
mod bootstrap;
mod bounded;
mod cluster;
#[cfg(feature = "cli")]
mod cusum;
mod dealing;
mod distribution;
mod exchange;
mod holm;
mod interval;
mod mcnemar;
mod mean_interval;
mod moments;
mod noncentral_t;
mod pass_at;
mod permutation;
mod poisson_binomial;
mod power;
mod proportion_power;
mod quantile;
mod shrinkage;
mod wilson;

pub use alternative::Alternative;
pub use bootstrap::{SplitMix64, bootstrap_interval};
pub(crate) use bounded::BoundedMean;
pub use cluster::{ClusteredMean, clustered_interval, clustered_mean};
#[cfg(feature = "cli")]
pub(crate) use cusum::{LIMIT as DRIFT_LIMIT, Loss, SLACK as DRIFT_SLACK, cusum, drift_since};
pub use dealing::{Dealt, dealing_test};
pub use distribution::{normal_cdf, normal_quantile, student_t_cdf, student_t_quantile};
pub(crate) use exchange::{Combine, Exchanges, Way, deals};
pub use holm::holm;
pub use interval::{Interval, Method};
pub use mcnemar::mcnemar;
pub use mean_interval::{Spread, interval_of_mean, t_interval, t_lower, t_upper};
pub(crate) use moments::whole;
pub use moments::{mean, stddev};
pub use pass_at::{pass_at_k, pass_hat_k};
pub use permutation::{SignFlip, sign_flip_test};
pub use poisson_binomial::poisson_binomial_tail;
pub use power::{mean_cases_needed, mean_detectable, mean_power};
pub use proportion_power::{proportion_cases_needed, proportion_detectable, proportion_power};
pub use quantile::{median, quantile, quantile_interval};
pub(crate) use shrinkage::{GroupEffect, GroupEffects, group_effects};
pub use wilson::{wilson, wilson_lower, wilson_upper};

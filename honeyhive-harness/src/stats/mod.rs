//! Computes the statistics behind summaries and gates, by pure functions of numbers.
//!
//! A suite's mean is an estimate from a sample of cases, so it is never shown without the range it could
//! plausibly have come from. The range depends on the data:
//!
//! | data | range |
//! |---|---|
//! | every value 0 or 1 | Wilson's score interval ([`wilson_lower`] is one end of it) |
//! | other scores | Student's t |
//! | a quantile, such as the 95th percentile of a latency | two order statistics |
//! | any other statistic | percentile bootstrap |
//! | scores of cases that belong together | cluster-robust standard error |
//!
//! Two runs of the same cases are compared in pairs, and the answer is a p-value: how often chance
//! alone would look like this.
//!
//! | question | test |
//! |---|---|
//! | did the mean change? | paired sign-flip permutation |
//! | did more hits become misses than misses hits? | `McNemar`'s, exact: [`mcnemar`] |
//! | the same, of runs with different numbers of attempts | permutation of attempts: [`dealing_test`] |
//! | did more cases collapse than chance explains? | the tail of [`poisson_binomial_tail`] |
//! | which of several p-values are findings? | Holm's correction |
//!
//! [`mean_detectable`] tells before a run what a suite of some size can notice at all. This page has the
//! functions with which the figures of [`how_gates_decide`](crate::how_gates_decide) can be checked; the
//! others are not part of the public surface.
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
pub(crate) mod bootstrap;
mod bounded;
pub(crate) mod cluster;
#[cfg(feature = "cli")]
mod cusum;
mod dealing;
pub(crate) mod distribution;
mod exchange;
pub(crate) mod holm;
mod interval;
mod mcnemar;
pub(crate) mod mean_interval;
pub(crate) mod moments;
mod noncentral_t;
pub(crate) mod pass_at;
pub(crate) mod permutation;
mod poisson_binomial;
pub(crate) mod power;
pub(crate) mod proportion_power;
pub(crate) mod quantile;
mod shrinkage;
pub(crate) mod wilson;

pub use alternative::Alternative;
pub(crate) use bootstrap::{SplitMix64, bootstrap_interval};
pub(crate) use bounded::BoundedMean;
pub(crate) use cluster::{clustered_interval, clustered_mean};
#[cfg(feature = "cli")]
pub(crate) use cusum::{LIMIT as DRIFT_LIMIT, Loss, SLACK as DRIFT_SLACK, cusum, drift_since};
pub use dealing::{Dealt, dealing_test};
pub(crate) use distribution::{normal_cdf, normal_quantile, student_t_quantile};
pub(crate) use exchange::{Combine, Exchanges, Way, deals};
pub(crate) use holm::holm;
pub use interval::{Interval, Method};
pub use mcnemar::mcnemar;
pub(crate) use mean_interval::{Spread, interval_of_mean, t_interval};
pub(crate) use moments::{mean, stddev, whole};
pub(crate) use pass_at::{pass_at_k, pass_hat_k};
pub(crate) use permutation::sign_flip_test;
pub use poisson_binomial::poisson_binomial_tail;
pub use power::mean_detectable;
pub(crate) use quantile::{quantile, quantile_interval};
pub(crate) use shrinkage::{GroupEffect, GroupEffects, group_effects};
pub use wilson::wilson_lower;

//! Finds slow losses over many runs, each too small to be seen alone.
//!
//! A cumulative sum (Page 1954): what each run lost, in standard deviations of a run and less a
//! slack, is added up and never falls below 0. Chance leads it back to 0; a loss that stays does
//! not.

/// The slack that is taken off each loss, in standard deviations: half of the loss that is looked for.
pub(crate) const SLACK: f64 = 0.5;

/// The sum beyond which there is drift.
pub(crate) const LIMIT: f64 = 4.0;

/// The number of runs that are averaged with the reference, which is itself a measurement with an
/// error; later ones are only compared with that mean.
const CENTRED_BY: usize = 20;

/// The most that one run counts for, in standard deviations: one bad run is not a drift.
const MOST: f64 = 3.0;

/// The difference up to which two numbers differ by rounding alone.
const ROUNDING: f64 = 1e-12;

/// The loss of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    /// The loss: by how much the run is worse than the reference.
    pub(crate) loss: f64,
    /// The variance of the loss by chance alone, without the error of the reference.
    pub(crate) variance: f64,
}

/// Returns the sum after each run, the oldest first. `reference` is the variance of what the losses are
/// counted from.
///
/// Each loss is taken against the mean of the reference and the runs before (at most 20), and
/// divided by the standard deviation of that difference. So the losses of runs that do not differ
/// scatter about 0 with a standard deviation of 1, independently of each other, however badly the
/// reference was measured.
pub(crate) fn cusum(reference: f64, runs: &[Loss]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(runs.len());
    let (mut level, mut variance, mut sum) = (0.0_f64, reference, 0.0_f64);
    for (at, run) in runs.iter().enumerate() {
        let error = (run.variance + variance).sqrt();
        let difference = run.loss - level;
        let z = if difference.abs() <= ROUNDING {
            0.0
        } else {
            // Without any variance, a difference is more than chance.
            (difference / error).clamp(-MOST, MOST)
        };
        sum = (sum + z - SLACK).max(0.0);
        sums.push(sum);
        let both = run.variance + variance;
        if at < CENTRED_BY && both > 0.0 {
            level += z * error * variance / both;
            variance *= run.variance / both;
        }
    }
    sums
}

/// Returns the run in which the sum left 0 for the last time, where it is beyond the limit now.
pub(crate) fn drift_since(sums: &[f64]) -> Option<usize> {
    let beyond = sums.last().is_some_and(|sum| *sum > LIMIT);
    beyond.then(|| sums.iter().rposition(|sum| *sum <= 0.0).map_or(0, |at| at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reference: f64, losses: &[f64]) -> Vec<f64> {
        let run = |loss: &f64| Loss { loss: *loss, variance: 1.0 };
        cusum(reference, &losses.iter().map(run).collect::<Vec<_>>())
    }

    // NumPy: `w, s, c = 1/reference, 0.0, 0.0`, and for each x
    // `z = (x - s/w) / sqrt(1 + 1/w); c = max(0, c + z - 0.5); s += x; w += 1`.
    #[test]
    #[expect(clippy::unreadable_literal, reason = "digits as NumPy prints them")]
    fn matches_numpy() {
        let got = of(0.5, &[0.4, 1.1, -0.6, 2.0, 1.7, 0.2]);
        let want = [
            0.0,
            0.33715789032495747,
            0.0,
            1.161425091099004,
            1.787839545822275,
            0.860221558762396,
        ];
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        }
    }

    #[test]
    fn a_loss_that_stays_is_found_and_the_run_it_began_with_is_named() {
        let mut losses = vec![0.0; 25];
        losses.extend([1.5; 6]);
        let sums = of(1.0, &losses);
        assert_eq!(drift_since(&sums), Some(25), "{sums:?}");
        // The loss was repaired: the sum falls again.
        losses.extend([0.0; 12]);
        assert_eq!(drift_since(&of(1.0, &losses)), None);
    }

    #[test]
    fn one_bad_day_is_no_drift_and_gains_are_not_saved_up() {
        let mut losses = vec![0.0; 10];
        losses.push(1e9);
        assert_eq!(drift_since(&of(1.0, &losses)), None);
        let sums = of(1.0, &[-2.0; 30]);
        assert!(sums.iter().all(|sum| *sum <= 0.0), "{sums:?}");
    }

    #[test]
    fn without_variance_any_loss_is_one() {
        let still = Loss { loss: 0.0, variance: 0.0 };
        assert_eq!(cusum(0.0, &[still; 3]), [0.0; 3]);
        let lost = Loss { loss: 0.1, variance: 0.0 };
        assert_eq!(drift_since(&cusum(0.0, &[still, lost, lost])), Some(1));
        assert_eq!((cusum(0.0, &[]), drift_since(&[])), (Vec::new(), None));
    }
}

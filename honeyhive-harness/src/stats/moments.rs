//! Computes the mean and the standard deviation.

/// Returns the arithmetic mean, in the unit of the values; `None` for an empty slice.
///
/// The sum is compensated (Neumaier 1974), so that the order of the cases does not change the last
/// digits, and 9 hits out of 10 are the same `0.9` that a gate's limit is written with. The result
/// never leaves the range of the values.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mut mean = compensated_sum(values) / n;
    if !mean.is_finite() {
        // The sum left the range of f64, which the mean of finite values cannot do.
        mean = values.iter().map(|value| value / n).sum();
    }
    if mean.is_nan() {
        return Some(mean);
    }
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(mean.clamp(low, high))
}

/// Returns the sample standard deviation (divisor `n - 1`), in the unit of the values; `None` below
/// two values, because one value says nothing about spread.
///
/// The value is computed in one pass by Welford's recurrence (1962): no cancellation when the mean is
/// large beside the spread, and exactly 0 when all values are equal.
pub fn stddev(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mut mean = 0.0;
    let mut squares = 0.0;
    for (seen, value) in values.iter().enumerate() {
        let step = value - mean;
        mean += step / (seen + 1) as f64;
        squares += step * (value - mean);
    }
    Some((squares / (values.len() - 1) as f64).sqrt())
}

fn compensated_sum(values: &[f64]) -> f64 {
    let mut sum = 0.0_f64;
    let mut lost = 0.0;
    for &value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}

/// Rounds a computed count up to a whole number: 0 for negative values and NaN, the largest count
/// for values that are too large.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative and too large values end at the ends of the range"
)]
pub(crate) fn whole(value: f64) -> usize {
    value.ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_values() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[3.5]), Some(3.5));
        assert_eq!(stddev(&[]), None);
        assert_eq!(stddev(&[3.5]), None);
    }

    #[test]
    fn means_are_the_fractions_people_write() {
        for n in 1_u32..=200 {
            for hits in 0..=n {
                let values: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i < hits))).collect();
                assert_eq!(mean(&values), Some(f64::from(hits) / f64::from(n)));
            }
        }
    }

    #[test]
    fn equal_values_have_that_mean_and_no_spread() {
        for n in 2..100 {
            for value in [0.1, 0.7, 1.0 / 3.0, -2.3, 1e300, 1e-300] {
                let values = vec![value; n];
                assert_eq!(mean(&values), Some(value), "{n} times {value}");
                assert_eq!(stddev(&values), Some(0.0), "{n} times {value}");
            }
        }
    }

    #[test]
    fn order_and_cancellation_do_not_matter() {
        assert_eq!(mean(&[1.0, 1e100, 1.0, -1e100]), Some(0.5));
        assert_eq!(mean(&vec![1e-3; 100_000]), Some(1e-3));
        assert_eq!(mean(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }

    #[test]
    fn a_large_offset_keeps_the_spread() {
        // numpy.std([4, 7, 13, 16], ddof=1) = 5.477225575051661
        for offset in [0.0, 1e3, 1e6, 1e9] {
            let values = [4.0, 7.0, 13.0, 16.0].map(|value| value + offset);
            let spread = stddev(&values).expect("four values");
            assert!((spread - 5.477_225_575_051_661).abs() < 1e-7, "{spread} at {offset}");
        }
    }

    #[test]
    fn nan_stays_visible() {
        assert!(mean(&[1.0, f64::NAN]).is_some_and(f64::is_nan));
        assert!(stddev(&[1.0, f64::NAN]).is_some_and(f64::is_nan));
    }
}

//! Computes probabilities of the number of events that happen, where each has a probability of its
//! own.

/// Returns the probability that at least `hits` of independent events happen, from the probability
/// of each.
///
/// The result is the exact upper tail of the Poisson binomial distribution, computed by adding one event
/// after the other. The cost is the number of events times `hits`. The result is 1 for no hits, and
/// 0 for more than there are events.
///
/// ```
/// use honeyhive_harness::stats::poisson_binomial_tail;
///
/// assert_eq!(poisson_binomial_tail(&[0.5, 0.25], 1), 1.0 - 0.5 * 0.75);
/// assert_eq!(poisson_binomial_tail(&[0.5, 0.25], 2), 0.125);
/// ```
pub fn poisson_binomial_tail(probabilities: &[f64], hits: usize) -> f64 {
    if hits > probabilities.len() {
        return 0.0;
    }
    // `below` has the probability of each number of hits below `hits` so far; `enough` is that of
    // the rest.
    let (mut below, mut enough) = (vec![0.0; hits], f64::from(u8::from(hits == 0)));
    if let Some(none) = below.first_mut() {
        *none = 1.0;
    }
    for p in probabilities {
        let Some(last) = below.last() else { break };
        enough += last * p;
        for at in (0..hits).rev() {
            let one_less = if at == 0 { 0.0 } else { below[at - 1] };
            below[at] = below[at] * (1.0 - p) + one_less * p;
        }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::poisson_binomial_tail as tail;

    #[test]
    fn with_equal_coins_it_is_binomial() {
        // [scipy.stats.binom.sf(k - 1, 12, 0.3) for k in (0, 1, 4, 7, 12)]
        for (hits, want) in [
            (0, 1.0),
            (1, 0.986_158_712_799),
            (4, 0.507_484_226_564_999_7),
            (7, 0.038_600_843_057_999_976),
            (12, 5.314_409_999_999_998e-7),
        ] {
            let got = tail(&[0.3; 12], hits);
            assert!((got - want).abs() < 1e-14, "{hits}: {got} is not {want}");
        }
    }

    #[test]
    fn every_way_is_counted_once() {
        let ps = [0.1, 0.9, 0.35, 0.5, 0.77];
        for hits in 0..=6_usize {
            let mut want = 0.0;
            for ways in 0_u32..1 << ps.len() {
                if ways.count_ones() as usize >= hits {
                    let each = ps.iter().enumerate();
                    want += each
                        .map(|(at, p)| if ways >> at & 1 == 1 { *p } else { 1.0 - p })
                        .product::<f64>();
                }
            }
            assert!((tail(&ps, hits) - want).abs() < 1e-12, "{hits}");
        }
    }
}

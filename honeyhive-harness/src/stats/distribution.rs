//! Computes probabilities and quantiles of the normal distribution and Student's t.

use std::f64::consts::TAU;

use super::beta::{incomplete_beta, leading_factor};

/// The probabilities of a distribution symmetric around 0 inside and outside of `±t`.
struct Split {
    /// The probability between `-t` and `t`.
    inside: f64,
    /// The probability beyond: `1 - inside`, but exact where that is small.
    outside: f64,
    /// The growth of `inside` per unit of `ln t`.
    slope: f64,
}

/// Returns the probability that a standard normal variable is at most `z`.
///
/// Relative error is below 1e-12 in both tails, until the result underflows at about `z = -38`.
pub fn normal_cdf(z: f64) -> f64 {
    one_sided(z, split_normal)
}

/// Returns the `z` with `normal_cdf(z) = p`, for example 1.959964 at 0.975.
///
/// The result is infinite at `p` = 0 and 1, NaN outside of that. Relative error is below 1e-12.
pub fn normal_quantile(p: f64) -> f64 {
    invert(p, split_normal)
}

/// Returns the probability that Student's t with `df` degrees of freedom is at most `t`.
///
/// `df` is positive and need not be whole; infinity means the normal distribution, and anything
/// else gives NaN.
pub fn student_t_cdf(t: f64, df: f64) -> f64 {
    if df == f64::INFINITY {
        normal_cdf(t)
    } else if df > 0.0 {
        one_sided(t, |t| split_student_t(t, df))
    } else {
        f64::NAN
    }
}

/// Returns the `t` with `student_t_cdf(t, df) = p`, for example 2.262157 at 0.975 and 9 degrees of
/// freedom.
///
/// The result is infinite at `p` = 0 and 1; NaN for a `p` outside of that and for a `df` below 1
/// (where tails are too heavy for the range of `f64`). `df` need not be whole; infinity means the
/// normal distribution. Relative error is below 1e-12 for `df` up to 1e6 and `p` down to 1e-100.
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    if df == f64::INFINITY {
        normal_quantile(p)
    } else if df >= 1.0 {
        invert(p, |t| split_student_t(t, df))
    } else {
        f64::NAN
    }
}

fn split_normal(z: f64) -> Split {
    let density = (-0.5 * z * z).exp() / TAU.sqrt();
    let slope = 2.0 * density * z;
    if z < 2.5 {
        // The series 2 φ(z) (z + z^3/3 + z^5/(3·5) + ..) has only positive terms (Marsaglia 2004).
        let mut term = z;
        let mut sum = z;
        let mut odd = 1.0;
        while term > sum * f64::EPSILON / 4.0 {
            odd += 2.0;
            term *= z * z / odd;
            sum += term;
        }
        let inside = 2.0 * density * sum;
        Split { inside, outside: 1.0 - inside, slope }
    } else {
        // Laplace's continued fraction; 120 levels are enough at 2.5 and more than enough above.
        let mills = (1..=120_u32).rev().fold(z, |below, level| z + f64::from(level) / below);
        let outside = 2.0 * density / mills;
        Split { inside: 1.0 - outside, outside, slope }
    }
}

fn split_student_t(t: f64, df: f64) -> Split {
    let square = t * (t / df);
    let (y, x) = ((1.0 + square.recip()).recip(), (1.0 + square).recip());
    let (inside, outside) = incomplete_beta(0.5, df / 2.0, y, x);
    Split { inside, outside, slope: 2.0 * leading_factor(0.5, df / 2.0, y, x) }
}

fn one_sided(t: f64, split: impl Fn(f64) -> Split) -> f64 {
    if t.is_nan() {
        return f64::NAN;
    }
    if t.is_infinite() {
        return if t > 0.0 { 1.0 } else { 0.0 };
    }
    let beyond = split(t.abs()).outside / 2.0;
    if t < 0.0 { beyond } else { 1.0 - beyond }
}

/// Solves for the quantile by Newton steps on logarithms, inside a bracket that only shrinks.
///
/// Near 0 the probability inside is proportional to `t`, and a heavy tail is a power of `t`: on
/// logarithms both are nearly straight lines. Where they are not (the normal tail), a step that
/// leaves the bracket is replaced by halving it.
fn invert(p: f64, split: impl Fn(f64) -> Split) -> f64 {
    const MOST_STEPS: u32 = 200;
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let outside = 2.0 * p.min(1.0 - p);
    let inside = 2.0 * (p - 0.5).abs();
    if inside == 0.0 {
        return 0.0;
    }
    let sign = if p < 0.5 { -1.0 } else { 1.0 };
    if outside == 0.0 {
        return sign * f64::INFINITY;
    }
    // exp(±350) is beyond any quantile, and its square is still a finite number.
    let (mut low, mut high) = (-350.0_f64, 350.0_f64);
    let mut at = 0.0_f64;
    for _ in 0..MOST_STEPS {
        let here = split(at.exp());
        // Both probabilities rise with t. The smaller side is the one known to full relative
        // precision.
        let (excess, slope) = if inside < outside {
            ((here.inside / inside).ln(), here.slope / here.inside)
        } else {
            ((outside / here.outside).ln(), here.slope / here.outside)
        };
        if excess > 0.0 {
            high = at;
        } else {
            low = at;
        }
        let newton = at - excess / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let step = (next - at).abs();
        at = next;
        if step <= 2.0 * f64::EPSILON * at.abs().max(1.0) {
            break;
        }
    }
    sign * at.exp()
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    /// Asserts equality within a relative 1e-11: the reference is not always better than that.
    fn assert_close(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() <= 1e-11 * want.abs(), "{what}: {got} is not {want}");
    }

    #[test]
    fn normal_matches_scipy() {
        // scipy.stats.norm.ppf(LEVELS)
        let quantiles = [
            -4.753424308822899,
            -3.090232306167813,
            -1.2815515655446004,
            -0.2533471031357997,
            0.6744897501960817,
            1.959963984540054,
            2.5758293035489004,
            4.753424308817087,
        ];
        for (p, want) in LEVELS.into_iter().zip(quantiles) {
            assert_close(normal_quantile(p), want, "quantile");
        }
        // scipy.stats.norm.cdf(z)
        for (z, want) in [
            (-20.0, 2.7536241186061556e-89),
            (-5.0, 2.866515718791933e-07),
            (-2.5, 0.006209665325776132),
            (-1.0, 0.15865525393145707),
            (0.5, 0.6914624612740131),
            (2.0, 0.9772498680518208),
            (3.0, 0.9986501019683699),
        ] {
            assert_close(normal_cdf(z), want, "probability");
        }
    }

    const LEVELS: [f64; 8] = [1e-6, 1e-3, 0.1, 0.4, 0.75, 0.975, 0.995, 1.0 - 1e-6];

    // [scipy.stats.t.ppf(LEVELS, df) for df in (1, 2, 3.5, 5, 9, 10, 30, 100, 999, 1e4, 1e6)]
    #[rustfmt::skip]
    const STUDENT_T: [(f64, [f64; 8]); 11] = [
        (1.0, [-318309.8861827435, -318.30883898555044, -3.0776835371752536, -0.32491969623290634, 1.0000000000000002, 12.706204736174694, 63.656741162871526, 318309.88617359026]),
        (2.0, [-707.1057205259339, -22.327124770119873, -1.8856180831641267, -0.2886751345948128, 0.8164965809277261, 4.302652729749462, 9.924843200918287, 707.1057205157672]),
        (3.5, [-61.04512120772062, -8.315567604516117, -1.576576605136405, -0.27326545405577973, 0.7509370293940778, 2.9400886379827282, 5.085702223091256, 61.045121207218685]),
        (5.0, [-24.771029720515948, -5.893429531356009, -1.4758840488244813, -0.2671808657041451, 0.7266868438004226, 2.5705818356363146, 4.032142983555228, 24.771029720372493]),
        (9.0, [-10.7201604099095, -4.296805662729919, -1.3830287383966327, -0.260955336473911, 0.7027221467513264, 2.262157162798205, 3.249835541592126, 10.720160409872824]),
        (10.0, [-9.751995490940581, -4.143700494046589, -1.3721836411103359, -0.2601848294920803, 0.6998120613124317, 2.228138851986274, 3.16927267261695, 9.751995490909856]),
        (30.0, [-5.871117120418882, -3.385184866829305, -1.3104150253913955, -0.2556053649519128, 0.6827556933212927, 2.0422724563012378, 2.7499956535672254, 5.871117120408624]),
        (100.0, [-5.048830877228346, -3.173739493738783, -1.290074761346516, -0.25402218245822766, 0.6769510430114717, 1.9839715185235518, 2.6258905214380173, 5.048830877221446]),
        (999.0, [-4.781636978830079, -3.0984103617533125, -1.2823995700373971, -0.2534145833303675, 0.6747354103467192, 1.9623414611334493, 2.5807596372676365, 4.781636978824167]),
        (1e4, [-4.75622968505678, -3.091047516030612, -1.2816362297304775, -0.253353843445727, 0.6745142844835927, 1.960201239890626, 2.5763210466685282, 4.756229685050958]),
        (1e6, [-4.75345234827968, -3.09024045631652, -1.2815524121299389, -0.25334717053784184, 0.6744899955310875, 1.959966356814107, 2.5758342201053344, 4.7534523482738695]),
    ];

    // [scipy.stats.t.cdf([-50, -3, -0.1, 1, 3], df) for df in (1, 4, 30, 1e6)]
    #[rustfmt::skip]
    const STUDENT_T_CDF: [(f64, [f64; 5]); 4] = [
        (1.0, [0.006365349100972797, 0.10241638234956672, 0.4682744825694465, 0.75, 0.8975836176504333]),
        (4.0, [4.787226828484845e-07, 0.019970984035859413, 0.4625779204697266, 0.8130495168499705, 0.9800290159641406]),
        (30.0, [9.357708829611355e-31, 0.0026949820328259727, 0.4605048058951356, 0.8373456922869849, 0.9973050179671741]),
        (1e6, [0.0, 0.0013499312707109, 0.4601721727460216, 0.8413446250832108, 0.9986500687292891]),
    ];

    #[test]
    fn student_t_quantiles_match_scipy() {
        for (df, row) in STUDENT_T {
            for (p, want) in LEVELS.into_iter().zip(row) {
                assert_close(student_t_quantile(p, df), want, &format!("{p} at {df}"));
            }
        }
    }

    #[test]
    fn student_t_probabilities_match_scipy() {
        for (df, row) in STUDENT_T_CDF {
            for (t, want) in [-50.0, -3.0, -0.1, 1.0, 3.0].into_iter().zip(row) {
                assert_close(student_t_cdf(t, df), want, &format!("{t} at {df}"));
            }
        }
    }

    #[test]
    fn quantile_and_probability_undo_each_other() {
        for df in [1.0, 1.5, 2.0, 7.0, 29.0, 250.0, 1e4, 1e6, f64::INFINITY] {
            let mut last = f64::NEG_INFINITY;
            for step in 1..1000 {
                let p = f64::from(step) / 1000.0;
                let t = student_t_quantile(p, df);
                assert!(t > last, "{p} at {df}");
                assert!((student_t_cdf(t, df) - p).abs() < 1e-13, "{p} at {df}");
                assert!(
                    (t + student_t_quantile(1.0 - p, df)).abs() < 1e-11 * (1.0 + t.abs()),
                    "{p} at {df}"
                );
                last = t;
            }
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "exact by definition")]
    fn edges() {
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(student_t_quantile(1.0, 3.0), f64::INFINITY);
        assert_eq!(student_t_quantile(0.975, f64::INFINITY), normal_quantile(0.975));
        assert_eq!(normal_cdf(f64::NEG_INFINITY), 0.0);
        assert_eq!(student_t_cdf(f64::INFINITY, 3.0), 1.0);
        assert_eq!(normal_cdf(0.0), 0.5);
        for nan in [
            normal_quantile(-0.1),
            normal_quantile(f64::NAN),
            student_t_quantile(0.5, 0.5),
            student_t_quantile(0.5, f64::NAN),
            normal_cdf(f64::NAN),
            student_t_cdf(1.0, 0.0),
            student_t_cdf(f64::NAN, 3.0),
        ] {
            assert!(nan.is_nan());
        }
    }
}

//! Exchange tests: compares two runs with all runs that an exchange of their results could give.

use std::collections::{BTreeMap, BTreeSet};

use super::comparison::ScoreComparison;
use super::pairs::{AttemptCounts, Both, Paired, Unit, share};
use crate::stats::{self, Combine, Exchanges, Way, deals};

/// The number of random exchanges where there are too many to count.
const DRAWS: usize = 10_000;

/// The seed of those draws, fixed so that a repeated test gives the same p.
const SEED: u64 = 0;

/// The number of draws times cases that a test may cost. A test of more cases draws less often, but
/// never less than [`FEWEST_DRAWS`].
const BUDGET: usize = 20_000_000;
const FEWEST_DRAWS: usize = 2000;

/// The p of [`Tests::together`] at or below which a finding is doubtful: attempts of one run may go
/// together. It is higher than an error probability, since it only turns a failure into a doubt: at
/// 0.05 twice as many runs without a change are red (`gate::simulation`).
pub(crate) const TOGETHER: f64 = 0.2;

/// The p above which no rule fails, so that nothing is doubtful.
const DOUBTFUL: f64 = 0.5;

/// The question that a rule asks about two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Asks whether the mean fell.
    Loss = 0,
    /// Asks whether more cases that always held never hold now than chance explains.
    Collapses = 1,
    /// Asks whether any single case lost more than chance explains.
    Deepest = 2,
}

/// The number of statistics of an exchange: one per question, and how much cases rose.
const STATISTICS: usize = 4;
const RISES: usize = 3;
const COMBINE: [Combine; STATISTICS] = [Combine::Sum, Combine::Sum, Combine::Max, Combine::Sum];

type Statistics = [f64; STATISTICS];

/// The answers to the questions about an evaluator.
#[derive(Clone, Debug)]
pub(crate) struct Tests {
    /// The p of each question, as if it had been asked alone.
    pub(crate) alone: Vec<f64>,
    /// The p of each question, corrected for the other questions.
    pub(crate) p: Vec<f64>,
    /// The p of each question that holds whatever attempts of one run have in common, since it
    /// exchanges all results of a case at once. Equal to `p` where no finding can be doubtful.
    pub(crate) robust: Vec<f64>,
    /// The least p of each question that any result of the later run could have.
    pub(crate) least: Vec<f64>,
    /// The probability that chance alone would raise as many cases as far, if attempts were
    /// independent; 1 where no finding can be doubtful.
    pub(crate) together: f64,
}

/// Answers questions about the same pairs jointly.
pub(crate) fn answer(paired: &Paired, compared: &ScoreComparison, asked: &[Question]) -> Tests {
    let clustered = paired.is_clustered();
    let observed = observed(paired);
    // A comparison of means alone needs no exchange of its own.
    let attempts = if asked == [Question::Loss] { None } else { by_attempts(paired) };
    let alone = |question: Question| match question {
        Question::Loss => compared.p_worse,
        Question::Collapses if !clustered => {
            let collapsed = stats::whole(observed[Question::Collapses as usize]);
            stats::poisson_binomial_tail(&chances(paired), collapsed)
        }
        other => in_clusters_or_attempts(paired, attempts.as_ref(), other, &observed),
    };
    let which: Vec<usize> = asked.iter().map(|question| *question as usize).collect();
    // The mean of numbers with a threshold does not follow from the counts that are dealt.
    let one_exchange = paired.are_shares() || !asked.contains(&Question::Loss);
    let p = match (&attempts, asked) {
        (_, [one]) => vec![alone(*one)],
        (_, _) if clustered => {
            let mut p = by_units(paired).jointly(&which, observed);
            if paired.is_uneven() {
                for (p, question) in p.iter_mut().zip(asked) {
                    *p = p.max(alone(*question));
                }
            }
            p
        }
        (Some(attempts), _) if one_exchange => attempts.jointly(&which, observed),
        (Some(_) | None, _) => {
            stats::holm(&asked.iter().map(|one| alone(*one)).collect::<Vec<_>>())
        }
    };
    let jointly = asked.len() > 1 && attempts.is_some() && one_exchange;
    let least = asked.iter().map(|question| least(paired, *question, jointly)).collect();
    // Only a finding can be doubtful because attempts of one run go together.
    let doubtful = attempts.as_ref().filter(|_| !clustered && p.iter().any(|p| *p <= DOUBTFUL));
    let (robust, together) = match doubtful {
        Some(attempts) => {
            let units = by_units(paired);
            let robust = which.iter().map(|at| units.tail(*at, observed[*at])).collect();
            (robust, attempts.tail(RISES, observed[RISES]))
        }
        None => (p.clone(), 1.0),
    };
    let alone = asked.iter().map(|question| alone(*question)).collect();
    Tests { alone, p, robust, least, together }
}

/// Returns the p of one question. It is that of clusters where there are some and, where runs
/// differ in their attempts, not below that of dealing the attempts.
fn in_clusters_or_attempts(
    paired: &Paired,
    attempts: Option<&Exchanges<STATISTICS>>,
    question: Question,
    observed: &Statistics,
) -> f64 {
    let at = question as usize;
    let of_attempts = || attempts.map_or(1.0, |attempts| attempts.tail(at, observed[at]));
    if !paired.is_clustered() {
        return of_attempts();
    }
    let p = by_units(paired).tail(at, observed[at]);
    if paired.is_uneven() { p.max(of_attempts()) } else { p }
}

/// Returns the one-sided p-values that the mean fell, and that it rose, by dealing the attempts
/// anew; `None` where scores do not follow from counts.
pub(super) fn mean_by_attempts(paired: &Paired) -> Option<(f64, f64)> {
    if !paired.are_shares() {
        return None;
    }
    let units: Vec<Vec<Way<2>>> = paired
        .pairs
        .iter()
        .filter_map(|pair| {
            let ways = ways(pair, paired)?;
            let one = |way: &Way<STATISTICS>| {
                let loss = way.statistics[Question::Loss as usize];
                Way { p: way.p, statistics: [loss, -loss] }
            };
            Some(ways.iter().map(one).collect())
        })
        .collect();
    let dealt = Exchanges::new(&units, [Combine::Sum; 2], SEED, draws(units.len()));
    let loss: f64 = paired.pairs.iter().map(|pair| -pair.gain).sum();
    Some((dealt.tail(0, loss), dealt.tail(1, -loss)))
}

fn draws(units: usize) -> usize {
    (BUDGET / units.max(1)).clamp(FEWEST_DRAWS, DRAWS)
}

/// Deals the attempts of every case anew; returns `None` where some case has no counts.
fn by_attempts(paired: &Paired) -> Option<Exchanges<STATISTICS>> {
    let units: Option<Vec<_>> = paired.pairs.iter().map(|pair| ways(pair, paired)).collect();
    let units = units?;
    Some(Exchanges::new(&units, COMBINE, SEED, draws(units.len())))
}

/// Returns all ways of dealing the attempts of a case; `None` where it has no counts. The statistic
/// of the mean is right only where the score follows from the counts.
fn ways(pair: &Both, paired: &Paired) -> Option<Vec<Way<STATISTICS>>> {
    let AttemptCounts { good: (then, now), attempts } = pair.counts?;
    let total = then + now;
    let dealt = deals(total, attempts);
    let mut below = 0.0;
    let ways = dealt.into_iter().map(|(now, p)| {
        below += p;
        let counts = AttemptCounts { good: (total - now, now), attempts };
        let share = |good, own, other| share(paired.reduce, good, own, other).unwrap_or_default();
        let before = share(counts.good.0, attempts.0, attempts.1);
        let after = share(counts.good.1, attempts.1, attempts.0);
        Way { p, statistics: statistics(before - after, counts, below) }
    });
    Some(ways.collect())
}

/// Returns the statistics of a case; `below` is the probability of so few good attempts, or fewer,
/// in the later run.
fn statistics(loss: f64, counts: AttemptCounts, below: f64) -> Statistics {
    let AttemptCounts { good, attempts } = counts;
    let collapse = good.0 == attempts.0 && good.1 == 0;
    let rise =
        f64::from(good.1) / f64::from(attempts.1) - f64::from(good.0) / f64::from(attempts.0);
    [loss, f64::from(u8::from(collapse)), -below.max(1e-300).ln(), rise.max(0.0).powi(2)]
}

/// Returns the probability of so few good attempts, or fewer, in the later run of a case.
pub(crate) fn p_of_case(counts: AttemptCounts) -> f64 {
    let all = deals(counts.good.0 + counts.good.1, counts.attempts);
    all.into_iter().filter(|(now, _)| *now <= counts.good.1).map(|(_, p)| p).sum()
}

/// Returns the statistics of a case with its results as they were.
fn observed_of(pair: &Both) -> Statistics {
    match pair.counts {
        Some(counts) => statistics(-pair.gain, counts, p_of_case(counts)),
        None => [-pair.gain, 0.0, 0.0, 0.0],
    }
}

/// Returns the statistics of a case with the results of both runs swapped.
fn swapped_of(pair: &Both) -> Statistics {
    match pair.counts {
        Some(AttemptCounts { good, attempts }) => {
            let counts =
                AttemptCounts { good: (good.1, good.0), attempts: (attempts.1, attempts.0) };
            statistics(pair.gain, counts, p_of_case(counts))
        }
        None => [pair.gain, 0.0, 0.0, 0.0],
    }
}

fn fold(all: impl Iterator<Item = Statistics>) -> Statistics {
    let start = COMBINE.map(|how| if how == Combine::Sum { 0.0 } else { f64::NEG_INFINITY });
    all.fold(start, |mut total, one| {
        for ((total, one), how) in total.iter_mut().zip(one).zip(COMBINE) {
            *total = if how == Combine::Sum { *total + one } else { total.max(one) };
        }
        total
    })
}

fn observed(paired: &Paired) -> Statistics {
    fold(paired.pairs.iter().map(observed_of))
}

/// Builds the exchanges that swap all results of a cluster at once, or those of a case without one.
fn by_units(paired: &Paired) -> Exchanges<STATISTICS> {
    let mut units: BTreeMap<Unit<'_>, Vec<&Both>> = BTreeMap::new();
    for pair in &paired.pairs {
        units.entry(pair.unit()).or_default().push(pair);
    }
    let ways: Vec<Vec<Way<STATISTICS>>> = units
        .into_values()
        .map(|pairs| {
            let way = |of: fn(&Both) -> Statistics| {
                let all = pairs.iter().copied().map(of);
                Way { p: 0.5, statistics: fold(all) }
            };
            vec![way(observed_of), way(swapped_of)]
        })
        .collect();
    Exchanges::new(&ways, COMBINE, SEED, draws(ways.len()))
}

/// Returns the chance of each case to collapse, given how many of its attempts were good in both
/// runs. Cases whose number of good attempts rules out a collapse are left out.
pub(crate) fn chances(paired: &Paired) -> Vec<f64> {
    let counts = paired.pairs.iter().filter_map(|pair| pair.counts);
    counts
        .filter(|counts| counts.good.0 + counts.good.1 == counts.attempts.0)
        .map(|counts| chance_to_collapse(counts.attempts))
        .collect()
}

/// Returns those of [`chances`] whose cases did not hold in every attempt of the baseline, so that
/// they cannot have collapsed.
pub(crate) fn chances_to_flicker(paired: &Paired) -> Vec<f64> {
    let counts = paired.pairs.iter().filter_map(|pair| pair.counts);
    counts
        .filter(|counts| counts.good.0 < counts.attempts.0)
        .filter(|counts| counts.good.0 + counts.good.1 == counts.attempts.0)
        .map(|counts| chance_to_collapse(counts.attempts))
        .collect()
}

/// Returns the probability that all good attempts are those of the baseline, and all others are
/// bad.
pub(crate) fn chance_to_collapse(attempts: (u32, u32)) -> f64 {
    // An infinite number stays infinite, so the loop ends here, however many attempts a file may
    // name.
    let all = f64::from(attempts.0) + f64::from(attempts.1);
    let mut ways = 1.0_f64;
    for i in (0..attempts.0.min(attempts.1)).map(f64::from) {
        ways *= (all - i) / (i + 1.0);
        if ways.is_infinite() {
            break;
        }
    }
    1.0 / ways
}

/// Returns the number of units that could still get worse: clusters, or cases where there are none.
pub(crate) fn units_that_can_fall(paired: &Paired, question: Question) -> usize {
    let can = |pair: &&Both| match question {
        Question::Loss => !pair.at_worst,
        Question::Collapses => pair.counts.is_some_and(|counts| counts.good.0 == counts.attempts.0),
        Question::Deepest => pair.counts.is_some_and(|counts| counts.good.0 > 0),
    };
    let able = paired.pairs.iter().filter(can);
    able.map(Both::unit).collect::<BTreeSet<_>>().len()
}

/// Returns the least p that any later run could have had.
pub(crate) fn least(paired: &Paired, question: Question, by_dealing: bool) -> f64 {
    let of_units =
        || 0.5_f64.powi(i32::try_from(units_that_can_fall(paired, question)).unwrap_or(i32::MAX));
    if paired.is_clustered() {
        // Where every cluster falls as deep, some cluster does in nearly every exchange.
        return if question == Question::Deepest { 1.0 } else { of_units() };
    }
    let counts = || paired.pairs.iter().filter_map(|pair| pair.counts);
    // The p of a case of which every attempt fails now, with those of the baseline as they were.
    let all_lost = |counts: AttemptCounts| {
        p_of_case(AttemptCounts { good: (counts.good.0, 0), attempts: counts.attempts })
    };
    match question {
        Question::Loss if by_dealing => counts().map(all_lost).product(),
        Question::Loss if paired.is_uneven() && paired.are_shares() => {
            of_units().max(counts().map(all_lost).product())
        }
        Question::Loss => of_units(),
        Question::Collapses => {
            let held = counts().filter(|counts| counts.good.0 == counts.attempts.0);
            held.map(|counts| chance_to_collapse(counts.attempts)).product()
        }
        Question::Deepest => counts().map(all_lost).fold(1.0, f64::min),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs::Coverage;
    use super::*;
    use crate::score::Reducer;

    /// Returns pairs of cases by their good attempts, with as many attempts in both runs.
    fn paired(attempts: u32, cases: &[(u32, u32, Option<&str>)]) -> Paired {
        let pairs = cases
            .iter()
            .enumerate()
            .map(|(at, (then, now, cluster))| {
                let of = |good: u32| f64::from(good) / f64::from(attempts);
                Both {
                    id: format!("{at:03}"),
                    cluster: cluster.map(str::to_owned),
                    before: of(*then),
                    after: of(*now),
                    gain: of(*now) - of(*then),
                    counts: Some(AttemptCounts {
                        good: (*then, *now),
                        attempts: (attempts, attempts),
                    }),
                    is_share: true,
                    at_worst: *then == 0,
                }
            })
            .collect();
        let coverage = Coverage::default();
        Paired { pairs, coverage, reduce: Reducer::Mean, range: Some((0.0, 1.0)) }
    }

    fn asked(paired: &Paired, questions: &[Question]) -> Tests {
        let compared = super::super::compare::of_pairs("e", paired);
        answer(paired, &compared, questions)
    }

    const BOTH: [Question; 2] = [Question::Loss, Question::Collapses];

    #[test]
    fn one_collapse_among_steady_cases_is_found_beside_another_rule() {
        let mut cases = vec![(3, 3, None); 20];
        cases[7] = (3, 0, None);
        let tests = asked(&paired(3, &cases), &BOTH);
        // Only one case moves, so both questions have the same p: 1 in C(6, 3).
        assert!(tests.p.iter().all(|p| (p - 0.05).abs() < 1e-9), "{tests:?}");
        assert!((asked(&paired(3, &cases), &BOTH[1..]).p[0] - 0.05).abs() < 1e-9);
        // When whole cases are exchanged, the result is one of two ways.
        assert!((tests.robust[1] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn clusters_collapse_as_a_whole() {
        // All five cases of one document fall, and all five of another rise.
        let day = |then, now, name| vec![(then, now, Some(name)); 5];
        let steady: Vec<_> = (0..20).map(|_| (3, 3, None)).collect();
        let cases = [day(3, 0, "bad"), day(0, 3, "good"), steady].concat();
        let tests = asked(&paired(3, &cases), &BOTH);
        assert!(tests.p[1] > 0.2, "{tests:?}");
        let loose: Vec<_> = cases.iter().map(|(a, b, _)| (*a, *b, None)).collect();
        assert!(asked(&paired(3, &loose), &BOTH).p[1] < 0.01);
    }

    #[test]
    fn few_clusters_cannot_show_anything() {
        let names = ["a", "b", "c", "d"];
        let cases: Vec<_> = (0..20).map(|at| (1, 0, Some(names[at % 4]))).collect();
        let tests = asked(&paired(1, &cases), &BOTH);
        assert!(tests.least.iter().all(|least| (least - 0.0625).abs() < 1e-12), "{tests:?}");
        assert!(tests.p.iter().all(|p| *p >= 0.0625 - 1e-12));
        // A case that never succeeded cannot fail more often.
        let hopeless = vec![(0, 0, None); 50];
        let tests = asked(&paired(3, &hopeless), &BOTH);
        assert!(tests.least.iter().all(|least| (least - 1.0).abs() < 1e-12), "{tests:?}");
    }

    #[test]
    fn attempts_that_go_together_are_found_by_the_cases_that_rise() {
        // Half of the cases fall and half rise, always with all attempts.
        let cases: Vec<_> =
            (0..30).map(|at| if at % 2 == 0 { (3, 0, None) } else { (0, 3, None) }).collect();
        let tests = asked(&paired(3, &cases), &BOTH);
        assert!(tests.together < 0.001, "{tests:?}");
        assert!(tests.p[1] < 0.01 && tests.robust[1] > 0.3, "{tests:?}");
        // A loss does not raise any case.
        let lost: Vec<_> =
            (0..30).map(|at| if at % 5 == 0 { (3, 0, None) } else { (3, 3, None) }).collect();
        assert!(asked(&paired(3, &lost), &BOTH).together > 0.9);
    }

    #[test]
    fn the_deepest_loss_of_a_case_counts_all_its_attempts() {
        let mut found = paired(1, &[(1, 1, None); 30]);
        for pair in &mut found.pairs {
            pair.counts = Some(AttemptCounts { good: (10, 3), attempts: (10, 3) });
        }
        let case = &mut found.pairs[3];
        case.counts = Some(AttemptCounts { good: (9, 0), attempts: (10, 3) });
        (case.before, case.after, case.gain) = (0.9, 0.0, -0.9);
        let tests = asked(&found, &[Question::Deepest]);
        // scipy.stats.hypergeom(13, 9, 3).cdf(0)
        assert!((tests.p[0] - 4.0 / 286.0).abs() < 1e-9, "{tests:?}");
        assert!(tests.least[0] < 0.01);
        // Numbers with a threshold have counts, and means that do not follow from them.
        for pair in &mut found.pairs {
            pair.is_share = false;
        }
        let of_numbers = asked(&found, &[Question::Deepest]);
        assert!((of_numbers.p[0] - tests.p[0]).abs() < 1e-12, "{of_numbers:?}");
        let beside = asked(&found, &[Question::Loss, Question::Deepest]);
        assert!(beside.p[1] < 0.05, "{beside:?}");
    }
}

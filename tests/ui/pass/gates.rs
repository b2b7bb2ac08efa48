//! Every form of a rule, and what it becomes.

use honeyhive_harness::__private::{Comparison, Measure, Mode, Of, Reducer, Test};
use honeyhive_harness::{evaluator, experiment};

mod checks {
    use honeyhive_harness::evaluator;

    #[evaluator]
    pub(crate) fn grounded(output: bool) -> bool {
        output
    }
}

#[evaluator(range(-1, 1))]
fn similar(output: f64) -> f64 {
    output
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(checks::grounded, similar, strict = similar),
    require(grounded, similar>=-0.5, strict <= 1,),
    gate(
        mean(checks::grounded) >= 0.9,
        mean( grounded , slice="length:long" , )>=1,
        pass_rate(grounded) >= 0.5,
        confident(mean(strict) >= -0.25),
        not_worse(pass_rate(grounded) <= 1.0),
        median(similar) <= 0.5, min(similar) >= -1, max(similar) <= 1, stddev(similar) <= 100,
        p50(similar) >= 0.1, p90(similar) >= 0.1, p95(similar) >= 0.1, p99(similar) >= 0.1,
        p95(latency) <= "1m 30s",
        mean(latency, slice = "nightly") <= "250ms",
        error_rate <= 0.05,
        error_rate(slice = "a:b") <= 0,
        confident(error_rate <= 0.1),
    ),
)]
fn greet() {}

#[evaluator(direction = minimize, range(0.0, 10.0))]
fn distance(output: f64) -> f64 {
    output
}

#[experiment(
    dataset = "data.jsonl",
    repeats = 5,
    evaluators(checks::grounded, distance, far = distance, similar),
    reduce(
        grounded = at_least(2), distance=median , far = max,
        similar = min,
    ),
    gate(
        no_regression(grounded),
        no_regression( checks::grounded , margin=0.05 , alpha = 0.01, slice = "length:long" , ),
        no_regression(distance, alpha = 0.5, margin = 10,),
        no_regression(far, margin = 0),
        no_regression(far, confirm = 2, margin = 0.5),
        no_regression(similar, margin = 1e-3),
        no_collapse(grounded),
        no_collapse(grounded, slice = "nightly", alpha = 0.1),
        mean(grounded) >= 1,
    ),
)]
fn compare() {}

#[evaluator(threshold = 3)]
fn stars(output: f64) -> f64 {
    output
}

// Shares of good attempts lie between 0 and 1, whatever the stars are.
#[experiment(
    dataset = "data.jsonl",
    repeats = 4,
    evaluators(stars, some = stars, whole = checks::grounded),
    reduce(stars = pass_at(2), some = pass_all(4), whole = mean),
    gate(mean(stars) >= 0.9, no_regression(some, margin = 1), no_collapse(stars)),
)]
fn count() {}

fn main() {
    let all = honeyhive_harness::__private::experiments();
    let [greet, compare, count] = &all[..] else { panic!("{}", all.len()) };
    let require: Vec<_> =
        greet.require.iter().map(|rule| (&*rule.text, rule.evaluator, rule.limit)).collect();
    let expected = [
        ("grounded", 0, None),
        ("similar >= -0.5", 1, Some((Comparison::AtLeast, -0.5))),
        ("strict <= 1", 2, Some((Comparison::AtMost, 1.0))),
    ];
    assert_eq!(require, expected);

    let texts: Vec<&str> = greet.gates.iter().map(|rule| &*rule.text).collect();
    let expected = [
        "mean(checks::grounded) >= 0.9",
        "mean(grounded, slice = \"length:long\") >= 1",
        "pass_rate(grounded) >= 0.5",
        "confident(mean(strict) >= -0.25)",
        "not_worse(pass_rate(grounded) <= 1.0)",
        "median(similar) <= 0.5",
        "min(similar) >= -1",
        "max(similar) <= 1",
        "stddev(similar) <= 100",
        "p50(similar) >= 0.1",
        "p90(similar) >= 0.1",
        "p95(similar) >= 0.1",
        "p99(similar) >= 0.1",
        "p95(latency) <= \"1m 30s\"",
        "mean(latency, slice = \"nightly\") <= \"250ms\"",
        "error_rate <= 0.05",
        "error_rate(slice = \"a:b\") <= 0",
        "confident(error_rate <= 0.1)",
    ];
    assert_eq!(texts, expected);

    let limit = |mode, measure, of, comparison, limit| Test::Limit { mode, measure, of, comparison, limit };
    let (at_least, at_most) = (Comparison::AtLeast, Comparison::AtMost);
    assert_eq!(
        greet.gates[3].test,
        limit(Mode::Confident, Measure::Mean, Of::Evaluator(2), at_least, -0.25)
    );
    assert_eq!(greet.gates[13].test, limit(Mode::Point, Measure::P95, Of::Latency, at_most, 90.0));
    assert_eq!(greet.gates[14].test, limit(Mode::Point, Measure::Mean, Of::Latency, at_most, 0.25));
    assert_eq!(greet.gates[16].test, limit(Mode::Point, Measure::ErrorRate, Of::Errors, at_most, 0.0));
    assert_eq!(greet.gates[16].slice.as_deref(), Some("a:b"));

    let no_regression =
        |evaluator, margin, alpha| Test::NoRegression { evaluator, margin, alpha, confirm: 0 };
    let no_collapse = |evaluator, alpha| Test::NoCollapse { evaluator, alpha };
    let expected = [
        ("no_regression(grounded)", None, no_regression(0, 0.02, 0.05)),
        (
            "no_regression(checks::grounded, margin = 0.05, alpha = 0.01, slice = \"length:long\")",
            Some("length:long"),
            no_regression(0, 0.05, 0.01),
        ),
        ("no_regression(distance, alpha = 0.5, margin = 10)", None, no_regression(1, 10.0, 0.5)),
        ("no_regression(far, margin = 0)", None, no_regression(2, 0.0, 0.05)),
        (
            "no_regression(far, confirm = 2, margin = 0.5)",
            None,
            Test::NoRegression { evaluator: 2, margin: 0.5, alpha: 0.05, confirm: 2 },
        ),
        ("no_regression(similar, margin = 1e-3)", None, no_regression(3, 0.001, 0.05)),
        ("no_collapse(grounded)", None, no_collapse(0, 0.05)),
        ("no_collapse(grounded, slice = \"nightly\", alpha = 0.1)", Some("nightly"), no_collapse(0, 0.1)),
        ("mean(grounded) >= 1", None, limit(Mode::Point, Measure::Mean, Of::Evaluator(0), at_least, 1.0)),
    ];
    let rules: Vec<_> =
        compare.gates.iter().map(|rule| (&*rule.text, rule.slice.as_deref(), rule.test)).collect();
    assert_eq!(rules, expected);

    let reducers = |experiment: &honeyhive_harness::__private::Experiment| -> Vec<Reducer> {
        experiment.evaluators.iter().map(|used| used.reduce).collect()
    };
    let expected = [Reducer::AtLeast(2), Reducer::Median, Reducer::Max, Reducer::Min];
    assert_eq!(reducers(compare), expected);
    assert_eq!(reducers(count), [Reducer::PassAt(2), Reducer::PassAll(4), Reducer::Mean]);
    assert_eq!(greet.evaluators[0].reduce, Reducer::Mean);
}

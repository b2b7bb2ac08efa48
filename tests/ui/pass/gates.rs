//! Every form of a rule, and what it becomes.

use honeyhive_harness::__private::{Comparison, Measure, Mode, Of};
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

fn main() {
    let experiment = honeyhive_harness::registry::experiments()[0];
    let require: Vec<_> =
        experiment.require.iter().map(|rule| (rule.text, rule.evaluator, rule.limit)).collect();
    let expected = [
        ("grounded", 0, None),
        ("similar >= -0.5", 1, Some((Comparison::AtLeast, -0.5))),
        ("strict <= 1", 2, Some((Comparison::AtMost, 1.0))),
    ];
    assert_eq!(require, expected);

    let texts: Vec<&str> = experiment.gates.iter().map(|rule| rule.text).collect();
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

    let strict = experiment.gates[3];
    assert_eq!((strict.mode, strict.measure, strict.of), (Mode::Confident, Measure::Mean, Of::Evaluator(2)));
    let latency = experiment.gates[13];
    assert_eq!((latency.measure, latency.of, latency.limit), (Measure::P95, Of::Latency, 90.0));
    let errors = experiment.gates[16];
    assert_eq!((errors.measure, errors.of, errors.slice), (Measure::ErrorRate, Of::Errors, Some("a:b")));
    assert_eq!(experiment.gates[14].limit, 0.25);
}

use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        no_worse_than(correct),
        no_worse_than(correct, 0.02),
        no_worse_than(correct, margin = 0),
        no_worse_than(correct, margin = -0.1),
        no_worse_than(correct, margin = "2 %"),
        no_worse_than(correct, margin = 0.02, margin = 0.03),
        no_worse_than(correct, margin = 0.02, confirm = 2),
        no_worse_than(corect, margin = 0.02),
        no_worse_than(correct, margin = 0.02) >= 0.9,
        no_worse_then(correct, margin = 0.02),
        no_worse_than(latency, margin = 0.02),
        non_inferior(correct),
        non_inferior(correct, margin = 0.02, alpha = 2),
        non_inferior(margin = 0.02),
        noninferior(correct, margin = 0.02),
        no_loss(),
        no_loss(correct, margin = 0.02),
        no_loss(correct, alpha = 0.0),
        no_loss(correct, latency),
        no_regression(correct, coverage = 95),
        no_regression(correct, coverage = "95 %"),
        no_regression(correct, coverage = 0),
        no_regression(correct, coverage = 0.5, coverage = 0.6),
        no_regression(correct, covrage = 0.5),
        mean(correct, coverage = 0.5) >= 0.9,
    ),
)]
fn greet() {}

fn main() {}

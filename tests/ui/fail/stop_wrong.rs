use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(mean(correct) >= 0.9),
    stop = early,
)]
fn of_another_value() {}

#[experiment(dataset = "data.jsonl", evaluators(correct), stop = "decided")]
fn a_text() {}

#[experiment(dataset = "data.jsonl", evaluators(correct), stop)]
fn without_a_value() {}

#[experiment(dataset = "data.jsonl", evaluators(correct), stop = decided)]
fn without_a_gate() {}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(mean(correct) >= 0.9, no_regression(correct)),
    stop = decided,
)]
fn against_the_baseline() {}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(confident(mean(correct) >= 0.9), p95(latency) <= "2s"),
    stop = decided,
)]
fn of_undecidable_rules() {}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(mean(correct) >= 0.9),
    early_stopping = true,
)]
fn by_another_name() {}

fn main() {}

use honeyhive_harness::evaluator;

#[evaluator]
fn correct(outputs: &str, expected: &str, ground_truths: &str) -> bool {
    outputs == expected && outputs == ground_truths
}

fn main() {}

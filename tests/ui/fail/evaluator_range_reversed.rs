use honeyhive_harness::evaluator;

#[evaluator(range(5, 1))]
fn stars(output: f64) -> f64 {
    output
}

fn main() {}

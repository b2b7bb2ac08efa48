use honeyhive_harness::evaluator;

struct Plain;

#[evaluator]
fn polite(output: usize, #[setting] plain: Plain) -> bool {
    drop(plain);
    output > 1
}

fn main() {}

use honeyhive_harness::evaluator;

#[evaluator(treshold = 0.5, direction = minimise, range(1), name, threshold = "high")]
fn correct(output: bool) -> bool {
    output
}

#[evaluator(direction = "minimize", range = 3, range(0, a), settings = min, threshold)]
fn other(output: bool) -> bool {
    output
}

fn main() {}

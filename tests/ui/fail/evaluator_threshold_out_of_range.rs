use honeyhive_harness::evaluator;

#[evaluator(threshold = 7, range(1, 5))]
fn stars(output: f64) -> f64 {
    output
}

#[evaluator(threshold = 70)]
fn percent(output: bool) -> Result<Option<bool>, String> {
    Ok(Some(output))
}

fn main() {}

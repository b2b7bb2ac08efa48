use honeyhive_harness::evaluator;

struct Grade;

#[evaluator]
fn text(output: String) -> String {
    output
}

#[evaluator]
async fn grade(output: u8) -> Result<Option<Grade>, String> {
    Err(output.to_string())
}

#[evaluator]
fn nothing(output: u8) {
    let _ = output;
}

fn main() {}

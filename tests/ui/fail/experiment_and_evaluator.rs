use honeyhive_harness::{evaluator, experiment};

#[experiment(dataset = "data.jsonl", smoke)]
#[evaluator]
fn greet(output: bool) -> bool {
    output
}

fn main() {}

use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn greet(_ground_truth: &str, expected: &str, output: u8) {
    let _ = (expected, output);
}

fn main() {}

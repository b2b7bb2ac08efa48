use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl")]
fn greet(name: &str) -> String {
    name
}

fn main() {}

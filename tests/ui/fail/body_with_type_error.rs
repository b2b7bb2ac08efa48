use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn greet(name: &str) -> String {
    name
}

fn main() {}

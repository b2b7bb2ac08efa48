use honeyhive_harness::experiment;

struct Broken;

#[experiment(dataset = "data.jsonl", smoke)]
fn greet() -> Result<String, Broken> {
    Err(Broken)
}

fn main() {}

use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn greet(name: &str) -> String {
    let text = ;
    name.to_owned()
}

fn main() {}

use honeyhive_harness::experiment;

trait Bot {
    #[experiment(dataset = "data.jsonl", smoke)]
    fn greet(name: &str) -> String;
}

fn main() {}

use honeyhive_harness::experiment;

trait Bot {
    #[experiment(dataset = "data.jsonl")]
    fn greet(name: &str) -> String;
}

fn main() {}

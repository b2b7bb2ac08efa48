use honeyhive_harness::experiment;

struct Bot;

impl Bot {
    #[experiment(dataset = "data.jsonl")]
    fn greet(name: &str) -> String {
        name.to_owned()
    }
}

fn main() {}

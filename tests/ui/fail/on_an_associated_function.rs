use honeyhive_harness::experiment;

struct Bot;

impl Bot {
    #[experiment(dataset = "data.jsonl", smoke)]
    fn greet(name: &str) -> String {
        name.to_owned()
    }
}

fn main() {}

use honeyhive_harness::experiment;

struct Bot;

impl Bot {
    #[experiment(dataset = "data.jsonl", smoke)]
    fn new() -> Self {
        Self
    }
}

fn main() {}

use honeyhive_harness::experiment;

struct Bot;

impl Bot {
    #[experiment(dataset = "data.jsonl")]
    fn new() -> Self {
        Self
    }
}

fn main() {}

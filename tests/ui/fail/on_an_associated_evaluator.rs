use honeyhive_harness::evaluator;

struct Bot;

impl Bot {
    #[evaluator]
    fn polite(output: &str) -> bool {
        output.is_empty()
    }
}

fn main() {}

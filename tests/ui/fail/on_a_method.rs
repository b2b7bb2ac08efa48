use honeyhive_harness::{evaluator, experiment};

struct Bot;

impl Bot {
    #[experiment(dataset = "data.jsonl", smoke)]
    fn greet(&self, name: &str) -> String {
        name.to_owned()
    }

    #[evaluator]
    fn polite(self, output: &str) -> bool {
        output.is_empty()
    }
}

fn main() {
    let _ = Bot.greet("you");
    let _ = Bot.polite("");
}

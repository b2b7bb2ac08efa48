use honeyhive_harness::experiment;

fn correct(output: &str) -> bool {
    output.is_empty()
}

mod checks {
    pub(crate) fn polite() {}

    pub(crate) struct Polite;
}

#[experiment(dataset = "data.jsonl", evaluators(correct, checks::polite))]
fn greet() {}

#[experiment(dataset = "data.jsonl", evaluators(checks::Polite))]
fn with_a_struct() {}

fn main() {
    correct("");
    checks::polite();
    let _ = checks::Polite;
}

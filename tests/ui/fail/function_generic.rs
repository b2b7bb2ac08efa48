use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn of_type<T>(_value: T) {}

#[experiment(dataset = "data.jsonl", smoke)]
fn of_constant<const N: usize>() {}

#[experiment(dataset = "data.jsonl", smoke)]
fn of_lifetime<'a>(text: &'a str) -> &'a str {
    text
}

#[experiment(dataset = "data.jsonl", smoke)]
fn of_argument(_text: impl AsRef<str>) {}

fn main() {}

use honeyhive_harness::experiment;

struct NoSerde;

#[experiment(dataset = "data.jsonl", smoke)]
fn by_value(question: NoSerde) {
    drop(question);
}

#[experiment(dataset = "data.jsonl", smoke)]
fn by_reference(_question: &NoSerde, _all: &[NoSerde]) {}

#[experiment(dataset = "data.jsonl", smoke)]
async fn optional(_question: Option<Vec<NoSerde>>) {}

fn main() {}

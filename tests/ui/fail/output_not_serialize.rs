use honeyhive_harness::experiment;

struct NoSerde;

#[experiment(dataset = "data.jsonl", smoke)]
fn plain() -> NoSerde {
    NoSerde
}

#[experiment(dataset = "data.jsonl", smoke)]
fn result() -> Result<NoSerde, String> {
    Ok(NoSerde)
}

#[experiment(dataset = "data.jsonl", smoke)]
async fn anyhow() -> anyhow::Result<Vec<NoSerde>> {
    Ok(Vec::new())
}

fn main() {}

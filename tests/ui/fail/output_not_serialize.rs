use honeyhive_harness::experiment;

struct NoSerde;

#[experiment(dataset = "data.jsonl")]
fn plain() -> NoSerde {
    NoSerde
}

#[experiment(dataset = "data.jsonl")]
fn result() -> Result<NoSerde, String> {
    Ok(NoSerde)
}

#[experiment(dataset = "data.jsonl")]
async fn anyhow() -> anyhow::Result<Vec<NoSerde>> {
    Ok(Vec::new())
}

fn main() {}

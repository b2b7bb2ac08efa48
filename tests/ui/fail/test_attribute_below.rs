use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl")]
#[test]
fn sync() {}

#[experiment(dataset = "data.jsonl")]
#[tokio::test]
async fn with_runtime() {}

fn main() {}

use honeyhive_harness::experiment;

#[tokio::test]
#[experiment(dataset = "data.jsonl")]
async fn with_runtime() {}

fn main() {}

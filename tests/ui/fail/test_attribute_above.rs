use honeyhive_harness::experiment;

#[tokio::test]
#[experiment(dataset = "data.jsonl", smoke)]
async fn with_runtime() {}

fn main() {}

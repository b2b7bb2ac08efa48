use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl")]
fn never() -> ! {
    panic!()
}

#[experiment(dataset = "data.jsonl")]
fn future() -> impl std::future::Future<Output = u8> {
    async { 1 }
}

#[experiment(dataset = "data.jsonl")]
fn hidden() -> impl Iterator<Item = u8> {
    0..3
}

fn main() {}

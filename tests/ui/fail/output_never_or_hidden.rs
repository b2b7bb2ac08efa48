use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn never() -> ! {
    panic!()
}

#[experiment(dataset = "data.jsonl", smoke)]
fn future() -> impl std::future::Future<Output = u8> {
    async { 1 }
}

#[experiment(dataset = "data.jsonl", smoke)]
fn hidden() -> impl Iterator<Item = u8> {
    0..3
}

fn main() {}

use std::rc::Rc;

use honeyhive_harness::trace;

#[trace]
async fn counts(n: u8) -> u8 {
    let n = Rc::new(n);
    std::future::ready(()).await;
    *n
}

fn sent(_: impl Send) {}

fn main() {
    sent(counts(1));
}

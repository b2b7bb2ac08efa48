//! The harness under another path.

use honeyhive_harness as _;

mod vendored {
    pub mod hh {
        pub use honeyhive_harness::*;
        pub use honeyhive_harness::__private;
    }
}

#[vendored::hh::evaluator(crate = crate::vendored::hh)]
fn polite(output: &str) -> bool {
    !output.is_empty()
}

#[vendored::hh::experiment(dataset = "data.jsonl", evaluators(polite), crate = vendored::hh)]
async fn greet(name: &str) -> String {
    name.to_owned()
}

fn main() {
    assert_eq!(vendored::hh::__private::experiments().len(), 1);
}

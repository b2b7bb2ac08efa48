//! `use` brings function and evaluator together, as far as the function is visible.

use honeyhive_harness::{evaluator, experiment};

mod outer {
    pub mod inner {
        use honeyhive_harness::evaluator;

        #[evaluator]
        pub fn everywhere(output: bool, #[setting] _min: u8) -> bool {
            output
        }

        #[evaluator]
        pub(crate) fn in_crate(output: bool) -> bool {
            output
        }

        #[evaluator]
        pub(in crate::outer) fn in_outer(output: bool, #[setting] _min: u8) -> bool {
            output
        }

        #[evaluator]
        pub(super) fn in_parent(output: bool) -> bool {
            output
        }
    }

    use honeyhive_harness::experiment;

    #[experiment(dataset = "data.jsonl", evaluators(inner::in_outer(min = 1), self::inner::in_parent, super::here))]
    fn inside() {}

    pub use inner::everywhere as renamed;
}

use outer::inner::in_crate;
use outer::renamed;

#[evaluator]
fn here(output: bool) -> bool {
    output
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(here, in_crate, renamed(min = 1), again = crate::outer::inner::everywhere(min = 2)),
    gate(mean(here) >= 0.9),
)]
fn outside() {}

fn main() {}

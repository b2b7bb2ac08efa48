//! Items of a function body see each other, in any order.

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn main() {
    #[experiment(dataset = rows, evaluators(polite, later(min = 1)), gate(mean(polite) >= 0.9))]
    fn greet(name: &str) -> String {
        format!("{GREETING} {name}")
    }

    const GREETING: &str = "Dear";

    fn rows() -> Vec<Datapoint> {
        Vec::new()
    }

    #[evaluator]
    fn polite(output: &str) -> bool {
        output.starts_with(GREETING)
    }

    #[evaluator]
    fn later(output: usize, #[setting] min: usize) -> bool {
        output > min
    }

    let inside = || {
        #[experiment(dataset = rows, evaluators(polite))]
        async fn deeper() {}
        drop(deeper());
    };
    inside();

    assert!(polite(&greet("you")));
    assert_eq!(honeyhive_harness::__private::experiments().len(), 2);
}

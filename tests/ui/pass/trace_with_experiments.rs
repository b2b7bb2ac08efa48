//! Beside the other attributes, in either order, and switched on by a condition.
#![deny(warnings)]

use honeyhive_harness::{Datapoint, evaluator, experiment, trace};

fn rows() -> Vec<Datapoint> {
    vec![Datapoint::new().input("name", "you")]
}

#[trace]
#[evaluator]
fn polite(output: &str) -> bool {
    output.starts_with("hello")
}

#[experiment(dataset = rows, evaluators(polite))]
#[trace(event_type = "chain")]
fn greet(name: &str) -> Result<String, std::fmt::Error> {
    Ok(format!("hello {name}"))
}

#[trace]
#[experiment(dataset = rows, smoke)]
async fn wait(#[input("name")] _who: String) {}

#[cfg_attr(all(), trace(name = "on"))]
fn on() {}

#[cfg_attr(any(), trace(nme = "off"))]
fn off() {}

fn main() {
    on();
    off();
    assert!(polite("hello you"));
    assert_eq!(greet("you").as_deref(), Ok("hello you"));
    drop(wait("you".to_owned()));
}

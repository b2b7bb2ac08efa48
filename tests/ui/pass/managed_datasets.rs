//! Datasets in HoneyHive, by id and by name.

use honeyhive_harness::__private::{Experiment, Managed, Source};
use honeyhive_harness::experiment;

#[experiment(dataset = managed("66f1c0de"), smoke)]
fn by_id() {}

#[experiment(dataset = managed(name = "golden",), smoke)]
fn by_name() {}

/// A function of that name is still a function.
fn managed() -> Vec<honeyhive_harness::Datapoint> {
    Vec::new()
}

#[experiment(dataset = managed, smoke)]
fn by_function() {}

fn main() {
    let all = honeyhive_harness::__private::experiments();
    let source = |name: &str| {
        let found: &Experiment = all.iter().find(|entry| entry.name == name).unwrap();
        found.dataset
    };
    assert!(matches!(source("by_id"), Source::Managed(Managed::Id("66f1c0de"))));
    assert!(matches!(source("by_name"), Source::Managed(Managed::Name("golden"))));
    assert!(matches!(source("by_function"), Source::Function { path: "managed", .. }));
}

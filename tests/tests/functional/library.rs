//! Experiments in a library, linked into a test target by name.

use std::sync::LazyLock;

use honeyhive_tests::Project;
use insta::assert_snapshot;

const LIBRARY: &str = r#"
//! A library whose production build knows nothing of experiments.

#[cfg_attr(feature = "evals", honeyhive_harness::evaluator(settings(max = 100)))]
fn short(output: &str, max: usize) -> bool {
    output.len() <= max
}

#[cfg_attr(
    feature = "evals",
    honeyhive_harness::experiment(dataset = "data/words.csv", evaluators(short(max = 5)))
)]
pub fn greet(name: &str) -> String {
    format!("hi {name}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets() {
        assert_eq!(super::greet("you"), "hi you");
    }
}
"#;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("annotated-lib", "honeyhive_harness::main!(annotated_lib);")
        .file("src/lib.rs", LIBRARY)
        .file("data/words.csv", "id,name\nshort,Al\nlong,Alexandra\n")
        .manifest(MANIFEST)
});

const MANIFEST: &str = r#"
[features]
evals = ["dep:honeyhive-harness"]

[dependencies]
honeyhive-harness = { path = 'HARNESS', optional = true }

[dev-dependencies]
annotated-lib = { path = ".", features = ["evals"] }
honeyhive-harness = { path = 'HARNESS' }
"#;

#[test]
fn main_links_the_experiments_of_a_library() {
    let run = PROJECT.cargo_test(["--test", "evals"]).run();
    assert_snapshot!(run.report(), @"
    exit code 101
    greet::long   FAILED  fail
        short is false
    greet::short  ok  pass
    ");
}

#[test]
fn a_plain_cargo_test_runs_unit_tests_and_experiments() {
    let run = PROJECT.cargo_test(["--no-fail-fast"]).run();
    assert_eq!(run.code, Some(101));
    assert!(run.stdout.contains("test tests::greets ... ok"), "{}", run.output());
    assert!(run.stdout.contains("test greet::short ... ok"), "{}", run.output());
}

#[test]
fn nothing_of_it_is_in_the_production_tree() {
    let tree = PROJECT.cargo(["tree", "-e", "normal"]);
    assert_snapshot!(tree, @"annotated-lib v0.0.0 (<project>)");
}

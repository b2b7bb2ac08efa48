//! Tests experiments in a library that a test target links by name.

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

const SHARED: &str = r#"
#[cfg_attr(feature = "evals", honeyhive_harness::evaluator)]
fn kept(output: &str) -> bool {
    !output.is_empty()
}

#[cfg_attr(
    feature = "evals",
    honeyhive_harness::experiment(dataset = "data/words.csv", evaluators(kept))
)]
pub fn greet(name: &str) -> String {
    let program = std::env::args().next().unwrap_or_default();
    let differs = std::env::var_os("DIFFERS").is_some() && program.contains("/again-");
    if differs { String::new() } else { name.to_owned() }
}
"#;

/// A project with one experiment that two targets link.
static SHARED_BY_TWO: LazyLock<Project> = LazyLock::new(|| {
    let main = "honeyhive_harness::main!(shared_lib);";
    Project::with_evals("shared-lib", main)
        .target("again", main)
        .file("src/lib.rs", SHARED)
        .file("data/words.csv", "id,name\nshort,Al\nlong,Alexandra\n")
        .manifest(&MANIFEST.replace("annotated-lib", "shared-lib"))
});

#[test]
fn two_targets_of_one_experiment_have_one_baseline() {
    let baseline = SHARED_BY_TWO.directory().join("data/baselines/greet.json");
    let accept = |variables: &[(&str, &str)]| {
        let run = SHARED_BY_TWO.cargo_test(["--no-fail-fast"]);
        let run = variables.iter().fold(run, |run, (name, value)| run.env(name, value)).run();
        assert_eq!(run.experiments().len(), 2, "{}", run.output());
        let _ = std::fs::remove_file(&baseline);
        SHARED_BY_TWO.honeyhive(["accept"]).env("HH_DIR", run.directory().join("journal")).run()
    };
    // Differing results of two targets are an error; the last one does not silently win.
    let (code, stdout, stderr) = accept(&[("DIFFERS", "1")]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    let why =
        "`greet` ran in shared-lib/again and in shared-lib/evals, and not with the same scores";
    assert!(stderr.contains(why), "{stderr}");
    assert!(!baseline.exists());
    let (code, stdout, stderr) = accept(&[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert_eq!(stdout.matches("greet").count(), 2, "{stdout}");
    assert!(baseline.exists());
}

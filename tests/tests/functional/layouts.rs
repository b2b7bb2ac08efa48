//! Tests targets whose name, kind or features a command has to tell: every command that is printed or
//! started names the target as cargo knows it.

use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};

const SUITE: &str = r#"
use honeyhive_harness::{Datapoint, evaluator, experiment};

#[evaluator]
fn right(output: &str) -> bool {
    output == "right"
}

fn rows() -> Vec<Datapoint> {
    vec![
        Datapoint::new().id("good").input("text", "right"),
        Datapoint::new().id("bad").input("text", "wrong"),
    ]
}

#[experiment(dataset = rows, evaluators(right))]
fn NAME(text: &str) -> String {
    text.to_owned()
}

honeyhive_harness::main!();
"#;

const MANIFEST: &str = r#"
[[test]]
name = "my-suite"
path = "evals/main.rs"
harness = false

[[test]]
name = "slow"
path = "tests/slow.rs"
harness = false
required-features = ["evals", "more"]

[[bench]]
name = "speed-of-answers"
path = "benches/speed.rs"
harness = false

[[example]]
name = "shown"
path = "examples/shown.rs"
harness = false
test = true

[features]
evals = []
more = []

[dependencies]
honeyhive-harness = { path = 'HARNESS' }
"#;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let suite = |name: &str| SUITE.replace("NAME", name);
    Project::new("layouts")
        .file("src/lib.rs", "")
        .file("evals/main.rs", suite("in_a_folder"))
        .file("tests/slow.rs", suite("with_features"))
        .file("benches/speed.rs", suite("in_a_bench"))
        .file("examples/shown.rs", suite("in_an_example"))
        .manifest(MANIFEST)
});

/// Runs a target, and then every command that names it.
fn every_command_works(experiment: &str, target: &[&str]) {
    let run = PROJECT.cargo_test(target.iter().copied()).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert_eq!(run.cases().len(), 2);
    let again = rerun(&run);
    let words = format!("cargo test {} -- --exact {experiment}::bad", target.join(" "));
    assert_eq!(again, words);
    let mut words = words.split(' ').skip(2);
    let (before, after): (Vec<&str>, Vec<&str>) =
        (words.by_ref().take_while(|word| *word != "--").collect(), words.collect());
    let again = PROJECT.cargo_test(before).arguments(after).run();
    assert_eq!(again.code, Some(101), "{}", again.output());
    assert_eq!(again.cases().len(), 1, "{}", again.output());

    let honeyhive = |arguments: &[&str]| {
        PROJECT.honeyhive(arguments).env("HH_DIR", run.directory().join("journal")).run()
    };
    for (arguments, code) in [
        (&["gate"][..], 1),
        (&["rejudge"], 1),
        (&["plan"], 0),
        (&["run", "--rerun", "failed"], 1),
        // An optimised build would compile all dependencies again.
        (&["gate", "--", "--quiet"], 1),
    ] {
        let (found, stdout, stderr) = honeyhive(arguments);
        assert_eq!(found, Some(code), "{arguments:?}:\n{stdout}{stderr}");
        assert!(format!("{stdout}{stderr}").contains(experiment), "{stdout}{stderr}");
    }
}

/// Returns the command that reruns the case that failed.
fn rerun(run: &Run) -> String {
    let output = run.output();
    let line = output.lines().find_map(|line| line.trim().strip_prefix("rerun: "));
    line.unwrap_or_else(|| panic!("no command: {output}")).to_owned()
}

#[test]
fn a_target_whose_file_has_another_name() {
    every_command_works("in_a_folder", &["--test", "my-suite"]);
}

#[test]
fn a_target_that_needs_features() {
    every_command_works("with_features", &["--test", "slow", "--features", "evals,more"]);
}

#[test]
fn a_bench() {
    every_command_works("in_a_bench", &["--bench", "speed-of-answers"]);
}

#[test]
fn an_example() {
    every_command_works("in_an_example", &["--example", "shown"]);
}

#[test]
fn arguments_for_cargo_are_passed_on_or_refused() {
    let run = PROJECT.cargo_test(["--test", "my-suite"]).run();
    let honeyhive = |arguments: &[&str]| {
        PROJECT.honeyhive(arguments).env("HH_DIR", run.directory().join("journal")).run()
    };
    let (code, _, stderr) = honeyhive(&["gate", "--", "--features", "evil"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("does not contain this feature: evil"), "{stderr}");
    for useless in [&["gate", "--recorded", "--", "--release"][..], &["accept", "--", "--release"]]
    {
        let (code, _, stderr) = honeyhive(useless);
        assert_eq!(code, Some(64), "{useless:?}: {stderr}");
    }
    // The targets with experiments, features included.
    let (code, stdout, stderr) = honeyhive(&["run", "--", "--no-fail-fast"]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    for experiment in ["in_a_folder", "with_features"] {
        assert!(format!("{stdout}{stderr}").contains(experiment), "{stdout}{stderr}");
    }
}

//! Tests what is selected, who decides about it, and that an empty selection does not pass by
//! accident.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use honeyhive_tests::{Project, Run, needs};

const ALL_IGNORED: &str = r#"
use honeyhive_harness::{Datapoint, evaluator, experiment};

fn one() -> Vec<Datapoint> {
    vec![Datapoint::new().id("a").input("n", 1)]
}

#[evaluator]
fn right(output: u32) -> bool {
    output < 100
}

#[experiment(dataset = one, evaluators(right))]
#[ignore = "costs money"]
fn expensive(n: u32) -> u32 {
    n
}

honeyhive_harness::main!();
"#;

/// The source of a target whose experiment is behind a disabled feature.
const OFF: &str = r#"
#[cfg(feature = "evals")]
mod experiments {
    #[honeyhive_harness::experiment(dataset = "data/rows.jsonl", evaluators())]
    fn left_out(n: u32) -> u32 {
        n
    }
}

honeyhive_harness::main!();
"#;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("selection", include_str!("evals/selection.rs"))
        .target("off", OFF)
        .target("all_ignored", ALL_IGNORED)
        .file("data/rows.jsonl", "{\"id\": \"a\", \"n\": 1}\n{\"id\": \"b\", \"n\": 2}\n")
        .file("src/lib.rs", "#[test]\nfn some_other_test() {}\n")
});

/// Runs the test binary without cargo, which is faster.
fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let evals = PROJECT.evals(arguments.iter().copied());
    variables.iter().fold(evals, |evals, (name, value)| evals.env(name, *value)).start().finish()
}

fn filtered_out(run: &Run) -> usize {
    let line = run.stdout.lines().find(|line| line.starts_with("test result")).expect("a result");
    let (_, rest) = line.split_once("measured; ").expect("counts");
    rest.split(' ').next().and_then(|count| count.parse().ok()).expect("a count")
}

// ---- who decides about a miss ----

/// Selections, and who judges a miss: the gate if the whole experiment is selected, else the cases.
const SELECTIONS: [(&[&str], Judges); 9] = [
    (&["misses::"], Judges::Gate),
    (&["misses::", "fine::"], Judges::Gate),
    (&["misses"], Judges::Gate),
    (&["--exact", "misses"], Judges::Gate),
    (&["--exact", "misses::gate"], Judges::Gate),
    (&["misses::", "--skip", "gate"], Judges::Cases),
    (&["--exact", "misses", "--skip", "misses::gate"], Judges::Cases),
    (&["--exact", "misses::r3", "misses::r4"], Judges::Cases),
    (&["misses::r", "misses::gate", "--skip", "r9"], Judges::Cases),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Judges {
    /// The gate and all cases are selected, so the gate allows the misses.
    Gate,
    /// The gate or some cases are not selected.
    Cases,
}

#[test]
fn a_miss_fails_its_case_wherever_no_gate_judges() {
    let ci: [&[(&str, &str)]; 5] = [
        &[],
        &[("CI", "true")],
        &[("TF_BUILD", "True")],
        &[("JENKINS_URL", "http://ci.example/")],
        &[("HH_REQUIRE_GATES", "1")],
    ];
    for (arguments, judges) in SELECTIONS {
        for (strict, service) in ci.iter().enumerate() {
            for other in [&[][..], &[("HH_SAMPLE", "1")], &[("HH_UPLOAD", "always")]] {
                let run = start(arguments, &[*service, other].concat());
                let sampled = other.iter().any(|(name, _)| *name == "HH_SAMPLE");
                let red = judges == Judges::Cases || (sampled && strict > 0);
                let what = format!("{arguments:?} {service:?} {other:?}\n{}", run.output());
                assert_eq!(run.code, Some(if red { 101 } else { 0 }), "{what}");
                assert!(!run.notes("calls").is_empty(), "{what}");
                let failed =
                    run.cases().iter().any(|case| case.test.starts_with("misses") && !case.passed);
                assert_eq!(failed, red, "{what}");
                assert_eq!(run.stdout.contains("\nPASS "), !red && !sampled, "{what}");
            }
        }
    }
    let overridden =
        start(&["misses::"], &[("CI", "true"), ("HH_REQUIRE_GATES", "0"), ("HH_SAMPLE", "2")]);
    assert_eq!(overridden.code, Some(0), "{}", overridden.output());
    for no in ["false", "0"] {
        let run = start(&["misses::"], &[("CI", no), ("TF_BUILD", "True"), ("HH_SAMPLE", "2")]);
        assert_eq!(run.code, Some(0), "CI={no}\n{}", run.output());
    }
    let zero = start(&["misses::"], &[("HH_REPEATS", "0")]);
    assert_eq!((zero.code, zero.invocations().len()), (Some(101), 0));
}

#[test]
fn the_same_under_nextest() {
    if !needs::nextest() {
        return;
    }
    let nextest = |variables: &[(&str, &str)], arguments: &[&'static str]| {
        let arguments = [&["--test", "evals"], arguments].concat();
        let cargo = PROJECT.cargo_nextest(&["nextest", "run"], arguments);
        variables.iter().fold(cargo, |cargo, (name, value)| cargo.env(name, *value)).run().code
    };
    for ci in [&[][..], &[("CI", "true")]] {
        let sampled = [ci, &[("HH_SAMPLE", "1")]].concat();
        assert_eq!(nextest(ci, &["misses"]), Some(0));
        assert_eq!(nextest(&sampled, &["misses"]), Some(100), "a gate that does not judge");
        assert_eq!(nextest(&sampled, &["fine"]), Some(0));
    }
    assert_eq!(nextest(&[("HH_REPEATS", "0")], &["fine"]), Some(104), "it cannot even be listed");
    assert_eq!(nextest(&[], &["dear", "--run-ignored", "only"]), Some(0));
}

// ---- names that are asked for ----

#[test]
fn the_exact_name_of_an_experiment_runs_all_its_tests() {
    // These are the arguments of an editor's run button.
    let run = PROJECT.evals(["misses", "--exact", "--nocapture"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let tests = run.tests();
    assert_eq!(tests.len(), 11);
    assert_eq!(tests["misses::gate"], "ok");
    let run = start(&["--exact", "dear"], &[]);
    assert_eq!((run.code, run.tests().len()), (Some(0), 2));
    assert!(run.stderr.contains("marked #[ignore], so nothing was tested"), "{}", run.output());
    let run = start(&["--exact", "dear", "--include-ignored"], &[]);
    assert_eq!(run.cases().len(), 2);
    let run = start(&["--exact", "--skip", "misses", "--skip", "dear"], &[]);
    assert_eq!(run.tests().len(), 10);
}

#[test]
fn an_exact_name_that_the_experiment_does_not_have_fails() {
    let run = PROJECT.evals(["--exact", "fine::r1", "fine::r77"]).run();
    assert_eq!(run.code, Some(101));
    let tests = run.tests();
    assert_eq!((&*tests["fine::r1"], &*tests["fine::r77"]), ("ok", "FAILED"));
    assert!(
        run.failure("fine::r77")
            .starts_with("experiment `fine` has no case `r77`; did you mean `r7`?"),
        "{}",
        run.output()
    );
    let run = start(&["--exact", "fine::gate"], &[]);
    assert_eq!(run.code, Some(101));
    assert_eq!(run.failure("fine::gate"), "experiment `fine` has no gate(..)");
    // The name may belong to another target.
    let run = start(&["--exact", "other::r1"], &[]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("no test of this target matches `other::r1`"), "{}", run.stderr);
}

#[test]
fn a_filter_that_means_nothing_here_is_told() {
    for (arguments, note) in [
        (
            &["fin::"][..],
            "no test of this target matches `fin::`; did you mean `fine::`? (experiments here: misses, fine, dear)",
        ),
        (&["fine::q"], "experiment `fine` has no case `q`"),
        (
            &["nonsense", "rubbish::"],
            "no test of this target matches `nonsense`, `rubbish::` (experiments here: misses, fine, dear)",
        ),
        (&["--skip", "::"], "--skip leaves out all tests of this target"),
        (&["dear::"], "all selected experiments are marked #[ignore], so nothing was tested"),
    ] {
        for ci in [&[][..], &[("CI", "true")]] {
            let run = start(arguments, ci);
            assert_eq!(run.code, Some(0), "{}", run.output());
            assert!(run.stderr.contains(&format!("note: {note}")), "{arguments:?}\n{}", run.stderr);
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        }
    }
    // One of the two filters matches tests.
    let run = start(&["fine::r1", "fnie::"], &[]);
    assert!(run.stderr.contains("`fnie::`; did you mean `fine::`?"), "{}", run.stderr);
    assert_eq!(start(&["fine::"], &[]).stderr, "");
}

#[test]
fn what_is_filtered_out_is_counted() {
    // The other tests are 10 and a gate, 10, and 2 that are marked #[ignore].
    for (arguments, filtered) in [
        (&["baad::"][..], 23),
        (&["--exact", "baad::r3"], 23),
        (&["nonsense"], 23),
        (&["--skip", "::"], 23),
        (&["r3"], 21),
        // A dataset function is not called where the filter cannot match its experiment, which then
        // counts as one test.
        (&["fine::r1"], 9 + 1 + 2),
    ] {
        let run = start(arguments, &[]);
        assert_eq!(filtered_out(&run), filtered, "{arguments:?}\n{}", run.stdout);
    }
}

// ---- nothing to run ----

#[test]
fn a_target_without_experiments_is_red_under_every_runner() {
    let run = PROJECT.cargo_test(["--test", "off"]).run();
    assert_eq!(run.code, Some(101));
    assert!(run.stderr.contains("no experiment is linked into this test target"), "{}", run.stderr);
    assert!(run.stderr.contains("the feature or cfg that it is behind"), "{}", run.stderr);
    if !needs::nextest() {
        return;
    }
    let list =
        PROJECT.cargo_nextest(&["nextest", "list"], ["--test", "off", "-T", "oneline"]).run();
    assert_eq!(list.stdout, "selection::off no_experiment_is_linked\n", "{}", list.cargo_stderr);
    for arguments in [
        &["--test", "off", "--test", "evals", "--no-fail-fast"][..],
        &["-E", "binary(off) or test(=fine)"],
        &["--test", "off"],
    ] {
        let run = PROJECT.cargo_nextest(&["nextest", "run"], arguments.to_vec()).run();
        assert_eq!(run.code, Some(100), "{arguments:?}\n{}", run.cargo_stderr);
        assert!(
            run.cargo_stderr.contains("no experiment is linked into this"),
            "{}",
            run.cargo_stderr
        );
    }
}

#[test]
fn a_target_whose_experiments_are_all_ignored_says_so() {
    let run = PROJECT.cargo_test(["--test", "all_ignored"]).run();
    assert_eq!(run.code, Some(0));
    assert_eq!(run.tests()["expensive::a"], "ignored (costs money)");
    assert!(
        run.stderr.contains("so nothing was tested; --include-ignored runs them"),
        "{}",
        run.stderr
    );
    if needs::nextest() {
        let run = PROJECT.cargo_nextest(&["nextest", "run"], ["--test", "all_ignored"]).run();
        assert_eq!(run.code, Some(4), "nextest's own code for nothing to run");
    }
}

// ---- what was left in the environment ----

#[test]
fn tasks_that_no_cargo_honeyhive_gave_are_refused() {
    let good = PROJECT.evals(["fine::"]).run();
    let directory = good.invocations()[0].display().to_string();
    let rejudge = format!("rejudge:{directory}");
    let file = good.directory().join("out.json");
    fs::write(&file, "").expect("a file");
    let out = file.display().to_string();
    let left: [&[(&str, &str)]; 4] = [
        &[("HH_REJUDGE", &directory)],
        &[("HH_TASK", "plan")],
        &[("HH_TASK", &rejudge), ("HH_TASK_OUT", &out)],
        &[("HH_TASK", "plan"), ("HH_TASK_OUT", "/no/such/file")],
    ];
    for variables in left {
        for ci in [&[][..], &[("CI", "true")]] {
            let run = start(&["fine::"], &[variables, ci].concat());
            let text = format!("{variables:?}\n{}", run.output());
            assert_eq!((run.code, run.invocations().len()), (Some(101), 0), "{text}");
            assert_eq!(run.stdout, "", "{text}");
            assert!(
                run.stderr.contains("is set in the environment, but no `cargo honeyhive`"),
                "{text}"
            );
            assert!(run.stderr.contains(&format!("Unset {}: ", variables[0].0)), "{text}");
        }
    }
}

#[test]
fn names_that_a_run_had_must_still_be_there() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let ticket = directory.path().join("ticket");
    // The content is what `cargo honeyhive run --rerun` writes.
    fs::write(&ticket, "cargo honeyhive asks for rerun\n").expect("a file");
    let ticket = ticket.display().to_string();
    let variables = [("HH_TASK", "rerun"), ("HH_TASK_OUT", &*ticket)];
    let run = start(&["--exact", "renamed::a", "fine::r1"], &variables);
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert_eq!(run.tests()["fine::r1"], "ok");
    assert_eq!(
        run.failure("renamed::a"),
        "this test target has no experiment `renamed` any more",
        "{}",
        run.output()
    );
    assert_eq!(start(&["--exact", "renamed::a"], &variables).code, Some(101));
    assert_eq!(start(&["--exact", "fine::r1"], &variables).code, Some(0));
}

#[test]
fn unknown_variables_are_told_and_misspelt_ones_stop_ci() {
    let run = start(&["fine::r1"], &[("HH_REPEAT", "3"), ("HH_FROBNICATE", "1")]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.stderr.contains("note: HH_REPEAT has no meaning; did you mean HH_REPEATS?\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("note: HH_FROBNICATE has no meaning here; "), "{}", run.stderr);
    let run = start(&["fine::r1"], &[("HH_REPEAT", "3"), ("CI", "true")]);
    assert_eq!((run.code, run.invocations().len()), (Some(101), 0));
    assert!(
        run.stderr.contains("error: HH_REPEAT has no meaning; did you mean HH_REPEATS?"),
        "{}",
        run.stderr
    );
    let run = start(&["fine::r1"], &[("HH_FROBNICATE", "1"), ("CI", "true")]);
    assert_eq!(run.code, Some(0), "another program's, perhaps");
}

// ---- streams and arguments ----

#[cfg(unix)]
#[test]
fn what_cannot_be_read_or_printed_is_an_error_without_a_panic() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let no_panic = |run: &Run, text: &str| {
        assert_eq!(run.code, Some(101), "{text}\n{}", run.output());
        assert!(run.stderr.contains(text), "{text}\n{}", run.stderr);
        for word in ["panicked", "RUST_BACKTRACE", "unwrap"] {
            assert!(!run.stderr.contains(word), "{text}\n{}", run.stderr);
        }
    };
    let run = PROJECT.evals([OsString::from_vec(b"fi\xffne".to_vec())]).start().finish();
    no_panic(&run, "error: argument 1 is not valid UTF-8: fi\u{fffd}ne");
    no_panic(
        &start(&["fine::", "--logfile", "/no/such/place"], &[]),
        "--logfile /no/such/place: cannot create",
    );
    if Path::new("/dev/full").exists() {
        let full = start(&["fine::", "--logfile", "/dev/full"], &[]);
        no_panic(&full, "error: results cannot be printed to --logfile /dev/full: No space left");
        assert_eq!(full.cases().len(), 10, "all is recorded");
        let full = |arguments: &[&str]| {
            PROJECT.evals(arguments.iter().copied()).start_after("exec > /dev/full").finish()
        };
        let run = full(&["fine::"]);
        no_panic(&run, "error: results cannot be printed to standard output: No space left");
        assert_eq!(run.cases().len(), 10, "all is recorded");
        no_panic(&full(&["--list"]), "error: the list cannot be printed to standard output");
        no_panic(&full(&["--help"]), "error: standard output cannot be written");
        no_panic(&full(&["nonsense"]), "error: results cannot be printed to standard output");
    }
    let closed = PROJECT.evals(["fine::"]).start_after("exec >&-").finish();
    assert_eq!((closed.code, closed.cases().len()), (Some(0), 10), "{}", closed.stderr);
}

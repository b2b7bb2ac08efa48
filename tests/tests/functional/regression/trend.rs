//! Tests `cargo honeyhive runs --trend` with runs that have a small permanent loss.

use std::path::{Path, PathBuf};

use honeyhive_tests::Honeyhive;
use insta::assert_snapshot;
use serde_json::Value;

use super::PROJECT;

/// Runs the experiment once for each number of bad cases; returns the names of the runs.
fn runs(root: &Path, bad: &[u32]) -> Vec<String> {
    let one = |bad: &u32| {
        let run = PROJECT.evals(["drifting::"]).env("BAD", bad.to_string()).env("HH_DIR", root);
        let run = run.run();
        let path =
            run.stdout.lines().find_map(|line| line.strip_prefix("journal ")).expect("a path");
        let directory = Path::new(path).parent().and_then(Path::file_name).expect("a directory");
        directory.to_string_lossy().into_owned()
    };
    bad.iter().map(one).collect()
}

fn honeyhive(root: &Path, arguments: &[&str]) -> String {
    let run = Honeyhive::new(&PROJECT.directory(), arguments.iter().copied()).argument("--dir");
    let (code, text, stderr) = run.argument(root).run();
    assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
    text
}

/// Returns the text without the names of runs.
fn shown(text: &str, names: &[String]) -> String {
    names.iter().enumerate().fold(text.to_owned(), |text, (at, name)| {
        text.replace(name.as_str(), &format!("<run {}>", at + 1))
    })
}

#[test]
fn a_loss_that_stays_is_named_with_the_run_it_began_with() {
    let scratch = tempfile::tempdir().expect("a directory");
    let root: PathBuf = scratch.path().into();
    let file = super::file("drifting");
    let _ = std::fs::remove_file(&file);
    let mut names = runs(&root, &[2]);
    assert!(honeyhive(&root, &["runs", "--trend"]).starts_with("no trend yet: "));
    names.extend(runs(&root, &[3, 2, 3, 2, 3, 2]));
    let steady = honeyhive(&root, &["runs", "--trend"]);
    assert_snapshot!(shown(&steady, &names), @"
    experiment  evaluator  runs      sum  mean
    drifting    points     ▁▁▁▁▁▁    0.0  0.9 → 0.9

    sum: what each run lost, in standard deviations of a run and less 0.5, added up
    (CUSUM); above 4 it is drift. Bars are full from there on.
    ");
    names.extend(runs(&root, &[6, 7, 6]));
    // A run of a part of the rows is left out.
    let _ = PROJECT.evals(["drifting::0"]).env("HH_DIR", &root).run();
    let drifting = honeyhive(&root, &["runs", "--trend"]);
    assert_snapshot!(shown(&drifting, &names), @"
    experiment  evaluator  runs         sum  mean
    drifting    points     ▁▁▁▁▁▁▅██    7.5  0.9 → 0.7
      note drifting by points: drift since <run 8>: 0.683 on average
           since then, 0.9 in <run 1>
      1 run left out: of other rows, evaluators or settings, or partial

    sum: what each run lost, in standard deviations of a run and less 0.5, added up
    (CUSUM); above 4 it is drift. Bars are full from there on.
    ");
    let read: Value =
        serde_json::from_str(&honeyhive(&root, &["runs", "--trend", "--json"])).expect("JSON");
    assert_eq!(read[0]["drift_since"], names[7].as_str());
    assert_eq!(
        (read[0]["runs"].as_array().map(Vec::len), &read[0]["left_out"]),
        (Some(9), &1.into())
    );

    // The accepted run is the new reference.
    let newest = names.last().expect("a run").clone();
    honeyhive(&root, &["accept", &newest]);
    assert!(honeyhive(&root, &["runs", "--trend"]).starts_with("no trend yet: "));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    names.extend(runs(&root, &[6, 7]));
    let accepted = honeyhive(&root, &["runs", "--trend", "--json"]);
    let read: Value = serde_json::from_str(&accepted).expect("JSON");
    assert_eq!((&read[0]["from_baseline"], &read[0]["drift_since"]), (&true.into(), &Value::Null));
    assert_eq!(read[0]["runs"].as_array().map(Vec::len), Some(2), "{accepted}");
    std::fs::remove_file(&file).expect("a baseline");
}

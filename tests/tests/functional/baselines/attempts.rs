//! Tests `cargo honeyhive accept --attempts`, and the warnings of accepting.

use super::*;

/// Runs `cargo honeyhive accept` with journals in the test's own directory.
fn accept_in(
    scratch: &Path,
    arguments: &[&str],
    env: &[(&str, &str)],
) -> (Option<i32>, String, String) {
    let mut command = PROJECT.honeyhive([&["accept"], arguments].concat());
    for (name, value) in env {
        command = command.env(name, value);
    }
    command.env("HH_DIR", scratch).env("SCRATCH", scratch).run()
}

fn runs(scratch: &Path) -> usize {
    let Ok(entries) = fs::read_dir(scratch) else { return 0 };
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let is_run = |one: &fs::DirEntry| one.path().is_dir() && !hidden(&one.file_name());
    entries.filter(|one| one.as_ref().is_ok_and(is_run)).count()
}

#[test]
fn a_steady_baseline_is_gathered_in_one_command() {
    let scratch = tempfile::tempdir().expect("a directory");
    let own = scratch.path().join("baseline.json");
    let to = own.display().to_string();
    // There is no earlier run: the command finds the target by itself.
    let arguments = ["--attempts", "4", "-e", "plain", "--to", &to];
    let (code, stdout, stderr) = accept_in(scratch.path(), &arguments, &[("GOOD", "9")]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stderr.contains("`plain`: 40 cases × 4 attempts = 160 calls"), "{stderr}");
    assert!(stdout.contains("accepted plain: 40 cases × 4 attempts, right 0.9\n"), "{stdout}");
    assert_eq!(runs(scratch.path()), 1, "one run, which stays");
    let written: Value = serde_json::from_str(&fs::read_to_string(&own).expect("a file")).unwrap();
    let score = &written["cases"]["n00"]["scores"]["right"];
    assert_eq!(*score, serde_json::json!({"score": 1.0, "attempts": 4, "good": 4}));

    // The second run is added to the baseline, and only JSON is on standard output.
    let arguments = [&arguments[..], &["--add", "--json"]].concat();
    let (code, stdout, stderr) = accept_in(scratch.path(), &arguments, &[("GOOD", "9")]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let accepted: Value = serde_json::from_str(&stdout).expect("JSON alone");
    assert_eq!(
        (&accepted[0]["experiment"], &accepted[0]["written"]),
        (&"plain".into(), &true.into())
    );
    let written: Value = serde_json::from_str(&fs::read_to_string(&own).expect("a file")).unwrap();
    assert_eq!(written["cases"]["n00"]["scores"]["right"]["attempts"], 8);
}

#[test]
fn what_is_no_steady_baseline_is_not_accepted() {
    let scratch = tempfile::tempdir().expect("a directory");
    let own = scratch.path().join("baseline.json");
    let to = own.display().to_string();
    let arguments = ["--attempts", "2", "-e", "broken", "--test", "evals", "--to", &to];
    let (code, stdout, stderr) = accept_in(scratch.path(), &arguments, &[]);
    assert_eq!((code, stdout.contains("accepted")), (Some(1), false), "{stderr}");
    assert!(
        stderr.contains("`broken` of ") && stderr.contains("8 of 80 attempts ended in an error"),
        "{stderr}"
    );
    assert!(!own.exists());
    // The run can still be accepted as it is, since its calls are paid for.
    let (code, stdout, stderr) = accept_in(scratch.path(), &["-e", "broken", "--to", &to], &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("warning: right has a score for 36 of 40 cases only"), "{stdout}");

    let (code, _, stderr) = accept_in(scratch.path(), &["--attempts", "2", "-e", "plan"], &[]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("no target here has an experiment `plan`; did you mean `plain`?"),
        "{stderr}"
    );
    let (code, _, stderr) = accept_in(scratch.path(), &["--attempts", "2"], &[("CI", "true")]);
    assert!(code == Some(1) && stderr.contains("not in CI"), "{stderr}");
    for wrong in [&["--attempts", "0"][..], &["--attempts", "2", "latest"], &["--test", "evals"]] {
        let (code, _, stderr) = accept_in(scratch.path(), wrong, &[]);
        assert_eq!(code, Some(64), "{wrong:?}: {stderr}");
    }
    assert_eq!(runs(scratch.path()), 1);
}

#[test]
fn the_baseline_of_another_package_is_not_replaced_without_a_word() {
    let ran = run("plain", 8);
    let other = tempfile::tempdir().expect("a directory");
    fs::write(other.path().join("Cargo.toml"), "[package]\nname = \"elsewhere\"\n").unwrap();
    let file = other.path().join("baselines/plain.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let to = file.display().to_string();
    let (code, stdout, stderr) = honeyhive(&ran, &["accept", "--to", &to]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("warning: the run is of the package `baselines`, "), "{stdout}");
    assert!(stdout.contains("is of the package `elsewhere`"), "{stdout}");
    // A file in the directory of the project's own baselines causes no warning.
    let beside = PROJECT.directory().join("baselines/beside.json").display().to_string();
    let (code, stdout, _) = honeyhive(&ran, &["accept", "--to", &beside]);
    assert!(code == Some(0) && !stdout.contains("package"), "{stdout}");
    fs::remove_file(beside).unwrap();
}

#[test]
fn fewer_attempts_than_in_the_attribute_are_a_note_where_the_gate_compares() {
    let said = "note: HH_REPEATS=1: `collapses` has 3 attempts per case in its attribute";
    let with = |filter: &str, repeats: &str| {
        let run = PROJECT.evals([filter]).env("HH_REPEATS", repeats).run();
        assert!(!run.cases().is_empty(), "{}", run.output());
        run
    };
    let weaker = with("collapses::", "1");
    assert!(weaker.stderr.contains(said), "{}", weaker.output());
    for (filter, repeats) in [("collapses::", "3"), ("collapses::n01", "1"), ("plain::", "1")] {
        let run = with(filter, repeats);
        assert!(!run.stderr.contains("HH_REPEATS"), "{}", run.output());
    }
}

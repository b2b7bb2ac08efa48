//! Tests that secrets which an experiment uses are not recorded, printed or sent.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use honeyhive_harness::journal::{AttemptRecord, ErrorKind, Record, read_invocation};
use honeyhive_tests::{Project, Run};
use serde_json::json;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("redaction", include_str!("evals/redaction.rs"))
        .target("hooks", include_str!("evals/hooks.rs"))
});

/// A secret with characters that JSON, `{:?}` and addresses escape.
const SECRET: &str = "Kiwi\"fruit/ä Papaya";

/// Returns all texts that a run wrote and printed, without the notes of its experiments.
fn traces(run: &Run) -> String {
    let mut text = format!("{}{}", run.stdout, run.stderr);
    for file in run.written() {
        let bytes = fs::read(file).expect("a readable file");
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    text
}

fn leaks(arguments: &[&str]) -> Run {
    PROJECT.evals(arguments.iter().copied()).env("SERVICE_API_KEY", SECRET).run()
}

#[test]
fn a_secret_of_the_environment_is_nowhere() {
    let run = leaks(&["leaks", "unread", "--skip", SECRET]);
    assert_eq!(run.code, Some(101), "{}", run.output());
    let text = traces(&run);
    for part in ["Kiwi", "fruit", "Papaya"] {
        assert!(!text.contains(part), "{part} is in\n{text}");
    }
    // The experiments themselves saw the secret.
    assert_eq!(run.notes("seen"), ["true"; 2]);
    assert_eq!(run.attempts().len(), 4);
    let attempt = run.attempt("output");
    assert_eq!(attempt.inputs["text"], "the key is [redacted]");
    assert_eq!(attempt.inputs["[redacted]"], 1);
    assert_eq!(attempt.ground_truth, Some(json!({"deep": [{"key": "[redacted]"}]})));
    assert_eq!(attempt.output, Some(json!("output: the key is [redacted]")));
    assert_eq!(attempt.metadata["note"], "[redacted]");
    assert_eq!(attempt.tags, ["[redacted]"]);
    assert_eq!(attempt.scores[0].label.as_deref(), Some("[redacted]"));
    let call = attempt.spans.iter().find(|span| span.name == "call").expect("a span");
    assert_eq!(call.attributes["authorization"], "Bearer [redacted]");
    assert_eq!(call.events[0].name, "sent [redacted]");
    let message = |case: &str| run.attempt(case).error.expect("an error").message;
    assert_eq!(message("error"), "denied: the key is [redacted]");
    assert!(message("panic").ends_with("cannot use \"[redacted]\""), "{}", message("panic"));
    let judged = run.attempt("judge").scores[0].error.clone().expect("an error");
    assert_eq!(judged.message, "no judge takes [redacted]");
    assert!(run.failure("unread::dataset").contains("cannot log in with [redacted]"));
    assert!(run.failure("leaks::error").contains("denied: the key is [redacted]"));
}

#[test]
fn without_contents_the_record_says_what_happened() {
    let run =
        PROJECT.evals(["leaks"]).env("SERVICE_API_KEY", SECRET).env("HH_CAPTURE", "none").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let text = traces(&run);
    for part in ["Kiwi", "the key is", "no judge takes", "denied:", "cannot use"] {
        assert!(!text.contains(part), "{part} is in\n{text}");
    }
    assert_eq!(run.notes("seen"), ["true"; 2]);
    let attempt = run.attempt("output");
    assert!(attempt.inputs.is_empty() && attempt.output.is_none());
    assert_eq!(attempt.ground_truth, None);
    assert_eq!(attempt.metadata["note"], "[redacted]");
    assert_eq!(attempt.scores[0].value.map(honeyhive_harness::ScoreValue::as_f64), Some(0.0));
    assert_eq!(attempt.scores[0].explanation, None);
    let call = attempt.spans.iter().find(|span| span.name == "call").expect("a span");
    assert!(!call.attributes.contains_key("honeyhive_inputs.text"));
    assert_eq!(call.attributes["authorization"], "Bearer [redacted]");
    let error = run.attempt("panic").error.expect("an error");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Panic, "[not captured]"));
    assert!(run.failure("leaks::error").contains("error: [not captured]"));
}

#[test]
fn the_end_of_a_run_says_which_variables_were_redacted() {
    let run = leaks(&["leaks"]);
    let line = run.stdout.lines().find(|line| line.starts_with("redacted: ")).expect("a line");
    assert!(line.starts_with("redacted: SERVICE_API_KEY "), "{line}");
    let end = run.end().expect("an end");
    assert!(end.redacted["SERVICE_API_KEY"] >= 10, "{:?}", end.redacted);
    // Nothing was redacted, so the output does not mention it.
    let run = WORDS.evals(["answers"]).run();
    assert!(!run.output().contains("redacted"), "{}", run.output());
}

/// A project whose password is an ordinary word, so that the recorded text differs from the one
/// that the evaluators of the run saw.
static WORDS: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("redaction_words", include_str!("evals/redaction_words.rs"))
});

#[test]
fn what_was_redacted_is_not_judged_again() {
    let run = WORDS.evals(["--test-threads", "1"]).env("DB_PASSWORD", "swordfish").run();
    let outcomes = |run: &Run| -> Vec<String> {
        run.tests().into_iter().map(|(name, outcome)| format!("{name} {outcome}")).collect()
    };
    // During the run, evaluators see the real text.
    assert_eq!(
        outcomes(&run),
        ["answers::other ok", "answers::pg ok", "talks::other ok", "talks::pg FAILED"]
    );
    assert_eq!(
        run.attempt("pg").redacted,
        Some(vec!["inputs".to_owned(), "ground_truth".to_owned(), "output".to_owned(),])
    );
    assert_eq!(run.attempt("other").redacted, Some(Vec::new()));
    let journal = run.directory().join("journal");
    let first = run.invocations();
    let (code, stdout, stderr) =
        WORDS.honeyhive(["rejudge"]).env("HH_DIR", &journal).env("DB_PASSWORD", "swordfish").run();
    let said = format!("{stdout}{stderr}");
    assert_eq!(code, Some(1), "{said}");
    for line in ["talks::other ", "answers::other "] {
        let line = said.lines().find(|one| one.contains(line)).expect("a line of the test");
        assert!(line.ends_with("ok"), "{line}");
    }
    // Each of these cases is an error with the reason, whether it would pass or not.
    for case in ["answers::pg ", "talks::pg "] {
        let line = said.lines().find(|one| one.contains(case)).expect("a line of the test");
        assert!(line.ends_with("FAILED"), "{said}");
    }
    let why =
        "not judged again: secrets were redacted in its recorded output, inputs, ground truth";
    assert_eq!(said.matches(why).count(), 2, "{said}");
    // These cases have no score, since a score would be about another text.
    let judged = attempts_beside(&first, &run);
    let scored = judged.iter().filter(|attempt| !attempt.scores.is_empty());
    assert_eq!(scored.map(|attempt| attempt.case.as_str()).collect::<Vec<_>>(), ["other"; 2]);
}

/// Returns the attempts of the one invocation that is not in `known`.
fn attempts_beside(known: &[PathBuf], run: &Run) -> Vec<AttemptRecord> {
    let others: Vec<PathBuf> =
        run.invocations().into_iter().filter(|one| !known.contains(one)).collect();
    let [other] = &others[..] else { panic!("one more invocation was expected: {others:?}") };
    let records = read_invocation(other).expect("a journal").records;
    let attempts = records.into_iter().filter_map(|record| match record {
        Record::Attempt(attempt) => Some(*attempt),
        _ => None,
    });
    attempts.collect()
}

fn hooks(experiment: &str) -> Run {
    PROJECT.cargo_test(["--test", "hooks"]).arguments([experiment]).run()
}

#[test]
fn hooks_mask_what_is_recorded_and_evaluators_see_what_is_real() {
    let run = hooks("says");
    assert_eq!(run.code, Some(0), "{}", run.output());
    let attempt = run.attempt("name");
    assert_eq!(attempt.inputs["text"], "[name] and [name]");
    assert_eq!(attempt.output, Some(json!("[name] and [name]")));
    assert_eq!(run.attempt("none").output, Some(json!("nobody")));
    assert!(!traces(&run).contains("Ada"));
}

#[test]
fn a_hook_that_panics_leaves_nothing_of_the_text() {
    let run = hooks("says");
    assert_eq!(run.code, Some(0), "{}", run.output());
    let attempt = run.attempt("diary");
    assert_eq!(attempt.output, Some(json!("[redacted: the hook panicked]")));
    assert!(!traces(&run).contains("diary of"), "{}", run.output());
    let note = "note: a hook of redact! panicked at 3 texts; each was replaced as a whole";
    assert!(run.stderr.contains(note), "{}", run.stderr);
}

#[test]
fn a_hook_that_never_comes_back_stops_nobody() {
    let run = hooks("stuck");
    assert_eq!(run.code, Some(0), "{}", run.output());
    let output = run.attempt("one").output.expect("an output");
    assert_eq!(output, json!("[redacted: the hook took too long]"));
    assert!(!traces(&run).contains("for ever"));
    assert!(run.stderr.contains("note: a hook of redact! took too long"), "{}", run.stderr);
}

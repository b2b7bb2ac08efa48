//! Tests the reports after a run, and `cargo honeyhive report`.

use std::fs;
use std::sync::LazyLock;

use honeyhive_tests::{Honeyhive, Project, Run};
use insta::assert_snapshot;
use serde_json::{Value, json};

use junit::Suites;

mod junit;

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("reports", include_str!("evals/reports.rs")));

/// Puts placeholders for the parts that differ from run to run.
fn stable(run: &Run, text: &str) -> String {
    let stable = |word: &str| match word.chars().filter(char::is_ascii_digit).count() {
        12.. => "<id>".to_owned(),
        _ => word.to_owned(),
    };
    let words = |line: &str| match line.strip_prefix("| latency |") {
        // The latencies of quick functions may or may not differ.
        Some(_) => "| latency | ..".to_owned(),
        None => line.split(' ').map(stable).collect::<Vec<_>>().join(" "),
    };
    run.normalize(&text.lines().map(|line| words(line) + "\n").collect::<String>())
}

/// Returns the lines of `results.jsonl`, after checking each against the published schema.
fn results(run: &Run) -> Vec<Value> {
    let schema = include_str!("../../../honeyhive-harness/schema/results.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("a schema");
    jsonschema::meta::validate(&schema).expect("a schema is one");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let text = run.report_file("results.jsonl");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &lines {
        let kind = line["type"].as_str().expect("a type");
        if let Err(error) = schema.validate(line) {
            panic!("{kind}: {error}: {line}");
        }
    }
    lines
}

#[test]
fn a_run_ends_with_the_path_of_its_report() {
    let run = PROJECT.evals(["fails::"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let last = run.stdout.lines().last().unwrap_or_default();
    let path = last.strip_prefix("report  ").expect("the last line");
    assert!(path.ends_with("/report/report.html"), "{path}");
    assert!(fs::metadata(path).is_ok_and(|file| file.is_file()), "{path}");
    let [directory] = &run.invocations()[..] else { panic!("one invocation was expected") };
    let names = fs::read_dir(directory.join("report")).expect("a directory");
    let mut names: Vec<String> =
        names.map(|entry| entry.expect("a file").file_name().to_string_lossy().into()).collect();
    names.sort_unstable();
    assert_eq!(names, ["junit.xml", "report.html", "results.jsonl", "summary.md"]);
}

#[test]
fn the_comment_of_a_pull_request() {
    let run = PROJECT.evals(["fails::", "good::"]).run();
    assert_snapshot!(stable(&run, &run.report_file("summary.md")), @"
    <!-- honeyhive: reports/evals -->
    ## ❌ FAIL · `reports/evals`

    8 cases: 6 pass, 1 miss, 1 error · <time>

    ### ❌ `fails` FAIL

    - `error_rate <= 0.1: 0.25, n = 4, 95 % 0.046 to 0.699; worst: n0`

    | evaluator | mean | 95 % interval | n | gate |
    |---|--:|---|--:|---|
    | `right` (1 without a score) | 0.667 | 0.208–0.939 | 3 of 4 | ⚠️ `mean(right) >= 0.9` |
    | `distance` (1 without a score) | 2 | -6.605–10.605 | 3 of 4 | - |
    | latency | ..
    | error_rate | 0.25 | 0.046–0.699 | 4 | ❌ `error_rate <= 0.1` |

    ### ✅ `good` PASS

    | evaluator | mean | 95 % interval | n | gate |
    |---|--:|---|--:|---|
    | `right` | 1 | 0.51–1 | 4 | - |
    | latency | ..

    <details><summary>2 cases of <code>fails</code> not as expected</summary>

    **`n0`** error, the gate decides
    ```text
    error: nothing
    input     0
    expected  0
    rerun     cargo test --test evals -- --exact fails::n0
    ```

    **`n1`** miss, the gate decides
    ```text
    right is false
    input     1
    expected  1
    output    7
    rerun     cargo test --test evals -- --exact fails::n1
    ```

    </details>
    ");
}

#[test]
fn junit_tells_misses_from_errors() {
    let run = PROJECT.evals(["fails::", "good::"]).run();
    let suites = Suites::read(&run.report_file("junit.xml"));
    assert_snapshot!(suites.outline(), @"
    reports::evals::fails
      fails::n0 []
      fails::n1 [right=0 distance=6]
      fails::n2 [right=1 distance=0]
      fails::n3 [right=1 distance=0]
      fails::gate [] failure error_rate <= 0.1: 0.25, n = 4, 95 % 0.046 to 0.699; worst: n0
    reports::evals::good
      good::n0 [right=1]
      good::n1 [right=1]
      good::n2 [right=1]
      good::n3 [right=1]
    ");
    // The names are those that cargo printed.
    let printed: Vec<String> = run.tests().into_keys().collect();
    assert_eq!(suites.names(), printed);
}

#[test]
fn results_are_as_their_schema_says() {
    let run = PROJECT.evals(["fails::", "good::"]).run();
    let lines = results(&run);
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!((of("results"), of("experiment"), of("case")), (1, 2, 8));
    let fails = lines.iter().find(|line| line["experiment"] == "fails").expect("a line");
    assert_eq!(fails["evaluators"][0]["n"], 3);
    assert_eq!(fails["evaluators"][0]["missing"], 1);
    assert_eq!(fails["gate"]["verdict"], "fail");
    assert_eq!(fails["cases"]["error"], 1);
}

#[test]
fn no_report_can_be_broken_by_what_it_reports() {
    let run = PROJECT.evals(["hostile"]).run();
    let suites = Suites::read(&run.report_file("junit.xml"));
    assert_eq!((suites.suites.len(), suites.tests()), (2, 19));
    // No case of `hostile_error` has a score, which is an error of the experiment.
    assert!(suites.names().contains(&"hostile_error".to_owned()));
    assert!(!suites.names().iter().any(|name| name == "forged"));
    let lines = results(&run);
    assert_eq!(lines.len(), 1 + 2 + 18);
    // Machine-readable reports have the whole text.
    let long = lines.iter().find(|line| line["row"] == 8).expect("a line");
    assert_eq!(long["attempts"][0]["output"], json!("`<\u{1b}x".repeat(1 << 18)));
    let markdown = run.report_file("summary.md");
    assert!(markdown.encode_utf16().count() <= 65_000);
    assert_eq!(markdown.matches("<!-- honeyhive: reports/evals -->").count(), 1);
    let harmless = |c: char| c == '\n' || !c.is_control();
    assert!(markdown.chars().all(harmless), "control characters");
    assert!(!markdown.contains(['\u{202e}', '\u{2066}', '\u{200f}']));
    assert!(!markdown.lines().any(|line| line.starts_with("::") || line.starts_with('#') && line.contains("heading")));
}

#[test]
fn what_misses_now_and_did_not_before_comes_first_everywhere() {
    let file = PROJECT.directory().join("data/accepted.json");
    let _ = fs::remove_file(&file);
    let run = PROJECT.evals(["moved::"]).run();
    let experiment = run.experiments().remove(0);
    let prints: serde_json::Map<String, Value> = experiment
        .evaluators
        .iter()
        .map(|one| {
            let print =
                json!({"source": one.source_hash, "direction": "maximize", "reduce": "mean"});
            (one.name.clone(), print)
        })
        .collect();
    // Of the two misses, `n1` also missed before; the error of `n0` is new.
    let cases: serde_json::Map<String, Value> = run
        .cases()
        .iter()
        .map(|case| {
            let good = u32::from(case.case != "n1");
            let scores = json!({"right": {"score": good, "attempts": 1, "good": good}});
            (case.case.clone(), json!({"row": case.row_hash, "scores": scores}))
        })
        .collect();
    let baseline = json!({
        "schema": 1, "experiment": "moved", "accepted_at": "2026-01-02T03:04:05Z",
        "invocation": "another", "evaluators": prints, "cases": cases,
    });
    fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
    fs::write(&file, baseline.to_string()).expect("a file");
    let run = PROJECT.evals(["moved::"]).run();
    fs::remove_file(&file).expect("the file");
    let in_order = |text: &str, places: [&str; 3]| {
        let at = places.map(|place| text.find(place).unwrap_or_else(|| panic!("{place}: {text}")));
        assert!(at.is_sorted(), "{places:?}: {text}");
    };
    let markdown = run.report_file("summary.md");
    assert!(markdown.contains("Against `the baseline accepted "), "{markdown}");
    assert!(markdown.contains("▼ 1 regressed, = 2 same, + 1 not comparable"), "{markdown}");
    in_order(
        &markdown,
        [
            "**`n2`** miss, the gate decides ▼ new",
            "**`n0`** error, the gate decides ▼ new",
            "**`n1`** miss, the gate decides, missed before",
        ],
    );
    in_order(&run.stdout, ["– n0  ▼ new", "– n2  ▼ new", "– n1  right is false"]);
    let page = run.report_file("report.html");
    in_order(&page, ["<b>n2</b>", "<b>n0</b>", "<b>n1</b>"]);
    assert_eq!(page.matches("<small>missed before</small>").count(), 1);
    let missed: Vec<Value> = results(&run)
        .iter()
        .filter(|line| line["type"] == "case")
        .map(|line| line["missed_before"].clone())
        .collect();
    assert_eq!(missed, [false, true, false, false].map(Value::from));
}

#[test]
fn which_reports_are_written_is_up_to_the_environment() {
    let run = PROJECT.evals(["good::"]).env("HH_REPORT", "none").run();
    assert!(!run.stdout.contains("report  "), "{}", run.output());
    let [directory] = &run.invocations()[..] else { panic!("one invocation was expected") };
    assert!(!directory.join("report").exists());
    let run = PROJECT.evals(["good::"]).env("HH_REPORT", "junit").run();
    let last = run.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("report  ") && last.ends_with("/report/junit.xml"), "{last}");
    let run = PROJECT.evals(["good::"]).env("HH_REPORT", "pdf").run();
    assert_eq!(run.code, Some(101));
    assert!(run.stderr.contains("HH_REPORT=pdf: neither none nor some of"), "{}", run.stderr);
}

#[test]
fn a_report_that_cannot_be_written_is_a_note() {
    let run = PROJECT.evals(["in_the_way::"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    for file in ["report.html", "junit.xml", "results.jsonl", "summary.md"] {
        assert!(
            run.stderr.contains(&format!("/report/{file} cannot be written: ")),
            "{}",
            run.stderr
        );
    }
    assert!(!run.stdout.contains("report  "), "{}", run.output());
}

#[test]
fn github_shows_what_failed_and_where() {
    let scratch = tempfile::tempdir().expect("a directory");
    let summary = scratch.path().join("summary.md");
    fs::write(&summary, "from a step before\n").expect("a file");
    let run = PROJECT
        .evals(["fails::", "good::"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_WORKSPACE", PROJECT.directory().parent().expect("a parent"))
        .env("GITHUB_STEP_SUMMARY", &summary)
        .run();
    let annotations: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_snapshot!(run.normalize(&annotations.join("\n")), @"::error file=reports/tests/evals.rs,line=24,title=fails failed::error_rate <= 0.1: 0.25, n = 4, 95 %25 0.046 to 0.699; worst: n0%0Acargo test --test evals -- --exact fails");
    let text = fs::read_to_string(&summary).expect("a file");
    assert!(
        text.starts_with("from a step before\n<!-- honeyhive: reports/evals -->\n## ❌ FAIL"),
        "{text}"
    );
}

#[test]
fn a_report_is_written_again() {
    let run = PROJECT.evals(["fails::"]).run();
    let [directory] = &run.invocations()[..] else { panic!("one invocation was expected") };
    let written = run.report_file("junit.xml");
    fs::remove_dir_all(directory.join("report")).expect("reports");
    let report = |arguments: &[&str]| {
        Honeyhive::new(run.directory(), [&["report"], arguments].concat())
            .env("HH_DIR", directory.parent().expect("a parent"))
            .run()
    };
    let (code, stdout, stderr) = report(&[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.lines().all(|path| fs::metadata(path).is_ok()), "{stdout}");
    assert_eq!(run.report_file("junit.xml"), written);
    let (_, stdout, _) = report(&["--format", "junit"]);
    assert_eq!(stdout, written);
    let (code, stdout, _) = report(&["--format", "json", "--output", "own.jsonl"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "own.jsonl\n"));
    let own = fs::read_to_string(run.directory().join("own.jsonl")).expect("a file");
    assert_eq!(own, run.report_file("results.jsonl"));
    let (code, _, stderr) = report(&["no-such-run"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no run no-such-run in"), "{stderr}");
}

#[test]
fn two_runs_are_compared_in_one_report_and_runs_show_how_scores_went() {
    let first = PROJECT.evals(["fails::", "good::"]).run();
    let root = first.directory().join("journal");
    let second = PROJECT.evals(["fails::", "good::"]).env("HH_DIR", &root).run();
    assert!(second.stdout.contains("report  "), "{}", second.output());
    let honeyhive = |arguments: &[&str]| {
        Honeyhive::new(first.directory(), arguments).env("HH_DIR", &root).run()
    };
    let (code, stdout, stderr) =
        honeyhive(&["compare", "latest~1", "--format", "html", "--output", "two.html"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "two.html\n", ""));
    let page = fs::read_to_string(first.directory().join("two.html")).expect("a page");
    assert!(page.contains("the run 20"), "the other run is named");
    let (code, stdout, _) = honeyhive(&["compare", "latest~1", "--format", "md"]);
    assert_eq!(code, Some(0));
    // The case with an error has no score to compare.
    assert!(stdout.contains(": = 3 same, + 1 not comparable"), "{stdout}");
    let (code, stdout, _) = honeyhive(&["runs"]);
    assert_eq!(code, Some(0));
    let trends: Vec<&str> = stdout.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
    assert_snapshot!(trends.join("\n"), @"
    experiment  evaluator  runs  mean
    fails       right      ▅▅    0.667 → 0.667
    good        right      ▅▅    1 → 1
    ");
}

#[test]
fn where_nothing_can_show_a_report_its_path_is_printed() {
    let run = PROJECT.evals(["good::"]).run();
    let [directory] = &run.invocations()[..] else { panic!("one invocation was expected") };
    let (code, stdout, stderr) =
        Honeyhive::new(run.directory(), ["report", "--open", "--format", "html"])
            .argument(directory)
            .env("PATH", run.directory())
            .run();
    assert_eq!(code, Some(0));
    assert!(stderr.contains("cannot be started"), "{stderr}");
    assert_eq!(stdout, format!("{}\n", directory.join("report/report.html").display()));
}

#[test]
fn traces_are_requests_of_otlp() {
    let run = PROJECT.evals(["good::"]).run();
    let [directory] = &run.invocations()[..] else { panic!("one invocation was expected") };
    let (code, stdout, stderr) =
        Honeyhive::new(run.directory(), ["report", "--format", "otlp"]).argument(directory).run();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.ends_with("/report/traces.otlp.jsonl\n"), "{stdout}");
    let text = run.report_file("traces.otlp.jsonl");
    let mut traces = Vec::new();
    for line in text.lines() {
        let request: opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest =
            serde_json::from_str(line).expect("a request");
        for span in request.resource_spans.iter().flat_map(|resource| &resource.scope_spans) {
            traces.extend(span.spans.iter().map(|span| span.trace_id.clone()));
        }
    }
    let spans: usize = run.attempts().iter().map(|attempt| attempt.spans.len()).sum();
    assert_eq!(traces.len(), spans);
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 4, "one trace per attempt");
    // The journal is unchanged: reports are written to their own directory.
    assert_eq!(run.cases().len(), 4);
}

#[test]
fn processes_that_share_an_invocation_write_one_report() {
    if !honeyhive_tests::needs::nextest() {
        return;
    }
    let run = PROJECT.cargo_nextest(&["nextest", "run"], ["--no-fail-fast", "good", "fails"]).run();
    let suites = Suites::read(&run.report_file("junit.xml"));
    assert_eq!(suites.suites.len(), 2, "{}", suites.outline());
    let [directory] = &run.invocations()[..] else { panic!("one invocation was expected") };
    let names = fs::read_dir(directory.join("report")).expect("a directory");
    let unfinished = names
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(unfinished.count(), 0, "nothing is left behind");
}

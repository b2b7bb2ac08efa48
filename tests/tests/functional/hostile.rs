//! Tests that no byte of a dataset or an output reaches the terminal or the log of a CI runner
//! unescaped.

use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};
use serde_json::json;

/// Texts that contain commands for a terminal, a CI runner or a viewer of reports.
const PAYLOADS: [&str; 31] = [
    "\u{1b}[31mred",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;https://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "\u{1b}P$q\u{1b}\\",
    "\u{1b}c",
    "\u{9b}31m",
    "\u{9d}0;x\u{9c}",
    "\u{7}\u{8}\u{8}\u{7f}",
    "\0nul",
    "a\rb",
    "a\r\nPASS 9 cases in 1 experiment",
    "a\n::error file=a::pwned",
    "a\n\n  ::warning::pwned",
    "::error::pwned",
    "  ::add-mask::x",
    "\u{a0}::stop-commands::x",
    "\u{2028}::error::x",
    "\u{85}::error::x",
    "\u{b}::error::x",
    "\u{c}::warning::x",
    "##[command]x",
    "a ##[group]x",
    "##vso[task.setvariable variable=x]y",
    "a ##teamcity[testFailed name='x']",
    "\u{202e}gnp.exe",
    "\u{2066}a\u{2069}\u{200f}",
    "a\u{2029}b",
    "\u{feff}\u{200b}\u{2060}",
    "\u{e0041}\u{e0042}",
    "</script><script>alert(1)</script><!-- ]]>",
];

fn rows() -> String {
    let row = |(at, payload): (usize, &&str)| {
        let row = json!({
            "id": format!("{payload}{at}"),
            "inputs": {"text": payload, *payload: payload},
            "ground_truth": payload,
            "metadata": {*payload: payload},
            "tags": [payload],
        });
        format!("{row}\n")
    };
    PAYLOADS.iter().enumerate().map(row).collect()
}

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("hostile", include_str!("evals/hostile.rs"))
        .file("data/rows.jsonl", rows())
        .file(
            "data/\u{1b}[31m\n::error::name\u{9b}##[x].jsonl",
            "{\"id\": \"\u{9b}31m\\n::error::x\", \"inputs\": {\"text\": 1, \"##[x]\": 2}}\n",
        )
});

/// Returns the lines of a text that a terminal or a runner would execute.
fn commands(text: &str) -> Vec<String> {
    let is_invisible = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c,
                '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let is_command = |line: &&str| {
        let words = line.match_indices("##").any(|(at, _)| {
            line[at + 2..].trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('[')
        });
        // The harness itself writes annotations at places in the sources.
        let ours = line.starts_with("::error file=") && line.contains("tests/evals.rs,line=");
        words || line.contains(is_invisible) || (line.trim_start().starts_with("::") && !ours)
    };
    let forged = |line: &&str| line.starts_with("PASS 9");
    text.split('\n').filter(|line| is_command(line) || forged(line)).map(str::to_owned).collect()
}

fn check(what: &str, texts: &[&str]) {
    for text in texts {
        let commands = commands(text);
        assert!(commands.is_empty(), "{what}: {commands:#?}\nin\n{text}");
    }
}

fn evals(arguments: &[&str]) -> Run {
    PROJECT.evals(arguments.iter().copied()).env("CI", "true").env("GITHUB_ACTIONS", "true").run()
}

#[test]
fn a_run_prints_nothing_that_is_obeyed() {
    for arguments in [
        &["--format", "pretty"][..],
        &["--format", "terse"],
        &["--format", "json"],
        &["--test-threads", "1"],
        &["--list"],
        &["--exact", "says::gate"],
    ] {
        let run = evals(arguments);
        check(&format!("{arguments:?}"), &[&run.stdout, &run.stderr]);
        if arguments.contains(&"pretty") {
            assert_eq!(run.code, Some(101), "{}", run.output());
            assert!(run.stdout.contains("\\u{1b}[31mred"), "{}", run.stdout);
        }
    }
    // With colours, the only escape sequences are those of the harness.
    let run = evals(&["says", "--color", "always"]);
    let mut text = format!("{}{}", run.stdout, run.stderr);
    for color in ["0", "1", "2", "31", "32", "33"] {
        text = text.replace(&format!("\u{1b}[{color}m"), "");
    }
    // libtest-mimic uses these sequences.
    for color in ["\u{1b}[92m", "\u{1b}[91m", "\u{1b}[93m"] {
        text = text.replace(color, "");
    }
    check("colours", &[&text]);
}

#[test]
fn no_command_prints_anything_that_is_obeyed() {
    let run = evals(&["says", "fails", "panics", "named"]);
    let journal = run.directory().join("journal");
    let tell = |arguments: &[&str]| {
        let (_, stdout, stderr) = PROJECT
            .honeyhive(arguments)
            .env("HH_DIR", &journal)
            .env("GITHUB_ACTIONS", "true")
            .run();
        assert!(!(stdout.is_empty() && stderr.is_empty()), "{arguments:?} says nothing");
        check(&format!("{arguments:?}"), &[&stdout, &stderr]);
    };
    let merged = run.directory().join("merged").display().to_string();
    let [invocation] = &run.invocations()[..] else { panic!("one run") };
    let invocation = invocation.display().to_string();
    for arguments in [
        &["runs"][..],
        &["gate", "--recorded"],
        &["gate"],
        &["review"],
        &["review", "--all"],
        &["plan", "--test", "evals"],
        &["push"],
        &["push", "--all"],
        &["accept", "-e", "says"],
        &["accept", "-e", "##[group]\u{1b}[31m"],
        &["compare"],
        &["rejudge"],
        &["compare", "latest~1", "latest"],
        &["report"],
        &["report", "--format", "md"],
        &["report", "--format", "junit"],
        &["report", "--format", "json"],
        &["compare", "latest~1", "latest", "--format", "md"],
        &["merge", &invocation, "--into", &merged],
        &["no\u{1b}[31m\n::error::x"],
        &["gate", "no\u{1b}[31m\n::error::x"],
    ] {
        tell(arguments);
        if !arguments.contains(&"--format") && arguments.len() < 4 {
            tell(&[arguments, &["--json"]].concat());
        }
    }
}

#[test]
fn no_report_lets_a_text_become_part_of_it() {
    let run = evals(&["says", "fails", "panics", "named"]);
    let markdown = run.report_file("summary.md");
    check("summary.md", &[&markdown.replace("\n::", "\n")]);
    let junit = run.report_file("junit.xml");
    assert!(!junit.contains("<script>") && !junit.contains('\u{1b}'), "{junit}");
    let html = run.report_file("report.html");
    assert!(!html.contains("<script>alert"), "the page");
    let visible = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    assert!(html.chars().all(visible), "the page");
    for line in run.report_file("results.jsonl").lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(line.is_object());
    }
}

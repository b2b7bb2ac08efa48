//! Tests the summary on the terminal: its texts, its width, its colours, and that it contains no
//! control sequences.

use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("terminal", include_str!("evals/terminal.rs")));

/// Runs one test at a time, so that the order is that of the dataset.
fn run(arguments: &[&str]) -> Run {
    PROJECT.evals(["--test-threads", "1"]).arguments(arguments.iter().copied()).run()
}

/// Returns the harness's part of the output, which comes after libtest's.
fn summary(run: &Run) -> &str {
    let (_, rest) = run.stdout.split_once("\ntest result: ").expect("libtest's last line");
    rest.split_once('\n').expect("more lines").1.trim_start()
}

/// Returns the approximate number of columns of a line in a terminal: wide characters take two.
fn width(line: &str) -> usize {
    line.chars()
        .map(|c| if ('\u{1100}'..='\u{ffdc}').contains(&c) && c > '\u{2e7f}' { 2 } else { 1 })
        .sum()
}

#[test]
fn a_green_run() {
    assert_snapshot!(run(&["green::"]).output(), @"
    exit code 0
    --- stdout

    running 4 tests
    test green::gate  ... ok
    test green::one   ... ok
    test green::three ... ok
    test green::two   ... ok

    test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; finished in <time>


    green · 3 cases · all_right() · <time>

      evaluator     mean  95 % interval        n  gate
      correct      1.000  0.439–1.000          3  ok mean >= 0.9
      length       1.000  0.439–1.000          3  -
      latency <time> <interval> 3 ok p95 <time> <= 30 s

    PASS 3 cases in 1 experiment, <time>
    journal <journal>
    report  <report>
    ");
}

#[test]
fn a_red_run() {
    assert_snapshot!(run(&["red::"]).output(), @"
    exit code 101
    --- stdout

    running 5 tests
    test red::error ... ok
    test red::gate  ... ignored (mean(correct) >= 0.9: 0.667, n = 3 of 4, 1 without a score, 95 % 0.208 to 0.939; only 3 of 4 cases scored (75 %, needs 95 %); mean(length) <= 10: 4.333, n = 3 of 4, 1 without a score, 95 % 2.899 to 5.768; only 3 of 4 cases scored (75 %, needs 95 %))
    test red::right ... ok
    test red::terse ... FAILED
    test red::wrong ... ok

    failures:

    ---- red::terse ----
    polite is false: the answer has neither a greeting nor a closing, which support agents must write
    rerun: cargo test --test evals -- --exact red::terse


    failures:
        red::terse

    test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; finished in <time>


    red · 4 cases · some_wrong() · <time>

      failing, worst first
      ✗ terse
        polite is false: the answer has neither a greeting nor a closing, which
        support agents must write
        input     question: Rome
        expected  Rome
        output    Rome
        rerun     cargo test --test evals -- --exact red::terse

      misses (the gate decides), worst first
      – error  error: connection refused
        input     question: down
        expected  Paris
        rerun     cargo test --test evals -- --exact red::error
      – wrong  correct is false
        input     question: Lyon
        expected  Paris
        output    Lyon
        rerun     cargo test --test evals -- --exact red::wrong

      evaluator      mean  95 % interval         n  gate
      correct       0.667  0.208–0.939      3 of 4  inconclusive mean >= 0.9
      polite        0.667  0.208–0.939      3 of 4  -
      length        4.333  2.899–5.768      3 of 4  inconclusive mean <= 10
      latency <time> <interval> 3 of 4 -
      error_rate    0.250  0.046–0.699           4  ok <= 0.5

      gate inconclusive
        mean(correct) >= 0.9: 0.667, n = 3 of 4, 1 without a score, 95 % 0.208 to
        0.939; only 3 of 4 cases scored (75 %, needs 95 %)

      gate inconclusive
        mean(length) <= 10: 4.333, n = 3 of 4, 1 without a score, 95 % 2.899 to
        5.768; only 3 of 4 cases scored (75 %, needs 95 %)

    FAIL 4 cases in 1 experiment, <time>
         red
    journal <journal>
    report  <report>
    ");
}

#[test]
fn a_partial_run() {
    assert_snapshot!(run(&["green::one", "green::gate"]).output(), @"
    exit code 0
    --- stdout

    running 2 tests
    test green::gate ... ignored (a gate judges all 3 cases; 2 filters selected 1)
    test green::one  ... ok

    test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; finished in <time>


    green · 1 of 3 cases · all_right() · <time>

      evaluator     mean  95 % interval        n  gate
      correct      1.000  0.207–1.000          1  not judged mean >= 0.9
      length       1.000  0.207–1.000          1  -
      latency <time> too few cases 1 not judged p95 <= 30 s

      gate not judged
        a gate judges all 3 cases; 2 filters selected 1

    PASS 1 case in 1 experiment, <time>
    journal <journal>
    report  <report>
    ");
}

#[test]
fn several_experiments_have_one_verdict_line() {
    let run = run(&["green::", "red::"]);
    let verdict = run.stdout.lines().rev().nth(2).expect("a line before the journal's");
    assert_snapshot!(run.normalize(verdict), @"     red");
}

#[test]
fn few_of_many_misses_are_shown() {
    let run = run(&["thirty_misses::"]);
    let summary = summary(&run);
    let shown = summary.lines().filter(|line| line.starts_with("  ✗ ")).count();
    assert!((3..=10).contains(&shown), "{summary}");
    assert!(
        summary.contains(&format!("… and {} more: `cargo honeyhive review`", 30 - shown)),
        "{summary}"
    );
}

#[test]
fn no_line_is_wider_than_80_columns_but_commands_and_paths() {
    let experiments =
        ["green::", "red::", "an_experiment_with", "thirty_misses::", "rude_", "stopped::"];
    let run = run(&experiments);
    let free = ["    rerun ", "journal "];
    let wide: Vec<&str> = summary(&run)
        .lines()
        .filter(|line| width(line) > 80 && !free.iter().any(|start| line.starts_with(start)))
        .collect();
    assert_eq!(wide, [""; 0]);
}

#[test]
fn a_reason_is_never_cut() {
    let run = run(&["an_experiment_with"]);
    let words: Vec<&str> = summary(&run).split_whitespace().collect();
    let reason = "because it is as it is, and will be so ".repeat(8);
    assert!(words.join(" ").contains(reason.trim()), "{}", run.output());
}

// ---- colours ----

#[test]
fn there_are_no_colours_without_a_terminal() {
    let run = run(&["red::"]);
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{}", run.output());
}

#[test]
fn colours_can_be_asked_for() {
    let run = run(&["red::", "--color", "always"]);
    assert!(run.stdout.contains('\u{1b}'));
    assert!(summary(&run).contains("\u{1b}[1m\u{1b}[31mFAIL"), "{:?}", summary(&run));
    let plain = anstream_free(&run.stdout);
    assert!(plain.contains("\nFAIL 4 cases in 1 experiment, "), "{plain}");
}

#[test]
fn no_color_wins_over_nothing_and_loses_to_a_flag() {
    let with = |arguments: &[&str]| {
        let cargo = PROJECT.evals(arguments.iter().copied()).env("NO_COLOR", "1");
        cargo.run().stdout.contains('\u{1b}')
    };
    assert!(!with(&["red::"]));
    assert!(with(&["red::", "--color", "always"]));
    assert!(!with(&["red::", "--color", "never"]));
}

/// Returns the text without control sequences.
fn anstream_free(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = sequence.find('m').map_or("", |end| &sequence[end + 1..]);
    }
    plain + rest
}

// ---- harmlessness ----

#[test]
fn nothing_that_a_model_writes_reaches_the_terminal_as_a_command() {
    for format in ["pretty", "json"] {
        let run = run(&["rude_", "--format", format, "--color", "never"]);
        assert_eq!(run.code, Some(101));
        for text in [&run.stdout, &run.stderr] {
            let bad =
                |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            let lines: Vec<&str> = text.lines().filter(|line| line.contains(bad)).collect();
            assert_eq!(lines, [""; 0], "{format}");
        }
        assert!(
            !run.stdout.lines().any(|line| line.starts_with("test rude::fake")),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn odd_characters_are_shown_as_what_they_are() {
    let run = run(&["rude_outputs::"]);
    assert_snapshot!(run.normalize(summary(&run)), @r"
    rude_outputs · 3 cases · rude() · <time>

      failing, worst first
      ✗ colours  correct is false
        repeats_it is false: it says \u{1b}[31mred\u{1b}[0m and \u{1b}]0;title\u{7}
        input     question: \u{1b}[31mred\u{1b}[0m and \u{1b}]0;title\u{7}
        expected  x
        output    \u{1b}[31mred\u{1b}[0m and \u{1b}]0;title\u{7}
        rerun     cargo test --test evals -- --exact rude_outputs::colours
      ✗ control  correct is false
        repeats_it is false: it says ab\u{8}c\u{0}d\u{9b}2J�evil
        input     question: ab\u{8}c\u{0}d\u{9b}2J�evil
        expected  \u{1b}[2J
        output    ab\u{8}c\u{0}d\u{9b}2J�evil
        rerun     cargo test --test evals -- --exact rude_outputs::control
      ✗ lines  correct is false
        repeats_it is false: it says one⏎two⏎three
        input     question: one⏎two⏎three
        expected  test rude::fake ... ok⏎⏎test result: ok.
        output    one⏎two⏎three
        rerun     cargo test --test evals -- --exact rude_outputs::lines

      evaluator      mean  95 % interval        n  gate
      correct       0.000  0.000–0.561          3  -
      repeats_it    0.000  0.000–0.561          3  -
      latency <time> <interval> 3 -

    FAIL 3 cases in 1 experiment, <time>
         rude_outputs
    journal <journal>
    report  <report>
    ");
}

// ---- the environment ----

#[test]
fn a_misspelt_variable_is_noted() {
    let run = PROJECT.evals(["green::one"]).env("HH_CONCURENCY", "4").run();
    assert_eq!(run.code, Some(0));
    assert_snapshot!(run.stderr, @"note: HH_CONCURENCY has no meaning; did you mean HH_CONCURRENCY?");
}

#[test]
fn a_variable_that_cannot_be_understood_is_an_error() {
    let run = PROJECT.evals(["green::one"]).env("HH_CONCURRENCY", "many").run();
    assert_snapshot!(run.output(), @"
    exit code 101
    --- stdout
    --- stderr
    error: HH_CONCURRENCY=many: not a number from 1
    ");
    let run = PROJECT.evals(["green::one"]).env("HH_REQUIRE_GATES", "perhaps").run();
    assert_snapshot!(run.output(), @"
    exit code 101
    --- stdout
    --- stderr
    error: HH_REQUIRE_GATES=perhaps: neither 1 nor 0
    ");
}

#[test]
fn a_reader_who_has_seen_enough_ends_nothing() {
    // The pipe is closed after the first byte, as in `cargo test | head`.
    let pipe = "mkfifo \"$SCRATCH/pipe\"; head -c 1 \"$SCRATCH/pipe\" >/dev/null & \
                exec >\"$SCRATCH/pipe\"";
    let run = PROJECT.evals(["green::"]).start_after(pipe).finish();
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert_eq!(run.cases().len(), 3);
    assert!(run.end().is_some(), "the journal ends in good order");
}

//! Tests slices against the baseline, in every place that shows them.

use honeyhive_tests::Honeyhive;
use insta::assert_snapshot;

use super::{PROJECT, all_good, run};

#[test]
fn slices_are_seen_together_before_any_of_them_alone() {
    all_good("sliced_by_size");
    let apart = run("sliced_by_size", 10);
    assert_eq!(apart.code, Some(0), "{}", apart.output());
    let gate = apart.gates().remove(0);
    let [slices] = &gate.baseline.expect("a baseline").slices[..] else { panic!("one comparison") };
    assert_eq!((slices.by.as_str(), slices.df, slices.differ()), ("size", 1, true));
    let from = |text: &str, start: &str, lines: usize| -> String {
        let found = text.lines().skip_while(|line| !line.contains(start));
        found.take(lines).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(from(&apart.stdout, "points by size", 4), @"
    points by size: slices differ by more than chance (Q = 36.0, 1 df, p < 0.001)
      slice           n      gain  shrunken
      size:low       12    -0.833    -0.824
      size:high       8         0    -0.014
    ");
    assert_snapshot!(from(&apart.report_file("summary.md"), "points by size", 6), @"
    `points by size: slices differ by more than chance (Q = 36.0, 1 df, p < 0.001)`

    | slice | n | gain | shrunken |
    |---|--:|--:|--:|
    | `size:low` | 12 | -0.833 | -0.824 |
    | `size:high` | 8 | 0 | -0.014 |
    ");
    let said = "slices differ by more than chance";
    assert!(apart.report_file("report.html").contains(said));
    // All other places show the same.
    let honeyhive = |arguments: &[&str]| {
        let (code, text, stderr) = Honeyhive::new(apart.directory(), arguments.iter().copied())
            .argument("--dir")
            .argument(&apart.invocations()[0])
            .run();
        assert_eq!(code, Some(0), "{stderr}");
        from(&text, "points by size", 4)
    };
    let terminal = from(&apart.stdout, "points by size", 4);
    assert_eq!(honeyhive(&["gate", "--recorded"]), terminal);
    assert_eq!(honeyhive(&["compare"]), terminal);
    // Five of twelve and three of eight do not differ by more than chance, so every slice gets the
    // loss of all.
    let alike = PROJECT.evals(["sliced_by_size::"]).env("BAD", "5").env("BAD_HIGH", "3").run();
    assert_snapshot!(from(&alike.stdout, "points by size", 4), @"
    points by size: slices differ by no more than chance (Q = 0.0, 1 df, p = 1)
      slice           n      gain  shrunken
      size:low       12    -0.417      -0.4
      size:high       8    -0.375      -0.4
    ");
}

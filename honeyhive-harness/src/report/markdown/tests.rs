use serde_json::json;

use super::*;
use crate::outcome::Against;
use crate::outcome::samples::{
    attempt, case, end, experiment, failing, process, results, snapshot,
};

#[test]
fn the_verdict_comes_first_and_the_worst_cases_last() {
    let results = results(failing());
    let before = snapshot(&[("a", 1.0, 0.5), ("b", 1.0, 0.75), ("d", 1.0, 0.75)]);
    let now = snapshot(&[("a", 1.0, 1.0), ("b", 0.0, 0.25), ("d", 1.0, 0.75)]);
    let label = "the baseline of 2026-11-20".to_owned();
    let against = Against { label, before: &before, now: &now, results: None };
    insta::assert_snapshot!(render(&Document::new(&results, &[Some(against)])), @r#"
    <!-- honeyhive: app/evals -->
    ## ❌ FAIL · `app/evals`

    4 cases: 2 pass, 1 fail, 1 error · 11.5 s · commit `9f3e1c2` with uncommitted changes

    ### ❌ `detect` FAIL

    - `mean(correct) >= 0.9: 0.667, n = 3, 95 % 0.208 to 0.939; worst: b 0`
    - `2 of 4 cases failed`

    Against `the baseline of 2026-11-20`: ▼ 1 regressed, ▲ 1 fixed, = 1 same, + 1 not comparable

    | evaluator | mean | 95 % interval | n | change | better / worse | gate |
    |---|--:|---|--:|---|--:|---|
    | `correct` (1 without a score) | 0.667 | 0.208–0.939 | 3 of 4 | -0.333 (not significant, p = 1) | 0 / 1 | ❌ `mean(correct) >= 0.9` |
    | `close` (1 without a score) | 0.667 | -0.282–1.615 | 3 of 4 | 0 (not significant, p = 1) | 1 / 1 | - |
    | latency | 583 ms | 0 µs–1.53 s | 3 of 4 |  |  | ✅ `p95(latency) <= "2s"` |
    | error_rate | 0.25 | 0.046–0.699 | 4 |  |  | - |

    <details><summary>2 cases of <code>detect</code> not as expected</summary>

    **`b`** fail ▼ new
    ```text
    close 0.25, needs >= 0.5
    correct is false
    input     text of b
    expected  en
    output    fr
    rerun     cargo test -p app --test evals -- --exact detect::b
    ```

    **`c`** error
    ```text
    panicked: no such language
    input     !
    rerun     cargo test -p app --test evals -- --exact detect::c
    ```

    </details>
    "#);
}

#[test]
fn a_good_run_is_short() {
    let gate = json!({"type": "gate", "experiment": "detect", "verdict": "pass", "passed": true,
        "rules": [{"rule": "mean(correct) >= 0.9", "verdict": "pass", "value": 1.0, "n": 2,
                   "text": "mean(correct) >= 0.9: 1, n = 2"}]});
    let good = results([
        process(),
        experiment(2),
        attempt("a", 0, 1, &json!("en"), &json!({"correct": true, "close": 1.0})),
        case("a", "pass", true, &[]),
        attempt("b", 1, 1, &json!("en"), &json!({"correct": true, "close": 1.0})),
        case("b", "pass", true, &[]),
        gate,
        end(0),
    ]);
    insta::assert_snapshot!(render(&Document::new(&good, &[])), @"
    <!-- honeyhive: app/evals -->
    ## ✅ PASS · `app/evals`

    2 cases: 2 pass · 11.5 s

    ### ✅ `detect` PASS

    | evaluator | mean | 95 % interval | n | gate |
    |---|--:|---|--:|---|
    | `correct` | 1 | 0.342–1 | 2 | ✅ `mean(correct) >= 0.9` |
    | `close` | 1 | 0.342–1 | 2 | - |
    | latency | 375 ms | 0 µs–1.96 s | 2 | - |
    ");
}

/// Returns the text outside of code spans and blocks.
fn outside(markdown: &str) -> String {
    let mut outside = String::new();
    let mut rest = markdown;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let fence = "`".repeat(run);
        rest = &rest[start + run..];
        // A code span ends at a run of exactly as many backticks.
        let mut from = 0;
        let end = loop {
            let at = from + rest[from..].find(&fence).expect("a code span ends");
            let length = rest[at..].len() - rest[at..].trim_start_matches('`').len();
            if length == run {
                break at;
            }
            from = at + length;
        };
        rest = &rest[end + run..];
    }
    outside + rest
}

#[test]
fn what_a_model_says_stays_in_code() {
    let hostile = "``` \n# big\n````` <img src=x onerror=alert(1)> @everyone | [x](http://evil) \
                   --> </details> ` ``";
    let id = "`a` | @everyone <b>";
    let mut broken = experiment(1);
    broken["experiment"] = json!("detect");
    let hostile_run = results([
        process(),
        broken,
        attempt(id, 0, 1, &json!(hostile), &json!({"correct": false})),
        case(id, "fail", false, &[hostile, "correct is false"]),
        json!({"type": "gate", "experiment": "detect", "verdict": "fail", "passed": false,
               "rules": [{"rule": hostile, "verdict": "fail", "n": 1, "text": hostile}]}),
        end(101),
    ]);
    let text = render(&Document::new(&hostile_run, &[]));
    let outside = outside(&text);
    for evil in ["onerror", "@everyone", "evil", "big"] {
        assert!(text.contains(evil) && !outside.contains(evil), "{evil}:\n{outside}");
    }
    // A bar would end a cell even within a span.
    let row = text.lines().find(|line| line.starts_with("| `correct`")).expect("a row");
    let bars = row.replace("\\|", "").matches('|').count();
    assert_eq!(bars, 6, "{row}");
}

#[test]
fn a_comment_is_never_too_long() {
    let long = "🦀".repeat(1 << 18);
    let mut records = vec![process()];
    for index in 0..300 {
        let name = format!("experiment_{index}");
        let own = [
            experiment(1),
            attempt("a", 0, 1, &json!(long), &json!({"correct": false})),
            case("a", "fail", false, &[&long, &long, &long]),
        ];
        records.extend(own.into_iter().map(|mut record| {
            record["experiment"] = json!(name);
            record
        }));
    }
    records.push(end(101));
    let many = results(records);
    let text = render(&Document::new(&many, &[]));
    let letters = text.encode_utf16().count();
    assert!((40_000..=65_000).contains(&letters), "{letters}");
    assert!(text.contains("Not everything fits into a comment"));
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    assert!(text.starts_with("<!-- honeyhive: app/evals -->\n## ❌ FAIL"));
}

#[test]
fn the_marker_cannot_be_left() {
    assert_eq!(plain("app/e-->vals<!--"), "app/e-__vals__-_");
    assert!(!plain("a--------b").contains("--"));
}

#[test]
fn a_span_holds_any_backticks() {
    assert_eq!(code("a", 80), "`a`");
    assert_eq!(code("`a``", 80), "``` `a`` ```");
    assert_eq!(code(" \n", 80), "` ⏎`");
    assert_eq!(code("", 80), "` `");
}

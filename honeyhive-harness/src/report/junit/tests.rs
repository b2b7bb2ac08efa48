use serde_json::json;

use super::*;
use crate::outcome::samples::{attempt, case, end, experiment, failing, process, results};

fn render(records: Vec<serde_json::Value>) -> String {
    let results = results(records);
    let mut text = Vec::new();
    write(&Document::new(&results, &[]), &mut text).expect("memory");
    String::from_utf8(text).expect("UTF-8")
}

#[test]
fn errors_are_no_failures_and_scores_are_properties() {
    insta::assert_snapshot!(render(failing()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="20261122T190158-3f2a" tests="5" failures="2" errors="1" time="11.500">
      <testsuite name="app::evals::detect" tests="5" failures="2" errors="1" skipped="0" time="1.753" timestamp="2026-11-22T19:01:58.000Z">
        <properties>
          <property name="run_id" value="40350000-0000-4000-8000-000000000000"/>
          <property name="dataset" value="data/sentences.jsonl"/>
          <property name="place" value="evals/main.rs:12"/>
          <property name="correct.mean" value="0.6666666666666666"/>
          <property name="correct.low" value="0.2076596008020481"/>
          <property name="correct.high" value="0.9385080552796037"/>
          <property name="correct.n" value="3"/>
          <property name="close.mean" value="0.6666666666666666"/>
          <property name="close.low" value="-0.2819790917325238"/>
          <property name="close.high" value="1.615312425065857"/>
          <property name="close.n" value="3"/>
        </properties>
        <testcase name="detect::a" classname="app::evals" time="0.250">
          <properties>
            <property name="correct" value="1"/>
            <property name="close" value="1"/>
          </properties>
        </testcase>
        <testcase name="detect::b" classname="app::evals" time="0.500">
          <properties>
            <property name="correct" value="0"/>
            <property name="close" value="0.25"/>
          </properties>
          <failure type="fail" message="close 0.25, needs &gt;= 0.5">close 0.25, needs &gt;= 0.5
    correct is false
    input     text of b
    expected  en
    output    fr
    rerun     cargo test -p app --test evals -- --exact detect::b
    </failure>
        </testcase>
        <testcase name="detect::c" classname="app::evals" time="0.003">
          <error type="error" message="panicked: no such language">panicked: no such language
    input     !
    rerun     cargo test -p app --test evals -- --exact detect::c
    </error>
        </testcase>
        <testcase name="detect::d" classname="app::evals" time="1.000">
          <properties>
            <property name="correct" value="1"/>
            <property name="close" value="0.75"/>
          </properties>
        </testcase>
        <testcase name="detect::gate" classname="app::evals" time="0.000">
          <failure type="gate" message="mean(correct) &gt;= 0.9: 0.667, n = 3, 95 % 0.208 to 0.939; worst: b 0">mean(correct) &gt;= 0.9: 0.667, n = 3, 95 % 0.208 to 0.939; worst: b 0
    p95(latency) &lt;= &quot;2s&quot;: 1 s, n = 3, too few cases for an interval
    </failure>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn a_gated_miss_passes_and_a_gate_that_cannot_say_is_skipped() {
    let gate = json!({"type": "gate", "experiment": "detect", "verdict": "inconclusive",
                      "passed": true, "rules": [], "reason": "only 1 of 2 cases was selected"});
    let text = render(vec![
        process(),
        experiment(1),
        attempt("a", 0, 1, &json!("fr"), &json!({"correct": false})),
        case("a", "fail", true, &["correct is false"]),
        gate,
        end(0),
    ]);
    assert!(text.contains("tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"1\""), "{text}");
    let skipped = "<skipped type=\"inconclusive\" message=\"only 1 of 2 cases was selected\">";
    assert!(text.contains(skipped), "{text}");
}

#[test]
fn what_was_not_run_is_an_error() {
    let text = render(vec![
        process(),
        experiment(3),
        attempt("a", 0, 1, &json!("en"), &json!({"correct": true})),
        case("a", "pass", true, &[]),
    ]);
    let error = "<testcase name=\"detect\" classname=\"app::evals\" time=\"0.000\">\n      \
                 <error type=\"unfinished\" message=\"2 cases not run\"/>";
    assert!(text.contains(error), "{text}");
}

#[test]
fn nothing_escapes_from_its_place() {
    let hostile = "</failure>]]>\"&<x a='\u{0}\u{1b}[31m\u{202e}\u{fffe}\r\n\t";
    assert_eq!(
        content(hostile),
        "&lt;/failure&gt;]]&gt;&quot;&amp;&lt;x a='\u{fffd}\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}\n\t"
    );
    assert!(!attribute(hostile).contains(['"', '<', '\n']));
}

#[test]
fn a_long_output_is_cut() {
    let output = json!("x".repeat(1 << 20));
    let text = render(vec![
        process(),
        experiment(1),
        attempt("a", 0, 1, &output, &json!({"correct": false})),
        case("a", "fail", false, &["correct is false"]),
        end(101),
    ]);
    assert!(text.len() < 10_000, "{} bytes", text.len());
}

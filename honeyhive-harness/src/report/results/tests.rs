use serde_json::{Value, json};

use super::*;
use crate::outcome::Against;
use crate::outcome::samples::{failing, results, snapshot};

fn lines(document: &Document<'_>) -> Vec<Value> {
    let mut text = Vec::new();
    write(document, &mut text).expect("memory");
    let text = String::from_utf8(text).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn one_line_per_case_after_that_of_its_experiment() {
    let results = results(failing());
    let lines = lines(&Document::new(&results, &[]));
    let types: Vec<&Value> = lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(types, ["results", "experiment", "case", "case", "case", "case"]);
    assert_eq!((&lines[0]["schema"], &lines[0]["outcome"]), (&json!(1), &json!("fail")));
    assert_eq!(lines[1]["evaluators"][0]["n"], 3);
    assert_eq!(lines[1]["gate"]["rules"][0]["verdict"], "fail");
    let b = &lines[3];
    assert_eq!(
        (&b["case"], &b["state"], &b["passed"]),
        (&json!("b"), &json!("fail"), &json!(false))
    );
    assert_eq!(b["scores"]["correct"]["value"], 0.0);
    assert_eq!(b["attempts"][0]["scores"]["correct"]["value"], false);
    assert_eq!(b["attempts"][0]["output"], "fr");
    assert_eq!(b["rerun"], "cargo test -p app --test evals -- --exact detect::b");
    // An attempt without an output has no field, unlike one whose output is null.
    assert_eq!(lines[4]["attempts"][0].get("output"), None);
    assert_eq!(lines[4]["attempts"][0]["error"]["kind"], "panic");
    assert_eq!(lines[4]["scores"]["correct"]["missing"], true);
}

#[test]
fn a_comparison_has_no_nan() {
    let results = results(failing());
    // An evaluator that changed cannot be compared, so its means are absent.
    let mut before = snapshot(&[("a", 1.0, 1.0), ("b", 1.0, 0.5)]);
    before.evaluators.get_mut("close").expect("close").source = "other".to_owned();
    let now = snapshot(&[("a", 1.0, 1.0), ("b", 0.0, 0.25)]);
    let label = "baseline".to_owned();
    let against = Against { label, before: &before, now: &now, results: None };
    let lines = lines(&Document::new(&results, &[Some(against)]));
    let change = |index: usize| &lines[1]["evaluators"][index]["change"];
    assert_eq!(change(0)["gain"], -0.5);
    assert_eq!((&change(1)["finding"], &change(1)["gain"]), (&json!("incomparable"), &Value::Null));
    assert_eq!(lines[1]["against"]["regressed"], 1);
    assert_eq!(
        (&lines[3]["change"], &lines[3]["scores"]["correct"]["gain"]),
        (&json!("regressed"), &json!(-1.0))
    );
}

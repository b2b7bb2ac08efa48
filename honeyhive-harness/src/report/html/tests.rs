use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::outcome::{Against, Document, samples};

fn render(document: &Document<'_>) -> String {
    String::from_utf8(super::render(document)).expect("a page is text")
}

/// Returns the text between two others.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    page.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(text, _)| text)
}

fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "id=\"data\">", "</script>")).expect("JSON")
}

#[test]
fn the_policy_names_exactly_the_style_and_the_script_of_the_page() {
    let results = samples::results(samples::failing());
    let page = render(&Document::new(&results, &[]));
    let hash = |text: &str| {
        let digest = Sha256::digest(text.as_bytes());
        format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(policy.contains(&hash(between(&page, "<style>", "</style>"))), "{policy}");
    assert!(policy.contains(&hash(between(&page, "<script>", "</script>"))), "{policy}");
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches(" style=").count(), 0, "styles of elements are refused");
}

#[test]
fn the_first_screen_says_what_happened() {
    let results = samples::results(samples::failing());
    let before = samples::snapshot(&[("a", 1.0, 1.0), ("b", 1.0, 0.5), ("d", 0.0, 0.75)]);
    let now = samples::snapshot(&[("a", 1.0, 1.0), ("b", 0.0, 0.25), ("d", 1.0, 0.75)]);
    let label = "baseline of 2026-11-20".to_owned();
    let against = [Some(Against { label, before: &before, now: &now, results: None })];
    let page = render(&Document::new(&results, &against));
    for said in [
        "<title>FAIL detect</title>",
        "mean(correct) &gt;= 0.9: 0.667, n = 3",
        "git <code>9f3e1c2</code> (dirty) main",
        "<b>2</b> pass",
        "<b>1</b> worse",
        "Compared with baseline of 2026-11-20",
        "not significant, p = 1<",
        "1 better, 1 worse of 3 pairs",
        "cargo test -p app --test evals -- --exact detect::b",
    ] {
        assert!(page.contains(said), "{said} is not in\n{page}");
    }
    // The regression, then the error, then the others.
    let place = |id: &str| page.find(&format!("<b>{id}</b>")).expect("a row");
    assert!(place("b") < place("c") && place("c") < place("a") && place("a") < place("d"));
}

#[test]
fn the_script_gets_what_is_not_usual_and_no_more() {
    let results = samples::results(samples::failing());
    let cases = &data(&render(&Document::new(&results, &[])))["x"][0]["c"];
    let expected = json!({
        "i": "a", "in": {"text": "text of a"}, "x": "en", "v": [1, 1],
        "a": [{"o": "en", "d": 250}],
    });
    assert_eq!(cases[0], expected);
    let expected = json!({
        "i": "b", "in": {"text": "text of b"}, "x": "en", "v": [[0, 1], [0.25, 1]], "s": 1, "u": 1,
        "w": ["close 0.25, needs >= 0.5", "correct is false"], "a": [{"o": "fr", "d": 500}],
    });
    assert_eq!(cases[1], expected);
    assert_eq!(cases[2]["v"], json!(["!", "!"]));
    assert_eq!(cases[2]["a"][0]["e"], json!(["panic", "panicked: no such language"]));
}

#[test]
fn a_run_of_nothing_is_a_page() {
    let results = samples::results([samples::process()]);
    let page = render(&Document::new(&results, &[]));
    assert!(page.contains("No experiment was run."), "{page}");
    assert_eq!(data(&page), json!({"x": []}));
}

#[test]
fn traces_that_do_not_fit_are_left_out_from_the_end_and_the_page_says_so() {
    let mut all = vec![samples::process(), samples::experiment(900)];
    for row in 0..900 {
        let id = format!("c{row}");
        let mut attempt = samples::attempt(&id, row, 1, &json!("en"), &json!({"correct": true}));
        let long = "x".repeat(8_000);
        attempt["spans"] = json!([{
            "name": "s", "span_id": "1", "kind": "internal", "start_unix_ns": 1, "end_unix_ns": 2,
            "attributes": {"long": long},
        }]);
        all.push(attempt);
        // Only the last case needs attention.
        let state = if row == 899 { "fail" } else { "pass" };
        all.push(samples::case(&id, state, row < 899, &[]));
    }
    let results = samples::results(all);
    let page = render(&Document::new(&results, &[]));
    let kept = page.matches("id=\"t0.").count();
    assert!((600..700).contains(&kept), "{kept}");
    assert!(page.contains("id=\"t0.899\""));
    assert!(page.contains(&format!("the traces of {} cases", 900 - kept)));
}

#[test]
fn long_texts_are_cut_the_shorter_the_more_of_them_there_are() {
    let report = |cases: usize| {
        let long = json!("y".repeat(100_000));
        let mut all = vec![samples::process(), samples::experiment(cases)];
        for row in 0..cases {
            let id = format!("c{row}");
            all.push(samples::attempt(&id, row, 1, &long, &json!({"correct": true})));
            all.push(samples::case(&id, "pass", true, &[]));
        }
        let results = samples::results(all);
        let page = render(&Document::new(&results, &[]));
        data(&page)["x"][0]["c"][0]["a"][0]["o"].as_str().map(str::len)
    };
    let note = "… [cut: 100,000 bytes in all]".len();
    assert_eq!(report(2), Some((64 << 10) + note));
    assert_eq!(report(600), Some((16 << 10) + note));
}

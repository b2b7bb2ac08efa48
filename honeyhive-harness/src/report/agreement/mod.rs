//! Checks that all reports of a run agree: generated runs are rendered in every format, and the
//! numbers and verdicts are compared with those of `results.jsonl`, whose numbers are not rounded.

mod runs;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use runs::Generated;
use serde_json::Value;

use super::screen::unstyled;
use super::{ExperimentSummary, Summary};
use crate::gate::case::Rules;
use crate::gate::input::Baseline;
use crate::gate::plan;
use crate::gate::recorded::{Judged, judge_recorded};
use crate::gate::snapshot::recorded;
use crate::journal::{ExperimentResults, Verdict};
use crate::outcome::{Against, Counts, Document, ExperimentOverview, Figures, Seen};

/// The number of runs that are generated and compared.
const RUNS: u64 = 60;

/// The seed of a run in which the gate once gave a verdict that the plan had called impossible.
const FOUND: u64 = 296;

/// A run, rendered in every format.
struct Rendered {
    json: Vec<Value>,
    html: String,
    markdown: String,
    junit: String,
    terminal: String,
    gate: String,
    compare: String,
    plan: Vec<plan::PlannedRule>,
    judged: Judged,
}

fn render(run: &Generated) -> Rendered {
    let one = &run.results.experiments[0];
    let record = &one.record;
    let rules = Rules::recorded(record);
    let baseline = Baseline::read(&run.baseline, "detect").expect("a baseline");
    let now = recorded(one);
    let against =
        Against { label: baseline.words(), before: &baseline.snapshot, now: &now, results: None };
    let document = Document::new(&run.results, &[Some(against)]);
    let text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        String::from_utf8(bytes).expect("a text")
    };
    let json = text(&|to| super::results::write(&document, to).expect("in memory"));
    let judged = judge_recorded(one, rules.clone(), &run.baseline, None);
    Rendered {
        json: json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
        html: String::from_utf8(super::html::render(&document)).expect("a page"),
        markdown: super::markdown::render(&document),
        junit: text(&|to| super::junit::write(&document, to).expect("in memory")),
        terminal: unstyled(&super::summary::render(&summary(one, &rules, run))),
        gate: unstyled(&super::judged(std::slice::from_ref(&judged))),
        compare: unstyled(&super::compared(&document.experiments, "now", 3)),
        plan: plan::plan(record, record.rows, Some(&run.results), None).rules,
        judged,
    }
}

/// Returns the summary as a run prints it at its end.
fn summary<'a>(one: &'a ExperimentResults, rules: &Rules, run: &Generated) -> Summary<'a> {
    let figures = Figures::new(Seen {
        rules: rules.clone(),
        cases: &run.cases,
        counts: Counts::of(run.cases.iter().map(|case| (case.state, false))),
        is_whole: true,
        gate: one.gate.as_ref(),
        name: &|row| row.to_string(),
    });
    let experiment = ExperimentSummary {
        name: "detect".to_owned(),
        origin: String::new(),
        rows: one.record.rows,
        selected: one.record.selected,
        repeats: one.record.repeats,
        sampled: false,
        recalled: 0,
        figures,
        misses: Vec::new(),
        not_judging: None,
        stopped: None,
        stopped_early: None,
        elapsed: None,
    };
    Summary {
        experiments: vec![experiment],
        faults: Vec::new(),
        journal: None,
        redacted: BTreeMap::new(),
        journal_error: None,
        unrecorded: 0,
        columns: super::COLUMNS,
        interrupted: false,
        failed: run.failed,
        elapsed: std::time::Duration::ZERO,
    }
}

/// Joins a text to one line, so that line breaks of a terminal do not matter.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns whether a number that is shown is this one, to all digits that it has.
fn shows(shown: &str, exact: f64) -> bool {
    let shown = shown.replace(',', "");
    let Ok(value) = shown.parse::<f64>() else { return false };
    let unit = match shown.split_once('e') {
        Some((mantissa, exponent)) => {
            let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let power: i32 = exponent.parse().unwrap_or(0);
            10_f64.powi(power - i32::try_from(decimals).unwrap_or(0))
        }
        // Zeros at the end may have been taken off.
        None => 0.001,
    };
    (value - exact).abs() <= 0.5 * unit + 1e-9
}

/// Asserts that two places agree; a failure shows everything that is needed to look into it.
#[track_caller]
fn same(is_same: bool, what: &str, place: &str, seed: u64) {
    assert!(is_same, "run {seed}: {what}\n---- in ----\n{place}");
}

fn line_of<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(start)).unwrap_or("")
}

/// Returns the text between two others, the first time they occur.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let after = text.split_once(from).map_or("", |(_, after)| after);
    after.split_once(to).map_or(after, |(inner, _)| inner)
}

fn escaped(text: &str) -> String {
    super::html::escaped(text)
}

const fn words(verdict: Verdict) -> [&'static str; 3] {
    match verdict {
        Verdict::Pass => ["ok", "✅", "holds"],
        Verdict::Fail => ["FAIL", "❌", "fails"],
        Verdict::Inconclusive => ["inconclusive", "⚠️", "inconclusive"],
    }
}

#[test]
fn no_two_places_disagree_about_a_run() {
    let mut wrong = 0;
    for seed in (0..RUNS).chain([FOUND]) {
        let run = Generated::new(seed);
        let rendered = render(&run);
        let checks: [&dyn Fn(); 8] = [
            &|| counts(&rendered, seed),
            &|| evaluators(&rendered, &run, seed),
            &|| rules(&rendered, &run, seed),
            &|| differences(&rendered, &run, seed),
            &|| slices(&rendered, seed),
            &|| order(&rendered, seed),
            &|| cases(&rendered, seed),
            &|| planned(&rendered, seed),
        ];
        // Every disagreement is counted and printed, not only the first.
        let agrees = |check: &&dyn Fn()| catch_unwind(AssertUnwindSafe(check)).is_ok();
        wrong += checks.iter().filter(|check| !agrees(check)).count();
    }
    assert_eq!(wrong, 0, "disagreements, see above");
}

/// Compares the numbers of cases by state, and the outcome of the run.
fn counts(rendered: &Rendered, seed: u64) {
    let cases = &rendered.json[0]["cases"];
    let of = |state: &str| usize::try_from(cases[state].as_u64().expect("a count")).expect("few");
    let misses = rendered
        .json
        .iter()
        .filter(|line| line["type"] == "case" && line["state"] == "fail" && line["passed"] == true);
    let misses = misses.count();
    let heading = rendered.markdown.lines().find(|line| line.contains(" case")).unwrap_or("");
    let strip = between(&rendered.html, "<div class=\"strip\">", "</div>");
    let all = [
        ("pass", of("pass")),
        ("miss", misses),
        ("fail", of("fail") - misses),
        ("error", of("error")),
    ];
    for (state, n) in all {
        let word = if state == "miss" && n != 1 { "misses" } else { state };
        let shown = heading.contains(&format!(" {n} {word}"));
        same(shown == (n > 0), &format!("{n} {word}"), heading, seed);
        let shown = strip.contains(&format!("<b>{n}</b> {word}"));
        same(shown || n == 0, &format!("{n} {word}"), strip, seed);
    }
    // The outcome of the run.
    let verdict = rendered.terminal.trim_end().lines().rev().find(|line| !line.starts_with(' '));
    let word = verdict.unwrap_or("").split(' ').next().unwrap_or("");
    let heading = line_of(&rendered.markdown, "## ");
    same(heading.contains(&format!(" {word} ·")), word, heading, seed);
    let title = between(&rendered.html, "<title>", "</title>");
    same(title.starts_with(word), word, title, seed);
    same(rendered.json[0]["outcome"] == word.to_lowercase().as_str(), word, "results", seed);
    let suite = line_of(&rendered.junit, "  <testsuite ");
    let gate = &rendered.json[1]["gate"];
    let failed =
        rendered.json.iter().filter(|line| line["type"] == "case" && line["passed"] == false);
    let (errors, failures): (Vec<&Value>, Vec<&Value>) =
        failed.partition(|line| line["state"] == "error" || line["state"] == "unscored");
    let failures = failures.len() + usize::from(gate["verdict"] == "fail");
    let wanted = format!("failures=\"{failures}\" errors=\"{}\"", errors.len());
    same(suite.contains(&wanted), &wanted, suite, seed);
}

/// Compares means, intervals and numbers of cases.
fn evaluators(rendered: &Rendered, run: &Generated, seed: u64) {
    let overview = ExperimentOverview::new(&run.results.experiments[0]).scores;
    for evaluator in rendered.json[1]["evaluators"].as_array().expect("evaluators") {
        let name = evaluator["name"].as_str().expect("a name");
        let terminal = line_of(&rendered.terminal, &format!("  {name} "));
        let markdown = line_of(&rendered.markdown, &format!("| `{name}`"));
        let row = between(&rendered.html, &format!("<tr><th scope=\"row\">{name}<"), "</tr>");
        let cells: Vec<&str> = markdown.split('|').map(str::trim).collect();
        let in_terminal: Vec<&str> =
            terminal.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let in_html = between(between(row, "<td class=\"mean\">", "</td>"), "<b>", "</small>");
        let Some(mean) = evaluator["mean"].as_f64() else {
            same(cells[2] == "-" && in_terminal[1] == "-", name, markdown, seed);
            continue;
        };
        let shown = [cells[2], in_terminal[1], in_html.split("</b>").next().unwrap_or("")];
        for shown in shown {
            same(shows(shown, mean), &format!("{name}: {mean} as {shown}"), terminal, seed);
        }
        let suite = format!("\"{name}.mean\" value=\"{mean}\"");
        same(rendered.junit.contains(&suite), &suite, &rendered.junit, seed);
        let listed = overview.iter().find(|one| one.evaluator == name).expect("in `runs`");
        same((listed.mean - mean).abs() < 1e-12, name, "runs", seed);
        let n = evaluator["n"].as_u64().expect("n").to_string();
        let whole = |shown: &str| shown.split(" of ").next() == Some(&n);
        let of_html = between(in_html, "<small>n = ", "</small>");
        for shown in [cells[4], in_terminal[3], of_html] {
            same(whole(shown), &format!("{name}: n = {n} as {shown}"), terminal, seed);
        }
        same(cells[4] == in_terminal[3] && cells[4] == of_html, "n of", markdown, seed);
        let of_html = between(in_html, "interval\">", "</span>");
        let Some(interval) = evaluator["interval"].as_array() else {
            same(cells[3] == in_terminal[2], name, markdown, seed);
            continue;
        };
        for (shown, dash) in [(cells[3], "–"), (in_terminal[2], "–"), (of_html, " – ")] {
            // The lower end may be negative.
            let (low, high) = shown.split_once(dash).unwrap_or((shown, ""));
            for (shown, exact) in [(low, &interval[0]), (high, &interval[1])] {
                let exact = exact.as_f64().expect("a number");
                same(shows(shown, exact), &format!("{name}: {exact} as {shown}"), terminal, seed);
            }
        }
    }
}

/// Compares the verdict of each rule of the gate, and its numbers.
fn rules(rendered: &Rendered, run: &Generated, seed: u64) {
    let live = run.results.experiments[0].gate.as_ref().expect("a gate");
    let listed: Vec<crate::journal::RuleRecord> =
        serde_json::from_value(rendered.json[1]["gate"]["rules"].clone()).expect("rules");
    same(listed == live.rules, "rules", "results.jsonl", seed);
    same(rendered.judged.gate.rules == live.rules, "rules", "gate --json", seed);
    same(rendered.judged.gate.verdict == live.verdict, "the verdict", "gate --json", seed);
    let (terminal, gate) = (joined(&rendered.terminal), joined(&rendered.gate));
    let mut marks = BTreeMap::<&str, usize>::new();
    for rule in &live.rules {
        let [mark, emoji, word] = words(rule.verdict);
        *marks.entry(mark).or_default() += 1;
        let cell = format!("{emoji} `{}`", rule.rule);
        same(rendered.markdown.contains(&cell), &cell, &rendered.markdown, seed);
        let in_html =
            between(&rendered.html, &format!("<code>{}</code>", escaped(&rule.rule)), "</div>");
        let before = rendered.html.split(&format!("<code>{}</code>", escaped(&rule.rule))).next();
        let before = before.unwrap_or("");
        let said = before.rsplit("<div class=\"rule\">").next().unwrap_or("");
        same(said.contains(&format!("</i> {word}<")), &rule.text, said, seed);
        let detail = rule.text.strip_prefix(&format!("{}: ", rule.rule)).unwrap_or(&rule.text);
        same(in_html.contains(&escaped(detail)), &rule.text, in_html, seed);
        let wanted = joined(&format!("{mark} {}", rule.text));
        same(gate.contains(&wanted), &wanted, &gate, seed);
        if rule.verdict != Verdict::Pass {
            let detail = joined(detail);
            same(terminal.contains(&detail), &detail, &terminal, seed);
        }
        // The p that decided, in the text as in the table.
        if let Some(against) = rule.against.as_ref().filter(|_| rule.rule.starts_with("no_")) {
            let name = rule.rule.split('(').next().unwrap_or("");
            let tests = format!("({} tests)", against.tests);
            let lost = if name == "no_collapse" { against.worse > 0 } else { against.gain < 0.0 };
            if lost && !against.improved && name != "no_worse_than" {
                let p = between(&rule.text, "p = ", " ").trim_end_matches([',', ';', ':']);
                let small = rule.text.contains("p < 0.001");
                let decisive = against.decisive_p();
                same(small == (decisive < 0.001), &rule.text, "its record", seed);
                if !small {
                    same(shows(p, decisive), &format!("{decisive}: {}", rule.text), "record", seed);
                    same(terminal.contains(&format!("p {p}")), &format!("p {p}"), &terminal, seed);
                }
                if against.tests > 1 {
                    same(terminal.contains(&tests), &tests, &terminal, seed);
                    let said = format!("corrected for {} tests", against.tests);
                    same(rule.text.contains(&said), &said, &rule.text, seed);
                }
            }
        }
    }
    let table: String = rendered.terminal.split("gate FAIL").next().unwrap_or("").to_owned();
    let table = table.split("gate inconclusive").next().unwrap_or("");
    for (mark, n) in marks {
        let shown = joined(table).split(' ').filter(|word| *word == mark).count();
        same(shown >= n, &format!("{n} times {mark}"), table, seed);
    }
    // The worst of the rules is the verdict, wherever it stands.
    let verdict = crate::gate::verdict::verdict_of(&live.rules);
    same(verdict == live.verdict, "the verdict", "the gate", seed);
    let junit = between(&rendered.junit, "detect::gate\"", "</testcase>");
    let element = match live.verdict {
        Verdict::Pass => "",
        Verdict::Fail => "<failure type=\"gate\"",
        Verdict::Inconclusive => "type=\"inconclusive\"",
    };
    same(junit.contains(element), element, junit, seed);
}

/// Compares the words for what changed since the baseline, which the gate must agree with.
fn differences(rendered: &Rendered, run: &Generated, seed: u64) {
    let live = run.results.experiments[0].gate.as_ref().expect("a gate");
    for evaluator in rendered.json[1]["evaluators"].as_array().expect("evaluators") {
        let name = evaluator["name"].as_str().expect("a name");
        let change = &evaluator["change"];
        let finding = change["finding"].as_str().expect("a finding");
        let word = match finding {
            "incomparable" => continue,
            "not_significant" => "not significant",
            "within_margin" => "within the margin",
            word => word,
        };
        let markdown = line_of(&rendered.markdown, &format!("| `{name}`")).replace("**", "");
        let row = between(&rendered.html, &format!("<tr><th scope=\"row\">{name}<"), "</tr>");
        let in_html = between(row, "<td class=\"difference\">", "</td>").replace("&lt;", "<");
        let terminal = line_of(&rendered.compare, &format!("  {name} "));
        for place in [&*markdown, &*in_html, terminal] {
            same(place.contains(word), &format!("{name}: {word}"), place, seed);
        }
        match change["p"].as_f64() {
            None => same(!markdown.contains("p ="), name, &markdown, seed),
            Some(p) if p < 0.001 => {
                same(markdown.contains("p < 0.001"), name, &markdown, seed);
                same(in_html.contains("p < 0.001"), name, &in_html, seed);
                same(terminal.contains("<0.001"), name, terminal, seed);
            }
            Some(p) => {
                let shown = between(&markdown, "p = ", " ").trim_end_matches([')', ',']);
                same(shows(shown, p), &format!("{name}: p = {p}"), &markdown, seed);
                same(in_html.contains(&format!("p = {shown}")), shown, &in_html, seed);
                same(terminal.contains(&format!(" {shown} ")), shown, terminal, seed);
            }
        }
        for place in [&*markdown, terminal] {
            let moved = format!("{} / {}", change["better"], change["worse"]);
            same(place.contains(&moved), &moved, place, seed);
        }
        // A rule on all cases decides the word for the change.
        let text = format!("no_regression({name})");
        if let Some(rule) = live.rules.iter().find(|rule| rule.rule == text) {
            same(change["by_gate"] == true, &text, finding, seed);
            same(
                (rule.verdict == Verdict::Fail) == (finding == "worse"),
                &rule.text,
                finding,
                seed,
            );
            let improved = rule.against.as_ref().is_some_and(|against| against.improved);
            same(improved == (finding == "better"), &rule.text, finding, seed);
        }
    }
}

/// Compares the sentences that say whether slices differ.
fn slices(rendered: &Rendered, seed: u64) {
    let listed: Vec<crate::journal::SlicesRecord> =
        serde_json::from_value(rendered.json[1]["against"]["slices"].clone()).expect("slices");
    for one in &listed {
        let said = super::sliced::sentence(one);
        same(rendered.markdown.contains(&format!("`{said}`")), &said, &rendered.markdown, seed);
        same(rendered.html.contains(&escaped(&said)), &said, "the page", seed);
        same(joined(&rendered.compare).contains(&said), &said, &rendered.compare, seed);
        // A gate that compares nothing reads no baseline.
        let compares = rendered.judged.gate.baseline.is_some();
        for place in [&rendered.terminal, &rendered.gate] {
            same(joined(place).contains(&said) == compares, &said, place, seed);
        }
    }
}

/// Compares each case: its state and its scores, in the data of the page and in `JUnit`.
fn cases(rendered: &Rendered, seed: u64) {
    let data = between(&rendered.html, "id=\"data\">", "</script>");
    let data: Value = serde_json::from_str(data).expect("JSON");
    let listed = rendered.json.iter().filter(|line| line["type"] == "case");
    let in_page = data["x"][0]["c"].as_array().expect("cases");
    same(listed.clone().count() == in_page.len(), "cases", "the page", seed);
    for (line, case) in listed.zip(in_page) {
        let id = line["case"].as_str().expect("an id");
        let state = match case["s"].as_u64() {
            None => "pass",
            Some(1) => "fail",
            Some(2) => "error",
            _ => "unscored",
        };
        let text = format!("{line}\n{case}");
        same(case["i"] == id && line["state"] == state, id, &text, seed);
        let test = format!("<testcase name=\"detect::{id}\"");
        let junit = between(&rendered.junit, &test, "<testcase ");
        for (name, score) in
            ["correct", "close", "price"].iter().zip(case["v"].as_array().expect("scores"))
        {
            let known = &line["scores"][name];
            let (shown, bad) = match score {
                Value::Array(parts) => (parts[0].as_f64(), parts[1] == 1),
                other => (other.as_f64(), false),
            };
            same(bad == (known["good"] == false), name, &text, seed);
            same((score == "!") == (known["missing"] == true), name, &text, seed);
            let value = known["value"].as_f64();
            let close = shown.zip(value).is_none_or(|(shown, value)| (shown - value).abs() < 1e-6);
            same(close && shown.is_some() == value.is_some(), name, &text, seed);
            let property = value.map(|value| format!("name=\"{name}\" value=\"{value}\""));
            let has = property.is_none_or(|property| junit.contains(&property));
            same(has, name, junit, seed);
        }
    }
}

/// Checks that cases that fail come first, and of these, and of the rest, those that did not miss
/// before.
fn order(rendered: &Rendered, seed: u64) {
    let cases = rendered.json.iter().filter(|line| line["type"] == "case");
    let bad = cases.filter(|line| line["state"] != "pass" && line["state"] != "skipped");
    let ranks: BTreeMap<&str, (bool, bool)> = bad
        .map(|line| {
            let rank = (line["passed"] == true, line["missed_before"] == true);
            (line["case"].as_str().expect("an id"), rank)
        })
        .collect();
    let in_order = |place: &str, mark: &str, end: &str| {
        let ids = place.split(mark).skip(1).filter_map(|rest| rest.split(end).next());
        let found: Vec<(bool, bool)> = ids.filter_map(|id| ranks.get(id).copied()).collect();
        same(found.is_sorted(), &format!("{found:?}"), place, seed);
        found.len()
    };
    in_order(&rendered.markdown, "**`", "`**");
    let rows = between(&rendered.html, "<table class=\"cases\"", "</table>");
    let shown = in_order(rows, "<td class=\"c-id\"><b>", "</b>");
    same(shown == ranks.len(), &format!("{} cases", ranks.len()), rows, seed);
}

/// Checks that no rule fails of which a plan says that it cannot fail.
fn planned(rendered: &Rendered, seed: u64) {
    let rules = &rendered.judged.gate.rules;
    // A plan assumes that every case can be compared; a rule that cannot compare does not weaken the
    // others.
    let compares = |rule: &&crate::journal::RuleRecord| rule.rule.starts_with("no_");
    if rules.iter().filter(compares).any(|rule| rule.against.is_none()) {
        return;
    }
    for (rule, planned) in rules.iter().zip(&rendered.plan) {
        same(rule.rule == planned.rule, &rule.rule, &planned.rule, seed);
        let fails = rule.verdict == Verdict::Fail;
        same(!fails || !planned.note.starts_with("cannot fail"), &rule.text, &planned.note, seed);
    }
}

//! Writes `junit.xml`, which CI servers read.
//!
//! One `testsuite` per experiment, one `testcase` per case under the name that cargo prints, and
//! one for the gate. A miss is a `failure`, what gave no result an `error`. Scores are
//! `properties`: those of a case in its `testcase`, as pytest and quick-junit write them, means of
//! evaluators in the suite.
//!
//! The XML is written by hand, since the format is small, and every user would have to compile a crate
//! for it.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::journal::{CaseState, Verdict};
use crate::outcome::{Case, Document, Experiment, shown, shown_inputs};
use crate::text::{middle, one_line};

/// The most letters of an input or output.
const LONGEST: usize = 2000;

/// The most columns of a message.
const LONGEST_MESSAGE: usize = 400;

/// Writes the report.
///
/// # Errors
/// Returns the errors of `to`.
pub(crate) fn write(document: &Document<'_>, to: &mut impl Write) -> io::Result<()> {
    let suites: Vec<Suite> = document.experiments.iter().map(Suite::new).collect();
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    writeln!(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        to,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\">",
        attribute(document.invocation),
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.errors),
        document.elapsed.unwrap_or_default(),
    )?;
    for (experiment, suite) in document.experiments.iter().zip(&suites) {
        suite.write(document, experiment, to)?;
    }
    writeln!(to, "</testsuites>")
}

/// The element of a test that did not pass.
struct Problem {
    /// The name of the element: `failure`, `error` or `skipped`.
    element: &'static str,
    kind: &'static str,
    message: String,
    text: String,
}

/// The numbers of tests by result, which stand before the first test.
#[derive(Default)]
struct Suite {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Suite {
    fn new(experiment: &Experiment<'_>) -> Self {
        let mut suite = Self::default();
        let of_cases = experiment.cases.iter().map(|case| element(case));
        let beside = [gate(experiment), broken(experiment)].into_iter().flatten();
        for element in of_cases.chain(beside.map(|(_, problem)| problem.map(|one| one.element))) {
            suite.tests += 1;
            match element {
                Some("failure") => suite.failures += 1,
                Some("error") => suite.errors += 1,
                Some(_) => suite.skipped += 1,
                None => {}
            }
        }
        suite
    }

    fn write(
        &self,
        document: &Document<'_>,
        experiment: &Experiment<'_>,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let class = experiment.target.replace('/', "::");
        let durations = experiment.cases.iter().map(|case| seconds(case));
        writeln!(
            to,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" \
             time=\"{:.3}\" timestamp=\"{}\">",
            attribute(&format!("{class}::{}", experiment.name)),
            self.tests,
            self.failures,
            self.errors,
            self.skipped,
            durations.fold(0.0, std::ops::Add::add),
            attribute(document.started_at),
        )?;
        properties(to, "    ", &of_experiment(experiment))?;
        for case in &experiment.cases {
            let scores: Vec<(String, String)> = experiment
                .figures
                .evaluators
                .iter()
                .filter_map(|row| {
                    let value = case.scores.get(row.index)?.value()?;
                    Some((row.record.name.clone(), value.to_string()))
                })
                .collect();
            test(to, (&case.test, &class, seconds(case)), &scores, problem(case).as_ref())?;
        }
        for (name, problem) in [gate(experiment), broken(experiment)].into_iter().flatten() {
            test(to, (&name, &class, 0.0), &[], problem.as_ref())?;
        }
        writeln!(to, "  </testsuite>")
    }
}

fn test(
    to: &mut impl Write,
    (name, class, seconds): (&str, &str, f64),
    scores: &[(String, String)],
    problem: Option<&Problem>,
) -> io::Result<()> {
    let (name, class) = (attribute(name), attribute(class));
    write!(to, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{seconds:.3}\"")?;
    if scores.is_empty() && problem.is_none() {
        return writeln!(to, "/>");
    }
    writeln!(to, ">")?;
    properties(to, "      ", scores)?;
    if let Some(Problem { element, kind, message, text }) = problem {
        let message = attribute(&one_line(message, LONGEST_MESSAGE));
        write!(to, "      <{element} type=\"{kind}\" message=\"{message}\"")?;
        match text.as_str() {
            "" => writeln!(to, "/>")?,
            text => writeln!(to, ">{}</{element}>", content(text))?,
        }
    }
    writeln!(to, "    </testcase>")
}

fn properties(to: &mut impl Write, indent: &str, all: &[(String, String)]) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(to, "{indent}<properties>")?;
    for (name, value) in all {
        let (name, value) = (attribute(name), attribute(value));
        writeln!(to, "{indent}  <property name=\"{name}\" value=\"{value}\"/>")?;
    }
    writeln!(to, "{indent}</properties>")
}

/// Returns the properties of an experiment: its place, and the figures of its evaluators
/// (`correct.mean`, `correct.low`, `correct.high`, `correct.n`).
fn of_experiment(experiment: &Experiment<'_>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: &str, value: String| all.push((name.to_owned(), value));
    add("run_id", experiment.run_ids.join(" "));
    add("dataset", experiment.record.dataset_origin.clone());
    if !experiment.record.place.is_empty() {
        add("place", experiment.record.place.clone());
    }
    if let Some(stopped) = experiment.figures.stopped() {
        add("stopped", stopped.text());
    }
    for row in &experiment.figures.evaluators {
        let Some(measured) = row.measured else { continue };
        let name = &row.record.name;
        add(&format!("{name}.mean"), measured.mean.to_string());
        if let Some((low, high)) = measured.interval() {
            add(&format!("{name}.low"), low.to_string());
            add(&format!("{name}.high"), high.to_string());
        }
        add(&format!("{name}.n"), measured.n.to_string());
    }
    all
}

/// Returns the seconds that a case took, all attempts together.
fn seconds(case: &Case<'_>) -> f64 {
    // Not `sum`, which is -0.0 for no attempts.
    case.attempts.iter().fold(0.0, |all, attempt| all + attempt.duration_ms / 1000.0)
}

/// Returns the name of the element that says what is wrong with a case. A miss whose own test passed
/// has none, since the gate decides about it.
fn element(case: &Case<'_>) -> Option<&'static str> {
    match case.state {
        CaseState::Skipped => Some("skipped"),
        _ if case.passed => None,
        CaseState::Error | CaseState::Unscored => Some("error"),
        CaseState::Pass | CaseState::Fail => Some("failure"),
    }
}

fn problem(case: &Case<'_>) -> Option<Problem> {
    let element = element(case)?;
    let message = case.reasons.first().map_or("not run", String::as_str);
    Some(Problem {
        element,
        kind: case.state.name(),
        message: message.to_owned(),
        text: if element == "skipped" { String::new() } else { details(case) },
    })
}

/// Returns the text for people: all reasons, then inputs, output, and the command to run it again.
fn details(case: &Case<'_>) -> String {
    let mut text = String::new();
    for reason in case.reasons {
        let _ = writeln!(text, "{}", middle(reason, LONGEST));
    }
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<9} {}", middle(value, LONGEST));
    };
    if let Some(attempt) = case.worst_attempt() {
        if !attempt.inputs.is_empty() {
            field("input", &shown_inputs(&attempt.inputs));
        }
        if let Some(expected) = &attempt.ground_truth {
            field("expected", &shown(expected));
        }
        if let Some(output) = &attempt.output {
            field("output", &shown(output));
        }
    }
    field("rerun", &case.rerun);
    text
}

/// Returns the test of the gate, with its name, where the gate was asked.
fn gate(experiment: &Experiment<'_>) -> Option<(String, Option<Problem>)> {
    let gate = experiment.figures.gate?;
    let (element, kind) = match gate.verdict {
        Verdict::Pass => (None, ""),
        Verdict::Fail => (Some("failure"), "gate"),
        Verdict::Inconclusive if gate.passed => (Some("skipped"), "inconclusive"),
        Verdict::Inconclusive => (Some("failure"), "inconclusive"),
    };
    let told: Vec<&str> = match &gate.reason {
        Some(reason) => vec![reason],
        None => gate.rules.iter().map(|rule| rule.text.as_str()).collect(),
    };
    let worst = gate.rules.iter().find(|rule| rule.verdict == gate.verdict);
    let problem = element.map(|element| Problem {
        element,
        kind,
        message: worst.map_or_else(|| told.join("; "), |rule| rule.text.clone()),
        text: told.iter().map(|line| one_line(line, LONGEST) + "\n").collect(),
    });
    Some((format!("{}::gate", experiment.name), problem))
}

/// Returns a test that says that not every selected case was run, or that nothing was scored, since no
/// test of a case says so.
fn broken(experiment: &Experiment<'_>) -> Option<(String, Option<Problem>)> {
    let message = experiment.broken.join("; ");
    let (element, kind, text) = ("error", "unfinished", String::new());
    let problem = Problem { element, kind, message, text };
    (!experiment.broken.is_empty()).then(|| (experiment.name.to_owned(), Some(problem)))
}

/// Escapes the text of an attribute, in which a parser would turn line breaks into spaces.
fn attribute(text: &str) -> String {
    escape(text, true)
}

fn content(text: &str) -> String {
    escape(text, false)
}

/// Escapes a text. Characters that XML cannot hold, and those that reorder the text around them, become
/// `�`.
fn escape(text: &str, in_attribute: bool) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            // `]]>` is not allowed in text.
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' if in_attribute => escaped.push_str("&#10;"),
            '\n' | '\t' => escaped.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
                escaped.push('\u{fffd}');
            }
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;

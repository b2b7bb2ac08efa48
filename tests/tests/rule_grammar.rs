//! One grammar for rules: the attribute's and that of texts come to the same rules and the same errors.

// A test ends where something is not as it should be.
#![allow(clippy::unwrap_used)]
// The experiment is there for its rules.
#![allow(unnameable_test_items)]

use std::path::{Path, PathBuf};

use honeyhive_harness::__private::{GateRule, RequireRule};
use honeyhive_harness::Reducer;
use honeyhive_harness::journal::{Record, read_invocation};
use honeyhive_harness::{
    Call, Datapoint, Dataset, Evaluators, Experiment, Function, RunError, evaluator, experiment,
};
use honeyhive_harness::{Requirement, Rule};

#[evaluator]
fn correct(output: bool) -> bool {
    output
}

#[evaluator]
fn similarity(output: bool) -> f64 {
    f64::from(u8::from(output))
}

#[evaluator(range(1, 5))]
fn five_stars(output: bool) -> f64 {
    if output { 5.0 } else { 1.0 }
}

#[evaluator(range(-1, 1))]
fn similar(output: bool) -> f64 {
    f64::from(u8::from(output))
}

#[evaluator]
fn latency(output: bool) -> f64 {
    f64::from(u8::from(output))
}

fn rows() -> Vec<Datapoint> {
    vec![Datapoint::new().id("one").input("yes", true)]
}

/// Makes an experiment of rules, and their texts.
macro_rules! both {
    (gate: [$(($($gate:tt)*))*], require: [$(($($require:tt)*))*]) => {
        fn texts() -> (Vec<&'static str>, Vec<&'static str>) {
            #[experiment(
                dataset = rows,
                evaluators(correct, strict = correct, similarity, five_stars, often = correct),
                reduce(often = at_least(2)),
                repeats = 3,
                require($($($require)*),*),
                gate($($($gate)*),*),
            )]
            fn every_rule(yes: bool) -> bool {
                yes
            }
            (vec![$(stringify!($($gate)*)),*], vec![$(stringify!($($require)*)),*])
        }
    };
}

both! {
    gate: [
        (mean(correct) >= 0.9)
        (mean(strict)>=0.9)
        (median(similarity) >= -1_0)
        (min(five_stars) >= 1)
        (max(five_stars) <= 5.0)
        (p50(similarity) >= 1e-3)
        (p90(similarity) >= 0.5f64)
        (p95(latency) <= "1m 30s")
        (p99(latency) <= "500ms")
        (stddev(similarity) <= 100)
        (pass_rate(correct) >= 0.95)
        (error_rate <= 0.05)
        (error_rate(slice = "lang:de", min_n = 3) <= 0.1)
        (mean(correct, min_n = 20) >= 0.8)
        (mean(correct, min_n = 20, slice = "a \"tag\"",) >= 0.8)
        (mean(often) >= 0.9)
        (confident(mean(correct) >= 0.9))
        (not_worse(pass_rate(correct, slice = "lang:de") >= 0.9))
        (confident(error_rate <= 0.2))
        (no_regression(correct))
        (no_regression(similarity, margin = 0.5, alpha = 0.01, confirm = 2, coverage = 0.9, min_n = 9))
        (no_regression(five_stars, slice = "lang:de", margin = 4))
        (no_collapse(correct, alpha = 0.1))
        (no_loss(strict))
        (no_worse_than(correct, margin = 0.02))
        (non_inferior(similarity, alpha = 0.5, margin = 0))
    ],
    require: [
        (correct)
        (strict >= 1)
        (five_stars >= 2.5)
        (similarity <= -0.5)
    ]
}

fn evaluators() -> Evaluators {
    Evaluators::new()
        .with(correct {})
        .named("strict", correct {})
        .with(similarity {})
        .with(five_stars {})
        .named("often", correct {})
}

fn with(evaluators: Evaluators) -> Experiment {
    let dataset = Dataset::from_datapoints("rows", rows()).unwrap();
    let function = Function::blocking(|call: &Call| call.input::<bool>("yes"));
    Experiment::new("every_rule", dataset, function).evaluators(evaluators)
}

/// The rules of an experiment in code, as its journal has them.
async fn recorded(experiment: Experiment) -> (Vec<GateRule>, Vec<RequireRule>) {
    let directory = tempfile::tempdir().unwrap();
    let experiment = experiment
        .reduce("often", Reducer::AtLeast(2))
        .repeats(3)
        .baseline(directory.path().join("none.json"))
        .journal(directory.path());
    let journal = experiment.run().await.unwrap().journal.unwrap();
    let journal = read_invocation(journal.parent().unwrap()).unwrap();
    let found = journal.records.into_iter().find_map(|record| match record {
        Record::Experiment(record) => Some((record.gate_rules, record.require_rules)),
        _ => None,
    });
    found.unwrap()
}

#[tokio::test]
async fn a_text_is_the_rule_of_the_attribute() {
    let (gates, requires) = texts();
    let attribute = honeyhive_harness::__private::experiments();
    let attribute = attribute.iter().find(|entry| entry.name == "every_rule").unwrap();
    let mut experiment = with(evaluators());
    for text in &gates {
        experiment = experiment.gate(*text);
    }
    for text in &requires {
        experiment = experiment.require(*text);
    }
    let (one_by_one, required) = recorded(experiment).await;
    assert_eq!(one_by_one.len(), gates.len());
    for (text, attribute) in one_by_one.iter().zip(attribute.gates) {
        assert_eq!(text, attribute);
    }
    assert_eq!(required, attribute.require);
    let experiment = with(evaluators()).gate(gates.join(", ")).require(requires.join(",\n"));
    assert_eq!(recorded(experiment).await, (one_by_one, required), "and all in one text");
}

#[tokio::test]
async fn a_value_is_the_rule_of_its_text() {
    use std::time::Duration;
    let experiment = with(evaluators())
        .gate(Rule::mean("correct").at_least(0.9))
        .gate(Rule::p95("latency").at_most(Duration::from_secs(90)))
        .gate(Rule::error_rate().slice("lang:de").min_n(3).at_most(0.1))
        .gate(Rule::pass_rate("correct").slice("lang:de").at_least(0.9).not_worse())
        .gate(Rule::max("five_stars").at_most(5))
        .gate(Rule::no_regression("similarity").margin(0.5).alpha(0.01).confirm(2))
        .gate(Rule::non_inferior("similarity", 0.0).coverage(0.5))
        .require(Requirement::good("correct"))
        .require(Requirement::at_least("five_stars", 2.5));
    let texts = "mean(correct) >= 0.9, p95(latency) <= \"1m 30s\", \
        error_rate(slice = \"lang:de\", min_n = 3) <= 0.1, \
        not_worse(pass_rate(correct, slice = \"lang:de\") >= 0.9), max(five_stars) <= 5, \
        no_regression(similarity, margin = 0.5, alpha = 0.01, confirm = 2), \
        non_inferior(similarity, margin = 0, coverage = 0.5)";
    let text = with(evaluators()).gate(texts).require("correct, five_stars >= 2.5");
    assert_eq!(recorded(experiment).await, recorded(text).await);
}

#[tokio::test]
async fn a_name_that_is_no_path_stands_in_quotes() {
    let both = || evaluators().named("at most 80", correct {});
    let value = with(both()).gate(Rule::mean("at most 80").at_least(1));
    let text = with(both()).gate("mean(\"at most 80\") >= 1");
    let rules = recorded(value).await;
    assert_eq!(rules.0[0].text, "mean(\"at most 80\") >= 1");
    assert_eq!(rules, recorded(text).await);
}

async fn error(experiment: Experiment) -> RunError {
    let result = experiment.baseline("none.json").run().await;
    result.map_or_else(
        |error| error,
        |result| RunError::Setup(format!("no error: {:?}", result.gate)),
    )
}

#[tokio::test]
async fn errors_say_what_was_found_where_and_what_to_write() {
    let text = |rules: &str| {
        let experiment = with(evaluators()).gate(rules);
        async move { error(experiment).await }
    };
    assert_eq!(
        text("mean(correct) == 1").await.to_string(),
        "the rule `mean(correct) == 1`, column 15 (`==`): expected `>=` or `<=`, not `==`"
    );
    assert_eq!(
        text("mean(correct) >= 1, mean(correct").await.to_string(),
        "the rule `mean(correct) >= 1, mean(correct`, at the end: expected `)`"
    );
    assert_eq!(
        text("mean(corect) >= 0.9").await,
        RunError::UnknownEvaluator {
            name: "corect".to_owned(),
            nearest: Some("correct".to_owned()),
            text: "the rule `mean(corect) >= 0.9`, column 6: `corect` is not an evaluator of this \
                   experiment; did you mean `correct`?"
                .to_owned(),
        }
    );
    assert_eq!(
        text("mean(polite) >= 0.9").await.to_string(),
        "the rule `mean(polite) >= 0.9`, column 6: `polite` is not an evaluator of this \
         experiment; its evaluators are `correct`, `strict`, `similarity`, `five_stars`, `often`"
    );
    assert_eq!(
        error(with(evaluators()).gate(Rule::mean("correct").at_least(f64::NAN))).await.to_string(),
        "the rule `mean(correct) >= NaN`, column 18 (`NaN`): a limit is a number: \
         `mean(correct) >= 0.9`"
    );
    assert_eq!(
        error(with(evaluators()).gate(Rule::mean("correct").at_least(0.9).margin(0.1)))
            .await
            .to_string(),
        "the rule `mean(correct, margin = 0.1) >= 0.9`, column 15 (`margin`): a measure has no \
         setting `margin`; the settings are `slice`, `min_n`"
    );
    for odd in ["", "  ", ",", "mean", "mean(", "mean(correct) >= \"x", "((", "é(correct) >= 1"] {
        assert!(matches!(text(odd).await, RunError::Rule(_)), "{odd:?}");
    }
}

/// An entry of a list in the attribute of a file: its place in the file, and its text.
#[derive(Debug)]
struct Entry {
    line: usize,
    column: usize,
    text: String,
}

/// The entries of `option(..)` in the attribute of a file.
fn entries(source: &str, option: &str) -> Vec<Entry> {
    let attribute = source.find("#[experiment(").unwrap_or(source.len());
    let Some(start) = source[attribute..].find(&format!("{option}(")) else { return Vec::new() };
    let start = attribute + start + option.len() + 1;
    let (mut depth, mut in_text, mut from) = (1, false, start);
    let mut found = Vec::new();
    for (at, c) in source[start..].char_indices().map(|(at, c)| (start + at, c)) {
        match c {
            '"' => in_text = !in_text,
            _ if in_text => {}
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if !in_text && (depth == 0 || (depth == 1 && c == ',')) {
            let text = source[from..at].trim();
            if !text.is_empty() {
                let begin = from + source[from..at].find(text).unwrap();
                let before = &source[..begin];
                found.push(Entry {
                    line: before.matches('\n').count() + 1,
                    column: begin - before.rfind('\n').unwrap(),
                    text: text.to_owned(),
                });
            }
            from = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The evaluators of a file, where all of them are known here.
fn evaluators_of(source: &str) -> Option<Evaluators> {
    let mut all = Evaluators::new();
    for entry in entries(source, "evaluators") {
        let (name, path) = entry.text.split_once(" = ").unwrap_or((&entry.text, &entry.text));
        all = match path {
            "correct" => all.named(name, correct {}),
            "checks::grounded" => all.named(name.rsplit("::").next().unwrap(), correct {}),
            "similar" => all.named(name, similar {}),
            "similarity" => all.named(name, similarity {}),
            "five_stars" => all.named(name, five_stars {}),
            "latency" => all.named(name, latency {}),
            _ => return None,
        };
    }
    Some(all)
}

/// The errors of the compiler: message, line and column.
fn compiler_errors(stderr: &str) -> Vec<(String, usize, usize)> {
    let mut errors = Vec::new();
    let mut message = String::new();
    for line in stderr.lines() {
        if let Some(text) = line.strip_prefix("error: ") {
            text.clone_into(&mut message);
        } else if let Some((_, text)) = line.split_once("]: evaluation panicked: ") {
            text.clone_into(&mut message);
        } else if let Some(place) = line.trim_start().strip_prefix("--> ")
            && !message.is_empty()
        {
            let mut parts = place.rsplit(':');
            let (column, line) = (parts.next().unwrap(), parts.next().unwrap());
            let place = (line.parse().unwrap(), column.parse().unwrap());
            errors.push((std::mem::take(&mut message), place.0, place.1));
        }
    }
    errors
}

fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(directory);
    let entries = std::fs::read_dir(directory).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Returns whether an error of a program says what the compiler's says.
fn same(error: &RunError, entry: &Entry, (message, column): (&str, usize)) -> bool {
    match error {
        RunError::Rule(error) => {
            error.message == *message && entry.column + error.column - 1 == column
        }
        // Here there is no list in an attribute.
        RunError::UnknownEvaluator { name, nearest, .. } => {
            let hint = nearest.as_ref().map(|near| format!("did you mean `{near}`?"));
            message.starts_with(&format!("`{name}` is not in `evaluators(..)`; "))
                && hint.is_none_or(|hint| message.ends_with(&hint))
        }
        RunError::Setup(text) => {
            let (meant, _) = message.split_once("; ").unwrap_or((message, ""));
            text.contains(meant)
        }
        _ => false,
    }
}

#[tokio::test]
async fn errors_are_those_of_the_compiler() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for file in files("fail") {
        let source = std::fs::read_to_string(&file).unwrap();
        // What is written otherwise in code.
        if source.contains("reduce(") || source.contains("stop = ") {
            continue;
        }
        let Some(evaluators) = evaluators_of(&source) else { continue };
        let errors =
            compiler_errors(&std::fs::read_to_string(file.with_extension("stderr")).unwrap());
        for option in ["gate", "require"] {
            let all = entries(&source, option);
            for (index, entry) in all.iter().enumerate() {
                let next = all.get(index + 1).map_or(usize::MAX, |next| next.line);
                let own = errors.iter().find(|(_, line, column)| {
                    (entry.line..next.max(entry.line + 1)).contains(line)
                        && (entry.column..=entry.column + entry.text.len()).contains(column)
                        && *line == entry.line
                });
                let Some((message, _, column)) = own else { continue };
                // In an attribute, a name in quotes is an error, and a path is that of `evaluators(..)`.
                let quoted = message.starts_with("expected") && message.contains("an evaluator");
                let path = message.contains("::") && message.contains("is not in `evaluators(..)`");
                if quoted || path {
                    continue;
                }
                // A rule that is there twice needs the first one.
                let twice = message.contains("is given twice") && message.starts_with("the rule");
                let text = &entry.text;
                let text = if twice { format!("{text}, {text}") } else { text.clone() };
                let shift = if twice { entry.text.len() + 2 } else { 0 };
                let mut experiment = with(evaluators.clone());
                experiment = match option {
                    "gate" => experiment.gate(text),
                    _ => experiment.require(text),
                };
                let error = error(experiment).await;
                compared += 1;
                if !same(&error, entry, (message, column + shift)) {
                    let name = file.file_name().unwrap().display();
                    wrong.push(format!(
                        "{name}:{}: `{}`\n  compiler, column {column}: {message}\n  program, {error:?}",
                        entry.line, entry.text
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 80, "only {compared} errors were compared");
}

#[tokio::test]
async fn rules_that_compile_are_rules_of_programs() {
    let mut compared = 0;
    for file in files("pass") {
        let source = std::fs::read_to_string(&file).unwrap();
        let (rules, Some(evaluators)) = (entries(&source, "gate"), evaluators_of(&source)) else {
            continue;
        };
        for rule in rules.iter().filter(|rule| !rule.text.contains('$')) {
            let experiment = with(evaluators.clone()).gate(&*rule.text).baseline("none.json");
            // The function reads what it does here; only rules are looked at.
            let result = experiment.run().await;
            let is_rule =
                !matches!(result, Err(RunError::Rule(_) | RunError::UnknownEvaluator { .. }));
            assert!(is_rule, "{}: {result:?}", rule.text);
            compared += 1;
        }
    }
    assert!(compared > 0, "no rule was compared");
}

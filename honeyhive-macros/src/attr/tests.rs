//! What the parsers read, and what they say about the rest.

use proc_macro2::TokenStream;
use syn::LitStr;

use super::evaluator::Options as EvaluatorOptions;
use super::experiment::{Dataset, Options};
use crate::check::rules;
use crate::errors::Errors;
use crate::text;

fn experiment(attribute: &str) -> (Options, Vec<String>) {
    let mut errors = Errors::default();
    let tokens: TokenStream = attribute.parse().unwrap();
    let options = Options::read(tokens, &mut errors);
    rules::check(&options, &mut errors);
    (options, errors.texts())
}

fn evaluator(attribute: &str) -> (EvaluatorOptions, Vec<String>) {
    let mut errors = Errors::default();
    let tokens: TokenStream = attribute.parse().unwrap();
    let options = EvaluatorOptions::read(tokens, &mut errors);
    (options, errors.texts())
}

/// The mistakes in an attribute that has a dataset.
fn mistakes(rest: &str) -> Vec<String> {
    experiment(&format!("dataset = \"data.jsonl\", {rest}")).1
}

#[test]
fn everything_is_read() {
    let (options, errors) = experiment(
        r#"dataset = rows::all, name = "n.1", dataset_name = "rows", repeats = 3, retries = 0,
           concurrency = 1, timeout = "1m 30s", tags("a", "b",), crate = ::hh,
           metadata(model = "m", t = -0.5, n = 7, fine = false, prompt = PROMPT),
           evaluators(a, p::b, strict = c(min = f(1, 2), word = "x"),),
           require(a, b >= 0.7,), gate(mean(strict) >= 1,),"#,
    );
    assert_eq!(errors, [""; 0]);
    assert!(
        matches!(&options.dataset, Some(Dataset::Function(path)) if text::of_type(path) == "rows::all")
    );
    assert_eq!(options.name.as_ref().map(LitStr::value).as_deref(), Some("n.1"));
    assert_eq!(
        (options.repeats, options.retries, options.concurrency),
        (Some(3), Some(0), Some(1))
    );
    assert_eq!(options.timeout_ms, Some(90_000));
    assert_eq!(options.tags.len(), 2);
    let metadata: Vec<String> = options
        .metadata
        .iter()
        .map(|(key, value)| format!("{key}: {}", text::of_expr(value)))
        .collect();
    assert_eq!(
        metadata,
        [
            "model: Text(\"m\")",
            "t: Number(-0.5f64)",
            "n: Integer(7i64)",
            "fine: Bool(false)",
            "prompt: Text({ PROMPT })"
        ]
    );
    let called: Vec<String> = options.evaluators.iter().map(super::uses::Use::called).collect();
    assert_eq!(called, ["a", "b", "strict"]);
    assert_eq!(options.evaluators[2].settings.len(), 2);
    assert_eq!(options.require[1].text, "b >= 0.7");
    assert_eq!(options.gates[0].text(), "mean(strict) >= 1");
}

#[test]
fn every_mistake_is_reported_and_none_follows_from_another() {
    let (_, errors) = experiment(
        "datset = \"x\", repeats = 0, repeats, evalautors(a), gate(mean(a) >= 1, mean(a) > 1)",
    );
    assert_eq!(
        errors,
        [
            "unknown option `datset`; did you mean `dataset`?",
            "`repeats` is at least 1",
            "`repeats` is given twice",
            "`repeats` needs a value: `repeats = 3`",
            "unknown option `evalautors`; did you mean `evaluators`?",
            "write `>=`, not `>`: a value on the limit holds",
        ]
    );
}

#[test]
fn a_dataset_is_needed() {
    let needs = "`#[experiment]` needs a dataset: `dataset = \"data.jsonl\"`, or the path of a function that returns datapoints";
    assert_eq!(experiment("").1, [needs]);
    assert_eq!(experiment("repeats = 2").1, [needs]);
    assert_eq!(experiment("r#dataset = \"a.csv\"").1, ["write `dataset`, not `r#dataset`"]);
    assert_eq!(
        experiment("\"a.csv\"").1,
        ["expected an option, such as `dataset = \"data.jsonl\"`"]
    );
    assert_eq!(experiment("dataset =").1, ["`dataset` needs a value: `dataset = \"data.jsonl\"`"]);
}

#[test]
fn what_a_comparison_needs_is_known() {
    for option in ["track(\"prompts/*.md\")", "baseline = \"b.json\"", "cluster = \"user\""] {
        assert_eq!(mistakes(option), [""; 0], "{option}");
    }
    let rules = "no_regression(a, margin = 0.1, confirm = 2), no_collapse(a, slice = \"x:y\")";
    assert_eq!(mistakes(&format!("evaluators(a), gate({rules})")), [""; 0]);
    let errors = mistakes("evaluators(a), gate(no_regresion(a))");
    assert!(
        matches!(&errors[..], [error] if error.contains("did you mean `no_regression`")),
        "{errors:?}"
    );
    let errors = mistakes("evaluators(a), reduce(a = passat(3))");
    assert!(
        matches!(&errors[..], [error] if error.contains("did you mean `pass_at`")),
        "{errors:?}"
    );
}

#[test]
fn a_rule_finds_its_evaluator() {
    let list = "evaluators(a::good, b::good, strict = c, c, lone = d)";
    let found = |subject: &str| mistakes(&format!("{list}, gate(mean({subject}) >= 0.5)"));
    for subject in ["a::good", "strict", "c", "lone", "d"] {
        assert_eq!(found(subject), [""; 0], "{subject}");
    }
    assert_eq!(
        found("good"),
        [
            "several evaluators are meant by `good`: `good`, `good`; give them aliases, `alias = path`, and name one"
        ]
    );
    assert_eq!(found("strct"), ["`strct` is not in `evaluators(..)`; did you mean `strict`?"]);
}

#[test]
fn broken_evaluators_do_not_break_the_rules() {
    let errors = mistakes("evaluators(a b), gate(mean(c) >= 0.5)");
    assert_eq!(errors, ["expected `,`"]);
}

#[test]
fn rules_are_compared_as_written_for_people() {
    let errors = mistakes("evaluators(a), gate(mean(a)>=0.5, mean( a ) >= 0.5, mean(a) >= 0.50)");
    assert_eq!(errors, ["the rule `mean(a) >= 0.5` is given twice"]);
}

#[test]
fn limits_fit_what_is_measured() {
    let of = |rule: &str| mistakes(&format!("evaluators(a), gate({rule})"));
    assert_eq!(of("p95(latency) <= \"2s\""), [""; 0]);
    assert_eq!(of("p95(latency) <= 2"), ["a latency has a unit: `\"2s\"` or `\"500ms\"`"]);
    assert_eq!(of("mean(a) >= \"2s\""), ["this limit is a number, such as `0.9`"]);
    assert_eq!(of("error_rate <= 5"), ["`error_rate` lies between 0 and 1"]);
    assert_eq!(of("mean(cost) <= 5"), ["`cost` is reserved and not measured in this version"]);
    assert_eq!(of("mean(a) >= 1e999"), ["this number is too large"]);
}

#[test]
fn evaluator_options_are_read() {
    let (options, errors) = evaluator(
        r#"name = "good", threshold = -1, direction = minimize, range(-5, 5.0), settings(min, word = "a,b", r#type = 1)"#,
    );
    assert_eq!(errors, [""; 0]);
    assert!(options.minimize);
    assert_eq!(options.threshold.map(|number| number.text).as_deref(), Some("-1"));
    assert_eq!(options.settings.len(), 3);
    assert!(options.settings[0].default.is_none() && options.settings[1].default.is_some());
}

#[test]
fn evaluator_options_are_checked() {
    assert_eq!(
        evaluator("threshold = 7, range(0, 5)").1,
        ["the threshold lies outside of `range(0, 5)`"]
    );
    assert_eq!(evaluator("range(5, 0)").1, ["the smallest value comes first: `range(0, 5)`"]);
    assert_eq!(evaluator("range(5, 5)").1, ["the smallest and the largest value are the same"]);
    assert_eq!(evaluator("range(1, 2, 3)").1, ["expected `)`"]);
    assert_eq!(
        evaluator("name = \"tokens\"").1,
        [
            "an evaluator cannot be named `tokens`, which has a meaning of its own in `gate(..)`; choose another name"
        ]
    );
    assert_eq!(
        evaluator("treshold = 1, minimize").1,
        [
            "unknown option `treshold`; did you mean `threshold`?",
            "unknown option `minimize`; the options are `name`, `threshold`, `direction`, `range`, `settings`, `crate`",
        ]
    );
}

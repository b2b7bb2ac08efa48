//! Tests the parsers, and their errors.

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
    rules::check(&options, &rules::Names::new(&options), &mut errors);
    (options, errors.texts())
}

fn evaluator(attribute: &str) -> (EvaluatorOptions, Vec<String>) {
    let mut errors = Errors::default();
    let tokens: TokenStream = attribute.parse().unwrap();
    let options = EvaluatorOptions::read(tokens, &mut errors);
    (options, errors.texts())
}

/// Returns the mistakes in an attribute that has a dataset.
fn mistakes(rest: &str) -> Vec<String> {
    let smoke = if rest.contains("evaluators") || rest.contains("smoke") { "" } else { ", smoke" };
    experiment(&format!("dataset = \"data.jsonl\", {rest}{smoke}")).1
}

#[test]
fn everything_is_read() {
    let (options, errors) = experiment(
        r#"dataset = rows::all, name = "n.1", dataset_name = "rows", repeats = 3, retries = 0,
           concurrency = 1, timeout = "1m 30s", tags("a", "b",), crate = ::hh,
           metadata(model = "m", t = -0.5, n = 7, fine = false, prompt = PROMPT,
                    call = version(1, 2)?.text),
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
            "model: \"m\"",
            "t: -0.5",
            "n: 7i64",
            "fine: false",
            "prompt: PROMPT",
            "call: version(1, 2)?.text",
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
    assert_eq!(experiment("smoke").1, [needs]);
    assert_eq!(experiment("repeats = 2, smoke").1, [needs]);
    assert_eq!(experiment("r#dataset = \"a.csv\", smoke").1, ["write `dataset`, not `r#dataset`"]);
    assert_eq!(
        experiment("\"a.csv\", smoke").1,
        ["expected an option, such as `dataset = \"data.jsonl\"`"]
    );
    assert_eq!(
        experiment("dataset =, smoke").1,
        ["`dataset` needs a value: `dataset = \"data.jsonl\"`"]
    );
}

#[test]
fn something_judges_or_the_experiment_says_smoke() {
    let nothing = "nothing would judge what this experiment's function returns: name `evaluators(correct)`, or write `smoke` where the check is that it runs without an error, a panic or a timeout";
    let dataset = |rest: &str| experiment(&format!("dataset = \"data.jsonl\"{rest}")).1;
    assert_eq!(dataset(""), [nothing]);
    for fine in [", smoke", ", smoke,", ", evaluators(a)", ", gate(p95(latency) <= \"2s\")"] {
        assert_eq!(dataset(fine), [""; 0], "{fine}");
    }
    assert_eq!(dataset(", smoke, gate(error_rate <= 0.1)"), [""; 0]);
    assert_eq!(
        dataset(", evaluators()"),
        [
            "`evaluators()` is empty, so nothing would judge what the function returns: name some, `evaluators(correct)`, or write `smoke` instead where the check is that it runs without an error, a panic or a timeout"
        ]
    );
    assert!(dataset(", smoke, evaluators(a)")[0].starts_with("`smoke` says that nothing scores"));
    assert_eq!(dataset(", smoke = true"), ["`smoke` takes no value: write `smoke` alone"]);
}

#[test]
fn lists_say_something() {
    for (option, usage) in [
        ("require", "require(correct)"),
        ("gate", "gate(mean(correct) >= 0.9)"),
        ("reduce", "reduce(correct = at_least(2))"),
        ("tags", "tags(\"nightly\")"),
        ("track", "track(\"prompts/*.md\")"),
        ("metadata", "metadata(model = \"..\")"),
    ] {
        assert_eq!(
            mistakes(&format!("evaluators(a), {option}()")),
            [format!("`{option}()` is empty: write `{usage}`, or leave it out")]
        );
    }
    assert_eq!(
        evaluator("settings()").1,
        ["`settings()` is empty: write `settings(min, word = \"x\")`, or leave it out"]
    );
    assert_eq!(mistakes("evaluators(a), gate(error_rate() <= 0.1)").len(), 1);
}

#[test]
fn min_n_is_an_option_of_every_rule() {
    let of = |rule: &str| mistakes(&format!("evaluators(a), gate({rule})"));
    for rule in [
        "mean(a, min_n = 20) >= 0.5",
        "mean(a, slice = \"x:y\", min_n = 20) >= 0.5",
        "mean(a, min_n = 1, slice = \"x:y\",) >= 0.5",
        "p95(latency, min_n = 20) <= \"2s\"",
        "error_rate(min_n = 20) <= 0.1",
        "confident(pass_rate(a, min_n = 20) >= 0.5)",
        "not_worse(mean(a, min_n = 20) >= 0.5)",
        "no_regression(a, min_n = 20)",
        "no_collapse(a, min_n = 20)",
    ] {
        assert_eq!(of(rule), [""; 0], "{rule}");
    }
    let usage = "`min_n` is a whole number from 1: how many scores the rule asks for, `min_n = 20`";
    for value in ["0", "-1", "2.5", "\"20\"", "many", "5_000_000_000", ""] {
        assert_eq!(of(&format!("mean(a, min_n = {value}) >= 0.5")), [usage], "{value}");
        assert_eq!(of(&format!("no_regression(a, min_n = {value})")), [usage], "{value}");
    }
    assert_eq!(of("mean(a, min_n = 2, min_n = 3) >= 0.5"), ["`min_n` is given twice"]);
    assert_eq!(
        of("mean(a, n = 2) >= 0.5"),
        ["a measure has no setting `n`; did you mean `min_n`?"]
    );
    let (options, _) =
        experiment("dataset = d, evaluators(a), gate(mean(a, slice = \"s\", min_n = 20) >= 0.5)");
    assert_eq!(options.gates[0].text(), "mean(a, slice = \"s\", min_n = 20) >= 0.5");
}

#[test]
fn words_of_other_tools_lead_to_ours() {
    for (word, ours) in [
        ("max_workers = 4", "`concurrency = 8`"),
        ("maxConcurrency = 4", "`concurrency = 8`"),
        ("max_concurrency = 4", "`concurrency = 8`"),
        ("threads = 4", "`concurrency = 8`"),
        ("epochs = 3", "`repeats = 3`"),
        ("trials = 3", "`repeats = 3`"),
        ("n = 3", "`repeats = 3`"),
        ("num_repetitions = 3", "`repeats = 3`"),
        ("samples = 3", "`HH_SAMPLE=20`"),
        ("model = \"m\"", "`metadata(model = MODEL"),
        ("models = [\"a\", \"b\"]", "`macro_rules!`"),
        ("setup = f", "`std::sync::LazyLock`"),
        ("task = f", "function below"),
        ("seed = 7", "`HH_SAMPLE_SEED`"),
        ("skip = true", "`#[ignore = "),
    ] {
        let errors = mistakes(word);
        assert!(matches!(&errors[..], [one] if one.contains(ours)), "{word}: {errors:?}");
    }
    // The words stand for the option that is required.
    for word in ["scorers(a)", "scores = a", "metrics = [a]"] {
        let errors = experiment(&format!("dataset = \"d.csv\", {word}")).1;
        assert!(
            matches!(&errors[..], [one] if one.contains("`evaluators(correct)`")),
            "{errors:?}"
        );
    }
    let errors = experiment("data = \"d.csv\", smoke").1;
    assert!(matches!(&errors[..], [one] if one.contains("`dataset = ")), "{errors:?}");
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
fn an_evaluator_named_like_a_measurement_is_what_a_rule_means() {
    let list = "evaluators(cost, tokens = used, a::latency, first_token)";
    let of = |rule: &str| mistakes(&format!("{list}, {rule}"));
    for rule in
        ["mean(cost) <= 1", "sum(tokens) <= 9", "mean(latency) <= 2", "p95(first_token) <= 3"]
    {
        let errors = of(&format!("gate({rule})"));
        let known = rule.starts_with("sum").then_some("unknown measure `sum`");
        assert!(errors.iter().all(|e| known.is_some_and(|k| e.starts_with(k))), "{errors:?}");
    }
    assert_eq!(of("require(latency >= 1)"), [""; 0]);
    assert_eq!(of("gate(no_regression(latency))"), [""; 0]);
    assert_eq!(
        of("gate(p95(latency) <= \"2s\")"),
        [
            "`latency` is an evaluator in `evaluators(..)` here, so this limit is a number, such as `0.9`"
        ]
    );
    assert!(mistakes("evaluators(a), require(latency)")[0].starts_with("`require` looks at eval"));
    assert!(mistakes("evaluators(a, error_rate)")[0].starts_with("`error_rate` is the share"));
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
    assert_eq!(
        of("mean(cost) <= 5"),
        [
            "this version does not measure `cost`: write an evaluator, `#[evaluator] fn cost(..) -> f64`, and add it to `evaluators(..)`"
        ]
    );
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
    for name in ["tokens", "cost", "latency", "first_token"] {
        assert_eq!(evaluator(&format!("name = \"{name}\"")).1, [""; 0]);
    }
    assert!(evaluator("name = \"error_rate\"").1[0].contains("cannot be named `error_rate`"));
    assert_eq!(
        evaluator("treshold = 1, minimize").1,
        [
            "unknown option `treshold`; did you mean `threshold`?",
            "unknown option `minimize`; write `direction = minimize` where less is better; more is better without it",
        ]
    );
}

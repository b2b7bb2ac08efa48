//! Checks `stop = decided` against the rules of the same attribute.

use super::rules::{Of, Rule, Test};
use crate::attr::experiment::Options;
use crate::attr::gate::Gate;
use crate::errors::Errors;

/// Checks that the gate can be decided before the last case.
pub(crate) fn check(options: &Options, gates: &[Rule], errors: &mut Errors) {
    let Some(stop) = &options.stop else { return };
    if options.gates.is_empty() {
        errors.at(
            stop,
            "`stop = decided` needs a gate that can be decided: add `gate(mean(correct) >= 0.9)`",
        );
        return;
    }
    let mut compares = false;
    for rule in &options.gates {
        if let Gate::Against(rule) = rule {
            compares = true;
            errors.at(
                &rule.name,
                format_args!(
                    "`{}` compares with the baseline case by case, which takes all cases; remove it, or `stop = decided`",
                    rule.name
                ),
            );
        }
    }
    // A rule with an error of its own may be meant as one that can be decided.
    let all_fit = gates.len() == options.gates.len();
    if all_fit && !compares && !gates.iter().any(is_decidable) {
        errors.at(
            stop,
            "no rule of this gate can be decided before the last case; a plain limit on `mean(..)` or `pass_rate(..)` of an evaluator, or on `error_rate`, can",
        );
    }
}

/// Returns whether the verdict of a rule can be certain before the last case, if its scores are
/// bounded.
fn is_decidable(rule: &Rule) -> bool {
    let Test::Limit { mode: "Point", measure, .. } = rule.test else { return false };
    match rule.of {
        Of::Evaluator(_) => matches!(measure, "Mean" | "PassRate"),
        Of::Errors => true,
        Of::Latency => false,
    }
}

/// Returns the evaluators one of whose scores have to be bounded; `None` where a rule needs no such
/// bounds.
pub(crate) fn bounded(options: &Options, gates: &[Rule]) -> Option<Vec<usize>> {
    let mut evaluators = Vec::new();
    for rule in gates.iter().filter(|rule| is_decidable(rule)) {
        match (&rule.of, &rule.test) {
            (Of::Evaluator(index), Test::Limit { measure: "Mean", .. })
                if !super::rules::counts(options, *index) =>
            {
                evaluators.push(*index);
            }
            _ => return None,
        }
    }
    Some(evaluators)
}

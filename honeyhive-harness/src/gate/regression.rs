//! Rules that look at the baseline: has it become worse, and is that more than chance?

use crate::baseline::{self, Collapses, ScoreComparison};
use crate::journal::{ComparisonRecord, RuleRecord, Verdict};
use crate::rule::GateRule;
use crate::text::{count, number, one_line};

use super::case::{Case, CaseScore};
use super::counted::Counted;
use super::verdict::{Baseline, Draft, MIN_SCORED, Scene, p_value};

/// Fewer cases than this that both runs have say nothing about a regression.
const MIN_PAIRS: usize = 10;

/// Cases named in a record.
const MOST_MOVED: usize = 50;

/// Things that changed, named in a verdict.
const MOST_CHANGES: usize = 6;

/// What both rules need before they can say anything.
struct Ready<'a> {
    baseline: &'a Baseline,
    now: &'a baseline::Snapshot,
    name: &'a str,
}

fn ready<'a>(scene: &Scene<'a>, evaluator: usize, cases: &[&Case]) -> Result<Ready<'a>, String> {
    let baseline = match scene.baseline {
        Some(Ok(baseline)) => baseline,
        Some(Err(why)) => return Err(why.to_owned()),
        None => return Err("there is no baseline".to_owned()),
    };
    let Some(now) = scene.now else { return Err("there is nothing to compare".to_owned()) };
    let applies = |case: &&&Case| case.scores[evaluator] != CaseScore::NotApplicable;
    let wanted = cases.iter().filter(applies).count();
    let scored = cases.iter().filter(|case| case.scores[evaluator].scored().is_some()).count();
    if wanted == 0 || scored == 0 {
        return Err("no case was scored".to_owned());
    }
    if (scored as f64) < MIN_SCORED * wanted as f64 {
        let share = scored as f64 / wanted as f64 * 100.0;
        let wanted = count(wanted, "case");
        return Err(format!("only {scored} of {wanted} scored ({share:.0} %, needs 95 %)"));
    }
    Ok(Ready { baseline, now, name: &scene.rules.judges[evaluator].name })
}

fn inconclusive(rule: &GateRule, why: &str) -> Draft {
    Draft::without_test(RuleRecord::new(rule, Verdict::Inconclusive, why))
}

/// `; changed since: prompts/system.md, model a → b`
fn changes(ready: &Ready<'_>) -> String {
    let mut found = baseline::changed(&ready.baseline.snapshot, ready.now);
    if found.is_empty() {
        return "; nothing that is tracked has changed since".to_owned();
    }
    let more = found.len().saturating_sub(MOST_CHANGES);
    found.truncate(MOST_CHANGES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; changed since: {}{more}", one_line(&found.join(", "), 400))
}

/// The ids of the cases that a rule looks at.
fn ids(scene: &Scene<'_>, cases: &[&Case]) -> std::collections::HashSet<String> {
    cases.iter().map(|case| (scene.id)(case.row)).collect()
}

/// `no_regression(e, margin, alpha)`: fails when the mean of the pairs has fallen by the margin or
/// more, and a paired permutation test does not take that for chance.
pub(super) fn no_regression(
    rule: &GateRule,
    evaluator: usize,
    (margin, alpha): (f64, f64),
    scene: &Scene<'_>,
    cases: &[&Case],
) -> Draft {
    let ready = match ready(scene, evaluator, cases) {
        Ok(ready) => ready,
        Err(why) => return inconclusive(rule, &why),
    };
    let ids = ids(scene, cases);
    let select = |id: &str| ids.contains(id);
    let compared = baseline::compare(&ready.baseline.snapshot, ready.now, ready.name, &select);
    if let Some(why) = &compared.incomparable {
        return inconclusive(rule, &format!("{why}; accept a run with `cargo honeyhive accept`"));
    }
    if compared.pairs.len() < MIN_PAIRS {
        let rows = baseline::RowChanges::between(&ready.baseline.snapshot, ready.now).text();
        let rows = if rows.is_empty() { rows } else { format!(" ({rows})") };
        let have = count(compared.pairs.len(), "case");
        let why = format!(
            "only {have} can be compared with {}{rows}; it takes {MIN_PAIRS}",
            ready.baseline.words()
        );
        return inconclusive(rule, &why);
    }
    let rest = unpaired(&compared, evaluator, cases);
    let pairs = compared.pairs.len();
    let counted = Counted { values: pairs, scored: pairs, cases: cases.len(), rest: &rest };
    if let Some(few) = counted.too_few(rule.min_n) {
        return inconclusive(rule, &few);
    }
    let holds = compared.p_worse > alpha || -compared.gain < margin - 1e-9;
    let improved = compared.p_better <= alpha && compared.gain > 0.0;
    let moved = moved(&compared);
    let mut text = describe(&compared, &counted, improved, &ready);
    let record = RuleRecord {
        value: Some(compared.after),
        n: compared.pairs.len(),
        against: Some(ComparisonRecord {
            before: compared.before,
            after: compared.after,
            gain: compared.gain,
            interval: compared.interval.map(|interval| (interval.low, interval.high)),
            better: compared.better,
            worse: compared.worse,
            p: compared.p_worse,
            p_adjusted: None,
            improved,
            moved: moved.iter().take(MOST_MOVED).map(|pair| pair.case.clone()).collect(),
        }),
        ..RuleRecord::new(rule, if holds { Verdict::Pass } else { Verdict::Fail }, &text)
    };
    text.clear();
    if !holds {
        let worst: Vec<String> = moved
            .iter()
            .take(3)
            .map(|pair| {
                let case = one_line(&pair.case, 40);
                format!("{case} ({} → {})", number(pair.before), number(pair.after))
            })
            .collect();
        text = format!("{}; worst: {}", changes(&ready), worst.join(", "));
    }
    Draft { record, test: Some((compared.p_worse, alpha)), tail: text }
}

/// `0.347 was 0.39, down 0.043 (95 % 0.014 to 0.072), p = 0.002, n = 1,319; 152 better, 209 worse
/// than the baseline of ..`
fn describe(
    compared: &ScoreComparison,
    counted: &Counted<'_>,
    improved: bool,
    ready: &Ready<'_>,
) -> String {
    let change = compared.after - compared.before;
    let mut text = format!("{} was {}", number(compared.after), number(compared.before));
    let p = if compared.gain < 0.0 { compared.p_worse } else { compared.p_better };
    if compared.better + compared.worse > 0 {
        let word = if change < 0.0 { "down" } else { "up" };
        text.push_str(&format!(", {word} {}", number(change.abs())));
        if let Some(interval) = compared.interval {
            text.push_str(&format!(
                " (95 % of the gain {} to {})",
                number(interval.low),
                number(interval.high)
            ));
        }
    }
    text.push_str(&format!(", {}", p_value(p)));
    if let Some(clusters) = compared.clusters {
        text.push_str(&format!(" in {}", count(clusters, "cluster")));
    }
    let verdict = if improved { "improved: " } else { "" };
    text.push_str(&format!(
        ", {}; {verdict}{} better, {} worse than {}",
        counted.text(),
        crate::text::thousands(compared.better),
        crate::text::thousands(compared.worse),
        ready.baseline.words()
    ));
    text
}

/// The cases that are in no pair, and why.
fn unpaired(
    compared: &ScoreComparison,
    evaluator: usize,
    cases: &[&Case],
) -> [(usize, &'static str); 3] {
    let count =
        |wanted: CaseScore| cases.iter().filter(|case| case.scores[evaluator] == wanted).count();
    let (skipped, missing) = (count(CaseScore::NotApplicable), count(CaseScore::Missing));
    let others = cases.len().saturating_sub(compared.pairs.len() + skipped + missing);
    [
        (skipped, "not applicable"),
        (missing, "without a score"),
        (others, "not comparable with the baseline"),
    ]
}

/// The pairs that got worse, worst first.
fn moved(compared: &ScoreComparison) -> Vec<&baseline::Pair> {
    let mut moved: Vec<&baseline::Pair> =
        compared.pairs.iter().filter(|pair| pair.gain < -1e-12).collect();
    moved.sort_by(|a, b| a.gain.total_cmp(&b.gain).then_with(|| a.case.cmp(&b.case)));
    moved
}

/// `no_collapse(e, alpha)`: fails when more cases that held in every attempt of the baseline hold in
/// none now than chance explains.
pub(super) fn no_collapse(
    rule: &GateRule,
    evaluator: usize,
    alpha: f64,
    scene: &Scene<'_>,
    cases: &[&Case],
) -> Draft {
    let ready = match ready(scene, evaluator, cases) {
        Ok(ready) => ready,
        Err(why) => return inconclusive(rule, &why),
    };
    let ids = ids(scene, cases);
    let select = |id: &str| ids.contains(id);
    let found = baseline::collapses(&ready.baseline.snapshot, ready.now, ready.name, &select);
    let Collapses { held, collapsed, p, .. } = match found {
        Ok(found) => found,
        Err(why) => {
            let why = format!("{why}; accept a run with `cargo honeyhive accept`");
            return inconclusive(rule, &why);
        }
    };
    let words = ready.baseline.words();
    if held == 0 {
        let why = format!("no case that can be compared held in every attempt of {words}");
        return inconclusive(rule, &why);
    }
    let others = cases.len().saturating_sub(held);
    let rest = [(others, "that did not hold in every attempt of the baseline")];
    let counted = Counted { values: held, scored: held, cases: cases.len(), rest: &rest };
    if let Some(few) = counted.too_few(rule.min_n) {
        return inconclusive(rule, &few);
    }
    let holds = collapsed.is_empty() || p > alpha;
    let named: Vec<String> = collapsed.iter().map(|case| one_line(case, 40)).collect();
    let text = format!(
        "{} of {} collapsed since {words}{}{}",
        named.len(),
        count(held, "case"),
        if named.is_empty() { String::new() } else { format!(", {}", p_value(p)) },
        if named.is_empty() {
            String::new()
        } else {
            format!(": {}", named[..named.len().min(5)].join(", "))
        },
    );
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    let record = RuleRecord {
        value: Some(named.len() as f64),
        n: held,
        against: Some(ComparisonRecord {
            worse: named.len(),
            p,
            moved: collapsed.into_iter().take(MOST_MOVED).collect(),
            ..ComparisonRecord::default()
        }),
        ..RuleRecord::new(rule, verdict, &text)
    };
    let tail = if holds { String::new() } else { changes(&ready) };
    Draft { record, test: Some((p, alpha)), tail }
}

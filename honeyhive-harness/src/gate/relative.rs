//! Judges rules that compare with the baseline: whether a score has become worse, and whether that is
//! more than chance explains.
//!
//! The rules about one evaluator (in one slice) are judged jointly, since their tests largely agree:
//! see [`baseline::exchange`].

use crate::baseline::exchange::{self, Question, TOGETHER, Tests};
use crate::baseline::{self, Both, Paired, Scope};
use crate::journal::{ComparisonRecord, RuleRecord, Verdict};
use crate::rule::{GateRule, Test};
use crate::text::{count, number, one_line, thousands};

use super::case::{Case, CaseScore};
use super::compared::{Compared, changes, describe_means, means, sample};
use super::correct::{Corrected, Draft, Group, Tested, p_value};
use super::counted::MIN_SCORED;
use super::input::GateInput;
use super::margin;
use super::notice;

/// The number of cases in both runs below which a regression cannot be judged.
const MIN_PAIRS: usize = 10;

/// The number of attempts of most cases in the baseline below which `no_loss` is weaker than
/// `no_collapse`.
const MIN_LOSS_ATTEMPTS: u32 = 8;

/// The most cases that a record names.
const MOST_MOVED: usize = 50;

/// The rules about an evaluator, in one slice, that compare with the baseline.
pub(super) struct Family<'a> {
    pub(super) evaluator: usize,
    pub(super) slice: Option<&'a str>,
    /// The rules with their places in the gate.
    pub(super) rules: Vec<(usize, &'a GateRule)>,
}

impl<'a> Family<'a> {
    /// Returns the families of all rules, in the order of their first rules.
    pub(super) fn of(rules: &'a [GateRule]) -> Vec<Self> {
        let mut families: Vec<Self> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let Some(evaluator) = rule.test.compares() else { continue };
            let slice = rule.slice.as_deref();
            let same = |one: &&mut Self| one.evaluator == evaluator && one.slice == slice;
            match families.iter_mut().find(same) {
                Some(family) => family.rules.push((index, rule)),
                None => families.push(Self { evaluator, slice, rules: vec![(index, rule)] }),
            }
        }
        families
    }
}

/// Judges the rules of a family, up to the correction for the other tests of the gate. Returns a draft
/// for each rule, with its place in the gate.
pub(super) fn judge<'a>(
    family: &Family<'a>,
    at: usize,
    input: &'a GateInput<'_>,
    cases: &[&Case],
) -> Vec<(usize, Draft<'a>)> {
    let compared = match compared(family, input, cases) {
        Ok(compared) => std::rc::Rc::new(compared),
        Err(why) => {
            let draft = |rule: &GateRule| Draft::inconclusive(rule, &why);
            return family.rules.iter().map(|(index, rule)| (*index, draft(rule))).collect();
        }
    };
    let mut drafts = Vec::with_capacity(family.rules.len());
    let mut open = Vec::new();
    for (index, rule) in &family.rules {
        match cannot_say(rule, &compared) {
            Some(why) => drafts.push((*index, Draft::inconclusive(rule, &why))),
            None => match question(rule) {
                Some(question) => open.push((*index, *rule, question)),
                None => drafts.push((*index, margin::draft(rule, &compared))),
            },
        }
    }
    let mut asked: Vec<Question> = Vec::new();
    for (.., question) in &open {
        if !asked.contains(question) {
            asked.push(*question);
        }
    }
    if asked.is_empty() {
        return drafts;
    }
    let tests = exchange::answer(&compared.paired, &compared.scores, &asked);
    for (index, rule, question) in &open {
        let which = asked.iter().position(|one| one == question).unwrap_or_default();
        let others = asked.iter().filter(|other| *other != question);
        let jointly: Vec<String> = others.map(|other| name(*other).to_owned()).collect();
        let draft = draft(rule, *question, &compared, &tests, (at, which, jointly));
        drafts.push((*index, draft));
    }
    drafts
}

/// Returns the question of a rule that is judged jointly with others; `None` for other rules.
pub(super) fn question(rule: &GateRule) -> Option<Question> {
    match rule.test {
        Test::NoRegression { .. } => Some(Question::Loss),
        Test::NoCollapse { .. } => Some(Question::Collapses),
        Test::NoLoss { .. } => Some(Question::Deepest),
        _ => None,
    }
}

fn name(question: Question) -> &'static str {
    match question {
        Question::Loss => "no_regression",
        Question::Collapses => "no_collapse",
        Question::Deepest => "no_loss",
    }
}

/// Compares the runs, or returns why they cannot be compared at all.
fn compared<'a>(
    family: &Family<'_>,
    input: &'a GateInput<'_>,
    cases: &[&Case],
) -> Result<Compared<'a>, String> {
    let baseline = match &input.baseline {
        Some(Ok(baseline)) => baseline,
        Some(Err(why)) => return Err(why.clone()),
        None => return Err("there is no baseline".to_owned()),
    };
    let Some(now) = &input.now else { return Err("there is nothing to compare".to_owned()) };
    scored(cases, family.evaluator)?;
    let ids: std::collections::HashSet<String> =
        cases.iter().map(|case| (input.id)(case.row)).collect();
    // Rows that are only in the baseline are compared, too.
    let select = |id: &str| family.slice.is_none() || ids.contains(id);
    let scope = Scope { now: &select, slice: family.slice };
    let name = &input.rules.judges[family.evaluator].name;
    let paired = baseline::pair(&baseline.snapshot, now, name, scope)
        .map_err(|why| format!("{why}; accept a run with `cargo honeyhive accept`"))?;
    let scores = baseline::of_pairs(name, &paired);
    Ok(Compared { baseline, now, paired, scores })
}

/// Checks that enough attempts have a score; attempts that failed count even where others of their case
/// did not.
fn scored(cases: &[&Case], evaluator: usize) -> Result<(), String> {
    let (mut have, mut want) = (0, 0);
    for case in cases {
        match case.scores[evaluator] {
            CaseScore::Scored(scored) => {
                have += scored.attempts as usize;
                want += (scored.attempts + scored.missing) as usize;
            }
            CaseScore::Missing => want += case.attempts.max(1) as usize,
            CaseScore::NotApplicable => {}
        }
    }
    if have == 0 {
        return Err("no case was scored".to_owned());
    }
    if (have as f64) < MIN_SCORED * want as f64 {
        let share = have as f64 / want as f64 * 100.0;
        let unit = if want > cases.len() { "attempt" } else { "case" };
        let have = thousands(have);
        let want = count(want, unit);
        return Err(format!("only {have} of {want} scored ({share:.0} %, needs 95 %)"));
    }
    Ok(())
}

/// Returns why a rule cannot be judged although the runs can be compared; `None` where it can.
fn cannot_say(rule: &GateRule, compared: &Compared<'_>) -> Option<String> {
    let Compared { baseline, paired, .. } = compared;
    let coverage = &paired.coverage;
    let needed = rule.coverage.unwrap_or(MIN_SCORED);
    let pairs = paired.pairs.len();
    let words = baseline.words();
    let reason = coverage.text();
    if coverage.share() < needed - 1e-9 {
        return Some(format!(
            "only {} of {} can be compared with {words} ({:.0} %, needs {:.0} %): {reason}; accept a \
             run, or write `coverage = ..` in the rule",
            thousands(pairs),
            count(coverage.expected, "case"),
            coverage.share() * 100.0,
            needed * 100.0
        ));
    }
    let least = if matches!(rule.test, Test::NoCollapse { .. } | Test::NoLoss { .. }) {
        1
    } else {
        MIN_PAIRS
    };
    let min_n = usize::try_from(rule.min_n).unwrap_or(usize::MAX);
    if pairs < min_n {
        let (n, asked) = (sample(paired), thousands(min_n));
        return Some(format!("{n}; the rule asks for at least {asked}"));
    }
    if pairs < least {
        let reason = if reason.is_empty() { reason } else { format!(" ({reason})") };
        let have = count(pairs, "case");
        return Some(format!("only {have} can be compared with {words}{reason}; it takes {least}"));
    }
    let counts = || paired.pairs.iter().filter_map(|pair| pair.counts);
    match rule.test {
        Test::NoCollapse { .. } if !counts().any(|one| one.good.0 == one.attempts.0) => {
            Some(format!("no case that can be compared held in every attempt of {words}"))
        }
        Test::NoLoss { .. } if counts().next().is_none() => {
            Some("the evaluator only measures, so no attempt is good or bad".to_owned())
        }
        Test::NoLoss { .. } if paired.is_clustered() => Some(
            "`no_loss` looks at single cases, and these belong to clusters; write `no_collapse`"
                .to_owned(),
        ),
        Test::NoLoss { .. } => {
            let mut attempts: Vec<u32> = counts().map(|one| one.attempts.0).collect();
            attempts.sort_unstable();
            let middle = attempts[attempts.len() / 2];
            (middle < MIN_LOSS_ATTEMPTS).then(|| {
                format!(
                    "`no_loss` takes a baseline of {MIN_LOSS_ATTEMPTS} attempts for most cases, and \
                     {words} has {middle}; write `no_collapse`, or gather one with `cargo honeyhive \
                     accept --attempts {MIN_LOSS_ATTEMPTS}`"
                )
            })
        }
        _ => None,
    }
}

/// Returns the draft of a rule: its verdict as a function of its corrected p.
fn draft<'a>(
    rule: &'a GateRule,
    question: Question,
    compared: &std::rc::Rc<Compared<'a>>,
    tests: &Tests,
    (family, which, jointly): (usize, usize, Vec<String>),
) -> Draft<'a> {
    let alpha = rule.alpha().unwrap_or(f64::NAN);
    let compared = std::rc::Rc::clone(compared);
    let (robust, together) = (tests.robust[which], tests.together);
    let better = (question == Question::Loss).then_some(compared.scores.p_better);
    let finish = move |corrected: &Corrected| {
        let mut said = match question {
            Question::Loss => loss(rule, &compared, corrected),
            Question::Collapses => collapses(&compared, corrected),
            Question::Deepest => deepest(&compared, corrected),
        };
        said.against.p_adjusted = corrected.adjusted();
        said.against.tests = corrected.tests;
        said.against.jointly.clone_from(&corrected.jointly);
        said.against.expected = compared.paired.coverage.expected;
        let mut verdict = if said.holds { Verdict::Pass } else { Verdict::Fail };
        let mut text = said.text;
        if let Some(share) = rule.coverage.filter(|_| compared.paired.coverage.share() < MIN_SCORED)
        {
            text.push_str(&format!(
                "; coverage down to {share} is allowed: {}",
                compared.paired.coverage.text()
            ));
        }
        if corrected.least > corrected.alpha {
            verdict = Verdict::Inconclusive;
            text =
                format!("{text}; {}", notice::cannot_fail(&compared.paired, question, corrected));
        } else if verdict == Verdict::Fail && together <= TOGETHER && robust > corrected.alpha {
            verdict = Verdict::Inconclusive;
            text.push_str(&format!(
                "; but cases moved both ways more than their attempts explain ({}), so the attempts \
                 of one run go together and this p does not hold; whole cases exchanged give {}: \
                 spread the repeats over time, or accept more runs with `--add`",
                p_value(together, corrected.alpha),
                p_value(robust, corrected.alpha)
            ));
        } else {
            said.against.would_notice = notice::least(&compared, question, rule, corrected);
            if let (true, Some(notice)) = (said.holds, &said.against.would_notice) {
                text.push_str(&format!("; would notice {notice}"));
            }
        }
        if verdict == Verdict::Fail {
            text.push_str(&changes(&compared));
            if let Some(worst) = said.worst {
                text.push_str(&format!("; worst: {worst}"));
            }
        }
        RuleRecord {
            value: said.value,
            n: said.n,
            against: Some(said.against),
            ..RuleRecord::new(rule, verdict, &text)
        }
    };
    Draft::Tested(Tested {
        group: Group::Family(family),
        alone: tests.alone[which],
        p: tests.p[which],
        least: tests.least[which],
        better,
        alpha,
        jointly,
        finish: Box::new(finish),
    })
}

/// The preliminary verdict of a rule, before it is checked whether the rule can be judged.
struct Said {
    holds: bool,
    value: Option<f64>,
    n: usize,
    against: ComparisonRecord,
    text: String,
    /// The cases that lost most, as text.
    worst: Option<String>,
}

/// Judges `no_regression`, which fails when the mean of the pairs has fallen by the margin or more, and
/// the test does not take that for chance.
fn loss(rule: &GateRule, compared: &Compared<'_>, corrected: &Corrected) -> Said {
    let scores = &compared.scores;
    let Test::NoRegression { margin, alpha, .. } = rule.test else { unreachable!("another rule") };
    let significant = corrected.p <= alpha;
    let beyond = -scores.gain >= margin - 1e-9;
    let improved = corrected.better.is_some_and(|p| p <= alpha) && scores.gain > 0.0;
    let mut text = describe(compared, improved, corrected);
    let within_margin = significant && !beyond && scores.gain < 0.0;
    if within_margin {
        text.push_str(&format!("; within the margin of {}", number(margin)));
    }
    let moved = moved(&compared.paired);
    let worst: Vec<String> = moved
        .iter()
        .take(3)
        .map(|pair| {
            let case = one_line(&pair.id, 40);
            format!("{case} ({} → {})", number(pair.before), number(pair.after))
        })
        .collect();
    Said {
        holds: !(significant && beyond),
        value: Some(scores.after),
        n: compared.paired.pairs.len(),
        against: ComparisonRecord {
            improved,
            within_margin,
            p: scores.p_worse,
            moved: moved.iter().take(MOST_MOVED).map(|pair| pair.id.clone()).collect(),
            ..means(scores)
        },
        text,
        worst: (!worst.is_empty()).then(|| worst.join(", ")),
    }
}

/// Describes a comparison: `0.347 was 0.39, down 0.043 (95 % of the gain -0.072 to -0.014), p = 0.002,
/// n = 1,319; 152 better, 209 worse than the baseline of ..`
fn describe(compared: &Compared<'_>, improved: bool, corrected: &Corrected) -> String {
    let scores = &compared.scores;
    let mut text = describe_means(scores);
    let p = match corrected.better {
        Some(better) if scores.gain > 0.0 => p_value(better, corrected.alpha),
        _ => corrected.shown(),
    };
    text.push_str(&format!(", {p}"));
    if let Some(clusters) = scores.clusters {
        text.push_str(&format!(" in {}", count(clusters, "cluster")));
    }
    let verdict = if improved { "improved: " } else { "" };
    text.push_str(&format!(
        ", {}; {verdict}{} better, {} worse than {}",
        sample(&compared.paired),
        thousands(scores.better),
        thousands(scores.worse),
        compared.baseline.words()
    ));
    text
}

/// Returns the pairs that got worse, worst first.
pub(super) fn moved(paired: &Paired) -> Vec<&Both> {
    let mut moved: Vec<&Both> = paired.pairs.iter().filter(|pair| pair.gain < -1e-12).collect();
    moved.sort_by(|a, b| a.gain.total_cmp(&b.gain).then_with(|| a.id.cmp(&b.id)));
    moved
}

/// Judges `no_collapse`, which fails when more cases that held in every attempt of the baseline hold in
/// none now than chance explains.
fn collapses(compared: &Compared<'_>, corrected: &Corrected) -> Said {
    let (held, collapsed) = baseline::held_and_collapsed(&compared.paired);
    let words = compared.baseline.words();
    let named: Vec<String> = collapsed.iter().map(|case| one_line(case, 40)).collect();
    let text = format!(
        "{} of {} collapsed since {words}{}{}",
        named.len(),
        count(held, "case"),
        if named.is_empty() { String::new() } else { format!(", {}", corrected.shown()) },
        if named.is_empty() {
            String::new()
        } else {
            format!(": {}", named[..named.len().min(5)].join(", "))
        },
    );
    Said {
        holds: collapsed.is_empty() || corrected.p > corrected.alpha,
        value: Some(named.len() as f64),
        n: held,
        against: ComparisonRecord {
            worse: named.len(),
            p: corrected.alone,
            moved: collapsed.into_iter().take(MOST_MOVED).collect(),
            ..ComparisonRecord::default()
        },
        text,
        worst: None,
    }
}

/// Judges `no_loss`, which fails when a single case lost more of its attempts than chance explains,
/// seen among all cases.
fn deepest(compared: &Compared<'_>, corrected: &Corrected) -> Said {
    let paired = &compared.paired;
    let mut lost: Vec<(f64, &Both)> = paired
        .pairs
        .iter()
        .filter_map(|pair| Some((exchange::p_of_case(pair.counts?), pair)))
        .filter(|(_, pair)| pair.gain < -1e-12)
        .collect();
    lost.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.id.cmp(&b.1.id)));
    let cases = count(paired.pairs.len(), "case");
    let words = compared.baseline.words();
    let text = match lost.first() {
        None => format!("none of {cases} lost anything since {words}"),
        Some((_, pair)) => {
            format!("{} of {cases} since {words}, {}", counts(pair), corrected.shown())
        }
    };
    Said {
        holds: lost.is_empty() || corrected.p > corrected.alpha,
        value: Some(lost.len() as f64),
        n: paired.pairs.len(),
        against: ComparisonRecord {
            worse: lost.len(),
            p: corrected.alone,
            moved: lost.iter().take(MOST_MOVED).map(|(_, pair)| pair.id.clone()).collect(),
            ..ComparisonRecord::default()
        },
        text,
        worst: None,
    }
}

/// Describes the attempts of a case in both runs: `c0003 9/10 → 0/3`
fn counts(pair: &Both) -> String {
    let id = one_line(&pair.id, 40);
    pair.counts.map_or(id.clone(), |counts| {
        let (good, all) = (counts.good, counts.attempts);
        format!("{id} {}/{} → {}/{}", good.0, all.0, good.1, all.1)
    })
}

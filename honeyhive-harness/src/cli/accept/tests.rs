use super::*;
use crate::baseline::{CaseSnapshot, EvaluatorPrint};

fn snapshot(invocation: &str, good: u32, attempts: u32) -> Snapshot {
    let score =
        ScoreSnapshot { score: f64::from(good) / f64::from(attempts), attempts, good: Some(good) };
    let print = EvaluatorPrint { reduce: "mean".to_owned(), ..EvaluatorPrint::default() };
    Snapshot {
        invocation: invocation.to_owned(),
        evaluators: [("e".to_owned(), print)].into(),
        cases: [(
            "a".to_owned(),
            CaseSnapshot {
                row: "r".to_owned(),
                scores: [("e".to_owned(), score)].into(),
                ..CaseSnapshot::default()
            },
        )]
        .into(),
        ..Snapshot::default()
    }
}

#[test]
fn attempts_add_up_where_everything_is_the_same() {
    let before = snapshot("one", 3, 3);
    let mut now = snapshot("two", 0, 1);
    add(&mut now, &before, "two").expect("the same");
    let score = now.cases["a"].scores["e"];
    assert_eq!((score.attempts, score.good), (4, Some(3)));
    assert!((score.score - 0.75).abs() < 1e-12);
    assert!(add(&mut now, &before, "one").is_err(), "twice the same run");
    let mut edited = snapshot("two", 0, 1);
    edited.cases.get_mut("a").expect("a").row = "other".to_owned();
    add(&mut edited, &before, "two").expect("the same");
    assert_eq!(edited.cases["a"].scores["e"].attempts, 1);
    let mut changed = snapshot("two", 0, 1);
    changed.files.insert("p.md".to_owned(), "1".to_owned());
    assert!(add(&mut changed, &before, "two").is_err_and(|why| why.contains("p.md (new)")));
}

#[test]
fn a_later_date_alone_is_no_change() {
    let before = snapshot("one", 3, 3);
    assert!(says_the_same(&before, &Snapshot { dirty: true, ..snapshot("two", 3, 3) }));
    assert!(!says_the_same(&before, &snapshot("two", 2, 3)));
}

#[test]
fn two_targets_of_one_experiment_have_one_baseline() {
    let ready = |target: &str, experiment: &str, good: u32| Ready {
        snapshot: snapshot(target, good, 3),
        accepted: Accepted {
            experiment: experiment.to_owned(),
            file: PathBuf::from("core/baselines/first_word.json"),
            ..Accepted::default()
        },
        target: target.to_owned(),
    };
    let same = vec![ready("core/evals", "first_word", 2), ready("app/evals", "first_word", 2)];
    assert_eq!(one_per_file(same).expect("one file").len(), 1);
    let differ = vec![ready("core/evals", "first_word", 2), ready("app/evals", "first_word", 3)];
    let why = one_per_file(differ).expect_err("one of them would be lost");
    assert!(why.contains("`first_word` ran in core/evals and in app/evals, and not with"), "{why}");
    let others = vec![ready("core/evals", "first_word", 2), ready("core/evals", "last_word", 3)];
    let why = one_per_file(others).expect_err("one of them would be lost");
    assert!(why.contains("`first_word` of core/evals and `last_word` of core/evals"), "{why}");
}

//! Implements `cargo honeyhive review`, which shows cases one by one for a decision.

use std::io::{ErrorKind, IsTerminal as _};
use std::path::Path;

use console::{Key, Term};

use super::pick::{self, Which};
use super::{Done, Outcome};
use crate::baseline::{self, Snapshot};
use crate::config::Config;
use crate::gate::snapshot::recorded;
use crate::journal::{ExperimentResults, Keep};
use crate::outcome::Reviewed;
use crate::report;
use crate::text::{count, plain};

/// Shows the cases that need somebody to look at them, one by one.
///
/// These are the cases that failed, ended in an error, missed, or got worse than in the baseline;
/// with --all, every case. At a terminal each is followed by a question: a case can be accepted
/// into the baseline on its own. Otherwise all are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive review
  cargo honeyhive review -e qa --all latest~1
  cargo honeyhive review | less -R

Exit codes: 0 seen, 1 not (standard error says why), 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only this experiment; may be given several times
    #[arg(long, short, value_name = "NAME")]
    experiment: Vec<String>,
    /// Every case, not only those that need it
    #[arg(long)]
    all: bool,
    /// Prints JSON with the same facts, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let (_, results) = args.which.read(Keep::Contents, config)?;
    let mut cards = Vec::new();
    for experiment in pick::experiments(&results, &args.experiment)? {
        let name = &experiment.record.experiment;
        let now = recorded(experiment);
        let then = baseline::read(Path::new(&experiment.record.baseline), name).ok();
        for case in &experiment.cases {
            let card = Reviewed::new(experiment, case, then.as_ref(), &now);
            if args.all || card.needs_a_look() {
                cards.push((card, experiment, now.clone()));
            }
        }
    }
    // The worst cases come first; cases of the same severity stay in the order of the dataset.
    cards.sort_by(|(a, ..), (b, ..)| b.severity().total_cmp(&a.severity()));
    if args.json {
        let all: Vec<&Reviewed> = cards.iter().map(|(card, ..)| card).collect();
        let text = serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n";
        return Ok(Done { text, code: 0 });
    }
    if cards.is_empty() {
        let text = "no case needs a look; --all shows every one\n".to_owned();
        return Ok(Done { text, code: 0 });
    }
    let total = cards.len();
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let texts = cards.iter().enumerate();
        let text = texts.map(|(at, (card, ..))| report::reviewed(card, at + 1, total)).collect();
        return Ok(Done { text, code: 0 });
    }
    ask(&cards, config)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Next,
    Back,
    Accept,
    Quit,
}

fn ask(cards: &[(Reviewed, &ExperimentResults, Snapshot)], config: &Config) -> Outcome {
    let (mut at, mut accepted) = (0, 0);
    while let Some((card, experiment, now)) = cards.get(at) {
        report::styled(&report::reviewed(card, at + 1, cards.len()), false)?;
        match question()? {
            Answer::Next => at += 1,
            Answer::Back => at = at.saturating_sub(1),
            Answer::Quit => break,
            Answer::Accept => match accept(card, experiment, now, config) {
                Ok(()) => {
                    accepted += 1;
                    report::styled(&format!("accepted {}\n\n", plain(&card.case)), false)?;
                    at += 1;
                }
                Err(why) => report::error(&why),
            },
        }
    }
    let text = match accepted {
        0 => String::new(),
        accepted => format!("{} accepted into the baseline\n", count(accepted, "case")),
    };
    Ok(Done { text, code: 0 })
}

/// Asks until one of the known keys is pressed.
fn question() -> Result<Answer, String> {
    const KEYS: &str = "[n]ext  [b]ack  [a]ccept into the baseline  [q]uit ? ";
    report::styled(KEYS, false)?;
    let terminal = Term::stdout();
    loop {
        let key = match terminal.read_key() {
            Ok(key) => key,
            // Ctrl-C.
            Err(error) if error.kind() == ErrorKind::Interrupted => Key::CtrlC,
            Err(error) => return Err(format!("the terminal cannot be read: {error}")),
        };
        if let Some(answer) = answer(&key) {
            report::styled("\n", false)?;
            return Ok(answer);
        }
        let name = match key {
            Key::Char(key) => format!("`{key}`"),
            _ => "this key".to_owned(),
        };
        report::styled(&format!("\n{} has no meaning here\n{KEYS}", plain(&name)), false)?;
    }
}

fn answer(key: &Key) -> Option<Answer> {
    Some(match key {
        Key::Char('n' | 'j' | ' ') | Key::Enter | Key::ArrowRight | Key::ArrowDown => Answer::Next,
        Key::Char('b' | 'p' | 'k') | Key::ArrowLeft | Key::ArrowUp | Key::Backspace => Answer::Back,
        Key::Char('a') => Answer::Accept,
        // The end of input (Ctrl-D) as well.
        Key::Char('q' | '\u{4}') | Key::Escape | Key::CtrlC => Answer::Quit,
        _ => return None,
    })
}

/// Accepts one case of the run into the baseline.
fn accept(
    card: &Reviewed,
    experiment: &ExperimentResults,
    now: &Snapshot,
    config: &Config,
) -> Result<(), String> {
    if config.ci {
        return Err("a baseline is accepted by a person, not in CI".to_owned());
    }
    let file = Path::new(&experiment.record.baseline);
    let mut baseline = baseline::read(file, &card.experiment).map_err(|error| error.to_string())?;
    if baseline.evaluators != now.evaluators {
        return Err("evaluators changed since the baseline; accept the whole run with \
             `cargo honeyhive accept`"
            .to_owned());
    }
    let case = now.cases.get(&card.case).filter(|case| !case.scores.is_empty());
    let case = case.ok_or_else(|| format!("{} has no score to accept", card.case))?;
    baseline.cases.insert(card.case.clone(), case.clone());
    baseline::write(file, &baseline).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_one_thing_or_nothing() {
        for (keys, wanted) in [("n j", Some(Answer::Next)), ("bpk", Some(Answer::Back))] {
            assert!(keys.chars().all(|key| answer(&Key::Char(key)) == wanted), "{keys}");
        }
        assert_eq!(answer(&Key::Enter), Some(Answer::Next));
        assert_eq!(answer(&Key::Char('a')), Some(Answer::Accept));
        assert_eq!(answer(&Key::CtrlC), Some(Answer::Quit));
        assert_eq!(answer(&Key::Char('x')), None);
    }
}

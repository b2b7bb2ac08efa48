//! Reports what the process waits for when code or files of the user do not answer.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::live::Line;
use crate::activity;
use crate::report::{self, screen};
use crate::text::{one_line, seconds};

/// The time between two looks for long waits.
const LOOK: Duration = Duration::from_millis(200);

/// The shortest wait that is shown to a person.
const SHOWN: Duration = Duration::from_secs(1);

/// The wait after which it gets a line of its own, once.
const TOLD: Duration = Duration::from_secs(5);

/// A thread that looks for long waits until this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    _alive: Sender<()>,
    line: Arc<Mutex<Option<Line>>>,
}

impl Watch {
    /// Starts the thread; with a live line, where a person would see it.
    pub(super) fn start(live: bool, width: usize) -> Self {
        let (alive, over) = channel::<()>();
        let line = Arc::<Mutex<Option<Line>>>::default();
        let shared = Arc::clone(&line);
        let look = move || {
            let (mut told, mut drawn) = (0, false);
            while over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let line = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let waiting = activity::longest();
                let draws = live && line.is_none();
                let shown = waiting.as_ref().filter(|one| draws && one.since >= SHOWN);
                if std::mem::take(&mut drawn) {
                    screen::clear_line();
                }
                if let Some(one) =
                    waiting.as_ref().filter(|one| one.since >= TOLD && one.id != told)
                {
                    told = one.id;
                    if let Some(line) = &line {
                        line.clear();
                    }
                    report::note(&format!(
                        "still waiting for {} after {}; Ctrl-C ends the run",
                        one.what,
                        seconds(one.since.as_secs_f64())
                    ));
                }
                if let Some(one) = shown {
                    let since = seconds(one.since.as_secs_f64());
                    let text = format!("waiting for {} {since}", one.what);
                    screen::draw_line(&one_line(&text, width));
                    drawn = true;
                }
            }
            if drawn {
                screen::clear_line();
            }
        };
        // Without the thread, waits are not reported; nothing else changes.
        let _ = std::thread::Builder::new().name("honeyhive-waiting".to_owned()).spawn(look);
        Self { _alive: alive, line }
    }

    /// Sets the live line of the run, which has begun.
    pub(super) fn hand_over(&self, line: &Line) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.clone());
    }
}

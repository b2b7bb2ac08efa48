//! The live line: the cases that run, the progress, the scores so far; on stderr, when that is a terminal.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::FormatSetting;

use super::args::Args;
use crate::activity;
use crate::config::Config;
use crate::engine::Shared;
use crate::report::screen;
use crate::text::{number, one_line, seconds, thousands};

/// The time without a printed result after which the line is drawn. Between `clear` and the moment at
/// which libtest-mimic has printed the result there is less. With a longer time the line would not be
/// seen where ten results come in a second.
const QUIET: Duration = Duration::from_millis(30);

const REDRAW: Duration = Duration::from_millis(50);

/// The longest line that is drawn.
const LONGEST: usize = 200;

#[derive(Debug, Default)]
struct State {
    drawn: bool,
    last_result: Option<Instant>,
}

/// Returns whether a person would see the line.
pub(super) fn is_wanted(args: &Args, config: &Config) -> bool {
    let plain = matches!(args.format, None | Some(FormatSetting::Pretty)) && !args.quiet;
    plain && !config.ci && !config.dumb_terminal && std::io::stderr().is_terminal()
}

/// The line, if there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    stopped: AtomicBool,
}

impl Line {
    /// Starts to draw.
    pub(super) fn start(shared: &Arc<Shared>, config: &Config) -> Self {
        let inner = Arc::new(Inner { state: Mutex::default(), stopped: AtomicBool::new(false) });
        let (shared, line) = (Arc::clone(shared), Arc::clone(&inner));
        let width = columns(config);
        let drawing =
            std::thread::Builder::new().name("honeyhive-line".to_owned()).spawn(move || {
                while !line.stopped.load(Ordering::Acquire) {
                    std::thread::sleep(REDRAW);
                    line.draw(&shared, width);
                }
            });
        Self(drawing.is_ok().then_some(inner))
    }

    /// Clears the line, so that another line can be printed.
    pub(super) fn clear(&self) {
        if let Some(inner) = &self.0 {
            let mut state = inner.lock();
            state.last_result = Some(Instant::now());
            if std::mem::take(&mut state.drawn) {
                screen::clear_line();
            }
        }
    }

    /// Clears the line, unless the thread that draws is stuck in writing it.
    pub(super) fn try_clear(&self) {
        if let Some(inner) = &self.0
            && let Ok(state) = inner.state.try_lock()
            && state.drawn
        {
            screen::clear_line();
        }
    }

    /// Stops drawing.
    pub(super) fn stop(&self) {
        if let Some(inner) = &self.0 {
            inner.stopped.store(true, Ordering::Release);
        }
        self.clear();
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, shared: &Shared, width: usize) {
        let mut state = self.lock();
        let busy = state.last_result.is_some_and(|at| at.elapsed() < QUIET);
        if busy || self.stopped.load(Ordering::Acquire) {
            return;
        }
        let Some(text) = text(shared) else { return };
        state.drawn = true;
        screen::draw_line(&one_line(&text, width));
    }
}

/// Returns the number of columns that a line may have.
pub(super) fn columns(config: &Config) -> usize {
    let terminal = usize::from(console::Term::stderr().size().1);
    config.columns.unwrap_or(terminal).clamp(20, LONGEST) - 1
}

/// Returns `detect 41/80 · correct 0.93 · 2 failed · 16 running · oldest detect::pt-03 12.0 s`.
fn text(shared: &Shared) -> Option<String> {
    let lanes = &shared.board.lanes;
    let job = (0..lanes.len()).find(|job| lanes[*job].done() < lanes[*job].total())?;
    let spec = &shared.jobs[job].spec;
    let mut text =
        format!("{} {}/{}", spec.name, thousands(lanes[job].ran()), thousands(lanes[job].total()));
    let (mean, failing) = shared.running(job);
    if let (Some(mean), Some(judge)) = (mean, spec.rules.judges.first()) {
        text.push_str(&format!(" · {} {}", judge.name, number(mean)));
    }
    if failing > 0 {
        text.push_str(&format!(" · {} failed", thousands(failing)));
    }
    if let Some(reason) = shared.stopped() {
        text.push_str(&format!(" · stopping: {reason}"));
    }
    let (running, oldest) = shared.in_flight();
    text.push_str(&format!(" · {running} running"));
    if let Some((test, age)) = oldest.filter(|(_, age)| *age > Duration::from_secs(1)) {
        text.push_str(&format!(" · oldest {test} {}", seconds(age.as_secs_f64())));
    }
    if let Some(waiting) = activity::longest().filter(|one| one.since > Duration::from_secs(1)) {
        let since = seconds(waiting.since.as_secs_f64());
        text.push_str(&format!(" · waiting for {} {since}", waiting.what));
    }
    Some(text)
}

//! Defines faults that a test plans or generates at random.

use std::sync::{MutexGuard, PoisonError};

use super::Fake;
use super::route;
use super::state::State;

/// A fault of the server for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is not processed, and the answer has this status.
    Status(u16),
    /// The request is not processed, and the answer has this status and a `Retry-After` in seconds.
    StatusRetryAfter(u16, u64),
    /// The request is processed, and the answer comes this many milliseconds late.
    Delay(u64),
    /// The connection ends when the head has been read, and the request is not processed.
    CutBefore,
    /// The request is processed, and the connection ends without an answer.
    CutAfter,
    /// The request is processed, and the answer is 200 with a body that is not JSON.
    Garbage,
    /// The request is not processed, and the answer is 200 without a body and a content type.
    Empty,
    /// The request is not processed, and the answer is 200 with an HTML page, as networks with a
    /// login page answer.
    Page,
    /// The request is not processed and not answered. The connection ends when the client gives up,
    /// at the latest after [`Fault::HANG_SECONDS`].
    Hang,
}

impl Fault {
    /// The time for which [`Fault::Hang`] holds a connection.
    pub const HANG_SECONDS: u64 = 30;

    /// Adds a `Retry-After` to a status.
    ///
    /// # Panics
    /// Panics for faults without an answer that could have this header.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        match self {
            Self::Status(status) | Self::StatusRetryAfter(status, _) => {
                Self::StatusRetryAfter(status, seconds)
            }
            _ => panic!("{self:?} has no headers"),
        }
    }
}

/// A fault for requests of one kind.
#[derive(Debug)]
struct Rule {
    /// The kind of request; `None` for every request.
    kind: Option<&'static str>,
    fault: Fault,
    /// The number of requests that are processed normally before the fault.
    after: usize,
    /// The number of times that the fault will still happen.
    times: usize,
}

/// The faults that are planned for future requests.
#[derive(Debug, Default)]
pub(super) struct Plan {
    rules: Vec<Rule>,
    random: Option<Random>,
}

impl Plan {
    /// Returns the fault for the request that has come in; `None` if there is none. The first rule
    /// that applies decides.
    pub(super) fn next(&mut self, kind: &str) -> Option<Fault> {
        for rule in &mut self.rules {
            if rule.times == 0 || rule.kind.is_some_and(|of| of != kind) {
                continue;
            }
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            rule.times = rule.times.saturating_sub(1);
            return Some(rule.fault);
        }
        self.random.as_mut()?.next()
    }
}

/// A fault that was planned, for setting further options.
#[derive(Debug)]
pub struct Planned<'a> {
    fake: &'a Fake,
    index: usize,
}

impl Planned<'_> {
    fn change(self, change: impl FnOnce(&mut Rule)) -> Self {
        if let Some(rule) = self.fake.state().plan.rules.get_mut(self.index) {
            change(rule);
        }
        self
    }

    /// Sets how often the fault happens; the default is always.
    #[allow(clippy::return_self_not_must_use)]
    pub fn times(self, times: usize) -> Self {
        self.change(|rule| rule.times = times)
    }

    /// Sets how many requests of this kind are processed normally before the fault.
    #[allow(clippy::return_self_not_must_use)]
    pub fn after(self, requests: usize) -> Self {
        self.change(|rule| rule.after = requests)
    }
}

impl Fake {
    /// Plans a fault for requests of a kind: a method and a path as in
    /// [`KINDS`](super::KINDS), or `*` for every request.
    ///
    /// ```no_run
    /// # use honeyhive_tests::fake::{Fake, Fault};
    /// # let fake = Fake::start();
    /// fake.on("POST /session/start", Fault::Status(503)).times(2);
    /// fake.on("PUT /v1/runs/{id}", Fault::Status(429).retry_after(1)).times(1);
    /// ```
    ///
    /// # Panics
    /// Panics for an unknown kind, since such a fault would never happen.
    pub fn on(&self, kind: &str, fault: Fault) -> Planned<'_> {
        let kind = match kind {
            "*" => None,
            kind => {
                let known = route::KINDS.into_iter().find(|known| *known == kind);
                Some(known.unwrap_or_else(|| panic!("{kind} is no kind of request")))
            }
        };
        let rules = &mut self.state().plan.rules;
        rules.push(Rule { kind, fault, after: 0, times: usize::MAX });
        Planned { fake: self, index: rules.len() - 1 }
    }

    /// Plans transient faults at random for all requests. The same seed gives the same sequence of
    /// faults; which request gets which fault depends on their order.
    pub fn random_faults(&self, seed: u64, probability: f64) {
        self.state().plan.random = Some(Random { state: seed, probability });
    }

    /// Removes all faults: from now on every request is processed normally.
    pub fn heal(&self) {
        self.state().plan = Plan::default();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Random {
    state: u64,
    probability: f64,
}

impl Random {
    /// Faults after which a client may succeed by trying again.
    const TRANSIENT: [Fault; 8] = [
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(504),
        Fault::StatusRetryAfter(429, 0),
        Fault::Delay(20),
        Fault::CutBefore,
        Fault::CutAfter,
    ];

    fn next(&mut self) -> Option<Fault> {
        // The mantissa of a float has 53 bits.
        let chance = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        let index = usize::try_from(self.draw() % Self::TRANSIENT.len() as u64).unwrap_or(0);
        (chance < self.probability).then(|| Self::TRANSIENT[index])
    }

    /// Returns the next number of the generator splitmix64.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

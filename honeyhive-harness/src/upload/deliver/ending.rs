//! The ends of runs.

use std::path::PathBuf;

use tokio::time::Instant;

use super::Delivery;
use crate::upload::marks::What;
use crate::upload::runs::Ending;

impl Delivery<'_> {
    /// Sends the ends of the runs whose attempts have all arrived. `others` are the other
    /// journals of the invocation.
    pub(in crate::upload) async fn finish(&mut self, others: &[PathBuf], until: Option<Instant>) {
        if !self.to.has_sessions() || self.sent.fatal.is_some() {
            return;
        }
        for journal in others {
            self.runs.look_at(journal, &self.to.name);
        }
        for run_id in self.runs.ids().to_vec() {
            let Some(run) = self.runs.get(&run_id) else { continue };
            let wanted = !run.is_partial() || self.to.takes_partial();
            if !wanted || !run.has_attempts() {
                continue;
            }
            let finished = self.marks.borrow().is_finished(&self.to.name, &run_id);
            if finished && self.sent.now == 0 {
                continue;
            }
            let whole = self.sent.left() == 0;
            // After Ctrl-C there is little time, and what is left may never be sent.
            let may_end = whole || self.runs.ending(run) == Ending::Cancelled;
            let Some(there) = self.run_there(&run_id).filter(|_| may_end) else {
                self.sent.unfinished += 1;
                continue;
            };
            let any = !run.sessions().is_empty();
            let mut answered = true;
            match self.to.finish_run(&there, run, &self.runs, until).await {
                Ok(()) if !whole => self.sent.unfinished += 1,
                // All of it was refused.
                Ok(()) if !any => continue,
                Ok(()) => {
                    self.sent.runs.push((run.experiment.experiment.clone(), there.clone()));
                    self.marks.borrow_mut().add(&self.to.name, What::Finished { run_id });
                }
                Err(error) => {
                    answered = error.status().is_some();
                    self.sent.unfinished += 1;
                    self.sent.problem(error.to_string());
                }
            }
            // Its figures are of sessions and spans, which are there; its status is not needed.
            if whole && any && answered {
                self.sent.results.extend(self.to.results(&there, run, until).await);
            }
        }
        if self.sent.unfinished > 0
            && let Some(why) = self.sent.why().map(str::to_owned)
        {
            self.marks.borrow_mut().add(&self.to.name, What::Stopped { why });
        }
        self.marks.borrow_mut().flush();
    }

    /// Reads the journal to its end, so that what is left can be counted.
    pub(super) fn count_rest(&mut self) {
        self.again.clear();
        self.at_end = false;
        while self.next().is_some() {}
    }
}

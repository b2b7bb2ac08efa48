//! Creates, reads and changes runs: each is one experiment over one dataset.

use reqwest::Method;

use super::error::ApiError;
use super::event::EventType;
use super::results::{ComparedEvents, EventComparison, RunComparison, RunMetrics, RunResult};
use super::run::{NewRun, Run, RunCreated, RunFilter, RunList, RunStatus, RunUpdate, RunUpdated};
use super::transport::Transport;

/// The most ids that one address holds.
const IDS_PER_CALL: usize = 100;

/// The calls about runs; see [`HoneyHive::runs`](super::HoneyHive::runs).
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a>(pub(super) &'a Transport);

impl Runs<'_> {
    /// Creates a run.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn create(&self, run: &NewRun) -> Result<RunCreated, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "runs"]).json(run);
        let mut answer = call.repeatable(run.run_id.is_some()).fetch::<RunCreated>().await?;
        if answer.value.run_id.is_empty() {
            let inner = answer.value.evaluation.as_ref().map(|run| run.run_id.clone());
            match inner.filter(|id| !id.is_empty()) {
                Some(id) => answer.value.run_id = id,
                None => return Err(answer.lacks("`run_id`")),
            }
        }
        Ok(answer.value)
    }

    /// Changes a run.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn update(&self, run_id: &str, update: &RunUpdate) -> Result<RunUpdated, ApiError> {
        let call = self.0.call(Method::PUT, &["v1", "runs", run_id]).json(update);
        let answer = call.fetch::<RunUpdated>().await?;
        if answer.value.evaluation.is_none() {
            return Err(answer.lacks("`evaluation`"));
        }
        Ok(answer.value)
    }

    /// Returns a run.
    ///
    /// # Errors
    /// Returns an [`ApiError`]; its status is 404 when the run does not exist.
    pub async fn get(&self, run_id: &str) -> Result<Run, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", run_id]);
        let mut answer = call.fetch::<RunUpdated>().await?;
        match answer.value.evaluation.take() {
            Some(run) => Ok(run),
            None => Err(answer.lacks("`evaluation`")),
        }
    }

    /// Returns the runs that a filter lets through.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn list(&self, filter: &RunFilter) -> Result<RunList, ApiError> {
        let page = filter.page.map(|page| page.to_string());
        let limit = filter.limit.map(|limit| limit.to_string());
        let mut all = RunList::default();
        let parts = batches(&filter.run_ids);
        let several = parts.len() > 1;
        for ids in parts {
            let call = self
                .0
                .call(Method::GET, &["v1", "runs"])
                .query("dataset_id", filter.dataset_id.as_deref())
                .list("run_ids", ids)
                .query("name", filter.name.as_deref())
                .query("status", filter.status.as_ref().map(RunStatus::as_str))
                .query("page", page.as_deref().filter(|_| !several))
                .query("limit", limit.as_deref().filter(|_| !several))
                .query("sort_by", filter.sort_by.as_deref())
                .query("sort_order", filter.sort_order.as_deref());
            let part = call.fetch::<RunList>().await?.value;
            all.evaluations.extend(part.evaluations);
            all.pagination = part.pagination.filter(|_| !several);
            for name in part.metrics {
                if !all.metrics.contains(&name) {
                    all.metrics.push(name);
                }
            }
        }
        Ok(all)
    }

    /// Removes a run. Its sessions stay.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn delete(&self, run_id: &str) -> Result<(), ApiError> {
        self.0.call(Method::DELETE, &["v1", "runs", run_id]).done().await
    }

    /// Returns the result that HoneyHive computes from a run's sessions, with its metrics as
    /// `aggregate` (`average`, `min`, `max`, `median`, `p90`, `p95`, `p99`, `sum`, `count`).
    /// Sessions and spans arrive with a delay, so the latest ones may not be in it yet.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn result(&self, run_id: &str, aggregate: &str) -> Result<RunResult, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", run_id, "result"]);
        Ok(call.query("aggregate_function", Some(aggregate)).fetch().await?.value)
    }

    /// Returns the metrics of each event of a run.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn metrics(&self, run_id: &str) -> Result<RunMetrics, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", run_id, "metrics"]);
        Ok(call.fetch().await?.value)
    }

    /// Returns the changes from the run `old` to the run `new`, over the datapoints they share.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn compare(
        &self,
        new: &str,
        old: &str,
        aggregate: &str,
    ) -> Result<RunComparison, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", new, "compare-with", old]);
        Ok(call.query("aggregate_function", Some(aggregate)).fetch().await?.value)
    }

    /// Returns the events of two runs side by side, by datapoint.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn compare_events(
        &self,
        new: &str,
        old: &str,
        which: &ComparedEvents,
    ) -> Result<EventComparison, ApiError> {
        let page = which.page.map(|page| page.to_string());
        let limit = which.limit.map(|limit| limit.to_string());
        let call = self
            .0
            .call(Method::GET, &["v1", "runs", "compare", "events"])
            .query("run_id_1", Some(new))
            .query("run_id_2", Some(old))
            .query("event_name", which.event_name.as_deref())
            .query("event_type", which.event_type.map(EventType::as_str))
            .query("filter", which.filter.as_deref())
            .query("limit", limit.as_deref())
            .query("page", page.as_deref());
        Ok(call.fetch().await?.value)
    }
}

/// Splits ids into parts that fit into an address; one empty part where there are none.
pub(super) fn batches(ids: &[String]) -> Vec<&[String]> {
    if ids.is_empty() { vec![ids] } else { ids.chunks(IDS_PER_CALL).collect() }
}

//! Reads the inputs of an experiment: its rows, its tracked files, its metadata.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::args::Args;
use super::sources::Sources;
use crate::activity;
use crate::api::HoneyHive;
use crate::baseline::tracked;
use crate::config::Config;
use crate::dataset::managed::{self, Managed};
use crate::dataset::{Dataset, DatasetFault, From};
use crate::engine;
use crate::registry::{Experiment, Source};

/// An experiment whose dataset was read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) entry: &'static Experiment,
    pub(super) dataset: Arc<Dataset>,
    /// The directory of its package.
    pub(super) base: PathBuf,
    pub(super) files: BTreeMap<String, String>,
    /// The values of `metadata(..)`.
    pub(super) metadata: Map<String, Value>,
}

/// Returns how many tests an experiment has that no filter can mean. Only the count of tests that are
/// filtered out needs it, so nothing is fetched for it, and functions, which may take long, are only
/// called `fully`: where nothing else is selected, and where a filter without `::` calls them, too.
pub(super) fn size(
    entry: &'static Experiment,
    args: &Args,
    config: &Config,
    sources: &Sources,
    fully: bool,
) -> usize {
    let root = config.dir.clone().unwrap_or_else(super::place::journal_root);
    let rows = match entry.dataset {
        Source::File(_) => load(entry, args, config, sources).map(|one| one.dataset.rows.len()),
        Source::Function { .. } if fully => {
            load(entry, args, config, sources).map(|one| one.dataset.rows.len())
        }
        Source::Managed(which) => match managed::kept(&root, which, entry.dataset_name) {
            Some(Ok(kept)) => Ok(kept.rows.len()),
            _ => Err(String::new()),
        },
        Source::Function { .. } => Err(String::new()),
    };
    // A dataset that cannot be read counts as one test, which reports that.
    rows.map_or(1, |rows| rows + usize::from(!entry.gates.is_empty()))
}

/// Reads the inputs of an experiment, and what is recorded of them.
pub(super) fn load(
    entry: &'static Experiment,
    args: &Args,
    config: &Config,
    sources: &Sources,
) -> Result<Loaded, String> {
    let of = |what: &str| format!("\n({what} of `{}`, {}:{})", entry.name, entry.file, entry.line);
    let base = sources.of(entry).map_err(|text| format!("{text}{}", of("files")))?;
    let of_entry = format!("`{}` ({}:{})", entry.name, entry.file, entry.line);
    let rows = match entry.dataset {
        Source::File(path) => format!("the file {path}, the dataset of {of_entry}"),
        Source::Managed(which) => format!("{which} of HoneyHive, the dataset of {of_entry}"),
        Source::Function { path, .. } => {
            format!("the rows of `{path}()`, the dataset of {of_entry}")
        }
    };
    let reading = activity::enter(rows);
    let scanned = match entry.dataset {
        Source::File(path) => Dataset::scan(From::File { base: &base, path }, entry.dataset_name),
        Source::Managed(which) => load_managed(which, entry.dataset_name, args, config),
        Source::Function { path, load } => {
            let origin = format!("{path}()");
            let name = path.rsplit("::").next().unwrap_or(path);
            let loaded = engine::catch(load).unwrap_or_else(Err);
            loaded.map_err(|error| DatasetFault(format!("{origin}: {error}"))).and_then(|rows| {
                Dataset::scan(From::Rows { name, origin: &origin, rows }, entry.dataset_name)
            })
        }
    };
    let scanned = scanned.and_then(|dataset| {
        if config.python_ids {
            dataset.check_external_ids(true)?;
        }
        Ok(dataset)
    });
    let dataset = scanned.map_err(|fault| format!("{fault}{}", of("dataset")))?;
    drop(reading);
    let _reading = activity::enter(format!("the files that `track` of {of_entry} names"));
    // Listing needs no more than names.
    let patterns = if args.list { &[] } else { entry.track };
    let files = tracked(&base, patterns).map_err(|fault| format!("{fault}{}", of("attribute")))?;
    let metadata = if args.list { Map::new() } else { metadata(entry)? };
    Ok(Loaded { entry, dataset: Arc::new(dataset), base, files, metadata })
}

/// Evaluates the expressions of `metadata(..)`, once per run.
fn metadata(entry: &Experiment) -> Result<Map<String, Value>, String> {
    let (name, file, line) = (entry.name, entry.file, entry.line);
    let _reading = activity::enter(format!("the metadata of `{name}` ({file}:{line})"));
    let mut values = Map::new();
    let mut faults = Vec::new();
    for (key, evaluate) in entry.metadata {
        match engine::catch(evaluate) {
            Ok(Ok(value)) => {
                values.insert((*key).to_owned(), value);
            }
            Ok(Err(text)) => faults.push(format!("`{key}` cannot be written as JSON: {text}")),
            Err(text) => faults.push(format!("`{key}` {text}")),
        }
    }
    if faults.is_empty() {
        return Ok(values);
    }
    Err(format!(
        "nothing was run, as the metadata of the run could not be read: {}\n(metadata of `{name}`, {file}:{line})",
        faults.join("; ")
    ))
}

/// The time that fetching a dataset may take. Everything else waits for it.
const FETCH: std::time::Duration = std::time::Duration::from_secs(30);

/// Loads a managed dataset. Listing needs no network, and offline there is none: both read the dataset
/// as it was fetched last.
fn load_managed(
    which: Managed<'_>,
    name: Option<&str>,
    args: &Args,
    config: &Config,
) -> Result<Dataset, DatasetFault> {
    let fault = |text: &str| DatasetFault(format!("{which}: {text}"));
    let root = config.dir.clone().unwrap_or_else(super::place::journal_root);
    if args.list || config.offline {
        let kept = managed::kept(&root, which, name);
        return kept.unwrap_or_else(|| {
            Err(fault("it was not fetched yet, and is not while offline or listing"))
        });
    }
    let client = HoneyHive::from_connection(&config.connection);
    let client = client.map_err(|error| fault(&error.to_string()))?;
    managed::fetch_blocking(&client, which, &root, name, FETCH)
}

//! Checks the rows before the first case: whether every selected row can be read and has the fields that are
//! read.
//!
//! A typo in a column's name is found before any call is paid for.

use std::collections::{HashMap, HashSet};

use super::spec::Spec;
use crate::datapoint::Datapoint;
use crate::dataset::bind::{Fields, Key, Param, near};
use crate::dataset::{MOST_BAD_ROWS, many_bad};
use crate::text::{self, alike, count};

/// The most names of inputs that are remembered for messages.
const MOST_NAMES: usize = 50;

/// The rows that cannot be run, with their errors.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// The errors of the first rows, by row.
    texts: HashMap<usize, String>,
    count: usize,
}

impl Faults {
    pub(super) fn get(&self, row: usize) -> Option<&String> {
        self.texts.get(&row)
    }

    /// Adds a row; beyond [`MOST_BAD_ROWS`], rows are only counted.
    fn add(&mut self, row: usize, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.count <= MOST_BAD_ROWS {
            self.texts.insert(row, text());
        }
    }
}

/// Returns an empty list of faults, for rows whose cases were run before.
pub(crate) fn no_faults() -> Faults {
    Faults::default()
}

/// A parameter that is read from the rows, with its reader.
#[derive(Debug)]
struct Wanted<'a> {
    param: &'a Param,
    reader: String,
    found: usize,
}

/// Checks the selected rows.
///
/// # Errors
/// When something that is read is in none of the rows: then it is the experiment that is wrong,
/// not a row, and nothing runs.
#[expect(clippy::too_many_lines, reason = "one walk over the rows, step by step")]
pub(crate) fn check(spec: &Spec, selected: &[usize]) -> Result<Faults, String> {
    for judge in &spec.rules.judges {
        let needed = judge.reduce.attempts_needed();
        if needed > spec.repeats {
            return Err(format!(
                "reduce({} = {}) of `{}` needs {}, and a case has {}: set `repeats = {needed}` or \
                 HH_REPEATS={needed}",
                judge.name,
                judge.reduce,
                spec.name,
                count(needed as usize, "attempt"),
                spec.repeats
            ));
        }
    }
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    let place = &spec.place;
    let readers = std::iter::once((format!("`{}` ({place})", spec.function), spec.params)).chain(
        spec.rules.judges.iter().zip(&spec.evaluators).map(|(judge, used)| {
            let info = &used.info;
            (format!("evaluator `{}` ({}:{})", judge.name, info.file, info.line), info.params)
        }),
    );
    for (reader, params) in readers {
        wanted.extend(params.iter().map(|param| Wanted {
            param,
            reader: reader.clone(),
            found: 0,
        }));
    }
    // Where a reader takes all inputs, it is not known which ones are unused.
    let reads_all = wanted.iter().any(|want| want.param.key == Key::Inputs)
        || spec.params.is_empty()
        || spec.evaluators.iter().any(|used| used.info.params.is_empty());
    let read: HashSet<&str> = wanted
        .iter()
        .filter_map(|want| match want.param.key {
            Key::Input(name) => Some(name),
            _ => None,
        })
        .collect();
    let mut faults = Faults::default();
    let mut names: Vec<String> = Vec::new();
    let reads_history = wanted.iter().any(|want| want.param.key == Key::History);
    let (mut parsed, mut in_a_cluster) = (0, 0);
    let cluster = spec.cluster.as_deref();
    for &row in selected {
        let datapoint = match spec.dataset.datapoint(&spec.dataset.rows[row]) {
            Ok(datapoint) => datapoint,
            Err(fault) => {
                faults.add(row, || fault);
                continue;
            }
        };
        parsed += 1;
        in_a_cluster += usize::from(
            cluster.and_then(|key| datapoint.metadata.get(key)).is_some_and(|key| !key.is_null()),
        );
        let fields = Fields::new(&datapoint);
        let mut is_bad = false;
        for want in &mut wanted {
            let name = match want.param.key {
                Key::Input(name) => Some(name),
                _ => None,
            };
            let is_null = name.is_some_and(|name| datapoint.inputs.contains_key(name));
            if fields.has(want.param.key) || (is_null && !want.param.required) {
                want.found += usize::from(is_null || fields.says(want.param.key));
                continue;
            }
            note_names(&datapoint, &mut names);
            let text = if matches!(want.param.key, Key::Metadata | Key::History) {
                fields.absence(want.param)
            } else if want.param.required {
                let key = match want.param.key {
                    Key::Input(name) => name,
                    _ => "ground_truth",
                };
                format!("{}{}", fields.absence(want.param), spec.dataset.absence_hint(key))
            } else {
                // An `Option` would be `None` without any error.
                let other = datapoint.inputs.keys().find(|key| {
                    !reads_all
                        && !read.contains(key.as_str())
                        && name.is_some_and(|name| alike(key, name))
                });
                let Some(other) = other else { continue };
                format!(
                    "the row has `{}`, which is nearly {}; rename it",
                    other.escape_debug(),
                    want.param.key
                )
            };
            if !std::mem::replace(&mut is_bad, true) {
                faults.add(row, || {
                    let place = spec.dataset.place(&spec.dataset.rows[row]);
                    format!("{place}: {text} (read by {})", want.reader)
                });
            }
        }
        if reads_history && !fields.says(Key::History) {
            note_names(&datapoint, &mut names);
        }
    }
    // One row that lacks something is a row's fault.
    if parsed < 2 {
        return many(spec, selected, faults);
    }
    let mut nowhere: Vec<String> = wanted
        .iter()
        .filter(|want| want.found == 0)
        .filter_map(|want| {
            if want.param.required {
                return Some(nowhere(want, spec, parsed, &names));
            }
            let unread = names.iter().map(String::as_str).filter(|name| !read.contains(name));
            let unread: Vec<&str> = unread.filter(|_| !reads_all).collect();
            mistaken(want, spec, parsed, &unread)
        })
        .collect();
    if let Some(key) = cluster.filter(|_| in_a_cluster == 0) {
        nowhere.push(format!(
            "none of the {} of {} has the metadata `{key}`, which `cluster` of `{}` ({place}) names",
            rows(parsed, spec),
            spec.dataset.origin,
            spec.name,
        ));
    }
    if !nowhere.is_empty() {
        return Err(nowhere.join("\n"));
    }
    many(spec, selected, faults)
}

/// Reports many rows that cannot be run as one fault of the dataset.
fn many(spec: &Spec, selected: &[usize], faults: Faults) -> Result<Faults, String> {
    if faults.count <= MOST_BAD_ROWS {
        return Ok(faults);
    }
    let mut first: Vec<(usize, &String)> =
        faults.texts.iter().map(|(row, fault)| (*row, fault)).collect();
    first.sort_unstable_by_key(|(row, _)| *row);
    let first: Vec<String> = first.into_iter().map(|(_, fault)| fault.clone()).collect();
    Err(many_bad(&spec.dataset.origin, faults.count, selected.len(), &first))
}

/// Adds the names of the row's inputs, for a hint.
fn note_names(datapoint: &Datapoint, names: &mut Vec<String>) {
    for name in datapoint.inputs.keys() {
        if names.len() < MOST_NAMES && !names.contains(name) {
            names.push(name.clone());
        }
    }
}

fn nowhere(want: &Wanted<'_>, spec: &Spec, parsed: usize, names: &[String]) -> String {
    let origin = &spec.dataset.origin;
    let what = match want.param.key {
        Key::Input(_) => format!("an input {}", want.param.key),
        key => key.to_string(),
    };
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = match want.param.key {
        Key::Input(name) => match near(name, &known) {
            Some(near) => format!("; they have `{}`", near.escape_debug()),
            None if names == ["input"] => "; they have `input`; did you mean `inputs`?".to_owned(),
            None => {
                let hint = spec.dataset.absence_hint(name);
                format!("; their inputs: {}{hint}", known.join(", "))
            }
        },
        Key::History => match near("history", &known) {
            Some(near) => format!("; they have `{}`", near.escape_debug()),
            None => "; take an `Option` where rows may have none".to_owned(),
        },
        _ => String::new(),
    };
    format!(
        "none of the {} of {origin} has {what}, which {} reads{hint}",
        rows(parsed, spec),
        want.reader
    )
}

/// Finds an optional input that no row has, while all rows have an unused one of nearly the same name.
fn mistaken(want: &Wanted<'_>, spec: &Spec, parsed: usize, unread: &[&str]) -> Option<String> {
    let Key::Input(name) = want.param.key else { return None };
    let near = near(name, unread)?;
    Some(format!(
        "none of the {} of {} has an input `{name}`, which {} reads; they have `{}`, which nothing \
         reads",
        rows(parsed, spec),
        spec.dataset.origin,
        want.reader,
        near.escape_debug()
    ))
}

/// Returns `12 rows` or `3 selected rows`.
fn rows(count: usize, spec: &Spec) -> String {
    text::count(count, if count < spec.dataset.rows.len() { "selected row" } else { "row" })
}

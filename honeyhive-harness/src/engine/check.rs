//! Before the first case: can every selected row be read, and does it have what is asked for?
//!
//! Nobody should pay for a thousand calls to learn of a typo in a column's name.

use std::collections::HashMap;

use super::spec::Spec;
use crate::dataset::bind::{Fields, Key, Param};
use crate::dataset::{MOST_BAD_ROWS, many_bad};
use crate::text::{self, closest, count};

/// Rows that cannot be run, and why.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Of the first rows.
    texts: HashMap<usize, String>,
    count: usize,
}

impl Faults {
    pub(super) fn get(&self, row: usize) -> Option<&String> {
        self.texts.get(&row)
    }

    /// Adds a row; beyond [`MOST_BAD_ROWS`], texts are not made.
    fn add(&mut self, row: usize, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.count <= MOST_BAD_ROWS {
            self.texts.insert(row, text());
        }
    }
}

/// Of rows that were run before.
pub(crate) fn no_faults() -> Faults {
    Faults::default()
}

/// A parameter that must be there, and who reads it.
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
        wanted.extend(params.iter().filter(|param| param.required).map(|param| Wanted {
            param,
            reader: reader.clone(),
            found: 0,
        }));
    }
    let mut faults = Faults::default();
    let mut names: Vec<String> = Vec::new();
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
            if fields.has(want.param.key) {
                want.found += 1;
            } else {
                if !std::mem::replace(&mut is_bad, true) {
                    faults.add(row, || {
                        let place = spec.dataset.place(&spec.dataset.rows[row]);
                        let text = fields.absence(want.param);
                        format!("{place}: {text} (read by {})", want.reader)
                    });
                }
                for name in datapoint.inputs.keys() {
                    if names.len() < 50 && !names.contains(name) {
                        names.push(name.clone());
                    }
                }
            }
        }
    }
    // One row that lacks something is a row's fault.
    if parsed < 2 {
        return many(spec, selected, faults);
    }
    let mut nowhere: Vec<String> = wanted
        .iter()
        .filter(|want| want.found == 0)
        .map(|want| nowhere(want, spec, parsed, &names))
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

/// Many rows that cannot be run are one fault of the dataset.
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

fn nowhere(want: &Wanted<'_>, spec: &Spec, parsed: usize, names: &[String]) -> String {
    let origin = &spec.dataset.origin;
    let what = match want.param.key {
        Key::Input(_) => format!("an input {}", want.param.key),
        key => key.to_string(),
    };
    let hint = match want.param.key {
        Key::Input(name) => match closest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("; they have `{near}`"),
            None if names == ["input"] => "; they have `input`; did you mean `inputs`?".to_owned(),
            None => format!("; their inputs: {}", names.join(", ")),
        },
        _ => String::new(),
    };
    format!(
        "none of the {} of {origin} has {what}, which {} reads{hint}",
        rows(parsed, spec),
        want.reader
    )
}

/// `12 rows`, `3 selected rows`
fn rows(count: usize, spec: &Spec) -> String {
    text::count(count, if count < spec.dataset.rows.len() { "selected row" } else { "row" })
}

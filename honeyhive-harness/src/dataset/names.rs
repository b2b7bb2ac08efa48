//! Names rows: their ids, the names of their tests, their ids in HoneyHive.

use std::collections::{HashMap, HashSet};

use super::{Dataset, DatasetFault, Row, Scanned, Store};
use crate::ids;
use crate::text::thousands;

/// The number of faults of one kind that are listed.
const LISTED: usize = 10;

impl Dataset {
    /// Gives every row its id and slug. The own id of a row is never given to another row.
    pub(super) fn name_rows(&mut self, scanned: Vec<Scanned>) -> Result<(), DatasetFault> {
        let word = self.word();
        let mut names = Names::default();
        let mut slugs = Names::default();
        let mut lines: HashMap<&str, usize> = HashMap::new();
        let (mut duplicates, mut more) = (Vec::new(), 0);
        for row in &scanned {
            let Some(id) = &row.id else { continue };
            if let Some(first) = lines.insert(id, row.line) {
                more += usize::from(duplicates.len() == LISTED);
                if duplicates.len() < LISTED {
                    duplicates.push(if first == row.line {
                        format!("`{id}` (twice on {word} {first})")
                    } else {
                        format!("`{id}` ({word}s {first} and {})", row.line)
                    });
                }
            }
            names.reserve(id.clone());
            slugs.reserve(ids::slug(id));
        }
        if !duplicates.is_empty() {
            return Err(DatasetFault(format!(
                "{}: ids must be unique, these are not: {}",
                self.origin,
                listed(&duplicates, more, ", ")
            )));
        }
        // Only a JSON array has several rows on one line, whose number then says too little.
        let lines: Vec<usize> = scanned.iter().map(|row| row.line).collect();
        let is_shared = |index: usize| {
            let beside = [index.checked_sub(1), index.checked_add(1)];
            beside.iter().flatten().any(|other| lines.get(*other) == lines.get(index))
        };
        for (index, Scanned { line, content, id }) in scanned.into_iter().enumerate() {
            let has_own_id = id.is_some();
            let id = id.unwrap_or_else(|| {
                names.free(match self.parse(&content) {
                    Err(_) if is_shared(index) => format!("row-{}", index + 1),
                    Err(_) => format!("{word}-{line}"),
                    Ok(datapoint) => ids::content_id(&datapoint.inputs),
                })
            });
            let slug = ids::slug(&id);
            let slug = if has_own_id { slugs.first_or_free(slug) } else { slugs.free(slug) };
            self.rows.push(Row { id, slug, line, has_own_id, content });
        }
        Ok(())
    }

    /// Checks that no two rows have the same id in HoneyHive, where their results would be mixed.
    ///
    /// # Errors
    /// Returns an error when two rows do, with the places of both.
    pub(crate) fn check_external_ids(&self, like_python: bool) -> Result<(), DatasetFault> {
        if self.managed.is_some() {
            return Ok(());
        }
        // An id that begins with `EXT-` stays as it is, so only such an id can equal that of
        // another row.
        let kept: HashMap<&str, &Row> = self
            .rows
            .iter()
            .filter(|row| row.id.starts_with(ids::EXTERNAL))
            .map(|row| (row.id.as_str(), row))
            .collect();
        if kept.is_empty() {
            return Ok(());
        }
        let (mut same, mut more) = (Vec::new(), 0);
        let others = self.rows.iter().filter(|row| !row.id.starts_with(ids::EXTERNAL));
        for row in others.filter(|row| row.has_own_id || !like_python) {
            let external = if like_python {
                ids::external(&row.id)
            } else {
                ids::external_datapoint(&ids::external(&self.name), &row.id)
            };
            if let Some(other) = kept.get(external.as_str()) {
                if same.len() == LISTED {
                    more += 1;
                    continue;
                }
                let (first, second) =
                    if other.line < row.line { (*other, row) } else { (row, *other) };
                same.push(format!(
                    "`{}` ({}) and `{}` ({}) are both `{external}`",
                    first.id,
                    self.place(first),
                    second.id,
                    self.place(second)
                ));
            }
        }
        if same.is_empty() {
            return Ok(());
        }
        Err(DatasetFault(format!(
            "{}: two rows have one id in HoneyHive: {}; rename one of them (an id that begins with \
             `EXT-` stays as it is)",
            self.origin,
            listed(&same, more, "; ")
        )))
    }

    /// Returns the word that the places of rows are counted in.
    fn word(&self) -> &'static str {
        if matches!(self.store, Store::Ready) { "row" } else { "line" }
    }
}

fn listed(faults: &[String], more: usize, between: &str) -> String {
    let shown = faults.join(between);
    match more {
        0 => shown,
        more => format!("{shown} and {} more", thousands(more)),
    }
}

/// The names in use. A name that is taken gets `~2`, `~3` and so on.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    /// The names that are reserved for rows that come later.
    reserved: HashSet<String>,
    last: HashMap<String, usize>,
}

impl Names {
    fn reserve(&mut self, name: String) {
        self.reserved.insert(name);
    }

    /// Takes a reserved name for its row; returns another one if two rows reserved it.
    fn first_or_free(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) { name } else { self.free(name) }
    }

    /// Takes a name that no row has or reserved.
    fn free(&mut self, name: String) -> String {
        let mut number = self.last.get(&name).copied().unwrap_or(0);
        loop {
            number += 1;
            let candidate = if number == 1 { name.clone() } else { format!("{name}~{number}") };
            if !self.reserved.contains(&candidate) && self.taken.insert(candidate.clone()) {
                self.last.insert(name, number);
                return candidate;
            }
        }
    }
}

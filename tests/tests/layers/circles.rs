//! Finds files that use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::ModulePath;

type Uses = BTreeMap<ModulePath, BTreeSet<ModulePath>>;

/// Returns the circles, each with all its files. A module and those within it may use each other.
pub(crate) fn circles(uses: &Uses) -> Vec<Vec<ModulePath>> {
    let mut found: Vec<Vec<ModulePath>> = Vec::new();
    let reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
        uses.keys().map(|from| (from, reach(uses, from))).collect();
    for from in uses.keys() {
        if found.iter().any(|circle| circle.contains(from)) {
            continue;
        }
        let circle: Vec<ModulePath> = reached[from]
            .iter()
            .filter(|to| reached.get(**to).is_some_and(|back| back.contains(from)))
            .map(|to| (*to).clone())
            .collect();
        if circle.len() > 1 {
            found.push(circle);
        }
    }
    found
}

/// Returns the files that can be reached from a file, itself included where a circle leads back.
fn reach<'a>(uses: &'a Uses, from: &'a ModulePath) -> BTreeSet<&'a ModulePath> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for to in uses.get(at).into_iter().flatten() {
            if !to.starts_with(at) && !at.starts_with(to) && reached.insert(to) {
                open.push(to);
            }
        }
    }
    reached
}

#[test]
fn a_circle_is_found_and_a_parent_is_none() {
    let path = |text: &str| -> ModulePath { text.split("::").map(str::to_owned).collect() };
    let uses: Uses = [
        ("a", &["a::b", "c"][..]),
        ("a::b", &["a", "a::c"]),
        ("a::c", &["a::d"]),
        ("a::d", &["a::b", "c"]),
        ("c", &[]),
    ]
    .into_iter()
    .map(|(from, to)| (path(from), to.iter().map(|to| path(to)).collect()))
    .collect();
    assert_eq!(circles(&uses), [["a::b", "a::c", "a::d"].map(path)]);
}

//! Finds the differences between the facts of two servers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::differences::{DIFFERENCES, Difference};
use crate::facts::Facts;

/// The text for a fact that one side does not have.
const NOTHING: &str = "–";

/// Compares the facts of the Python SDK with those of this crate.
///
/// # Panics
/// Panics when there is a difference that is not in the table, or a row of the table without a
/// difference.
pub(crate) fn compare(theirs: &Facts, ours: &Facts) {
    let mut text = String::new();
    let mut met = BTreeSet::new();
    let places: BTreeSet<&(String, String)> = theirs.keys().chain(ours.keys()).collect();
    for key in places {
        let (place, datapoint) = key;
        if is_of_lone_thing(place, datapoint, theirs, ours) {
            continue;
        }
        let of = |facts: &Facts| facts.get(key).map_or(NOTHING.to_owned(), Clone::clone);
        let (theirs, ours) = (of(theirs), of(ours));
        if theirs == ours {
            continue;
        }
        let row = |row: &Difference| {
            like(row.place, place) && like(row.theirs, &theirs) && like(row.ours, &ours)
        };
        match DIFFERENCES.iter().position(row) {
            Some(row) => {
                met.insert(row);
            }
            None => {
                let _ = writeln!(
                    text,
                    "new: {place} [{datapoint}]\n  Python {theirs}\n  Rust   {ours}"
                );
            }
        }
    }
    for (index, row) in DIFFERENCES.iter().enumerate() {
        if !met.contains(&index) {
            let _ = writeln!(text, "gone: {} | {} | {}", row.place, row.theirs, row.ours);
        }
    }
    assert!(text.is_empty(), "the table of differences does not fit what was sent:\n{text}");
}

/// Returns whether only one side has the span or call: that is one difference, not one for each of
/// its parts.
fn is_of_lone_thing(place: &str, datapoint: &str, theirs: &Facts, ours: &Facts) -> bool {
    let Some((thing, _)) = place.split_once(": ") else { return false };
    [datapoint, ""].into_iter().any(|datapoint| {
        let key = (thing.to_owned(), datapoint.to_owned());
        theirs.contains_key(&key) != ours.contains_key(&key)
    })
}

/// Returns whether a text matches the pattern, in which `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| like(after, &rest[at..]))
        }),
    }
}

#[test]
fn a_star_stands_for_anything() {
    assert!(like("a*c", "abbc") && like("a*c", "ac") && like("*", "") && like("*b*", "abc"));
    assert!(!like("a*c", "abcd") && !like("a", "ab") && !like("*b", "abc"));
}

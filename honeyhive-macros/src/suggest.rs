//! Suggests names for misspelt ones.

/// Returns the candidate nearest to a misspelt name: at most two edits away.
pub(crate) fn closest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= 2 && *distance < candidate.chars().count().max(2)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the text after "unknown ..": the nearest candidate, or else all of them.
pub(crate) fn hint(name: &str, candidates: &[&str], plural: &str) -> String {
    match closest(name, candidates) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the {plural} are {}", quoted(candidates)),
    }
}

/// Returns names in backquotes, with commas between them.
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_miss_is_suggested() {
        let names = ["dataset", "name", "tags"];
        assert_eq!(closest("datset", &names), Some("dataset"));
        assert_eq!(closest("nmae", &names), Some("name"));
        assert_eq!(closest("model", &names), None);
        assert_eq!(hint("x", &names, "options"), "the options are `dataset`, `name`, `tags`");
    }

    #[test]
    fn a_short_name_is_not_guessed_from_nothing() {
        assert_eq!(closest("zz", &["ab"]), None);
        assert_eq!(closest("ac", &["ab"]), Some("ab"));
    }
}

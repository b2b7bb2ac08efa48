//! Finds and hashes the files that an experiment depends on beside its code: prompts, schemas,
//! few-shot examples.

use std::collections::BTreeMap;
use std::path::Path;

use crate::ids;

/// Returns the files that match the patterns of `track(..)`, by their paths below `base`, each with
/// a hash of its contents.
///
/// # Errors
/// Returns an error when a pattern is invalid or matches no file, and when a file cannot be read.
pub(crate) fn tracked(base: &Path, patterns: &[&str]) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for pattern in patterns {
        let whole = base.join(pattern);
        // The path of the package is taken literally, not as a pattern.
        let escaped = glob::Pattern::escape(&base.to_string_lossy());
        let text = Path::new(&escaped).join(pattern);
        let paths = glob::glob(&text.to_string_lossy())
            .map_err(|error| format!("track(\"{pattern}\"): {}", error.msg))?;
        let before = found.len();
        for path in paths {
            let path = path.map_err(|error| format!("track(\"{pattern}\"): {error}"))?;
            if !path.is_file() {
                continue;
            }
            let contents = crate::files::read_regular(&path)
                .map_err(|error| format!("track(\"{pattern}\"): {}: {error}", path.display()))?;
            let name = path.strip_prefix(base).unwrap_or(&path).to_string_lossy();
            // Paths are written with `/`, so that the name is the same on every system.
            found.insert(name.replace('\\', "/"), ids::short_hash(&contents, 16));
        }
        if found.len() == before && !patterns_overlap(&found, base, &text) {
            return Err(format!(
                "track(\"{pattern}\") matches no file: {} does not exist",
                whole.display()
            ));
        }
    }
    Ok(found)
}

/// Returns whether another pattern already found all files of this one.
fn patterns_overlap(found: &BTreeMap<String, String>, base: &Path, pattern: &Path) -> bool {
    glob::Pattern::new(&pattern.to_string_lossy())
        .is_ok_and(|pattern| found.keys().any(|name| pattern.matches_path(&base.join(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_files_below_the_package() {
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = tracked(base, &["src/baseline/*.rs", "Cargo.toml"]).expect("files");
        assert!(found.contains_key("Cargo.toml") && found.contains_key("src/baseline/mod.rs"));
        assert!(found.values().all(|hash| hash.len() == 16));
        let again = tracked(base, &["Cargo.toml", "Cargo.tom?"]).expect("twice the same is fine");
        assert_eq!(again.len(), 1);
    }

    #[test]
    fn what_finds_nothing_is_an_error() {
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        let error = tracked(base, &["prompts/*.md"]).expect_err("no such files");
        assert!(error.starts_with("track(\"prompts/*.md\") matches no file: "), "{error}");
        let error = tracked(base, &["src/[.rs"]).expect_err("no pattern");
        assert!(error.starts_with("track(\"src/[.rs\"): "), "{error}");
    }
}

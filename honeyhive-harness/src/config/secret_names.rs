//! Finds the environment variables that hold secrets, by their names and values.
//!
//! A name is split into words: `OPENAI_API_KEY_2` is `OPENAI`, `API`, `KEY`. One word that names a
//! secret is enough, wherever it stands; a last word that says something about the secret
//! (`.._FILE`, `.._TTL`) excludes the variable. Values that are ordinary words, paths or short are
//! not taken for secrets: replacing them would make every text unreadable and protect nothing.

mod lists;

use self::lists::{
    ABOUT, COUNTING, COUNTING_MANY, ENDINGS, OPEN_KEYS, ORDINARY, ROOTS, STRONG, WEAK, WORDS,
};
use super::secret::{NamedSecret, Secret};
use super::vars::Vars;

/// The length below which a value is not taken for a secret, since replacing it would hide ordinary
/// words.
const SHORTEST_SECRET: usize = 8;

/// Returns the secrets among the variables, the longest first, because one may be the beginning of
/// another.
pub(super) fn secrets(vars: &Vars) -> Vec<NamedSecret> {
    let mut found: Vec<(String, String)> = Vec::new();
    for name in vars.names() {
        let value = vars.text(name).unwrap_or_default();
        for value in parts(name, &value) {
            found.push((value, name.to_owned()));
        }
    }
    found.sort_by(|(a, a_name), (b, b_name)| {
        b.len().cmp(&a.len()).then_with(|| a.cmp(b)).then_with(|| a_name.cmp(b_name))
    });
    found.dedup_by(|(a, _), (b, _)| a == b);
    found
        .into_iter()
        .map(|(value, name)| NamedSecret { name, value: Secret::new(&value) })
        .collect()
}

/// Returns the secrets in the value of a variable: the whole value, or the secret parts of it.
fn parts(name: &str, value: &str) -> Vec<String> {
    let words = words(name);
    let mut parts = Vec::new();
    // A password in an address is a secret whatever the variable is called.
    parts.extend(password_in_address(value));
    if words.last().is_some_and(|last| last == "HEADERS") {
        // OpenTelemetry writes `name=value,name=value`, where the values are secret.
        let values = value.split(',').filter_map(|pair| pair.split_once('='));
        parts.extend(values.map(|(_, value)| value.trim().to_owned()));
    } else if names_a_secret(&words, value) {
        parts.push(value.to_owned());
        // In `AccountKey=..;` and `session=..; theme=dark`, each part may be used without the rest.
        for pair in value.split([';', '&']) {
            let Some((key, part)) = pair.split_once('=') else { continue };
            let (key, part) = (self::words(key), part.trim());
            if names_a_secret(&key, part) || looks_random(part) {
                parts.push(part.to_owned());
            }
        }
        // A variable may hold a key file as JSON, whose fields are checked one by one.
        if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(value) {
            for (key, field) in &fields {
                if let Some(text) = field.as_str()
                    && names_a_secret(&self::words(key), text)
                {
                    parts.push(text.to_owned());
                }
            }
        }
    }
    parts.retain(|part| part.len() >= SHORTEST_SECRET && !is_ordinary(part));
    parts
}

/// Splits a name into words: `OPENAI_API_KEY_2` into `OPENAI`, `API`, `KEY`; `dbPassword` into
/// `DB`, `PASSWORD`.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (was_lower && c.is_uppercase()) {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_uppercase());
        }
        was_lower = c.is_lowercase();
    }
    words.push(word);
    // Digits number the secrets of one name.
    for word in &mut words {
        word.truncate(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Returns whether a variable of this name has a value that is secret.
fn names_a_secret(words: &[String], value: &str) -> bool {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let last = words.last().map(String::as_str).unwrap_or_default();
    // The shell sets these variables to directories.
    if matches!(words, [only] if only == "PWD" || only == "OLDPWD") {
        return false;
    }
    if is_vault_id(words) {
        return true;
    }
    let is_address = matches!(last, "URL" | "URI" | "URLS");
    if is_address {
        // The address of a webhook is its key; that of a token endpoint is public.
        return has(&["WEBHOOK", "WEBHOOKS", "DSN", "SAS"]) && value.contains("://");
    }
    if ABOUT.contains(&last) {
        return false;
    }
    // These are names such as `AZURE_CONN_STRING` and `ConnectionStrings__Default`.
    let is_connection = |pair: &[String]| {
        matches!(pair[0].as_str(), "CONN" | "CONNECTION") && pair[1].starts_with("STR")
    };
    if words.windows(2).any(is_connection)
        || words.iter().any(|word| word.starts_with("CONNECTIONSTRING"))
    {
        return value.contains(['=', ':']);
    }
    let is_strong = |word: &String| {
        let word = word.as_str();
        match word {
            "TOKENS" => !has(&COUNTING) && !has(&COUNTING_MANY),
            "TOKEN" | "PASS" | "PASSES" => !has(&COUNTING),
            "KEY" | "KEYS" => !has(&OPEN_KEYS),
            _ if STRONG.contains(&word) => true,
            _ => !ORDINARY.contains(&word) && ENDINGS.iter().any(|ending| word.ends_with(ending)),
        }
    };
    words.iter().any(is_strong) || (has(&WEAK) && !is_plain_word(value))
}

/// Returns whether the name is that of the second half of a login to Vault, which is called an id.
fn is_vault_id(words: &[String]) -> bool {
    words.ends_with(&["SECRET".to_owned(), "ID".to_owned()])
}

/// Returns whether a value has letters alone: `basic`, `Strict`, `session_cookie`.
fn is_plain_word(value: &str) -> bool {
    value.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '_' | ' ' | '.'))
}

/// Returns whether a value has sixteen characters or more, letters and digits among them, and no
/// space.
fn looks_random(value: &str) -> bool {
    value.len() >= 16
        && !value.contains(char::is_whitespace)
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
        && !value.contains("://")
        // Values with dots are names of hosts.
        && !value.contains('.')
}

/// Returns whether a value is not a secret whatever its variable is called.
fn is_ordinary(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    WORDS.contains(&lower.as_str())
        || value.trim_matches('*').is_empty()
        || is_path(value)
        || is_short_number(value)
}

/// Returns whether a value is a number as settings have them: `86400000`, `1_000_000.0`. A number
/// of twelve digits or more may be a password.
fn is_short_number(value: &str) -> bool {
    let digits = value.replace('_', "");
    digits.len() < 12 && digits.parse::<f64>().is_ok()
}

fn is_path(value: &str) -> bool {
    let separators = |c| c == '/' || c == '\\';
    if ["~/", "./", "../", "$HOME/", "%USERPROFILE%"].iter().any(|start| value.starts_with(start)) {
        return true;
    }
    if let [drive, b':', b'\\' | b'/', ..] = value.as_bytes() {
        return drive.is_ascii_alphabetic();
    }
    // Base64 may begin with a `/` as well, but hardly with a directory that every system has.
    let first = value.strip_prefix('/').and_then(|rest| rest.split(separators).next());
    first.is_some_and(|first| ROOTS.contains(&first))
}

/// Returns the password in `scheme://user:password@host`.
fn password_in_address(value: &str) -> Option<String> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(percent_decoded(password))
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let (b'%', Some(hex)) = (byte, hex) {
            decoded.push(hex);
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests;

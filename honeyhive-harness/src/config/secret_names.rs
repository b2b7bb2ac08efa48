//! Which environment variables hold secrets, by their names and values.
//!
//! A name is split into words: `OPENAI_API_KEY_2` is `OPENAI`, `API`, `KEY`. One word that names a
//! secret is enough, wherever it stands; a last word that says something about the secret
//! (`.._FILE`, `.._TTL`) takes that back. Values that are ordinary words, paths or short are left
//! alone: to replace them would make every text unreadable and keep nothing secret.

use super::secret::{NamedSecret, Secret};
use super::vars::Vars;

/// A secret shorter than this would blot out ordinary words.
const SHORTEST_SECRET: usize = 8;

/// Words that name a secret, whatever its value looks like.
const STRONG: [&str; 40] = [
    "AUTHTOKEN",
    "BEARER",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "HMAC",
    "JWT",
    "KEYS",
    "MNEMONIC",
    "PASS",
    "PASSCODE",
    "PASSCODES",
    "PASSKEY",
    "PASSPHRASE",
    "PASSPHRASES",
    "PASSWD",
    "PASSWORD",
    "PASSWORDS",
    "PASSWDS",
    "PASSES",
    "PASSWORT",
    "PAT",
    "PATS",
    "PEPPER",
    "PSK",
    "PSWD",
    "PW",
    "PWD",
    "PWDS",
    "SALT",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
    "KEY",
    "APIKEY",
    "APIKEYS",
    "AUTHKEY",
    "PRIVKEY",
    "CONNSTR",
];

/// Words that name a secret where the value looks like one: these words have other uses, too.
const WEAK: [&str; 11] = [
    "AUTH",
    "AUTHORIZATION",
    "COOKIE",
    "COOKIES",
    "DSN",
    "OTP",
    "PRIVATE",
    "SAS",
    "SK",
    "WEBHOOK",
    "WEBHOOKS",
];

/// What a longer word ends with that was written without `_`: `PGPASSWORD`, `SSHPASS`.
const ENDINGS: [&str; 20] = [
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "APIKEY",
    "APIKEYS",
    "ACCESSKEY",
    "ACCOUNTKEY",
    "AUTHKEY",
    "ENCRYPTIONKEY",
    "MASTERKEY",
    "PRIVATEKEY",
    "SECRETKEY",
    "SIGNINGKEY",
    "CREDENTIALS",
    "PASS",
    "PWD",
];

/// Ordinary words that end so.
const ORDINARY: [&str; 9] = [
    "BYPASS",
    "COMPASS",
    "ENCOMPASS",
    "MULTIPASS",
    "OLDPWD",
    "OVERPASS",
    "SURPASS",
    "TRESPASS",
    "UNDERPASS",
];

/// A last word that says something about a secret, which is elsewhere.
const ABOUT: [&str; 67] = [
    "ALG",
    "ALGORITHM",
    "ALIAS",
    "AUDIENCE",
    "AGE",
    "BACKEND",
    "BUDGET",
    "BYTES",
    "CACHE",
    "CHARS",
    "CLASS",
    "COLUMN",
    "COUNT",
    "DIR",
    "DIRECTORY",
    "DISABLED",
    "DOMAIN",
    "ENABLED",
    "ENDPOINT",
    "EXPIRATION",
    "EXPIRES",
    "EXPIRY",
    "FIELD",
    "FILE",
    "FILENAME",
    "FINGERPRINT",
    "FORMAT",
    "HASHER",
    "HELPER",
    "HOST",
    "ID",
    "IDS",
    "INTERVAL",
    "ISSUER",
    "LABEL",
    "LEN",
    "LENGTH",
    "LIFETIME",
    "LIMIT",
    "METHOD",
    "MODE",
    "NAME",
    "NAMES",
    "PATH",
    "POLICY",
    "PORT",
    "PREFIX",
    "PROVIDER",
    "RATE",
    "REGION",
    "REQUIRED",
    "ROTATION",
    "SCOPE",
    "SCOPES",
    "SERVER",
    "SIZE",
    "SOCK",
    "SOCKET",
    "STORE",
    "THRESHOLD",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "USER",
    "USERNAME",
    "VERSION",
    "WINDOW",
];

/// Words that make `TOKEN` or `PASS` a count.
const COUNTING: [&str; 11] =
    ["AVG", "COST", "MAX", "MAXIMUM", "MEAN", "MIN", "MINIMUM", "NUM", "PER", "PRICE", "THROUGH"];

/// Words that make `TOKENS` a count, but not `TOKEN`: an action's input `token` is `INPUT_TOKEN`.
const COUNTING_MANY: [&str; 6] = ["COMPLETION", "INPUT", "OUTPUT", "PROMPT", "TOTAL", "USAGE"];

/// What a `KEY` is that opens nothing.
const OPEN_KEYS: [&str; 17] = [
    "CACHE",
    "FOREIGN",
    "GROUP",
    "HOST",
    "HOT",
    "INDEX",
    "LOOKUP",
    "MAP",
    "OBJECT",
    "ORDER",
    "PARTITION",
    "PRIMARY",
    "PUBLIC",
    "ROUTING",
    "ROW",
    "SHARD",
    "SORT",
];

/// Values that are settings or placeholders, in lower case.
const WORDS: [&str; 40] = [
    "anonymous",
    "application",
    "authenticated",
    "automatic",
    "changeme",
    "change-me",
    "credentials",
    "development",
    "disabled",
    "encrypted",
    "environment",
    "explicit",
    "external",
    "first-party",
    "implicit",
    "internal",
    "keychain",
    "kerberos",
    "localhost",
    "localhost:8080",
    "negotiate",
    "not-needed",
    "not_needed",
    "optional",
    "password",
    "passwords",
    "placeholder",
    "plaintext",
    "production",
    "readonly",
    "read-only",
    "required",
    "security",
    "standard",
    "undefined",
    "unlimited",
    "username",
    "username:password",
    "verified",
    "enforced",
];

/// Directories that absolute paths start with.
const ROOTS: [&str; 31] = [
    "app",
    "bin",
    "builds",
    "cache",
    "code",
    "config",
    "data",
    "dev",
    "etc",
    "github",
    "home",
    "keys",
    "Library",
    "mnt",
    "nix",
    "opt",
    "private",
    "proc",
    "project",
    "repo",
    "root",
    "run",
    "secrets",
    "src",
    "srv",
    "sys",
    "tmp",
    "Users",
    "usr",
    "var",
    "workspace",
];

/// The secrets among the variables, the longest first: one may be the beginning of another.
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

/// The secrets in the value of a variable: the whole of it, or what is secret within it.
fn parts(name: &str, value: &str) -> Vec<String> {
    let words = words(name);
    let mut parts = Vec::new();
    // The password of an address, whatever the variable is called.
    parts.extend(password_in_address(value));
    if words.last().is_some_and(|last| last == "HEADERS") {
        // `name=value,name=value`, as OpenTelemetry has it; what is secret are the values.
        let values = value.split(',').filter_map(|pair| pair.split_once('='));
        parts.extend(values.map(|(_, value)| value.trim().to_owned()));
    } else if names_a_secret(&words, value) {
        parts.push(value.to_owned());
        // `AccountKey=..;`, `session=..; theme=dark`: each may be written down without the rest.
        for pair in value.split([';', '&']) {
            let Some((key, part)) = pair.split_once('=') else { continue };
            let (key, part) = (self::words(key), part.trim());
            if names_a_secret(&key, part) || looks_random(part) {
                parts.push(part.to_owned());
            }
        }
        // The fields of a key file that stands in a variable.
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

/// `OPENAI_API_KEY_2` as `OPENAI`, `API`, `KEY`; `dbPassword` as `DB`, `PASSWORD`.
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

/// Whether a variable of this name has a value that is to be kept secret.
fn names_a_secret(words: &[String], value: &str) -> bool {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let last = words.last().map(String::as_str).unwrap_or_default();
    // The directories of the shell.
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
    // `AZURE_CONN_STRING`, `ConnectionStrings__Default`.
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

/// Vault's second half of a login, which is called an id.
fn is_vault_id(words: &[String]) -> bool {
    words.ends_with(&["SECRET".to_owned(), "ID".to_owned()])
}

/// Letters alone: `basic`, `Strict`, `session_cookie`.
fn is_plain_word(value: &str) -> bool {
    value.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '_' | ' ' | '.'))
}

/// Sixteen characters or more without a space, with letters and digits.
fn looks_random(value: &str) -> bool {
    value.len() >= 16
        && !value.contains(char::is_whitespace)
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
        && !value.contains("://")
        // The names of hosts.
        && !value.contains('.')
}

/// What is no secret whatever its variable is called.
fn is_ordinary(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    WORDS.contains(&lower.as_str())
        || value.trim_matches('*').is_empty()
        || is_path(value)
        || is_short_number(value)
}

/// A number as settings have them: `86400000`, `1_000_000.0`. One of twelve digits or more may be
/// a password.
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

/// The password in `scheme://user:password@host`.
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
mod tests {
    use super::*;

    /// What no text and no path looks like.
    const VALUE: &str = "Zq8vT3mN5xR1";

    fn found(name: &str, value: &str) -> Vec<String> {
        let vars = Vars::new([(name.into(), value.into())]);
        secrets(&vars).iter().map(|secret| secret.value.expose().to_owned()).collect()
    }

    #[test]
    fn names_of_secrets() {
        for name in [
            "API_KEY_PROD",
            "APIKEY",
            "AUTH",
            "AUTHORIZATION",
            "AUTH_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AZURE_CLIENT_SECRET",
            "AZURE_STORAGE_KEY",
            "CARGO_REGISTRY_TOKEN",
            "CREDENTIALS",
            "DB_PASS",
            "DB_PASSWORD_FOR_TESTS",
            "DB_PW",
            "DB_PWD",
            "DJANGO_SECRET_KEY",
            "GH_PAT",
            "GITHUB_TOKEN",
            "INPUT_TOKEN",
            "GOOGLE_API_KEY",
            "HF_TOKEN",
            "JWT",
            "LICENSE_KEY",
            "MY_SECRETS",
            "MYSQLPASSWORD",
            "MYSQL_PASS",
            "MYSQL_PWD",
            "NPM_CONFIG__AUTHTOKEN",
            "OPENAI_API_KEY",
            "OPENAI_API_KEY2",
            "OPENAI_API_KEY_2",
            "PASS",
            "PASSPHRASE",
            "PASSWD",
            "PASSWORD",
            "PASSWORD1",
            "PGPASSWORD",
            "PRIVATE",
            "PRIVATE_KEY",
            "PW",
            "REDISCLI_AUTH",
            "SECRET",
            "SECRET_KEY_BASE",
            "SESSION_COOKIE",
            "SIGNING_KEYS",
            "SSHPASS",
            "SSH_KEY_PASS",
            "STRIPE_SK",
            "TOKEN",
            "TOKEN_GITHUB",
            "VAULT_SECRET_ID",
            "VAULT_TOKEN",
            "WORDPRESS_AUTH_SALT",
            "dbPassword",
            "openai_api_key",
            "my.service.token",
        ] {
            assert_eq!(found(name, VALUE), [VALUE], "{name}");
        }
    }

    #[test]
    fn names_that_only_look_like_it() {
        for name in [
            "ACCESS_TOKEN_TTL",
            "AUTHOR",
            "AUTH_MODE",
            "AUTH_URL",
            "BYPASS_CACHE",
            "CACHE_KEY",
            "COMPASS",
            "COMPOSER_HOME",
            "GIT_AUTHOR_NAME",
            "GOPRIVATE",
            "INPUT_TOKENS",
            "KEYBOARD_LAYOUT",
            "KEY_FILE",
            "LANG",
            "MAX_TOKENS",
            "MAX_TOKENS_PER_CALL",
            "MONKEY",
            "OLDPWD",
            "PASSENGER_COUNT",
            "PASSING_SCORE",
            "PASS_RATE",
            "PASS_THROUGH",
            "PASSWORD_FILE",
            "PATH",
            "PATTERN",
            "PUBLIC_KEY",
            "PWD",
            "SECRETARY",
            "SECRET_NAME",
            "SKIP",
            "SORT_KEY",
            "SSH_AUTH_SOCK",
            "SSH_CONNECTION",
            "TOKENIZERS_PARALLELISM",
            "TOKENIZER_MODEL",
            "TOKENS_PER_MINUTE",
            "TOKEN_URL",
            "TURKEY",
            "XDG_SESSION_TYPE",
            "XDG_SESSION_ID",
            "DBUS_SESSION_BUS_ADDRESS",
        ] {
            assert_eq!(found(name, VALUE), [""; 0], "{name}");
        }
    }

    #[test]
    fn values_that_are_no_secrets() {
        for (name, value) in [
            ("API_KEY", "changeme"),
            ("AUTH", "kerberos"),
            ("DB_PASSWORD", "password"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/keys/account.json"),
            ("SSL_KEY", "/etc/ssl/private/key.pem"),
            ("SSL_KEY", "~/keys/key.pem"),
            ("SSL_KEY", "C:\\keys\\key.pem"),
            ("SESSION_SECRET", "12345"),
            ("TOKEN", "86400000"),
            ("TOKEN_REFRESH", "true"),
            ("PASSWORD", "********"),
            ("AUTH", "Interactive"),
            ("DESKTOP_SESSION", "ubuntu-wayland"),
            ("XDG_SESSION_CLASS", "interactive"),
            ("DSN", "MyDataSource"),
            ("STRIPE_SK", "none-at-all"),
        ] {
            assert_eq!(found(name, value), [""; 0], "{name}={value}");
        }
        // Words as such are still secrets where the name leaves no doubt.
        assert_eq!(found("DB_PASSWORD", "postgres"), ["postgres"]);
        assert_eq!(found("DB_PASSWORD", "/aB3dE5gH7jK9=="), ["/aB3dE5gH7jK9=="]);
    }

    #[test]
    fn parts_of_values_are_secrets_of_their_own() {
        let key = "k3yK3yk3yK3yk3yK3yk3yK3y==";
        let azure = format!("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={key}");
        assert_eq!(found("AZURE_CONN_STRING", &azure), [azure.as_str(), key]);
        let server = "Server=db;User Id=me;Password=Zq8vT3mN5;";
        assert_eq!(found("ConnectionStrings__Default", server), [server, "Zq8vT3mN5"]);
        let dsn = "https://0a1b2c3d4e5f@o1.ingest.example/42";
        assert_eq!(found("SENTRY_DSN", dsn), [dsn]);
        let hook = "https://hooks.example/services/T0/B0/xYz123";
        assert_eq!(found("SLACK_WEBHOOK_URL", hook), [hook]);
        assert_eq!(found("DATABASE_URL", "postgres://me:p%40ssW0rd!@db/x"), ["p@ssW0rd!"]);
        let file =
            r#"{"type":"service_account","private_key":"abcdefghijkl","project":"project-1"}"#;
        assert_eq!(found("GOOGLE_CREDENTIALS", file), [file, "abcdefghijkl"]);
        assert_eq!(
            found("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a,authorization=Bearer abcdef"),
            ["Bearer abcdef"]
        );
    }

    #[test]
    fn one_value_under_two_names_is_one_secret() {
        let vars = Vars::new(
            [("B_KEY", VALUE), ("A_KEY", VALUE)].map(|(name, value)| (name.into(), value.into())),
        );
        let secrets = secrets(&vars);
        assert_eq!((secrets.len(), secrets[0].name.as_str()), (1, "A_KEY"));
    }
}

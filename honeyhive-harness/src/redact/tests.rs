use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::json;

use super::*;
use crate::config::Secret;

fn knowing(secrets: &[&str]) -> Redactor {
    let named = |secret: &&str| NamedSecret { name: "SOME_KEY".into(), value: Secret::new(secret) };
    let secrets: Vec<NamedSecret> = secrets.iter().map(named).collect();
    Redactor::build(&secrets, Vec::new(), false)
}

fn hooked(hooks: Vec<Mask>) -> Redactor {
    Redactor::build(&[], hooks, false)
}

/// Returns letters and digits as keys have them.
fn random(length: usize) -> String {
    "a8Kd0PzQ3mVt7RwXy2LbC5nJ9hUe4GsF1oTiN6".chars().cycle().take(length).collect()
}

/// Returns keys of all shapes.
fn keys() -> Vec<String> {
    let digits: String = "AQ2Z7".chars().cycle().take(16).collect();
    vec![
        format!("sk-{}", random(48)),
        format!("sk-proj-{}_{}-{}", random(40), random(60), random(20)),
        format!("sk-ant-api03-{}-{}AA", random(50), random(42)),
        format!("sk-or-v1-{}", "0a1b2c3d".repeat(8)),
        format!("hh_{}", random(32)),
        format!("hh_ingst_{}_{}", "a1".repeat(12), "b-_9".repeat(16)),
        format!("hh_fgdp_{}_{}", "a1".repeat(12), "b-_9".repeat(16)),
        format!("ghp_{}", random(36)),
        format!("gho_{}", random(36)),
        format!("ghu_{}", random(36)),
        format!("ghs_{}", random(36)),
        format!("ghr_{}", random(76)),
        format!("github_pat_{}_{}", random(22), random(59)),
        format!("glpat-{}", random(20)),
        format!("glpat-{}.01.{}", random(27), random(9)),
        "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx".to_owned(),
        "xoxp-123456789012-123456789012-123456789012-abcdef0123456789".to_owned(),
        format!("AKIA{digits}"),
        format!("ASIA{digits}"),
        format!("AIza{}_-{}", random(20), random(13)),
        format!("hf_{}", random(34)),
        format!("sk_live_{}", random(24)),
        format!("rk_live_{}", random(24)),
        format!("npm_{}", random(36)),
        format!("eyJ{}.eyJ{}.{}", random(30), random(60), random(43)),
        format!("eyJ{}..{}.{}.{}", random(30), random(16), random(40), random(22))
            .replace("..", &format!(".{}.", random(40))),
    ]
}

#[test]
fn keys_of_every_shape_are_found_wherever_they_stand() {
    let redactor = Redactor::default();
    for key in keys() {
        for (before, after) in [
            ("", ""),
            ("the key is ", ", keep it"),
            ("key=", "&x=1"),
            ("{\"key\":\"", "\"}"),
            ("ключ:", "。"),
            ("(", ")."),
            ("lines\\n", "\\nof JSON"),
            ("a%20", "%20b"),
            ("\\u0022", "\\u0022"),
            ("- ", "\n"),
            ("-", ""),
        ] {
            let text = format!("{before}{key}{after}");
            assert_eq!(redactor.text(&text), format!("{before}[redacted]{after}"), "{text}");
        }
    }
}

#[test]
fn schemes_and_first_lines_stay() {
    let redactor = Redactor::default();
    let token = random(24);
    let body = format!("{}\n{}", random(64), random(40));
    for (text, clean) in [
        (format!("Authorization: Bearer {token}"), "Authorization: Bearer [redacted]"),
        (format!("authorization: bearer  {token}=="), "authorization: bearer  [redacted]"),
        (format!("h=Bearer%20{token}&x"), "h=Bearer%20[redacted]&x"),
        ("Basic dXNlcjpwYXNzd29yZA==".to_owned(), "Basic [redacted]"),
        ("-H 'Authorization: Basic YTpi'".to_owned(), "-H 'Authorization: Basic [redacted]'"),
        ("postgres://me:p%40ss@db:5432/x".to_owned(), "postgres://[redacted]@db:5432/x"),
        ("redis://:hunter2@cache".to_owned(), "redis://[redacted]@cache"),
        ("https://x:a@b@c.example/d@e".to_owned(), "https://[redacted]@c.example/d@e"),
        (
            format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\nx"),
            "-----BEGIN RSA PRIVATE KEY-----[redacted]\nx",
        ),
        (
            format!("-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\\n"),
            "-----BEGIN PRIVATE KEY-----[redacted]\\n",
        ),
        (
            format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}"),
            "-----BEGIN OPENSSH PRIVATE KEY-----[redacted]",
        ),
    ] {
        assert_eq!(redactor.text(&text), clean);
        assert!(matches!(redactor.text(clean), Cow::Borrowed(_)), "once is enough: {clean}");
    }
}

#[test]
fn addresses_and_keys_that_were_encoded_once_more() {
    let redactor = Redactor::default();
    let body = format!("{}\n{}\n", random(64), random(40));
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\n");
    let base64 = |text: &str| base64::prelude::BASE64_STANDARD.encode(text);
    let percent = |text: &str, space: &str| {
        text.replace('+', "%2B").replace(' ', space).replace('\n', "%0A").replace('/', "%2F")
    };
    for (text, clean) in [
        (
            "?to=postgres%3A%2F%2Fme%3Ap%2540ss%40db%2Fx&y".to_owned(),
            "?to=postgres%3A%2F%2F[redacted]%40db%2Fx&y",
        ),
        ("?to=postgres%3a%2f%2fme:pw@db%2fx".to_owned(), "?to=postgres%3a%2f%2f[redacted]@db%2fx"),
        ("?to=redis:%2F%2Fadmin:pw@db&x=a@b".to_owned(), "?to=redis:%2F%2F[redacted]@db&x=a@b"),
        (
            format!("k={}&x", percent(&pem, "%20")),
            "k=-----BEGIN%20RSA%20PRIVATE%20KEY-----[redacted]%0A&x",
        ),
        (format!("k={}&x", percent(&pem, "+")), "k=-----BEGIN+RSA+PRIVATE+KEY-----[redacted]%0A&x"),
        (format!("key: {} end", base64(&pem)), "key: [redacted] end"),
        (format!("key: {} end", base64(&pem[..120])), "key: [redacted] end"),
    ] {
        assert_eq!(redactor.text(&text), clean);
        assert!(matches!(redactor.text(clean), Cow::Borrowed(_)), "once is enough: {clean}");
    }
    for before in ["{", "{\"", "{\"k", "{\"ke"] {
        let text = base64(&format!("{before}{pem}\"}}"));
        let clean = redactor.text(&text);
        assert!(clean.ends_with("[redacted]") && clean.len() < 20, "{clean}");
    }
    let certificate = base64("-----BEGIN CERTIFICATE-----\nMIIBsomething\n");
    for text in
        [certificate.as_str(), "LS0tLS1CRUdJTi", "a%3A%2F%2Fb%40c", "at 10%3A30%3A00 me%40x"]
    {
        assert!(matches!(redactor.text(text), Cow::Borrowed(_)), "{}", redactor.text(text));
    }
}

#[test]
fn the_secret_key_of_amazon_is_known_by_what_is_beside_it() {
    let redactor = Redactor::default();
    let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKY";
    assert_eq!(key.len(), 40);
    let id = "AKIAQ2Z7AQ2Z7AQ2Z7AQ";
    for text in [
        format!("{id} {key}."),
        format!("{key},{id}"),
        format!("[default]\naws_access_key_id={id}\naws_secret_access_key = {key}\n"),
        format!("AWS_SECRET_ACCESS_KEY={key}"),
        format!(r#"{{"SecretAccessKey": "{key}"}}"#),
        format!("the aws secret is {key}"),
        format!("{id} {}", key.replace('/', "%2F").replace('+', "%2b")),
    ] {
        let clean = redactor.text(&text);
        assert!(!clean.contains("wJalr") && clean.contains("[redacted]"), "{clean}");
    }
    for text in [
        key.to_owned(),
        format!("a secret: {key}"),
        format!("{id} {}", "0123456789abcdef0123456789abcdef01234567"),
        format!("aws secret {key}x"),
    ] {
        assert!(redactor.text(&text).contains(&text[text.len() - 30..]), "{text}");
    }
    let mut value = json!({
        "credentials": {"id": id, "key": key, "note": "forty"},
        "awsSecret": key,
        "commit": key,
    });
    assert!(redactor.value(&mut value));
    assert_eq!(
        value,
        json!({
            "credentials": {"id": "[redacted]", "key": "[redacted]", "note": "forty"},
            "awsSecret": "[redacted]",
            "commit": key,
        })
    );
}

#[test]
fn what_was_taken_out_is_counted_by_name() {
    fn mail(text: &str) -> Option<String> {
        text.contains("a@b").then(|| text.replace("a@b", "[mail]"))
    }
    let named =
        |name: &str, value: &str| NamedSecret { name: name.to_owned(), value: Secret::new(value) };
    let secrets = [named("DB_PASSWORD", "postgres"), named("A_KEY", "other-secret")];
    let redactor = Redactor::build(&secrets, vec![mail], false);
    let mut value = json!({
        "postgres": "postgres and postgres",
        "key": format!("sk-{}", random(40)),
        "mail": ["a@b", "none"],
    });
    assert!(redactor.value(&mut value));
    assert!(!redactor.value(&mut json!(["nothing", 1, {"a": null}])));
    let taken = redactor.taken();
    let taken: Vec<(&str, usize)> = taken.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(taken, [(BY_SHAPE, 1), (BY_HOOK, 1), ("DB_PASSWORD", 3)]);
}

#[test]
fn what_is_no_secret_is_not_touched() {
    let redactor = knowing(&["correct horse battery"]);
    for text in [
        "",
        "sk",
        "a task-force of risk-free desk-jockeys, 2024-11-22",
        "the sk-learn-tutorial-introduction2-for-beginners",
        "sk-SK-2024-01-15T10-00-00, sk-proj-your-key-goes-here, sk-...",
        "550e8400-e29b-41d4-a716-446655440000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "hh_require_gates_2024, hh_experiment_run_with_a_long_name",
        "hf_hub_download, npm_config_registry, ghp_short, glpat-your-token-goes-right-here",
        "AKIA, AKIALOWERcase0123456, ASIAPACIFIC, AKIAQ2Z7AQ2Z7AQ2Z7AQ2",
        "the bearer of bad news; bearer authentication/OAuth2.0-compliant; Bearer ${TOKEN}",
        "Bearer getAccessTokenSilently, bearer internationalization",
        "Basic understanding of basic functionality; Basic dGVzdA==; BASIC 10 PRINT",
        "https://a.example:8080/x@y, git@github.com:a/b.git, ssh://git@host/x, http://u:@h",
        "see http://a.b:80 or mail me@x.y; ://a:b@c",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "a PEM file starts with -----BEGIN PRIVATE KEY----- and ends with a line like it",
        "--------------------------------- | --- | ---",
        "eyJhbGciOiJIUzI1NiJ9, eyJhbGciOiJIUzI1NiJ9.short.x, they.are.keys",
        "xoxb-your-token-goes-right-here, xoxo",
        "correct horse batterx",
    ] {
        assert!(matches!(redactor.text(text), Cow::Borrowed(_)), "{}", redactor.text(text));
    }
}

#[test]
fn known_secrets_are_found_however_they_are_written() {
    let secret = "p/ä ss\"w\\or+d\n1=";
    let redactor = knowing(&[secret]);
    let url_safe = |text: &str| text.replace('+', "-").replace('/', "_");
    let base64 = |text: &str| base64::prelude::BASE64_STANDARD.encode(text);
    for (text, clean) in [
        (format!("a {secret} b"), "a [redacted] b"),
        (json!({ "a": secret }).to_string(), r#"{"a":"[redacted]"}"#),
        (format!("{secret:?}"), r#""[redacted]""#),
        (r#"x=p\/\u00e4 ss\"w\\or+d\u000a1=;"#.to_owned(), "x=[redacted];"),
        (r#"x=p/\u{e4} ss\"w\\or+d\n1=;"#.to_owned(), "x=[redacted];"),
        ("?k=p%2F%C3%A4%20ss%22w%5Cor%2Bd%0A1%3D&l".to_owned(), "?k=[redacted]&l"),
        ("?k=p%2f%c3%a4+ss%22w%5cor%2bd%0a1=&l".to_owned(), "?k=[redacted]&l"),
        ("?k=%70%2F%C3%A4%20%73s%22%77%5Cor%2Bd%0A1%3d&l".to_owned(), "?k=[redacted]&l"),
        (format!("a {} b", base64(secret)), "a [redacted] b"),
        (format!("a {} b", base64(secret).trim_end_matches('=')), "a [redacted] b"),
        (format!("a {} b", url_safe(&base64(secret))), "a [redacted] b"),
    ] {
        assert_eq!(redactor.text(&text), clean, "{text}");
    }
    let text = base64(secret).replace('/', "%2F").replace('+', "%2b");
    assert_eq!(redactor.text(&text), "[redacted]0=", "but for a digit that it shares");
    // Within a longer encoded text, the neighbours of a secret share digits with it.
    for before in ["", "u", "us", "user:"] {
        for after in ["", "\n", "ab", "abc"] {
            let text = base64(&format!("{before}{secret}{after}"));
            let clean = redactor.text(&text);
            let inner = &base64(secret)[4..12];
            assert!(clean.contains("[redacted]") && !clean.contains(inner), "{text} {clean}");
        }
    }
}

#[test]
fn the_longest_secret_wins_and_short_ones_are_words() {
    let redactor = knowing(&["password-and-more", "password", "short"]);
    assert_eq!(redactor.text("password-and-more, password"), "[redacted], [redacted]");
    assert_eq!(redactor.text("passwordpassword!"), "[redacted][redacted]!");
    assert!(matches!(redactor.text("short passwort"), Cow::Borrowed(_)));
    let key = format!("sk-{}", random(40));
    assert_eq!(knowing(&[&key[..12]]).text(&format!("{key}.")), "[redacted].");
}

#[test]
fn nested_values_and_names_of_fields() {
    let redactor = knowing(&["open sesame"]);
    let mut value = json!({
        "a": [1, true, null, "say open sesame", {"open sesame": {"open sesame!": 2}}],
        "open sesame": 3,
        "[redacted]": 4,
    });
    redactor.value(&mut value);
    assert_eq!(
        value,
        json!({
            "a": [1, true, null, "say [redacted]", {"[redacted]": {"[redacted]!": 2}}],
            "[redacted]": 4,
            "[redacted]~2": 3,
        })
    );
}

#[test]
fn hooks_are_asked_in_turn_and_see_no_keys() {
    fn names(text: &str) -> Option<String> {
        assert!(!text.contains("sk-"), "secrets are gone before");
        text.contains("Ada").then(|| text.replace("Ada", "[name]"))
    }
    fn shout(text: &str) -> Option<String> {
        text.contains("[name]").then(|| text.to_uppercase())
    }
    let redactor = hooked(vec![names, shout]);
    let key = format!("sk-{}", random(40));
    assert_eq!(redactor.text(&format!("Ada has {key}")), "[NAME] HAS [REDACTED]");
    assert!(matches!(redactor.text("nobody"), Cow::Borrowed("nobody")));
    let mut value = json!({"Ada": ["Ada"]});
    redactor.value(&mut value);
    assert_eq!(value, json!({"Ada": ["[NAME]"]}));
}

#[test]
fn a_hook_that_panics_takes_the_text_with_it() {
    let redactor = hooked(vec![|text| {
        assert!(is_masking());
        std::panic::resume_unwind(Box::new(text.to_owned()))
    }]);
    assert_eq!(redactor.text("anything"), "[redacted: the hook panicked]");
    let mut text = "anything".to_owned();
    redactor.string(&mut text);
    assert_eq!((text.as_str(), redactor.panics()), ("[redacted: the hook panicked]", 2));
    assert!(!is_masking());
}

#[test]
fn a_redactor_shows_nothing_of_what_it_knows() {
    let redactor = knowing(&["open sesame"]);
    assert_eq!(format!("{redactor:?}"), "Redactor { hooks: 0, capture_none: false, .. }");
}

/// Checks texts of pieces that look like the beginning of a secret.
#[test]
fn pieces_of_secrets_neither_break_nor_change_a_text() {
    const PIECES: [&str; 24] = [
        "sk-",
        "hh_",
        "ghp_",
        "eyJ",
        ".",
        "://",
        ":",
        "@",
        "-----",
        "-----BEGIN ",
        "Bearer ",
        "Basic ",
        "%2",
        "\\u00",
        "\\",
        "ä",
        "𝄞",
        "AKIA",
        " ",
        "\n",
        "x",
        "xoxb-",
        "é%C3",
        "+/=",
    ];
    let redactor = knowing(&["ä𝄞é/secret \" word", "%2%20\\u00\\n secret"]);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..state % 23 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(PIECES[usize::try_from(state >> 33).unwrap() % PIECES.len()]);
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let clean = redactor.text(&text);
        // The pieces lack the digits or words that a key needs; only a password can arise from
        // them.
        let has_password = text.contains("://") && text.contains('@') && text.contains(':');
        assert_eq!(matches!(clean, Cow::Borrowed(_)), clean == text);
        assert!(has_password || clean == text, "{text:?} {clean:?}");
        assert_eq!(redactor.text(&clean), clean, "once is enough");
    }
}

/// Checks texts that would take hours if any part were read again and again; the limit allows for a
/// machine that is busy with other things.
#[test]
fn time_is_linear() {
    let redactor = knowing(&["aaaaaaaab", "a/a/a/a/a/a/a/b", "-----secret-----"]);
    let started = Instant::now();
    for piece in [
        "sk-",
        "-sk-",
        "hh_a1",
        "eyJ",
        "eyJ.",
        "eyJaaaaaaaaaaa.",
        "://",
        "a://b:",
        "a://b:c@",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "-",
        "Bearer ",
        "Bearer%20",
        "Bearer a.",
        "Basic a",
        "glpat-.",
        "%2F",
        "\\n",
        "\\u",
        "a",
        "a/",
        "ghp_",
        "é",
    ] {
        let text = piece.repeat((1 << 19) / piece.len());
        let _ = redactor.text(&text);
    }
    let took = started.elapsed();
    assert!(took < Duration::from_secs(60), "{took:?}");
}

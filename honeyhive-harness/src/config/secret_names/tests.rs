use super::*;

/// A value that looks like neither a text nor a path.
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
    // A plain word is still a secret where the name leaves no doubt.
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
    let file = r#"{"type":"service_account","private_key":"abcdefghijkl","project":"project-1"}"#;
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

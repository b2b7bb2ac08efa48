//! How HoneyHive is reached.

use std::time::Duration;

use super::secret::Secret;
use super::vars::Vars;

/// Where HoneyHive is when nobody says otherwise.
pub(crate) const SERVER: &str = "https://api.dp1.us.honeyhive.ai";

/// How long a request may take when nobody says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Further tries of a request when nobody says otherwise.
pub(crate) const RETRIES: u32 = 3;

/// How spans are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP over HTTP, protobuf.
    #[default]
    Protobuf,
    /// OTLP over HTTP, JSON.
    Json,
}

impl Protocol {
    /// As `OTEL_EXPORTER_OTLP_PROTOCOL` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "http/protobuf",
            Self::Json => "http/json",
        }
    }

    /// As `OTEL_EXPORTER_OTLP_PROTOCOL` has it.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "http/protobuf" => Some(Self::Protobuf),
            "http/json" => Some(Self::Json),
            _ => None,
        }
    }
}

pub(super) const PROTOCOLS: &str =
    "only http/protobuf and http/json are spoken here, no grpc; use the collector's HTTP port";

/// Which paths sessions and events have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// What HoneyHive's Python SDK 1.7 uses: `/session/start`, `/events`.
    #[default]
    Legacy,
    /// `/v1/sessions`, `/v1/events`.
    V1,
}

impl Family {
    /// As `HH_API_FAMILY` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::V1 => "v1",
        }
    }
}

/// How HoneyHive is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Without a slash at the end.
    pub(crate) server: String,
    /// For everything that no ingestion key is for.
    pub(crate) api_key: Option<Secret>,
    /// For sessions, events and spans, instead of the API key.
    pub(crate) ingestion_key: Option<Secret>,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) family: Family,
    pub(crate) protocol: Protocol,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            server: SERVER.to_owned(),
            api_key: None,
            ingestion_key: None,
            timeout: TIMEOUT,
            retries: RETRIES,
            family: Family::default(),
            protocol: Protocol::default(),
        }
    }
}

impl Connection {
    pub(super) fn read(vars: &mut Vars, warnings: &mut Vec<String>) -> Self {
        let mut connection = Self::default();
        let servers = ["HH_API_URL", "HONEYHIVE_SERVER_URL", "HH_SERVER_URL"];
        if let Some((name, text)) = vars.first(&servers) {
            if name != servers[0] {
                warnings.push(format!("{name} is an old name; use HH_API_URL"));
            }
            match server(&text) {
                Ok(server) => connection.server = server,
                Err(fault) => vars.faults.push(format!("{name}={}: {fault}", printable(&text))),
            }
        }
        let keys = ["HH_API_KEY", "HONEYHIVE_API_KEY"];
        if let Some((name, text)) = vars.first(&keys) {
            if name != keys[0] {
                warnings.push(format!("{name} is an old name; use HH_API_KEY"));
            }
            if is_header(&text) {
                connection.api_key = Some(Secret::new(&text));
            } else {
                vars.faults.push(format!(
                    "{name}: has characters that no key has (its value is not shown)"
                ));
            }
        }
        if let Some(text) = vars.text("HH_INGESTION_API_KEY") {
            if is_ingestion_key(&text) {
                connection.ingestion_key = Some(Secret::new(&text));
            } else {
                vars.faults.push(format!("HH_INGESTION_API_KEY: {NO_INGESTION_KEY}"));
            }
        }
        connection.timeout = vars.duration("HH_API_TIMEOUT").unwrap_or(TIMEOUT);
        if connection.timeout.is_zero() {
            let text = vars.text("HH_API_TIMEOUT").unwrap_or_default();
            vars.faults.push(format!("HH_API_TIMEOUT={text}: no request can be that quick"));
        }
        connection.retries = vars
            .parse("HH_MAX_RETRIES", "not a number from 0", |text| text.parse().ok())
            .unwrap_or(RETRIES);
        connection.family = vars
            .parse("HH_API_FAMILY", "neither legacy nor v1", |text| match text {
                "legacy" => Some(Family::Legacy),
                "v1" => Some(Family::V1),
                _ => None,
            })
            .unwrap_or_default();
        let foreign = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
        connection.protocol = if vars.has("HH_OTLP_PROTOCOL") {
            vars.parse("HH_OTLP_PROTOCOL", PROTOCOLS, Protocol::read).unwrap_or_default()
        } else {
            let named = vars.first(&foreign).and_then(|(_, text)| Protocol::read(&text));
            named.unwrap_or_default()
        };
        connection
    }
}

/// What is said of an ingestion key that is none; never with the key.
pub(crate) const NO_INGESTION_KEY: &str = "an ingestion key is `hh_ingst_`, 24 letters or digits, \
     `_`, and 64 letters, digits, `_` or `-` (its value is not shown)";

/// Whether a text has the shape of an ingestion key.
pub(crate) fn is_ingestion_key(text: &str) -> bool {
    let Some((id, secret)) =
        text.strip_prefix("hh_ingst_").and_then(|rest| rest.split_at_checked(24))
    else {
        return false;
    };
    let Some(secret) = secret.strip_prefix('_') else { return false };
    id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && secret.len() == 64
        && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Whether a key can stand in a header.
pub(crate) fn is_header(key: &str) -> bool {
    !key.trim().is_empty() && key.trim().bytes().all(|byte| byte.is_ascii_graphic())
}

/// The address of a server without a slash at its end.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn server(text: &str) -> Result<String, &'static str> {
    let text = text.trim().trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("not an http:// or https:// address"),
    }
}

/// An address without the password that may be in it.
pub(crate) fn printable(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            match rest[..end].rfind('@') {
                Some(at) => format!("{scheme}://..{}", &rest[at..]),
                None => address.to_owned(),
            }
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingestion_key_has_a_shape() {
        let good = format!("hh_ingst_{}_{}", "a1".repeat(12), "b-_9".repeat(16));
        assert!(is_ingestion_key(&good));
        for bad in [
            good.replace("hh_ingst", "hh_fgdp"),
            good[..good.len() - 1].to_owned(),
            format!("{good}x"),
            good.replacen('a', "ä", 1),
            good.replacen('a', "-", 1),
        ] {
            assert!(!is_ingestion_key(&bad), "{bad}");
        }
    }

    #[test]
    fn a_server_is_an_address() {
        assert_eq!(server(" https://a.example/hh// ").unwrap(), "https://a.example/hh");
        assert!(server("a.example").is_err() && server("ftp://a").is_err());
        assert!(server("https://").is_err() && server("http://a b").is_err());
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        assert_eq!(printable("https://user:pw@a.example/x@y"), "https://..@a.example/x@y");
        assert_eq!(printable("http://a.example/x@y"), "http://a.example/x@y");
    }
}

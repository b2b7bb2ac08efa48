//! Reads the settings of the connection to HoneyHive.

use std::time::Duration;

use super::secret::Secret;
use super::vars::Vars;

/// The default address of HoneyHive.
pub(crate) const SERVER: &str = "https://api.dp1.us.honeyhive.ai";

/// The default time limit of a request.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The default number of further tries of a request.
pub(crate) const RETRIES: u32 = 3;

/// The encoding of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The encoding is OTLP over HTTP, protobuf.
    #[default]
    Protobuf,
    /// The encoding is OTLP over HTTP, JSON.
    Json,
}

impl Protocol {
    /// Returns the name that `OTEL_EXPORTER_OTLP_PROTOCOL` has for the encoding.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "http/protobuf",
            Self::Json => "http/json",
        }
    }

    /// Reads a name as `OTEL_EXPORTER_OTLP_PROTOCOL` has it; returns `None` for an unknown one.
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

/// The family of API paths that sessions and events use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// The paths of HoneyHive's Python SDK 1.7: `/session/start`, `/events`.
    #[default]
    Legacy,
    /// The paths `/v1/sessions` and `/v1/events`.
    V1,
}

impl Family {
    /// Returns the name that `HH_API_FAMILY` has for the family.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::V1 => "v1",
        }
    }
}

/// The settings of the connection to HoneyHive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The address of the server, without a slash at the end.
    pub(crate) server: String,
    /// The key of the project, for all calls that an ingestion key does not allow.
    pub(crate) api_key: Option<Secret>,
    /// The key for sessions, events and spans; the API key is used where it is absent.
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

/// The text about an invalid ingestion key, which never contains the key.
pub(crate) const NO_INGESTION_KEY: &str = "an ingestion key is `hh_ingst_`, 24 letters or digits, \
     `_`, and 64 letters, digits, `_` or `-` (its value is not shown)";

/// Returns whether a text has the shape of an ingestion key.
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

/// Returns whether a key can be the value of a header.
pub(crate) fn is_header(key: &str) -> bool {
    !key.trim().is_empty() && key.trim().bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns the address of a server, to which paths are added, without a slash at its end.
///
/// # Errors
/// Returns the description of what is wrong with the address.
pub(crate) fn server(text: &str) -> Result<String, &'static str> {
    let text = address(text)?;
    if text.contains('?') {
        return Err("a path is added to this address, so it cannot have a query (`?`)");
    }
    Ok(text)
}

/// Returns an address that is used as it is, without a slash at its end.
///
/// # Errors
/// Returns the description of what is wrong with the address.
pub(super) fn address(text: &str) -> Result<String, &'static str> {
    let text = text.trim().trim_end_matches('/');
    if text.contains('#') {
        return Err("a fragment (`#`) is never sent to a server; write the address without it");
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("not an http:// or https:// address"),
    }
}

/// Returns an address without the password that may be in it.
pub(crate) fn printable(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
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
        assert!(server("https://a.example/?key=1").unwrap_err().contains("a query (`?`)"));
        assert!(server("https://a.example/#top").unwrap_err().contains("a fragment (`#`)"));
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        assert_eq!(printable("https://user:pw@a.example/x@y"), "https://..@a.example/x@y");
        assert_eq!(printable("http://a.example/x@y"), "http://a.example/x@y");
    }
}

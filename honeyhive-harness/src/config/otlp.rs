//! Reads the standard variables that name a further destination for spans.

use std::path::PathBuf;
use std::time::Duration;

use super::connection::{PROTOCOLS, Protocol, address, printable, server};
use super::secret::Secret;
use super::vars::{Vars, flag};

/// The default time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A receiver of spans by OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OtlpTarget {
    /// The whole address, path included.
    pub(crate) url: String,
    /// The headers of each request; their values may be keys.
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) protocol: Protocol,
    pub(crate) timeout: Duration,
    /// The path of a PEM file of further certificates to trust.
    pub(crate) certificate: Option<PathBuf>,
}

impl OtlpTarget {
    /// Creates the settings of a receiver at this address.
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            headers: Vec::new(),
            protocol: Protocol::default(),
            timeout: TIMEOUT,
            certificate: None,
        }
    }

    /// Adds a header.
    pub(crate) fn add_header(&mut self, name: String, value: &str) {
        self.headers.push((name, Secret::new(value)));
    }

    /// Reads the receiver that the environment names; returns `None` if it names none.
    ///
    /// # Errors
    /// Returns the reason why the receiver cannot be used. The variables may be set for the program
    /// under test, so the error is shown as a note and stops nothing.
    pub(super) fn read(vars: &Vars, warnings: &mut Vec<String>) -> Result<Option<Self>, String> {
        let off = vars.text("OTEL_SDK_DISABLED").is_some_and(|text| flag(&text) == Some(true))
            || vars.text("OTEL_TRACES_EXPORTER").is_some_and(|text| text == "none");
        let endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        let Some((name, text)) = vars.first(&endpoints).filter(|_| !off) else { return Ok(None) };
        // The endpoint of traces is used as it is; the endpoint of all signals gets the path of traces.
        let url = if name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" {
            address(&text).map(|_| text.clone())
        } else {
            server(&text).map(|server| format!("{server}/v1/traces"))
        };
        let url = match url {
            Ok(url) => url,
            Err(fault) => {
                return Err(format!(
                    "{name}={}: {fault}; no spans are sent there",
                    printable(&text)
                ));
            }
        };
        let named =
            vars.first(&["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]);
        let protocol = match named {
            None => Protocol::default(),
            Some((name, text)) => Protocol::read(&text)
                .ok_or_else(|| format!("{name}={text}: {PROTOCOLS}; no spans are sent"))?,
        };
        let mut headers = Vec::new();
        if let Some((name, text)) =
            vars.first(&["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"])
        {
            headers = read_headers(&text).ok_or_else(|| {
                format!(
                    "{name}: not `name=value,name=value` (its value is not shown); no spans are sent"
                )
            })?;
        }
        if let Some((name, text)) =
            vars.first(&["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"])
            && text != "none"
        {
            warnings.push(format!("{name}={text}: spans are sent uncompressed"));
        }
        Ok(Some(Self {
            url,
            headers,
            protocol,
            timeout: timeout(vars, warnings),
            certificate: vars
                .first(&["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"])
                .map(|(_, path)| path.into()),
        }))
    }

    /// Returns the address without a password.
    pub(crate) fn printable(&self) -> String {
        printable(&self.url)
    }
}

/// Reads the time limit in milliseconds, as the specification has it.
fn timeout(vars: &Vars, warnings: &mut Vec<String>) -> Duration {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let Some((name, text)) = vars.first(&names) else { return TIMEOUT };
    if let Some(millis) = text.parse().ok().filter(|millis| *millis > 0) {
        return Duration::from_millis(millis);
    }
    let default = TIMEOUT.as_millis();
    warnings.push(format!(
        "{name}={text}: not a number of milliseconds from 1; the default of {default} is used"
    ));
    TIMEOUT
}

/// Reads `name=value` pairs with commas between them; values may be percent-encoded.
fn read_headers(text: &str) -> Option<Vec<(String, Secret)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            let fine =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(fine) {
                return None;
            }
            let value = decode(value.trim())?;
            let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            printable.then(|| (name, Secret::new(&value)))
        })
        .collect()
}

/// Decodes a percent-encoded text; returns `None` for an invalid one.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Option<OtlpTarget>, Vars, Vec<String>) {
        let vars = Vars::new(variables.iter().map(|(name, value)| (name.into(), value.into())));
        let mut warnings = Vec::new();
        let target = OtlpTarget::read(&vars, &mut warnings);
        let target = target.unwrap_or_else(|fault| {
            warnings.push(fault);
            None
        });
        (target, vars, warnings)
    }

    #[test]
    fn the_common_endpoint_gets_the_path_of_traces_and_the_own_one_does_not() {
        let (target, ..) = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/")]);
        assert_eq!(target.unwrap().url, "http://localhost:4318/v1/traces");
        let (target, ..) = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other/in"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, X-Tenant=a=b"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
        ]);
        let target = target.unwrap();
        assert_eq!((target.url.as_str(), target.timeout.as_millis()), ("http://other/in", 250));
        let headers: Vec<_> =
            target.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(headers, [("authorization", "Bearer x"), ("x-tenant", "a=b")]);
        let (target, ..) = read(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other/in?a=b")]);
        assert_eq!(target.unwrap().url, "http://other/in?a=b");
        for endpoint in ["http://other?a=b", "http://other/#a"] {
            let (target, _, warnings) = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]);
            assert!(target.is_none() && warnings[0].contains(endpoint), "{warnings:?}");
        }
    }

    #[test]
    fn what_cannot_be_spoken_is_said_and_stops_nothing() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317");
        for (bad, said) in [
            (("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), "no grpc"),
            (("OTEL_EXPORTER_OTLP_HEADERS", "secret-without-a-name"), "not `name=value"),
            (("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "localhost"), "not an http:// or https://"),
            (("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://a/in#x"), "a fragment (`#`)"),
        ] {
            let (target, vars, warnings) = read(&[endpoint, bad]);
            assert!(target.is_none() && vars.faults.is_empty(), "{bad:?}");
            assert!(warnings[0].starts_with(bad.0) && warnings[0].contains(said), "{warnings:?}");
            assert!(!warnings[0].contains("secret-without"));
        }
        let (target, vars, warnings) = read(&[endpoint, ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")]);
        assert!(vars.faults.is_empty());
        assert_eq!(target.unwrap().timeout, TIMEOUT);
        assert_eq!(
            warnings,
            [
                "OTEL_EXPORTER_OTLP_TIMEOUT=soon: not a number of milliseconds from 1; the default of \
              10000 is used"
            ]
        );
        let (target, _, warnings) = read(&[endpoint, ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
        assert!(target.is_some());
        assert_eq!(warnings, ["OTEL_EXPORTER_OTLP_COMPRESSION=gzip: spans are sent uncompressed"]);
    }

    #[test]
    fn traces_can_be_turned_off() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert!(read(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]).0.is_none());
        assert!(read(&[endpoint, ("OTEL_SDK_DISABLED", "true")]).0.is_none());
        assert!(read(&[]).0.is_none());
    }
}

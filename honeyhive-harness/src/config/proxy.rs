//! Reads the variables that name a proxy, for messages.
//!
//! The HTTP client reads them itself, and ignores a value that it cannot use without saying so.

use super::connection::{Connection, printable};
use super::otlp::OtlpTarget;
use super::vars::Vars;

/// The variables that name the proxy of a scheme, in the order in which the client looks at them.
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];

/// The variables whose proxies the requests of this process go through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proxies {
    http: Option<&'static str>,
    https: Option<&'static str>,
    /// The hosts that no proxy is used for, from `NO_PROXY`.
    direct: Vec<String>,
}

impl Proxies {
    /// Reads the environment of this process.
    pub(crate) fn from_env() -> Self {
        Self::read(&Vars::new(std::env::vars_os()))
    }

    fn read(vars: &Vars) -> Self {
        // The client uses no proxy in a CGI script, where anybody can set `HTTP_PROXY`.
        if vars.has("REQUEST_METHOD") {
            return Self::default();
        }
        let usable = |names: [&'static str; 2]| {
            vars.first(&names).filter(|(_, text)| is_usable(text)).map(|(name, _)| name)
        };
        let direct = vars.first(&["NO_PROXY", "no_proxy"]).map(|(_, text)| text);
        let hosts = direct.as_deref().unwrap_or_default().split(',');
        Self {
            http: usable(HTTP).or_else(|| usable(ALL)),
            https: usable(HTTPS).or_else(|| usable(ALL)),
            direct: hosts.map(|host| host.trim().to_ascii_lowercase()).collect(),
        }
    }

    /// Returns the variable that names the proxy for a server, if there is one.
    pub(crate) fn of(&self, scheme: &str, host: &str) -> Option<&'static str> {
        let is_direct = |name: &String| {
            let domain = name.trim_start_matches('.');
            let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
            name == "*" || (!domain.is_empty() && (host == domain || below))
        };
        match scheme {
            _ if self.direct.iter().any(is_direct) => None,
            "http" => self.http,
            "https" => self.https,
            _ => None,
        }
    }
}

/// Returns the notes about variables that would name the proxy for HoneyHive, where there is a key,
/// or for the receiver of spans, but cannot be used.
pub(super) fn unusable(
    vars: &Vars,
    connection: &Connection,
    receiver: Option<&OtlpTarget>,
) -> Vec<String> {
    let has_key = connection.api_key.is_some() || connection.ingestion_key.is_some();
    let server = has_key.then_some(&*connection.server);
    let receiver = receiver.map(|target| &*target.url);
    unusable_for(vars, &server.into_iter().chain(receiver).collect::<Vec<&str>>())
}

fn unusable_for(vars: &Vars, addresses: &[&str]) -> Vec<String> {
    if vars.has("REQUEST_METHOD") {
        return Vec::new();
    }
    let mut notes = Vec::new();
    for address in addresses {
        let own = if address.starts_with("https://") { HTTPS } else { HTTP };
        for (name, text) in [vars.first(&own), vars.first(&ALL)].into_iter().flatten() {
            if is_usable(&text) {
                break;
            }
            let note = format!(
                "{name}={}: not the address of a proxy, such as http://proxy.example:3128; it has no \
                 effect",
                shown(&text)
            );
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

/// Returns the address of a proxy without its password, also where it has no scheme.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, server)) if !text.contains("://") => format!("..@{server}"),
        _ => printable(text),
    }
}

/// Returns whether the client uses a proxy of this address.
fn is_usable(text: &str) -> bool {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let authority = match rest.split_once(['/', '?', '#']) {
        // Without a scheme, there may be no path either.
        Some(_) if !text.contains("://") => return false,
        Some((authority, _)) => authority,
        None => rest,
    };
    let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (server, "80"),
    };
    let schemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known))
        && !host.is_empty()
        && port.parse::<u16>().is_ok()
        && authority.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(variables: &[(&str, &str)]) -> Vars {
        Vars::new(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn the_variable_of_a_proxy_is_known() {
        let all = ("ALL_PROXY", "socks5://proxy.example:1080");
        let of = |variables: &[(&str, &str)], scheme| {
            Proxies::read(&vars(variables)).of(scheme, "api.example")
        };
        let own = ("https_proxy", "http://me:pw@[::1]:3128/");
        assert_eq!(of(&[all, own], "https"), Some("https_proxy"));
        assert_eq!(of(&[all, own], "http"), Some("ALL_PROXY"));
        assert_eq!(of(&[("HTTP_PROXY", "proxy")], "https"), None);
        for (name, is_direct) in
            [("api.example", true), (".example", true), ("*", true), ("i.example", false)]
        {
            let found = of(&[all, ("NO_PROXY", &format!("a.b, {name}"))], "http");
            assert_eq!(found.is_none(), is_direct, "{name}");
        }
        assert_eq!(of(&[all, ("REQUEST_METHOD", "GET")], "http"), None);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_noted() {
        let https = ["https://api.example"];
        for text in ["garbage://x", "http://", "ftp://a:1", "proxy:port", "a b", "proxy/path"] {
            let vars = vars(&[("HTTPS_PROXY", text), ("HTTP_PROXY", "also:bad")]);
            assert_eq!(
                unusable_for(&vars, &https),
                [format!(
                    "HTTPS_PROXY={text}: not the address of a proxy, such as \
                     http://proxy.example:3128; it has no effect"
                )]
            );
            assert_eq!(Proxies::read(&vars).of("https", "api.example"), None);
        }
        for (text, shown) in [("x://me:t0ps3cret@a", "x://..@a"), ("me:t0ps3cret@a:b", "..@a:b")] {
            let note = unusable_for(&vars(&[("ALL_PROXY", text)]), &https).remove(0);
            assert!(note.starts_with(&format!("ALL_PROXY={shown}: ")), "{note}");
        }
        let fine = [("HTTPS_PROXY", "proxy.example:3128"), ("ALL_PROXY", "garbage://x")];
        assert!(unusable_for(&vars(&fine), &https).is_empty());
    }
}

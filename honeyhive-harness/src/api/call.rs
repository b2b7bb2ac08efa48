//! Builds a call of HoneyHive's API: path, query, body, key.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ApiError, ApiErrorKind, Knobs, quote};
use super::http::{Incoming, Outgoing, is_page};
use super::lenient::Object;
use super::retry::Retry;
use super::transport::{TIMESTAMP, Transport};
use crate::json::strict;

/// A request that is being built. Errors in its parts are returned when it is sent.
pub(super) struct Call<'a> {
    client: &'a Transport,
    method: Method,
    url: Result<Url, ApiErrorKind>,
    headers: HeaderMap,
    body: Bytes,
    timeout: Duration,
    repeatable: bool,
    knobs: Knobs,
}

impl Transport {
    /// Begins a call of the API.
    pub(super) fn call(&self, method: Method, path: &[&str]) -> Call<'_> {
        Call::new(self, method, path)
    }
}

impl<'a> Call<'a> {
    /// Creates a request. `path` has its segments, which are encoded here, because ids may contain
    /// any character.
    fn new(client: &'a Transport, method: Method, path: &[&str]) -> Self {
        Self {
            client,
            url: address(client.server(), path),
            // The time is set here, so that each try sends the same.
            headers: client.headers(),
            body: Bytes::new(),
            timeout: client.timeout(),
            // Requests that read, set or remove may be repeated.
            repeatable: method != Method::POST,
            method,
            knobs: Knobs::PROJECT,
        }
    }

    /// Uses the ingestion key, where there is one.
    pub(super) fn ingest(mut self) -> Self {
        if let Some(key) = self.client.ingestion_key() {
            self.headers.insert(AUTHORIZATION, key.clone());
            self.knobs = Knobs::INGESTION;
        }
        self
    }

    /// Adds a parameter to the query, where it has a value.
    pub(super) fn query(mut self, name: &str, value: Option<&str>) -> Self {
        if let (Ok(url), Some(value)) = (&mut self.url, value) {
            url.query_pairs_mut().append_pair(name, value);
        }
        self
    }

    /// Adds a list to the query: `name[]=a&name[]=b`.
    pub(super) fn list(mut self, name: &str, values: &[String]) -> Self {
        let name = format!("{name}[]");
        for value in values {
            self = self.query(&name, Some(value));
        }
        self
    }

    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = body.into(),
            Err(error) => self.url = Err(ApiErrorKind::Encode(error.to_string())),
        }
        self
    }

    /// Sets whether the request may be repeated, where that does not follow from its method.
    pub(super) fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }

    /// Raises the time limit of each try to at least this.
    pub(super) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = self.timeout.max(timeout);
        self
    }

    /// Sends the request, and reads the answer as JSON.
    pub(super) async fn fetch<T: DeserializeOwned>(self) -> Result<Answer<T>, ApiError> {
        self.read(|_| Ok(())).await
    }

    /// Sends the request and reads the answer as JSON, in which a repeated key is an error: one of
    /// its two values would be lost.
    pub(super) async fn fetch_strict<T: DeserializeOwned>(self) -> Result<Answer<T>, ApiError> {
        self.read(strict::check).await
    }

    async fn read<T: DeserializeOwned>(
        self,
        check: fn(&str) -> serde_json::Result<()>,
    ) -> Result<Answer<T>, ApiError> {
        let client = self.client;
        let (request, answer) = self.send().await?;
        let checked = std::str::from_utf8(&answer.body).map_or(Ok(()), check);
        match checked.and_then(|()| serde_json::from_slice(&answer.body)) {
            Ok(value) => Ok(Answer { value, request }),
            Err(error) => Err(strange(&request, &answer, &error.to_string(), client)),
        }
    }

    /// Sends the request; the answer may be anything but a web page.
    pub(super) async fn done(self) -> Result<(), ApiError> {
        let client = self.client;
        let (request, answer) = self.send().await?;
        // Web sites answer any request with their front page.
        if is_page(&answer.body) {
            return Err(strange(&request, &answer, "", client));
        }
        Ok(())
    }

    /// Sends the request and checks that the answer is a JSON object, whatever its fields: proxies
    /// and networks with a log-in page answer 200 to any request.
    pub(super) async fn object(self) -> Result<(), ApiError> {
        self.fetch::<Object>().await.map(|_| ())
    }

    /// Replaces the body by spans, which carry their own times.
    pub(super) fn spans(mut self, kind: &'static str, source: &str, body: Bytes) -> Self {
        self.headers.remove(TIMESTAMP);
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Ok(source) = HeaderValue::from_str(source) {
            self.headers.insert(HeaderName::from_static("x-source"), source);
        }
        self.body = body;
        self
    }

    async fn send(self) -> Result<(Outgoing, Incoming), ApiError> {
        let client = self.client;
        let request = self.outgoing()?;
        let answer = client.http().send(&request).await?;
        Ok((request, answer))
    }

    /// Returns the request as it is sent.
    pub(super) fn outgoing(self) -> Result<Outgoing, ApiError> {
        let url = self.url.map_err(ApiError::early)?;
        let retry = Retry {
            tries: self.client.retries().saturating_add(1),
            until: self.client.deadline(),
            repeatable: self.repeatable,
        };
        Ok(Outgoing {
            method: self.method,
            url,
            headers: self.headers,
            body: self.body,
            timeout: self.timeout,
            retry,
            knobs: self.knobs,
            trouble: self.client.trouble().cloned(),
        })
    }
}

/// The answer to a request, with the request for error texts.
pub(super) struct Answer<T> {
    pub(super) value: T,
    request: Outgoing,
}

impl<T> Answer<T> {
    /// Returns the error for an answer that lacks something that it must have.
    pub(super) fn lacks(self, what: &str) -> ApiError {
        ApiError::new(self.request.asked(), ApiErrorKind::Decode(format!("it holds no {what}")), 1)
    }
}

/// Returns the error for an answer that cannot be read.
fn strange(request: &Outgoing, answer: &Incoming, fault: &str, client: &Transport) -> ApiError {
    let text = if is_page(&answer.body) {
        format!("{} with a page for browsers", answer.status)
    } else if answer.body.trim_ascii().is_empty() {
        format!("{} with an empty answer", answer.status)
    } else {
        format!("{} with {}", answer.status, quote(fault, &client.secrets()))
    };
    ApiError::new(request.asked(), ApiErrorKind::Decode(text), 1)
}

/// Returns the address of a path below a server.
fn address(server: &Url, path: &[&str]) -> Result<Url, ApiErrorKind> {
    // Such a segment would silently change the path.
    if let Some(odd) = path.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
        return Err(ApiErrorKind::Address(format!("`{odd}` is no id")));
    }
    let mut url = server.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty().extend(path);
        }
        Err(()) => return Err(ApiErrorKind::Address("not an address of a server".to_owned())),
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(server: &str, path: &[&str]) -> Result<String, ApiErrorKind> {
        address(&Url::parse(server).unwrap(), path).map(String::from)
    }

    #[test]
    fn ids_may_hold_anything() {
        let encoded = path("https://a.example", &["v1", "runs", "a/b?c#d %e/../ü"]).unwrap();
        assert_eq!(encoded, "https://a.example/v1/runs/a%2Fb%3Fc%23d%20%25e%2F..%2F%C3%BC");
        assert_eq!(
            path("https://a.example/hh", &["events"]).unwrap(),
            "https://a.example/hh/events"
        );
        for odd in ["", ".", ".."] {
            assert!(path("https://a.example", &["v1", "runs", odd]).is_err());
        }
    }
}

//! Builds a client.

use std::time::Duration;

use super::client::HoneyHive;
use super::error::{ApiError, ApiErrorKind};
use crate::config::{Config, Connection, Family, Secret};

/// A builder of a [`HoneyHive`] client. Settings that are not given here come from the environment.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct HoneyHiveBuilder {
    api_key: Option<Secret>,
    ingestion_key: Option<Secret>,
    server_url: Option<String>,
    timeout: Option<Duration>,
    max_retries: Option<u32>,
    family: Option<Family>,
}

impl HoneyHive {
    /// Returns a builder for a client.
    pub fn builder() -> HoneyHiveBuilder {
        HoneyHiveBuilder::default()
    }
}

impl HoneyHiveBuilder {
    /// Sets the key of the project, instead of `HH_API_KEY`.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.api_key = Some(Secret::new(key.as_ref()));
        self
    }

    /// Sets a key that may only write sessions and events, instead of `HH_INGESTION_API_KEY`.
    /// Without one, the project's key is used for them, too.
    pub fn ingestion_key(mut self, key: impl AsRef<str>) -> Self {
        self.ingestion_key = Some(Secret::new(key.as_ref()));
        self
    }

    /// Sets the address of HoneyHive, such as `https://api.example.com`, instead of `HH_API_URL`.
    pub fn server_url(mut self, url: impl Into<String>) -> Self {
        self.server_url = Some(url.into());
        self
    }

    /// Sets the time limit of each try, instead of `HH_API_TIMEOUT` (10 s). [Exporting
    /// events](super::Events::export) may take at least 300 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the number of further tries, instead of `HH_MAX_RETRIES` (3).
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// Sets the family of paths, instead of `HH_API_FAMILY`.
    pub fn family(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }

    /// Builds the client. This sends nothing.
    ///
    /// # Errors
    /// Returns [`NoKey`](ApiErrorKind::NoKey) when there is no project key,
    /// [`BadKey`](ApiErrorKind::BadKey) and [`Address`](ApiErrorKind::Address) for an invalid key
    /// or address, [`Settings`](ApiErrorKind::Settings) when the environment cannot be understood.
    pub fn build(self) -> Result<HoneyHive, ApiError> {
        let config =
            Config::from_env().map_err(|text| ApiError::early(ApiErrorKind::Settings(text)))?;
        self.over(config.connection)
    }

    fn over(self, mut connection: Connection) -> Result<HoneyHive, ApiError> {
        connection.api_key = self.api_key.or(connection.api_key);
        connection.ingestion_key = self.ingestion_key.or(connection.ingestion_key);
        connection.server = self.server_url.unwrap_or(connection.server);
        connection.timeout = self.timeout.unwrap_or(connection.timeout);
        connection.retries = self.max_retries.unwrap_or(connection.retries);
        connection.family = self.family.unwrap_or(connection.family);
        HoneyHive::from_connection(&connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Connection {
        Connection { api_key: Some(Secret::new("hh_from_env")), ..Connection::default() }
    }

    #[test]
    fn what_is_said_wins_over_the_environment() {
        let client = HoneyHive::builder()
            .api_key("hh_said")
            .server_url("http://user:pw@other.example/base/")
            .timeout(Duration::from_secs(2))
            .max_retries(0)
            .family(Family::V1)
            .over(base())
            .unwrap();
        assert_eq!(client.transport.secrets(), ["hh_said"]);
        assert_eq!(client.transport.server().path(), "/base");
        assert_eq!((client.transport.timeout().as_secs(), client.transport.retries()), (2, 0));
        assert_eq!(client.transport.family(), Family::V1);
        let shown = format!("{client:?}");
        assert!(!shown.contains("hh_said") && !shown.contains("pw"), "{shown}");
        let client = HoneyHive::builder().over(base()).unwrap();
        assert_eq!(client.transport.secrets(), ["hh_from_env"]);
        assert_eq!((client.transport.timeout().as_secs(), client.transport.retries()), (10, 3));
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = HoneyHive::builder().over(Connection::default()).unwrap_err();
        assert_eq!(error.kind(), &ApiErrorKind::NoKey);
        assert!(error.to_string().contains("HH_API_KEY"));
    }

    #[test]
    fn a_key_that_is_none_is_not_shown() {
        let builder = HoneyHive::builder().ingestion_key("hh_ingst_short");
        assert!(!format!("{builder:?}").contains("short"));
        let error = builder.over(base()).unwrap_err();
        assert!(error.to_string().starts_with("HH_INGESTION_API_KEY: "), "{error}");
        assert!(!format!("{error} {error:?}").contains("hh_ingst_short"));
        for bad in ["hh_two words", "", "hh_\u{fc}", "hh_a\nb"] {
            let error = HoneyHive::builder().api_key(bad).over(base()).unwrap_err();
            assert!(matches!(error.kind(), ApiErrorKind::BadKey(_)), "{error}");
            assert!(bad.is_empty() || !error.to_string().contains(bad));
        }
    }

    #[test]
    fn an_address_that_is_none_is_shown_without_its_password() {
        for bad in ["honeyhive", "http://u:pw@[::1", "http://u:pw@a b"] {
            let error = HoneyHive::builder().server_url(bad).over(base()).unwrap_err();
            assert!(error.to_string().starts_with("HH_API_URL="), "{error}");
            assert!(!error.to_string().contains("pw"), "{error}");
        }
    }
}

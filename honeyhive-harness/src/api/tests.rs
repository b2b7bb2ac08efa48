//! Tests the client against a server that answers as each test needs.

mod resources;
pub(crate) mod server;
mod tls;
mod transport;

use std::time::Duration;

use server::Server;

use super::{Family, HoneyHive};
use crate::config::{Connection, Secret};

const KEY: &str = "hh_project_key_4711";

fn ingestion_key() -> String {
    format!("hh_ingst_{}_{}", "a1".repeat(12), "b-_9".repeat(16))
}

fn connection(server: &Server) -> Connection {
    Connection {
        server: server.address(),
        api_key: Some(Secret::new(KEY)),
        timeout: Duration::from_secs(5),
        ..Connection::default()
    }
}

fn client(server: &Server) -> HoneyHive {
    HoneyHive::from_connection(&connection(server)).unwrap()
}

fn client_of(server: &Server, family: Family) -> HoneyHive {
    let connection = Connection {
        ingestion_key: Some(Secret::new(&ingestion_key())),
        family,
        ..connection(server)
    };
    HoneyHive::from_connection(&connection).unwrap()
}

//! Tests the errors about servers whose certificates are not trusted.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::api::{ApiError, ApiErrorKind, OtlpReceiver, Outlook};
use crate::config::{OtlpTarget, Protocol};

/// Returns the path of a file of this package: `leaf` and `ca-as-leaf` are as
/// `openssl req -x509 -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost` makes
/// them, the first with `-addext basicConstraints=critical,CA:FALSE`.
fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/tests/tls")).join(name)
}

/// Starts a receiver of spans at `https://localhost:<port>` with this certificate, and returns its
/// port.
fn serve(name: &str) -> u16 {
    let certificate = CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(session, stream.unwrap());
            let mut request = [0; 4096];
            // Reading fails where the client does not trust this server.
            if stream.read(&mut request).is_ok() {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
                let _ = write!(stream, "{head}content-length: 2\r\nconnection: close\r\n\r\n{{}}");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    port
}

async fn send(port: u16, trusted: Option<&str>) -> Result<(), ApiError> {
    let mut target = OtlpTarget::new(format!("https://localhost:{port}/v1/traces"));
    target.protocol = Protocol::Json;
    target.timeout = Duration::from_secs(20);
    target.certificate = trusted.map(file);
    let receiver = OtlpReceiver::new(&target).unwrap();
    receiver.send("application/json", b"{}".to_vec()).await.map(|_| ())
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_may_be_so_later() {
    let port = serve("leaf");
    let error = send(port, None).await.unwrap_err();
    assert!(matches!(error.kind(), ApiErrorKind::Certificate(_)), "{error}");
    assert_eq!(error.outlook(), Outlook::Later);
    let text = error.to_string();
    assert!(
        text.ends_with("OTEL_EXPORTER_OTLP_CERTIFICATE names a PEM file of further ones"),
        "{text}"
    );
    send(port, Some("leaf.pem")).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_an_authority_is_explained() {
    let port = serve("ca-as-leaf");
    let text = send(port, Some("ca-as-leaf.pem")).await.unwrap_err().to_string();
    assert!(text.contains("-addext basicConstraints=critical,CA:FALSE"), "{text}");
    assert!(!text.contains("CaUsedAsEndEntity"), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_its_variable() {
    let mut target = OtlpTarget::new("https://localhost:4318/v1/traces".to_owned());
    target.certificate = Some(PathBuf::from("/no/such/ca.pem"));
    let text = OtlpReceiver::new(&target).unwrap_err().to_string();
    assert!(text.starts_with("OTEL_EXPORTER_OTLP_CERTIFICATE: /no/such/ca.pem: "), "{text}");
}

//! Configures TLS: the certificates that are trusted.
//!
//! The provider of cryptography is passed explicitly: a process-wide one would be the choice of the
//! program under test, which may have chosen another one, or none.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

/// Returns the TLS configuration of this machine, with the certificates of a PEM file trusted as
/// well; beside it, the reason why no server can be trusted, if there is one.
///
/// # Errors
/// Returns the description of what is wrong with the file.
pub(super) fn config(
    certificates: Option<&Path>,
) -> Result<(ClientConfig, Option<String>), String> {
    let further = match certificates {
        Some(path) => read(path).map_err(|fault| format!("{}: {fault}", path.display()))?,
        None => Vec::new(),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(match Verifier::new_with_extra_roots(further, provider) {
        Ok(verifier) => {
            let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
            (builder.with_no_client_auth(), None)
        }
        // A bare container has no certificates. That must not prevent requests to a server that
        // speaks plain HTTP; requests by HTTPS get an error.
        Err(error) => {
            let nobody = builder.with_root_certificates(RootCertStore::empty());
            (nobody.with_no_client_auth(), Some(plain(error)))
        }
    })
}

/// Returns the text of an error, alone where TLS has no kind for it.
fn plain(error: rustls::Error) -> String {
    match error {
        rustls::Error::General(text) => text,
        other => other.to_string(),
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("no certificates can be read: {error}"))?;
    if certificates.is_empty() {
        return Err("holds no certificate in PEM form".to_owned());
    }
    // A certificate that cannot be a root would otherwise only be noticed together with those of
    // the machine.
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|error| format!("bad certificate: {error}"))?;
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let place = std::env::temp_dir();
        let fault = config(Some(&place.join("honeyhive-no-such.pem"))).unwrap_err();
        assert!(fault.contains("honeyhive-no-such.pem"), "{fault}");
        let file = place.join(format!("honeyhive-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&file, "not a certificate").unwrap();
        let fault = config(Some(&file)).unwrap_err();
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .unwrap();
        let bad = config(Some(&file)).unwrap_err();
        std::fs::remove_file(&file).unwrap();
        assert!(fault.ends_with("holds no certificate in PEM form"), "{fault}");
        assert!(bad.contains("bad certificate"), "{bad}");
    }

    #[test]
    fn no_process_wide_provider_is_installed() {
        assert!(config(None).is_ok());
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }
}

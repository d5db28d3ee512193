//! Which certificate authorities are trusted: those of `ca_file`, else of `AWS_CA_BUNDLE`, else of the AWS profile's
//! `ca_bundle`, else the system's. A file takes the place of the system's, as it does for the AWS command line.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use aws_config::profile;
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_types::os_shim_internal::{Env, Fs};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::exit_code::Misconfigured;

/// What the client trusts; `ca_file` is what the configuration names.
///
/// # Errors
/// [`Misconfigured`] for a file that cannot be read, or that holds anything but certificates.
pub(super) async fn trusted(ca_file: Option<&Path>) -> Result<TlsContext> {
    let trust = match named(ca_file).await {
        None => TrustStore::default(),
        Some((path, place)) => {
            let pem = read(&path).map_err(|why| Misconfigured(format!("{place} {}: {why}", path.display())))?;
            TrustStore::empty().with_pem_certificate(pem)
        }
    };
    TlsContext::builder().with_trust_store(trust).build().map_err(|error| anyhow!("TLS cannot be set up: {error}"))
}

/// The file that is named first, and where it is named.
async fn named(ca_file: Option<&Path>) -> Option<(PathBuf, &'static str)> {
    if let Some(path) = ca_file {
        return Some((path.to_owned(), "[storage] ca_file"));
    }
    let given = |path: &str| Some(path.to_owned()).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = std::env::var("AWS_CA_BUNDLE").ok().as_deref().and_then(given) {
        return Some((path, "AWS_CA_BUNDLE"));
    }
    // A profile that cannot be read is the SDK's to complain of.
    let profiles = profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await.ok()?;
    Some((profiles.get("ca_bundle").and_then(given)?, "the AWS profile's ca_bundle"))
}

/// A file's certificates. The client panics on one that it cannot read: each is tried here.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    for (place, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
        let unreadable = || format!("its certificate {} cannot be read", place + 1);
        roots.add(certificate.map_err(|_| unreadable())?).map_err(|_| unreadable())?;
    }
    match roots.is_empty() {
        true => Err("it holds no certificate (PEM: -----BEGIN CERTIFICATE-----)".to_owned()),
        false => Ok(pem),
    }
}

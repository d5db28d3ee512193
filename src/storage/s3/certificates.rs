//! Which certificate authorities are trusted: those of `ca_file`, else of `AWS_CA_BUNDLE`, else of the AWS profile's
//! `ca_bundle`, else the system's. A file takes the place of the system's, as it does for the AWS command line.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use aws_config::profile;
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_smithy_types::base64;
use aws_types::os_shim_internal::{Env, Fs};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::exit_code::Misconfigured;

/// Letters in a line of PEM.
const LINE: usize = 64;

/// What the client trusts; `ca_file` is what the configuration names.
///
/// # Errors
/// [`Misconfigured`] for a file that cannot be read, or that holds no certificate that can be.
pub(super) async fn trusted(ca_file: Option<&Path>) -> Result<TlsContext> {
    let trust = match named(ca_file).await {
        None => TrustStore::default(),
        Some((path, place)) => {
            let read = read(&path).map_err(|why| Misconfigured(format!("{place} {}: {why}", path.display())))?;
            if let Some(first) = read.left_out.first() {
                let (path, left_out) = (path.display(), read.left_out.len());
                tracing::warn!(
                    "{place} {path}: {left_out} of its certificates cannot be read, and are not trusted; the first is number {first}"
                );
            }
            TrustStore::empty().with_pem_certificate(read.pem)
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

/// The certificates of a file.
#[derive(Default)]
struct Certificates {
    /// Those that can be read, as PEM.
    pem: String,
    /// The places of the others in the file, from 1 on.
    left_out: Vec<usize>,
}

/// A file's certificates. The client panics on one that it cannot read: each is tried here. One odd certificate among many
/// makes the others no worse.
fn read(path: &Path) -> Result<Certificates, String> {
    let pem = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    let mut read = Certificates::default();
    for (place, certificate) in (1..).zip(CertificateDer::pem_slice_iter(&pem)) {
        match certificate {
            Ok(certificate) if roots.add(certificate.clone()).is_ok() => read.add(&certificate),
            _ => read.left_out.push(place),
        }
    }
    match (roots.is_empty(), read.left_out.first()) {
        (false, _) => Ok(read),
        (true, None) => Err("it holds no certificate (PEM: -----BEGIN CERTIFICATE-----)".to_owned()),
        (true, Some(place)) => Err(format!("none of its certificates can be read, the first at place {place}")),
    }
}

impl Certificates {
    fn add(&mut self, certificate: &CertificateDer<'_>) {
        self.pem += "-----BEGIN CERTIFICATE-----\n";
        let text = base64::encode(certificate);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(LINE));
            self.pem += line;
            self.pem.push('\n');
            rest = more;
        }
        self.pem += "-----END CERTIFICATE-----\n";
    }
}

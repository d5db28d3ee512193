//! A failed request as one line: what was tried, on which key, at which host, and why it failed.

use std::error::Error;

use anyhow::anyhow;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::Bucket;
use crate::domain::key::Printable;

/// Where requests go, as messages name it: never with a user's name or password (I15).
#[derive(Debug, Clone)]
pub(super) struct Host(pub String);

impl Host {
    /// The host of an endpoint; without one, AWS's of the bucket.
    pub fn of(endpoint: Option<&str>, bucket: &str) -> Self {
        let host = endpoint.and_then(|endpoint| {
            let url = url::Url::parse(endpoint).ok()?;
            let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
            Some(format!("{}{port}", url.host_str()?))
        });
        Host(host.unwrap_or_else(|| format!("{bucket}.s3.amazonaws.com")))
    }

    /// An SDK error: the store's own code and message, or what broke on the way. `what` was tried.
    pub fn explained<E>(&self, what: &str, error: SdkError<E, HttpResponse>) -> anyhow::Error
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let why = match (error.as_service_error(), error.raw_response()) {
            (Some(service), Some(response)) => {
                let (status, code) = (response.status().as_u16(), service.code().unwrap_or("no error code"));
                match service.message() {
                    Some(message) => format!("{status} {code}: {message}"),
                    None => format!("{status} {code}"),
                }
            }
            _ => self.broken(&error),
        };
        anyhow!("{what} at {} failed: {}", self.0, Printable(&why.split_whitespace().collect::<Vec<_>>().join(" ")))
    }

    /// What broke on the way, and what to do about it where that is known.
    fn broken(&self, error: &dyn Error) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let line = inner.to_string();
            if !text.contains(&line) {
                text = format!("{text}: {line}");
            }
            cause = inner.source();
        }
        if text.contains("credentials") {
            text +=
                " (credentials are the standard AWS ones: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, …)";
        }
        if text.contains("invalid peer certificate") {
            text = format!(
                "its certificate is not trusted ({}); name the authority that signed it with [storage] ca_file, or AWS_CA_BUNDLE",
                text.rsplit("invalid peer certificate: ").next().unwrap_or_default()
            );
        }
        text
    }
}

impl Bucket {
    /// The same, of a request for one key.
    pub(super) fn explained<E>(&self, what: &str, key: &str, error: SdkError<E, HttpResponse>) -> anyhow::Error
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.host.explained(&format!("{what} {}", Printable(key)), error)
    }
}

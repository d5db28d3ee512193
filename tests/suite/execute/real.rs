//! Garage as an application sees it: its files with content type and metadata, beside the tool that removes some.

use std::collections::HashMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;

use crate::support::garage::Garage;
use crate::support::stores::Store;
use crate::support::tool::Tool;

/// The application's own way to its bucket.
#[derive(Clone)]
pub struct Uploads {
    client: Client,
    pub bucket: String,
}

/// A file, as it was uploaded or as it came back.
#[derive(Debug, PartialEq, Eq)]
pub struct Upload {
    pub bytes: Vec<u8>,
    pub content_type: String,
    pub metadata: HashMap<String, String>,
}

impl Upload {
    /// The file that the application stores under this key, whenever it does.
    pub fn of(key: &str) -> Upload {
        Upload {
            // Of many lengths, none of them empty.
            bytes: key.repeat(1 + key.len() * 7 % 50).into_bytes(),
            content_type: format!("image/x-{}", key.len()),
            metadata: HashMap::from([("key-of-old".to_owned(), key.to_owned())]),
        }
    }

    /// The same file with more than `bytes` bytes.
    pub fn larger(key: &str, bytes: usize) -> Upload {
        let small = Upload::of(key);
        let times = 1 + bytes / small.bytes.len();
        Upload { bytes: small.bytes.repeat(times), ..small }
    }
}

impl Uploads {
    pub fn to(garage: &Garage) -> Uploads {
        let section: toml::Table = toml::from_str(&garage.configuration()).expect("a section");
        let text = |name: &str| section["storage"][name].as_str().expect("a text").to_owned();
        let keys: HashMap<_, _> = garage.environment().into_iter().collect();
        let credentials =
            Credentials::new(&keys["AWS_ACCESS_KEY_ID"], &keys["AWS_SECRET_ACCESS_KEY"], None, None, "tests/run");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(text("endpoint"))
            .region(Region::new(text("region")))
            .credentials_provider(credentials)
            .force_path_style(true);
        Uploads { client: Client::from_conf(config.build()), bucket: text("bucket") }
    }

    /// Uploads the file of this key, once more where it is there.
    pub async fn put(&self, key: &str) {
        self.put_file(key, Upload::of(key)).await;
    }

    /// Uploads this file.
    pub async fn put_file(&self, key: &str, file: Upload) {
        let Upload { bytes, content_type, metadata } = file;
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(bytes));
        put.content_type(content_type).set_metadata(Some(metadata)).send().await.expect("a PUT");
    }

    /// Downloads it; `None` where it is not there.
    pub async fn get(&self, key: &str) -> Option<Upload> {
        match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(got) => {
                let content_type = got.content_type().unwrap_or_default().to_owned();
                let metadata = got.metadata().cloned().unwrap_or_default();
                let bytes = got.body.collect().await.expect("the whole body").to_vec();
                Some(Upload { bytes, content_type, metadata })
            }
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_no_such_key(), "{key}: {error:?}");
                None
            }
        }
    }

    /// Every key below a prefix.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        self.etags(prefix).await.into_iter().map(|(key, _)| key).collect()
    }

    /// The same, each with its etag.
    pub async fn etags(&self, prefix: &str) -> Vec<(String, String)> {
        let mut pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        let mut etags = Vec::new();
        while let Some(page) = pages.next().await {
            etags.extend(page.expect("a page").contents().iter().map(|object| {
                let text = |text: Option<&str>| text.expect("a key and an etag").to_owned();
                (text(object.key()), text(object.e_tag()))
            }));
        }
        etags
    }
}

/// The tool, configured for a table `assets` without ages, in which a file may be removed as soon as it is there.
pub fn tool(database_url: &str, garage: &Garage, sections: &str) -> Tool {
    let config = format!(
        "[database]\nurl = {database_url:?}\n\n{}\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n\
         created_at = \"created_at\"\nupdated_at = \"created_at\"\n\n[safety]\nmin_age = \"0s\"\nmax_percent = 100\nmin_overlap = 0\n{sections}\n",
        garage.configuration()
    );
    garage.environment().iter().fold(Tool::new(&config), |tool, (name, value)| tool.env(name, value))
}

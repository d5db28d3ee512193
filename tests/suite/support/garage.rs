//! A bucket of one test's own on a server that `tests/run` starts: Garage, or another one that speaks S3. It is not emptied
//! afterwards: the server is thrown away with everything in it.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use futures::{StreamExt, TryStreamExt, stream};

use super::servers::{blocking, setting, unique_name};
use super::stores::{Store, Stored};

/// Requests in flight while a bucket is being filled.
const UPLOADS: usize = 32;

pub struct Garage {
    endpoint: String,
    region: String,
    access_key: String,
    secret_key: String,
    bucket: String,
    /// More lines of `[storage]` that the server needs.
    lines: &'static str,
}

impl Garage {
    pub fn new() -> Garage {
        Garage::on("S3", "")
    }

    /// The same on the server that settings with this name are of.
    pub fn on(server: &str, lines: &'static str) -> Garage {
        let setting = |name: &str| setting(&format!("{server}_{name}"));
        let garage = Garage {
            endpoint: setting("ENDPOINT"),
            region: setting("REGION"),
            access_key: setting("ACCESS_KEY"),
            secret_key: setting("SECRET_KEY"),
            bucket: format!("{}-{}", setting("BUCKET"), unique_name('-')),
            lines,
        };
        blocking(garage.client().create_bucket().bucket(&garage.bucket).send()).expect("CreateBucket");
        garage
    }

    fn client(&self) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::new(self.region.clone()))
            .credentials_provider(Credentials::new(&self.access_key, &self.secret_key, None, None, "tests/run"))
            .force_path_style(true);
        Client::from_conf(config.build())
    }
}

impl Store for Garage {
    fn configuration(&self) -> String {
        let Garage { endpoint, region, bucket, lines, .. } = self;
        format!(
            "[storage]\nkind = \"s3\"\nbucket = \"{bucket}\"\nendpoint = \"{endpoint}\"\nregion = \"{region}\"\n{lines}"
        )
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("AWS_ACCESS_KEY_ID", self.access_key.clone()), ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone())]
    }

    fn has_ages(&self) -> bool {
        false
    }

    fn put(&self, objects: &[(String, Stored)]) {
        let client = self.client();
        let uploads = stream::iter(objects).map(Ok).try_for_each_concurrent(UPLOADS, |(key, _)| {
            let request = client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from_static(b"content"));
            async move { request.send().await.map(drop).map_err(|e| format!("{key:?}: {e:?}")) }
        });
        blocking(uploads).expect("every object is stored");
    }
}

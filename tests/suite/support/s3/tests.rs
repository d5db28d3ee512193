//! The server itself, asked by the SDK: a test server that is wrong makes every test on it worthless.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};

use super::{ACCESS_KEY, Call, Fault, SECRET_KEY, Server, What, hours_ago};

fn client(server: &Server) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint())
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

async fn listed(client: &Client, prefix: &str, after: &str) -> Vec<String> {
    let (mut keys, mut token) = (Vec::new(), None);
    loop {
        let request = client.list_objects_v2().bucket("b-1").encoding_type(EncodingType::Url).prefix(prefix);
        let request = request.set_start_after(Some(after.to_owned()).filter(|after| !after.is_empty()));
        let page = request.set_continuation_token(token).send().await.expect("a page");
        keys.extend(page.contents().iter().map(|object| object.key().expect("a key").to_owned()));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            return keys;
        }
    }
}

#[tokio::test]
async fn pages_are_in_byte_order_within_the_prefix_and_url_encoded() {
    let server = Server::start("b-1");
    for key in ["a", "a b+c.png", "a/b", "a//b", "Z", "ä/é", "p/1", "p/2", "p/3", "p0"] {
        server.bucket.put(key, "x", hours_ago(1));
    }
    server.page_size(2);
    let client = client(&server);

    let encoded = ["Z", "a", "a+b%2Bc.png", "a//b", "a/b", "p/1", "p/2", "p/3", "p0", "%C3%A4/%C3%A9"];
    assert_eq!(listed(&client, "", "").await, encoded);
    assert_eq!(server.count(Call::List), 5);
    assert_eq!(listed(&client, "p/", "").await, ["p/1", "p/2", "p/3"]);
    assert_eq!(listed(&client, "p/", "p/1").await, ["p/2", "p/3"]);
    assert_eq!(listed(&client, "p/", "z").await, [""; 0]);
}

#[tokio::test]
async fn objects_are_put_copied_looked_at_and_deleted() {
    let server = Server::start("b-1");
    let client = client(&server);
    client.put_object().bucket("b-1").key("a").body(b"body".to_vec().into()).send().await.expect("a PUT");
    client.copy_object().bucket("b-1").key("c d").copy_source("b-1/a").send().await.expect("a COPY");
    let refused = client.copy_object().bucket("b-1").key("e").copy_source("b-1/a").copy_source_if_match("\"other\"");
    assert!(refused.send().await.is_err(), "a copy of something else");
    let refused = client.copy_object().bucket("b-1").key("c d").copy_source("b-1/a").if_none_match("*");
    assert!(refused.send().await.is_err(), "a copy over something");

    let head = client.head_object().bucket("b-1").key("c d").send().await.expect("a HEAD");
    assert_eq!(head.content_length(), Some(4));
    assert_eq!(head.e_tag(), Some("\"841a2d689ad86bd1611447453c22c6fc\""));
    let got = client.get_object().bucket("b-1").key("a").send().await.expect("a GET");
    assert_eq!(got.body.collect().await.expect("the body").into_bytes(), "body");

    server.bucket.put("kept", "x", hours_ago(1));
    server.bucket.put("unsaid", "x", hours_ago(1));
    server.bucket.refuse_to_delete("kept");
    server.bucket.leave_unanswered("unsaid");
    let objects =
        ["a", "kept", "never-there", "unsaid"].map(|key| ObjectIdentifier::builder().key(key).build().expect("a key"));
    let delete = Delete::builder().set_objects(Some(objects.to_vec())).build().expect("keys");
    let answer = client.delete_objects().bucket("b-1").delete(delete).send().await.expect("a DeleteObjects");
    assert_eq!((answer.deleted().len(), answer.errors().len()), (2, 1));
    client.delete_object().bucket("b-1").key("c d").send().await.expect("a DELETE");
    assert_eq!(server.bucket.keys(), ["kept", "unsaid"]);

    let missing = client.head_object().bucket("b-1").key("a").send().await.expect_err("nothing there");
    assert!(missing.into_service_error().is_not_found());
    assert_eq!(server.writing_calls().len(), 6);
    assert_eq!(server.count(Call::Copy), 3);
    assert_eq!(server.count(Call::DeleteMany), 1);
    server.forget_calls();
    assert_eq!(server.count(Call::DeleteMany), 0);
}

#[tokio::test]
async fn an_answer_can_get_lost_after_the_call_was_done() {
    let server = Server::start("b-1");
    server.bucket.put("a", "x", hours_ago(1));
    server.fault(Fault::on(Call::Delete, What::ResetAfterwards));
    assert!(client(&server).delete_object().bucket("b-1").key("a").send().await.is_err());
    assert_eq!(server.bucket.keys(), [""; 0]);
}

#[tokio::test]
async fn faults_come_in_their_turn_and_end() {
    let server = Server::start("b-1");
    let client = client(&server);
    // Not among them are the documents that are cut short: the SDK's own parser takes those for whole.
    let whats = [
        What::Status(503, "SlowDown"),
        What::Reset,
        What::ResetInBody,
        What::EmptyBody,
        What::Status(403, "AccessDenied"),
    ];
    server.bucket.put("a", "x", hours_ago(1));
    for what in whats {
        server.fault(Fault::on(Call::List, what.clone()).after(1).times(1));
        let mut fine = Vec::new();
        for _ in 0..3 {
            fine.push(client.list_objects_v2().bucket("b-1").send().await.is_ok());
        }
        assert_eq!(fine, [true, false, true], "{what:?}");
        assert!(server.every_fault_was_played());
        server.no_more_faults();
    }
}

#[tokio::test]
async fn the_clock_can_be_skewed_both_ways() {
    let server = Server::start("b-1");
    for seconds in [0, 172_800, -172_800] {
        server.skew_clock(seconds);
        // A client that has seen the skew signs with it; the server must go on answering.
        let client = client(&server);
        for _ in 0..2 {
            client.list_objects_v2().bucket("b-1").send().await.expect("a page");
        }
    }
}

//! No secret comes out of a removal or of a restore, however much log was asked for and whatever breaks (I15). Every
//! other test here searches what its runs print and remember, too (`scene`).

use super::scene::Scene;
use crate::support::s3::{Call, Fault, What};

/// `RUST_LOG=trace cleanup-assets --execute`, and `restore`: the SDK then logs all that it does, but for the secret.
#[test]
fn the_secret_is_not_even_traced() {
    for sections in ["", "[trash]\nenabled = false"] {
        let scene = Scene::on_s3().env("RUST_LOG", "trace");
        scene.configure(sections);
        let outcome = scene.execute(&["--format", "json", "-o", "report.csv"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("TRACE"), "a trace was asked for");
        let run = outcome.json()["run"]["id"].to_string();
        scene.run(&["restore", "--run", &run]);
        scene.run(&["history", &run]);
    }
}

/// Nor where the store refuses, cuts off, or speaks nonsense while files are removed.
#[test]
fn no_error_of_a_removal_holds_the_secret() {
    let faults = [
        (Call::Copy, What::Status(403, "SignatureDoesNotMatch")),
        (Call::Copy, What::HalfBody),
        (Call::DeleteMany, What::Status(403, "InvalidAccessKeyId")),
        (Call::DeleteMany, What::EmptyBody),
        (Call::Head, What::Status(400, "ExpiredToken")),
    ];
    for (call, what) in faults {
        let scene = Scene::on_s3();
        scene.server().fault(Fault::on(call, what.clone()));
        for format in ["text", "json"] {
            let outcome = scene.execute(&["-vvv", "--log-format", format]);
            assert!([0, 1, 3].contains(&outcome.code), "{what:?}: {outcome:#?}");
        }
        scene.run(&["history", "1"]);
        scene.expect_wanted_untouched(40);
    }
}

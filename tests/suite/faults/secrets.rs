//! No secret comes out, whatever breaks, and however much log was asked for.

use crate::support::s3::{Application, Call, Fault, SECRET_KEY, What};
use crate::support::tool::Tool;

const PASSWORD: &str = "hunter2-of-the-database";

fn expect_no_secret(tool: &Tool, arguments: &[&str], code: i32) {
    let outcome = tool.run(arguments);
    assert_eq!(outcome.code, code, "{outcome:#?}");
    for secret in [SECRET_KEY, PASSWORD] {
        let printed = outcome.stdout.contains(secret) || outcome.stderr.contains(secret);
        assert!(!printed, "{arguments:?} printed {secret}: {outcome:#?}");
    }
}

/// `cleanup-assets -vvv` prints no AWS secret, whether the storage answers, refuses, or cuts off.
#[test]
fn the_storage_secret_is_never_printed() {
    let faults = [
        None,
        Some(Fault::on(Call::List, What::Status(403, "SignatureDoesNotMatch"))),
        Some(Fault::on(Call::List, What::Reset)),
        Some(Fault::on(Call::Head, What::Status(403, "AccessDenied"))),
        Some(Fault::on(Call::List, What::EmptyBody)),
    ];
    let app = Application::small();
    for fault in faults {
        let code = i32::from(fault.is_some());
        app.server.no_more_faults();
        fault.into_iter().for_each(|fault| app.server.fault(fault));
        expect_no_secret(&app.tool, &["-vvv", "--format", "json"], code);
        expect_no_secret(&app.tool, &["-vvv", "--log-format", "json"], code);
    }
}

/// `cleanup-assets` with RUST_LOG=trace prints no AWS secret either, though the SDK then logs all that it does.
#[test]
fn the_storage_secret_is_not_even_traced() {
    let app = Application::small();
    let tool = Tool::new("");
    std::fs::copy(app.tool.path("config.toml"), tool.path("config.toml")).expect("the configuration");
    let tool = tool
        .env("AWS_ACCESS_KEY_ID", crate::support::s3::ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("RUST_LOG", "trace");
    expect_no_secret(&tool, &[], 0);
}

fn with_database(url: &str) -> Tool {
    let tool = Tool::new("");
    std::fs::create_dir(tool.path("uploads")).expect("a folder");
    tool.configure(&format!(
        "[database]\nurl = {url:?}\n[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {:?}\n[[records]]\ntable = \"assets\"\n\
         id = \"id\"\nkey = \"storage_key\"\n",
        tool.path("uploads")
    ));
    tool
}

/// `cleanup-assets` on a database that does not answer names its address and not its password.
#[test]
fn the_database_password_is_never_printed() {
    for scheme in ["postgres", "mysql"] {
        let tool = with_database(&format!("{scheme}://user:{PASSWORD}@127.0.0.1:1/app"));
        expect_no_secret(&tool, &["-vvv"], 1);
        expect_no_secret(&tool, &["--format", "json"], 1);
        let outcome = tool.env("RUST_LOG", "trace").run(&[]);
        assert!(!outcome.stdout.contains(PASSWORD) && !outcome.stderr.contains(PASSWORD), "{outcome:#?}");
    }
}

/// `cleanup-assets` refuses a database URL that cannot be read, without repeating it.
#[test]
fn a_wrong_database_url_is_not_repeated() {
    let wrong = [
        format!("oracle://user:{PASSWORD}@host/app"),
        format!("postgres://user:{PASSWORD}@host:notaport/app"),
        format!("mysql://user:{PASSWORD}@host:99999/app"),
        format!("postgres://user:{PASSWORD}@@@[::/app"),
    ];
    for url in wrong {
        expect_no_secret(&with_database(&url), &["-vvv"], 2);
    }
}

/// `cleanup-assets` on a database URL with a parameter that there is not: sqlx would warn of it, with its value.
#[test]
fn a_parameter_of_a_database_url_is_not_logged() {
    let url = format!("postgres://user@127.0.0.1:1/app?passwrod={PASSWORD}");
    expect_no_secret(&with_database(&url), &[], 1);
    expect_no_secret(&with_database(&url), &["-vvv"], 1);
    expect_no_secret(&with_database(&url).env("RUST_LOG", "trace"), &[], 1);
}

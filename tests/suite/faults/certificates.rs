//! A store whose certificate an authority of one's own has signed: which places name that authority, and what is said
//! where none does.

use std::fs;

use crate::support::s3::{Application, found};
use crate::support::tls;

/// An application whose server is reached by TLS, and the authority's certificate in a file.
fn behind_tls(storage: &str) -> Application {
    let app = Application::small();
    let endpoint = tls::in_front_of(app.server.address());
    fs::write(app.tool.path("authority.pem"), tls::AUTHORITY).expect("a file");
    app.configure("", "");
    let config = fs::read_to_string(app.tool.path("config.toml")).expect("the configuration");
    let lines = storage.replace("HERE", &app.tool.home().display().to_string());
    app.tool.configure(
        &config.replace(&app.server.endpoint(), &endpoint).replace("path_style", &format!("{lines}\npath_style")),
    );
    app
}

/// `ca_file` names it.
#[test]
fn a_certificate_is_trusted_whose_authority_the_configuration_names() {
    let app = behind_tls("ca_file = \"HERE/authority.pem\"");
    assert_eq!(found(&app.tool.report()), app.expected());
}

/// Without it, `AWS_CA_BUNDLE` does, and then the profile.
#[test]
fn a_certificate_is_trusted_whose_authority_the_environment_or_the_profile_names() {
    let mut app = behind_tls("");
    let (pem, profile) = (app.tool.path("authority.pem"), app.tool.path("profile"));
    fs::write(&profile, format!("[default]\nca_bundle = {}\n", pem.display())).expect("a profile");
    app.tool = app.tool.env("AWS_CONFIG_FILE", &profile.display().to_string());
    assert_eq!(found(&app.tool.report()), app.expected());
    // The environment comes first.
    fs::write(&profile, "[default]\nca_bundle = /nowhere\n").expect("a profile");
    app.tool = app.tool.env("AWS_CA_BUNDLE", &pem.display().to_string());
    assert_eq!(found(&app.tool.report()), app.expected());
}

/// Nobody names it: one line says which host, what is wrong, and what to do.
#[test]
fn a_certificate_that_is_not_trusted_is_named_with_its_host_and_the_way_out() {
    let app = behind_tls("");
    let outcome = app.expect_failure();
    let said = outcome.stderr.lines().last().unwrap_or_default();
    for words in ["app-assets", "localhost:", "its certificate is not trusted", "ca_file", "AWS_CA_BUNDLE"] {
        assert!(said.contains(words), "{words}: {outcome:#?}");
    }
}

/// An odd certificate in a bundle is warned of, and the others are trusted.
#[test]
fn an_odd_certificate_among_others_is_left_out() {
    let app = behind_tls("ca_file = \"HERE/bundle.pem\"");
    let odd = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    fs::write(app.tool.path("bundle.pem"), [odd, tls::AUTHORITY, odd].concat()).expect("a bundle");
    let outcome = app.tool.run(&["--format", "json"]);
    assert_eq!(found(&outcome.json()), app.expected());
    assert!(outcome.stderr.contains("2 of its certificates cannot be read"), "{outcome:#?}");
    fs::write(app.tool.path("bundle.pem"), odd).expect("a bundle");
    let outcome = app.tool.run(&[]);
    assert_eq!(outcome.code, 2, "{outcome:#?}");
    assert!(outcome.stderr.contains("none of its certificates can be read"), "{outcome:#?}");
}

/// A file that holds no certificate, or none at all, is wrong usage.
#[test]
fn a_file_of_authorities_that_cannot_be_read_is_named() {
    for (line, words) in [("HERE/missing.pem", "cannot be read"), ("HERE/app.db", "holds no certificate")] {
        let app = behind_tls(&format!("ca_file = \"{line}\""));
        let outcome = app.tool.run(&[]);
        assert_eq!(outcome.code, 2, "{outcome:#?}");
        assert!(outcome.stderr.contains("[storage] ca_file") && outcome.stderr.contains(words), "{outcome:#?}");
    }
}

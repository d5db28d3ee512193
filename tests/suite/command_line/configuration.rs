//! What is written wrong: exit 2, and a message that names the file, the line or the key, and what would be right.

use crate::command_line::fixture::{Small, expect_usage_error};

/// Replaces a part of the configuration and expects a usage error with these words in it.
fn refused(part: &str, by: &str, words: &[&str]) {
    let small = Small::new();
    let config = small.config("");
    assert!(config.contains(part), "{part:?} is not in the configuration");
    small.tool.configure(&config.replacen(part, by, 1));
    expect_usage_error(&small.tool.run(&[]), words);
}

/// The same for sections that are added.
fn refused_section(section: &str, words: &[&str]) {
    let small = Small::new();
    small.configure(section);
    expect_usage_error(&small.tool.run(&[]), words);
}

const TABLE: &str = "table = \"assets\"";

/// A misspelt key is named, with its file and line, and the keys that there are.
#[test]
fn an_unknown_key_is_named_with_its_line() {
    refused("created_at =", "creatd_at =", &["config.toml", "line 12", "creatd_at", "created_at"]);
    refused("root =", "rooot =", &["config.toml", "line 6", "rooot", "root"]);
    refused_section("[safty]\nmin_age = \"1h\"", &["config.toml", "line 14", "safty", "safety"]);
}

/// A misspelt guard is no guard: `[safety]` and `[trash]` refuse unknown keys too.
#[test]
fn a_misspelt_guard_is_refused() {
    refused_section("[safety]\nmax_removal = 5", &["line 15", "max_removal", "max_removals"]);
    refused_section("[trash]\nenable = true", &["line 15", "enable", "enabled"]);
}

/// A key that is needed and not there is named, with its section.
#[test]
fn a_missing_key_is_named() {
    refused("key = \"storage_key\"\n", "", &["config.toml", "line 8", "key"]);
    refused("id = \"id\"\n", "", &["config.toml", "line 8", "id"]);
    refused("kind = \"local\"\n", "", &["config.toml", "line 4", "kind"]);
    let small = Small::new();
    small.tool.configure("[storage]\nkind = \"local\"\nroot = \"uploads\"\n");
    expect_usage_error(&small.tool.run(&[]), &["config.toml", "database"]);
    refused("[database]\nurl", "[database]\n# url", &["config.toml", "database", "url"]);
}

/// A duration that is none says what one looks like.
#[test]
fn a_bad_duration_shows_a_good_one() {
    refused_section("[safety]\nmin_age = \"24 moons\"", &["line 15", "24 moons", "24h"]);
    refused_section("[safety]\nmin_age = 24", &["line 15", "24h"]);
}

/// A percentage above 100 is refused.
#[test]
fn a_bad_percentage_is_refused() {
    refused_section("[safety]\nmin_overlap = 150", &["line 15", "150", "100"]);
}

/// A variable of the environment that is not set is named; one with a default is not needed.
#[test]
fn an_unset_variable_is_named() {
    refused(TABLE, "table = \"${ASSETS_TABLE}\"", &["config.toml", "line 9", "ASSETS_TABLE"]);
    let small = Small::new();
    small.tool.configure(&small.config("").replace(TABLE, "table = \"${ASSETS_TABLE:-assets}\""));
    assert_eq!(small.tool.run(&[]).code, 0);
    let tool = small.tool.env("ASSETS_TABLE", "no_such_table");
    expect_usage_error(&tool.run(&[]), &["no_such_table"]);
}

/// A kind of storage that there is not names those that there are.
#[test]
fn an_unknown_kind_of_storage_is_refused() {
    refused("\"local\"", "\"s4\"", &["config.toml", "line 5", "s4", "s3", "local"]);
}

/// A bucket store without a bucket, a folder store without a folder.
#[test]
fn a_store_without_its_place_is_refused() {
    refused("\"local\"\nroot =", "\"s3\"\nregion =", &["bucket"]);
    refused("root =", "# root =", &["root"]);
}

/// A database that is none of the three names the three.
#[test]
fn an_unknown_database_is_refused() {
    refused("sqlite:", "oracle:", &["postgres", "mysql", "sqlite"]);
}

/// A database URL and a file with one: which of them is meant?
#[test]
fn two_database_urls_are_refused() {
    refused("[database]\n", "[database]\nurl_file = \"/run/secrets/db\"\n", &["url", "url_file"]);
}

/// A prefix must end in `/`, or `assets` would cover `assets-old/` too.
#[test]
fn a_prefix_without_its_slash_is_refused() {
    refused("kind = \"local\"", "kind = \"local\"\nprefix = \"assets\"", &["prefix", "assets", "/"]);
}

/// `--prefix` must lie inside the configured prefix, or it would widen what is compared.
#[test]
fn a_typed_prefix_outside_the_configured_one_is_refused() {
    let small = Small::new();
    small.tool.configure(&small.config("").replace("kind =", "prefix = \"a/\"\nkind ="));
    assert_eq!(small.tool.run(&["--prefix", "a/1"]).code, 0);
    expect_usage_error(&small.tool.run(&["--prefix", "b/"]), &["--prefix", "b/", "a/"]);
}

/// A reference is a table's column or a query, not both and not half of one.
#[test]
fn a_reference_is_one_thing() {
    let both = "[[references]]\ntable = \"users\"\nkey = \"avatar\"\nquery = \"SELECT 'a'\"";
    refused_section(both, &["references", "table", "query"]);
    refused_section("[[references]]\ntable = \"users\"", &["references", "key"]);
    refused_section("[[references]]", &["references", "query"]);
}

/// A table or a column that the database does not have is named.
#[test]
fn a_table_or_column_that_is_not_there_is_named() {
    refused(TABLE, "table = \"asets\"", &["asets"]);
    refused("key = \"storage_key\"", "key = \"storge_key\"", &["assets", "storge_key"]);
    refused("\"created_at\"", "\"made_at\"", &["assets", "made_at"]);
    refused("id = \"id\"", "id = \"idd\"", &["assets", "idd"]);
    refused_section("[[references]]\ntable = \"users\"\nkey = \"avatar\"", &["users"]);
}

/// No configuration at all: the message says where it looked.
#[test]
fn a_missing_configuration_names_the_places_searched() {
    let small = Small::new();
    std::fs::remove_file(small.tool.path("config.toml")).expect("a configuration");
    let outcome = small.tool.run(&[]);
    expect_usage_error(
        &outcome,
        &["config.toml", ".config/cleanup-assets/config.toml", "/etc/cleanup-assets/config.toml"],
    );
    expect_usage_error(&outcome, &["--config"]);
}

/// `cleanup-assets -c nowhere.toml` looks nowhere else.
#[test]
fn a_named_configuration_that_is_not_there_is_named() {
    expect_usage_error(&Small::new().tool.run(&["-c", "nowhere.toml"]), &["nowhere.toml"]);
    let tool = Small::new().tool.env("CLEANUP_ASSETS_CONFIG", "elsewhere.toml");
    expect_usage_error(&tool.run(&[]), &["elsewhere.toml"]);
}

/// What is not TOML is refused with the line.
#[test]
fn a_file_that_is_not_toml_is_refused_with_its_line() {
    refused("id = \"id\"", "id = \"id", &["config.toml", "line 10"]);
}

/// A configuration is found by `$CLEANUP_ASSETS_CONFIG` and in `$XDG_CONFIG_HOME`.
#[test]
fn a_configuration_is_found_where_it_may_be() {
    let small = Small::with_findings();
    let folder = small.tool.path("xdg/cleanup-assets");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::rename(small.tool.path("config.toml"), folder.join("config.toml")).expect("a configuration");
    let xdg = small.tool.path("xdg").display().to_string();
    let config = folder.join("config.toml").display().to_string();
    let tool = small.tool.env("XDG_CONFIG_HOME", &xdg);
    assert_eq!(tool.run(&["--check"]).code, 10);
    let tool = tool.env("XDG_CONFIG_HOME", "/nowhere").env("CLEANUP_ASSETS_CONFIG", &config);
    assert_eq!(tool.run(&["--check"]).code, 10);
}

/// The password of a database may lie in a file of its own.
#[test]
fn a_database_url_may_come_from_a_file() {
    let small = Small::with_findings();
    let url = format!("sqlite:{}\n", small.tool.path("app.db").display());
    std::fs::write(small.tool.path("url"), url).expect("a file");
    let config = small.config("");
    let line = config.lines().find(|line| line.starts_with("url = ")).expect("a URL").to_owned();
    small.tool.configure(&config.replace(&line, &format!("url_file = {:?}", small.tool.path("url"))));
    assert_eq!(small.tool.run(&["--check"]).code, 10);
}

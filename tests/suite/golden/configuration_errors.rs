//! Everything that can be written wrong, and what is said of it.

use super::{document, expect, transcript};
use crate::command_line::fixture::Small;
use crate::support::tool::Tool;

/// The configuration that is right; each case writes something else in it, or after it.
const RIGHT: &str = r#"[database]
url = "sqlite:app.db"

[storage]
kind = "local"
root = "uploads"

[[records]]
table = "assets"
id = "id"
key = "storage_key"
created_at = "created_at"
"#;

const STORAGE: &str = "kind = \"local\"\nroot = \"uploads\"\n";
const KEY: &str = "key = \"storage_key\"\n";
const RECORDS: &str =
    "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\ncreated_at = \"created_at\"\n";

/// A part, and what stands in its place.
const REPLACED: &[(&str, &str)] = &[
    // What is no TOML, and variables of the environment.
    ("id = \"id\"", "id = \"id"),
    ("id = \"id\"", "id = \"id\"\nid = \"id\""),
    ("\"assets\"", "\"${ASSETS_TABLE}\""),
    ("\"assets\"", "\"${ASSETS_TABLE\""),
    ("\"assets\"", "\"${assets table}\""),
    // Keys that there are not, and keys that are missing.
    ("url = ", "adress = "),
    ("root = ", "rooot = "),
    ("created_at = ", "creatd_at = "),
    ("[database]\nurl = \"sqlite:app.db\"\n", ""),
    (STORAGE, "root = \"uploads\"\n"),
    ("[storage]\nkind = \"local\"\nroot = \"uploads\"\n", ""),
    ("table = \"assets\"\n", ""),
    ("id = \"id\"\n", ""),
    (RECORDS, ""),
    // [database]
    ("url = \"sqlite:app.db\"\n", ""),
    ("url = \"sqlite:app.db\"\n", "url = \"sqlite:app.db\"\nurl_file = \"url\"\n"),
    ("url = \"sqlite:app.db\"\n", "url_file = \"nowhere\"\n"),
    ("sqlite:app.db", "oracle://user:secret@db/app"),
    ("sqlite:app.db", "postgres:app"),
    ("sqlite:app.db", "postgres://user:sec#ret@db/app"),
    ("sqlite:app.db", "postgres://user:sec/ret@db/app"),
    ("url = \"sqlite:app.db\"\n", "url = [\"sqlite:app.db\"]\n"),
    ("[database]\nurl = \"sqlite:app.db\"\n", "database = \"postgres://user:secret@db/app\"\n"),
    ("sqlite:app.db", "sqlite:app.db?no_such_parameter=1"),
    // [storage]
    ("\"local\"", "\"s4\""),
    (STORAGE, "kind = \"local\"\n"),
    (STORAGE, "kind = \"local\"\nroot = \"\"\n"),
    (STORAGE, "kind = \"s3\"\n"),
    (STORAGE, "kind = \"s3\"\nbucket = \"\"\n"),
    (STORAGE, "kind = \"s3\"\nbucket = \"app\"\nroot = \"uploads\"\n"),
    (STORAGE, "kind = \"s3\"\nbucket = \"app--euw1-az1--x-s3\"\n"),
    (STORAGE, "kind = \"s3\"\nbucket = \"app\"\nendpoint = \"minio.example.com\"\n"),
    (STORAGE, "kind = \"s3\"\nbucket = \"app\"\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\nbucket = \"app\"\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\nendpoint = \"https://minio.example.com\"\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\nregion = \"auto\"\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\npath_style = true\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\nprefix = \"assets\"\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\nconcurrency = 0\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\nconcurrency = \"many\"\n"),
    (STORAGE, "kind = \"local\"\nroot = \"uploads\"\nignore = [\"a/[b\"]\n"),
    // [[records]]
    ("\"assets\"", "\" \""),
    ("\"id\"", "\"\""),
    (KEY, "key = \"\"\n"),
    (KEY, "key_sql = \"\"\n"),
    (KEY, "key = \"storage_key\"\nurl_base = \"\"\n"),
    (KEY, "key = \"storage_key\"\nkey_sql = \"storage_key\"\n"),
    (KEY, ""),
    (KEY, "key = \"storage_key\"\nmissing_file = \"remove\"\n"),
    (KEY, "key = \"storage_key\"\nmissing_file = true\n"),
    (KEY, "key = \"storage_key\"\nmissing_file = {}\n"),
    (KEY, "key = \"storage_key\"\nmissing_file = { put = { id = 1 } }\n"),
    (KEY, "key = \"storage_key\"\nmissing_file = { set = {} }\n"),
    (KEY, "key = \"storage_key\"\nmissing_file = { set = { id = [1] } }\n"),
    // What only the database shows.
    ("\"assets\"", "\"asets\""),
    ("\"id\"", "\"idd\""),
    ("\"storage_key\"", "\"storge_key\""),
    ("\"storage_key\"", "\"id\""),
    ("\"created_at\"", "\"made_at\""),
    (KEY, "key_sql = \"storge_key || ''\"\n"),
    (KEY, "key_sql = \"storage_key, id\"\n"),
    (KEY, "key = \"storage_key\"\nwhere = \"status <> 'expired'\"\n"),
    (KEY, "key = \"storage_key\"\nmissing_file = { set = { status = \"missing\" } }\n"),
];

/// Sections that are added.
const ADDED: &[&str] = &[
    "[safty]\nmin_age = \"24h\"",
    "[safety]\nmax_removal = 5",
    "[safety]\nmin_age = \"24 moons\"",
    "[safety]\nmin_age = 24",
    "[safety]\nmax_percent = 101",
    "[safety]\nmax_percent = \"ten\"",
    "[safety]\nmax_removals = -1",
    "[trash]\nenable = true",
    "[trash]\nprefix = \"trash\"",
    "[trash]\nprefix = \"\"",
    "[trash]\nkeep = \"a while\"",
    "[ledger]\nfile = \"ledger.db\"",
    "[[records]]\ntable = \"assets\"\nid = \"storage_key\"\nkey = \"storage_key\"",
    "[[references]]",
    "[[references]]\ntable = \"assets\"",
    "[[references]]\ntable = \"assets\"\nkey = \"storage_key\"\nquery = \"SELECT 'a'\"",
    "[[references]]\ntable = \"assets\"\ncolumn = \"storage_key\"",
    "[[references]]\ntable = \"users\"\nkey = \"avatar\"",
    "[[references]]\ntable = \"assets\"\nkey = \"id\"",
    "[[references]]\nquery = \"SELEC 'a'\"",
    "[[references]]\nquery = \"SELECT id, storage_key FROM assets\"",
    "[[references]]\nquery = \"SELECT '[\\\"a.png\\\", \\\"b.png\\\"]'\"",
    "[[derived]]\npattern = '^(.+)_preview$'",
    "[[derived]]\nowner = '$1'",
    "[[derived]]\npattern = '^(.+'\nowner = '$1'",
    "[[derived]]\npattern = '^(.+)_preview$'\nowner = ''",
    "[[derived]]\npattern = '^(.+)_preview$'\nowner = '*'",
    "[[derived]]\npattern = '^(.+)_preview$'\nowner = '$1_orig'",
    "[[derived]]\npattern = '^(.+)_preview$'\nowner = '$2'",
];

/// Rules of the table.
const RULES: &[&str] = &[
    "where = \"id > 5\"",
    "name = \"old\"\nwher = \"id > 5\"",
    "name = \"\"\nwhere = \"id > 5\"",
    "name = \"old, unused\"\nwhere = \"id > 5\"",
    "name = \"orphaned-file\"\nwhere = \"id > 5\"",
    "name = \"old\"",
    "name = \"old\"\nafter = \"30d\"",
    "name = \"old\"\nafter = \"a month\"\nsince = \"created_at\"",
    "name = \"old\"\nwhere = \" \"",
    "name = \"old\"\nentity = { type = \"id\", id = \"id\", tables = {} }",
    "name = \"old\"\nentity = { type = \"id\", id = \"id\" }",
    "name = \"old\"\nwhere = \"id > 5\"\nthen = \"report\"",
    "name = \"old\"\nwhere = \"id > 5\"\nthen = \"archive\"",
    "name = \"old\"\nwhere = \"id > 5\"\n\n[[records.rules]]\nname = \"old\"\nwhere = \"id > 6\"",
    "name = \"old\"\nwhere = \"status = 'old'\"",
    "name = \"old\"\nsince = \"expires_at\"",
    "name = \"old\"\nwhere = \"id > 5\"\nthen = { set = { status = \"old\" } }",
    "name = \"old\"\nentity = { type = \"kind\", id = \"id\", tables = { asset = \"assets\" } }",
    "name = \"old\"\nentity = { type = \"storage_key\", id = \"owner\", tables = { asset = \"assets\" } }",
    "name = \"old\"\nentity = { type = \"storage_key\", id = \"id\", tables = { user = \"users\" } }",
];

/// A configuration and what is said of it, below what it has that the right one has not.
fn case(tool: &Tool, change: &str, config: &str) -> String {
    tool.configure(config);
    let said = transcript(tool, &[]);
    assert!(said.contains("\nexit 2\nerror: "), "{change}\n{said}");
    let said = said.split_once('\n').expect("what was typed").1;
    format!("{change}{said}")
}

fn prefixed(prefix: &str, text: &str) -> String {
    text.lines().map(|line| format!("{prefix} {line}").trim_end().to_owned() + "\n").collect()
}

#[test]
fn every_configuration_error_is_the_golden_one() {
    let small = Small::new();
    let tool = &small.tool;
    let mut pieces = Vec::new();
    for (part, by) in REPLACED {
        assert!(RIGHT.contains(part), "{part:?} is not in the configuration");
        let change = prefixed("-", part) + &prefixed("+", by);
        pieces.push(case(tool, &change, &RIGHT.replacen(part, by, 1)));
    }
    let rules = RULES.iter().map(|rule| format!("[[records.rules]]\n{rule}"));
    for section in ADDED.iter().map(|section| (*section).to_owned()).chain(rules) {
        pieces.push(case(tool, &prefixed("+", &section), &format!("{RIGHT}\n{section}\n")));
    }
    let undated = RIGHT.replace("created_at = \"created_at\"\n", "");
    let clock = "[[records.rules]]\nname = \"old\"\nwhere = \"id > 5\"\nafter = \"30d\"";
    let change = prefixed("-", "created_at = \"created_at\"") + &prefixed("+", clock);
    pieces.push(case(tool, &change, &format!("{undated}\n{clock}\n")));
    // The same of another database.
    std::fs::remove_file(tool.path("app.db")).expect("the database");
    small.sql(
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key, created_at TEXT)",
    );
    pieces.push(case(tool, "(app.db is in UTF-16)\n", RIGHT));
    let head = format!(
        "What is written wrong: the change, the exit code, and what is said on standard error. The configuration \
         without it:\n\n\
         {}",
        prefixed(" ", RIGHT)
    );
    expect("configuration_errors.out", document(head.trim_end(), pieces));
}

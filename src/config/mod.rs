//! What can be written: the configuration, read and checked once, then trusted by everything below.
//!
//! Errors here are [`Misconfigured`]: they name the file, the line or key, and what would be right, and never quote the
//! line itself, since it may hold a password.

mod decides;
mod engine;
mod environment;
mod file;
mod rules;
mod sections;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use chrono_tz::Tz;
use globset::GlobSet;
use secrecy::SecretString;
use toml::Spanned;
use toml::de::DeTable;

use crate::domain::Kind;
use crate::domain::derived::DerivedRule;
use crate::exit_code::Misconfigured;
pub use decides::Decides;
pub use engine::Engine;
pub use file::{Age, AgeBy, Ledger, ListingOrder, Owns, Percent, Safety};
pub use rules::{Action, Clock, Entity, Rule, Value};

/// The whole configuration, checked.
#[derive(Debug)]
pub struct Config {
    pub database: Database,
    /// More of them, which sections name.
    pub databases: Vec<OtherDatabase>,
    pub storage: Storage,
    pub records: Vec<Records>,
    pub references: Vec<Reference>,
    /// Objects that belong to another key.
    pub derived: Vec<DerivedRule>,
    pub safety: Safety,
    pub trash: Trash,
    pub ledger: Ledger,
    /// The file that it was read from, and those that it names to be read.
    pub files: Vec<PathBuf>,
}

#[derive(Debug)]
pub struct Database {
    pub engine: Engine,
    pub url: SecretString,
}

/// One more database, for sections that name it.
#[derive(Debug)]
pub struct OtherDatabase {
    pub name: String,
    pub database: Database,
    /// The zone of dates that have none.
    zone: Tz,
}

impl Config {
    /// Every database: that of `[database]`, and those of `[[databases]]`.
    pub fn all_databases(&self) -> impl Iterator<Item = &Database> {
        std::iter::once(&self.database).chain(self.databases.iter().map(|other| &other.database))
    }

    /// Whether each source of keys may be empty, in the order in which the database gives them: records, then references.
    pub fn may_be_empty(&self) -> impl Iterator<Item = bool> {
        let records = self.records.iter().map(|records| records.may_be_empty);
        records.chain(self.references.iter().map(|reference| reference.may_be_empty))
    }

    /// Whether any row owns a folder and everything in it.
    pub fn has_folders(&self) -> bool {
        self.records.iter().any(Records::owns_folders)
    }

    /// The names of all rules, each once, in the order in which they are written.
    pub fn rules(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        for rule in self.records.iter().flat_map(|records| &records.rules) {
            if !names.contains(&rule.name) {
                names.push(rule.name.clone());
            }
        }
        names
    }
}

impl Records {
    /// Whether its keys name folders, which end in `/` then, and not objects.
    pub fn owns_folders(&self) -> bool {
        self.owns == Owns::Prefix
    }

    /// What a run that removes does with a row that is a finding of this kind.
    pub fn action(&self, kind: &Kind) -> &Action {
        match kind.rule() {
            Some(name) => self.rules.iter().find(|rule| rule.name == *name).map_or(&Action::Report, |rule| &rule.then),
            None if *kind == Kind::OrphanedRecord => &self.missing_file,
            None => &Action::Report,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Storage {
    pub place: Place,
    /// Only keys below it are compared; empty, or ends in `/`.
    pub prefix: String,
    /// Keys that no comparison looks at.
    pub ignore: GlobSet,
    /// The same as they are written.
    pub ignore_patterns: Vec<String>,
    /// In which order it lists.
    pub listing: ListingOrder,
    /// Requests in flight at most.
    pub concurrency: usize,
    /// Whether a local folder goes that removals have emptied.
    pub remove_empty_folders: bool,
}

/// Where removed files wait before they are gone for good.
#[derive(Debug, Clone)]
pub struct Trash {
    pub enabled: bool,
    pub place: TrashPlace,
    pub keep: Age,
}

/// Where the trash is; both end in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrashPlace {
    /// A prefix of keys, from the root of the store.
    Prefix(String),
    /// A folder outside of the store, by its whole path.
    Folder(String),
}

impl Trash {
    /// What keys in the trash begin with. Those in a folder of its own begin with `/`, as no key of a folder does.
    pub fn beginning(&self) -> &str {
        let (TrashPlace::Prefix(place) | TrashPlace::Folder(place)) = &self.place;
        place
    }
}

#[derive(Debug, Clone)]
pub enum Place {
    S3 {
        bucket: String,
        endpoint: Option<String>,
        region: Option<String>,
        path_style: bool,
        /// The certificates that are trusted, instead of the environment's, the profile's or the system's.
        ca_file: Option<PathBuf>,
    },
    Local {
        root: PathBuf,
        age_by: AgeBy,
    },
}

/// A table whose rows own the objects that their keys name.
#[derive(Debug, Clone)]
pub struct Records {
    /// As it was written: `table` or `schema.table`.
    pub table: String,
    /// What reports and the ledger call it: the same, behind the name of another database than the first.
    pub name: String,
    /// Which of [all databases](Config::all_databases) it is in.
    pub database: usize,
    /// The columns that tell its rows apart; at least one.
    pub id: Vec<String>,
    pub key: Key,
    /// What the key names.
    pub owns: Owns,
    pub key_prefix: String,
    /// The column holds URLs that begin with this, and not keys.
    pub url_base: Option<String>,
    pub created_at: Option<Column>,
    /// A row is as old as the later of both.
    pub updated_at: Option<String>,
    /// The zone of dates that have none.
    pub zone: Tz,
    pub r#where: Option<String>,
    /// Whether it may have no row, or none that names an object.
    pub may_be_empty: bool,
    /// What becomes of a row whose object is missing.
    pub missing_file: Action,
    /// Whether deleting a row may change other tables.
    pub allow_cascade: bool,
    pub rules: Vec<Rule>,
}

/// Where a date of a row comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    Named(String),
    /// An SQL expression over the row.
    Sql(String),
}

impl Column {
    /// What messages call it.
    pub fn name(&self) -> &str {
        let (Column::Named(name) | Column::Sql(name)) = self;
        name
    }
}

/// Where a row's key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Column(String),
    /// An SQL expression over the row.
    Sql(String),
}

/// Keys in use elsewhere in the database.
#[derive(Debug, Clone)]
pub struct Reference {
    pub keys: ReferenceKeys,
    /// Which of [all databases](Config::all_databases) it is in, and how names in messages begin for that.
    pub database: usize,
    pub in_database: String,
    pub key_prefix: String,
    /// Its values are URLs that begin with this, and not keys.
    pub url_base: Option<String>,
    /// Whether it may give no value, or none that is an object.
    pub may_be_empty: bool,
}

/// Where a reference's keys come from.
#[derive(Debug, Clone)]
pub enum ReferenceKeys {
    Column {
        table: String,
        key: Key,
        /// SQL for rows that use what they name; NULL counts as using it.
        r#where: Option<String>,
    },
    Query(String),
    /// A file of keys, one a line.
    File(PathBuf),
}

/// Where the configuration is: `given`, or the first of the usual places that has one.
///
/// # Errors
/// [`Misconfigured`], naming the places, where none has one.
pub fn find(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let user = match std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".config"),
    };
    let places = [
        PathBuf::from("config.toml"),
        user.join("cleanup-assets/config.toml"),
        PathBuf::from("/etc/cleanup-assets/config.toml"),
    ];
    match places.iter().find(|place| place.is_file()) {
        Some(place) => Ok(place.clone()),
        None => {
            let [here, user, system] = places.map(|place| place.display().to_string());
            Err(Misconfigured(format!(
                "no configuration: there is no {here} here, no {user} and no {system}; \
                 name one with --config, or see a working one with `cleanup-assets demo`"
            ))
            .into())
        }
    }
}

/// Reads and checks the configuration file at `path`.
///
/// # Errors
/// [`Misconfigured`] for whatever is wrong with it.
pub fn load(path: &Path) -> Result<Config> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Misconfigured(format!("{}: cannot be read: {error}", path.display())))?;
    let environment = |name: &str| std::env::var(name).ok();
    let mut config = parse(&text, &environment).map_err(|error| {
        let place = match error.line {
            Some(line) => format!("{}, line {line}", path.display()),
            None => path.display().to_string(),
        };
        Misconfigured(format!("{place}: {}", error.message))
    })?;
    config.files.push(path.to_owned());
    Ok(config)
}

/// What is wrong with a configuration, and on which line where that is known.
#[derive(Debug)]
pub struct Wrong {
    pub message: String,
    pub line: Option<usize>,
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Wrong { message, line: None }
    }
}

/// Parses and checks a configuration, with `lookup` for the environment.
pub fn parse(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Config, Wrong> {
    let line_of = |offset: usize| Some(1 + text[..offset.min(text.len())].matches('\n').count());
    let from_toml = |error: toml::de::Error| Wrong {
        message: without_values(error.message()),
        line: error.span().and_then(|span| line_of(span.start)),
    };
    let mut table = DeTable::parse(text).map_err(from_toml)?;
    environment::substitute(table.get_mut(), lookup)
        .map_err(|error| Wrong { message: error.message, line: line_of(error.offset) })?;
    let file: file::File = serde::Deserialize::deserialize(toml::Deserializer::from(table)).map_err(from_toml)?;
    checked(file, lookup, &line_of)
}

/// A parser's message without the value that it quotes where it expected something else: it may be a secret.
fn without_values(message: &str) -> String {
    let quoted = message.split_once("string \"").zip(message.rsplit_once("\", expected"));
    let message = match quoted {
        Some(((before, _), (_, after))) => format!("{before}string, expected{after}"),
        None => message.to_owned(),
    };
    match message.contains("://") {
        true => "a URL stands where something else is expected".to_owned(),
        false => message,
    }
}

fn checked(
    file: file::File,
    lookup: &dyn Fn(&str) -> Option<String>,
    line_of: &dyn Fn(usize) -> Option<usize>,
) -> Result<Config, Wrong> {
    if file.records.is_empty() && file.references.is_empty() {
        return Err("nothing says which keys the database knows: add a [[records]] section".to_owned().into());
    }
    let files = named_files(&file);
    let zone = file.database.time_zone.0;
    let databases = each(file.databases, line_of, |section| sections::other_database(section, zone))?;
    if let Some(other) =
        databases.iter().enumerate().find(|(at, other)| databases[..*at].iter().any(|before| before.name == other.name))
    {
        return Err(format!("[[databases]] name {:?} stands there twice", other.1.name).into());
    }
    let records = each(file.records, line_of, |section| sections::records(section, &databases, zone))?;
    for (at, section) in records.iter().enumerate() {
        if records[..at].iter().any(|other| other.name == section.name && other.id != section.id) {
            return Err(format!("[[records]] table {}: two sections of it must have the same id", section.name).into());
        }
    }
    let mut derived = each(file.derived, line_of, |rule| DerivedRule::new(&rule.pattern, &rule.owner))?;
    if records.iter().any(Records::owns_folders) {
        derived.push(DerivedRule::Folders);
    }
    let storage = sections::storage(file.storage, lookup)?;
    Ok(Config {
        trash: sections::trash(file.trash, &storage.place)?,
        database: sections::database(file.database.url, file.database.url_file, "[database]")?,
        storage,
        records,
        references: each(file.references, line_of, |section| sections::reference(section, &databases))?,
        databases,
        derived,
        safety: file.safety,
        ledger: file.ledger,
        files,
    })
}

/// The files that are to be read.
fn named_files(file: &file::File) -> Vec<PathBuf> {
    let databases = file.databases.iter().filter_map(|other| other.get_ref().url_file.as_ref());
    let references = file.references.iter().filter_map(|reference| reference.get_ref().file.as_ref());
    file.database.url_file.iter().chain(databases).chain(references).cloned().collect()
}

/// Checks each of the sections of one name; an error is told with the line where its section begins.
fn each<W, T>(
    sections: Vec<Spanned<W>>,
    line_of: &dyn Fn(usize) -> Option<usize>,
    check: impl Fn(W) -> Result<T, String>,
) -> Result<Vec<T>, Wrong> {
    let checked = sections.into_iter().map(|section| {
        let line = line_of(section.span().start);
        check(section.into_inner()).map_err(|message| Wrong { message, line })
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMPLEST: &str = r#"
[database]
url = "sqlite:app.db"
[storage]
kind = "local"
root = "uploads"
[[records]]
table = "assets"
id = "id"
key = "storage_key"
"#;

    fn wrong(text: &str) -> Wrong {
        parse(text, &|_| None).expect_err("a wrong configuration")
    }

    #[test]
    fn the_simplest_application_needs_three_sections() {
        let config = parse(SIMPLEST, &|_| None).expect("a configuration");
        assert_eq!(config.database.engine, Engine::Sqlite);
        assert_eq!(config.safety.min_age.to_string(), "24h");
        assert!(config.trash.enabled);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_what_would_be_right() {
        let error = wrong(&SIMPLEST.replace("key = ", "storge_key = "));
        assert_eq!(error.line, Some(10));
        assert!(error.message.contains("storge_key") && error.message.contains("created_at"), "{error:?}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = wrong(&SIMPLEST.replace("id = \"id\"\n", ""));
        assert!(error.message.contains("`id`") && error.line.is_some(), "{error:?}");
    }

    #[test]
    fn a_bad_duration_says_what_a_good_one_is() {
        let error = wrong(&format!("{SIMPLEST}[safety]\nmin_age = \"soon\"\n"));
        assert_eq!(error.line, Some(12));
        assert!(error.message.contains("soon") && error.message.contains("24h"), "{error:?}");
    }

    #[test]
    fn an_error_never_quotes_the_url() {
        for url in [
            "\"oracle://u:hunter2@h/d\"",
            "\"postgres://u:hunter2@h/d",
            "[\"hunter2\"]",
            "\"postgres://u:hunter2/x@h/d\"",
            "\"postgres://u:p#hunter2@h/d\"",
        ] {
            let error = wrong(&SIMPLEST.replace("\"sqlite:app.db\"", url));
            assert!(!error.message.contains("hunter2"), "{error:?}");
        }
        for section in ["[database]\nurl = \"sqlite:app.db\"", "[storage]\nkind = \"local\"\nroot = \"uploads\""] {
            let name = section.split(['[', ']']).nth(1).expect("a section");
            let error = wrong(&SIMPLEST.replace(section, "").replacen(
                '\n',
                &format!("{name} = \"postgres://u:hunter2@h/d\"\n"),
                1,
            ));
            assert!(!error.message.contains("hunter2"), "{error:?}");
        }
        let error = wrong(&format!("{SIMPLEST}[safety]\nmax_removals = \"hunter2\"\n"));
        assert!(!error.message.contains("hunter2"), "{error:?}");
    }

    #[test]
    fn keys_of_the_other_kind_of_storage_are_refused() {
        let error = wrong(&SIMPLEST.replace("root = \"uploads\"", "root = \"uploads\"\nbucket = \"b\""));
        assert!(error.message.contains("bucket"), "{error:?}");
    }
}

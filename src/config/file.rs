//! The configuration as it is written: one serde tree in which an unknown key is an error. Nothing is checked here
//! beyond types; `config` turns it into what the program trusts.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use globset::GlobSet;
use secrecy::SecretString;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use toml::Spanned;

use super::rules::{self, Action};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub database: Database,
    #[serde(default)]
    pub databases: Vec<Spanned<OtherDatabase>>,
    pub storage: Storage,
    #[serde(default)]
    pub records: Vec<Spanned<Records>>,
    #[serde(default)]
    pub references: Vec<Spanned<References>>,
    #[serde(default)]
    pub derived: Vec<Spanned<Derived>>,
    #[serde(default)]
    pub safety: Safety,
    #[serde(default)]
    pub trash: Trash,
    #[serde(default)]
    pub ledger: Ledger,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Option<SecretString>,
    pub url_file: Option<PathBuf>,
    #[serde(default)]
    pub time_zone: Zone,
}

/// One more database, for sections that name it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherDatabase {
    pub name: String,
    pub url: Option<SecretString>,
    pub url_file: Option<PathBuf>,
    pub time_zone: Option<Zone>,
}

#[derive(serde::Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    S3,
    Local,
}

/// By what a file in a folder is as old as it is.
#[derive(serde::Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum AgeBy {
    /// The later of its last modification and its birth, or its last change where the file system knows no birth: files that
    /// are copied or unpacked here keep the modification times that they had.
    #[default]
    Stored,
    /// Its last modification alone.
    Modified,
}

/// In which order a store lists its keys.
#[derive(serde::Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ListingOrder {
    /// In byte order, as S3 does.
    #[default]
    Ordered,
    /// In any: the listing is sorted on disk.
    Unordered,
}

/// What a row's key names.
#[derive(serde::Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Owns {
    /// An object.
    #[default]
    Object,
    /// A folder: everything below it belongs to the row.
    Prefix,
}

/// The zone in which dates without one are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub Tz);

impl Default for Zone {
    fn default() -> Self {
        Zone(Tz::UTC)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map(Zone).map_err(|_| {
            de::Error::custom(format!("{name:?} is not a time zone; write one as \"UTC\" or \"Europe/Warsaw\""))
        })
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    pub kind: Kind,
    pub bucket: Option<String>,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub path_style: Option<bool>,
    pub ca_file: Option<PathBuf>,
    pub root: Option<PathBuf>,
    pub age_by: Option<AgeBy>,
    pub listing: Option<ListingOrder>,
    pub remove_empty_folders: Option<bool>,
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub ignore: Vec<String>,
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
}

/// The column, or the columns, that tell rows apart.
#[derive(serde::Deserialize, Debug, Clone)]
#[serde(untagged, expecting = "the name of a column, or a list of names as in [\"a\", \"b\"]")]
pub enum Columns {
    One(String),
    Several(Vec<String>),
}

impl From<Columns> for Vec<String> {
    fn from(columns: Columns) -> Self {
        match columns {
            Columns::One(name) => vec![name],
            Columns::Several(names) => names,
        }
    }
}

#[derive(serde::Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub struct Records {
    pub database: Option<String>,
    pub table: String,
    pub id: Columns,
    pub key: Option<String>,
    pub key_sql: Option<String>,
    #[serde(default)]
    pub owns: Owns,
    #[serde(default)]
    pub key_prefix: String,
    pub url_base: Option<String>,
    pub created_at: Option<String>,
    pub created_at_sql: Option<String>,
    pub updated_at: Option<String>,
    pub time_zone: Option<Zone>,
    pub r#where: Option<String>,
    #[serde(default)]
    pub may_be_empty: bool,
    #[serde(default)]
    pub missing_file: Action,
    #[serde(default)]
    pub allow_cascade: bool,
    #[serde(default)]
    pub rules: Vec<rules::Written>,
}

#[derive(serde::Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub struct References {
    pub database: Option<String>,
    pub table: Option<String>,
    pub key: Option<String>,
    pub key_sql: Option<String>,
    pub query: Option<String>,
    pub file: Option<PathBuf>,
    #[serde(default)]
    pub key_prefix: String,
    pub url_base: Option<String>,
    pub r#where: Option<String>,
    #[serde(default)]
    pub may_be_empty: bool,
}

#[derive(serde::Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    pub pattern: String,
    pub owner: String,
}

/// The limits under which anything may be judged or removed.
#[derive(serde::Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Safety {
    /// Younger objects and rows are never findings; zero switches the age test off.
    pub min_age: Age,
    /// A run that would remove more than this is refused.
    pub max_removals: u64,
    /// A run that would remove more than this percentage of the objects, or of a table's rows, is refused.
    pub max_percent: Percent,
    /// The percentage of the smaller side's keys that must be on both sides; less looks like a wrong pair.
    pub min_overlap: Percent,
    /// Folders of which the database need know nothing.
    #[serde(deserialize_with = "folder_globs")]
    pub unknown_prefixes: FolderGlobs,
    /// So many orphaned files below a first folder of which nothing is known are held.
    pub unknown_folder_files: u64,
    /// Keys that may be deleted in a second; 0: no limit of ours.
    pub max_deletes_per_second: u32,
    /// After this, a run finishes the batch in hand and stops.
    pub max_runtime: Age,
}

impl Default for Safety {
    fn default() -> Self {
        Safety {
            min_age: Age(Duration::from_secs(24 * 3600)),
            max_removals: 10_000,
            max_percent: Percent(10.0),
            min_overlap: Percent(50.0),
            unknown_prefixes: FolderGlobs::default(),
            unknown_folder_files: 5,
            max_deletes_per_second: 0,
            max_runtime: Age(Duration::from_secs(2 * 3600)),
        }
    }
}

/// Where removed files wait before they are gone for good.
#[derive(serde::Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Trash {
    pub enabled: bool,
    pub prefix: Option<String>,
    pub folder: Option<String>,
    pub keep: Age,
}

impl Default for Trash {
    fn default() -> Self {
        Trash { enabled: true, prefix: None, folder: None, keep: Age(Duration::from_secs(30 * 24 * 3600)) }
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// Where it lies; `None` means the default place.
    pub path: Option<PathBuf>,
    /// How long it is remembered which keys a run removed.
    pub keep: Age,
    /// How long rows are kept whole that were removed; `None`: as long as the trash.
    pub keep_rows: Option<Age>,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger { path: None, keep: Age(Duration::from_secs(400 * 24 * 3600)), keep_rows: None }
    }
}

/// Globs of folders; a `/` at the end of one says no more than that it is a folder.
fn folder_globs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FolderGlobs, D::Error> {
    let patterns = Vec::<String>::deserialize(deserializer)?;
    let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.trim_end_matches('/').to_owned()).collect();
    let plain: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let set = super::sections::globs(&plain, "[safety] unknown_prefixes").map_err(de::Error::custom)?;
    Ok(FolderGlobs { set, patterns })
}

/// Globs of folders, and as they are written.
#[derive(Debug, Clone, Default)]
pub struct FolderGlobs {
    pub set: GlobSet,
    pub patterns: Vec<String>,
}

fn default_concurrency() -> usize {
    64
}

/// A length of time, written `90s`, `24h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // humantime writes 24h as "1day"; people who wrote hours want to read hours.
        match self.0.as_secs() {
            seconds if seconds > 48 * 3600 && seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            seconds if seconds >= 3600 && seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            _ => write!(f, "{}", humantime::format_duration(self.0)),
        }
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AgeVisitor;
        impl Visitor<'_> for AgeVisitor {
            type Value = Age;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes, such as \"90s\", \"24h\" or \"7d\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Age, E> {
                let wrong = |_| E::custom(format!("`{text}` is no duration; write \"90s\", \"24h\" or \"7d\""));
                humantime::parse_duration(text).map(Age).map_err(wrong)
            }
        }
        deserializer.deserialize_str(AgeVisitor)
    }
}

/// A percentage from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PercentVisitor;
        impl Visitor<'_> for PercentVisitor {
            type Value = Percent;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a percentage from 0 to 100")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Percent, E> {
                self.visit_f64(number as f64)
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Percent, E> {
                match (0.0..=100.0).contains(&number) {
                    true => Ok(Percent(number)),
                    false => Err(E::custom(format!("`{number}` is no percentage from 0 to 100"))),
                }
            }
        }
        deserializer.deserialize_any(PercentVisitor)
    }
}

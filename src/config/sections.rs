//! Each section as it is written, checked by itself: what is wrong with it names the section and what would be right.

use std::path::PathBuf;

use chrono_tz::Tz;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Column, Database, Engine, Key, OtherDatabase, Place, Records, Reference, ReferenceKeys, Rule, Storage, Trash,
    TrashPlace, file,
};

pub fn database(url: Option<SecretString>, url_file: Option<PathBuf>, section: &str) -> Result<Database, String> {
    let url = match (url, url_file) {
        (Some(url), None) => url,
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => SecretString::from(text.trim().to_owned()),
            Err(error) => return Err(format!("{section} url_file {}: {error}", path.display())),
        },
        (Some(_), Some(_)) => return Err(format!("{section} has both url and url_file; keep one")),
        (None, None) => return Err(format!("{section} needs a url or a url_file")),
    };
    let engine = Engine::of(url.expose_secret())?;
    Ok(Database { engine, url })
}

pub fn other_database(section: file::OtherDatabase, zone: Tz) -> Result<OtherDatabase, String> {
    let file::OtherDatabase { name, url, url_file, time_zone } = section;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(format!("[[databases]] name = {name:?}: a name is of letters, digits, - and _"));
    }
    let database = database(url, url_file, &format!("[[databases]] {name}"))?;
    Ok(OtherDatabase { name, database, zone: time_zone.map_or(zone, |zone| zone.0) })
}

/// The place of the database that a section names, and that one itself; `None`: it is the first.
fn database_of<'d>(
    name: Option<&str>,
    databases: &'d [OtherDatabase],
    section: &str,
) -> Result<(usize, Option<&'d OtherDatabase>), String> {
    let Some(name) = name else { return Ok((0, None)) };
    match databases.iter().position(|other| other.name == name) {
        Some(at) => Ok((at + 1, Some(&databases[at]))),
        None => {
            let known: Vec<&str> = databases.iter().map(|other| other.name.as_str()).collect();
            let known =
                if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
            Err(format!("{section}: database = {name:?} names none of [[databases]]; {known}"))
        }
    }
}

pub fn storage(section: file::Storage, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Storage, String> {
    let from_environment = |names: [&str; 2]| names.into_iter().filter_map(lookup).find(|value| !value.is_empty());
    if !section.prefix.is_empty() && !section.prefix.ends_with('/') {
        return Err(format!("[storage] prefix = {:?} must end in \"/\"", section.prefix));
    }
    if section.concurrency == 0 {
        return Err("[storage] concurrency must be at least 1".to_owned());
    }
    let place = match section.kind {
        file::Kind::S3 => {
            let bucket = section.bucket.filter(|bucket| !bucket.is_empty());
            let bucket = bucket.ok_or("[storage] kind = \"s3\" needs a bucket")?;
            // An object's only time is that at which it was stored: age_by says nothing new of it.
            let of_local =
                [("root", section.root.is_some()), ("remove_empty_folders", section.remove_empty_folders.is_some())];
            if let Some((name, _)) = of_local.iter().find(|(_, given)| *given) {
                return Err(format!("[storage] {name} belongs to kind = \"local\""));
            }
            if bucket.ends_with("--x-s3") {
                return Err(format!(
                    "[storage] bucket {bucket} is an S3 directory bucket, which does not list in key order; \
                     only general-purpose buckets can be compared"
                ));
            }
            // What the SDK would take from the environment is taken here, so that reports name it.
            let endpoint = section.endpoint.filter(|endpoint| !endpoint.is_empty());
            let endpoint = endpoint.or_else(|| from_environment(["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]));
            let region = section.region.filter(|region| !region.is_empty());
            let region = region.or_else(|| from_environment(["AWS_REGION", "AWS_DEFAULT_REGION"]));
            if let Some(endpoint) = &endpoint
                && !endpoint.starts_with("http://")
                && !endpoint.starts_with("https://")
            {
                return Err("[storage] endpoint must begin with https:// or http://".to_owned());
            }
            let path_style = section.path_style.unwrap_or(endpoint.is_some());
            let ca_file = section.ca_file.filter(|path| !path.as_os_str().is_empty());
            Place::S3 { bucket, endpoint, region, path_style, ca_file }
        }
        file::Kind::Local => {
            let of_s3 = [
                ("bucket", section.bucket.is_some()),
                ("endpoint", section.endpoint.is_some()),
                ("region", section.region.is_some()),
                ("path_style", section.path_style.is_some()),
                ("ca_file", section.ca_file.is_some()),
                ("listing", section.listing.is_some()),
            ];
            if let Some((name, _)) = of_s3.iter().find(|(_, given)| *given) {
                return Err(format!("[storage] {name} belongs to kind = \"s3\""));
            }
            let root = section.root.filter(|root| !root.as_os_str().is_empty());
            Place::Local {
                root: root.ok_or("[storage] kind = \"local\" needs a root")?,
                age_by: section.age_by.unwrap_or_default(),
            }
        }
    };
    Ok(Storage {
        place,
        prefix: section.prefix,
        ignore: globs(&section.ignore, "[storage] ignore")?,
        ignore_patterns: section.ignore,
        listing: section.listing.unwrap_or_default(),
        concurrency: section.concurrency,
        remove_empty_folders: section.remove_empty_folders.unwrap_or(true),
    })
}

/// Where removed files go: below a prefix of the store, or in a folder of its own.
pub fn trash(section: file::Trash, place: &Place) -> Result<Trash, String> {
    let file::Trash { enabled, prefix, folder, keep } = section;
    let is_local = matches!(place, Place::Local { .. });
    let place = match (prefix, folder) {
        (Some(_), Some(_)) => return Err("[trash] has both prefix and folder; keep one".to_owned()),
        (_, Some(_)) if !is_local => return Err("[trash] folder belongs to kind = \"local\"".to_owned()),
        (_, Some(folder)) => TrashPlace::Folder(trash_folder(&folder)?),
        (prefix, None) => TrashPlace::Prefix(trash_prefix(prefix.unwrap_or_else(|| ".trash/".to_owned()), is_local)?),
    };
    Ok(Trash { enabled, place, keep })
}

fn trash_prefix(prefix: String, is_local: bool) -> Result<String, String> {
    let Some(path) = prefix.strip_suffix('/').filter(|path| !path.is_empty()) else {
        return Err("[trash] prefix must end in \"/\"".to_owned());
    };
    if is_local && path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!(
            "[trash] prefix = {prefix:?} does not stay below the root; write a path below it, such as \".trash/\", or give \
             the trash a folder of its own: folder = \"/srv/trash\""
        ));
    }
    Ok(prefix)
}

/// A path that is written one way only: keys in the trash begin with it.
fn trash_folder(folder: &str) -> Result<String, String> {
    let path = folder.strip_prefix('/').map(|path| path.strip_suffix('/').unwrap_or(path));
    match path {
        Some(path) if path.split('/').all(|part| !matches!(part, "" | "." | "..")) => Ok(format!("/{path}/")),
        _ => Err(format!(
            "[trash] folder = {folder:?} must be a whole path, such as \"/srv/trash\", without `.` and `..`"
        )),
    }
}

/// The set of these globs; `place` is where they are written.
pub fn globs(patterns: &[impl AsRef<str>], place: &str) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|error| format!("{place}: {pattern:?}: {}", error.kind()))?);
    }
    set.build().map_err(|error| format!("{place}: {error}"))
}

pub fn records(section: file::Records, databases: &[OtherDatabase], zone: Tz) -> Result<Records, String> {
    let (database, other) =
        database_of(section.database.as_deref(), databases, &format!("[[records]] table {}", section.table))?;
    let name = other.map_or_else(|| section.table.clone(), |other| format!("{}:{}", other.name, section.table));
    let zone = other.map_or(zone, |other| other.zone);
    let file::Records { table, id, key, key_sql, key_prefix, url_base, created_at, .. } = section;
    let file::Records { created_at_sql, updated_at, time_zone, owns, .. } = section;
    let file::Records { r#where, may_be_empty, missing_file, allow_cascade, rules, .. } = section;
    let id: Vec<String> = id.into();
    if id.is_empty() {
        return Err("[[records]] id is an empty list".to_owned());
    }
    if let Some(name) = id.iter().enumerate().find(|(at, name)| id[..*at].contains(name)).map(|(_, name)| name) {
        return Err(format!("[[records]] id names {name} twice"));
    }
    let given = [("table", Some(&table)), ("key", key.as_ref()), ("key_sql", key_sql.as_ref())];
    let given = given.into_iter().chain([("url_base", url_base.as_ref())]).chain(id.iter().map(|id| ("id", Some(id))));
    if let Some((name, _)) = given.into_iter().find(|(_, value)| value.is_some_and(|value| value.trim().is_empty())) {
        return Err(format!("[[records]] {name} is empty"));
    }
    let key = match (key, key_sql) {
        (Some(column), None) => Key::Column(column),
        (None, Some(sql)) => Key::Sql(sql),
        (Some(_), Some(_)) => return Err(format!("[[records]] table {table}: it has both key and key_sql; keep one")),
        (None, None) => return Err(format!("[[records]] table {table}: it needs a key or a key_sql")),
    };
    let created_at = date(created_at, created_at_sql)
        .ok_or_else(|| format!("[[records]] table {table}: it has both created_at and created_at_sql; keep one"))?;
    let rules = rules.into_iter().map(|rule| Rule::checked(rule, created_at.as_ref()));
    let rules: Vec<Rule> = rules.collect::<Result<_, _>>().map_err(|wrong| format!("{table}: {wrong}"))?;
    for (at, rule) in rules.iter().enumerate() {
        if rules[..at].iter().any(|before| before.name == rule.name) {
            return Err(format!("{table}: [[records.rules]] {:?} stands there twice", rule.name));
        }
    }
    Ok(Records {
        table,
        name,
        database,
        id,
        key,
        owns,
        key_prefix,
        url_base,
        created_at,
        updated_at,
        zone: time_zone.map_or(zone, |zone| zone.0),
        r#where,
        may_be_empty,
        missing_file,
        allow_cascade,
        rules,
    })
}

/// A date's column, or the expression that stands for one, if there is any; `None` where there are both.
pub fn date(column: Option<String>, sql: Option<String>) -> Option<Option<Column>> {
    match (column, sql) {
        (Some(_), Some(_)) => None,
        (Some(name), None) => Some(Some(Column::Named(name))),
        (None, sql) => Some(sql.map(Column::Sql)),
    }
}

pub fn reference(section: file::References, databases: &[OtherDatabase]) -> Result<Reference, String> {
    let file::References { database, table, key, key_sql, query, file, key_prefix, url_base, r#where, may_be_empty } =
        section;
    let is_column = table.is_some() || key.is_some() || key_sql.is_some();
    let has_where = r#where.is_some();
    let is_of_file = file.is_some();
    let keys = match (table, query, file) {
        (Some(table), None, None) => {
            let key = match (key, key_sql) {
                (Some(column), None) => Key::Column(column),
                (None, Some(sql)) => Key::Sql(sql),
                (Some(_), Some(_)) => {
                    return Err(format!("[[references]] table {table}: it has both key and key_sql; keep one"));
                }
                (None, None) => return Err(format!("[[references]] table {table}: it needs a key or a key_sql")),
            };
            ReferenceKeys::Column { table, key, r#where }
        }
        (None, Some(query), None) if !is_column => ReferenceKeys::Query(query),
        (None, None, Some(file)) if !is_column => ReferenceKeys::File(file),
        _ => return Err("[[references]] needs one of these: table and key, query, or file".to_owned()),
    };
    if has_where && !matches!(keys, ReferenceKeys::Column { .. }) {
        return Err("[[references]] where belongs to a table".to_owned());
    }
    if is_of_file && database.is_some() {
        return Err("[[references]] file is in no database".to_owned());
    }
    let (database, other) = database_of(database.as_deref(), databases, "[[references]]")?;
    let in_database = other.map(|other| format!("{}:", other.name)).unwrap_or_default();
    Ok(Reference { keys, database, in_database, key_prefix, url_base, may_be_empty })
}

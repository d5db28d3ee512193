//! What `--only FILE` names: a report of this tool in JSON or CSV, or a plain list of keys. It narrows what a fresh
//! comparison found, and never adds to it.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Deserializer};

use crate::domain::row_id;
use crate::exit_code::Misconfigured;

/// The findings that a file names.
#[derive(Debug, PartialEq, Eq)]
pub struct Only {
    names: Vec<Name>,
}

/// One of them; what is `None` may be anything.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Name {
    pub kind: Option<String>,
    /// Empty for a record that names no object.
    #[serde(deserialize_with = "empty_if_null")]
    pub key: String,
    pub table: Option<String>,
    /// The table's, where that is not the first one.
    #[serde(default)]
    database: Option<String>,
    /// As the ledger has it.
    #[serde(default, deserialize_with = "id")]
    pub id: Option<String>,
}

impl Only {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Misconfigured`] for a file that cannot be read, or is no such report.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |reason: String| Misconfigured(format!("--only {}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Ok(Only { names: parse(&text).map_err(wrong)? })
    }

    pub fn names(&self) -> &[Name] {
        &self.names
    }
}

fn parse(text: &str) -> Result<Vec<Name>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return from_json(text);
    }
    match text.lines().next() {
        Some(header) if header.trim_end().starts_with("kind,key,") => from_csv(text),
        _ => {
            let keys =
                text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(|line| !line.is_empty());
            Ok(keys
                .map(|key| Name { kind: None, key: key.to_owned(), table: None, database: None, id: None })
                .collect())
        }
    }
}

fn from_json(text: &str) -> Result<Vec<Name>, String> {
    #[derive(Deserialize)]
    struct Document {
        findings: Vec<Name>,
    }
    let document: Document = serde_json::from_str(text).map_err(|error| format!("no report of this tool: {error}"))?;
    let names = document.findings.into_iter().map(|mut name| {
        // As the ledger has it.
        if let (Some(table), Some(database)) = (&mut name.table, name.database.take()) {
            table.insert_str(0, &format!("{database}:"));
        }
        name
    });
    Ok(names.collect())
}

/// The id of a row, which may be of several columns.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        One(String),
        Several(Vec<Option<String>>),
    }
    Ok(Option::<Id>::deserialize(deserializer)?.map(|id| match id {
        Id::One(id) => id,
        Id::Several(parts) => row_id::joined(parts),
    }))
}

fn empty_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

fn from_csv(text: &str) -> Result<Vec<Name>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(kind), Some(key)) = (column("kind"), column("key")) else {
        return Err("a report in CSV has the columns kind and key".to_owned());
    };
    let (table, id) = (column("table"), column("id"));
    let mut names = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).map(unguarded).filter(|cell| !cell.is_empty());
        let name = Name {
            kind: cell(Some(kind)),
            key: cell(Some(key)).unwrap_or_default(),
            table: cell(table),
            database: None,
            id: cell(id).map(|id| row_id::from_shown(&id)),
        };
        if name.key.is_empty() && name.id.is_none() {
            return Err("a line without a key and without an id".to_owned());
        }
        names.push(name);
    }
    Ok(names)
}

/// A cell without the `'` that kept a spreadsheet from running it.
fn unguarded(cell: &str) -> String {
    cell.strip_prefix('\'').unwrap_or(cell).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(kind: Option<&str>, key: &str, table: Option<&str>, id: Option<&str>) -> Name {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Name { kind: owned(kind), key: key.to_owned(), table: owned(table), database: None, id: owned(id) }
    }

    #[test]
    fn a_list_a_csv_and_a_json_are_told_apart() {
        assert_eq!(
            parse("a b.png\r\n\n=x\n").expect("a list"),
            [name(None, "a b.png", None, None), name(None, "=x", None, None)]
        );
        let csv = "kind,key,size,last_modified,table,id,created_at,held\norphaned-file,'=a,1,,,,,\n\
                   orphaned-record,\"''b\n\",,,assets,17,,\n";
        assert_eq!(
            parse(csv).expect("a CSV"),
            [
                name(Some("orphaned-file"), "=a", None, None),
                name(Some("orphaned-record"), "'b\n", Some("assets"), Some("17")),
            ]
        );
        let json = r#"{"schema":1,"findings":[{"kind":"orphaned-file","key":"a","size":1,"held":null}]}"#;
        assert_eq!(parse(json).expect("a JSON"), [name(Some("orphaned-file"), "a", None, None)]);
        assert!(parse("{\"a\":1}").is_err());
    }
}

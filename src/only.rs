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
    /// [`Misconfigured`] for a file that cannot be read, or is not such a report.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |reason: String| Misconfigured(format!("--only {}: {reason}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        Ok(Only { names: decoded(bytes).and_then(|text| parse(&text)).map_err(wrong)? })
    }

    pub fn names(&self) -> &[Name] {
        &self.names
    }
}

/// The text of a file: UTF-8, or UTF-16 with its mark, as spreadsheets write it.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let units = |of: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect()
    };
    let text = match bytes.as_slice() {
        [0xff, 0xfe, ..] => String::from_utf16(&units(u16::from_le_bytes)).ok(),
        [0xfe, 0xff, ..] => String::from_utf16(&units(u16::from_be_bytes)).ok(),
        _ => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| "it is not UTF-8; save it as \"CSV UTF-8\"".to_owned())
}

fn parse(text: &str) -> Result<Vec<Name>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return from_json(text);
    }
    match Separated::of(text) {
        Some(table) => table.names(),
        None => Ok(from_list(text)),
    }
}

/// A plain list: a key a line, whatever ends a line.
fn from_list(text: &str) -> Vec<Name> {
    let lines: Vec<&str> = match text.contains('\n') {
        true => text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect(),
        false => text.split('\r').collect(),
    };
    let keys = lines.into_iter().filter(|line| !line.is_empty());
    keys.map(|key| Name { kind: None, key: key.to_owned(), table: None, database: None, id: None }).collect()
}

fn from_json(text: &str) -> Result<Vec<Name>, String> {
    #[derive(Deserialize)]
    struct Document {
        findings: Vec<Name>,
    }
    let document: Document =
        serde_json::from_str(text).map_err(|error| format!("it is not a report of this tool: {error}"))?;
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

/// The columns of a report; a list has none.
const COLUMNS: [&str; 9] = ["kind", "key", "size", "last_modified", "table", "id", "created_at", "held", "held_by"];

/// A report in CSV, perhaps as a spreadsheet has written it again: with other separators, in another order of columns, with
/// quotes, line ends and a header of its own taste.
struct Separated<'a> {
    text: &'a str,
    separator: u8,
    /// In small letters.
    header: Vec<String>,
}

impl<'a> Separated<'a> {
    /// `None`: the first line is not a header.
    fn of(text: &'a str) -> Option<Self> {
        // Excel says so what separates its cells.
        let told = text.split(['\r', '\n']).next().filter(|line| line.to_lowercase().starts_with("sep="));
        let text = told.map_or(text, |line| text[line.len()..].trim_start_matches(['\r', '\n']));
        let header = |separator: u8| {
            let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
            let header: Vec<String> = reader.headers().ok()?.iter().map(|cell| cell.trim().to_lowercase()).collect();
            // A key may be called "key"; one that is also a whole header is not worth a thought.
            let is_header = header.iter().any(|cell| cell == "key")
                && header.iter().any(|cell| COLUMNS.contains(&&**cell) && cell != "key");
            is_header.then_some(Separated { text, separator, header })
        };
        [b',', b';', b'\t', b'|'].into_iter().find_map(header)
    }

    fn names(&self) -> Result<Vec<Name>, String> {
        let column = |name: &str| self.header.iter().position(|header| header == name);
        let (Some(kind), Some(key)) = (column("kind"), column("key")) else {
            return Err("a report in CSV has the columns kind and key".to_owned());
        };
        let (table, id) = (column("table"), column("id"));
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.delimiter(self.separator).flexible(true).from_reader(self.text.as_bytes());
        let mut names = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            // Spreadsheets leave such lines where others were struck.
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let cell =
                |at: Option<usize>| at.and_then(|at| record.get(at)).map(unguarded).filter(|cell| !cell.is_empty());
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

    #[test]
    fn a_report_comes_back_from_any_spreadsheet() {
        let expected = [
            name(Some("orphaned-file"), "a;b,c\td.png", None, None),
            name(Some("orphaned-record"), "=x", Some("assets"), Some("17")),
        ];
        for text in [
            "kind,key,size,last_modified,table,id,created_at,held\norphaned-file,\"a;b,c\td.png\",1,,,,,\norphaned-record,'=x,,,assets,17,,\n",
            "\u{feff}Kind;Key;Size;Last_modified;Table;ID;Created_at;Held\r\norphaned-file;\"a;b,c\td.png\";1;;;;;\r\norphaned-record;=x;;;assets;17;;\r\n;;;;;;;\r\n",
            "\"KEY\"\t\"KIND\"\t\"ID\"\t\"TABLE\"\r\"a;b,c\td.png\"\torphaned-file\t\t\r=x\torphaned-record\t17\tassets\r",
            "sep=;\r\n id ; table ; kind ; key \r\n;;orphaned-file;\"a;b,c\td.png\"\r\n17;assets;orphaned-record;=x",
        ] {
            assert_eq!(parse(text).expect("a CSV"), expected, "{text:?}");
        }
    }

    #[test]
    fn a_file_is_read_in_utf_8_and_utf_16() {
        let text = "kind\tkey\norphaned-file\té.png\n";
        let units = |of: fn(u16) -> [u8; 2]| format!("\u{feff}{text}").encode_utf16().flat_map(of).collect::<Vec<u8>>();
        for bytes in [text.as_bytes().to_vec(), units(u16::to_le_bytes), units(u16::to_be_bytes)] {
            let names = decoded(bytes).and_then(|text| parse(&text)).expect("a CSV");
            assert_eq!(names, [name(Some("orphaned-file"), "é.png", None, None)]);
        }
        assert!(decoded(b"kind,key\norphaned-file,\xe9.png\n".to_vec()).is_err_and(|error| error.contains("UTF-8")));
    }

    #[test]
    fn lines_of_a_list_end_as_they_like() {
        for text in ["a.png\nb, c.png\n", "a.png\r\nb, c.png", "a.png\rb, c.png\r", "\u{feff}a.png\n\nb, c.png\n"] {
            assert_eq!(
                parse(text).expect("a list"),
                [name(None, "a.png", None, None), name(None, "b, c.png", None, None)]
            );
        }
    }
}

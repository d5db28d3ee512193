//! The report as one JSON document, written as a stream: a finding a line, and none of them kept.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::{Value, json};

use super::{Rendering, Report, machine_time, run_time};
use crate::domain::key::is_deceptive;
use crate::domain::removal::Versions;
use crate::domain::row_id;
use crate::domain::{Finding, Kind, Subject, Sum};

pub struct Json<'a> {
    out: Box<dyn Write + 'a>,
    /// A finding as it is written: of many small pieces.
    line: Vec<u8>,
    findings: u64,
    report: &'a Report,
}

impl<'a> Json<'a> {
    pub fn begin(report: &'a Report, mut out: Box<dyn Write + 'a>) -> io::Result<Self> {
        let (totals, found) = (&report.totals, &report.found);
        let files = found.of(&Kind::OrphanedFile);
        let rules =
            report.kinds.iter().filter_map(|kind| Some((kind.rule()?.to_string(), json!(found.of(kind).findings))));
        let head = [
            ("schema", json!(1)),
            (
                "run",
                json!({
                    "id": report.run,
                    "mode": report.mode,
                    "outcome": report.outcome.name(),
                    "started_at": run_time(report.started_at),
                    "finished_at": run_time(report.finished_at),
                    "error": report.error,
                }),
            ),
            ("database", json!({ "engine": report.database_engine, "address": report.database_address })),
            (
                "databases",
                report
                    .databases
                    .iter()
                    .map(|other| json!({ "name": other.name, "engine": other.engine, "address": other.address }))
                    .collect::<Value>(),
            ),
            ("storage", json!({ "kind": report.storage_kind, "address": report.storage_address })),
            ("warnings", json!(report.warnings)),
            (
                "totals",
                json!({
                    "objects": totals.objects,
                    "object_bytes": totals.object_bytes,
                    "records": totals.records,
                    "references": totals.references,
                    "derived": totals.derived,
                    "too_young": totals.too_young,
                    "held": found.all().held,
                    "outside_prefix": totals.outside_prefix,
                    "unreadable_names": totals.unreadable_names,
                    "orphaned_files": files.findings,
                    "orphaned_file_bytes": files.bytes,
                    "orphaned_records": found.of(&Kind::OrphanedRecord).findings,
                    "condemned_records": found.condemned().findings,
                    "rules": rules.collect::<Value>(),
                    "kinds": report.kinds.iter().map(|kind| (kind.name().to_owned(), sum(found.of(kind)))).collect::<Value>(),
                    "tables": report.tables.iter().map(|table| {
                        (table.name.clone(), json!({ "records": table.records, "findings": table.findings }))
                    }).collect::<Value>(),
                }),
            ),
            (
                "requests",
                json!({
                    "list": report.requests.list,
                    "head": report.requests.head,
                    "copy": report.requests.copy,
                    "delete": report.requests.delete,
                }),
            ),
        ];
        out.write_all(b"{")?;
        for (name, value) in head {
            write!(out, "\"{name}\": ")?;
            write_value(&mut out, &value)?;
            out.write_all(b",\n ")?;
        }
        out.write_all(b"\"findings\": [")?;
        Ok(Json { out, line: Vec::new(), findings: 0, report })
    }
}

/// An orphaned file. There may be millions.
#[derive(Serialize)]
struct File<'a> {
    kind: &'a str,
    key: &'a str,
    size: u64,
    last_modified: Option<String>,
    etag: Option<&'a str>,
    first_seen: String,
    held: Option<&'a str>,
    held_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derived_from: Option<&'a str>,
}

impl Rendering for Json<'_> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.line.clear();
        self.line.extend_from_slice(if self.findings == 0 { b"\n  " } else { b",\n  " });
        self.findings += 1;
        let (kind, first_seen) = (finding.kind.name(), machine_time(finding.first_seen));
        let held = finding.held.as_ref().map(|held| held.reason.as_str());
        let held_by = finding.held.as_ref().map(|held| held.by.code());
        let value = match &finding.subject {
            Subject::File { size, last_modified, etag, derived_from } => {
                write_value(
                    &mut self.line,
                    &File {
                        kind,
                        key: &finding.key,
                        size: *size,
                        last_modified: last_modified.map(machine_time),
                        etag: etag.as_deref(),
                        first_seen,
                        held,
                        held_by,
                        derived_from: derived_from.as_deref(),
                    },
                )?;
                return self.out.write_all(&self.line);
            }
            Subject::Record { table, id, created_at, file: Some(file) } => json!({
                "kind": kind,
                "key": Some(&finding.key).filter(|key| !key.is_empty()),
                "table": table,
                "id": row_id::to_json(id),
                "created_at": created_at.map(machine_time),
                "size": file.size,
                "shared": file.shared,
                "first_seen": first_seen,
                "held": held,
                "held_by": held_by,
            }),
            Subject::Record { table, id, created_at, file: None } => json!({
                "kind": kind,
                "key": finding.key,
                "table": table,
                "id": row_id::to_json(id),
                "created_at": created_at.map(machine_time),
                "first_seen": first_seen,
                "held": held,
                "held_by": held_by,
            }),
        };
        let mut value = value;
        if let Subject::Record { table, .. } = &finding.subject
            && let (Some(database), table) = self.report.in_database(table)
        {
            (value["database"], value["table"]) = (database.into(), table.into());
        }
        write_value(&mut self.line, &value)?;
        self.out.write_all(&self.line)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let refusal = match &self.report.refusal {
            Some((limit, message)) => json!({ "limit": limit, "message": message }),
            None => Value::Null,
        };
        let done = self.report.removals.clone().unwrap_or_default();
        let removals = json!({
            "files_trashed": done.files_trashed,
            "files_deleted": done.files_deleted,
            "bytes": done.bytes,
            "bytes_freed": done.freed_bytes(),
            "bytes_later": done.later_bytes(),
            "old_versions": match done.versions {
                Versions::None => "none",
                Versions::Kept => "kept",
                Versions::Suspended => "suspended",
                Versions::Unknown => "unknown",
            },
            "records_deleted": done.records_deleted,
            "records_updated": done.records_updated,
            "put_back": done.put_back,
            "purged": done.purged,
            "purged_bytes": done.purged_bytes,
            "skipped": done.skipped,
            "failed": done.failed,
            "left": done.left,
            "later": self.report.later,
            "resumed": self.report.resumed,
            "reasons": done.reasons,
            "errors": done.errors,
        });
        self.out.write_all(b"],\n \"refusal\": ")?;
        write_value(&mut self.out, &refusal)?;
        self.out.write_all(b",\n \"removals\": ")?;
        write_value(&mut self.out, &removals)?;
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}

/// Findings of one kind.
fn sum(sum: Sum) -> Value {
    json!({ "findings": sum.findings, "bytes": sum.bytes, "held": sum.held })
}

/// Writes a value on one line, safe to look at.
pub fn write_value(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Plain);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Compact JSON in which what a terminal would act on, or not show, is written as an escape: the same document, safe to
/// look at.
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_deceptive(*c)) {
            CompactFormatter.write_string_fragment(out, &rest[..at])?;
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))?;
            rest = &rest[at + c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(out, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_are_escaped_and_read_back_the_same() {
        let key = "a\u{202e}b\u{e0041}c\u{1}\"\\日😀\u{200b}";
        let mut out = Vec::new();
        write_value(&mut out, &json!({ "key": key })).expect("a buffer");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(!text.contains(is_deceptive), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON")["key"], key);
    }
}

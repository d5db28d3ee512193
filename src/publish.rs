//! Hands a report to standard output and to the file that was asked for, with the findings streamed from the ledger.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

use crate::domain::{Finding, Subject};
use crate::exit_code::Misconfigured;
use crate::ledger::{Ledger, Position};
use crate::report::{self, Format, LISTED, Report};

/// Findings read from the ledger at once.
const PAGE: usize = 1000;

/// A file that will hold the report: written beside its place, and put there whole.
pub struct OutputFile {
    path: PathBuf,
    format: Format,
    file: NamedTempFile,
}

impl OutputFile {
    /// Makes sure, before any work is done, that the report can be written to `path`.
    ///
    /// # Errors
    /// [`Misconfigured`] for an extension that names no format, or a folder that cannot be written.
    pub fn prepare(path: &Path) -> Result<Self> {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("txt" | "text") => Format::Text,
            Some("json") => Format::Json,
            Some("csv") => Format::Csv,
            _ => {
                let path = path.display();
                return Err(Misconfigured(format!("--output {path}: the name must end in .txt, .json or .csv")).into());
            }
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".cleanup-assets-")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(|error| {
                // What follows names the file beside its place, which nobody has heard of.
                let error = error.to_string();
                let why = error.split(" at path ").next().unwrap_or_default();
                Misconfigured(format!("--output {}: {why}", path.display()))
            })?;
        Ok(OutputFile { path: path.to_owned(), format, file })
    }

    async fn write(self, report: &Report, ledger: &mut Ledger) -> Result<()> {
        let out = BufWriter::new(self.file.reopen()?);
        render(self.format, usize::MAX, report, ledger, Box::new(out)).await?;
        self.file.persist(&self.path)?;
        Ok(())
    }
}

/// Prints the report, and writes it to the file. Whoever reads standard output may stop reading.
pub async fn publish(
    report: &Report,
    ledger: &mut Ledger,
    format: Option<Format>,
    file: Option<OutputFile>,
) -> Result<()> {
    if let Some(format) = format {
        let most = if format == Format::Text { LISTED } else { usize::MAX };
        match render(format, most, report, ledger, Box::new(BufWriter::new(io::stdout()))).await {
            Err(error) if is_broken_pipe(&error) => {}
            printed => printed.context("printing the report")?,
        }
    }
    if let Some(file) = file {
        let path = file.path.clone();
        file.write(report, ledger).await.with_context(|| format!("writing the report to {}", path.display()))?;
    }
    Ok(())
}

/// Renders a report with at most `most` findings of each kind.
async fn render(
    format: Format,
    most: usize,
    report: &Report,
    ledger: &mut Ledger,
    out: Box<dyn Write + '_>,
) -> Result<()> {
    tracing::debug!("writing the report");
    let mut rendering = report::begin(format, report, out)?;
    for kind in report::kinds_in_order(format, report) {
        rendering.section(&kind)?;
        let mut left = most;
        let mut page = ledger.findings(&kind, &Position::default(), PAGE.min(left)).await?;
        while let Some(last) = page.last() {
            left = left.saturating_sub(PAGE);
            // The ledger reads on, in a thread of its own, while the page is written.
            let next = async {
                match left {
                    0 => Ok(None),
                    left => ledger.findings(&kind, last, PAGE.min(left)).await.map(Some),
                }
            };
            let written = async {
                let findings = page.read()?.into_iter().map(|finding| named_by_its_value(finding, report));
                findings.into_iter().try_for_each(|finding| Ok(rendering.finding(&finding)?))
            };
            let (next, written): (_, Result<()>) = futures::join!(next, written);
            written?;
            match next? {
                Some(next) => page = next,
                None => break,
            }
        }
    }
    Ok(rendering.finish()?)
}

/// A row that owns a folder, with its key as the column mostly has it: without the last slash.
fn named_by_its_value(mut finding: Finding, report: &Report) -> Finding {
    if let Subject::Record { table, file, .. } = &mut finding.subject
        && report.folder_tables.contains(table)
        && finding.key.ends_with('/')
    {
        finding.key.pop();
        if let Some(file) = file {
            file.is_folder = true;
        }
    }
    finding
}

/// Whether an error only means that the reader of standard output has gone.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

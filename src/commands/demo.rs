//! `cleanup-assets demo`: a small application with uploads, in which some files have lost their record and some records
//! their file, and the real dry run on it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};
use clap::Args;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::cleanup::{self, Reporting};
use crate::cli::{self, ExitCode, Global, ReportFormat};
use crate::database::sample;
use crate::exit_code::Misconfigured;
use crate::maintain::maintain;
use crate::publish::OutputFile;

/// Make a small SQLite application with uploads, and run the dry run on it
#[derive(Debug, Args)]
pub struct Arguments {
    /// A new or empty folder
    #[arg(default_value = "cleanup-assets-demo")]
    dir: PathBuf,
    #[command(flatten)]
    reporting: Reporting,
}

const ANIMALS: [&str; 15] = [
    "bear", "cat", "dog", "elephant", "fox", "giraffe", "hedgehog", "koala", "lion", "mouse", "owl", "panda", "rabbit",
    "tiger", "zebra",
];
const PAGES: [&str; 10] =
    ["cover", "page-1", "page-2", "page-3", "page-4", "page-5", "page-6", "page-7", "page-8", "preview"];
/// Assets whose record is gone, and assets whose file is gone.
const WITHOUT_RECORD: [&str; 3] = ["assets/lion/preview.svg", "assets/owl/page-7.svg", "assets/zebra/cover.svg"];
const WITHOUT_FILE: [&str; 2] = ["assets/cat/page-3.svg", "assets/tiger/page-8.svg"];
/// Days since everything in the demo was made.
const AGE_DAYS: u32 = 30;

/// Makes the application, compares it, and says what to type next.
pub async fn run(Arguments { dir, reporting }: Arguments, global: &Global) -> Result<ExitCode> {
    // Told before anything is made; the run prepares its own.
    reporting.output.as_deref().map(OutputFile::prepare).transpose()?;
    let (dir, config) = make(&dir).await?;
    let prose = matches!(reporting.format, ReportFormat::Text);
    if prose {
        cli::print(&format!(
            "An application with {} assets is in {}.\nSome files have lost their record, and some records their file. \
             This is the dry run on it:\n\n",
            ANIMALS.len() * PAGES.len(),
            dir.display()
        ))?;
    }
    let code = maintain(&cleanup::dry_run(Some(config.clone()), reporting, global)).await?;
    if prose {
        cli::print(&what_next(&config))?;
    }
    Ok(code)
}

/// Makes the application, and gives its folder and its configuration.
async fn make(dir: &Path) -> Result<(PathBuf, PathBuf)> {
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
        let message = format!("demo: {} has something in it; name a new or an empty folder", dir.display());
        return Err(Misconfigured(message).into());
    }
    if dir.display().to_string().contains("${") {
        return Err(Misconfigured("demo: a configuration would read the folder's ${ as a variable".to_owned()).into());
    }
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let dir = dir.canonicalize()?;
    let keys: Vec<String> =
        ANIMALS.iter().flat_map(|animal| PAGES.iter().map(move |page| format!("assets/{animal}/{page}.svg"))).collect();
    let recorded: Vec<String> = keys.iter().filter(|key| !WITHOUT_RECORD.contains(&key.as_str())).cloned().collect();
    sample::create(&dir.join("app.db"), &recorded, Utc::now() - TimeDelta::days(AGE_DAYS.into())).await?;
    let mut stored = keys.iter().filter(|key| !WITHOUT_FILE.contains(&key.as_str()));
    stored.try_for_each(|key| upload(&dir.join("uploads"), key))?;
    let config = dir.join("config.toml");
    fs::write(&config, configuration(&dir)).with_context(|| format!("writing {}", config.display()))?;
    Ok((dir, config))
}

fn what_next(config: &Path) -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "cleanup-assets".into());
    let command = format!("{} --config {}", shell_word(&program), shell_word(config));
    format!(
        "\nNothing was changed. Next:\n  \
         {command}                  # the same report again\n  \
         {command} --format json    # for programs\n  \
         {command} history          # the runs so far\n\
         Then read {} and write one for your own application.\n",
        config.display()
    )
}

/// A path as a shell takes it.
fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    match path.chars().all(|c| c.is_alphanumeric() || "/._-+=:@,".contains(c)) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

fn upload(uploads: &Path, key: &str) -> Result<()> {
    let path = uploads.join(key);
    let folder = path.parent().unwrap_or(uploads);
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>{key}</title><path d=\"{}\"/></svg>\n",
        "M0 0l1 1".repeat(key.len())
    );
    fs::write(&path, drawing).with_context(|| format!("writing {}", path.display()))?;
    let made_at = SystemTime::now() - Duration::from_secs(u64::from(AGE_DAYS) * 24 * 3600);
    Ok(File::options().write(true).open(&path)?.set_modified(made_at)?)
}

fn configuration(dir: &Path) -> String {
    /// What a SQLite URL would take for something else.
    const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');
    let database = dir.join("app.db").display().to_string();
    let url = toml_string(&format!("sqlite:{}", utf8_percent_encode(&database, RESERVED)));
    let root = toml_string(&dir.join("uploads").display().to_string());
    let ledger = toml_string(&dir.join("ledger.db").display().to_string());
    format!(
        "\
# The configuration of the demo. config.example.toml shows every key.

# The application's database. A dry run only reads it.
[database]
url = {url}

# Where the files are: a folder here; kind = \"s3\" for a bucket.
[storage]
kind = \"local\"
root = {root}
# The files of the demo are a minute old, and say that they are {AGE_DAYS} days old. Leave this out for your own.
age_by = \"modified\"

# Each row of this table owns the file that its key column names.
[[records]]
table = \"assets\"
id = \"id\"
key = \"storage_key\"
created_at = \"created_at\"

# Younger files and rows are never findings: an upload may still be under way.
[safety]
min_age = \"24h\"

# What the tool remembers: its runs, and since when it has seen each finding.
[ledger]
path = {ledger}
"
    )
}

/// A string as TOML writes it.
fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

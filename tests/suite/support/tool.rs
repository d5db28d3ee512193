//! The real binary, run in a temporary folder of its own with a configuration and nothing of the caller's environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder with a `config.toml` and a ledger, in which the tool is run.
pub struct Tool {
    home: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What one run of the tool left behind.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; -1 where a signal ended the run.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Tool {
    /// Writes `config` into a new folder; a `[ledger]` section is added where it has none.
    pub fn new(config: &str) -> Tool {
        let home = tempfile::tempdir().expect("a temporary folder");
        let tool = Tool { home, environment: Vec::new() };
        tool.configure(config);
        tool
    }

    /// Replaces the configuration.
    pub fn configure(&self, config: &str) {
        let ledger = match config.contains("[ledger]") {
            true => String::new(),
            false => format!("\n[ledger]\npath = {:?}\n", self.path("ledger.db")),
        };
        std::fs::write(self.path("config.toml"), format!("{config}{ledger}")).expect("config.toml");
    }

    /// Sets a variable of the tool's environment.
    pub fn env(mut self, name: &str, value: &str) -> Tool {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The command, ready to be spawned by tests that need more than its end.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cleanup-assets"));
        command
            .args(arguments)
            .current_dir(self.home())
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs the tool to its end, with `config.toml` of its folder.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(arguments).output().expect("the tool starts");
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("a report in UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the dry run with `--format json` and expects it to end well.
    pub fn report(&self) -> Value {
        let outcome = self.run(&["--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        outcome.json()
    }
}

impl Outcome {
    /// Standard output as one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not JSON ({e}): {self:#?}"))
    }
}

/// The keys of a report's findings of one kind, in the report's order.
pub fn keys_of(report: &Value, kind: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter(|finding| finding["kind"] == kind)
        .map(|finding| finding["key"].as_str().expect("a key").to_owned())
        .collect()
}

//! A world as the tool finds it: statements, a configuration, a folder.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{File, Table, World};

impl File {
    pub fn modified(&self) -> SystemTime {
        SystemTime::now() - Duration::from_secs(self.hours * 3600)
    }

    /// What the file holds: no two are the same.
    pub fn content(&self) -> &str {
        &self.key
    }
}

impl World {
    /// Statements that make the tables and fill them, in SQLite and in PostgreSQL. The id of a row is its place in `rows`.
    pub fn sql(&self) -> String {
        let mut sql = "CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT);\n\
                       CREATE TABLE users (id INTEGER PRIMARY KEY, avatar TEXT, created_at TEXT);\n"
            .to_owned();
        for table in Table::ALL {
            let rows = self.rows.iter().enumerate().filter(|(_, row)| row.table == table);
            let values: Vec<String> = rows
                .map(|(id, row)| {
                    let created_at = chrono::DateTime::<chrono::Utc>::from(
                        SystemTime::now() - Duration::from_secs(row.hours * 3600),
                    );
                    format!("({id}, {}, '{}')", literal(&row.value), created_at.format("%Y-%m-%dT%H:%M:%SZ"))
                })
                .collect();
            for page in values.chunks(500) {
                sql += &format!("INSERT INTO {} VALUES {};\n", table.name(), page.join(", "));
            }
        }
        sql
    }

    /// The configuration behind `[database]` and `[storage]`.
    pub fn configuration(&self) -> String {
        format!(
            "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\ncreated_at = \"created_at\"\n\
             updated_at = \"created_at\"\nmissing_file = \"delete\"\n[[references]]\ntable = \"users\"\nkey = \"avatar\"\n{}\
             [safety]\nmax_percent = 100\nmax_removals = 1000000\n",
            self.sections
        )
    }

    /// Writes the files and the links below `root`.
    pub fn lay_out(&self, root: &Path) -> io::Result<()> {
        for file in &self.files {
            let path = root.join(&file.key);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, file.content())?;
            fs::File::options().write(true).open(&path)?.set_modified(file.modified())?;
        }
        for (link, target) in &self.links {
            symlink(root.join(target), root.join(link))?;
        }
        Ok(())
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

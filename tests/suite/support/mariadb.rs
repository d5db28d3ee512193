//! A MariaDB database of one test's own, and users with few rights in it.

use std::cell::RefCell;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::servers::{Database, blocking, setting, unique_name, with_database, with_login};

pub struct MariaDb {
    administrator_url: String,
    name: String,
    users: RefCell<Vec<String>>,
}

impl MariaDb {
    pub fn new() -> MariaDb {
        MariaDb::on(&setting("MARIADB"))
    }

    /// The same on another server.
    pub fn on(server: &str) -> MariaDb {
        let administrator_url = server.to_owned();
        let name = unique_name('_');
        blocking(execute(&administrator_url, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")))
            .expect("CREATE DATABASE");
        MariaDb { administrator_url, name, users: RefCell::default() }
    }

    /// Makes a user with `privileges` on the database, and gives the URL under which it logs in.
    pub fn user(&self, privileges: &str) -> String {
        let user = unique_name('_');
        self.run(&format!("CREATE USER {user} IDENTIFIED BY 'secret'"));
        self.users.borrow_mut().push(user.clone());
        self.run(&format!("GRANT {privileges} ON {}.* TO {user}", self.name));
        with_login(&self.url(), &user, "secret")
    }
}

impl Database for MariaDb {
    fn url(&self) -> String {
        with_database(&self.administrator_url, &self.name)
    }

    fn run(&self, sql: &str) {
        blocking(execute(&self.url(), sql)).unwrap_or_else(|e| panic!("{e}: {sql:.500}"));
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let rows = blocking(async {
            let mut connection = MySqlConnection::connect(&self.url()).await?;
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await
        });
        rows.unwrap_or_else(|e| panic!("{e}: {sql}"))
    }

    fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\\', r"\\").replace('\'', "''"))
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // As far as it goes: the server is thrown away with everything in it.
        let _ = blocking(execute(&self.administrator_url, &format!("DROP DATABASE {}", self.name)));
        for user in self.users.take() {
            let _ = blocking(execute(&self.administrator_url, &format!("DROP USER {user}")));
        }
    }
}

async fn execute(url: &str, sql: &str) -> sqlx::Result<()> {
    let mut connection = MySqlConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    connection.close().await
}

//! A PostgreSQL database of one test's own, and roles with few rights in it.

use std::cell::RefCell;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::servers::{Database, blocking, setting, unique_name, with_database, with_login};

pub struct Postgres {
    superuser_url: String,
    name: String,
    roles: RefCell<Vec<String>>,
}

impl Postgres {
    pub fn new() -> Postgres {
        let superuser_url = setting("POSTGRES");
        let name = unique_name('_');
        blocking(execute(&superuser_url, &format!("CREATE DATABASE {name}"))).expect("CREATE DATABASE");
        Postgres { superuser_url, name, roles: RefCell::default() }
    }

    /// Makes a role that may log in and nothing else, runs `grants` with `{role}` replaced by its name, and gives the URL
    /// under which it logs in.
    pub fn role(&self, grants: &str) -> String {
        let role = unique_name('_');
        self.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'"));
        self.roles.borrow_mut().push(role.clone());
        self.run(&grants.replace("{role}", &role));
        with_login(&self.url(), &role, "secret")
    }
}

impl Database for Postgres {
    fn url(&self) -> String {
        with_database(&self.superuser_url, &self.name)
    }

    fn run(&self, sql: &str) {
        blocking(execute(&self.url(), sql)).unwrap_or_else(|e| panic!("{e}: {sql:.500}"));
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let rows = blocking(async {
            let mut connection = PgConnection::connect(&self.url()).await?;
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await
        });
        rows.unwrap_or_else(|e| panic!("{e}: {sql}"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // As far as it goes: the server is thrown away with everything in it.
        let _ = blocking(execute(&self.superuser_url, &format!("DROP DATABASE {} WITH (FORCE)", self.name)));
        for role in self.roles.take() {
            let _ = blocking(execute(&self.superuser_url, &format!("DROP ROLE {role}")));
        }
    }
}

async fn execute(url: &str, sql: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    connection.close().await
}

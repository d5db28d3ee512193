//! The application's own session in a database, which holds locks over several statements.

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use tokio::runtime::Runtime;

enum Inner {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

pub struct Session {
    // A connection lives with the runtime that it was made in.
    runtime: Runtime,
    inner: Inner,
}

impl Session {
    pub fn to(url: &str) -> Session {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let inner = match url.starts_with("postgres") {
            true => Inner::Postgres(runtime.block_on(PgConnection::connect(url)).expect("PostgreSQL")),
            false => Inner::MySql(runtime.block_on(MySqlConnection::connect(url)).expect("MariaDB")),
        };
        Session { runtime, inner }
    }

    pub fn run(&mut self, sql: &str) {
        let statement = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let done = match &mut self.inner {
            Inner::Postgres(connection) => self.runtime.block_on(statement.execute(connection)).map(|_| ()),
            Inner::MySql(connection) => self.runtime.block_on(statement.execute(connection)).map(|_| ()),
        };
        done.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }
}

//! Keys that no column holds as they are: SQL over the row (`key_sql`), and URLs (`url_base`), on every engine.

/// Makes a test of each of these functions on each engine; it is given a database of its own.
macro_rules! on_each_engine {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(&crate::support::sqlite::Sqlite::new());
            })+
        }
        mod postgres {
            $(#[test]
            #[ignore = "needs PostgreSQL: run tests/run"]
            fn $name() {
                super::$name(&crate::support::postgres::Postgres::new());
            })+
        }
        mod mariadb {
            $(#[test]
            #[ignore = "needs MariaDB: run tests/run"]
            fn $name() {
                super::$name(&crate::support::mariadb::MariaDb::new());
            })+
        }
    };
}

mod expressions;
mod scene;
mod urls;
mod urls_removed;

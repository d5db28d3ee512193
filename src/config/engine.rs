//! The engines that a database's URL can name: the list that a new one adds itself to.

use std::fmt;

/// An engine of databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    MySql,
    Sqlite,
}

/// What is known of an engine before anything is asked of it.
struct Facts {
    /// As reports and pairs name it.
    name: &'static str,
    /// What its URLs begin with. Messages name the first.
    schemes: &'static [&'static str],
    /// Whether its URLs are of a server, and are checked as such. Else they name a file.
    is_server: bool,
}

impl Engine {
    /// Every engine, in the order in which messages name them.
    const ALL: [Engine; 3] = [Engine::Postgres, Engine::MySql, Engine::Sqlite];

    fn facts(self) -> Facts {
        match self {
            Engine::Postgres => Facts { name: "postgres", schemes: &["postgres", "postgresql"], is_server: true },
            Engine::MySql => Facts { name: "mysql", schemes: &["mysql", "mariadb"], is_server: true },
            Engine::Sqlite => Facts { name: "sqlite", schemes: &["sqlite"], is_server: false },
        }
    }

    /// The engine of a URL.
    ///
    /// # Errors
    /// What is wrong with the URL; it is not quoted.
    pub fn of(url: &str) -> Result<Self, String> {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        let engine = Engine::ALL.into_iter().find(|engine| engine.facts().schemes.contains(&scheme));
        let engine = engine.ok_or_else(|| format!("[database] url must begin with {}", beginnings()))?;
        if engine.facts().is_server && !is_readable(url) {
            let message = "[database] url cannot be read: it is written scheme://user:password@host:port/database, and \
                           `/`, `#`, `?` and `@` in a password are written %2F, %23, %3F and %40";
            return Err(message.to_owned());
        }
        Ok(engine)
    }
}

/// Whether the URL of a server has parts, and none that it should not have.
fn is_readable(url: &str) -> bool {
    url.contains("://") && url::Url::parse(url).is_ok_and(|url| url.fragment().is_none())
}

/// How URLs begin, for a message.
fn beginnings() -> String {
    let beginning = |engine: Engine| {
        let Facts { schemes, is_server, .. } = engine.facts();
        format!("{}{}", schemes[0], if is_server { "://" } else { ":" })
    };
    let [others @ .., last] = &Engine::ALL.map(beginning);
    format!("{} or {last}", others.join(", "))
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_engine_by_its_scheme() {
        for engine in Engine::ALL {
            for scheme in engine.facts().schemes {
                assert_eq!(Engine::of(&format!("{scheme}://host/name")), Ok(engine));
            }
        }
        assert_eq!(Engine::of("sqlite:app.db"), Ok(Engine::Sqlite));
    }

    #[test]
    fn a_url_of_no_engine_is_told_how_urls_begin() {
        let expected = "[database] url must begin with postgres://, mysql:// or sqlite:";
        for url in ["oracle://u:hunter2@h/d", "app.db", "", "Postgres://h/d"] {
            assert_eq!(Engine::of(url), Err(expected.to_owned()), "{url}");
        }
    }

    #[test]
    fn the_url_of_a_server_must_be_readable() {
        for url in ["postgres:app", "postgres://u:p/x@h/d", "mysql://u:p#x@h/d", "mariadb://h:port/d"] {
            assert!(Engine::of(url).is_err_and(|wrong| wrong.contains("cannot be read")), "{url}");
        }
        assert_eq!(Engine::of("sqlite:a#b.db"), Ok(Engine::Sqlite));
    }
}

//! A connection to each of several databases, made once it is needed.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::database::connection::{Connection, Login};
use crate::database::dialect::link::Access;

/// Connections by the places of their databases.
pub struct Connections {
    logins: Vec<Arc<Login>>,
    access: Access,
    open: Vec<Option<Connection>>,
}

impl Connections {
    /// None yet, to these databases.
    pub fn new(logins: &[Arc<Login>], access: Access) -> Self {
        Connections { logins: logins.to_vec(), access, open: logins.iter().map(|_| None).collect() }
    }

    /// One to each database, open to read.
    pub fn opened(logins: &[Arc<Login>], open: Vec<Connection>) -> Self {
        Connections { open: open.into_iter().map(Some).collect(), ..Connections::new(logins, Access::Read) }
    }

    /// How many databases there are.
    pub fn len(&self) -> usize {
        self.logins.len()
    }

    /// The connection to the database at this place.
    pub async fn at(&mut self, place: usize) -> Result<&mut Connection> {
        let (Some(login), Some(open)) = (self.logins.get(place), self.open.get_mut(place)) else {
            anyhow::bail!("a database that is not configured");
        };
        if open.is_none() {
            *open = Some(match self.access {
                Access::Read => Connection::open(login).await.context("connecting")?,
                Access::Write => Connection::open_to_write(login).await.context("connecting to write")?,
            });
        }
        open.as_mut().context("a connection that was just made")
    }
}

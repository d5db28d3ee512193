//! The second look at objects that records name and that were not listed: each is asked for by its key, while other ranges
//! are still being listed.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};

use crate::storage::{Presence, Store};

/// Looks of one range at once; how many there are in all, the store says.
const AT_ONCE: usize = 64;

/// A key that was not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub key: String,
    pub look: Look,
}

/// What a look at its object found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    Here,
    Gone,
    /// Neither can be said, and why; no run may act on it.
    Unknown(String),
}

/// Looks at the objects with these keys.
///
/// # Errors
/// Whatever leaves open whether one of them is there (I2).
pub async fn look_at(store: &dyn Store, keys: Vec<String>) -> Result<Vec<Missing>> {
    let looks = futures::stream::iter(keys).map(|key| async move {
        let look = match store.look(&key).await? {
            Presence::Present(_) => Look::Here,
            Presence::Missing => Look::Gone,
            Presence::Unknown(reason) => Look::Unknown(reason),
        };
        anyhow::Ok(Missing { key, look })
    });
    looks.buffer_unordered(AT_ONCE).try_collect().await.context("the storage could not be looked at once more")
}

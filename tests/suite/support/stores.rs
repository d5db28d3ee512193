//! What every test store offers: a bucket or a folder of one test's own.

use std::time::{Duration, SystemTime};

/// How long ago an object was stored, where a store lets a test say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stored {
    LastMonth,
    ThreeDaysAgo,
    Now,
}

impl Stored {
    pub fn time(self) -> SystemTime {
        let days = match self {
            Stored::LastMonth => 30,
            Stored::ThreeDaysAgo => 3,
            Stored::Now => 0,
        };
        SystemTime::now() - Duration::from_secs(days * 24 * 3600)
    }
}

pub trait Store {
    /// The lines of the configuration that begin with `[storage]` and name the store.
    fn configuration(&self) -> String;

    /// The credentials, as variables of the tool's environment.
    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether objects can be given an age; otherwise all of them were stored just now.
    fn has_ages(&self) -> bool;

    /// Stores small objects under these keys.
    fn put(&self, objects: &[(String, Stored)]);
}

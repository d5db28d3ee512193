//! PURE: the domain's words as types. Values in, values out: no database, no store, no clock, no terminal.

pub mod derived;
mod finding;
mod hold;
pub mod key;
mod kind;
pub mod listed;
mod object;
pub mod packed;
pub mod removal;
pub mod resemble;
mod row;
pub mod row_id;
mod totals;

use chrono::{DateTime, Utc};

pub use finding::{CondemnedFile, Finding, LeftOut, Subject};
pub use hold::{Held, Hold, LOSES};
pub use kind::{Kind, Side};
pub use object::{FileNumber, FolderRights, Object, Requests};
pub use row::{Claim, Claims, Created, Image, MOST_SOURCES, Mark, Record, Seen};
pub use totals::{Counts, Found, Sum, Totals};

/// A point in time, always UTC.
pub type Time = DateTime<Utc>;

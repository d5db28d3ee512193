//! The application's database: its keys in byte order, and its answers about single keys ([`Session`]). sqlx lives in this
//! folder and (for the tool's own file) in `ledger`; nothing here knows of stores.

mod advice;
mod advisory;
mod agreement;
mod cascades;
mod catalog;
mod checked;
mod chunks;
mod column;
mod connection;
mod connections;
mod date;
mod dialect;
mod key_column;
mod lines;
mod open;
mod recent;
mod rows;
mod rules;
pub mod sample;
mod session;
mod sorter;
mod source;
mod spool;
mod standby;
mod stream;
mod tables;
mod url;
mod way_back;
mod whole;
mod writer;

pub use advisory::Advisory;
pub use checked::Database;
pub use chunks::Strays;
pub use open::{address, file, identities};
pub use recent::Recent;
pub use rows::Ownerless;
pub use session::Session;
pub use stream::{MergedKeys, Named};
pub use tables::Stranger;
pub use way_back::Back;
pub use writer::{Aim, How, Outcome, Writer};

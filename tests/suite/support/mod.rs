//! What the tests stand on: the tool in a folder of its own, and the servers that it talks to.

pub mod cutter;
pub mod garage;
pub mod local;
pub mod mariadb;
pub mod postgres;
pub mod proxy;
pub mod row_scene;
pub mod s3;
pub mod servers;
pub mod session;
pub mod sqlite;
pub mod stores;
pub mod terminal;
pub mod tls;
pub mod tool;

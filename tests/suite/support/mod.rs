//! What the tests stand on: the tool in a folder of its own, and the servers that it talks to.

pub mod proxy;
pub mod s3;
pub mod tool;

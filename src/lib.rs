pub mod compare {
    pub mod merge;
    pub mod segments;
    pub mod slice;
}
pub mod config;
pub mod database;
pub mod exit_code;
pub mod finding;
pub mod judge;
pub mod key;
pub mod storage;

//! Rows that were deleted or updated come back as they were: of every column type that the documentation of the three
//! engines names, compared byte by byte with what was there before, in a way that is not the tool's own.

mod mariadb;
mod mariadb_values;
mod meanwhile;
mod postgres;
mod postgres_made;
mod postgres_values;
mod random;
mod sqlite;
mod sqlite_values;
mod trip;

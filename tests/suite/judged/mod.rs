//! What becomes of rows and files, against models that are written as tables: of single groups, in memory; and of whole
//! small applications, from the report through the removal to the second run.

mod after;
mod groups;
mod model;
mod world;

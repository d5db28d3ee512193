//! What the tool would remove of a world: it is run with `--execute` where nobody is there to confirm, so that it plans and
//! changes nothing.

use super::layouts::{Gone, World};
use crate::support::local::Folder;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::Store;
use crate::support::tool::Tool;

/// What would go of a world whose files lie in a folder.
pub fn gone(world: &World, folder: &Folder) -> Gone {
    let database = Sqlite::new();
    database.run(&world.sql());
    let tool = tool(world, &database, folder);
    let outcome = tool.run(&["--execute", "--format", "json"]);
    assert!([0, 4, 12].contains(&outcome.code), "{outcome:#?}");
    Gone::of_report(&outcome.json())
}

/// The tool, configured for a world.
pub fn tool(world: &World, database: &dyn Database, store: &dyn Store) -> Tool {
    let config = format!("[database]\nurl = {:?}\n{}{}", database.url(), store.configuration(), world.configuration());
    let tool = Tool::new(&config);
    store.environment().into_iter().fold(tool, |tool, (name, value)| tool.env(name, &value))
}

/// A folder with the files of a world.
pub fn folder(world: &World) -> Folder {
    let folder = Folder::new();
    world.lay_out(folder.root()).expect("the files");
    folder
}

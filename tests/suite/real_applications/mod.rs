//! Real applications: tables and keys as they make them, and the README's own configuration for each.
//!
//! Each has live files, true orphans and a lost file. Exactly those are found; `--execute` removes exactly the orphans,
//! and the run after it finds only what it may not act on.

mod active_storage;
mod directus;
mod discourse;
mod django;
mod medialibrary;
mod mediawiki;
mod nextcloud;
mod payload;
mod redmine;
mod scene;
mod strapi;
mod synapse;
mod wordpress;

//! Whether a folder is the one from which files were removed. A mount point has the path of its volume also while that is
//! not mounted, and a root that was changed along with its prefix the same address: a file that is missing there says nothing.

use anyhow::Result;

use crate::ledger::{Ledger, Removal, Which};
use crate::storage::{Hands, Moves, Presence, Store};

/// Removals that are looked for, the last ones.
const LOOKS: usize = 1_000;

/// What to say where another folder than before is at the store's address, and nothing of what earlier runs moved is there:
/// nothing that they left may be resolved, restored or purged then. `None`: it is the same, or was replaced with its trash.
///
/// # Errors
/// The ledger, or the folder, cannot be read.
pub async fn strayed(ledger: &mut Ledger, store: &dyn Store) -> Result<Option<String>> {
    let Hands::Moves(moves) = store.hands() else { return Ok(None) };
    let Some(address) = ledger.replaced_store() else { return Ok(None) };
    let files = ledger.removals(Which::Expected, 0, LOOKS).await?;
    for removal in &files {
        if is_there(store, moves, removal).await {
            return Ok(None);
        }
    }
    let has_trash = files.iter().any(|removal| removal.trash_key.is_some());
    let has_open = !files.is_empty() || !ledger.removals(Which::OpenRows, 0, 1).await?.is_empty();
    // What goes for good leaves nothing to look for: a folder that holds files is believed.
    if !has_trash && (!has_open || store.listing(None).next_page().await?.is_some()) {
        return Ok(None);
    }
    Ok(Some(format!(
        "another folder than before is at {address}, and nothing is there of what earlier runs moved to the trash or left \
         open: if its volume is not mounted, mount it; if `root` was changed, change it back, or move the trash along; if the \
         trash is gone for good, begin another ledger ([ledger] path); `restore` with this one brings back rows all the same"
    )))
}

/// Whether a file is in the trash, or where a step of it may be under way, at its place.
async fn is_there(store: &dyn Store, moves: &dyn Moves, removal: &Removal) -> bool {
    let in_trash = |key: &String| matches!(moves.look_in_trash(key), Ok(Presence::Present(_)));
    removal.trash_key.as_ref().is_some_and(in_trash)
        || !removal.state.is_in_trash() && matches!(store.look(&removal.object.key).await, Ok(Presence::Present(_)))
}

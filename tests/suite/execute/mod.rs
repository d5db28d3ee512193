//! `cleanup-assets --execute` and `cleanup-assets restore`: nothing is removed that is wanted, nothing without a word
//! typed at a terminal, and what was removed comes back.
//!
//! Every run of these tests is at a real terminal (`support::terminal`), on SQLite with the S3 server in the process
//! and with a local folder; whatever a run prints or remembers is searched for secrets (`scene`).
//!
//! Guards, and the test that fails without each:
//!
//! - a wrong pair is refused (`plan`): `plan::zero_records_are_final`, `plan::zero_objects_are_final`,
//!   `plan::zero_overlap_is_final`, `plan::a_low_overlap_only_the_configuration_lifts`
//! - `max_removals` (`plan`): `plan::max_removals_refuses_whole`
//! - `max_percent` (`plan`): `plan::max_percent_refuses_whole`
//! - findings that are held do not go (`removable_after`) and are not counted (`removable`):
//!   `plan::held_findings_are_left_out_and_named`
//! - a terminal (`confirm`): `confirm::without_a_terminal_nothing_is_removed`
//! - the word (`confirm`): `confirm::another_word_declines`
//! - the lock file is still the one that is locked (`is_held`): `second_look::a_lock_that_was_lost_removes_nothing`;
//!   for due trash: `trash::due_trash_stays_where_the_lock_was_lost`
//! - the lock in the database is still held, in PostgreSQL (`still_alone`):
//!   `ending::a_lock_in_the_database_that_was_lost_removes_nothing`
//! - what is open is resolved before the comparison (`resume`), and intents are committed before the first call
//!   (`intend`): `killed::removal::a_removal_to_trash_that_is_killed_at_a_call_is_finished_by_the_next_run`
//! - what is open is resolved before a restore:
//!   `killed::restore::a_restore_that_is_killed_at_a_call_is_finished_by_the_next`
//! - rows are asked for again (`wanted_now`): `second_look::a_row_that_appears_after_the_report_saves_its_file`
//! - streamed sources are streamed again (`remove_window`):
//!   `second_look::a_reference_that_appears_after_the_report_saves_its_file`
//! - each object is looked at again (`look_again`), and its time tells (`is_unchanged`):
//!   `second_look::a_file_uploaded_again_stays`; its etag: `second_look::a_file_uploaded_with_other_bytes_stays`; its
//!   size: `second_look::a_file_of_another_size_stays`
//! - the copy's source is the file that was looked at (`copy_object`):
//!   `meanwhile::a_file_uploaded_during_the_copy_stays`
//! - the copy is verified (`copy_one`, the etag in `is_copy`):
//!   `meanwhile::a_copy_that_is_not_verified_deletes_nothing`; the size in it:
//!   `judge::tests::a_copy_has_the_size_and_where_it_says_anything_the_etag`
//! - the original is looked at again after the copy (`copy_one`): `meanwhile::a_file_uploaded_after_the_copy_stays`
//! - the copy of what stays is taken out of the trash (`give_up`): `for_good::a_key_that_is_refused_fails_alone`; but
//!   not the last one: `meanwhile::the_copy_of_a_file_that_is_gone_stays`; nor that of a file that was replaced:
//!   `meanwhile::a_file_uploaded_after_the_copy_stays`
//! - a key that is refused is not gone (`batch`): `for_good::a_key_that_is_refused_fails_alone`
//! - a key without an answer is not gone (`remove_surely`): `faults::an_empty_answer_is_none`; nor is one that cannot
//!   be learned of (`batch`): `faults::no_fault_on_any_call_loses_a_file_or_tells_a_lie`
//! - what became of it is looked up (`learn`): `faults::no_fault_on_any_call_loses_a_file_or_tells_a_lie`; what changed
//!   is not deleted again: `meanwhile::a_file_uploaded_after_a_lost_answer_stays`; where the whole bucket is gone:
//!   `meanwhile::a_bucket_that_is_gone_deletes_nothing`
//! - the sources are asked once more (`ask_once_more`):
//!   `meanwhile::a_row_that_appears_during_the_removal_brings_its_file_back`; those that are streamed
//!   (`settle_streamed`): `meanwhile::a_streamed_reference_that_appears_during_the_removal_brings_its_file_back`
//! - nothing is overwritten on the way back (`MustBeFree`): `restore::nothing_is_overwritten`; the condition on the
//!   copy: `meanwhile::putting_back_overwrites_nothing`; the look before it:
//!   `restore::a_store_without_conditions_overwrites_nothing`
//! - what came back is verified (`bring_back`): `restore::nothing_is_overwritten`
//! - trash is due by the ledger's time (`due`): `trash::trash_is_kept_from_its_removal_on`
//! - due trash that is wanted again stays (`unwanted`): `trash::due_trash_that_is_wanted_again_is_not_lost`
//! - the intent to remove due trash is committed first (`purge_batch`):
//!   `killed::purge::a_purge_that_is_killed_at_a_commit_is_finished_by_the_next_run`
//! - due trash that is refused is not gone (`purge_batch`): `trash::due_trash_that_is_refused_stays_on_record`
//! - Ctrl-C ends a run after the batch in hand (`must_stop`): `ending::ctrl_c_finishes_the_batch_in_hand`; before due
//!   trash: `trash::ctrl_c_leaves_due_trash`
//! - the deadline does (`must_stop`): `ending::a_deadline_ends_after_the_batch_in_hand`
//! - the rate of deletes (`pace`): `ending::deletes_keep_to_their_rate`; of due trash:
//!   `trash::due_trash_keeps_to_the_rate`
//!
//! - no test fails: no more than was planned goes (`remove_files`, `purge`). Findings do not change after the plan, and
//!   what a run trashes is due within the same second only, with `keep = "0s"`.
//! - no test fails: due by time in `removals` alone, with the count of `due` as it is. Trash goes in the order in which
//!   it was removed, and no further than the count.

mod confirm;
mod ending;
mod faults;
mod for_good;
mod ledger;
mod meanwhile;
mod only;
mod plan;
mod races;
mod real;
mod restore;
mod restore_many;
pub mod scene;
mod second_look;
mod secrets;
mod trash;

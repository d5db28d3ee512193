//! What must always hold, by number: comments and tests cite these as I1, I2 and so on. Documentation only.
//!
//! The worst thing that this tool can do is to remove a file that is wanted. Every doubt is decided for keeping.
//!
//! Each section says in one sentence what holds, as the code has it today. Then it lists the guards: the pieces of code
//! without which it would not hold.
//!
//! - *In* names the code, as a path below `src`.
//! - *Test* names a test that fails when the guard is taken out: a path below `tests/suite`, or a unit test in a
//!   `tests` module below `src`. Where no test fails, that is said, and why.
//!
//! Tests of `rules` and of `keys` run on each engine; the paths leave the engine out. "PostgreSQL" and "MariaDB" behind
//! a test mean that it needs that server: `bash tests/run` starts one.
//!
//! Reasons to hold a finding, which then stays and is named, are in I2, I4, I5, I11, I17 and I18.
//!
//! To add a guard, write it and a test, take the guard out, see the test fail, and list both here. A test of the suite,
//! `invariants`, holds this file against the code: every number that is cited is a section, and every path is there.
//!
//! # I1 Complete or nothing
//!
//! A key is absent from a side only if that side was read to its end, whole and in order; else the run fails and
//! nothing is a finding.
//!
//! The database:
//!
//! - PostgreSQL refuses to filter a table's rows behind our back.
//!   In: `database::dialect::postgres::sql::BEGIN`.
//!   Test: `read_only::a_table_that_hides_rows_from_the_role_fails_the_run` (PostgreSQL).
//! - MySQL's own limit of rows is lifted.
//!   In: `database::dialect::mysql::link::BEGIN`.
//!   No test fails: no server of the suite has a limit.
//! - MySQL and MariaDB are told not to keep an answer in a table first, and cut no key off where they do.
//!   In: `database::dialect::mysql::sql::MySql::key`, `database::dialect::mysql::link::BEGIN`.
//!   Test: `database::agreement::tests::no_key_of_mariadb_is_cut_off_on_its_way` (MariaDB).
//! - A stream of keys that fails, or ends without saying that it is complete, fails the run.
//!   In: `database::stream::Head::receive`.
//!   Tests: `faults::database::a_postgres_connection_lost_in_mid_stream_fails_and_finds_nothing` (PostgreSQL),
//!   `faults::database::a_mariadb_connection_lost_in_mid_stream_fails_and_finds_nothing` (MariaDB).
//! - The connection that reads SQLite's keys opens the file that the other one does.
//!   In: `database::dialect::sqlite::pages::location`.
//!   Test: `database::dialect::sqlite::pages::tests::whatever_the_url_the_file_is_the_one_of_the_other_connection`.
//! - Rows of SQLite that fail, or end without a word, are an error.
//!   In: `database::dialect::sqlite::pages::Pages::next`, `database::dialect::sqlite::pages::send_pages`.
//!   Tests: `database::dialect::sqlite::pages::tests::a_statement_that_fails_among_its_rows_is_an_error`,
//!   `database::dialect::sqlite::pages::tests::a_thread_that_ends_without_a_word_is_an_error`.
//! - Keys that come out of byte order fail the run.
//!   In: `database::chunks::Chunks::push`, `database::chunks::Chunks::complete`.
//!   No test fails: every column that is let in is sorted by its bytes, by the database's own ORDER BY or here.
//! - Keys that the server does not sort are sorted here, and come back as many as they were.
//!   In: `database::dialect::mysql::sql::MySql::key_order`, `database::chunks::Chunks::complete`,
//!   `sorted::Sorted::next_whole`, `sorted::Sorter::merge`.
//!   Tests: `database::agreement::tests::columns_of_mariadb` (MariaDB),
//!   `sorted::tests::what_goes_in_comes_out_in_byte_order`,
//!   `sorted::tests::an_entry_that_is_lost_is_an_error_and_so_is_one_too_many`.
//! - The memory that they are sorted in does not grow with them: what cannot be read back at once is merged first.
//!   In: `sorted::first_to_merge`, `sorted::Sorter::one_of`, `sorted::Reader::fill`.
//!   Tests: `sorted::tests::long_entries_are_read_back_in_the_same_room`,
//!   `sorted::tests::many_sorters_take_no_more_room_than_one`.
//! - A line of COPY that is not whole is an error.
//!   In: `database::dialect::postgres::copied::Line::read`.
//!   Test: `database::dialect::postgres::copied::tests::what_is_no_line_is_an_error`.
//!
//! The store:
//!
//! - A page that was cut off, or is no page, is an error and never a short page.
//!   In: `storage::s3::page::read`, `storage::s3::scan::PageScan::finish`.
//!   Tests: `storage::s3::page::tests::what_is_no_page_is_an_error`,
//!   `storage::s3::page::tests::a_page_that_lost_or_gained_something_is_scanned_as_it_is_read`,
//!   `faults::listing::a_last_page_cut_between_elements_fails_and_finds_nothing`.
//! - A page with fewer objects than it says is an error.
//!   In: `storage::s3::listing::Pages::fetch`.
//!   No test fails: no page of the suite's server says so.
//! - A page that says that more follows, and not where, is an error.
//!   In: `storage::s3::listing::Pages::fetch`.
//!   Test: `faults::listing::a_truncated_page_without_a_token_fails_and_finds_nothing`.
//! - A continuation token that comes twice is an error, and so are very many empty pages: the listing would have no end.
//!   In: `storage::s3::listing::Tokens::come_back`, `storage::s3::listing::Pages::fetch`.
//!   Tests: `storage::s3::listing::tests::a_circle_of_tokens_is_met_wherever_it_begins_and_others_are_not_taken_for_one`,
//!   `faults::unordered::a_listing_without_an_end_fails`.
//! - A key out of order, or outside the range, is an error.
//!   In: `compare::cursor::Cursor::check`.
//!   Tests: `compare::cursor::tests::a_listing_out_of_order_or_outside_its_range_fails`,
//!   `faults::listing::a_page_out_of_order_fails_and_finds_nothing`,
//!   `faults::listing::a_key_from_before_the_range_fails_and_finds_nothing`.
//! - A store that lists in no order is sorted first, on disk.
//!   In: `storage::s3::unordered::read`, `sorted::Sorter::sorted`.
//!   Tests: `faults::unordered::a_store_without_order_is_compared_once_it_is_said_to_be_one`,
//!   `sorted::tests::what_goes_in_comes_out_in_byte_order`.
//! - A key outside the prefix is an error.
//!   In: `compare::cursor::Cursor::check`.
//!   Test: `faults::listing::a_key_outside_the_prefix_fails_and_finds_nothing`.
//! - A folder's files come in the byte order of whole keys.
//!   In: `storage::local::walk::Names::sort`.
//!   Test: `storage::local::walk::tests::a_walk_gives_the_byte_order_of_full_keys`.
//!
//! Both:
//!
//! - Ranges that are listed beside each other cover all keys, without a gap.
//!   In: `compare::part::Parts::finish`.
//!   Test: `compare::part::tests::a_gap_between_ranges_is_an_error`.
//! - What the database alone has is known only when its range was listed to its end.
//!   In: `compare::range::Scan::range`, `compare::merge::Join::page`.
//!   Tests: `compare::merge::tests::the_join_agrees_with_sets_whatever_the_pages_and_the_cuts`,
//!   `faults::listing::an_internal_error_for_ever_fails_and_finds_nothing`.
//! - `ignore` and the trash are left out after the join, on both sides at once.
//!   In: `compare::part::Part::take`, `compare::scope::Scope::ignores`.
//!   Tests: `applications::sqlite_and_a_local_folder`, `execute::trash::a_second_run_finds_nothing`.
//! - A run that failed forgets what it found so far.
//!   In: `maintain::Run::report_failure`.
//!   Test: `faults::listing::an_internal_error_for_ever_fails_and_finds_nothing`.
//!
//! # I2 Absence is proven
//!
//! An object is missing only if a look at it, by itself, was answered with 404; every other answer leaves it open. What is
//! open is held; where more than one look in a hundred fails (of few looks up to ten, but no more than half), the run does.
//!
//! - What was not listed is looked at before it is a finding.
//!   In: `look_again::records::Looking::at_missing`.
//!   Test: `faults::second_look::a_file_that_appears_after_the_listing_is_no_orphaned_record`.
//! - An answer other than 404 proves nothing: its record is held.
//!   In: `storage::s3::Bucket::head`, `look_again::records::looks`.
//!   Test: `faults::second_look::a_record_is_held_whose_file_may_not_be_looked_at`.
//! - Many such answers fail the run.
//!   In: `look_again::records::allowed_refusals`.
//!   Tests: `faults::second_look::a_forbidden_second_look_fails_and_finds_nothing`,
//!   `look_again::records::tests::a_single_look_may_always_fail_and_many_never`.
//! - What a run that died left open, and cannot be looked at, stays open and is named.
//!   In: `execute::resume::resume`.
//!   Test: `killed::late::what_cannot_be_looked_at_stays_open_and_stops_nothing_else`.
//! - A key for which the store cannot answer (400) is held.
//!   In: `look_again::records::Looking::at_missing`.
//!   Test: `faults::second_look::a_record_is_held_for_whose_file_the_store_does_not_answer`.
//! - A bucket that is gone proves nothing: it is asked for after the looks.
//!   In: `look_again::records::Looking::at_missing`, `execute::rows::Site::remove_batch`.
//!   Test: `faults::second_look::a_bucket_that_is_gone_at_the_second_look_fails_and_finds_nothing`.
//! - In a folder, a link or a special file on the way leaves it open.
//!   In: `storage::local::beneath::Beneath::file`, `storage::local::beneath::proves_absence`.
//!   Test: `storage::local::tests::only_a_regular_file_below_the_root_is_present`.
//!
//! # I3 The right pair
//!
//! Where the two sides do not look as if they belonged together, nothing is removed: no rows, no objects, no key on
//! both sides, or fewer than `min_overlap`, which the configuration alone can lower. Where a source of keys has no row, or
//! five values or more of which not one is an object, no file is removed, unless its `may_be_empty` says that it may.
//!
//! - What a wrong pair is.
//!   In: `judge::wrong_pair`.
//!   Test: `judge::tests::a_wrong_pair_shows_in_zeroes_and_in_a_low_overlap`.
//! - A wrong pair refuses the plan, whatever the limits.
//!   In: `plan::plan`.
//!   Tests: `execute::plan::zero_records_are_final`, `execute::plan::zero_objects_are_final`,
//!   `execute::plan::zero_overlap_is_final`, `execute::plan::a_low_overlap_only_the_configuration_lifts`,
//!   `plan::tests::a_wrong_pair_refuses_whatever_the_limits`.
//! - A source that gives nothing which is an object refuses the removal of files.
//!   In: `judge::Silence::of`, `plan::plan`.
//!   Tests: `execute::plan::a_silent_source_is_refused`, `plan::tests::a_silent_source_refuses_files_and_not_rows`,
//!   `faults::pair::a_silent_source_is_a_warning`.
//! - A source of values that hold more than a key does too.
//!   In: `look_again::packed::at_packed`, `domain::packed::unpack`, `plan::plan`.
//!   Tests: `doubts::packed::a_packed_source_refuses_the_removal_of_files`,
//!   `doubts::packed::what_a_packed_value_names_is_not_removed`, `doubts::packed::a_long_text_is_taken_apart_too`,
//!   `domain::packed::tests::keys_are_found_in_whatever_holds_them`.
//! - What a rule condemns because its owners' table has no row is held, and is not condemned when it is to be removed.
//!   In: `database::tables::Session::ownerless`, `ledger::holding::Ledger::hold_ownerless`,
//!   `database::rules::owner_is_gone`.
//!   Tests: `rules::owners::an_owners_table_without_a_row_holds_what_it_would_condemn`,
//!   `rules::owners::an_owners_table_that_is_emptied_at_the_prompt_condemns_nothing`.
//! - A dry run warns of it, above its findings.
//!   In: `report::warnings::wrong_pair`.
//!   Tests: `faults::pair::no_records_at_all_is_a_warning`, `faults::pair::no_objects_at_all_is_a_warning`,
//!   `faults::pair::a_low_overlap_is_a_warning`.
//!
//! # I4 What resembles is held
//!
//! An orphaned file whose key resembles a value that no object carries is held, and so is the row of that value. Two names
//! resemble each other when they are spellings of one (percent-encoding, entities, escapes, case, Unicode's forms, slashes,
//! white space, quotes, a URL's scheme and host), or one has more path in front. A row without its object is held where
//! its value is another spelling of any object's key.
//!
//! - Which names resemble each other.
//!   In: `domain::resemble::resembles`.
//!   Tests: `domain::resemble::tests::any_chain_of_three_spellings_resembles_the_key`,
//!   `domain::resemble::tests::no_two_keys_of_one_application_resemble`.
//! - Each value without an object is compared with each object that nobody carries, and with others where rows may go.
//!   In: `look_again::resembling::at_names`.
//!   Tests: `faults::pair::near_misses_are_held_on_both_sides`, `faults::pair::more_path_in_front_is_held`,
//!   `faults::pair::a_row_like_a_known_file_is_held`.
//! - A value of one segment that ends too many keys holds none of them.
//!   In: `ledger::resembling::Ledger::names_to_confirm`.
//!   Test: `faults::pair::a_common_name_holds_no_file`.
//! - Files and rows that resemble each other are held.
//!   In: `ledger::holding::Ledger::hold_near_misses`.
//!   Tests: `faults::pair::near_misses_are_held_on_both_sides`,
//!   `applications::near_misses::other_spellings_in_sqlite_are_held`.
//! - Derived files are held with their owners' spellings, and with owners that are held.
//!   In: `ledger::holding::Ledger::hold_near_misses`, `ledger::holding::Ledger::hold_with_owners`.
//!   Tests: `derived::held::files_of_what_a_record_seems_to_misspell_are_held`,
//!   `derived::held::files_of_what_is_held_are_held`.
//! - Where a column holds URLs, a file with a `?` or a `#` in its name is held, and so is a row that names what is
//!   before it.
//!   In: `ledger::holding::Ledger::hold_where_urls_end`.
//!   Test: `keys::urls::a_file_whose_name_has_what_ends_a_url_is_held`.
//! - A key outside the prefix counts: it may be another spelling of one inside.
//!   In: `compare::slicer::Slicer::next`.
//!   Test: `faults::pair::a_value_outside_the_prefix_may_be_a_spelling_of_a_key_inside`.
//! - A file that the store gives under another name too, which the database uses, is held.
//!   In: `look_again::aliases::at_aliases`, `ledger::aliases::Ledger::match_unlisted`.
//!   Tests: `doubts::aliases::a_file_that_is_named_through_a_link_stays`,
//!   `doubts::aliases::a_store_that_folds_names_holds_what_it_gave`.
//! - Also where such a name is written otherwise, or stands in a list; and the row stays.
//!   In: `look_again::aliases::at_aliases`, `look_again::resembling::at_other_readings`,
//!   `look_again::links::at_links`.
//!   Test: `doubts::aliases::a_name_through_a_link_may_be_written_otherwise`.
//! - What is not UTF-8, in the database or in a folder, holds what it may be meant for.
//!   In: `database::chunks::Chunks::push_undecoded`, `storage::local::walk::Walk::file`,
//!   `ledger::holding::Ledger::hold_undecoded`.
//!   Tests: `sources::files::a_line_that_is_not_utf8_holds_what_looks_like_it`,
//!   `doubts::undecoded::a_value_holds_the_file_that_it_may_be_meant_for`,
//!   `doubts::undecoded::a_file_holds_the_row_that_it_may_be_meant_by`.
//! - Due trash stays that resembles a value that no object carries.
//!   In: `ledger::which::Which::condition`.
//!   Test: `execute::trash::due_trash_that_looks_like_a_value_stays`.
//! - What is held is no part of the plan.
//!   In: `ledger::planned::Ledger::removable`, `ledger::planned::Ledger::removable_after`,
//!   `ledger::planned::Ledger::plan_rows`.
//!   Tests: `execute::plan::held_findings_are_left_out_and_named`,
//!   `rules::shared::a_file_stays_where_one_of_its_rows_is_held`.
//!
//! # I5 Age
//!
//! What is younger than `min_age` is not judged: a file by the store's own clock, a row by the database's. A file without a
//! date that can be read, or with one in the future, is young; such a row is held until it was first seen `min_age` ago, and
//! so is a row without its file where nothing says when it was last changed.
//!
//! - What is young.
//!   In: `judge::is_young`, `judge::is_young_record`.
//!   Tests: `judge::tests::a_date_that_is_missing_or_in_the_future_is_young`,
//!   `judge::tests::a_row_without_a_date_that_can_be_read_is_a_finding`,
//!   `execute::plan::young_files_are_never_removed`.
//! - The store's clock decides.
//!   In: `storage::s3::connector::Meter::now`.
//!   Tests: `faults::clock::a_storage_clock_ahead_of_ours_decides`,
//!   `faults::clock::a_storage_clock_behind_ours_decides`,
//!   `faults::clock::a_storage_clock_that_is_far_ahead_is_not_believed`.
//! - What is no date of our time is not read as one, and what says no zone is read in the configured one.
//!   In: `database::date::parse`, `database::rows::Rows::age`.
//!   Tests: `database::date::tests::what_may_be_something_else_is_not_read`,
//!   `rules::dates::placeholders_are_dates_that_cannot_be_read`,
//!   `rules::dates::dates_without_a_zone_are_read_in_the_configured_one`.
//! - A file that came here a short time ago is young, whatever its modification time says.
//!   In: `storage::local::status::Status::object`, `judge::is_young_file`.
//!   Test: `doubts::times::a_file_that_was_unpacked_here_is_young`.
//! - A row of which nothing says when it was changed is held until its file was first seen missing `min_age` ago.
//!   In: `look_again::records::Looking::take`, `ledger::holding::Ledger::hold_newcomers`.
//!   Test: `doubts::times::a_row_whose_key_was_changed_a_moment_ago_stays`.
//! - A young row stays, whatever rules say of it.
//!   In: `judge::standing`.
//!   Tests: `judge::tests::a_row_is_condemned_by_the_first_rule_whose_clock_has_run_and_not_while_it_is_young`,
//!   `rules::ages::a_young_row_is_kept`, `rules::dates::a_row_whose_creation_time_cannot_be_read_is_held`.
//! - A young file keeps its rows.
//!   In: `compare::part::Part::condemn`.
//!   Test: `rules::ages::a_young_object_keeps_its_rows`.
//! - A rule's clock that cannot be read never starts.
//!   In: `domain::row::Mark::condemns`.
//!   Test: `rules::dates::a_date_that_cannot_be_read_keeps_its_row_and_is_told`.
//! - A row of a table without `created_at` is held until it was first seen `min_age` ago.
//!   In: `ledger::holding::Ledger::hold_newcomers`.
//!   Test: `rules::ages::a_row_without_age_is_held_until_it_was_seen_for_long_enough`.
//!
//! # I6 Shared files
//!
//! A file goes only if no row, reference or derived rule wants it: rules condemn rows, and a file follows the last of
//! its rows.
//!
//! - A file follows only where all of its rows are condemned and nothing refers to it.
//!   In: `judge::Group::file`.
//!   Tests: `judge::tests::a_file_goes_only_with_all_of_its_rows_and_where_nothing_refers_to_it`,
//!   `rules::shared::a_live_row_keeps_the_file_of_a_condemned_one`,
//!   `rules::shared::a_reference_protects_the_file_and_not_the_row`.
//! - And only where all of its rows are on the plan's list.
//!   In: `ledger::planned::Ledger::plan_rows`.
//!   Test: `rules::shared::a_file_stays_where_only_one_of_its_rows_is_named`.
//! - Nor is a row parted from files of its folder, or from those that it names by its other keys.
//!   In: `ledger::planned::Ledger::plan_rows`, `execute::rows::looking::Site::look_at_other_keys`.
//!   Tests: `sources::folders::a_list_parts_no_row_from_its_files`,
//!   `rules::several_keys::a_row_stays_where_one_of_its_files_does_not_go_now`,
//!   `rules::several_keys::a_row_that_lost_a_file_stays_while_another_is_there`.
//! - And only once all of them are gone.
//!   In: `execute::rows::Following::file_of`.
//!   Test: `rules::shared::a_row_that_is_wanted_again_keeps_the_file`.
//! - And only if a row that was updated does not own it any more.
//!   In: `database::writer::Writer::after`.
//!   Test: `row_faults::guards::a_row_that_would_still_own_its_file_keeps_it`.
//! - A derived file is wanted while what it belongs to is.
//!   In: `compare::owners::OwnerJoin::key`, `ledger::derived::Ledger::resolve_derived`.
//!   Tests: `compare::owners::tests::the_join_agrees_with_a_search_of_every_key`,
//!   `derived::judged::an_owner_far_away_is_asked_for`.
//! - And while what it belongs to is too young to judge, or has more owners than can be named.
//!   In: `ledger::derived::Ledger::resolve_derived`, `domain::derived::owners`.
//!   Tests: `ledger::derived::tests::a_derived_file_stays_with_an_owner_that_is_too_young_to_judge`,
//!   `domain::derived::tests::no_owner_is_forgotten_however_many_rules_speak_of_a_key`.
//! - A look-up finds what a stream reads, of each type that can hold keys; what is read again has the same answer.
//!   In: `database::dialect::sql::Dialect::key_list`, `database::connection::Driver::holds_text_alone`.
//!   Tests: `database::agreement::tests::columns_of_sqlite`, `database::agreement::tests::columns_of_postgres` (PostgreSQL),
//!   `database::agreement::tests::columns_of_mariadb` (MariaDB).
//! - Values that are URLs, or folders, are made keys and sorted here, whatever order they came in.
//!   In: `database::source::Source::is_unsorted`.
//!   Test: `sources::references::what_a_reference_names_stays`.
//! - Another database, and a file of keys, want as the first does.
//!   In: `database::catalog::sources`, `database::stream::MergedKeys::start`.
//!   Tests: `sources::databases::what_another_database_names_stays`, `sources::files::what_a_file_names_stays`,
//!   `sources::files::a_key_that_the_file_names_by_then_stays`.
//! - A derived file goes with its owner only where every owner goes.
//!   In: `ledger::derived::Ledger::follow_owners`.
//!   Test: `derived::removed::files_of_what_is_condemned_outside_the_prefix_stay`.
//!
//! - Everything below a folder that a row owns is that row's, and goes only with it; where another row names something in
//!   it, or where it lies at the top, the row is held.
//!   In: `domain::derived::folders_of`, `compare::merge::Join::page`, `look_again::records::of_folder`,
//!   `ledger::holding::Ledger::hold_shared_folders`.
//!   Tests: `sources::folders::what_lies_in_a_folder_is_its_rows`,
//!   `sources::folders::no_file_of_a_live_folder_goes_and_every_strangers_does`,
//!   `sources::folders::a_folder_that_may_hold_more_is_held`, `sources::folders::folders_within_folders_keep_what_is_wanted`.
//! - A folder is missing only where a complete list of what is below it is empty, and nothing has its name.
//!   In: `storage::look_for`.
//!   Tests: `sources::folders::a_row_without_its_folder_goes_and_comes_back`,
//!   `sources::folders::what_comes_before_the_removal_counts`.
//!
//! # I7 Limits
//!
//! Limits are counts that refuse the whole plan before the first removal, never counters that stop half-way.
//!
//! - More files and rows than `max_removals` refuse.
//!   In: `plan::plan`.
//!   Tests: `execute::plan::max_removals_refuses_whole`, `rules::limits::max_removals_counts_rows`,
//!   `plan::tests::each_limit_alone_is_enough_to_refuse`.
//! - More of the files than `max_percent` refuse, those that follow their rows included.
//!   In: `plan::plan`.
//!   Tests: `execute::plan::max_percent_refuses_whole`, `rules::limits::max_percent_of_the_files_that_follow`,
//!   `plan::tests::rows_count_towards_the_limits_of_their_table`.
//! - So do more of a table's rows.
//!   In: `plan::plan`.
//!   Tests: `rules::limits::max_percent_of_the_rows_of_a_table`,
//!   `plan::tests::each_table_is_measured_against_its_own_rows`.
//! - A run with `--limit` is judged by all that it found, but for these limits, which judge what is left of its plan.
//!   In: `plan::plan`.
//!   Tests: `rules::limits::a_limit_hides_no_doubt`, `execute::limited::the_limits_that_refuse_judge_what_is_left_of_the_plan`.
//! - What belongs together goes together, or stays.
//!   In: `ledger::limited::Ledger::limit_plan`.
//!   Tests: `rules::limits::a_limit_parts_no_row_from_its_files`,
//!   `ledger::limited::tests::the_rows_of_a_file_that_follows_them_stay_together`,
//!   `ledger::limited::tests::derived_files_stay_with_what_they_belong_to`.
//! - What is held is not counted.
//!   In: `ledger::planned::Ledger::removable`.
//!   Test: `execute::plan::held_findings_are_left_out_and_named`.
//! - No more goes than was planned.
//!   In: `execute::Site::remove_files`, `execute::rows::Site::remove_rows`, `execute::due::purge`.
//!   No test fails: findings do not change after the plan, and what a run trashes is due within the same second only,
//!   with `keep = "0s"`.
//!
//! # I8 Looked at again
//!
//! Just before a batch goes, the locks are still held, every source is asked again, and each object and each row is
//! still what was found; what changed stays. Just after it, the sources and the objects are asked once more.
//!
//! Before the report:
//!
//! - Each orphaned file is asked for once more, of every source.
//!   In: `look_again::at_files`.
//!   Test: `faults::second_look::a_file_whose_row_appears_during_the_listing_is_no_orphaned_file`.
//!
//! Files, before they go:
//!
//! - The lock file is still the one that is locked.
//!   In: `execute::Site::still_alone`, `lock::Lock::is_held`.
//!   Tests: `execute::second_look::a_lock_that_was_lost_removes_nothing`,
//!   `execute::trash::due_trash_stays_where_the_lock_was_lost`,
//!   `lock::tests::a_lock_whose_file_was_replaced_is_not_held`.
//! - The lock in the database is still held.
//!   In: `execute::Site::still_alone`, `database::advisory::Advisory::check`.
//!   Test: `execute::ending::a_lock_in_the_database_that_was_lost_removes_nothing` (PostgreSQL).
//! - Rows and references are asked for again.
//!   In: `execute::Site::wanted_now`.
//!   Test: `execute::second_look::a_row_that_appears_after_the_report_saves_its_file`.
//! - Sources that cannot be asked by key are streamed again.
//!   In: `execute::Site::remove_window`.
//!   Test: `execute::second_look::a_reference_that_appears_after_the_report_saves_its_file`.
//! - Their answer is not older than ten seconds, or one stream, when a file goes to the trash; nor than one stream when it
//!   goes for good.
//!   In: `execute::Site::is_old`, `execute::batch::Site::still_unwanted`.
//!   Test: `keys::urls_removed::a_url_that_appears_between_two_batches_saves_its_file`.
//! - What a derived file belongs to is asked for too.
//!   In: `execute::Site::kept_by`.
//!   Test: `derived::meanwhile::an_owner_that_is_wanted_after_the_report_keeps_its_files`.
//! - Each object is looked at again, and its time tells.
//!   In: `execute::batch::Site::look_again`, `judge::is_unchanged`.
//!   Tests: `execute::second_look::a_file_uploaded_again_stays`,
//!   `judge::tests::an_object_is_unchanged_while_size_etag_and_second_are_the_same`.
//! - Its etag tells.
//!   In: `judge::is_unchanged`.
//!   Test: `execute::second_look::a_file_uploaded_with_other_bytes_stays`.
//! - Its size tells.
//!   In: `judge::is_unchanged`.
//!   Test: `execute::second_look::a_file_of_another_size_stays`.
//! - What a listing answers for is compared in the same way.
//!   In: `execute::sight::Look::fate`, `execute::sight::Sight::by_listing`.
//!   Test: `execute::looks::what_changed_is_seen_by_the_listing`.
//! - A listing is believed only after the first files were the same both ways, in size, etag and time.
//!   In: `execute::sight::Sight::both_ways`, `judge::is_listed_as`.
//!   Tests: `execute::looks::a_listing_that_differs_from_the_looks_is_not_believed`,
//!   `judge::tests::a_listing_is_the_same_as_a_look_in_size_etag_and_second`.
//! - Nor by them alone, as a listing that lags names them too: that it names at once what is stored, stored over and removed
//!   is tried first, unless a delete heeds a condition.
//!   In: `execute::Site::learn_listing`, `storage::s3::trying::Bucket::try_listing_at`.
//!   Test: `execute::tried::a_listing_that_lags_is_not_believed_for_the_first_files`.
//! - And no longer than until it names what was just removed.
//!   In: `execute::sight::Sight::take`.
//!   Test: `execute::looks::a_listing_that_names_what_was_just_removed_is_not_believed`.
//! - Nor once it lacks what is there: that is looked at by itself.
//!   In: `execute::sight::Sight::look_at_lacking`.
//!   Test: `execute::looks::a_page_that_ends_early_is_not_believed`.
//! - Of a page that fails, is out of order, or names what was not asked for, nothing is believed, and its files stay.
//!   In: `execute::spans::Span::of`, `execute::sight::Sight::by_listing`.
//!   Tests: `execute::looks::a_listing_that_fails_removes_nothing`,
//!   `execute::spans::tests::a_page_that_is_not_what_was_asked_for_is_an_error`.
//! - A page answers for the keys between its ends alone.
//!   In: `execute::spans::Span::answers`.
//!   Test: `execute::spans::tests::a_page_answers_for_what_lies_between_its_ends_and_for_nothing_else`.
//! - No delete rests on a look that is older than five seconds.
//!   In: `execute::removing::Site::remove_in_parts`.
//!   Test: `execute::looks::no_delete_rests_on_an_old_look`.
//! - Nor does one that is tried again, after a delete without an answer.
//!   In: `execute::removing::Site::remove_fresh`.
//!   Test: `execute::aging::what_had_no_answer_is_looked_up_just_before_it_is_tried_again`.
//! - Nor one of many single deletes.
//!   In: `storage::s3::removing::Bucket::remove_singly`.
//!   Test: `execute::aging::single_deletes_rest_on_no_old_look`.
//! - Where looks take so long that the answer of the sources grows old, they are asked again.
//!   In: `execute::removing::Site::ask_anew`.
//!   Test: `execute::aging::the_sources_are_asked_again_where_looks_take_long`.
//! - And what waits for other deletes rests on no older answer either.
//!   In: `execute::removing::Asked::until`, `storage::s3::connector::Until`.
//!   Test: `execute::aging::what_waits_for_other_deletes_rests_on_no_old_answer`.
//! - Nor one that had to wait for others, or is tried again.
//!   In: `storage::s3::removing::Bucket::remove_singly`, `execute::removing::Site::look_up`.
//!   Test: `execute::looks::no_look_grows_old_while_other_files_are_deleted`.
//! - The original is looked at once more after the copy.
//!   In: `execute::copying::Site::copy_to_trash`.
//!   Test: `execute::meanwhile::a_file_uploaded_after_the_copy_stays`.
//! - Where the store heeds it, the delete itself has the etag as its condition.
//!   In: `storage::s3::conditions::Bucket::remove_objects_unchanged`, `execute::Site::learn_conditions`.
//!   Tests: `execute::promises::what_was_stored_just_before_the_delete_stays_where_a_delete_heeds_a_condition`,
//!   `execute::promises::conditions_are_tried_once_for_each_pair`.
//! - That condition is written as the store wants it, and one that an unchanged object does not meet is looked into.
//!   In: `storage::s3::conditions::condition`, `storage::s3::conditions::Bucket::remove_if`.
//!   Test: `execute::promises::a_condition_that_is_not_met_by_an_unchanged_file_is_no_change`.
//! - Only an answer that says whether it does is remembered, and it is forgotten where a delete is refused.
//!   In: `storage::s3::conditions::Bucket::try_at`, `execute::Site::doubt_conditions`.
//!   Test: `execute::promises::an_odd_answer_to_a_try_is_no_answer`.
//! - The wait for the rate of deletes comes before the last looks.
//!   In: `execute::Site::remove_window`.
//!   Test: `execute::meanwhile::a_slow_rate_waits_before_the_last_look`.
//! - And a batch is looked at that takes no longer than a second.
//!   In: `execute::Site::paced`.
//!   Test: `execute::meanwhile::a_slow_rate_leaves_no_gap_after_the_last_look`.
//!
//! Files, after they went:
//!
//! - The sources are asked once more, and what became wanted is put back.
//!   In: `execute::batch::Site::ask_once_more`, `execute::Site::settle`.
//!   Tests: `execute::meanwhile::a_row_that_appears_during_the_removal_brings_its_file_back`,
//!   `killed::put_back::a_put_back_that_is_killed_at_a_call_is_finished_by_the_next_run`.
//! - So are sources that must be streamed.
//!   In: `execute::Site::settle_streamed`.
//!   Test: `execute::meanwhile::a_streamed_reference_that_appears_during_the_removal_brings_its_file_back`.
//!
//! Rows:
//!
//! - The locks are looked at before each batch.
//!   In: `execute::rows::Site::remove_batch`.
//!   Test: `row_faults::guards::rows_stay_where_the_lock_was_lost`.
//! - The row's object is looked at before.
//!   In: `execute::rows::looking::Site::look_at_object`.
//!   Test: `rules::missing_file::a_file_that_appears_while_the_prompt_waits_keeps_its_row`.
//! - So is what lies in its folder, whatever order the store lists in.
//!   In: `execute::rows::looking::Site::look_at_folder`.
//!   Test: `sources::folders::a_file_that_came_meanwhile_keeps_its_folder`.
//! - Each row is read and judged again.
//!   In: `execute::rows::looking::Site::judge_rows`, `judge::stays`.
//!   Tests: `killed::rows::removal::rows_that_are_taken_up_again_before_a_kill_stay`,
//!   `judge::tests::a_row_stays_that_is_not_what_was_planned_to_go`.
//! - The row is compared with what was seen, under its lock.
//!   In: `database::writer::Writer::change`.
//!   Test: `row_faults::races::a_row_that_changes_between_its_look_and_its_end_stays`.
//! - Exactly one row changes, or none.
//!   In: `database::writer::Writer::change`.
//!   Test: `row_faults::guards::a_row_that_a_trigger_keeps_is_not_gone`.
//! - The object is looked at after: one that appeared puts its row back.
//!   In: `execute::rows::settling::Site::has_appeared`.
//!   Tests: `killed::rows::put_back::a_row_whose_file_appears_as_it_is_removed_is_put_back`,
//!   `rules::missing_file::a_file_that_appears_as_its_row_is_removed_brings_it_back`.
//!
//! # I9 Trail first
//!
//! The intent is committed to the ledger before the call, and the outcome after it; and a removal counts only on an
//! answer for that very key or row.
//!
//! - The intent to remove files is committed before the first call.
//!   In: `execute::batch::Site::intend`.
//!   Test: `killed::removal::a_removal_to_trash_that_is_killed_at_a_call_is_finished_by_the_next_run`.
//! - So is the intent to remove due trash.
//!   In: `execute::due::purge_batch`.
//!   Test: `killed::purge::a_purge_that_is_killed_at_a_commit_is_finished_by_the_next_run`.
//! - So is the intent to remove rows, with the rows whole.
//!   In: `execute::rows::Site::intend_rows`.
//!   Test:
//!   `killed::rows::removal::rows_without_files_that_are_deleted_by_a_run_that_is_killed_are_deleted_by_the_next`.
//! - So is the intent to restore rows.
//!   In: `execute::rows_back::restore_rows`.
//!   Test: `killed::rows::restore::rows_that_are_restored_by_a_command_that_is_killed_are_restored_by_the_next`.
//! - A key that is refused is not gone.
//!   In: `execute::taking::Site::copy_and_delete`.
//!   Test: `execute::for_good::a_key_that_is_refused_fails_alone`.
//! - Due trash that is refused is not gone.
//!   In: `execute::due::purge_batch`.
//!   Test: `execute::trash::due_trash_that_is_refused_stays_on_record`.
//! - A key without an answer is not gone.
//!   In: `execute::removing::Site::try_once`, `storage::s3::removing::Bucket::remove_objects`.
//!   Test: `execute::faults::an_empty_answer_is_none`.
//! - Nor is a server's fault with a key a refusal.
//!   In: `storage::s3::removing::refuses`.
//!   Test: `killed::late::a_file_of_which_a_delete_met_a_servers_fault_stays_in_the_trash_too`.
//! - What cannot be learned of stays open.
//!   In: `execute::taking::Site::copy_and_delete`.
//!   Test: `execute::faults::no_fault_on_any_call_loses_a_file_or_tells_a_lie`.
//! - A row's commit without an answer is looked up, under the lock of whoever changes it.
//!   In: `database::writer::Writer::look_up`.
//!   Tests: `row_faults::connection::a_postgres_connection_lost_at_a_rows_commit_is_looked_up` (PostgreSQL),
//!   `row_faults::connection::a_mariadb_connection_lost_at_a_rows_commit_is_looked_up` (MariaDB).
//! - One that cannot be looked up stays open.
//!   In: `execute::rows::Site::remove_row`.
//!   Test: `row_faults::connection::a_postgres_connection_lost_at_a_rows_commit_is_looked_up` (PostgreSQL).
//! - A restored row whose commit was not answered stays open.
//!   In: `execute::rows_back::restore_rows`.
//!   Test: `row_faults::connection::a_connection_lost_at_the_commit_of_a_restore_is_looked_up` (PostgreSQL).
//! - A run without a ledger that can be written removes nothing.
//!   In: `maintain::maintain`.
//!   Test: `execute::ledger::without_a_ledger_nothing_is_removed`.
//!
//! # I10 Row first, then file
//!
//! A row goes before its file, so that a crash leaves an orphaned file and never a row that points at nothing; and what
//! a run that died left open is resolved before the next run's first removal.
//!
//! Files that were left open:
//!
//! - They are resolved before the comparison.
//!   In: `maintain::Run::compare`, `execute::resume::resume`.
//!   Test: `killed::removal::a_removal_to_trash_that_is_killed_at_a_call_is_finished_by_the_next_run`.
//! - And before a restore.
//!   In: `commands::restore::Restoring::resume`.
//!   Test: `killed::restore::a_restore_that_is_killed_at_a_call_is_finished_by_the_next`.
//! - What became wanted meanwhile is put back.
//!   In: `execute::resume::settle`.
//!   Test: `killed::put_back::a_put_back_by_the_next_run_that_is_killed_too_is_finished_by_the_one_after`.
//! - What cannot be put back stays open, and is named with its place in the trash.
//!   In: `execute::resume::settle`, `execute::resume::put_back`.
//!   Test: `killed::late::a_wanted_file_that_cannot_be_put_back_is_named_with_its_place`.
//! - A copy whose original stays is left in the trash until it is due: the dead run's delete may come late.
//!   In: `execute::resume::of_copies`.
//!   Test: `killed::late::a_file_that_became_wanted_before_a_late_delete_is_in_the_trash_all_the_same`.
//! - So is the copy of what a dead run removed, when it is restored or put back.
//!   In: `execute::put_back::copy_back`.
//!   Test: `killed::late::a_file_that_was_restored_before_a_late_delete_is_in_the_trash_all_the_same`.
//! - And where something is at the key that is not surely what was put back.
//!   In: `execute::resume::put_back`.
//!   Tests: `killed::late::what_is_not_what_was_put_back_leaves_the_copy_known`,
//!   `killed::late::a_file_that_was_put_back_and_not_looked_at_stays_in_the_trash_too`.
//! - And of what a run removed after a delete that had no answer.
//!   In: `execute::removing::Site::try_once`.
//!   Test: `killed::late::a_file_that_was_put_back_after_a_delete_without_an_answer_stays_in_the_trash_too`.
//! - Such a copy is kept for a day at least.
//!   In: `ledger::which::Which::condition`.
//!   Test: `killed::late::a_copy_that_a_late_delete_may_need_is_not_due_at_once`.
//! - And where a file is at the key that may be the one in the trash.
//!   In: `execute::put_back::copy_back`.
//!   Test: `execute::promises::a_file_that_is_back_already_is_not_called_something_else`.
//! - One that has turned out to be the last copy when it is due is called purged.
//!   In: `execute::due::Site::as_last_ones`.
//!   Test: `execute::promises::a_copy_that_turned_out_to_be_the_last_is_called_purged`.
//! - What is in the trash alone counts as removed.
//!   In: `execute::resume::of_copies`.
//!   Test: `killed::removal::a_removal_to_trash_that_is_killed_at_a_call_is_finished_by_the_next_run`.
//! - A copy whose original was replaced stays.
//!   In: `execute::resume::of_copies`.
//!   Test:
//!   `killed::removal::a_file_stored_at_the_same_key_while_the_tool_was_dead_stays_beside_the_old_one_in_the_trash`.
//! - What was put back already is not called trashed.
//!   In: `execute::resume::of_copies`.
//!   Test: `killed::put_back::a_file_that_was_put_back_and_is_unwanted_again_is_not_called_trashed`.
//! - Due trash that is gone is not called trashed.
//!   In: `execute::resume::of_copies`.
//!   Test: `killed::purge::a_purge_that_is_killed_at_a_call_is_finished_by_the_next_run`.
//! - What went for good is not called failed.
//!   In: `execute::resume::of_copies`.
//!   Test: `killed::removal::a_removal_for_good_that_is_killed_at_a_call_is_finished_by_the_next_run`.
//!
//! Rows:
//!
//! - They go before their files.
//!   In: `execute::execute`, `execute::rows::Site::remove_rows`.
//!   Tests: `rules::shared::the_file_of_two_condemned_rows_goes_once_and_after_both`,
//!   `killed::rows::removal::rows_and_files_that_are_removed_by_a_run_that_is_killed_are_removed_by_the_next`.
//! - One that is gone counts as deleted.
//!   In: `execute::rows_back::resolve`.
//!   Test: `killed::rows::put_back::a_row_that_is_put_back_by_the_next_run_which_is_killed_too_stays_put_back`.
//! - Its object is looked at, and one that appeared puts it back.
//!   In: `execute::rows_back::resolve`.
//!   Test: `killed::rows::put_back::a_row_that_is_put_back_by_the_next_run_which_is_killed_too_stays_put_back`.
//! - But not where the object was there when the row was removed.
//!   In: `execute::rows_back::resolve`.
//!   Test: `killed::rows::put_back::a_row_whose_file_was_there_is_not_put_back_for_it`.
//! - One that is there again counts as put back.
//!   In: `execute::rows_back::resolve`.
//!   Test: `killed::rows::put_back::a_row_that_is_put_back_by_a_run_that_is_killed_stays_put_back`.
//! - Only what was to be set counts as ours.
//!   In: `execute::rows_back::resolve`.
//!   Tests: `killed::rows::resume::what_an_application_changes_while_the_tool_is_dead_is_not_taken_back`,
//!   `killed::rows::resume::a_row_that_was_not_marked_and_lives_again_is_not_taken_for_one_that_was`.
//!
//! # I11 Recoverable
//!
//! With `[trash]`, a removal is a copy, a look at the copy, and then the delete; rows are kept whole in the ledger; and
//! `restore` brings both back without writing over anything.
//!
//! On the way to the trash:
//!
//! - The copy's source is the file that was looked at.
//!   In: `storage::s3::copying::Bucket::copy_object`.
//!   Test: `execute::meanwhile::a_file_uploaded_during_the_copy_stays`.
//! - The copy is looked at, and its etag tells.
//!   In: `execute::copying::Site::copy_one`, `judge::is_copy`.
//!   Test: `execute::meanwhile::a_copy_that_is_not_verified_deletes_nothing`.
//! - Its size tells.
//!   In: `judge::is_copy`.
//!   Test: `judge::tests::a_copy_has_the_size_and_where_it_says_anything_the_etag`.
//! - It keeps what is stored beside the bytes: encryption, redirect, headers, tags.
//!   In: `storage::s3::about::About::keep_in_copy`, `storage::s3::about::About::keep_in_parts`.
//!   Test: `execute::promises::what_a_copy_would_lose_comes_back_with_the_file`.
//! - Where it does not, the file stays.
//!   In: `storage::s3::about::Bucket::compare`.
//!   Tests: `execute::promises::a_file_stays_of_which_a_copy_loses_something`,
//!   `execute::promises::a_file_of_which_a_copy_lost_something_is_held_from_then_on`.
//! - Files are copied without a look at each and at each copy only where it was tried that copies keep everything.
//!   In: `storage::s3::trying::Bucket::try_copies_to`.
//!   Test: `execute::looks::a_store_whose_copies_lose_something_is_found_out`.
//! - What a store refuses of that try is left out by itself; an answer that says nothing leaves all of it unknown.
//!   In: `storage::s3::trying::Bucket::put_with_everything`, `storage::s3::trying::put_of`.
//!   Test: `execute::tried::what_a_store_refuses_of_a_try_says_nothing_of_the_rest`.
//! - Only a store that says that it has no keys is taken for one.
//!   In: `storage::s3::trying::Bucket::do_etags_tell_of_keys`.
//!   Test: `execute::tried::a_store_that_wants_its_keys_named_is_not_taken_for_one_without`.
//! - It is tried once for each pair; whether there is a website, which alone makes a lost redirect none, is asked each time.
//!   In: `execute::learn_kept`.
//!   Test: `execute::tried::copies_are_tried_once_for_each_pair`.
//! - Such a copy is verified by the listing of its folder; one that this does not prove is looked at, and made anew.
//!   In: `execute::copying::Site::verify`.
//!   Test: `execute::looks::a_copy_that_the_listing_does_not_prove_is_looked_at`.
//! - What has a class or a key of its own is copied with it all the same.
//!   In: `execute::copying::Site::copy_to_trash`, `execute::copying::Site::verify`.
//!   Test: `execute::looks::a_copy_keeps_what_it_would_lose`.
//! - A copy that is refused for an etag that did not change is no change.
//!   In: `storage::s3::copying::Bucket::copy_whole`.
//!   Test: `execute::promises::a_refused_copy_of_an_unchanged_file_is_no_change`.
//! - The copy of what stays is taken out of the trash again.
//!   In: `execute::taking::Site::give_up`.
//!   Test: `execute::for_good::a_key_that_is_refused_fails_alone`.
//! - But not the last one, nor that of a file that was replaced.
//!   In: `execute::taking::Site::give_up`.
//!   Tests: `execute::meanwhile::the_copy_of_a_file_that_is_gone_stays`,
//!   `execute::meanwhile::a_file_uploaded_after_the_copy_stays`.
//! - A file that cannot be moved to the trash (archived, or its key would grow too long) is held.
//!   In: `judge::held`.
//!   Test: `judge::tests::an_archived_file_and_one_whose_key_would_grow_too_long_cannot_be_trashed`.
//! - A row whose file is in our own trash is held.
//!   In: `ledger::holding::Ledger::hold_trashed`.
//!   Test: `execute::trash::a_row_whose_file_is_in_the_trash_is_held`.
//!
//! Rows:
//!
//! - Rows of what is not a table, or not one of this database, refuse the plan.
//!   In: `database::whole::Database::obstacle`, `plan::plan`.
//!   Tests: `rules::whole::a_view_is_refused`, `rules::whole::a_virtual_table_is_refused`,
//!   `rules::whole::a_parent_of_other_tables_is_refused` (PostgreSQL),
//!   `rules::mariadb::rows_of_a_table_without_transactions_are_never_removed` (MariaDB).
//! - So does an id that two rows have.
//!   In: `database::whole::Database::obstacle`.
//!   Test: `rules::whole::an_id_that_several_rows_have_is_refused`.
//! - A row is found by every column of its id, and by no others.
//!   In: `database::rows::Rows::handle_values`.
//!   Tests: `rules::composite_ids::a_row_goes_by_all_of_its_id_and_comes_back`,
//!   `rules::composite_ids::a_row_that_is_known_by_other_columns_is_not_brought_back`.
//! - A row of several keys stays where one of its files is not what was found.
//!   In: `execute::rows::looking::Site::judge_rows`.
//!   Test: `rules::several_keys::a_row_stays_where_one_of_its_files_is_not_what_was_found`.
//!
//! In the trash:
//!
//! - Trash that is due stays beside findings that speak of a side that is behind, or of a forgotten table.
//!   In: `maintain::remove::Run::census`.
//!   Test: `execute::trash::due_trash_stays_beside_what_is_in_doubt`.
//! - Trash is due by the ledger's time of the removal.
//!   In: `ledger::removals::Ledger::due`.
//!   Test: `execute::trash::trash_is_kept_from_its_removal_on`.
//! - Due by time also where it is listed.
//!   In: `ledger::removals::Ledger::removals`.
//!   No test fails: trash goes in the order in which it was removed, and no further than the count of `due`.
//! - Due trash that is wanted again stays.
//!   In: `execute::due::Site::unwanted`.
//!   Tests: `execute::trash::due_trash_that_is_wanted_again_is_not_lost`,
//!   `derived::removed::due_trash_of_what_is_wanted_again_stays`.
//! - What the ledger does not know is not touched.
//!   In: `execute::due::purge`.
//!   Test: `execute::trash::due_trash_goes_for_good_with_the_next_execute`.
//!
//! On the way back:
//!
//! - Nothing is overwritten: a look comes before the copy.
//!   In: `storage::s3::copying::Bucket::copy_object`.
//!   Tests: `execute::restore::a_store_without_conditions_overwrites_nothing`,
//!   `killed::restore::a_restore_that_was_killed_overwrites_nothing_when_it_is_repeated`.
//! - And a condition stands on the copy.
//!   In: `storage::s3::copying::Bucket::copy_object`.
//!   Test: `execute::meanwhile::putting_back_overwrites_nothing`.
//! - What came back is verified.
//!   In: `execute::put_back::end`, `judge::is_surely_copy`.
//!   Tests: `execute::restore::nothing_is_overwritten`,
//!   `judge::tests::only_a_whole_etag_or_the_very_time_says_that_bytes_are_the_same`.
//! - So is what came back with many others: what the listing does not prove is looked at, and its copy stays.
//!   In: `execute::restoring::verify`.
//!   Test: `execute::looks::a_copy_that_the_listing_does_not_prove_is_looked_at`.
//! - What was changed since in a row is not undone.
//!   In: `database::way_back::Writer::try_undo`.
//!   Test: `killed::rows::restore::rows_that_an_application_took_up_meanwhile_are_left_alone`.
//! - A row is not inserted beside one with its id.
//!   In: `database::way_back::Writer::try_insert`.
//!   No test fails: where ids are unique, the database refuses the second by itself.
//!
//! By other names:
//!
//! - What was removed belongs to the store, whatever its database is called now, and to the folder, by whatever path.
//!   In: `ledger::pairs::Kin::of`, `storage::identity`.
//!   Tests: `rules::pairs::a_database_by_another_name_finds_what_was_removed`,
//!   `rules::pairs::a_root_by_another_path_finds_its_trash`, `storage::tests::a_bucket_is_the_same_however_its_address_is_written`.
//! - A ledger of an older format keeps its pairs.
//!   In: `ledger::pairs::SIDES`.
//!   Test: `rules::pairs::an_old_ledger_opens_and_finds_its_trash`.
//! - What runs of another database of the same store left open stays open: only that one knows what it wants again.
//!   In: `ledger::pairs::Kin::of`, `ledger::which::Kin::of_removals`.
//!   Test: `killed::others::what_a_run_of_another_database_left_open_stays_open`.
//! - Its rows are neither looked for in this database, nor put back there.
//!   In: `ledger::which::Kin::of_removals`.
//!   Test: `rules::pairs::rows_of_another_database_are_not_brought_back_into_this_one`.
//! - Where another folder than before is at the root's path, and nothing of the trash is in it, nothing is resolved, restored
//!   or purged.
//!   In: `execute::strayed::strayed`, `ledger::pairs::Ledger::identify`.
//!   Tests: `rules::pairs::a_mount_point_without_its_volume_loses_no_trash`,
//!   `rules::pairs::a_root_that_was_changed_with_its_prefix_loses_no_trash`.
//! - Due trash of another database of the same store stays while that one runs, be it seldom: only it knows what it wants
//!   again.
//!   In: `ledger::which::Which::condition`.
//!   Test: `rules::pairs::due_trash_of_a_pair_that_still_runs_is_its_own`.
//!
//! # I12 One at a time
//!
//! Two runs that may remove something are never at work on the same pair. A dry run needs no lock.
//!
//! - A file beside the ledger is locked.
//!   In: `lock::Lock::take`.
//!   Tests: `execute::ending::a_second_run_is_locked_out`, `execute::restore::restore_is_locked_out_by_a_run`,
//!   `lock::tests::a_second_run_is_locked_out_until_the_first_ends`.
//! - A lock in the database keeps out a run on another host.
//!   In: `database::advisory::Database::lock`.
//!   No test fails: none has two hosts with a ledger each.
//!
//! # I13 No blind retries of deletes
//!
//! A delete whose answer was lost is never sent again without a look at its key.
//!
//! - The SDK retries no delete.
//!   In: `storage::s3::removing::without_retries`.
//!   Test: `execute::meanwhile::a_file_uploaded_after_a_lost_answer_stays`.
//! - What became of it is looked up.
//!   In: `execute::removing::Site::look_up`.
//!   Test: `execute::faults::no_fault_on_any_call_loses_a_file_or_tells_a_lie`.
//! - What changed is not deleted.
//!   In: `execute::removing::Site::look_up`.
//!   Test: `execute::meanwhile::a_file_uploaded_after_a_lost_answer_stays`.
//! - A rename in a folder whose answer is an error, or that nothing was there, is looked up.
//!   In: `storage::local::moving::rename`.
//!   Test: `execute::in_folder::a_rename_whose_answer_is_lost_is_looked_up`.
//! - Where the whole bucket is gone nothing is called deleted.
//!   In: `execute::removing::Site::look_up`.
//!   Test: `execute::meanwhile::a_bucket_that_is_gone_deletes_nothing`.
//!
//! # I14 Ctrl-C
//!
//! Ctrl-C ends a comparison at once and a removal after the batch in hand; the outcome is written, what is left is
//! said, and the exit code is 130.
//!
//! - A removal stops between batches.
//!   In: `execute::Site::must_stop`, `execute::Site::remove_window`.
//!   Test: `execute::ending::ctrl_c_finishes_the_batch_in_hand`.
//! - And before due trash.
//!   In: `execute::due::purge`.
//!   Test: `execute::trash::ctrl_c_leaves_due_trash`.
//! - At the prompt it ends the program.
//!   In: `interrupt::listen`, `maintain::remove::Run::remove`.
//!   Test: `execute::confirm::the_end_of_input_declines_and_ctrl_c_interrupts`.
//! - A comparison stops on the spot.
//!   In: `maintain::Run::compare`.
//!   Test: `execute::ending::ctrl_c_ends_a_comparison_at_once`.
//!
//! # I15 Nothing leaks
//!
//! No secret is in a log, an error, a prompt, a report or a `Debug`; and text from outside is escaped wherever it is
//! shown. The tests of `faults::secrets` and `execute::secrets` search all that a run prints, whatever breaks.
//!
//! - The addresses that reports name hold no secret.
//!   In: `database::open::address`, `storage::address`.
//!   Test: `database::dialect::tests::an_address_holds_no_secret`.
//! - An error of the configuration does not quote a value.
//!   In: `config::without_values`.
//!   Tests: `config::tests::an_error_never_quotes_the_url`, `faults::secrets::a_wrong_database_url_is_not_repeated`.
//! - An unset variable is named, and nothing of the text around it.
//!   In: `config::environment::expand`.
//!   Test: `config::environment::tests::an_unset_variable_is_named_and_nothing_of_the_text_is_shown`.
//! - sqlx warns of a URL's parameters, with their values: that is not logged.
//!   In: `cli::log::filter`.
//!   Test: `faults::secrets::a_parameter_of_a_database_url_is_not_logged`.
//! - Control and invisible characters are escaped.
//!   In: `domain::key::Printable`, `domain::key::is_deceptive`.
//!   Tests: `domain::key::tests::hostile_characters_are_escaped_and_others_are_not`,
//!   `command_line::output::keys_are_escaped_on_the_terminal`.
//! - JSON is escaped too.
//!   In: `report::json::Plain`.
//!   Test: `report::json::tests::hostile_characters_are_escaped_and_read_back_the_same`.
//! - A cell of a CSV is no formula.
//!   In: `report::csv::guarded`.
//!   Tests: `report::csv::tests::formulas_are_defused_and_quotes_are_doubled`,
//!   `command_line::output::csv_cells_are_no_formulas`.
//!
//! # I16 The local store stays inside its root
//!
//! Every path is resolved from the handle of the root: no link is followed, no `..` is resolved, no mount is crossed. Only
//! regular files are objects; the tool's own files and its trash are never candidates. A file is moved in one step, which
//! takes whatever is there, and what was not judged is put back. Nothing is written over.
//!
//! The way to a file:
//!
//! - A look follows no link, and takes no `..`.
//!   In: `storage::local::Folder::look_at`, `storage::local::beneath::Beneath::file`.
//!   Test: `storage::local::tests::only_a_regular_file_below_the_root_is_present`.
//! - A walk follows no link. One of the two looks is enough: the test fails only without both.
//!   In: `storage::local::walk::names_of`, `storage::local::walk::Walk::file`.
//!   Test: `storage::local::walk::tests::links_are_not_followed_and_names_that_are_not_utf8_are_counted`.
//! - No mount is crossed, not even a bind mount of the same file system, and a row that names what is behind one is held.
//!   In: `storage::local::status::Status::shares_mount`, `storage::local::beneath::Beneath::folder`,
//!   `storage::local::beneath::mounts_beneath`.
//!   Test: `execute::in_folder::what_is_mounted_below_the_root_is_not_entered`.
//! - A root that was replaced is not read.
//!   In: `storage::local::walk::Walk::next_objects`.
//!   No test fails: a test would have to replace it in the moment after it was opened.
//! - A time that no calendar holds cannot be read, and is young.
//!   In: `storage::local::status::time`.
//!   Test: `storage::local::status::tests::a_time_that_no_calendar_holds_cannot_be_read`.
//!
//! What is no candidate:
//!
//! - Files of our own are neither listed nor moved, by whatever path they are reached.
//!   In: `storage::local::own::OwnFiles::holds`, `maintain::settings::own_files`.
//!   Tests: `storage::local::own::tests::a_file_of_ours_is_known_by_every_path_that_leads_to_it`,
//!   `storage::local::moving::tests::a_file_of_our_own_is_not_moved`,
//!   `execute::in_folder::our_own_files_are_never_candidates`.
//! - The trash is no part of the comparison.
//!   In: `compare::scope::Scope::ignores`.
//!   Test: `execute::trash::a_second_run_finds_nothing`.
//! - Nor is what earlier runs moved to another trash; what else lies there is compared.
//!   In: `maintain::settings::add_earlier_trash`, `ledger::places::add_trash`, `compare::scope::Scope::ignores`.
//!   Tests: `execute::folders::an_earlier_trash_is_still_trash`,
//!   `execute::folders::a_prefix_that_was_trash_by_mistake_is_compared_again`.
//! - A trash that leaves the root, or that no file can be moved to in one step, is a configuration error.
//!   In: `config::sections::trash_prefix`, `config::sections::trash_folder`, `storage::local::Folder::with_trash`.
//!   Test: `execute::folders::a_trash_that_cannot_be_one_is_a_configuration_error`.
//! - Files of the web server, of which applications know nothing, are held where nobody knows them.
//!   In: `judge::is_of_the_server`.
//!   Tests: `judge::tests::files_of_the_web_server_are_held_where_nobody_knows_them`,
//!   `execute::in_folder::files_of_the_web_server_are_held`.
//!
//! The move:
//!
//! - What was taken is looked at, and put back where it is not the file that was judged.
//!   In: `storage::local::moving::Folder::take_one`.
//!   Test: `execute::in_folder::a_file_that_is_replaced_in_the_moment_of_its_removal_is_put_back`.
//! - Where what was taken by mistake could not be put back, nothing is taken.
//!   In: `storage::local::moving::rename_to_own`, `storage::local::moving::try_link`.
//!   Tests: `execute::in_folder::where_files_can_neither_be_renamed_safely_nor_linked_they_stay`,
//!   `execute::in_folder::a_file_that_cannot_be_linked_is_not_taken_where_its_way_back_is_a_link`.
//! - What could not be put back stays open, and is put back by the next run.
//!   In: `storage::local::moving::put_back`.
//!   Test: `execute::in_folder::what_could_not_be_put_back_is_put_back_by_the_next_run`.
//! - Nobody else may look into the trash.
//!   In: `storage::local::folders::make_trash`.
//!   Test: `execute::folders::the_trash_is_private`.
//! - A file is moved over nothing.
//!   In: `storage::local::moving::try_rename`.
//!   Test: `storage::local::moving::tests::nothing_is_moved_over_what_is_there`.
//! - Folders of the trash are not made through a link.
//!   In: `storage::local::folders::make`.
//!   Test: `storage::local::moving::tests::a_trash_that_is_a_link_takes_nothing`.
//! - What a run that was killed had taken, and nobody had judged, goes back; resuming deletes nothing from the trash.
//!   In: `execute::resume::of_moves`.
//!   Tests: `killed::removal::what_a_killed_run_took_and_nobody_judged_goes_back`,
//!   `killed::removal::what_has_both_names_is_back`.
//! - A folder goes only where it is empty, by the system's own word, and never a first one, nor one that was set up by hand.
//!   In: `storage::local::folders::remove_emptied`, `storage::local::folders::is_set_up`.
//!   Tests: `execute::folders::folders_that_a_removal_has_emptied_go`,
//!   `execute::folders::a_first_folder_is_counted_from_the_configured_prefix`,
//!   `execute::folders::restored_folders_are_as_they_were`,
//!   `execute::folders::an_emptied_folder_stays_that_its_owner_cannot_make_again`.
//! - Folders come back as they were, also where a restore is killed as it makes one.
//!   In: `storage::local::folders::as_it_was`, `storage::local::folders::make_theirs`, `ledger::places::add_rights`.
//!   Tests: `execute::folders::restored_folders_are_as_they_were`,
//!   `execute::folders::a_restore_that_is_killed_as_it_makes_a_folder_leaves_it_to_the_next`.
//!
//! # I17 A side that is behind
//!
//! Where an unknown file is newer than the newest object that the database knows, or than its newest row, by more than
//! `min_age` and by more than a day, the database may be behind: everything newer than that object, or row, is held. Rows
//! without their object are held likewise where the store may be behind.
//!
//! - How much newer is believed.
//!   In: `judge::newest_believable`.
//!   Test: `judge::tests::a_file_is_believed_for_a_day_or_min_age_after_the_newest_that_is_known`.
//! - A date that is still to come says nothing of how new a side is.
//!   In: `compare::part::Place::past`, `database::tables::Session::newest_row`.
//!   Test: `doubts::sides::a_date_that_is_still_to_come_hides_no_side_that_is_behind`.
//! - Where each side ends.
//!   In: `inspect::Inspection::database_ends`, `database::tables::Session::newest_row`.
//!   Tests: `faults::pair::files_newer_than_the_database_are_held`,
//!   `faults::pair::files_newer_than_the_newest_row_are_held`, `faults::pair::rows_newer_than_the_storage_are_held`.
//! - A column in which all rows have the same date says nothing of how new the database is.
//!   In: `database::tables::Session::is_clock`.
//!   Test: `doubts::sides::a_date_that_all_rows_share_is_no_clock`.
//! - What is newer is held.
//!   In: `ledger::holding::Ledger::hold_newer_files`, `ledger::holding::Ledger::hold_newer_rows`.
//!   Tests: `ledger::holding::tests::what_is_newer_than_a_side_is_held_where_something_is_newer_by_far`,
//!   `execute::plan::a_dump_that_is_behind_and_a_forgotten_table_remove_nothing`.
//! - By what a standby says, or a server that takes no writes, nothing is removed.
//!   In: `database::standby::Database::standbys`, `plan::plan`.
//!   Tests: `sources::servers::a_standby_reports_and_removes_nothing` (PostgreSQL),
//!   `sources::servers::a_server_that_takes_no_writes_reports_and_removes_nothing` (MariaDB).
//!
//! # I18 A forgotten table
//!
//! Orphaned files below a folder of which the database knows nothing are held: from 5 on below a first folder, from 20 on
//! below the topmost deeper one. `unknown_prefixes` lifts it, and so does a name that is an id, beside ten folders or more
//! of that shape, half of them known.
//!
//! - Which folders are unknown, and hold so much.
//!   In: `compare::folders::Rules::unknown`, `compare::folders::Folders::finish`.
//!   Tests: `compare::folders::tests::the_topmost_folder_without_a_known_key_is_found`,
//!   `compare::folders::tests::cuts_between_ranges_change_nothing`,
//!   `faults::pair::many_files_below_an_unknown_folder_are_held`.
//! - Which of them may go all the same.
//!   In: `look_again::folders::at_folders`.
//!   Tests: `faults::pair::a_deleted_tenant_is_no_forgotten_table`,
//!   `look_again::folders::tests::a_folder_may_go_where_it_or_one_around_it_is_named`.
//! - One is not unknown whose row an earlier run deleted.
//!   In: `ledger::folders::Ledger::lift_folders_of_deleted_rows`.
//!   Test: `sources::folders::a_folder_whose_row_an_earlier_run_deleted_is_not_unknown`.
//! - What is below them is held.
//!   In: `ledger::folders::Ledger::hold_below`.
//!   Tests: `faults::pair::many_files_below_an_unknown_folder_are_held`,
//!   `execute::plan::a_dump_that_is_behind_and_a_forgotten_table_remove_nothing`.
//! - Rows below a folder without any object are held.
//!   In: `look_again::missing_folders::at_missing_folders`, `ledger::folders::Ledger::hold_missing_folders`.
//!   Tests: `doubts::sides::rows_below_a_folder_without_a_file_stay`,
//!   `doubts::sides::rows_of_one_that_was_deleted_among_many_go`,
//!   `look_again::missing_folders::tests::folders_with_many_rows_are_noted_at_every_depth`.
//! - A folder with a derived file that is wanted is known.
//!   In: `ledger::derived::Ledger::resolve_derived`.
//!   Test: `derived::held::a_folder_is_known_by_owners_outside_the_prefix`.
//!
//! # I19 No silent cascade
//!
//! Where deleting a row would reach other tables, by foreign keys or triggers, the plan is refused unless
//! `allow_cascade` is set.
//!
//! - What deletes reach, by the catalog.
//!   In: `database::cascades::Database::reach_of_deletes`.
//!   Tests: `rules::cascades::a_foreign_key_that_cascades`, `rules::cascades::a_foreign_key_that_sets_null`,
//!   `rules::cascades::a_trigger_on_delete`.
//! - What a MySQL user is not shown may cascade.
//!   In: `database::dialect::mysql::catalog::reach_of_deletes`.
//!   Test: `rules::mariadb::a_user_that_is_not_shown_every_foreign_key_is_refused` (MariaDB).
//! - Nor is a foreign key of another database, unless it may ask the engine.
//!   In: `database::dialect::mysql::catalog::reach_of_deletes`.
//!   Test: `rules::mariadb::a_foreign_key_of_another_database_is_refused` (MariaDB).
//! - SQLite says itself which triggers a delete would run.
//!   In: `database::dialect::sqlite::catalog::delete_triggers`.
//!   Test: `rules::cascades::a_trigger_is_found_whatever_its_text_looks_like`.
//! - The plan is refused.
//!   In: `plan::plan`.
//!   Tests: `plan::tests::a_cascade_refuses_deletes_and_not_updates`, `rules::cascades::a_record_without_its_file`.
//!
//! # I21 The database goes forward
//!
//! Where most of the rows that were new are gone, half of all rows, or all that a source gave, the run refuses to remove, until a
//! person accepts the database as it is.
//!
//! - Which signs refuse.
//!   In: `forward::signs`.
//!   Tests: `forward::tests::most_of_the_new_rows_and_at_least_five_must_be_gone`,
//!   `forward::tests::half_of_all_rows_refuse_and_a_tenth_is_worth_a_word`,
//!   `forward::tests::a_source_that_gave_something_and_gives_nothing_refuses`.
//! - The rows are asked for by their ids, and their keys compared.
//!   In: `look_again::memory::at_memory`, `database::recent::Session::keys_of`.
//!   Tests: `sources::forward::a_restored_dump_refuses_until_it_is_accepted`,
//!   `sources::forward::a_restored_dump_that_went_on_refuses`.
//! - A missing row with younger ones beside it was deleted by somebody; what both its date and its number say is younger is.
//!   In: `forward::Now::has_lost_new_rows`.
//!   Tests: `forward::tests::a_missing_row_with_younger_ones_beside_it_was_deleted`,
//!   `sources::forward::ordinary_churn_refuses_nothing`.
//! - A table that loses all its new rows each night refuses until a person has accepted it twice, and again where ids are used
//!   again, or older rows are there.
//!   In: `forward::Memory::emptied`, `forward::Now::is_emptied`.
//!   Tests: `forward::tests::a_table_that_is_emptied_each_night_refuses_until_that_was_accepted_twice`,
//!   `sources::forward::rows_that_come_and_go_refuse_until_that_is_accepted_twice`.
//! - Which rows are the newest say their numbers and their dates, and those ahead of their time hide no others.
//!   In: `database::rows::Rows::recent_sql`, `database::recent::Session::recent`, `forward::fresh`.
//!   Tests: `sources::forward::rows_without_numbers_go_by_their_dates`,
//!   `sources::forward::rows_ahead_of_their_time_hide_nothing`,
//!   `forward::tests::a_row_ahead_of_its_time_hides_no_new_ones`.
//! - Rows are counted with like rows: what names no object, and what was to go, neither looks gone nor hides a loss.
//!   In: `forward::lost`.
//!   Tests: `forward::tests::rows_that_name_no_object_neither_go_nor_hide_a_loss`,
//!   `forward::tests::what_this_tool_deleted_is_not_gone`, `sources::forward::rows_that_do_not_count_hide_no_loss`.
//! - A deletion explains no greater loss than itself.
//!   In: `forward::signs`, `ledger::memory::Ledger::leaving`.
//!   Tests: `forward::tests::a_deletion_explains_no_more_than_itself`,
//!   `sources::forward::a_deleted_row_explains_only_itself`.
//! - A source is the same one whatever else its configuration says; another database of the store is told of.
//!   In: `database::recent::Database::fingerprint`, `ledger::memory::Ledger::memory_of_kin`.
//!   Tests: `sources::forward::an_edited_configuration_forgets_nothing`,
//!   `sources::forward::an_older_copy_in_another_database_is_told_of_once`.
//! - What this tool removed, and what a rule condemned, is no sign.
//!   In: `ledger::memory::Ledger::touched`, `look_again::memory::with_findings`.
//!   Test: `sources::forward::what_the_tool_removed_is_no_sign`.
//! - Nothing is remembered of a database that went back, nor by a narrowed run.
//!   In: `inspect::Inspection::went_back`.
//!   Test: `sources::forward::a_restored_dump_refuses_until_it_is_accepted`.
//! - What is in the trash stays.
//!   In: `plan::Doubts::refuses_files`.
//!   Test: `plan::tests::a_database_that_went_back_refuses_everything`.
//!
//! # Other guards
//!
//! Guards that serve no number above.
//!
//! - A ledger is brought up to date whole or not at all, and a copy of it is there until then.
//!   In: `ledger::open::bring_up_to_date`.
//!   Test: `command_line::migrated::a_ledger_that_was_being_brought_up_to_date_opens_again`.
//! - A database that is another program's is not taken for a ledger.
//!   In: `ledger::open::expect_nothing`.
//!   Test: `command_line::migrated::another_programs_database_is_no_ledger`.
//! - A ledger is not on a network file system.
//!   In: `ledger::network::file_system_of`.
//!   Test: `ledger::network::tests::the_deepest_mount_says_what_a_file_is_on`.
//! - What could still be brought back from the trash is not forgotten.
//!   In: `ledger::retention::Ledger::drop_old`.
//!   Test: `command_line::retention::the_removals_of_an_old_run_are_forgotten_and_what_it_amounted_to_is_not`.
//! - Nor a row before its time, whenever its run was.
//!   In: `ledger::retention::Ledger::drop_removals`.
//!   Test: `command_line::retention::rows_outlast_the_runs_that_removed_them`.
//! - Nor anything while the database is in doubt.
//!   In: `plan::Doubts::doubts_the_database`.
//!   Test: `command_line::retention::nothing_is_forgotten_while_the_database_is_in_doubt`.
//! - A sighting is of one object.
//!   In: `ledger::sightings::Ledger::keep_sightings`.
//!   Test: `ledger::sightings::tests::evidence_is_of_one_object_and_of_complete_runs`.
//! - Copies of which the ledger knew nothing stay in the trash of a bucket.
//!   In: `ledger::trash_runs::Ledger::rebuild`.
//!   Test: `execute::lost_ledger::what_is_in_a_trash_that_no_ledger_knows_comes_back`.
//! - What another pair of the ledger removed is its own, and what was not below the prefix is another's.
//!   In: `ledger::trash_runs::Ledger::known_in_trash`, `commands::restore::from_trash::Restoring::bring_back_strays`.
//!   Tests: `execute::lost_ledger::what_another_pair_of_the_ledger_removed_is_not_strange`,
//!   `execute::lost_ledger::files_of_another_prefix_stay_in_the_trash`.
//!
//! - Nothing of a session is leaned on behind a pooler: no statement has a name, and each transaction is told everything.
//!   In: `database::dialect::postgres::link::described`, `database::dialect::postgres::sql::BEGIN`,
//!   `database::dialect::mysql::link::BEGIN`.
//!   Test: `sources::servers::a_pooler_of_transactions_serves_runs_removals_and_restores` (PostgreSQL).
//! - Nothing is removed without a terminal.
//!   In: `confirm::ask`.
//!   Test: `execute::confirm::without_a_terminal_nothing_is_removed`.
//! - Nor without the store's name, typed.
//!   In: `confirm::ask`.
//!   Test: `execute::confirm::another_word_declines`.
//! - The proof of that is made in one place, and nothing deletes without it.
//!   In: `confirm::Confirmed`, `execute::execute`.
//!   Test: `house::only_execute_deletes`.
//! - `--only` never adds a finding.
//!   In: `ledger::staging::Ledger::keep_only`.
//!   Test: `execute::only::only_never_adds`.
//! - A list of which no line names anything is a usage error.
//!   In: `look_again::only_list::names_anything`.
//!   Test: `execute::only::a_list_that_names_nothing_is_a_usage_error`.
//! - A database that is reached by another name keeps its first sightings, and the run warns.
//!   In: `ledger::pairs::Ledger::identify`.
//!   Test: `rules::pairs::a_database_by_another_name_keeps_first_sightings`.
//! - A confirmed run that removed nothing says so and why, and fails where that was not for what is wanted.
//!   In: `maintain::remove::Run::remove`.
//!   Tests: `execute::skipped::what_was_wanted_or_changed_after_all_is_no_failure`,
//!   `execute::skipped::what_could_not_be_removed_is_a_failure`.
//! - `-q` is silent only where nothing is new, nothing may be removed, and no run would be refused.
//!   In: `news::Night::is_news`.
//!   Tests: `command_line::quiet::a_held_finding_is_told_once`, `command_line::quiet::a_refusal_is_told_every_night`,
//!   `command_line::quiet::what_may_be_removed_is_told_every_night`,
//!   `command_line::quiet::what_is_held_is_told_again_after_thirty_days`, `command_line::quiet::counts_that_change_are_told`.
//! - The deadline ends a run after the batch in hand.
//!   In: `execute::Site::must_stop`.
//!   Test: `execute::ending::a_deadline_ends_after_the_batch_in_hand`.
//! - Deletes keep to their rate.
//!   In: `execute::Site::hold_pace`.
//!   Tests: `execute::ending::deletes_keep_to_their_rate`, `execute::trash::due_trash_keeps_to_the_rate`.
//! - A dry run writes nothing.
//!   In: `maintain::Run::to_its_end`, `database::connection::Connection::open`.
//!   Tests: `faults::requests::dry_run_makes_no_writing_call`,
//!   `read_only::a_dry_run_on_sqlite_and_a_folder_writes_nothing`.
//! - A misspelt key of the configuration is refused: a misspelt guard is no guard.
//!   In: `config::file::Safety`, `config::file::Trash`.
//!   Test: `command_line::configuration::a_misspelt_guard_is_refused`.

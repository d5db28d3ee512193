//! What is probably wrong with a comparison as a whole, in sentences (I3).

use crate::domain::Totals;
use crate::judge::WrongPair;

/// The sentence for a pair that does not look like one. `storage` is the store's address.
pub fn wrong_pair(why: WrongPair, totals: &Totals, storage: &str, min_overlap: f64) -> String {
    let outside = match totals.outside_prefix {
        0 => String::new(),
        keys => format!(
            " {keys} of its keys lie outside the configured prefix: it may be wrong, or the column may need a key_prefix."
        ),
    };
    match why {
        WrongPair::NoRecords => format!(
            "the database names no file below {storage}. This looks like the wrong database, table or prefix, and not \
             like {} orphaned files.{outside}",
            totals.objects
        ),
        WrongPair::NoObjects => format!(
            "{storage} holds no objects. This looks like the wrong bucket or prefix, and not like {} lost files.",
            totals.records
        ),
        WrongPair::NoOverlap => format!(
            "not one of {} keys in the storage and {} in the database is on both sides. This looks like the wrong bucket, \
             prefix or database, or like a key column that is written in another way than the storage's keys.{outside}",
            totals.objects, totals.known_keys
        ),
        WrongPair::LowOverlap(percent) => format!(
            "only {} of {} keys in the storage and {} in the database are on both sides ({percent:.1} % of the smaller \
             side; min_overlap is {min_overlap} %). This looks like the wrong bucket, prefix or database, or like a key \
             column that is written in another way than the storage's keys.{outside}",
            totals.shared_keys, totals.objects, totals.known_keys
        ),
    }
}

//! PURE: whether the key of an object and a value of the database may be two spellings of one name (I4).
//!
//! Both are folded: taken back, step by step, to the spelling that all spellings of one name share. Two names resemble
//! when a fold of one equals a fold of the other, or ends with it at a `/`. A text that can be read in more than one way
//! has a few folds, one for each reading, and one that agrees is enough: in doubt, names resemble.
//!
//! What throws a part of the text away (`?query`, `#fragment`, plus as space) is done to values alone, since a URL has
//! these and a key does not: the keys `Invoice #1.pdf` and `Invoice #2.pdf` are two.

mod decode;
mod filter;
mod fold;
mod mojibake;
mod suffix;

pub use filter::Filter;
use fold::{Reading, folds, path};
pub use suffix::{Suffix, Suffixes, is_plain, suffixes, suffixes_of_key, whole_hash};

/// The fold of a text in the reading that undoes most. Empty where nothing is left, which resembles nothing.
pub fn fold(text: &str) -> String {
    fold::fold_as(text, Reading::THOROUGH).0
}

/// Each fold of an object's key: nearly always one, never more than [`fold::READINGS`], none of them empty.
pub fn folds_of_key(key: &str) -> Vec<String> {
    if suffix::is_plain(key) {
        return vec![key.to_ascii_lowercase()];
    }
    folds(key)
}

/// Folds that one value may have. What it takes a hostile text to have more of is left out.
pub const FOLDS_OF_VALUE: usize = 32;

/// Each fold of a value of the database, the lossy ones after the others: nearly always one, or two for a URL with a
/// query. None of them is empty.
pub fn folds_of_value(value: &str) -> Vec<String> {
    let mut all = folds_of_key(value);
    if value.contains('+') {
        all.extend(folds(&value.replace('+', " ")));
    }
    // A plus that was encoded shows only now.
    let spaced: Vec<_> =
        all.iter().filter(|fold| fold.contains('+')).map(|fold| path(&fold.replace('+', " "))).collect();
    all.extend(spaced);
    let cut: Vec<_> = all.iter().flat_map(|fold| url_ends(fold)).collect();
    all.extend(cut);
    distinct(all, FOLDS_OF_VALUE)
}

/// The keys that a value may stand for where it is not one itself, letters as they are: what is decoded, and what stands
/// before a query or a fragment.
pub fn keys_of_value(value: &str) -> Vec<String> {
    let mut all = fold::folds_with_case(value);
    let cut: Vec<_> = all.iter().flat_map(|fold| url_ends(fold)).collect();
    all.extend(cut);
    all.retain(|key| key != value);
    distinct(all, FOLDS_OF_VALUE)
}

/// What stands before a query or a fragment, if there is one. A name may hold a `?` or a `#` of its own, so the last of
/// each may begin it as well as the first of both.
fn url_ends(fold: &str) -> impl Iterator<Item = String> {
    [fold.find(['?', '#']), fold.rfind('?'), fold.rfind('#')].into_iter().flatten().map(|end| path(&fold[..end]))
}

/// The first `most` of the texts that are not empty, each once.
fn distinct(texts: Vec<String>, most: usize) -> Vec<String> {
    let mut kept = Vec::with_capacity(texts.len().min(most));
    for text in texts {
        if kept.len() < most && !text.is_empty() && !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

/// Whether an object's key and a value of the database may be two spellings of one name.
pub fn resembles(key: &str, value: &str) -> bool {
    let keys = folds_of_key(key);
    folds_of_value(value).iter().any(|value| keys.iter().any(|key| folds_meet(key, value)))
}

/// Whether a value may be another spelling of a name that begins with `prefix`.
pub fn may_begin(prefix: &str, value: &str) -> bool {
    let slash = if prefix.ends_with('/') { "/" } else { "" };
    let begins = |fold: &str, prefix: &str| {
        let prefix = format!("{prefix}{slash}");
        fold.starts_with(&prefix) || fold.contains(&format!("/{prefix}"))
    };
    let prefixes = folds_of_key(prefix);
    folds_of_value(value).iter().any(|fold| prefixes.iter().any(|prefix| begins(fold, prefix)))
}

/// The numbers of what a fold may begin with: each beginning that ends at or behind a letter that stands between words, and
/// the same with less path in front while two segments are left.
pub fn leads(fold: &str, mut each: impl FnMut(u64)) {
    let mut lead = |lead: &str| {
        each(whole_hash(lead));
        let rests = lead.match_indices('/').map(|(slash, _)| &lead[slash + 1..]);
        rests.filter(|rest| rest.contains('/')).for_each(|rest| each(whole_hash(rest)));
    };
    for (at, between) in fold.char_indices().filter(|(_, c)| !c.is_alphanumeric()) {
        lead(&fold[..at]);
        if between != '/' {
            lead(&fold[..at + between.len_utf8()]);
        }
    }
}

/// Whether two folds are equal, or one ends with the other at a `/`: a bucket, the root of a disk or a forgotten
/// `key_prefix` stands in front.
pub fn folds_meet(one: &str, other: &str) -> bool {
    let (long, short) = if one.len() >= other.len() { (one, other) } else { (other, one) };
    let front = long.strip_suffix(short).filter(|_| !short.is_empty());
    front.is_some_and(|front| front.is_empty() || front.ends_with('/'))
}

#[cfg(test)]
mod tests;

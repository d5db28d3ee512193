//! PURE: the id of a row, which may be of several columns, as one text: in the ledger, in reports, and as its handle, by
//! which the database finds the row again.
//!
//! An id of one column is its own text. One of several is a JSON array behind a mark that no id begins with.

use serde_json::Value;

/// U+001F, unit separator.
const SEVERAL: char = '\u{1f}';

/// The text of an id, from the values of its columns.
pub fn joined(parts: Vec<Option<String>>) -> String {
    let mut parts = parts;
    match parts.len() {
        0 | 1 => parts.pop().flatten().unwrap_or_default(),
        _ => format!("{SEVERAL}{}", Value::from(parts)),
    }
}

/// The values of its columns again.
pub fn parts(id: &str) -> Vec<Option<String>> {
    let several = id.strip_prefix(SEVERAL).and_then(|list| serde_json::from_str(list).ok());
    several.unwrap_or_else(|| vec![Some(id.to_owned())])
}

/// The id for programs: a text, or a list of them.
pub fn to_json(id: &str) -> Value {
    match several(id) {
        Some(list) => serde_json::from_str(list).unwrap_or_default(),
        None => id.into(),
    }
}

/// The same as the text of one cell, or for a person: what is of several columns is a JSON array.
pub fn shown(id: &str) -> &str {
    several(id).unwrap_or(id)
}

/// An id from what [`shown`] made of it.
pub fn from_shown(text: &str) -> String {
    match serde_json::from_str::<Vec<Option<String>>>(text) {
        Ok(parts) if parts.len() > 1 => joined(parts),
        _ => text.to_owned(),
    }
}

fn several(id: &str) -> Option<&str> {
    id.strip_prefix(SEVERAL)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_values_of_an_id_come_back_as_they_were(parts in prop::collection::vec(prop::option::of(any::<String>()), 2..4)) {
            let id = joined(parts.clone());
            prop_assert_eq!(super::parts(&id), parts.clone());
            prop_assert_eq!(from_shown(shown(&id)), id.clone());
            prop_assert_eq!(to_json(&id), Value::from(parts));
        }
    }

    #[test]
    fn an_id_of_one_column_is_its_text() {
        for id in ["17", "", "a,b", "[\"a\"]", "[\"a\",\"b\"]"] {
            assert_eq!(joined(vec![Some(id.to_owned())]), id);
            assert_eq!((parts(id), to_json(id), shown(id)), (vec![Some(id.to_owned())], Value::from(id), id));
        }
        assert_eq!(shown(&joined(vec![Some("1".to_owned()), None])), "[\"1\",null]");
    }
}

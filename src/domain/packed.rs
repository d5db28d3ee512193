//! PURE: texts that hold more than a key: a JSON list, a list with commas, a page with links. As a key such a text protects
//! nothing of what it names.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// How a text holds keys, as far as it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Packing {
    /// A JSON list of texts.
    List,
    /// A JSON object of texts.
    Map,
    /// Other JSON.
    Nested,
    /// Links of HTML, in `src` and `href`.
    Links,
    /// Lines.
    Lines,
    /// Parts with commas between.
    Commas,
    /// Parts with something else between.
    Other,
}

impl Packing {
    const ALL: [Packing; 7] =
        [Packing::List, Packing::Map, Packing::Nested, Packing::Links, Packing::Lines, Packing::Commas, Packing::Other];

    /// The packing of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|packing| *packing as u8 == number)
    }

    /// What such a text is, for people.
    pub fn noun(self) -> &'static str {
        match self {
            Packing::List => "a JSON list",
            Packing::Map => "a JSON object",
            Packing::Nested => "JSON",
            Packing::Links => "a text with links",
            Packing::Lines => "several lines",
            Packing::Commas => "a list with commas",
            Packing::Other => "several values in one",
        }
    }
}

/// JSON in JSON, and links in it, are looked for so deep.
const DEPTH: usize = 3;

/// What may be keys in a text that holds more than one, or one in a wrapping that is not a spelling of it: each part once,
/// in order. `None`: the text is one value.
pub fn unpack(text: &str) -> Option<(Packing, Vec<String>)> {
    let mut found = packing(text);
    let mut parts = Vec::new();
    if found.is_some() {
        gather(text, DEPTH, &mut parts);
    }
    // It may be percent-encoded as a whole, or but for its commas; no query unpacks that.
    for decoded in decoded(text).filter(|decoded| packing(decoded).is_some()) {
        found.get_or_insert(Packing::Other);
        gather(&decoded, DEPTH, &mut parts);
    }
    parts.retain(|part| !part.is_empty() && part != text);
    parts.sort_unstable();
    parts.dedup();
    found.filter(|_| !parts.is_empty()).map(|packing| (packing, parts))
}

/// A text percent-decoded, once and again, up to four times.
fn decoded(text: &str) -> impl Iterator<Item = String> {
    let decode = |text: &String| {
        let decoded = percent_decode_str(text).decode_utf8().ok()?.into_owned();
        (decoded != *text).then_some(decoded)
    };
    let encoded = text.contains('%').then(|| text.to_owned());
    std::iter::successors(encoded, decode).skip(1).take(4)
}

fn packing(text: &str) -> Option<Packing> {
    let has = |what: &str| text.contains(what);
    // Most values are one key, and are seen to be at once.
    if !text.trim().contains([',', ';', '|', '"', '\'', '<', '(', '[', '{', '\n', '\r', '\t']) {
        return None;
    }
    Some(match json(text) {
        Some(Value::Array(values)) if values.iter().all(is_plain) => Packing::List,
        Some(Value::Object(members))
            if members.values().all(is_plain) && !members.keys().any(|name| name.contains(['/', '.'])) =>
        {
            Packing::Map
        }
        Some(_) => Packing::Nested,
        // Queries find no others.
        None if (has("src=\"") || has("href=\"")) && !has("](") && !has("='") && !has("srcset") => Packing::Links,
        None if has("](") || has("=\"") || has("='") || has("<") && has(">") => Packing::Other,
        None if text.trim().contains(['\n', '\r']) => Packing::Lines,
        None if has(",") => Packing::Commas,
        None => Packing::Other,
    })
}

/// Whether it is a text that holds no more than itself, or not one at all.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => packing(text).is_none(),
        Value::Array(_) | Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A JSON list or object.
fn json(text: &str) -> Option<Value> {
    let text = text.trim();
    let is_packed = text.starts_with(['[', '{']) && text.ends_with([']', '}']);
    is_packed.then(|| serde_json::from_str(text).ok()).flatten()
}

fn gather(text: &str, depth: usize, parts: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if let Some(value) = json(text) {
        return gather_json(&value, depth, parts);
    }
    let mut add = |part: &str| {
        let part = part.trim();
        if !part.is_empty() {
            parts.push(part.to_owned());
        }
    };
    // Between quotes: attributes of HTML, and what languages write of their own values.
    for quote in ['"', '\''] {
        text.split(quote).skip(1).for_each(&mut add);
    }
    for (open, close) in [("](", [')', ' ']), ("(", [')', ')']), ("<", ['>', '>'])] {
        text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).for_each(&mut add);
    }
    text.split([',', ';', '|', '\n', '\r', '\t']).for_each(&mut add);
    // As `srcset` has them: `a.png 1x, b.png 2x`.
    let words = text.split(|c: char| c.is_whitespace() || c == ',' || c == '"' || c == '\'');
    words.filter(|word| word.contains(['/', '.'])).for_each(&mut add);
}

fn gather_json(value: &Value, depth: usize, parts: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            parts.push(text.clone());
            if packing(text).is_some() {
                gather(text, depth, parts);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather_json(value, depth, parts)),
        Value::Object(members) => {
            for (name, value) in members {
                parts.push(name.clone());
                gather_json(value, depth, parts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_percent_encoded_as_a_whole_is_unpacked_too() {
        for (text, expected) in [
            ("%5B%22a/1.png%22,%22b.png%22%5D", Packing::Commas),
            ("%255B%2522a/1.png%2522%252C%2522b.png%2522%255D", Packing::Other),
            ("https://cdn.example.com/%5B%22a/1.png%22%5D?v=1", Packing::Other),
        ] {
            let (packing, parts) = unpack(text).expect(text);
            assert!(packing == expected && parts.contains(&"a/1.png".to_owned()), "{text}: {packing:?}, {parts:?}");
        }
        for text in ["a%20b.png", "100%.png", "a%2", "%E9.png", "a%252Fb.png"] {
            assert_eq!(unpack(text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_found_in_whatever_holds_them() {
        for (text, packing) in [
            (r#"["a/1.png","b/2 x.png"]"#, Packing::List),
            (r#" [ "a\/1.png", "b/2 x.png" ] "#, Packing::List),
            (r#"[{"src":"a/1.png","size":3},{"src":"b/2 x.png"}]"#, Packing::Nested),
            (r#"{"big":"a/1.png","sizes":{"small":"b/2 x.png"}}"#, Packing::Nested),
            (r#"{"a/1.png":{"w":1},"b/2 x.png":null}"#, Packing::Nested),
            (r#"{"body":"<img src=\"a/1.png\"> <a href='b/2 x.png'>"}"#, Packing::Nested),
            (r#"["[\"a/1.png\",\"b/2 x.png\"]"]"#, Packing::Nested),
            (r#"<p><img alt="" src="a/1.png"><a href="b/2 x.png">x</a></p>"#, Packing::Links),
            (r#"<p><img src="a/1.png"><a href='b/2 x.png'>x</a></p>"#, Packing::Other),
            ("see ![one](a/1.png) and [two](b/2 x.png \"title\")", Packing::Other),
            ("![one](a/1.png \"title\") and <b/2 x.png>", Packing::Other),
            ("a/1.png,b/2 x.png", Packing::Commas),
            ("a/1.png, b/2 x.png,", Packing::Commas),
            ("a/1.png\nb/2 x.png\n", Packing::Lines),
            ("a/1.png\r\nb/2 x.png", Packing::Lines),
            ("a/1.png;b/2 x.png", Packing::Other),
            ("a/1.png | b/2 x.png", Packing::Other),
            (r#"a:2:{i:0;s:7:"a/1.png";i:1;s:9:"b/2 x.png";}"#, Packing::Other),
        ] {
            let (found, parts) = unpack(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found, packing, "{text}");
            for key in ["a/1.png", "b/2 x.png"] {
                let is_cut = text.contains("(b/2 x.png \"") && key.starts_with('b');
                assert!(is_cut || parts.iter().any(|part| part == key), "{text}: {parts:?}");
            }
        }
        let (_, parts) = unpack("<img srcset=\"a/1.png 1x, b/2.png 2x\">").expect("parts");
        assert!(["a/1.png", "b/2.png"].iter().all(|key| parts.iter().any(|part| part == key)), "{parts:?}");
    }

    #[test]
    fn one_value_is_not_a_packing() {
        for text in [
            "",
            "a/1.png",
            "a b/1 2.png",
            "https://cdn.example.com/a.png?v=2&w=3#top",
            " a.png\t",
            "a.png\r\n",
            "2026-01-01 10:00",
            "\u{e9}",
        ] {
            assert_eq!(unpack(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_only_looks_packed_gives_no_part_that_is_itself() {
        for text in ["a (copy).png", "it's.png", "a;b", "[", "{}", "\"", "a,b", "\u{e9},<"] {
            let parts = unpack(text).map(|(_, parts)| parts).unwrap_or_default();
            assert!(parts.iter().all(|part| part != text && !part.is_empty()), "{text}: {parts:?}");
        }
    }

    #[test]
    fn every_packing_has_a_number_of_its_own() {
        for packing in Packing::ALL {
            assert_eq!(Packing::numbered(packing as u8), Some(packing));
        }
        assert_eq!(Packing::numbered(Packing::ALL.len() as u8), None);
    }
}

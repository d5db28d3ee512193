//! Storage keys as text: their safe display, and the fold under which two spellings count as near misses.
//!
//! Keys are plain UTF-8 strings, and Rust orders strings by their bytes, which is the order that every comparison here
//! relies on. This room is pure: values in, values out.

use std::borrow::Cow;
use std::fmt::{self, Write};

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;

/// Text from outside, displayed with every control, bidirectional and zero-width character escaped.
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\n' | '\r' | '\t' => write!(f, "{}", c.escape_default())?,
                c if is_deceptive(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether a terminal or an editor would act on `c`, or show nothing for it, instead of showing it.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The spelling that near misses share: without a JSON string's quotes, a URL's scheme and host or leading slashes, percent-decoded, in NFC and
/// in lower case. Two keys with the same fold are not the same object, but neither is safely an orphan.
pub fn fold(key: &str) -> String {
    // A JSON string that was taken as it is still has its quotes.
    let bare = key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(key);
    let path = without_host(bare).trim_start_matches('/');
    let decoded = match percent_decode_str(path).decode_utf8() {
        Ok(decoded) => decoded,
        Err(_) => Cow::Borrowed(path),
    };
    decoded.trim_start_matches('/').nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// `https://host/path` and `//host/path` without their host; a URL's query and fragment go too. Any other text as it is.
fn without_host(text: &str) -> &str {
    let after_scheme = match text.split_once("://") {
        Some((scheme, rest)) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) => rest,
        _ => match text.strip_prefix("//") {
            Some(rest) => rest,
            None => return text,
        },
    };
    let path = after_scheme.split_once('/').map_or("", |(_, path)| path);
    path.split(['?', '#']).next().unwrap_or(path)
}

/// A number for a fold, so that millions can be joined without being stored twice (FNV-1a, 64 bits). Two folds may share
/// it; a finding is then held without need, which is the side to err on.
pub fn fold_hash(folded: &str) -> i64 {
    number(folded.bytes())
}

fn number(bytes: impl Iterator<Item = u8>) -> i64 {
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)) as i64
}

/// The number of a key's fold.
pub fn fold_number(key: &str) -> i64 {
    let is_folded_by_letter = |byte: &u8| byte.is_ascii() && !b"%:".contains(byte);
    // Most keys by far: nothing to decode, and no letters but those of ASCII.
    if key.bytes().all(|byte| is_folded_by_letter(&byte)) && !key.starts_with(['/', '"']) {
        return number(key.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    fold_hash(&fold(key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_number_of_a_fold_is_the_same_by_either_way(key in "[a-zA-Z/\":%.2F-]{0,12}|\\PC{0,8}") {
            prop_assert_eq!(fold_number(&key), fold_hash(&fold(&key)));
        }
    }

    #[test]
    fn hostile_characters_are_escaped_and_others_are_not() {
        assert_eq!(Printable("a\u{202e}b\u{1}c\nd\u{200b}é日😀").to_string(), r"a\u{202e}b\u{1}c\nd\u{200b}é日😀");
    }

    #[test]
    fn spellings_of_one_name_share_their_fold() {
        let fold_of_all = fold("a/caf\u{e9} b.png");
        for spelling in [
            "/a/caf\u{e9} b.png",
            "a/cafe\u{301} b.png",
            "A/CAF\u{c9} B.PNG",
            "a/caf%C3%A9%20b.png",
            "https://cdn.example.com/a/caf%c3%a9%20b.png",
            "//cdn.example.com/a/caf\u{e9} b.png?v=2",
            "\"a/caf\u{e9} b.png\"",
        ] {
            assert_eq!(fold(spelling), fold_of_all, "{spelling}");
        }
        assert_ne!(fold("a/b.png"), fold("a/c.png"));
    }

    #[test]
    fn a_stray_percent_or_a_colon_is_no_encoding() {
        assert_eq!(fold("100%.png"), "100%.png");
        assert_eq!(fold("%ff.png"), "%ff.png");
        assert_eq!(fold("a:b//c"), "a:b//c");
    }
}

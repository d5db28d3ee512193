//! Storage keys as text: their safe display, and a number for a text.
//!
//! Keys are plain UTF-8 strings, and Rust orders strings by their bytes, which is the order that every comparison here
//! relies on. This room is pure: values in, values out.

use std::fmt::{self, Write};

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

/// A number for a text (FNV-1a, 64 bits): the same on every host and in every version.
pub fn number_of(text: &str) -> i64 {
    let mixed = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, mixed) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_are_escaped_and_others_are_not() {
        assert_eq!(Printable("a\u{202e}b\u{1}c\nd\u{200b}é日😀").to_string(), r"a\u{202e}b\u{1}c\nd\u{200b}é日😀");
    }

    #[test]
    fn a_number_never_changes() {
        assert_eq!(number_of("") as u64, 0xcbf2_9ce4_8422_2325);
        assert_eq!(number_of("a") as u64, 0xaf63_dc4c_8601_ec8c);
    }
}

//! PURE: what URLs, HTML and JSON do to a name, undone: `%20`, `&amp;`, `\u00e9`, and the backslash.

use std::ops::Range;

use super::fold::is_around;
use super::mojibake::char_of;

/// The longest entity between its `&` and its `;`: `#x10ffff`.
const ENTITY_BYTES: usize = 8;

/// Percent-encoding and entities undone, however deep they are nested; nothing where there are none.
///
/// From the end to the beginning: when an escape's first byte is met, what follows it is already decoded, and what it
/// becomes may begin the next. So one pass is enough for all layers, and each escape makes the text shorter.
pub fn unescape(text: &str) -> Option<String> {
    memchr::memchr2(b'%', b'&', text.as_bytes())?;
    let mut tail = Vec::with_capacity(text.len()); // from the end: its last byte is the text's next
    for byte in text.bytes().rev() {
        tail.push(byte);
        while take_percent(&mut tail).is_some() || take_entity(&mut tail).is_some() {}
    }
    tail.reverse();
    let decoded = text_of(tail);
    (decoded != text).then_some(decoded)
}

/// Bytes as text. What is not UTF-8 was encoded by a program that wrote Latin-1: `caf%E9`.
fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut text = String::new();
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|byte| char_of(*byte)));
        }
        text
    })
}

/// Replaces `%41` by its byte.
fn take_percent(tail: &mut Vec<u8>) -> Option<()> {
    let [.., low, high, b'%'] = tail[..] else { return None };
    let byte = char::from(high).to_digit(16)? << 4 | char::from(low).to_digit(16)?;
    tail.truncate(tail.len() - 3);
    tail.push(byte as u8);
    Some(())
}

/// Replaces `&amp;`, `&#38;` or `&#x26;` by its character.
fn take_entity(tail: &mut Vec<u8>) -> Option<()> {
    let (b'&', rest) = tail.split_last()? else { return None };
    let length = rest.iter().rev().take(ENTITY_BYTES + 1).position(|byte| *byte == b';')?;
    let name: Vec<u8> = rest.iter().rev().take(length).map(u8::to_ascii_lowercase).collect();
    let c = entity(str::from_utf8(&name).ok()?)?;
    tail.truncate(tail.len() - length - 2);
    tail.extend(c.encode_utf8(&mut [0; 4]).bytes().rev());
    Some(())
}

/// The character that an entity's name stands for: those that names and URLs need, and all numbers.
fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
            let code =
                digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix).ok())??;
            // HTML reads these numbers as bytes of Windows-1252.
            if (0x80..0xa0).contains(&code) { char_of(code as u8) } else { char::from_u32(code)? }
        }
    })
}

/// Who wrote the backslashes of a text. The first two agree on `C:\new\file.png`: no name has a line end inside, and many
/// a folder is called `new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backslashes {
    /// JSON: an escape before `u00e9` and quotes, and before `n`, `r`, `t`, `b`, `f` at the end; a separator elsewhere.
    Json,
    /// JSON, which did not escape the separators or got them later: `C:\"x"\caf\u00e9\\u00e9t\u00e9.png`.
    JsonAndWindows,
    /// Windows: separators, also in `files\u1234\x.png`.
    Windows,
}

/// A text without backslashes, and whether another reading may differ; nothing where there are none.
pub fn without_backslashes(text: &str, by: Backslashes) -> Option<(String, bool)> {
    memchr::memchr(b'\\', text.as_bytes())?;
    let blanks = blank_ends(text);
    let mut rest = text;
    let mut decoded = String::with_capacity(text.len());
    let mut has_escapes = false;
    while let Some(start) = rest.find('\\') {
        decoded.push_str(&rest[..start]);
        let after = rest[start..].trim_start_matches('\\');
        let is_blank = blanks.iter().any(|blank| blank.contains(&(text.len() - after.len())));
        let escape = escape(after, is_blank).filter(|escape| escape.is_read(by));
        has_escapes |= escape.is_some();
        if escape.is_none_or(|escape| escape.follows_separator(rest.len() - start - after.len(), by)) {
            decoded.push('/');
        }
        decoded.extend(escape.map(|escape| escape.c));
        rest = &after[escape.map_or(0, |escape| escape.length)..];
    }
    decoded.push_str(rest);
    Some((decoded, has_escapes))
}

/// What may be an escape of JSON, without its backslash.
#[derive(Debug, Clone, Copy)]
struct Escape {
    c: char,
    /// Its bytes after the backslash.
    length: usize,
}

impl Escape {
    fn is_coded(self) -> bool {
        self.length > 1
    }

    fn is_read(self, by: Backslashes) -> bool {
        match by {
            Backslashes::Json => true,
            Backslashes::JsonAndWindows => self.is_coded(),
            Backslashes::Windows => false,
        }
    }

    /// Whether the first of so many backslashes is a separator. JSON within JSON doubles them: it makes one, two, four of
    /// the one before `u00e9`, and one, three, seven of the one before a quote, which it escapes as well. Other numbers
    /// have a separator in them.
    fn follows_separator(self, backslashes: usize, by: Backslashes) -> bool {
        match by {
            Backslashes::JsonAndWindows => backslashes > 1,
            _ if self.is_coded() => !backslashes.is_power_of_two(),
            _ => self.c != '\n' && !(backslashes + 1).is_power_of_two(),
        }
    }
}

/// The escape that a text may begin with, after its backslash.
fn escape(after: &str, is_blank: bool) -> Option<Escape> {
    match after.bytes().next()? {
        b'u' | b'U' => unicode_escape(after),
        quote @ (b'"' | b'\'') => Some(Escape { c: char::from(quote), length: 1 }),
        letter if is_blank && BLANKS.contains(char::from(letter)) => Some(Escape { c: '\n', length: 1 }),
        _ => None,
    }
}

/// What follows the backslash of escaped white space.
const BLANKS: &str = "nrtbfNRTBF";

/// Where, before the end of the text and wherever a URL may end, nothing stands but escaped white space and what may
/// stand around a name.
fn blank_ends(text: &str) -> [Range<usize>; 4] {
    let ends = [Some(text.len()), text.find(['?', '#']), text.rfind('?'), text.rfind('#')];
    ends.map(|end| end.map_or(0..0, |end| blank_start(&text[..end])..end))
}

/// Where the escaped white space at the end of a text begins.
fn blank_start(text: &str) -> usize {
    let mut rest = text;
    loop {
        let bare = rest.trim_end_matches(|c| c == '\\' || is_around(c));
        let before = bare.strip_suffix(|c| BLANKS.contains(c)).or_else(|| without_coded_blank(bare));
        match before.filter(|before| before.ends_with('\\')) {
            Some(before) => rest = before,
            None => return bare.len(),
        }
    }
}

/// A text that ends in `u00a0` or another that may stand around a name, without it.
fn without_coded_blank(text: &str) -> Option<&str> {
    let (before, code) = text.split_at_checked(text.len().checked_sub(5)?)?;
    hex_of(code).and_then(char::from_u32).is_some_and(is_around).then_some(before)
}

/// `u00e9`, or two of them with a backslash between, for a character that UTF-16 writes as a pair.
fn unicode_escape(after: &str) -> Option<Escape> {
    let unit = hex_of(after)?;
    if let Some(c) = char::from_u32(unit) {
        return Some(Escape { c, length: 5 });
    }
    let second = after[5..].strip_prefix('\\')?.trim_start_matches('\\');
    let pair = [unit as u16, hex_of(second)? as u16];
    let c = char::decode_utf16(pair).next()?.ok()?;
    Some(Escape { c, length: after.len() - second.len() + 5 })
}

/// The number in `u00e9`.
fn hex_of(text: &str) -> Option<u32> {
    let digits = text.strip_prefix(['u', 'U'])?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(text: &str) -> String {
        unescape(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn escapes_are_undone_through_all_layers() {
        for (text, right) in [
            ("a%20b", "a b"),
            ("a%25252520b", "a b"),
            ("caf%C3%a9", "café"),
            ("caf%E9 %80", "café €"),
            ("%2%35%36%31", "a"),
            ("a&amp;b", "a&b"),
            ("a&AMP;amp;amp;b", "a&b"),
            ("&#38;&#x26;&#X26;&#150;", "&&&–"),
            ("&#37;26amp%3B", "&"),
            ("%F0%9F%98%80&#128512;", "😀😀"),
        ] {
            assert_eq!(unescaped(text), right, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_escape_stays() {
        for text in
            ["100%.png", "%", "%4", "%zz", "AT&T.png", "a&b.png", "a&amp", "&;", "&#;", "&#x;", "&#xd800;", "&#+1;"]
        {
            assert_eq!(unescape(text), None, "{text}");
        }
    }

    #[test]
    fn a_backslash_is_an_escape_or_a_separator() {
        for (text, right) in [
            (r"C:\new\file.png", "C:/new/file.png"),
            (r"a\\b\/c", "a/b//c"),
            (r"caf\u00e9 caf\\u00E9", "café café"),
            (r"\ud83d\ude00 \\ud83d\\ude00", "😀 😀"),
            (r"a\\\u00e9", "a/é"),
            (r"\ud83dude00 \ud83d\u0041 \ude00", "/ud83dude00 /ud83dA /ude00"),
            (r#"say \"hi\" \\\"ho\\\" a\\"b"#, r#"say "hi" "ho" a/"b"#),
            (r"a.png\r\n", "a.png\n\n"),
            (r#"a.png\n" \t?v=2"#, "a.png\n\" \n?v=2"),
            (r"a.png\r\n\u00a0", "a.png\n\n\u{a0}"),
            (r"a\n\b.png", "a/n/b.png"),
            (r"a\u12", "a/u12"),
            ("\\", "/"),
        ] {
            assert_eq!(without_backslashes(text, Backslashes::Json).unwrap().0, right, "{text}");
        }
        for (by, right) in
            [(Backslashes::JsonAndWindows, "\u{1234}/\"x/\u{e9}/n"), (Backslashes::Windows, "/u1234/\"x/u00e9/n")]
        {
            assert_eq!(without_backslashes(r#"\u1234\"x\\u00e9\n"#, by).unwrap().0, right);
        }
        assert_eq!(without_backslashes("a/b", Backslashes::Json), None);
    }
}

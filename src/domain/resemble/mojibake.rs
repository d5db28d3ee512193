//! PURE: UTF-8 that was read as Latin-1 or as Windows-1252, and is read again as what it was: `cafÃ©` is `café`.

/// The characters of Windows-1252 for the bytes 80 to 9F, as browsers read them; its other bytes are Latin-1's. Latin-1
/// has controls in their place, so one table reads both.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The character of a byte in Windows-1252.
pub fn char_of(byte: u8) -> char {
    WINDOWS.get(usize::from(byte.wrapping_sub(0x80))).copied().unwrap_or(char::from(byte))
}

/// How to read the character that begins a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// As it is.
    Exact,
    /// As it may have been before its case was changed: `Æ—¥` was `æ—¥`, which is `日`. How many bytes follow it tells.
    OfAnyCase,
}

/// One layer undone, wherever a sequence of characters is one of bytes that make another character; nothing where there
/// is none. What stands beside such a sequence does not matter: a quote or a space may have come later.
pub fn decode(text: &str, lead: Lead) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.chars();
    let mut found = false;
    while let Some(c) = rest.clone().next() {
        let (c, width) = sequence(rest.clone(), lead).unwrap_or((c, 1));
        decoded.push(c);
        found |= width > 1;
        rest.nth(width - 1);
    }
    found.then_some(decoded)
}

/// The character whose bytes the next characters are, and how many they are.
fn sequence(mut chars: impl Iterator<Item = char>, lead: Lead) -> Option<(char, usize)> {
    let first = u8::try_from(chars.next()?).ok().filter(|byte| *byte >= 0xc0)?;
    let mut bytes = [first, 0, 0, 0];
    let mut length = 1;
    for (place, byte) in bytes[1..].iter_mut().zip(chars.map_while(continuation)) {
        *place = byte;
        length += 1;
    }
    (2..=length).rev().find_map(|width| {
        bytes[0] = match (lead, width) {
            (Lead::Exact, _) => first,
            (Lead::OfAnyCase, 2) => first & !0x20,
            (Lead::OfAnyCase, _) => first | 0x20,
        };
        let mut decoded = str::from_utf8(&bytes[..width]).ok()?.chars();
        decoded.next().filter(|_| decoded.next().is_none()).map(|c| (c, width))
    })
}

/// The byte that a character is, if it can be one that continues a sequence; also where its case was changed into a
/// character that is no byte.
fn continuation(c: char) -> Option<u8> {
    match c {
        '\u{80}'..='\u{bf}' => u8::try_from(c).ok(),
        'Ƒ' => Some(0x83),
        'ÿ' => Some(0x9f),
        'Μ' | 'μ' => Some(0xb5),
        _ => WINDOWS.iter().position(|known| *known == c).map(|place| 0x80 + place as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UTF-8 read as Windows-1252.
    fn misread(text: &str) -> String {
        text.bytes().map(char_of).collect()
    }

    #[test]
    fn every_character_that_was_misread_is_read_again() {
        for c in ('\u{80}'..'\u{10000}').chain(('\u{10000}'..=char::MAX).step_by(61)).map(|c| c.to_string()) {
            let latin: String = c.bytes().map(char::from).collect();
            for lead in [Lead::Exact, Lead::OfAnyCase] {
                assert_eq!(decode(&misread(&c), lead), Some(c.clone()));
                assert_eq!(decode(&latin, lead), Some(c.clone()));
            }
        }
    }

    #[test]
    fn what_stands_beside_it_does_not_matter() {
        assert_eq!(decode("“Ã©t\u{c3}\u{a0}\u{a0}”, 日", Lead::Exact).unwrap(), "“ét\u{e0}\u{a0}”, 日");
        assert_eq!(misread("ö"), "Ã¶");
    }

    #[test]
    fn names_with_accents_are_not_misread() {
        for name in ["café.png", "ÉTÉ 2024.png", "naïve", "Ångström", "日本", "Ã", "«été»"] {
            assert_eq!(decode(name, Lead::Exact), None, "{name}");
        }
    }

    #[test]
    fn a_changed_case_is_seen_through() {
        let text = "日字😀õéà";
        assert_eq!(decode(&misread(text).to_uppercase(), Lead::OfAnyCase).unwrap(), text);
        assert_eq!(decode(&misread(text).to_lowercase(), Lead::OfAnyCase).unwrap(), text);
    }
}

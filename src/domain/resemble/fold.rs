//! PURE: the steps of a fold and their order. Where a text can be read in more than one way, one fold for each reading.
//!
//! A round decodes until nothing is left to decode, then takes away what stands around the path and its segments, then
//! the case. Rounds go on until one changes nothing. So it does not matter in which order a spelling came about.
//!
//! "Around" is both ends of the whole text and both ends of each segment, since a path that is put in front of a spelling
//! moves its beginning inward: `/srv/uploads/"a.png"`. Inside a segment, nothing is taken away.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::decode::{Backslashes, unescape, without_backslashes};
use super::distinct;
use super::mojibake::{self, Lead};

/// Rounds until a fold must stand still. Each undoes all layers of an encoding at once; only a text that was built for
/// it alternates so often, and it is nobody's name.
const ROUNDS: usize = 64;

/// No key is longer than 1,024 bytes in any store, and none grows so much by being encoded three times, each time twice.
const LONGEST: usize = 16 * 1024;

/// Folds without loss that one text may have.
pub const READINGS: usize = 16;

/// How to read what can be read in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    backslashes: Backslashes,
    authority: Authority,
    lead: Lead,
    /// How often, at most, characters are taken for the bytes of others.
    decodings: usize,
    /// Whether letters stay as they are.
    keeps_case: bool,
}

/// What follows a scheme that stores use (`s3://`), or the two slashes that begin a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
    /// A host or a bucket, which goes.
    Dropped,
    /// A folder: Drupal's `s3://2024-05/x.png` names no bucket, and `//x.files/a.png` may have doubled its slash.
    Kept,
}

impl Reading {
    /// Undoes all that can be undone.
    pub const THOROUGH: Reading = Reading {
        backslashes: Backslashes::Json,
        authority: Authority::Dropped,
        lead: Lead::OfAnyCase,
        decodings: usize::MAX,
        keeps_case: false,
    };
    const THOROUGH_WITH_CASE: Reading = Reading { keeps_case: true, ..Reading::THOROUGH };
}

/// What a fold met that another reading would read otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Met {
    escapes: bool,
    authority: bool,
    decodings: usize,
}

/// Each fold of a text without loss, the most thorough first.
pub fn folds(text: &str) -> Vec<String> {
    folds_by(text, Reading::THOROUGH)
}

/// The same with letters as they are: each is a key that the text may stand for.
pub fn folds_with_case(text: &str) -> Vec<String> {
    folds_by(text, Reading::THOROUGH_WITH_CASE)
}

fn folds_by(text: &str, most: Reading) -> Vec<String> {
    let (thorough, met) = fold_as(text, most);
    if met == Met::default() {
        return distinct(vec![thorough], READINGS);
    }
    let others = readings(met).map(|reading| fold_as(text, Reading { keeps_case: most.keeps_case, ..reading }).0);
    distinct(std::iter::once(thorough).chain(others).collect(), READINGS)
}

/// The readings that may differ from the thorough one. Text that was read as Latin-1 three times is the most that is
/// looked for layer by layer.
fn readings(met: Met) -> impl Iterator<Item = Reading> {
    let backslashes = [Backslashes::Json, Backslashes::JsonAndWindows, Backslashes::Windows];
    let backslashes = backslashes.into_iter().take(if met.escapes { 3 } else { 1 });
    let authorities = [Authority::Dropped, Authority::Kept].into_iter().take(1 + usize::from(met.authority));
    let most = if met.decodings == 0 { 0 } else { 3 };
    let layers = move |lead| (1..=most).map(move |decodings| (lead, decodings));
    let decodings = std::iter::once((Lead::OfAnyCase, 0)).chain(layers(Lead::Exact)).chain(layers(Lead::OfAnyCase));
    decodings.flat_map(move |(lead, decodings)| {
        let authorities = authorities.clone();
        backslashes.clone().flat_map(move |backslashes| {
            authorities.clone().map(move |authority| Reading {
                backslashes,
                authority,
                lead,
                decodings,
                keeps_case: false,
            })
        })
    })
}

/// The fold of a text in one reading, and what else it could have been. Empty where nothing is left, and where the text
/// is too long or too often encoded to be a name.
pub fn fold_as(text: &str, reading: Reading) -> (String, Met) {
    let mut met = Met::default();
    let mut folded = if text.len() > LONGEST { String::new() } else { text.to_owned() };
    for _ in 0..ROUNDS {
        let decoded = decode(&folded, reading, &mut met);
        let bare = path(without_authorities(&decoded, reading, &mut met));
        let next = if reading.keeps_case { bare } else { without_case(&bare) };
        if next == folded {
            return (folded, met);
        }
        folded = next;
    }
    (String::new(), met)
}

/// Undoes encodings until none is left.
fn decode(text: &str, reading: Reading, met: &mut Met) -> String {
    let mut text = composed(text).into_owned();
    for _ in 0..ROUNDS {
        match decode_once(&text, reading, met) {
            Some(next) => text = composed(&next).into_owned(),
            None => break,
        }
    }
    text
}

/// Undoes the first encoding that the text has, all layers of it if they can be told.
fn decode_once(text: &str, reading: Reading, met: &mut Met) -> Option<String> {
    if let Some(next) = unescape(text) {
        return Some(next);
    }
    if let Some((next, had_escapes)) = without_backslashes(text, reading.backslashes) {
        met.escapes |= had_escapes;
        return Some(next);
    }
    let next = (met.decodings < reading.decodings).then(|| mojibake::decode(text, reading.lead))??;
    met.decodings += 1;
    Some(next)
}

/// In NFC, which nearly every text is already, and without characters that stand for others.
fn composed(text: &str) -> Cow<'_, str> {
    // Below the combining marks nothing is composed further, and nothing stands for anything else.
    if text.is_ascii() || text.chars().all(|c| c < '\u{300}') {
        return Cow::Borrowed(text);
    }
    let is_composed = is_nfc_quick(text.chars()) == IsNormalized::Yes;
    match is_composed && text.chars().all(|c| meant(c) == c) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().map(meant).collect()),
    }
}

/// What a character stands for where a store cannot have it in a name: rclone writes controls as their pictures, and what
/// file systems forbid in its full width.
fn meant(c: char) -> char {
    let by = match c {
        '\u{2400}'..='\u{2420}' => 0x2400,
        // DEL.
        '\u{2421}' => 0x2421 - 0x7f,
        '\u{ff01}'..='\u{ff5e}' => 0xff01 - 0x21,
        _ => 0,
    };
    char::from_u32(u32::from(c) - by).unwrap_or(c)
}

/// Schemes after which a host stands, whatever they are written for.
const HOST_SCHEMES: [&str; 4] = ["http", "https", "ftp", "sftp"];

/// Schemes of stores, after which a bucket stands, or does not.
const STORE_SCHEMES: [&str; 8] = ["s3", "s3a", "s3n", "gs", "gcs", "r2", "oss", "minio"];

/// Schemes after which the path begins at once: files, and Drupal's stream wrappers.
const PATH_SCHEMES: [&str; 4] = ["file", "public", "private", "temporary"];

/// The path of a URL, also of a URL within a URL, as those of image proxies.
fn without_authorities<'a>(mut text: &'a str, reading: Reading, met: &mut Met) -> &'a str {
    loop {
        let (rest, had_authority) = without_authority(text, reading.authority);
        met.authority |= had_authority;
        if rest.len() == text.len() {
            return rest;
        }
        text = rest.trim_start_matches('/');
    }
}

/// The path of `https://user@host:443/path` and the like, and whether [`Authority`] decided it. Any other text as it is.
///
/// One slash after a scheme is enough where the scheme is known: joining paths makes one of two.
fn without_authority(text: &str, authority: Authority) -> (&str, bool) {
    let text = text.trim_matches(is_around);
    let Some((scheme, rest)) = scheme_of(text) else {
        return match text.strip_prefix("//").and_then(|rest| rest.split_once('/')) {
            Some((host, path)) if looks_like_host(host) && authority == Authority::Dropped => (path, true),
            Some((host, _)) if looks_like_host(host) => (text, true),
            _ => (text, false),
        };
    };
    let is = |schemes: &[&str]| schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let bare = rest.trim_start_matches('/');
    let path = bare.split_once('/').map_or("", |(_, path)| path);
    match authority {
        _ if is(&PATH_SCHEMES) => (bare, false),
        _ if is(&HOST_SCHEMES) => (path, false),
        _ if !is(&STORE_SCHEMES) && !rest.starts_with("//") => (text, false),
        Authority::Dropped => (path, true),
        Authority::Kept => (bare, true),
    }
}

/// A scheme of two letters or more (one is a drive of Windows), and what follows its colon, which begins with a `/`.
fn scheme_of(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (is_scheme && rest.starts_with('/')).then_some((scheme, rest))
}

/// Whether two slashes before it would make a text a URL, and not a path with a doubled slash.
fn looks_like_host(text: &str) -> bool {
    let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "0"));
    let is_name = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    port.bytes().all(|byte| byte.is_ascii_digit())
        && (name.contains('.') || name == "localhost")
        && name.split('.').all(is_name)
}

/// The segments of a text without what stands around them, and without those that are empty or a `.`.
pub fn path(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    let segments = text.split('/').map(|segment| segment.trim_matches(is_around));
    for segment in segments.filter(|segment| !matches!(*segment, "" | ".")) {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(segment);
    }
    path
}

/// Whether a character that stands around a name is not part of it: white space, line ends, controls, what shows nothing
/// (a byte order mark, zero widths), and quotes.
pub fn is_around(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '"' | '\'' | '`' | '´' | '«' | '»' | '‹' | '›' | '\u{2018}'..='\u{201f}')
}

/// In lower case, by way of upper case: so `straße` and its `STRASSE` are one, and the three sigmas.
fn without_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut lower = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii() {
            true => lower.push(c.to_ascii_lowercase()),
            false => lower.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    composed(&lower).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_url_is_what_follows_the_host() {
        let dropped = |text| without_authority(text, Authority::Dropped).0.to_owned();
        for text in [
            "https://cdn.example.com/a/b.png",
            "HTTP://user:pass@cdn.example.com:8080/a/b.png",
            "https:/cdn.example.com/a/b.png",
            "//cdn.example.com/a/b.png",
            "//user@localhost:9000/a/b.png",
            "s3://bucket/a/b.png",
            "gopher://host/a/b.png",
            "file:///a/b.png",
            "public://a/b.png",
        ] {
            assert_eq!(dropped(text), "a/b.png", "{text}");
        }
        for text in
            ["a:b//c", "C:/a/b.png", "//a/b.png", "/a/b.png", "a.b/c", "12:30/x", ":/x", "//logo.png", "//a b.c/d"]
        {
            assert_eq!(dropped(text), text);
        }
        assert_eq!(dropped("https://cdn.example.com"), "");
    }

    #[test]
    fn a_bucket_may_be_a_folder() {
        assert_eq!(folds("s3://2024-05/x.png"), ["x.png", "2024-05/x.png"]);
        assert_eq!(folds("//v1.files/x.png"), ["x.png", "v1.files/x.png"]);
        assert_eq!(folds("https://cdn/x.png"), ["x.png"]);
    }

    #[test]
    fn what_stands_around_a_segment_goes() {
        assert_eq!(path("\u{feff} ./a//\"b \u{a0}\"/ . /it's /\r\n"), "a/b/it's");
        assert_eq!(path(" /./'/"), "");
    }

    #[test]
    fn the_case_of_every_character_is_undone_for_good() {
        let fold = |text: &str| fold_as(text, Reading { decodings: 0, ..Reading::THOROUGH }).0;
        let has_case = |c: &char| !c.to_uppercase().eq([*c]) || !c.to_lowercase().eq([*c]) || !c.nfd().eq([*c]);
        let is_hangul = |c: &char| ('\u{ac01}'..'\u{d7a4}').contains(c);
        let chars = ('\u{80}'..=char::MAX).filter(|c| has_case(c) && !is_hangul(c));
        for c in chars.map(|c| c.to_string()) {
            let folded = fold(&format!("x{c}x"));
            assert_eq!(fold(&folded), folded, "{c:?}");
            assert_eq!(fold(&format!("x{}x", c.to_uppercase())), folded, "{c:?}");
            assert_eq!(fold(&format!("x{}x", c.to_lowercase())), folded, "{c:?}");
            assert_eq!(fold(&format!("x{c}x").nfd().collect::<String>()), folded, "{c:?}");
        }
    }

    #[test]
    fn a_text_without_end_or_longer_than_any_key_is_nobody() {
        assert_eq!(folds(&"a".repeat(LONGEST + 1)), [""; 0]);
        assert_eq!(folds(&"a".repeat(LONGEST)).len(), 1);
    }
}

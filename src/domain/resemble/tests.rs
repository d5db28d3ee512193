//! What holds of all names: any spelling of a key resembles it, and no two keys of an application resemble each other.
//!
//! `PROPTEST_CASES=1000000` tries other keys than each time before, and more of them.
#![cfg(test)]

use std::collections::{HashMap, HashSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use unicode_normalization::UnicodeNormalization;

use super::*;

/// The same cases each time, unless more are asked for.
fn cases(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => asked,
        None => ProptestConfig { cases, rng_seed: RngSeed::Fixed(4), ..asked },
    }
}

/// How a name is written elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    UpperCase,
    Decomposed,
    PercentAll,
    PercentSome,
    PercentTwice,
    Html,
    Json,
    LeadingSlash,
    DoubledSlashes,
    DotSegments,
    Backslashes,
    Url,
    UrlOfAPort,
    PathStyleUrl,
    StoreUrl,
    AbsolutePath,
    WindowsPath,
    LineEnd,
    Space,
    NoBreakSpace,
    Bom,
    Quotes,
    SingleQuotes,
    TypographicQuotes,
    Latin1,
    Windows1252,
    Query,
    Fragment,
    Plus,
}

use Spelling::*;

const LOSSLESS: [Spelling; 26] = [
    UpperCase,
    Decomposed,
    PercentAll,
    PercentSome,
    PercentTwice,
    Html,
    Json,
    LeadingSlash,
    DoubledSlashes,
    DotSegments,
    Backslashes,
    Url,
    UrlOfAPort,
    PathStyleUrl,
    StoreUrl,
    AbsolutePath,
    WindowsPath,
    LineEnd,
    Space,
    NoBreakSpace,
    Bom,
    Quotes,
    SingleQuotes,
    TypographicQuotes,
    Latin1,
    Windows1252,
];

impl Spelling {
    fn of(self, text: &str) -> String {
        match self {
            UpperCase => text.to_uppercase(),
            Decomposed => text.nfd().collect(),
            PercentAll => percent_encoded(text, |_| false),
            PercentSome => percent_encoded(text, |byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte)),
            PercentTwice => PercentSome.of(&PercentSome.of(text)),
            Html => html_escaped(text),
            Json => json_escaped(text),
            LeadingSlash => format!("/{text}"),
            DoubledSlashes => text.replace('/', "//"),
            DotSegments => format!("./{}", text.replace('/', "/./")),
            Backslashes => text.replace('/', "\\"),
            Url => format!("https://cdn.example.com/{text}"),
            UrlOfAPort => format!("HTTP://me:secret@localhost:9000/{text}"),
            PathStyleUrl => format!("https://s3.example.com/my-bucket/{text}"),
            StoreUrl => format!("s3://my-bucket/{text}"),
            AbsolutePath => format!("/srv/app/uploads/{text}"),
            WindowsPath => format!("C:\\new\\files\\{}", text.replace('/', "\\")),
            LineEnd => format!("{text}\r\n"),
            Space => format!("{text} "),
            NoBreakSpace => format!("{text}\u{a0}"),
            Bom => format!("\u{feff}{text}"),
            Quotes => format!("\"{text}\""),
            SingleQuotes => format!("'{text}'"),
            TypographicQuotes => format!("“{text}”"),
            Latin1 => text.bytes().map(char::from).collect(),
            Windows1252 => text.bytes().map(mojibake::char_of).collect(),
            Query => format!("{text}?v=2&w=100"),
            Fragment => format!("{text}#top"),
            Plus => text.replace('+', "%2B").replace(' ', "+"),
        }
    }
}

fn percent_encoded(text: &str, is_safe: impl Fn(u8) -> bool) -> String {
    text.bytes().map(|b| if is_safe(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn html_escaped(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '\u{a0}' => "&nbsp;".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => format!("&#x{:X};", u32::from(c)),
    };
    text.chars().map(escaped).collect()
}

/// As PHP and Python write a string by default.
fn json_escaped(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' | '/' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if (' '..='~').contains(&c) => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    text.chars().map(escaped).collect()
}

/// The spellings of a chain, one upon the other.
fn spelled(key: &str, chain: &[Spelling]) -> String {
    chain.iter().fold(key.to_owned(), |text, spelling| spelling.of(&text))
}

/// Up to three spellings, of which at most one loses something.
fn chain() -> impl Strategy<Value = Vec<Spelling>> {
    let lossy = proptest::option::of((0..3_usize, select(vec![Query, Fragment, Plus])));
    (vec(select(&LOSSLESS[..]), 0..=3), lossy).prop_map(|(mut chain, lossy)| {
        if let Some((place, lossy)) = lossy {
            chain.truncate(2);
            chain.insert(place.min(chain.len()), lossy);
        }
        chain
    })
}

/// Keys as applications make them.
fn usual_key() -> impl Strategy<Value = String> {
    prop_oneof![
        "u/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/original\\.(jpg|JPG|png)",
        "20[12][0-9]/[01][0-9]/IMG_[0-9]{4}\\.jpg",
        "invoice-[0-9]{5}\\.pdf",
        "[0-9]{1,6}/conversions/[a-z]{1,8}-thumb\\.jpg",
        "[a-z]{3,8}/[A-Z][a-z]{2,9}( [a-z]{2,9}){0,3}( \\([0-9]\\))?\\.(pdf|docx)",
        "[a-zéèàüöñç]{3,9}/[A-ZÉÀÖ][a-zéèàüöñç]{2,9}\\.png",
    ]
}

const PIECES: [&str; 76] = [
    "a",
    "b",
    "Q",
    "file",
    "IMG",
    "new",
    "table",
    "n",
    "r",
    "u1",
    "u00e9",
    "X",
    "0",
    "1",
    "10",
    "2024",
    "41",
    "af",
    "e9",
    " ",
    " ",
    "  ",
    "%",
    "%",
    "%20",
    "%41",
    "%e9",
    "100%",
    "+",
    "+",
    "&",
    "&",
    "&amp;",
    "&#",
    "amp;",
    "é",
    "É",
    "à",
    "ü",
    "ß",
    "ñ",
    "Ö",
    "ő",
    "š",
    "Ž",
    "œ",
    "µ",
    "ÿ",
    "ı",
    "İ",
    "ς",
    "Ж",
    "я",
    "α",
    "日",
    "本",
    "語",
    "한",
    "ﬁ",
    "😀",
    "😚",
    "👩\u{200d}👧",
    "e\u{301}",
    "®",
    "…",
    "–",
    ".",
    ".",
    "..",
    "-",
    "'",
    "\"",
    "’",
    "”",
    "(1)",
    "#1",
];

/// Keys as nobody should make them.
fn nasty_key() -> impl Strategy<Value = String> {
    let segment = vec(select(&PIECES[..]), 1..5).prop_map(|pieces| pieces.concat());
    vec(segment, 1..4).prop_map(|segments| segments.join("/"))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![1 => usual_key(), 2 => nasty_key()]
}

/// Whether a chain says too little of this key to tell it from another key.
fn is_ambiguous(key: &str, chain: &[Spelling]) -> bool {
    let begins = |spellings: &[Spelling], text: &str, step: usize| match chain[step] {
        // A plus that was encoded to tell it from a space, and is encoded once more together with those that are spaces.
        Plus => {
            text.contains('+') && text.contains(' ') && has(&chain[step..], &[PercentAll, PercentSome, PercentTwice])
        }
        // A separator before an escape is an escape that was doubled.
        WindowsPath => text.starts_with("\\u"),
        // A byte of a sequence that has a case: 9A, 9C and 9E become 8A, 8C and 8E, and so another character.
        UpperCase => text.contains(['š', 'œ', 'ž']) && has(spellings, &[Windows1252]),
        // `%0e` and an accent: as `%0é`, nothing is encoded.
        Decomposed => is_code_composed(text),
        // What comes after a sequence can continue it. Where the case of its first byte was changed, or a byte of Latin-1
        // was percent-encoded in the key itself, nothing tells where it ended.
        TypographicQuotes | NoBreakSpace => {
            let is_short = fold(key).ends_with(|c| ('\u{80}'..'\u{800}').contains(&c));
            let is_unclear = has(spellings, &[UpperCase]) || key.contains("%e9");
            is_short && is_unclear && has(spellings, &[Latin1, Windows1252])
        }
        _ => false,
    };
    let has_lost = |step| begins(&chain[..step], &spelled(key, &chain[..step]), step);
    // Nothing is left of it, and so it resembles nothing.
    fold(key).is_empty()
        || is_code_composed(key)
        // A folder whose name is a code of JSON's.
        || (key.split('/').any(|segment| escaped_code(segment).is_some())
            && has(chain, &[Json])
            && has(chain, &[Backslashes, WindowsPath]))
        || (0..chain.len()).any(has_lost)
}

/// Whether composing a text makes an escape of it, or unmakes one.
fn is_code_composed(key: &str) -> bool {
    let undone = |text: String| decode::unescape(&text).unwrap_or(text).nfc().collect::<String>();
    undone(key.nfc().collect()) != undone(key.nfd().collect())
}

fn escaped_code(segment: &str) -> Option<&str> {
    segment.strip_prefix(['u', 'U'])?.get(..4).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn has(chain: &[Spelling], any: &[Spelling]) -> bool {
    chain.iter().any(|spelling| any.contains(spelling))
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn any_chain_of_three_spellings_resembles_the_key(key in key(), chain in chain()) {
        prop_assume!(!is_ambiguous(&key, &chain));
        let value = spelled(&key, &chain);
        prop_assert!(
            resembles(&key, &value),
            "{value:?}: {:?} against {:?}", folds_of_value(&value), folds_of_key(&key)
        );
    }
    #[test]
    fn a_fold_folds_to_itself(text in prop_oneof![any::<String>(), hostile(), (key(), chain()).prop_map(|(key, chain)| spelled(&key, &chain))]) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded);
        prop_assert!(folds_of_key(&text).len() <= fold::READINGS);
        let folds = folds_of_value(&text);
        prop_assert!(folds.len() <= FOLDS_OF_VALUE && !folds.iter().any(String::is_empty));
        prop_assert_eq!(folds.iter().collect::<HashSet<_>>().len(), folds.len());
    }

    #[test]
    fn a_text_resembles_itself(text in prop_oneof![any::<String>(), hostile(), key()]) {
        prop_assert_eq!(resembles(&text, &text), !folds_of_key(&text).is_empty());
    }

    #[test]
    fn a_plain_key_is_its_fold(key in prop_oneof![nearly_plain(), key()]) {
        let slow: Vec<_> = fold::folds(&key).iter().flat_map(|fold| suffixes(fold).collect::<Vec<_>>()).collect();
        let mut fast = Vec::new();
        suffixes_of_key(&key, |suffix| fast.push(suffix));
        prop_assert_eq!(fast, slow);
        if suffix::is_plain(&key) {
            prop_assert_eq!(fold::folds(&key), [key.to_ascii_lowercase()]);
        }
    }

    #[test]
    fn folds_meet_where_their_numbers_do(one in "([ab]{1,2}/){0,3}[ab]{1,2}|[a-zé][a-zé/]{0,19}", other in "([ab]{1,2}/){0,3}[ab]{1,2}") {
        let (one, other) = (fold(&one), fold(&other));
        let ends = |long: &str, short: &str| suffixes(long).any(|end| end.hash == whole_hash(short));
        prop_assert_eq!(folds_meet(&one, &other), ends(&one, &other) || ends(&other, &one));
        prop_assert!(suffixes(&one).last().is_some_and(|end| end.is_whole && end.hash == whole_hash(&one)));
    }
}

/// What decoders trip over.
fn hostile() -> impl Strategy<Value = String> {
    const PIECES: [&str; 47] = [
        "%", "%25", "2", "5", "%5c", "\\", "\\u", "\\u005c", "005c", "d83d", "\\ude00", "&", "#", "x", "26", ";",
        "amp;", "&#37;", "Ã", "\u{83}", "Â", "©", "“", "”", "\u{a0}", "É", "é", "š", "/", "//", ".", ":", "https:/",
        "s3://", "n", "r", "\"", "'", "?", "+", "\u{301}", "ﬀ", "\u{37e}", "\u{1fef}", "K", "\u{0}", "日",
    ];
    vec(select(&PIECES[..]), 0..40).prop_map(|pieces| pieces.concat())
}

/// Keys that are plain, or not quite.
fn nearly_plain() -> impl Strategy<Value = String> {
    "[a-cA-C/. '?#+:%&\\\\]{0,12}|([a-zA-Z0-9_-]{1,9}/){0,4}[A-Z .']{1,3}"
}

/// Keys of one application: shared stems, numbers that count up.
fn keys_of_one_application() -> Vec<String> {
    let uuid = |n: u64| {
        let bits = whole_hash(&n.to_string());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            bits >> 32,
            bits >> 16 & 0xffff,
            bits & 0xfff,
            n & 0xfff,
            bits & 0xffff_ffff_ffff
        )
    };
    let layouts: [fn(u64, &str) -> String; 10] = [
        |_, uuid| format!("u/{uuid}/original.jpg"),
        |n, _| format!("2024/{:02}/IMG_{:04}.jpg", n % 12 + 1, n),
        |n, _| format!("invoice-{n:05}.pdf"),
        |n, _| format!("{n}/conversions/cat-thumb.jpg"),
        |n, _| format!("{n}/cat.jpg"),
        |n, _| format!("docs/Report ({n}).pdf"),
        |n, _| format!("docs/Invoice #{n}.pdf"),
        |n, uuid| format!("{}/{uuid}", n % 7),
        |n, _| format!("videos/{}/seg{}.ts", n / 100, n % 100),
        |n, _| format!("photos/Été {n} – à la plage.png"),
    ];
    (0..1_000).flat_map(|n| layouts.map(|layout| layout(n, &uuid(n)))).collect()
}

#[test]
fn no_two_keys_of_one_application_resemble() {
    let keys = keys_of_one_application();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 10_000);
    let mut ends: HashMap<u64, HashSet<&str>> = HashMap::new();
    for key in &keys {
        suffixes_of_key(key, |end| {
            ends.entry(end.hash).or_default().insert(key);
        });
    }
    for value in &keys {
        for fold in folds_of_value(value) {
            let whole = ends.get(&whole_hash(&fold)).into_iter().flatten();
            assert_eq!(whole.filter(|key| *key != value).collect::<Vec<_>>(), [&""; 0], "{value}");
        }
    }
}

#[test]
fn neither_do_they_one_by_one() {
    let keys = keys_of_one_application();
    let folds: Vec<_> = keys.iter().step_by(23).map(|key| (folds_of_key(key), folds_of_value(key))).collect();
    for (place, (_, values)) in folds.iter().enumerate() {
        for (other, (keys, _)) in folds.iter().enumerate().filter(|(other, _)| *other != place) {
            let meet = values.iter().any(|value| keys.iter().any(|key| folds_meet(key, value)));
            assert!(!meet, "{:?} and {:?}", folds[place], folds[other]);
        }
    }
}

#[test]
fn other_names_do_not_resemble() {
    for (one, other) in [
        ("Invoice #1.pdf", "Invoice #2.pdf"),
        ("what?1.png", "what?2.png"),
        ("a/b.png", "a/c.png"),
        ("a/1.png", "b/1.png"),
        ("img1.png", "img10.png"),
        ("1.png", "img1.png"),
        ("report (1).pdf", "report (2).pdf"),
        ("100%.png", "100.png"),
        ("C+.txt", "C++.txt"),
        ("AT&T.png", "AT.png"),
        ("café.png", "cafe.png"),
        ("ÉTÉ.png", "ETE.png"),
        ("日.png", "本.png"),
        ("😀.png", "😁.png"),
        ("a.b/c.png", "ab/c.png"),
        ("a/../b.png", "a/b.png"),
        ("", ""),
        ("a.png", ""),
        ("a.png", "#a.png"),
        ("a.png", "https://cdn.example.com/"),
    ] {
        assert!(!resembles(one, other), "{one} and {other}");
        assert!(!resembles(other, one), "{other} and {one}");
    }
}

#[test]
fn values_that_were_seen_resemble_their_keys() {
    for (key, value) in [
        ("assets/logo.png", "logo.png"),
        ("x/y.png", "https://cdn/x/y.png?v=2"),
        ("x/a b.png", "x/a+b.png"),
        ("x/a+b.png", "x/a+b.png"),
        ("x/a+b c.png", "https://cdn/x/a%2Bb+c.png?v=2#top"),
        ("photo.png", "photo.png?w=100"),
        ("photo.png?w=100", "photo.png?w=100"),
        ("Invoice #1.pdf", "https://cdn/Invoice%20%231.pdf?v=2"),
        ("what?.png", "/what?.png?u=1"),
        ("new/file.png", r"C:\new\file.png"),
        ("u1234/file.png", r"D:\u1234\file.png"),
        (r"files\u1234\x.png", "files/u1234/x.png"),
        ("2024/café.png", r#""https:\/\/cdn\/2024\/caf\u00e9.png""#),
        ("2024/café.png", "2024/cafÃ©.png"),
        ("2024/cafÃƒÂ©.png", "2024/café.png"),
        ("2024/café.png", "2024/caf%E9.png"),
        ("AT&T.png", "at&amp;t.png"),
        ("a&b.png", r"a\u0026b.png"),
        ("2024-05/x.png", "s3://2024-05/x.png"),
        ("a/x.png", "https://thumbs/https://cdn/a/x.png"),
        ("CAFÉ", "CAFÉ\u{a0}"),
        ("voilà", "voilÃ\u{a0}"),
        ("FOTÓ", "“FotÃ“”"),
        ("straße.png", "STRASSE.PNG"),
        ("a/b.png", "a/./b.png\0"),
        ("u/cr\u{240d}x.png", "u/cr\rx.png"),
        ("u/del\u{2421}x.png", "u/del\u{7f}x.png"),
        ("u/12：30 ＊.png", "u/12:30 *.png"),
    ] {
        assert!(resembles(key, value), "{key} and {value}: {:?} and {:?}", folds_of_key(key), folds_of_value(value));
    }
}

#[test]
fn hostile_texts_have_few_folds() {
    for piece in [
        "%25",
        "%26#37;",
        "\\u005c",
        "\\n",
        "Ã\u{83}Â\u{83}",
        "É\u{a0}",
        "s3:/",
        "https://a/",
        "+?#",
        "%5cu0026amp;",
        "/./",
    ] {
        let text: String = piece.chars().cycle().take(1_024).collect();
        // It ends, and with no more folds than there may be.
        assert!(folds_of_value(&text).len() <= FOLDS_OF_VALUE, "{piece}");
    }
}

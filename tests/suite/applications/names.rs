//! Names that storage keys have in the wild and that programs trip over.

/// Names that every state of a key is tried with.
pub const HOSTILE: &[&str] = &[
    "plain.png",
    "two words.png",
    " leading space.png",
    "trailing space ",
    "plus+plus.png",
    "encoded%2Fslash.png",
    "encoded%20space.png",
    "100%.png",
    "caf\u{e9} composed.png",
    "cafe\u{301} decomposed.png",
    "日本.png",
    "😀.png",
    "<&>'\".png",
    "back\\slash.png",
    "${HOME}.png",
    "*?[glob].png",
    "=1+1.csv",
    "new\nline.png",
    "tab\tstop.png",
    "carriage\rreturn.png",
    "control\u{1}character.png",
    "right-to-left\u{202e}gnp.exe",
    "zero\u{200b}width.png",
    "double//slash.png",
    "Case.PNG",
    "case.png",
    "CASE.png",
    "stem",
    "stem-and-more",
    "stem/below",
    LONG_PATH,
    LONG_NAME,
];

/// Becomes a key of exactly `LONG_BYTES` in folders whose names are short.
pub const LONG_PATH: &str = "long path";

/// Becomes a key of exactly `LONG_BYTES` whose last name alone has hundreds of them.
pub const LONG_NAME: &str = "long name";

/// The length of the long keys; S3's limit is 1,024.
pub const LONG_BYTES: usize = 1000;

/// The names that a local folder cannot hold, and why. Every name can be held by Garage and by every database.
pub const IMPOSSIBLE_IN_A_FOLDER: &[(&str, &str)] = &[
    ("double//slash.png", "a path with an empty component is the path without it"),
    ("stem/below", "`stem` is a file, and so no folder"),
    (LONG_NAME, "a file's own name has at most 255 bytes"),
];

/// The key of a hostile name below `folder`, which ends in `/`.
pub fn key(folder: &str, name: &str) -> String {
    let piece = match name {
        LONG_PATH => "component of a long path/",
        LONG_NAME => "name without an end ",
        _ => return format!("{folder}{name}"),
    };
    let mut key = format!("{folder}{}", piece.repeat(LONG_BYTES / piece.len() + 1));
    key.truncate(LONG_BYTES - 1);
    key.push('x');
    key
}

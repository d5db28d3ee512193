//! Programs that write a key into a column in a way of their own, which they read back: the file is where the key says.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writer {
    Url,
    UrlWithQuery,
    UrlWithoutScheme,
    S3Url,
    AbsolutePath,
    /// As JavaScript's `encodeURI`.
    Percent,
    /// As `encodeURIComponent`: slashes too.
    PercentSlashes,
    Upper,
    Lower,
    LeadingSlash,
    DoubleSlash,
    DotSlash,
    Backslashes,
    TrailingSpace,
    TrailingLine,
    Quoted,
    JsonEscaped,
    HtmlEscaped,
    Decomposed,
}

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

impl Writer {
    pub const ALL: [Writer; 19] = [
        Writer::Url,
        Writer::UrlWithQuery,
        Writer::UrlWithoutScheme,
        Writer::S3Url,
        Writer::AbsolutePath,
        Writer::Percent,
        Writer::PercentSlashes,
        Writer::Upper,
        Writer::Lower,
        Writer::LeadingSlash,
        Writer::DoubleSlash,
        Writer::DotSlash,
        Writer::Backslashes,
        Writer::TrailingSpace,
        Writer::TrailingLine,
        Writer::Quoted,
        Writer::JsonEscaped,
        Writer::HtmlEscaped,
        Writer::Decomposed,
    ];

    pub fn write(self, value: &str) -> String {
        let encoded = || utf8_percent_encode(value, PATH).to_string();
        match self {
            Writer::Url => format!("https://cdn.example.com/{}", encoded()),
            Writer::UrlWithQuery => format!("https://cdn.example.com/{}?v=2&w=300", encoded()),
            Writer::UrlWithoutScheme => format!("//cdn.example.com/{}", encoded()),
            Writer::S3Url => format!("s3://app-assets/{value}"),
            Writer::AbsolutePath => format!("/srv/app/uploads/{value}"),
            Writer::Percent => encoded(),
            Writer::PercentSlashes => utf8_percent_encode(value, SEGMENT).to_string(),
            Writer::Upper => value.to_uppercase(),
            Writer::Lower => value.to_lowercase(),
            Writer::LeadingSlash => format!("/{value}"),
            Writer::DoubleSlash => value.replace('/', "//"),
            Writer::DotSlash => format!("./{value}"),
            Writer::Backslashes => value.replace('/', "\\"),
            Writer::TrailingSpace => format!("{value}  "),
            Writer::TrailingLine => format!("{value}\r\n"),
            Writer::Quoted => format!("\"{value}\""),
            Writer::JsonEscaped => value.chars().map(json_escaped).collect(),
            Writer::HtmlEscaped => value.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&#39;"),
            Writer::Decomposed => value.nfd().collect(),
        }
    }
}

fn json_escaped(letter: char) -> String {
    match letter {
        '/' => "\\/".to_owned(),
        letter if letter.is_ascii() => letter.to_string(),
        letter => {
            let mut units = [0; 2];
            letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
    }
}

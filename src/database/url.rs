//! PURE: the storage key that a URL names.

use percent_encoding::percent_decode_str;

/// What a value of a column of URLs names.
#[derive(Debug, PartialEq, Eq)]
pub enum Named {
    Key(String),
    /// Its percent-encoding is no text: what stands there may be the key as it is.
    Undecoded(String),
    /// It is no URL below the base: taken literally, it still protects what it would name.
    Literal,
}

/// The key that `value` names, where the URLs of keys begin with `base`: without it, without what follows `?` or `#`, and
/// percent-decoded.
pub fn key_of(value: &str, base: &str) -> Named {
    let Some(rest) = value.strip_prefix(base) else { return Named::Literal };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    match percent_decode_str(path).decode_utf8() {
        Ok(key) => Named::Key(key.into_owned()),
        Err(_) => Named::Undecoded(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_key_below_its_base() {
        let base = "https://cdn.example.com/";
        for (value, key) in [
            ("https://cdn.example.com/a/b.png", "a/b.png"),
            ("https://cdn.example.com/a%20b%2Bc%C3%A9.png?v=1#top", "a b+cé.png"),
            ("https://cdn.example.com/a+b.png", "a+b.png"),
            ("https://cdn.example.com/a.png#x?y", "a.png"),
            ("https://cdn.example.com/a%3Fb%23c", "a?b#c"),
            ("https://cdn.example.com/100%.png", "100%.png"),
            ("https://cdn.example.com/", ""),
        ] {
            assert_eq!(key_of(value, base), Named::Key(key.to_owned()), "{value}");
        }
        for value in ["http://cdn.example.com/a.png", "a.png", ""] {
            assert_eq!(key_of(value, base), Named::Literal, "{value}");
        }
        assert_eq!(key_of("https://cdn.example.com/%ff.png?x", base), Named::Undecoded("%ff.png".to_owned()));
    }
}

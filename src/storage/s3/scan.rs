//! PURE: a fast reading of pages that are written as stores write them: elements without attributes, texts without
//! oddities, everything once. Of anything else it says nothing at all, and [`page`](super::page) reads that with a full
//! XML reader: what is read here, the other reads just so (a test holds them against each other).

use super::page::{Draft, ListedPage, OF_OBJECT, OF_PAGE, Said};
use crate::listed::Objects;

/// Elements in each other, of those that say nothing to us.
const DEPTH: usize = 4;

/// Reads a page, or gives `None` for one that is not written in the plain way.
pub fn scan(text: &str) -> Option<ListedPage> {
    let mut scanner = Scanner { text, at: 0 };
    let mut said = Said::default();
    let mut objects: Vec<Draft<&str>> = Vec::with_capacity(1000);
    scanner.open_root()?;
    loop {
        scanner.skip_space();
        if scanner.eat("</ListBucketResult>") {
            break;
        }
        match scanner.open()? {
            Tag::Open("Contents") => objects.push(scanner.object()?),
            Tag::Open(name) if OF_PAGE.contains(&name) => {
                let mut text = String::new();
                unescape(scanner.text_of(name)?, &mut text)?;
                let is_first = said.set(name, &text).ok()?;
                is_first.then_some(())?;
            }
            Tag::Open(name) => scanner.skip(name, DEPTH)?,
            Tag::Empty(name) if name == "Contents" || OF_PAGE.contains(&name) => return None,
            Tag::Empty(_) => {}
        }
    }
    scanner.skip_space();
    (scanner.at == text.len()).then_some(())?;
    let is_encoded = said.is_encoded();
    let mut all = Objects::with_capacity(objects.len(), objects.iter().map(bytes).sum());
    let (mut key, mut etag) = (String::new(), String::new());
    for mut draft in objects {
        key.clear();
        unescape(draft.key?, &mut key)?;
        etag.clear();
        unescape(draft.etag.unwrap_or_default(), &mut etag)?;
        let others = [draft.last_modified, draft.size, draft.storage_class];
        if others.into_iter().flatten().any(|text| memchr::memchr(b'&', text.as_bytes()).is_some()) {
            return None;
        }
        (draft.key, draft.etag) = (Some(key.as_str()), draft.etag.map(|_| etag.as_str()));
        draft.push_to(&mut all, is_encoded).ok()?;
    }
    said.page(all).ok()
}

fn bytes(draft: &Draft<&str>) -> usize {
    draft.key.map_or(0, str::len) + draft.etag.map_or(0, str::len)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

enum Tag<'a> {
    Open(&'a str),
    Empty(&'a str),
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    #[inline(always)]
    fn eat(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word.as_bytes());
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn skip_space(&mut self) {
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\t')).count();
    }

    /// The declaration, if there is one, and the root's start.
    fn open_root(&mut self) -> Option<()> {
        if self.eat("<?xml ") {
            let end = memchr::memchr(b'>', self.rest())?;
            let is_declaration = self.rest()[..end].ends_with(b"?") && !self.rest()[..end].contains(&b'<');
            is_declaration.then_some(())?;
            self.at += end + 1;
        }
        self.skip_space();
        self.eat("<ListBucketResult").then_some(())?;
        let end = memchr::memchr(b'>', self.rest())?;
        let attributes = &self.rest()[..end];
        // One namespace, as all of them write it, or none.
        let namespace = attributes.strip_prefix(b" xmlns=\"").and_then(|value| value.strip_suffix(b"\""));
        let is_plain =
            namespace.map_or(attributes.is_empty(), |value| !value.iter().any(|byte| b"\"<&".contains(byte)));
        self.at += end + 1;
        is_plain.then_some(())
    }

    /// `<Name>` or `<Name/>`.
    fn open(&mut self) -> Option<Tag<'a>> {
        self.eat("<").then_some(())?;
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let name = &self.text[self.at..self.at + length];
        (name.as_bytes().first()?.is_ascii_alphabetic()).then_some(())?;
        self.at += length;
        if self.eat(">") {
            Some(Tag::Open(name))
        } else if self.eat("/>") {
            Some(Tag::Empty(name))
        } else {
            None
        }
    }

    /// The text up to the next `<`, as it is written.
    fn raw_text(&mut self) -> Option<&'a str> {
        let end = memchr::memchr(b'<', self.rest())?;
        let text = &self.text[self.at..self.at + end];
        self.at += end;
        Some(text)
    }

    fn close(&mut self, name: &str) -> Option<()> {
        let rest = self.rest();
        let end = 2 + name.len();
        let is_next = rest.len() > end && rest[..2] == *b"</" && rest[end] == b'>' && rest[2..end] == *name.as_bytes();
        self.at += if is_next { end + 1 } else { 0 };
        is_next.then_some(())
    }

    /// The text of an element that is open and has nothing else.
    fn text_of(&mut self, name: &str) -> Option<&'a str> {
        let text = self.raw_text()?;
        self.close(name)?;
        // An XML reader makes a line end of it.
        memchr::memchr(b'\r', text.as_bytes()).is_none().then_some(text)
    }

    /// Past an element that is open.
    fn skip(&mut self, name: &str, depth: usize) -> Option<()> {
        loop {
            if memchr::memchr(b'&', self.raw_text()?.as_bytes()).is_some() {
                return None;
            }
            if self.rest().starts_with(b"</") {
                return self.close(name);
            }
            if let Tag::Open(inner) = self.open()? {
                self.skip(inner, depth.checked_sub(1)?)?;
            }
        }
    }

    /// The rest of `<Contents>`.
    fn object(&mut self) -> Option<Draft<&'a str>> {
        let mut draft = Draft::default();
        loop {
            self.skip_space();
            if self.eat("</Contents>") {
                return Some(draft);
            }
            match self.open()? {
                Tag::Open(name) if OF_OBJECT.contains(&name) => {
                    let text = self.text_of(name)?;
                    let field = draft.field(name);
                    let is_first = field.replace(text).is_none();
                    is_first.then_some(())?;
                }
                Tag::Open(name) => self.skip(name, DEPTH)?,
                Tag::Empty(name) if OF_OBJECT.contains(&name) => return None,
                Tag::Empty(_) => {}
            }
        }
    }
}

/// The text that `raw` stands for, added to `text`.
fn unescape(raw: &str, text: &mut String) -> Option<()> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, character) = ENTITIES.iter().find(|(name, _)| rest.starts_with(name))?;
        text.push(*character);
        rest = &rest[name.len()..];
    }
    text.push_str(rest);
    Some(())
}

const ENTITIES: [(&str, char); 7] =
    [("&quot;", '"'), ("&#34;", '"'), ("&amp;", '&'), ("&apos;", '\''), ("&#39;", '\''), ("&lt;", '<'), ("&gt;", '>')];

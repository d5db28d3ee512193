//! PURE: a fast reading of pages that are written as stores write them: elements without attributes, texts without
//! oddities, everything once. Of anything else it says nothing at all, and [`page`](super::page) reads that with a full
//! XML reader: what is read here, the other reads just so (a test holds them against each other).

use super::page::{Draft, ListedPage, OF_PAGE, Said, decoded};
use crate::domain::listed::{Listed, Objects};

/// Elements in each other, of those that say nothing to us.
const DEPTH: usize = 4;

/// Reads a page, or gives `None` for one that is not written in the plain way.
pub fn scan(bytes: &[u8]) -> Option<ListedPage> {
    let mut scan = PageScan::default();
    scan.feed(bytes)?;
    scan.finish()
}

/// A page being read while its bytes arrive, of which no more are kept than one object has.
#[derive(Debug)]
pub struct PageScan {
    /// What arrived of an object that is not complete.
    rest: Vec<u8>,
    is_open: bool,
    said: Said,
    /// Their keys are as they are written; whether that is percent-encoded may be said last.
    objects: Objects,
    key: String,
    etag: String,
}

/// What ends an object.
const END: &[u8] = b"</Contents>";

impl Default for PageScan {
    fn default() -> Self {
        PageScan {
            rest: Vec::new(),
            is_open: false,
            said: Said::default(),
            // What most pages fill.
            objects: Objects::with_capacity(1000, 64 << 10, 40 << 10),
            key: String::new(),
            etag: String::new(),
        }
    }
}

impl PageScan {
    /// Takes the next bytes; `None`: the page is not written in the plain way.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Option<()> {
        if !self.rest.is_empty() {
            let mut rest = std::mem::take(&mut self.rest);
            let first = memchr::memmem::find(bytes, END).map_or(bytes.len(), |at| at + END.len());
            rest.extend_from_slice(&bytes[..first]);
            bytes = &bytes[first..];
            if rest.ends_with(END) {
                self.read(&rest, false)?;
                rest.clear();
            }
            self.rest = rest;
        }
        let whole = memchr::memmem::rfind(bytes, END).map_or(0, |at| at + END.len());
        if whole > 0 {
            self.read(&bytes[..whole], false)?;
        }
        self.rest.extend_from_slice(&bytes[whole..]);
        Some(())
    }

    /// The page; `None`: it was cut off, or is not written in the plain way.
    pub fn finish(mut self) -> Option<ListedPage> {
        let rest = std::mem::take(&mut self.rest);
        self.read(&rest, true)?;
        let is_written_so = |object: Listed<'_>| memchr::memchr2(b'+', b'%', object.key.as_bytes()).is_none();
        if self.said.is_encoded() && !self.objects.iter().all(is_written_so) {
            let mut objects = Objects::with_capacity(self.objects.len(), 0, 0);
            for object in self.objects.iter() {
                objects.push(Listed { key: &decoded(object.key).ok()?, ..object });
            }
            self.objects = objects;
        }
        self.said.page(self.objects).ok()
    }

    /// Reads elements of the page, up to its end if they come there.
    fn read(&mut self, bytes: &[u8], to_the_end: bool) -> Option<()> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut scanner = Scanner { text, at: 0 };
        if !self.is_open {
            scanner.open_root()?;
            self.is_open = true;
        }
        loop {
            scanner.skip_space();
            if scanner.at == text.len() {
                return (!to_the_end).then_some(());
            }
            if to_the_end && scanner.eat("</ListBucketResult>") {
                scanner.skip_space();
                return (scanner.at == text.len()).then_some(());
            }
            match scanner.open()? {
                Tag::Open("Contents") => self.take(scanner.object()?)?,
                Tag::Open(name) if OF_PAGE.contains(&name) => {
                    let mut text = String::new();
                    unescape(scanner.text_of(name)?, &mut text)?;
                    let is_first = self.said.set(name, &text).ok()?;
                    is_first.then_some(())?;
                }
                Tag::Open(name) => scanner.skip(name, DEPTH)?,
                Tag::Empty(name) if name == "Contents" || OF_PAGE.contains(&name) => return None,
                Tag::Empty(_) => {}
            }
        }
    }

    fn take(&mut self, draft: Draft<&str>) -> Option<()> {
        let key = unescaped(draft.key?, &mut self.key)?;
        let etag = match draft.etag {
            Some(etag) => Some(unescaped(etag, &mut self.etag)?),
            None => None,
        };
        let others = [draft.last_modified, draft.size, draft.storage_class];
        if others.into_iter().flatten().any(|text| text.bytes().any(|byte| byte == b'&')) {
            return None;
        }
        Draft { key: Some(key), etag, ..draft }.push_to(&mut self.objects, false).ok()
    }
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
        is_one_line(text).then_some(text)
    }

    /// The same, up to the tag that ends it.
    #[inline(always)]
    fn text_until(&mut self, end: &str) -> Option<&'a str> {
        let text = self.raw_text()?;
        (self.eat(end) && is_one_line(text)).then_some(text)
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
            // Words that are known where this is compiled are compared in a few instructions.
            let (field, text) = if self.eat("<Key>") {
                (&mut draft.key, self.text_until("</Key>")?)
            } else if self.eat("<LastModified>") {
                (&mut draft.last_modified, self.text_until("</LastModified>")?)
            } else if self.eat("<ETag>") {
                (&mut draft.etag, self.text_until("</ETag>")?)
            } else if self.eat("<Size>") {
                (&mut draft.size, self.text_until("</Size>")?)
            } else if self.eat("<StorageClass>") {
                (&mut draft.storage_class, self.text_until("</StorageClass>")?)
            } else {
                match self.open()? {
                    Tag::Open(name) => self.skip(name, DEPTH)?,
                    Tag::Empty(name) if draft.field(name).is_some() => return None,
                    Tag::Empty(_) => {}
                }
                continue;
            };
            let is_first = field.replace(text).is_none();
            if !is_first {
                return None;
            }
        }
    }
}

/// An XML reader makes a line end of `\r`.
fn is_one_line(text: &str) -> bool {
    !text.bytes().any(|byte| byte == b'\r')
}

/// The text that `raw` stands for; where it is another one, it is put into `room`.
fn unescaped<'t>(raw: &'t str, room: &'t mut String) -> Option<&'t str> {
    if memchr::memchr(b'&', raw.as_bytes()).is_none() {
        return Some(raw);
    }
    room.clear();
    // As every store writes an etag.
    match raw.strip_prefix("&quot;").and_then(|raw| raw.strip_suffix("&quot;")) {
        Some(quoted) if memchr::memchr(b'&', quoted.as_bytes()).is_none() => {
            room.push('"');
            room.push_str(quoted);
            room.push('"');
        }
        _ => unescape(raw, room)?,
    }
    Some(room)
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

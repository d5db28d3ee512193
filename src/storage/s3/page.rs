//! PURE: one page of ListObjectsV2, read from its bytes. The SDK's own reader takes nine tenths of a comparison's CPU time
//! for it; here it is one pass, and no tree: by [`scan`](super::scan) where the page is written in the plain way, else by a
//! full XML reader.

use std::borrow::Cow;

use anyhow::{Context, Result, anyhow, bail, ensure};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use percent_encoding::percent_decode_str;
use quick_xml::events::{BytesRef, BytesStart, BytesText, Event};
use quick_xml::{Reader, XmlVersion};

use super::is_archive;
use crate::domain::Time;
use crate::domain::listed::{Listed, Objects};

/// A page of a listing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ListedPage {
    pub objects: Objects,
    pub is_truncated: bool,
    pub next_token: Option<String>,
    /// How many objects the page says that it has.
    pub key_count: Option<u64>,
}

/// The elements of one object, as texts.
#[derive(Debug, Default)]
pub struct Draft<T> {
    pub key: Option<T>,
    pub last_modified: Option<T>,
    pub etag: Option<T>,
    pub size: Option<T>,
    pub storage_class: Option<T>,
}

impl<T> Draft<T> {
    /// The element with this name, if it is one of those that matter here.
    #[inline]
    pub fn field(&mut self, name: &str) -> Option<&mut Option<T>> {
        Some(match name {
            "Key" => &mut self.key,
            "LastModified" => &mut self.last_modified,
            "ETag" => &mut self.etag,
            "Size" => &mut self.size,
            "StorageClass" => &mut self.storage_class,
            _ => return None,
        })
    }
}

impl Draft<&str> {
    /// Adds the object to those of its page.
    pub fn push_to(&self, objects: &mut Objects, is_encoded: bool) -> Result<()> {
        let key = self.key.context("it names an object without a key")?;
        let key = if is_encoded { decoded(key)? } else { Cow::Borrowed(key) };
        let size = self.size.unwrap_or_default().trim();
        objects.push(Listed {
            size: size.parse().with_context(|| format!("the size of {key} is no number"))?,
            key: &key,
            last_modified: time(self.last_modified.unwrap_or_default().trim()).filter(is_believable),
            etag: self.etag,
            archived: is_archive(self.storage_class.unwrap_or_default()),
            opaque_etag: false,
            is_new: false,
            // A copy lies in the standard class unless it is told.
            is_plain: self.storage_class == Some("STANDARD"),
        });
        Ok(())
    }
}

/// What a page says besides its objects.
#[derive(Debug, Default)]
pub struct Said {
    is_truncated: Option<bool>,
    next_token: Option<String>,
    key_count: Option<u64>,
    is_encoded: Option<bool>,
}

impl Said {
    /// Takes the element of [`OF_PAGE`] with this name, and tells whether it is the first.
    pub fn set(&mut self, name: &str, text: &str) -> Result<bool> {
        Ok(match name {
            "IsTruncated" => {
                let is_truncated = text.trim().parse().context("IsTruncated is neither true nor false")?;
                self.is_truncated.replace(is_truncated).is_none()
            }
            "NextContinuationToken" => self.next_token.replace(text.to_owned()).is_none(),
            "KeyCount" => {
                let key_count = text.trim().parse().context("KeyCount is no number")?;
                self.key_count.replace(key_count).is_none()
            }
            _ => self.is_encoded.replace(text.trim() == "url").is_none(),
        })
    }

    /// Whether its keys are percent-encoded.
    pub fn is_encoded(&self) -> bool {
        self.is_encoded.unwrap_or(false)
    }

    /// The page that this and the objects make.
    pub fn page(self, objects: Objects) -> Result<ListedPage> {
        ensure!(self.is_truncated.or(self.key_count.map(|_| false)).is_some(), "it does not say whether more follows");
        let is_truncated = self.is_truncated.unwrap_or(false);
        let has_token = self.next_token.as_deref().is_some_and(|token| !token.is_empty());
        ensure!(is_truncated || !has_token, "it says where more follows, and not that it does");
        Ok(ListedPage { objects, is_truncated, next_token: self.next_token, key_count: self.key_count })
    }
}

/// Where in the document the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Page,
    Object,
    /// In something that says nothing to us, so many elements deep; then back to this.
    Skipping(u32, Level),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Page,
    Object,
}

/// Reads a page however it is written, as a stream of XML events. Whatever is not a whole and well-formed document is an
/// error, and never a short page (I1).
pub fn read(bytes: &[u8]) -> Result<ListedPage> {
    let mut reader = Reader::from_reader(bytes);
    let (mut objects, mut said) = (Vec::with_capacity(1000), Said::default());
    let (mut place, mut draft) = (Place::Outside, Draft::default());
    // Whether the text of an element is being read.
    let mut field = false;
    let mut text = String::new();
    let mut is_whole = false;
    loop {
        match reader.read_event().map_err(|error| anyhow!("it is no well-formed XML: {error}"))? {
            Event::Start(start) => place = open(place, &start, &mut field, &mut text)?,
            Event::Empty(start) => {
                let name = start.local_name();
                if place == Place::Outside {
                    ensure!(name.as_ref() == ROOT, "it is no page of a listing");
                    is_whole = true;
                }
                ensure!(!(place == Place::Page && name.as_ref() == CONTENTS), "it names an object without a key");
            }
            Event::Text(part) => read_text(&part, field, &mut text)?,
            Event::GeneralRef(reference) => read_reference(&reference, field, &mut text)?,
            Event::CData(part) if field => text.push_str(&part.decode()?),
            Event::End(end) => {
                let name = end.local_name();
                let name = || String::from_utf8_lossy(name.as_ref());
                place = match (place, std::mem::take(&mut field)) {
                    (Place::Page, true) => {
                        said.set(&name(), &text)?;
                        Place::Page
                    }
                    (Place::Object, true) => {
                        draft.field(&name()).into_iter().for_each(|field| *field = Some(text.clone()));
                        Place::Object
                    }
                    (Place::Object, false) => {
                        objects.push(std::mem::take(&mut draft));
                        Place::Page
                    }
                    (Place::Page, false) => {
                        is_whole = true;
                        Place::Outside
                    }
                    (Place::Skipping(0, Level::Page), _) => Place::Page,
                    (Place::Skipping(0, Level::Object), _) => Place::Object,
                    (Place::Skipping(depth, level), _) => Place::Skipping(depth - 1, level),
                    (Place::Outside, _) => bail!("it is no page of a listing"),
                };
            }
            Event::Eof => break,
            Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            // It could define entities.
            Event::DocType(_) => bail!("it has a document type"),
        }
    }
    ensure!(is_whole && place == Place::Outside, "it was cut off");
    let mut all = Objects::default();
    for draft in &objects {
        draft.borrowed().push_to(&mut all, said.is_encoded())?;
    }
    said.page(all)
}

impl Draft<String> {
    fn borrowed(&self) -> Draft<&str> {
        Draft {
            key: self.key.as_deref(),
            last_modified: self.last_modified.as_deref(),
            etag: self.etag.as_deref(),
            size: self.size.as_deref(),
            storage_class: self.storage_class.as_deref(),
        }
    }
}

const ROOT: &[u8] = b"ListBucketResult";
const CONTENTS: &[u8] = b"Contents";

fn open(place: Place, start: &BytesStart<'_>, field: &mut bool, text: &mut String) -> Result<Place> {
    let name = start.local_name();
    let name = name.as_ref();
    text.clear();
    Ok(match place {
        Place::Outside => {
            ensure!(name == ROOT, "it is no page of a listing");
            Place::Page
        }
        Place::Page if name == CONTENTS => Place::Object,
        Place::Page | Place::Object if *field => bail!("an element stands where a text is expected"),
        Place::Page if is_one_of(&OF_PAGE, name) => {
            *field = true;
            Place::Page
        }
        Place::Object if is_one_of(&OF_OBJECT, name) => {
            *field = true;
            Place::Object
        }
        Place::Page => Place::Skipping(0, Level::Page),
        Place::Object => Place::Skipping(0, Level::Object),
        Place::Skipping(depth, level) => Place::Skipping(depth + 1, level),
    })
}

/// What a page says of itself that matters here.
pub const OF_PAGE: [&str; 4] = ["IsTruncated", "NextContinuationToken", "KeyCount", "EncodingType"];
/// The same of an object.
const OF_OBJECT: [&str; 5] = ["Key", "LastModified", "ETag", "Size", "StorageClass"];

fn is_one_of(names: &[&str], name: &[u8]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

fn read_text(part: &BytesText<'_>, is_wanted: bool, text: &mut String) -> Result<()> {
    if is_wanted {
        text.push_str(&part.xml_content(XmlVersion::Implicit1_0)?);
    }
    Ok(())
}

/// `&amp;` and its like, and characters by their number.
fn read_reference(reference: &BytesRef<'_>, is_wanted: bool, text: &mut String) -> Result<()> {
    if !is_wanted {
        return Ok(());
    }
    if let Some(character) = reference.resolve_char_ref()? {
        text.push(character);
        return Ok(());
    }
    let name = reference.decode()?;
    let known =
        quick_xml::escape::resolve_xml_entity(&name).with_context(|| format!("it has an unknown entity {name}"))?;
    text.push_str(known);
    Ok(())
}

/// Whether a time can be that of an object: S3 began on 14 March 2006. A proxy, or a server of another make, may say 1970
/// where it knows none.
pub fn is_believable(time: &Time) -> bool {
    time.timestamp() >= 1_142_294_400
}

/// A time as stores write it: `2024-01-14T03:00:00.000Z`. One that cannot be read makes its object young.
fn time(text: &str) -> Option<Time> {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| {
        bytes
            .get(from..to)?
            .iter()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let fast = || -> Option<NaiveDateTime> {
        let is_written_so = bytes.len() == 24
            && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')]
                .iter()
                .all(|(at, sign)| bytes[*at] == *sign);
        let day = NaiveDate::from_ymd_opt(i32::try_from(digits(0, 4)?).ok()?, digits(5, 7)?, digits(8, 10)?)?;
        day.and_hms_milli_opt(digits(11, 13)?, digits(14, 16)?, digits(17, 19)?, digits(20, 23)?)
            .filter(|_| is_written_so)
    };
    fast().map(|time| time.and_utc()).or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()))
}

/// A key as `encoding-type=url` carries it: percent-encoded, with `+` for a space.
pub fn decoded(key: &str) -> Result<Cow<'_, str>> {
    if memchr::memchr2(b'+', b'%', key.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(key));
    }
    let spaced = if key.contains('+') { Cow::Owned(key.replace('+', " ")) } else { Cow::Borrowed(key) };
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(text) => Ok(Cow::Owned(text.into_owned())),
        Err(_) => Err(anyhow!("the listing names a key that is not UTF-8: {key}")),
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::super::scan::{PageScan, scan};
    use super::*;
    use crate::domain::Object;

    /// Reads a page as the tool does.
    fn parse(bytes: &[u8]) -> Result<ListedPage> {
        scan(bytes).map_or_else(|| read(bytes), Ok)
    }

    fn object(key: &str, size: u64) -> Object {
        let last_modified = Some("2024-01-14T03:00:00.250Z".parse().expect("a time"));
        let etag = Some("\"a&b\"".to_owned());
        Object {
            key: key.to_owned(),
            size,
            last_modified,
            etag,
            archived: false,
            opaque_etag: false,
            is_new: false,
            is_plain: true,
        }
    }

    fn written(objects: &[Object], token: Option<&str>) -> String {
        let contents = objects.iter().map(|object| {
            let key = utf8_percent_encode(&object.key, NON_ALPHANUMERIC);
            format!(
                "<Contents><Key>{key}</Key><LastModified>2024-01-14T03:00:00.250Z</LastModified>\
                 <ETag>&quot;a&#38;b&#x22;</ETag><Owner><ID>1</ID><DisplayName/></Owner><Size>{}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>\n",
                object.size
            )
        });
        let token = token.map_or(String::new(), |token| {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>")
        });
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>b</Name><Prefix/><KeyCount>{}</KeyCount><EncodingType>url</EncodingType>{token}{}\
             <CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes></ListBucketResult>",
            objects.len(),
            contents.collect::<String>()
        )
    }

    proptest! {
        #[test]
        fn a_page_is_read_as_it_was_written_and_never_short(
            keys in prop::collection::vec("\\PC{1,12}", 0..8), token in prop::option::of("[a-z]{1,6}"), cut in 0.0..1.0,
        ) {
            let objects: Vec<Object> = keys.iter().enumerate().map(|(size, key)| object(key, size as u64)).collect();
            let text = written(&objects, token.as_deref());
            let page = parse(text.as_bytes()).expect("a page");
            prop_assert_eq!(page.objects.iter().map(Listed::to_object).collect::<Vec<_>>(), &objects[..]);
            prop_assert_eq!((page.is_truncated, page.next_token), (token.is_some(), token));
            prop_assert_eq!(page.key_count, Some(objects.len() as u64));
            let cut = (text.len() as f64 * cut) as usize;
            prop_assert!(parse(&text.as_bytes()[..cut]).is_err(), "cut at {}", cut);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"<ListBucketResult><Contents>".as_slice(), &bytes].concat());
        }

        #[test]
        fn what_is_scanned_is_what_a_full_reader_reads(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
            agree(&pieces.concat());
        }

        #[test]
        fn a_page_that_lost_or_gained_something_is_scanned_as_it_is_read(
            at in 0.0..1.0, removed in 0_usize..30, inserted in prop::sample::select(PIECES), is_encoded: bool,
        ) {
            let objects: Vec<Object> = ["a&b/c d", "é%2F+", "z"].iter().map(|key| object(key, 7)).collect();
            let mut text = plainly_written(&objects, Some("t&amp;"), is_encoded);
            prop_assert!(scan(text.as_bytes()).is_some(), "{}", text);
            agree(&text);
            let mut from = (text.len() as f64 * at) as usize;
            while !text.is_char_boundary(from) {
                from -= 1;
            }
            let mut to = (from + removed).min(text.len());
            while !text.is_char_boundary(to) {
                to -= 1;
            }
            text.replace_range(from..to.max(from), inserted);
            agree(&text);
        }
    }

    /// What is scanned must be read just so; what is not read must not be scanned.
    fn agree(text: &str) {
        let scanned = scan(text.as_bytes());
        if let Some(scanned) = &scanned {
            assert_eq!(read(text.as_bytes()).map_err(|error| format!("{error:#}")).as_ref(), Ok(scanned), "{text}");
        }
        // However the bytes arrive, it is the same.
        for size in [1, 7, 100] {
            let mut scan = PageScan::default();
            let fed = text.as_bytes().chunks(size).try_for_each(|part| scan.feed(part));
            assert_eq!(fed.and_then(|()| scan.finish()), scanned, "{text} in parts of {size}");
        }
    }

    /// What pages are made of, and what may come between.
    const PIECES: &[&str] = &[
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<ListBucketResult>",
        "<ListBucketResult xmlns=\"x\">",
        "</ListBucketResult>",
        "<Contents>",
        "</Contents>",
        "<Contents/>",
        "<Key>",
        "</Key>",
        "<Key/>",
        "<Size>",
        "</Size>",
        "<ETag>",
        "</ETag>",
        "<LastModified>2024-01-14T03:00:00.000Z</LastModified>",
        "<StorageClass>GLACIER</StorageClass>",
        "<IsTruncated>true</IsTruncated>",
        "<IsTruncated>false</IsTruncated>",
        "<KeyCount>1</KeyCount>",
        "<NextContinuationToken>",
        "</NextContinuationToken>",
        "<EncodingType>url</EncodingType>",
        "<Prefix/>",
        "<Owner><ID>1</ID><DisplayName/></Owner>",
        "<Owner>",
        "</Owner>",
        "<Key a='1'>",
        "<s3:Key>",
        "<![CDATA[a]]>",
        "]]>",
        "<!-- c -->",
        "<!DOCTYPE x>",
        "&",
        "&amp;",
        "&quot;",
        "&#34;",
        "&#x41;",
        "&nbsp;",
        "%41",
        "+",
        "a",
        "é",
        "7",
        " ",
        "\n",
        "\r\n",
        "<",
        ">",
        "/>",
        "\u{0}",
        "\u{feff}",
        "",
        "<Contents><Key>a&lt;b</Key><Size>1</Size></Contents>",
        "<ListBucketResult><IsTruncated>false</IsTruncated>",
    ];

    /// A page as AWS writes it.
    fn plainly_written(objects: &[Object], token: Option<&str>, is_encoded: bool) -> String {
        let mut page = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>b</Name><Prefix/><MaxKeys>1000</MaxKeys>",
        );
        if is_encoded {
            page += "<EncodingType>url</EncodingType>";
        }
        page += &format!("<KeyCount>{}</KeyCount><IsTruncated>{}</IsTruncated>", objects.len(), token.is_some());
        if let Some(token) = token {
            page += &format!("<NextContinuationToken>{token}</NextContinuationToken>");
        }
        for object in objects {
            let key = match is_encoded {
                true => utf8_percent_encode(&object.key, NON_ALPHANUMERIC).to_string(),
                false => object.key.replace('&', "&amp;"),
            };
            page += &format!(
                "<Contents><Key>{key}</Key><LastModified>2024-01-14T03:00:00.250Z</LastModified><ETag>&quot;a&#34;</ETag>\
                 <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                object.size
            );
        }
        page + "</ListBucketResult>"
    }

    #[test]
    fn other_ways_to_write_the_same_are_read_too() {
        let page = parse(
            b"<s3:ListBucketResult xmlns:s3='x'><s3:Contents>\n <s3:Key><![CDATA[a&b]]>&#x41;</s3:Key><s3:Size> 7 </s3:Size>\
              <LastModified>2024-01-14T03:00:00+01:00</LastModified><!-- c --><StorageClass>GLACIER</StorageClass>\
              </s3:Contents><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated></s3:ListBucketResult>\n",
        );
        let page = page.expect("a page");
        let object = page.objects.last().filter(|_| page.objects.len() == 1).expect("one object");
        assert_eq!((object.key, object.size, object.archived, object.etag), ("a&bA", 7, true, None));
        assert_eq!(object.last_modified, Some("2024-01-14T02:00:00Z".parse().expect("a time")));
        let empty = parse(b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
        assert_eq!(empty.expect("an empty page"), ListedPage::default());
    }

    #[test]
    fn what_is_no_page_is_an_error() {
        for text in [
            "",
            "<Error><Code>InternalError</Code></Error>",
            "<html/>",
            "<ListBucketResult>",
            "<ListBucketResult/>",
            "<ListBucketResult><IsTruncated/></ListBucketResult>",
            "<ListBucketResult><KeyCount>0</KeyCount><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
            "<ListBucketResult></Listing>",
            "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><Contents/></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a<b/></Key><Size>1</Size></Contents></ListBucketResult> <",
            "<ListBucketResult><Contents><Key>&nbsp;</Key><Size>1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>",
            "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%ff</Key><Size>1</Size></Contents></ListBucketResult>",
            "<!DOCTYPE x [<!ENTITY e 'x'>]><ListBucketResult/>",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_plus_is_a_space_and_an_encoded_plus_is_a_plus() {
        assert_eq!(decoded("a+b%2Bc%252Fd%C3%A9").expect("a key"), "a b+c%2Fd\u{e9}");
        assert!(decoded("%ff").is_err());
    }

    #[test]
    fn a_time_before_s3_existed_is_none() {
        for (text, is) in [
            ("2006-03-14T00:00:00.000Z", true),
            ("2006-03-13T23:59:59.999Z", false),
            ("1970-01-01T00:00:00.000Z", false),
        ] {
            assert_eq!(time(text).filter(is_believable).is_some(), is, "{text}");
        }
    }
}

//! What one page of a comparison costs, part by part: `cargo bench --bench compare`. A page has 1,000 objects.

use std::hint::black_box;

use cleanup_assets::compare::merge::Join;
use cleanup_assets::compare::slice::{Pool, Slice};
use cleanup_assets::compare::split::{Seen, Spare, Unfinished};
use cleanup_assets::domain::Claim;
use cleanup_assets::domain::listed::{Listed, Objects};
use cleanup_assets::storage::s3::page;
use cleanup_assets::storage::s3::scan::PageScan;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    divan::main();
}

const PAGE: u64 = 1000;

/// A key as applications make them; in byte order.
fn key(number: u64) -> String {
    format!("uploads/{number:08x}-7c1e-4f2a-a8d3-{:012x}.jpg", number.wrapping_mul(0x9E37_79B9_7F4A) & 0xffff_ffff_ffff)
}

/// A page as AWS writes it.
fn xml() -> String {
    let objects = (0..PAGE).map(|number| {
        format!(
            "<Contents><Key>{}</Key><LastModified>2024-01-14T03:00:{:02}.000Z</LastModified>\
             <ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            key(number),
            number % 60,
            number * 37
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>b</Name><Prefix></Prefix><KeyCount>{PAGE}</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>\
         <IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>{}</ListBucketResult>",
        objects.collect::<String>()
    )
}

fn objects() -> Objects {
    page::read(xml().as_bytes()).expect("a page").objects
}

fn slice(numbers: impl Iterator<Item = u64>) -> Slice {
    let mut slice = Pool::default().slice(None);
    numbers.for_each(|number| slice.push(&key(number), Claim::Record, 0));
    slice.finish(None)
}

/// As it is read from most stores, in the parts in which it arrives.
#[divan::bench]
fn page_scanned(bencher: Bencher) {
    let xml = xml();
    bencher.counter(ItemsCount::new(PAGE)).counter(BytesCount::new(xml.len())).bench_local(|| {
        let mut scan = PageScan::default();
        black_box(&xml).as_bytes().chunks(16 << 10).try_for_each(|part| scan.feed(part)).expect("a plain page");
        scan.finish().expect("a whole page")
    });
}

/// The same page by the reader of pages that are written in other ways.
#[divan::bench]
fn page_read(bencher: Bencher) {
    let xml = xml();
    bencher
        .counter(ItemsCount::new(PAGE))
        .counter(BytesCount::new(xml.len()))
        .bench_local(|| page::read(black_box(&xml).as_bytes()).expect("a page"));
}

#[divan::bench]
fn slice_filled(bencher: Bencher) {
    let (pool, keys) = (Pool::default(), (0..PAGE).map(key).collect::<Vec<_>>());
    bencher.counter(ItemsCount::new(PAGE)).bench_local(|| {
        let mut slice = pool.slice(None);
        black_box(&keys).iter().for_each(|key| slice.push(key, Claim::Record, 0));
        slice.finish(None)
    });
}

/// So many of a page's objects have a row.
#[divan::bench(args = [1000, 900, 0])]
fn page_joined(bencher: Bencher, known: u64) {
    let (objects, slice) = (objects(), slice((0..PAGE).filter(|number| number % 1000 < known)));
    bencher.counter(ItemsCount::new(PAGE)).bench_local(|| {
        let mut joined = 0;
        let mut join = Join::new(black_box(&slice), None, None);
        join.page(black_box(&objects), |_, _| joined += 1);
        join.finish(usize::MAX >> 1, |_, _| joined += 1);
        joined
    });
}

#[divan::bench]
fn page_copied(bencher: Bencher) {
    let objects = objects();
    bencher.counter(ItemsCount::new(PAGE)).bench_local(|| {
        let mut copied = Objects::default();
        black_box(&objects).iter().for_each(|object: Listed<'_>| copied.push(object));
        copied
    });
}

/// Where to cut a range of which a page was seen, and the database knows nothing.
#[divan::bench]
fn split_guessed(bencher: Bencher) {
    let (page, slice) = (objects(), slice(std::iter::empty()));
    bencher.bench_local(|| {
        let mut seen = Seen::from(Some("uploads/0".len()));
        seen.page(page.len(), 0);
        let range =
            Unfinished { page: black_box(&page), slice: &slice, next: 0, end: 0, through: None, prefix_bytes: 0 };
        seen.cuts(&range, Spare { places: 64, guesses: 64, is_sliced: true })
    });
}

/// The same where the database's keys say how many objects there are between them.
#[divan::bench]
fn split_by_known_keys(bencher: Bencher) {
    let (page, slice) = (objects(), slice((0..10 * PAGE).step_by(10)));
    bencher.bench_local(|| {
        let mut seen = Seen::default();
        seen.page(page.len(), 100);
        let end = slice.len();
        let range =
            Unfinished { page: black_box(&page), slice: &slice, next: 100, end, through: None, prefix_bytes: 0 };
        seen.cuts(&range, Spare { places: 64, guesses: 0, is_sliced: true })
    });
}

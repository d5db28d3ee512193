//! Pages of a listing, as bytes that nobody has thought of: `cargo fuzz run --fuzz-dir tests/fuzz page`. What the scanner
//! reads, the full reader must read the same, and however the bytes arrive. (The suite has the same as proptests.)

#![no_main]

use cleanup_assets::storage::s3::page::read;
use cleanup_assets::storage::s3::scan::{PageScan, scan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let scanned = scan(bytes);
    if let Some(scanned) = &scanned {
        assert_eq!(&read(bytes).expect("what is scanned can be read"), scanned);
    }
    let size = bytes.first().map_or(1, |first| usize::from(first % 64) + 1);
    let mut in_parts = PageScan::default();
    let fed = bytes.chunks(size).try_for_each(|part| in_parts.feed(part));
    assert_eq!(fed.and_then(|()| in_parts.finish()), scanned);
});

//! Each layout of keys by itself: a healthy application loses what is orphaned, and one of which a side says something else
//! loses nothing that is wanted. `cargo bench --bench doubts` is the same in large.

use super::layouts::faults::reason;
use super::layouts::{Layout, Provocation, Random, Share, Size, World, Writer};
use super::planned::{folder, gone};

/// Files of a video, a map or a tenant: so many that such a folder would be held, did its name not say that it is one of
/// many.
const MANY: usize = 22;
const SEED: u64 = 7;

fn check(layout: Layout) {
    let files = if layout.files(MANY) < 20 { 150 } else { 300 };
    let size = Size { files, many: MANY };
    let mut wrong = Vec::new();
    let mut tell = |provocation: Option<Provocation>, faults: Vec<String>| match (reason(layout, provocation), faults) {
        (None, faults) if !faults.is_empty() => wrong.push(format!("{provocation:?}: {faults:#?}")),
        (Some(reason), faults) if faults.is_empty() => {
            wrong.push(format!("{provocation:?}: right again, and still listed: {reason}"));
        }
        _ => {}
    };
    let world = World::healthy(layout, "", size, &mut Random::new(SEED));
    let healthy = folder(&world);
    let gone_healthy = gone(&world, &healthy);
    let mut faults = world.wanted_in(&gone_healthy);
    let (files, rows) = (world.files_kept(&gone_healthy), world.rows_kept(&gone_healthy));
    assert!(files.of >= 8 && rows.of >= 1, "a world without orphans proves nothing: {} and {}", files.of, rows.of);
    faults.extend(gone_healthy.refusal.map(|limit| format!("refused: {limit}")));
    faults.extend(files.kept.into_iter().chain(rows.kept).map(|kept| format!("kept: {kept}")));
    tell(None, faults);
    // Where all values are written in another way, the pair is refused, whatever the way: one is enough here.
    let is_as_another =
        |of: &Provocation| matches!(of, Provocation::Written(writer, Share::All) if *writer != Writer::Url);
    for provocation in Provocation::table().into_iter().filter(|of| !is_as_another(of)) {
        let mut random = Random::new(SEED);
        let mut world = World::healthy(layout, provocation.root(), size, &mut random);
        world.provoke(provocation, &mut random);
        let own = provocation.is_of_files().then(|| folder(&world));
        tell(Some(provocation), world.wanted_in(&gone(&world, own.as_ref().unwrap_or(&healthy))));
    }
    assert!(wrong.is_empty(), "{layout:?}\n{}", wrong.join("\n"));
}

macro_rules! layouts {
    ($($name:ident: $layout:ident,)*) => {
        $(#[test]
        fn $name() {
            check(Layout::$layout);
        })*

        #[test]
        fn every_layout_has_a_test() {
            assert_eq!([$(Layout::$layout),*], Layout::ALL);
        }
    };
}

layouts! {
    flat_keys: Flat,
    dated_folders: Dated,
    folders_of_users: Users,
    sizes_with_rows: SizesWithRows,
    sizes_by_a_rule: SizesByRule,
    medialibrary: Medialibrary,
    hls: Hls,
    tiles: Tiles,
    tenants: Tenants,
    wordpress: WordPress,
    hashed_contents: Hashed,
    thumbs_by_a_rule: ThumbsByRule,
    thumbs_that_were_forgotten: ThumbsForgotten,
}

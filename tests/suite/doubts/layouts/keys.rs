//! How applications lay out their keys: one thing that an application stores, in each of the layouts.

use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// `photo-7.jpg`
    Flat,
    /// `2026/01/31/photo-7.jpg`
    Dated,
    /// `u/<uuid>/file.jpg`
    Users,
    /// `<uuid>/original.jpg` and its sizes, each with a row.
    SizesWithRows,
    /// The same with one row, and a rule for the sizes.
    SizesByRule,
    /// `<id>/photo.jpg`, and `<id>/conversions/photo-thumb.jpg` by a rule.
    Medialibrary,
    /// `videos/<uuid>/index.m3u8`, and `videos/<uuid>/seg00001.ts` by a rule.
    Hls,
    /// `tiles/<id>/<z>/<x>.png`
    Tiles,
    /// `tenants/<id>/letter-7.pdf`
    Tenants,
    /// `2026/01/photo-7.jpg`, and `2026/01/photo-7-150x150.jpg` by a rule.
    WordPress,
    /// `ab/cd/<sha256>`
    Hashed,
    /// `photos/7.jpg`, and `thumbs/photos/7.jpg` by a rule.
    ThumbsByRule,
    /// The same without the rule: the tool is not told of the thumbnails.
    ThumbsForgotten,
}

/// What belongs together: an upload, a video, a tenant.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// The keys that have rows.
    pub rows: Vec<String>,
    /// Every file, those of the rows among them.
    pub files: Vec<String>,
    /// Files, among those, that no row and no rule tells of.
    pub untold: Vec<String>,
}

const NAMES: [&str; 10] =
    ["photo", "IMG", "Übersicht", "Zoë & Max", "report (final)", "a+b", "50% off", "scan", "Screenshot 1", "straße"];

impl Layout {
    pub const ALL: [Layout; 13] = [
        Layout::Flat,
        Layout::Dated,
        Layout::Users,
        Layout::SizesWithRows,
        Layout::SizesByRule,
        Layout::Medialibrary,
        Layout::Hls,
        Layout::Tiles,
        Layout::Tenants,
        Layout::WordPress,
        Layout::Hashed,
        Layout::ThumbsByRule,
        Layout::ThumbsForgotten,
    ];

    /// How many files a unit has, where large ones have `many`.
    pub fn files(self, many: usize) -> usize {
        match self {
            Layout::Flat | Layout::Dated | Layout::Users | Layout::Hashed => 1,
            Layout::ThumbsByRule | Layout::ThumbsForgotten => 2,
            Layout::SizesWithRows | Layout::SizesByRule => 1 + SIZES.len().min(many),
            Layout::Medialibrary | Layout::WordPress => 3,
            Layout::Hls => 1 + many,
            Layout::Tiles | Layout::Tenants => many,
        }
    }

    /// The unit of that number, `hours` old.
    pub fn unit(self, root: &str, number: usize, hours: u64, many: usize, random: &mut Random) -> Unit {
        let name = format!("{}-{number}", random.pick(&NAMES));
        let one = |key: String| Unit { rows: vec![key.clone()], files: vec![key], ..Unit::default() };
        let owner = |key: String, more: Vec<String>| Unit {
            rows: vec![key.clone()],
            files: [key].into_iter().chain(more).collect(),
            ..Unit::default()
        };
        let each = |keys: Vec<String>| Unit { rows: keys.clone(), files: keys, ..Unit::default() };
        match self {
            Layout::Flat => one(format!("{root}{name}.jpg")),
            Layout::Dated => one(format!("{root}{}/{name}.jpg", folder_of_day(hours))),
            Layout::Users => one(format!("{root}u/{}/file.jpg", random.uuid())),
            Layout::SizesWithRows | Layout::SizesByRule => {
                let folder = format!("{root}{}/", random.uuid());
                let sizes = SIZES.iter().take(many).map(|size| format!("{folder}{size}.jpg")).collect();
                let unit = owner(format!("{folder}original.jpg"), sizes);
                if self == Layout::SizesByRule { unit } else { each(unit.files) }
            }
            Layout::Medialibrary => {
                let folder = format!("{root}{}/", number + 1);
                let more = ["thumb", "preview"].map(|size| format!("{folder}conversions/photo-{size}.jpg"));
                owner(format!("{folder}photo.jpg"), more.into())
            }
            Layout::Hls => {
                let folder = format!("{root}videos/{}/", random.uuid());
                let segments = (1..=many).map(|segment| format!("{folder}seg{segment:05}.ts")).collect();
                owner(format!("{folder}index.m3u8"), segments)
            }
            Layout::Tiles => {
                each((0..many).map(|at| format!("{root}tiles/{}/{}/{}.png", 1000 + number, at / 8, at % 8)).collect())
            }
            Layout::Tenants => each((0..many).map(|_| letter(root, number, random)).collect()),
            Layout::WordPress => {
                let stem = format!("{root}{}/{name}", &folder_of_day(hours)[..7]);
                owner(format!("{stem}.jpg"), ["150x150", "300x200"].map(|size| format!("{stem}-{size}.jpg")).into())
            }
            Layout::Hashed => {
                let hash = random.hex(64);
                one(format!("{root}{}/{}/{hash}", &hash[..2], &hash[2..4]))
            }
            Layout::ThumbsByRule => {
                owner(format!("{root}photos/{name}.jpg"), vec![format!("{root}thumbs/photos/{name}.jpg")])
            }
            Layout::ThumbsForgotten => {
                let thumb = format!("{root}thumbs/photos/{name}.jpg");
                Unit { untold: vec![thumb.clone()], ..owner(format!("{root}photos/{name}.jpg"), vec![thumb]) }
            }
        }
    }

    /// The key of one more file in a unit's folder, which no row and no rule tells of: an upload that failed. `None`: the
    /// units of this layout have no folders of their own.
    pub fn upload(self, root: &str, unit: &Unit, number: usize, random: &mut Random) -> Option<String> {
        let folder = |key: &String| key[..=key.rfind('/').unwrap_or_default()].to_owned();
        match self {
            Layout::Tenants => {
                let tenant = unit.files[0].strip_prefix(root)?.split('/').nth(1)?.parse::<usize>().ok()?;
                Some(letter(root, tenant - TENANT, random))
            }
            Layout::Tiles => Some(format!("{}{}.png", folder(&unit.files[0]), 1000 + number)),
            Layout::Users | Layout::SizesWithRows | Layout::SizesByRule | Layout::Medialibrary | Layout::Hls => {
                Some(format!("{}upload-{number}.part", folder(&unit.files[0])))
            }
            _ => None,
        }
    }

    /// The rules that say what files without rows belong to.
    pub fn derived(self, root: &str) -> String {
        let rule = |pattern: &str, owner: &str| {
            format!("[[derived]]\npattern = '^{root}{pattern}$'\nowner = '{root}{owner}'\n")
        };
        match self {
            Layout::SizesByRule => rule("([0-9a-f-]{36})/(?:small|medium|large|thumb)\\.jpg", "$1/original.jpg"),
            Layout::Medialibrary => rule("([0-9]+)/conversions/.+", "$1/*"),
            Layout::Hls => rule("videos/([0-9a-f-]{36})/seg[0-9]+\\.ts", "videos/$1/index.m3u8"),
            Layout::WordPress => rule("(.+)-[0-9]+x[0-9]+\\.jpg", "$1.jpg"),
            Layout::ThumbsByRule => rule("thumbs/(.+)", "$1"),
            _ => String::new(),
        }
    }
}

const SIZES: [&str; 4] = ["small", "medium", "large", "thumb"];
const TENANT: usize = 500;

fn letter(root: &str, tenant: usize, random: &mut Random) -> String {
    let name = random.pick(&NAMES);
    format!("{root}tenants/{}/{name}-{}.pdf", TENANT + tenant, random.hex(8))
}

/// The folder of the day that lies so many hours before one that stands still: a seed gives the same keys on any day.
fn folder_of_day(hours: u64) -> String {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 2, 14).expect("a day") - chrono::Days::new(hours / 24);
    day.format("%Y/%m/%d").to_string()
}

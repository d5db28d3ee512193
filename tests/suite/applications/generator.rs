//! One application of 10,000 keys in every state that a key can be in, the same for every database and store.

use super::model::{Application, Made};
use super::names::{HOSTILE, IMPOSSIBLE_IN_A_FOLDER, key};
use crate::support::stores::Stored;

/// Ordinary keys; the hostile ones come on top.
const ORDINARY: usize = 10_000;

/// Every fiftieth ordinary key is in the same state.
const CYCLE: usize = 50;

/// Sorts before the ordinary folders, so that a text report, which lists 100 findings a section, shows them all.
const HOSTILE_FOLDER: &str = "app/00-names/";

pub fn application(in_a_folder: bool) -> Application {
    let mut application = Application::default();
    for number in 0..ORDINARY {
        ordinary(&mut application, number);
    }
    let impossible = |name: &&str| IMPOSSIBLE_IN_A_FOLDER.iter().any(|(impossible, _)| impossible == name);
    for name in HOSTILE {
        match in_a_folder && impossible(name) {
            true => drop(application.left_out.insert(name)),
            false => hostile(&mut application, name),
        }
    }
    // The database knows something in each of these folders.
    for folder in ["stray", "expired"] {
        let known = format!("{HOSTILE_FOLDER}{folder}/known.png");
        application.object(&known);
        application.asset(&known);
    }
    twins(&mut application);
    company(&mut application);
    near_misses(&mut application);
    keys_of_no_object(&mut application);
    keys_outside(&mut application);
    application
}

fn ordinary(application: &mut Application, number: usize) {
    let folder = ["books", "colouring pages", "sheets", "überraschung", "Zebra", "a"][number % 6];
    let key = format!("app/{folder}/{:02}/picture-{number}.png", number % 97);
    let key = key.as_str();
    match number % CYCLE {
        0 => application.object(key),
        1 => application.asset(key),
        2 => application.document(key),
        // Owned by nobody: the row says so itself.
        3 => {
            application.object(key);
            application.asset_of(Some(key), Made::LastMonth, Some("expired"));
        }
        4 => application.asset_of(Some(key), Made::LastMonth, Some("expired")),
        5 => {
            application.object(key);
            application.avatar(key);
        }
        6 => {
            application.object(key);
            application.photo(key);
        }
        7 => {
            application.object(key);
            application.asset(key);
            application.asset(key);
        }
        // Two findings of one table for one key ...
        8 => {
            application.asset(key);
            application.asset(key);
        }
        // ... and of two tables.
        9 => {
            application.asset(key);
            application.document(key);
        }
        10 => {
            application.object(key);
            application.document(key);
            application.avatar(key);
        }
        11 => {
            application.asset(key);
            application.avatar(key);
        }
        // A reference is no finding, whatever is missing.
        12 => application.avatar(key),
        13 => application.photo(key),
        // NULL is not known to be expired.
        14 => {
            application.object(key);
            application.asset_of(Some(key), Made::LastMonth, None);
        }
        15 => application.asset_of(Some(key), Made::LastMonth, None),
        16 => {
            application.object(key);
            application.asset_of(Some(key), Made::LastMonth, Some("expired"));
            application.asset(key);
        }
        17 => {
            application.object(key);
            application.asset_of(Some(key), Made::LastMonth, Some("expired"));
            application.photo(key);
        }
        18 => application.asset_of(Some(key), Made::Now, Some("active")),
        19 => application.document_of(key.strip_prefix("app/"), Made::Now),
        20 => application.asset_of(Some(key), Made::Unknown, Some("active")),
        21 => application.object_of(key, Stored::Now),
        22 => application.object_of(key, Stored::ThreeDaysAgo),
        23 => application.object(&key.replace("/picture", "/cache/picture")),
        24 => application.asset(&key.replace("/picture", "/cache/picture")),
        25..35 => {
            application.object(key);
            application.document(key);
        }
        _ => {
            application.object(key);
            application.asset(key);
        }
    }
}

/// One name in every state that shows in a report, and in those that must not.
fn hostile(application: &mut Application, name: &str) {
    let below = |folder: &str| key(&format!("{HOSTILE_FOLDER}{folder}/"), name);
    application.object(&below("stray"));
    application.object(&below("expired"));
    application.asset_of(Some(&below("expired")), Made::LastMonth, Some("expired"));
    application.asset(&below("lost"));
    application.document(&below("lost-document"));
    application.object(&below("kept"));
    application.asset(&below("kept"));
    application.object(&below("kept-document"));
    application.document(&below("kept-document"));
    application.object(&below("avatar"));
    application.avatar(&below("avatar"));
    application.object(&below("photo"));
    application.photo(&below("photo"));
    application.avatar(&below("gone"));
}

/// A folder in which many rows have lost their files, and no file is, would be a volume that is missing.
fn company(application: &mut Application) {
    for folder in ["lost", "lost-document"] {
        let key = format!("{HOSTILE_FOLDER}{folder}/company.png");
        application.object(&key);
        application.asset(&key);
    }
}

/// Keys that a collation holds to be equal to one that is wanted and there: findings all the same, and not held, since
/// what they resemble is not missing.
fn twins(application: &mut Application) {
    let twins = [
        ("Upper.PNG", "upper.png"),
        ("caf\u{e9}.png", "cafe\u{301}.png"),
        ("accent.png", "\u{e0}ccent.png"),
        ("trailing.png", "trailing.png "),
        ("trailing.txt", "trailing.txt\t"),
        ("encoded file.png", "encoded%20file.png"),
    ];
    for (wanted, twin) in twins {
        for (folder, lost) in [("stray", false), ("lost", true)] {
            let [wanted, twin] = [wanted, twin].map(|name| format!("{HOSTILE_FOLDER}twins-{folder}/{name}"));
            application.object(&wanted);
            application.asset(&wanted);
            application.document(&wanted);
            match lost {
                true => {
                    application.asset(&twin);
                    application.document(&twin);
                }
                false => application.object(&twin),
            }
        }
    }
}

/// An object that nobody wants beside a row or a reference whose object is missing: most likely the same file.
fn near_misses(application: &mut Application) {
    let pairs = [
        ("Case.PNG", "case.png"),
        ("caf\u{e9}.png", "cafe\u{301}.png"),
        ("two words.png", "two%20words.png"),
        ("CAF\u{c9} au lait.png", "cafe\u{301}%20au%20lait.png"),
    ];
    type Claim = fn(&mut Application, &str);
    let claims: [(&str, Claim); 4] = [
        ("asset", Application::asset),
        ("document", Application::document),
        ("avatar", Application::avatar),
        ("photo", Application::photo),
    ];
    for (folder, claim) in claims {
        for (object, claimed) in pairs {
            let [object, claimed] = [object, claimed].map(|name| format!("{HOSTILE_FOLDER}near-{folder}/{name}"));
            application.object(&object);
            claim(application, &claimed);
            application.near_miss(&object, &claimed);
        }
    }
}

/// NULL and '' name nothing, with a `key_prefix` as without.
fn keys_of_no_object(application: &mut Application) {
    for value in [None, Some("")] {
        application.asset_of(value, Made::LastMonth, Some("active"));
        application.document_of(value, Made::LastMonth);
        application.avatars.push(value.map(str::to_owned));
    }
    application.photos.extend([None, Some("[]".to_owned()), Some("[null, \"\"]".to_owned())]);
}

/// What lies outside the configured prefix is none of the comparison's business, on either side.
fn keys_outside(application: &mut Application) {
    for outside in ["apple.png", "application/x.png", "app-x.png", "elsewhere/stray.png", "aaa/first.png"] {
        application.object(outside);
        application.asset(&format!("{outside}.lost"));
    }
    application.asset("https://cdn.example.com/elsewhere/lost.png");
}

//! The looks just before files go: by a listing where many of them lie close together, by a HEAD each elsewhere. What a HEAD
//! catches, a listing catches too; and a listing is believed only as long as it tells the truth (I8).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::scene::{Scene, bytes_of};
use crate::support::s3::{About, Call, Fault, Seen, What, days, hours_ago};
use crate::support::terminal::Terminal;
use crate::support::tool::Outcome;

pub(super) const ORPHANS: usize = 60;
pub(super) const FOR_GOOD: &str = "[trash]\nenabled = false\n[safety]\nmax_percent = 100";
pub(super) const TO_TRASH: &str = "[safety]\nmax_percent = 100";
/// Files that are looked at both ways first.
pub(super) const FIRST: usize = 20;

/// Sixty orphaned files among as many wanted ones, of which one page holds all.
pub(super) fn close_together(sections: &str) -> Scene {
    let scene = Scene::many_on_s3(ORPHANS, ORPHANS);
    scene.configure(sections);
    scene
}

/// The same among six hundred, of which a page holds nine.
pub(super) fn far_apart(sections: &str) -> Scene {
    let scene = Scene::many_on_s3(10 * ORPHANS, ORPHANS);
    scene.configure(sections);
    scene.server().page_size(100);
    scene
}

/// Runs `--execute`; `meanwhile` happens while the prompt waits.
pub(super) fn execute_with(scene: &Scene, meanwhile: impl FnOnce()) -> Outcome {
    let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
    assert!(terminal.prompt(), "{}", terminal.shown);
    scene.server().forget_calls();
    meanwhile();
    let outcome = terminal.answer(scene.word());
    scene.expect_no_secret(&outcome);
    outcome
}

/// HEADs of files at their places.
pub(super) fn looks(scene: &Scene) -> usize {
    scene.server().calls().iter().filter(|seen| seen.call == Call::Head && !seen.key.starts_with('.')).count()
}

/// Expects that these files stay, with these bytes, and that all the others are gone and said to be.
pub(super) fn expect_left(scene: &Scene, outcome: &Outcome, left: &[(&String, &str)]) {
    let (all, report) = (scene.everything(), outcome.json());
    for (key, bytes) in left {
        assert_eq!(all.get(*key).map(Vec::as_slice), Some(bytes.as_bytes()), "{key} stays: {report:#}");
    }
    let is_left = |key: &String| left.iter().any(|(left, _)| *left == key);
    let there: Vec<&String> = scene.orphans.iter().filter(|key| all.contains_key(*key) && !is_left(key)).collect();
    assert!(there.is_empty(), "they are not gone: {there:?}: {report:#}");
    scene.expect_wanted_untouched(ORPHANS);
}

/// What came of the whole run: files removed, skipped and failed.
pub(super) fn counted(outcome: &Outcome) -> [u64; 3] {
    let removals = outcome.json()["removals"].clone();
    let count = |name: &str| removals[name].as_u64().expect("a count");
    [count("files_trashed") + count("files_deleted"), count("skipped"), count("failed")]
}

/// After the first twenty, a page stands for many looks; where it would stand for few, each file is looked at.
#[test]
fn files_that_lie_close_together_are_looked_at_by_listing() {
    let scene = close_together(FOR_GOOD);
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
    assert_eq!((looks(&scene), scene.server().count(Call::List)), (FIRST, 2));
    expect_left(&scene, &outcome, &[]);
    let scene = far_apart(FOR_GOOD);
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
    assert!(looks(&scene) >= ORPHANS - 10, "one page is tried: {}", looks(&scene));
    expect_left(&scene, &outcome, &[]);
}

/// A few files are looked at one by one.
#[test]
fn few_files_are_looked_at_one_by_one() {
    let scene = Scene::many_on_s3(40, 39);
    scene.configure(FOR_GOOD);
    let outcome = execute_with(&scene, || ());
    assert_eq!(counted(&outcome), [39, 0, 0], "{outcome:#?}");
    assert_eq!((looks(&scene), scene.server().count(Call::List)), (39, 0));
}

/// A store whose listing says another time, or another file, than its looks is looked at file by file.
#[test]
fn a_listing_that_differs_from_the_looks_is_not_believed() {
    let scene = close_together(FOR_GOOD);
    scene.server().bucket.lists_rounded_up.store(true, Ordering::Relaxed);
    let outcome = execute_with(&scene, || ());
    assert_eq!((counted(&outcome), looks(&scene)), ([60, 0, 0], ORPHANS), "{outcome:#?}");
    for sections in [FOR_GOOD, TO_TRASH] {
        let scene = close_together(sections);
        let [early, late] = [3, 40].map(|at| scene.orphans[at].clone());
        let outcome = execute_with(&scene, || {
            scene.server().bucket.list_no_changes();
            for key in [&early, &late] {
                scene.put_bytes(key, "stored meanwhile", SystemTime::now() - days(90));
            }
        });
        assert_eq!((outcome.code, counted(&outcome)), (0, [58, 2, 0]), "{outcome:#?}");
        expect_left(&scene, &outcome, &[(&early, "stored meanwhile"), (&late, "stored meanwhile")]);
    }
}

/// A listing that was right and lags from then on: it still names what was just removed.
#[test]
fn a_listing_that_names_what_was_just_removed_is_not_believed() {
    let scene = close_together(&format!("{FOR_GOOD}\nmax_deletes_per_second = 30"));
    let key = scene.orphans[50].clone();
    let (bucket, replaced, once) = (Arc::clone(&scene.server().bucket), key.clone(), AtomicBool::new(false));
    scene.server().before(Call::DeleteMany, move |_| {
        if !once.swap(true, Ordering::SeqCst) {
            bucket.list_no_changes();
            bucket.put(&replaced, "stored meanwhile", SystemTime::now() - days(90));
        }
    });
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [59, 1, 0]), "{outcome:#?}");
    assert!(outcome.stderr.contains("still names it"), "{outcome:#?}");
    expect_left(&scene, &outcome, &[(&key, "stored meanwhile")]);
}

/// What is another file now, by its bytes, its size or its time alone, stays; what is gone is not counted.
#[test]
fn what_changed_is_seen_by_the_listing() {
    let old = SystemTime::now() - days(90);
    for sections in [FOR_GOOD, TO_TRASH] {
        for scene in [close_together(sections), far_apart(sections)] {
            let [bytes, size, time, gone] = [30, 40, 45, 50].map(|at| scene.orphans[at].clone());
            let other = bytes_of(&bytes).replace("picture", "PICTURE");
            let stored = scene.server().bucket.get(&bytes).expect("an orphan").modified;
            let outcome = execute_with(&scene, || {
                scene.put_bytes(&bytes, &other, stored);
                scene.put_bytes(&size, "another size", old);
                scene.put_bytes(&time, &bytes_of(&time), hours_ago(0));
                scene.server().bucket.remove(&gone);
            });
            assert_eq!((outcome.code, counted(&outcome)), (0, [56, 4, 0]), "{outcome:#?}");
            let reasons = outcome.json()["removals"]["reasons"].clone();
            assert_eq!(reasons["it is gone already"], 1, "{reasons:#}");
            let left = [(&bytes, other.as_str()), (&size, "another size"), (&time, &bytes_of(&time))];
            expect_left(&scene, &outcome, &left);
            for key in [&bytes, &size, &time] {
                assert!(scene.copies(key).is_empty(), "what stays is not in the trash as well: {key}");
            }
        }
    }
}

/// Other bytes that are stored as a file is to be copied, or once all were: they stay, and the copy of the old ones is known.
#[test]
fn a_file_uploaded_during_the_copies_stays() {
    for (scene, is_copied) in [false, true]
        .map(|is_copied| [(close_together(TO_TRASH), is_copied), (far_apart(TO_TRASH), is_copied)])
        .into_iter()
        .flatten()
    {
        let key = scene.orphans[40].clone();
        let (fits, once) = (format!("/{key}"), Arc::new(AtomicBool::new(false)));
        let calls: &[Call] = if is_copied { &[Call::List, Call::Head] } else { &[Call::Copy] };
        for call in calls {
            let (bucket, key, fits, once) =
                (Arc::clone(&scene.server().bucket), key.clone(), fits.clone(), Arc::clone(&once));
            scene.server().before(*call, move |seen| {
                let is_there =
                    || bucket.keys().iter().any(|place| place.starts_with(".trash/") && place.ends_with(&fits));
                if (if is_copied { is_there() } else { seen.key.ends_with(&fits) })
                    && !once.swap(true, Ordering::SeqCst)
                {
                    bucket.put(&key, "stored meanwhile", SystemTime::now() - days(90));
                }
            });
        }
        let outcome = execute_with(&scene, || ());
        assert_eq!((outcome.code, counted(&outcome)), (0, [59, 1, 0]), "{outcome:#?}");
        expect_left(&scene, &outcome, &[(&key, "stored meanwhile")]);
        let copies: Vec<Vec<u8>> =
            scene.trashed(&key).map(|place| scene.everything()[&place].clone()).into_iter().collect();
        let (expected, state) =
            if is_copied { (vec![bytes_of(&key).into_bytes()], "trashed") } else { (Vec::new(), "skipped") };
        assert_eq!((copies, scene.all_removals()[&key].as_slice()), (expected, [state.to_owned()].as_slice()));
    }
}

/// A page that ends early says nothing of what it lacks: that is looked at, and the listing is not believed any more.
#[test]
fn a_page_that_ends_early_is_not_believed() {
    for sections in [FOR_GOOD, TO_TRASH] {
        for is_replaced in [false, true] {
            let scene = close_together(sections);
            let key = scene.orphans[50].clone();
            let outcome = execute_with(&scene, || {
                scene.server().fault(Fault::on(Call::List, What::EndsAfter(50)).after(1).times(1));
                if is_replaced {
                    scene.put_bytes(&key, "stored meanwhile", SystemTime::now() - days(90));
                }
            });
            assert!(scene.server().every_fault_was_played());
            let left: &[(&String, &str)] = if is_replaced { &[(&key, "stored meanwhile")] } else { &[] };
            let count = left.len() as u64;
            assert_eq!((outcome.code, counted(&outcome)), (0, [60 - count, count, 0]), "{outcome:#?}");
            assert!(outcome.stderr.contains("the listing does not name it, and it is there"), "{outcome:#?}");
            expect_left(&scene, &outcome, left);
        }
    }
}

/// A listing that fails once it is believed, or says what cannot be: no file goes by it, and none is called missing.
#[test]
fn a_listing_that_fails_removes_nothing() {
    let faults =
        [What::Status(403, "AccessDenied"), What::TruncatedWithoutToken, What::OutOfOrder, What::StrayFirst("!")];
    for (sections, what) in [FOR_GOOD, TO_TRASH].into_iter().flat_map(|s| faults.clone().map(|what| (s, what))) {
        let scene = close_together(sections);
        let outcome = execute_with(&scene, || scene.server().fault(Fault::on(Call::List, what.clone()).after(1)));
        assert_eq!(outcome.code, 3, "{what:?}: {outcome:#?}");
        let [removed, skipped, failed] = counted(&outcome);
        assert_eq!((removed + failed, skipped), (60, 0), "{what:?}: {outcome:#?}");
        assert!(failed >= 40, "{what:?}: {outcome:#?}");
        scene.server().no_more_faults();
        let there = scene.orphans.iter().filter(|key| scene.everything().contains_key(*key)).count();
        assert_eq!(there as u64, failed, "{what:?}: {outcome:#?}");
        assert_eq!(counted(&scene.execute(&["--format", "json"])), [failed, 0, 0], "{what:?}");
    }
}

/// Replaces a file some time after a call of a kind that fits has come.
fn replace_after(scene: &Scene, call: Call, fits: impl Fn(&Seen) -> bool + Send + Sync + 'static, key: &str) {
    let (bucket, key) = (Arc::clone(&scene.server().bucket), key.to_owned());
    let once = AtomicBool::new(false);
    scene.server().before(call, move |seen| {
        if fits(seen) && !once.swap(true, Ordering::SeqCst) {
            let (bucket, key) = (Arc::clone(&bucket), key.clone());
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(2));
                bucket.put(&key, "stored meanwhile", SystemTime::now() - days(90));
            });
        }
    });
}

/// A look that is more than five seconds old by the time of the delete is none: a file that was stored since stays.
#[test]
fn no_delete_rests_on_an_old_look() {
    const SLOW: Duration = Duration::from_secs(6);
    let by_listing = |sections: &str| {
        let scene = close_together(sections);
        let key = scene.orphans[40].clone();
        // The listing of a file at its place, after the one that is tried.
        let is_here = |seen: &Seen| !seen.parameter("prefix").is_some_and(|prefix| prefix.starts_with(".trash"));
        let fault = Fault::on(Call::List, What::DelayAfterwards(SLOW)).when(is_here).times(1);
        let skipped = if sections == FOR_GOOD { 1 } else { 2 };
        let outcome = execute_with(&scene, || {
            scene.server().fault(fault.after(skipped));
            let seen = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let nth = move |call: &Seen| is_here(call) && seen.fetch_add(1, Ordering::SeqCst) == skipped;
            replace_after(&scene, Call::List, nth, &key);
        });
        assert!(scene.server().every_fault_was_played());
        assert_eq!((outcome.code, counted(&outcome)), (0, [59, 1, 0]), "{outcome:#?}");
        expect_left(&scene, &outcome, &[(&key, "stored meanwhile")]);
    };
    let one_by_one = || {
        let scene = Scene::on_s3();
        scene.configure(FOR_GOOD);
        let [key, slow] = [0, 1].map(|at| scene.orphans[at].clone());
        let outcome = execute_with(&scene, || {
            let of = slow.clone();
            replace_after(&scene, Call::Head, move |seen| seen.key == of, &key);
            scene
                .server()
                .fault(Fault::on(Call::Head, What::DelayAfterwards(SLOW)).when(move |seen| seen.key == slow).times(1));
        });
        assert_eq!((outcome.code, counted(&outcome)), (0, [2, 1, 0]), "{outcome:#?}");
        assert_eq!(scene.everything().get(&key).map(Vec::as_slice), Some(b"stored meanwhile".as_slice()));
    };
    let always = || {
        let scene = Scene::many_on_s3(40, 1);
        scene.configure(FOR_GOOD);
        let outcome = execute_with(&scene, || scene.server().fault(Fault::on(Call::Head, What::DelayAfterwards(SLOW))));
        assert_eq!((outcome.code, counted(&outcome)), (3, [0, 0, 1]), "{outcome:#?}");
        assert!(outcome.json()["removals"]["errors"].to_string().contains("so slowly"), "{outcome:#?}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| by_listing(FOR_GOOD));
        scope.spawn(|| by_listing(TO_TRASH));
        scope.spawn(one_by_one);
        scope.spawn(always);
    });
}

/// Single deletes that wait for others, and many that are tried again after a look at each: no look is old by then.
#[test]
fn no_look_grows_old_while_other_files_are_deleted() {
    let (singly, again) = (close_together(FOR_GOOD), close_together(FOR_GOOD));
    singly.server().fault(Fault::on(Call::DeleteMany, What::Status(501, "NotImplemented")));
    singly.server().fault(Fault::on(Call::Delete, What::Delay(Duration::from_millis(2_500))));
    again.server().fault(Fault::on(Call::DeleteMany, What::Status(503, "SlowDown")).times(1));
    again.server().fault(Fault::on(Call::Head, What::Delay(Duration::from_millis(200))));
    std::thread::scope(|scope| {
        for (scene, call) in [(&singly, Call::Delete), (&again, Call::DeleteMany)] {
            scope.spawn(move || {
                let mut oldest = Arc::default();
                let outcome = execute_with(scene, || oldest = oldest_looks(scene, call));
                assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
                let oldest = oldest.lock().expect("the ages").clone();
                // The call itself takes a moment.
                assert!(oldest.iter().all(|age| *age < Duration::from_secs(6)), "{call:?}: {oldest:?}");
            });
        }
    });
}

/// How old the look at a file was as each of these calls came; of many files, the oldest one since the call before.
fn oldest_looks(scene: &Scene, call: Call) -> Arc<Mutex<Vec<Duration>>> {
    let looks: Arc<Mutex<BTreeMap<String, Instant>>> = Arc::default();
    let (ages, since) = (Arc::<Mutex<Vec<Duration>>>::default(), Arc::<Mutex<Option<Instant>>>::default());
    for look in [Call::List, Call::Head] {
        let (looks, since) = (Arc::clone(&looks), Arc::clone(&since));
        scene.server().before(look, move |seen| {
            // A listing stands for every file.
            let mut looks = looks.lock().expect("the looks");
            if seen.call == Call::List {
                looks.clear();
            }
            looks.insert(seen.key.clone(), Instant::now());
            since.lock().expect("the first look").get_or_insert_with(Instant::now);
        });
    }
    let noted = Arc::clone(&ages);
    scene.server().before(call, move |seen| {
        let first = since.lock().expect("the first look").take();
        let looks = looks.lock().expect("the looks");
        let of_one = looks.get(&seen.key).or_else(|| looks.get("")).copied();
        let look = if seen.call == Call::DeleteMany { first } else { of_one };
        noted.lock().expect("the ages").extend(look.map(|look| look.elapsed()));
    });
    ages
}

/// Requests of each kind that a removal made, beside those on our own trial objects.
pub(super) fn requests(scene: &Scene) -> [usize; 4] {
    let calls = scene.server().calls();
    let of = |call: Call| calls.iter().filter(|seen| seen.call == call && !seen.key.starts_with(TRIED)).count();
    [of(Call::List), of(Call::Head), of(Call::Copy), of(Call::DeleteMany) + of(Call::Delete)]
}

/// Where the tool tries what a copy keeps.
const TRIED: &str = ".trash/.kept";

/// To the trash a file costs one request, a copy, where files lie close together; and two where they do not. The first
/// twenty are looked at, too.
#[test]
fn a_file_goes_to_the_trash_by_one_request() {
    let scene = close_together(TO_TRASH);
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
    assert_eq!(requests(&scene), [4, FIRST, ORPHANS, 1], "{:#?}", scene.server().calls());
    expect_left(&scene, &outcome, &[]);
    assert!(scene.orphans.iter().all(|key| scene.trashed(key).is_some()));
    assert!(!scene.everything().keys().any(|key| key.starts_with(TRIED)), "nothing of the trial is left");
    let scene = far_apart(TO_TRASH);
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
    let [_, heads, copies, _] = requests(&scene);
    assert!(heads <= ORPHANS + FIRST && copies == ORPHANS, "{:?}", requests(&scene));
    expect_left(&scene, &outcome, &[]);
}

/// And back by two: a look at its place, and a copy.
#[test]
fn a_file_comes_back_by_two_requests() {
    let scene = close_together(TO_TRASH);
    let before = scene.everything();
    let run = execute_with(&scene, || ()).json()["run"]["id"].to_string();
    scene.server().forget_calls();
    let outcome = scene.run(&["restore", "--run", &run]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.everything(), before);
    assert_eq!(requests(&scene), [3, ORPHANS + FIRST, ORPHANS, 1], "{:#?}", scene.server().calls());
    for key in &scene.orphans {
        assert_eq!(scene.server().bucket.get(key).expect("the file").about, super::scene::about(key));
    }
}

/// An orphaned file, after those that are looked at, that has something of its own.
pub(super) fn with_rare(scene: &Scene, rare: &About) -> String {
    let key = scene.orphans[40].clone();
    scene.server().bucket.put_as(&key, &bytes_of(&key), SystemTime::now() - days(90), rare.clone());
    key
}

/// What a store has that makes copies be told.
#[derive(Debug, PartialEq, Eq)]
enum Odd {
    Website,
    /// The etag of what is encrypted with a key is that of the bytes.
    Etags,
}

/// To the trash and back, one file among many keeps its key, its class, and its redirect where there is a website.
#[test]
fn a_copy_keeps_what_it_would_lose() {
    let text = |text: &str| Some(text.to_owned());
    let encrypted = || About { kms_key: text("arn:aws:kms:us-east-1:111122223333:key/own"), ..About::default() };
    let rares = [
        (None, encrypted()),
        (Some(Odd::Etags), encrypted()),
        (None, About { class: text("STANDARD_IA"), cache_control: text("max-age=1"), ..About::default() }),
        (Some(Odd::Website), About { redirect: text("/elsewhere.png"), ..About::default() }),
    ];
    for (odd, rare) in rares {
        let scene = close_together(TO_TRASH);
        let bucket = &scene.server().bucket;
        bucket.is_website.store(odd == Some(Odd::Website), Ordering::Relaxed);
        bucket.names_by_bytes_alone.store(odd == Some(Odd::Etags), Ordering::Relaxed);
        let key = with_rare(&scene, &rare);
        let before = scene.everything();
        let outcome = execute_with(&scene, || ());
        assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{rare:?}: {outcome:#?}");
        let trashed = scene.trashed(&key).expect("a copy");
        assert_eq!(scene.server().bucket.get(&trashed).expect("the copy").about, rare);
        // Each has a look more where copies must be told.
        let [_, heads, copies, _] = requests(&scene);
        let most = if odd.is_some() { ORPHANS + FIRST } else { FIRST + 5 };
        assert!(heads <= most && copies <= ORPHANS + 1, "{rare:?}: {:?}", requests(&scene));
        let run = outcome.json()["run"]["id"].to_string();
        let outcome = scene.run(&["restore", "--run", &run]);
        assert_eq!((outcome.code, scene.everything()), (0, before), "{outcome:#?}");
        assert_eq!(scene.server().bucket.get(&key).expect("the file").about, rare);
    }
}

/// A store whose copies lose something is found out, though the first files have nothing that could be lost.
#[test]
fn a_store_whose_copies_lose_something_is_found_out() {
    let scene = close_together(TO_TRASH);
    let rare = About { cache_control: Some("max-age=1".to_owned()), ..About::default() };
    let key = with_rare(&scene, &rare);
    scene.server().bucket.loses_cache_control.store(true, Ordering::Relaxed);
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (3, [59, 0, 1]), "{outcome:#?}");
    assert!(outcome.json()["removals"]["errors"].to_string().contains("loses its Cache-Control"), "{outcome:#?}");
    expect_left(&scene, &outcome, &[(&key, &bytes_of(&key))]);
}

/// A copy that is not what the listing should name, or that it does not name, is looked at, and made anew; on the way back
/// such a file is not called back, and its copy stays.
#[test]
fn a_copy_that_the_listing_does_not_prove_is_looked_at() {
    let spoil = |scene: &Scene, begins: &'static str, key: String, bytes: Option<&'static str>| {
        let (bucket, once) = (Arc::clone(&scene.server().bucket), AtomicBool::new(false));
        scene.server().before(Call::List, move |seen| {
            let is_there =
                || bucket.keys().into_iter().find(|place| place.starts_with(begins) && place.ends_with(&key));
            let is_of = seen.parameter("prefix").unwrap_or_default().starts_with(".trash/") == begins.starts_with('.');
            if let (true, Some(place)) = (is_of, is_there())
                && !once.swap(true, Ordering::SeqCst)
            {
                match bytes {
                    Some(bytes) => bucket.put(&place, bytes, SystemTime::now()),
                    None => drop(bucket.remove(&place)),
                }
            }
        });
    };
    for bytes in [Some("cut"), None] {
        let scene = close_together(TO_TRASH);
        let key = scene.orphans[40].clone();
        spoil(&scene, ".trash/0", format!("/{key}"), bytes);
        let outcome = execute_with(&scene, || ());
        assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
        let place = scene.trashed(&key).expect("a copy");
        assert_eq!(scene.everything()[&place], bytes_of(&key).into_bytes(), "{bytes:?}");

        let run = outcome.json()["run"]["id"].to_string();
        spoil(&scene, "assets/", key.clone(), bytes);
        let outcome = scene.run(&["restore", "--run", &run]);
        assert_eq!(outcome.code, 3, "{bytes:?}: {outcome:#?}");
        assert_eq!(scene.everything()[&place], bytes_of(&key).into_bytes(), "its copy stays: {bytes:?}");
        assert!(scene.orphans.iter().filter(|other| **other != key).all(|key| scene.everything().contains_key(key)));
    }
}

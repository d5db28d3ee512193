//! `src/invariants.rs` is held against the code: what is cited is defined there, and whatever it names is there. A
//! plain search of the text; nothing is built or run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const DOCUMENT: &str = "src/invariants.rs";

/// Every source file, by its path in the repository.
type Files = BTreeMap<String, String>;

/// One entry of a section: where it is enforced, and which tests fail without it.
struct Guard {
    text: String,
    places: Vec<String>,
    tests: Vec<String>,
}

struct Section {
    title: String,
    /// What stands between the title and the first guard.
    prose: String,
    guards: Vec<Guard>,
}

#[test]
fn what_is_cited_is_defined_and_what_is_defined_is_cited() {
    assert_none(numbers(&files()));
}

#[test]
fn every_section_says_what_holds_and_every_guard_where_and_which_test() {
    assert_none(form(&files()));
}

#[test]
fn every_place_that_is_named_is_there() {
    assert_none(places(&files()));
}

#[test]
fn every_test_that_is_named_is_there() {
    assert_none(tests(&files()));
}

/// Each of the tests above fails for a single letter.
#[test]
fn what_is_misspelt_is_told() {
    type Check = fn(&Files) -> Vec<String>;
    let misspelt: [(Check, &str, &str); 9] = [
        (numbers, "# I7 Limits", "# 17 Limits"),
        (form, "Test: `execute::trash::trash_is_kept", "Tset: `execute::trash::trash_is_kept"),
        (form, "In: `judge::Group::file`", "At: `judge::Group::file`"),
        (places, "`judge::wrong_pair`", "`judge::wrong_pear`"),
        (places, "`execute::due::purge_batch`", "`execute::dew::purge_batch`"),
        (places, "`database::writer::Writer::look_up`", "`database::writer::Aim::look_up`"),
        (tests, "`plan::tests::a_wrong_pair", "`plan::tests::the_wrong_pair"),
        (tests, "`execute::plan::zero_objects", "`execute::plam::zero_objects"),
        (tests, "`rules::shared::a_live_row", "`rules::shared::sqlite::a_live_row"),
    ];
    for (check, right, wrong) in misspelt {
        let mut files = files();
        let document = files.get_mut(DOCUMENT).expect("the document");
        assert!(document.contains(right), "{right} is not in {DOCUMENT}");
        *document = document.replace(right, wrong);
        assert!(!check(&files).is_empty(), "{wrong} is taken for {right}");
    }
}

fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn numbers(files: &Files) -> Vec<String> {
    let titles: Vec<String> = sections(files).into_iter().map(|section| section.title).collect();
    let defined: BTreeSet<&str> =
        titles.iter().filter_map(|title| title.split(' ').next()).filter(|word| is_number(word)).collect();
    let mut problems = Vec::new();
    let mut cited: BTreeSet<&str> = BTreeSet::new();
    for (path, text) in files.iter().filter(|(path, _)| *path != DOCUMENT) {
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| is_number(word)) {
            if path.starts_with("src/") {
                cited.insert(word);
            }
            if !defined.contains(word) {
                problems.push(format!("{path} cites {word}, which {DOCUMENT} does not define"));
            }
        }
    }
    let unknown = defined.difference(&cited);
    problems.extend(unknown.map(|number| format!("{DOCUMENT} defines {number}, which nothing else in src cites")));
    problems
}

/// Whether a word is the number of an invariant: `I`, and digits.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('I').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn form(files: &Files) -> Vec<String> {
    let mut problems = Vec::new();
    for Section { title, prose, guards } in sections(files) {
        if prose.trim().is_empty() {
            problems.push(format!("{title}: it does not say what holds"));
        }
        if guards.is_empty() {
            problems.push(format!("{title}: it has no guard"));
        }
        for guard in guards {
            if guard.places.is_empty() {
                problems.push(format!("{title}: no place, written \"In: `a::b`.\", in: {}", guard.text));
            }
            if guard.tests.is_empty() && !guard.text.contains(" No test fails: ") {
                problems
                    .push(format!("{title}: neither \"Test: `a::b`.\" nor \"No test fails: …\" in: {}", guard.text));
            }
        }
    }
    problems
}

fn places(files: &Files) -> Vec<String> {
    let places = sections(files).into_iter().flat_map(|section| section.guards).flat_map(|guard| guard.places);
    places.filter(|place| !is_place(files, place)).map(|place| format!("there is no {place} below src")).collect()
}

fn tests(files: &Files) -> Vec<String> {
    let tests = sections(files).into_iter().flat_map(|section| section.guards).flat_map(|guard| guard.tests);
    tests.filter(|test| !is_test(files, test)).map(|test| format!("there is no test {test}")).collect()
}

/// Whether `path` names an item, or a function of a type, of the program itself.
fn is_place(files: &Files, path: &str) -> bool {
    let segments: Vec<&str> = path.split("::").collect();
    let found = (1..segments.len()).rev().find_map(|at| Some((module(files, "src", &segments[..at])?, at)));
    let Some((text, at)) = found else { return false };
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    match segments[at..] {
        [item] => code.lines().any(|line| declares(line, item)),
        [kind, function] => blocks_of(code, kind).any(|line| declares(line, function)),
        _ => false,
    }
}

/// Whether `path` names a test: of the suite, or, below a `tests`, of the program's own.
fn is_test(files: &Files, path: &str) -> bool {
    let segments: Vec<&str> = path.split("::").collect();
    let (text, name) = match segments[..] {
        [ref room @ .., "tests", name] => {
            let own = module(files, "src", &[room, &["tests"]].concat());
            let below = module(files, "src", room).and_then(|text| text.split_once("#[cfg(test)]"));
            (own.or(below.map(|(_, tests)| tests)), name)
        }
        [ref room @ .., name] => (module(files, "tests/suite", room), name),
        [] => return false,
    };
    let Some(text) = text else { return false };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.contains("fn ") && declares(line, name)) else { return false };
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    above.into_iter().any(|line| ["#[test]", "#[tokio::test]"].contains(line)) || is_listed(text, name)
}

/// Whether a macro makes a test of the function on each engine.
fn is_listed(text: &str, name: &str) -> bool {
    let lists = ["on_every_engine!(", "on_each_engine!("].into_iter().filter_map(|start| text.split_once(start));
    let names = lists.filter_map(|(_, rest)| rest.split_once(')')).flat_map(|(names, _)| names.split(','));
    names.into_iter().any(|listed| listed.trim() == name)
}

/// The text of a module's file.
fn module<'f>(files: &'f Files, root: &str, room: &[&str]) -> Option<&'f str> {
    let path = room.join("/");
    let paths = [format!("{root}/{path}.rs"), format!("{root}/{path}/mod.rs")];
    paths.iter().find_map(|path| files.get(path)).map(String::as_str)
}

/// Whether a line begins to define `name`.
fn declares(line: &str, name: &str) -> bool {
    ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "static "].iter().any(|word| {
        let after = line.trim_start().split_once(word).and_then(|(_, rest)| rest.strip_prefix(name));
        after.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// The lines of every block that implements or defines a type.
fn blocks_of<'t>(code: &'t str, kind: &'t str) -> impl Iterator<Item = &'t str> {
    let is_word = move |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == kind);
    let mut is_inside = false;
    code.lines().filter(move |line| {
        let is_head = line.starts_with("impl") || line.starts_with("pub trait ") || line.starts_with("trait ");
        is_inside = if is_head { is_word(line) } else { is_inside && *line != "}" };
        is_inside
    })
}

/// The sections of the document, and the guards of each.
fn sections(files: &Files) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in files[DOCUMENT].lines() {
        let line = line.strip_prefix("//!").unwrap_or_else(|| panic!("{DOCUMENT} is more than a head: {line}"));
        if let Some(title) = line.strip_prefix(" # ") {
            sections.push(Section { title: title.to_owned(), prose: String::new(), guards: Vec::new() });
        }
        let Some(section) = sections.last_mut() else { continue };
        match (line.strip_prefix(" - "), line.strip_prefix("   "), section.guards.last_mut()) {
            (Some(text), ..) => {
                section.guards.push(Guard { text: text.to_owned(), places: Vec::new(), tests: Vec::new() });
            }
            (_, Some(more), Some(guard)) => guard.text = format!("{} {more}", guard.text),
            (None, _, None) if !line.starts_with(" #") => section.prose += line,
            _ => {}
        }
    }
    sections.iter_mut().flat_map(|section| &mut section.guards).for_each(Guard::read);
    sections
}

impl Guard {
    /// Reads "What holds. In: `place`. Test: `test`."
    fn read(&mut self) {
        let Some((_, rest)) = self.text.split_once(" In: ") else { return };
        let ends = [" Test: ", " Tests: ", " No test fails: "];
        let Some(end) = ends.into_iter().find(|end| rest.contains(end)) else { return };
        let Some((places, tests)) = rest.split_once(end) else { return };
        self.places = quoted(places);
        if end != " No test fails: " {
            self.tests = quoted(tests);
        }
    }
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn files() -> Files {
    let mut files = Files::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["src", "tests"].into_iter().for_each(|folder| gather(root, &root.join(folder), &mut files));
    files
}

fn gather(root: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("below the root").display().to_string();
            files.insert(name, fs::read_to_string(&path).expect("a source file"));
        }
    }
}

//! PURE: objects that belong to another key, with no row of their own: to which, by the rules of the configuration.

use regex::Regex;

/// Owners that one key may have, through however many steps. Rules that make more of it have no end, and what they make it
/// belong to nobody can tell.
const OWNERS: usize = 1_000;

/// No key is longer, in any store: what a rule that grows makes of it is nobody.
const OWNER_BYTES: usize = 4_096;

/// Something that says what objects belong to that no row names.
#[derive(Debug, Clone)]
pub enum DerivedRule {
    /// A `[[derived]]` rule.
    Pattern { pattern: Regex, owner: String, is_prefix: bool },
    /// Where rows own folders: an object belongs to each folder around it, and to the folder of its own name, of which it may
    /// be all there is. Keys of folders end in `/`.
    Folders,
}

/// What an object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    Key(String),
    /// Any key that begins with this.
    Prefix(String),
    /// A folder around it, whose row owns what lies in it.
    Folder(String),
}

impl Owner {
    /// The key, or what it begins with.
    pub fn text(&self) -> &str {
        let (Owner::Key(text) | Owner::Prefix(text) | Owner::Folder(text)) = self;
        text
    }

    pub fn is_prefix(&self) -> bool {
        matches!(self, Owner::Prefix(_))
    }
}

impl DerivedRule {
    /// Reads a rule as it is written.
    pub fn new(pattern: &str, owner: &str) -> Result<Self, String> {
        let wrong = |what: String| format!("[[derived]] pattern = {pattern:?}: {what}");
        let regex = Regex::new(pattern).map_err(|error| wrong(format!("it is no regular expression: {error}")))?;
        let (owner, is_prefix) = match owner.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (owner, false),
        };
        if owner.is_empty() {
            return Err(wrong("its owner is empty, and would own everything".to_owned()));
        }
        for group in groups(owner) {
            let is_known = match group.parse::<usize>() {
                Ok(number) => number < regex.captures_len(),
                Err(_) => regex.capture_names().flatten().any(|name| name == group),
            };
            if !is_known {
                return Err(wrong(format!(
                    "its owner names ${{{group}}}, and it has no such group; write ${{1}} where letters follow"
                )));
            }
        }
        Ok(DerivedRule::Pattern { pattern: regex, owner: owner.to_owned(), is_prefix })
    }

    /// The pattern, as it is written; `None`: it is not a `[[derived]]` rule.
    pub fn pattern(&self) -> Option<&str> {
        match self {
            DerivedRule::Pattern { pattern, .. } => Some(pattern.as_str()),
            DerivedRule::Folders => None,
        }
    }

    /// What an object of this key belongs to by the rule, the nearest first.
    fn owners(&self, key: &str) -> Vec<Owner> {
        match self {
            DerivedRule::Pattern { pattern, owner, is_prefix } => {
                let Some(captures) = pattern.captures(key) else { return Vec::new() };
                let mut text = String::new();
                captures.expand(owner, &mut text);
                match (text.is_empty(), is_prefix) {
                    (true, _) => Vec::new(),
                    (false, true) => vec![Owner::Prefix(text)],
                    (false, false) => vec![Owner::Key(text)],
                }
            }
            DerivedRule::Folders => folders_of(key),
        }
    }
}

/// What an object belongs to, by all rules.
#[derive(Debug, Default)]
pub struct Owned {
    /// Its owners, and theirs, the nearest first. None where no rule speaks of it. A cycle ends where it closes.
    pub owners: Vec<Owner>,
    /// The rules that gave them, a bit each by their place; the last bit is that of all from the 64th on.
    pub rules_met: u64,
    /// Whether there are more owners than can be named: then it must be taken for wanted.
    pub has_more: bool,
}

/// Everything that `key` belongs to.
pub fn owners(rules: &[DerivedRule], key: &str) -> Owned {
    let mut owned = Owned::default();
    let mut next = 0;
    let mut of = key.to_owned();
    let has_folders = rules.iter().any(|rule| matches!(rule, DerivedRule::Folders));
    let mut is_prefix = false;
    loop {
        // Of what a prefix begins only the folders around it are known.
        let of_rules = rules.iter().enumerate().filter(|(_, rule)| !is_prefix || matches!(rule, DerivedRule::Folders));
        for (place, owner) in
            of_rules.flat_map(|(place, rule)| rule.owners(&of).into_iter().map(move |owner| (place, owner)))
        {
            owned.rules_met |= 1 << place.min(63);
            let is_itself = !owner.is_prefix() && owner.text() == key;
            if is_itself || owner.text().len() > OWNER_BYTES || owned.owners.contains(&owner) {
                continue;
            }
            if owned.owners.len() == OWNERS {
                owned.has_more = true;
                return owned;
            }
            owned.owners.push(owner);
        }
        // Folders are around what the others are, and belong to nothing by themselves.
        let is_step = |owner: &Owner| matches!(owner, Owner::Key(_)) || has_folders && owner.is_prefix();
        let Some(step) = owned.owners[next..].iter().position(is_step) else { return owned };
        is_prefix = owned.owners[next + step].is_prefix();
        of = owned.owners[next + step].text().to_owned();
        next += step + 1;
    }
}

/// The folders around a key, the nearest first, and the one of its own name.
pub fn folders_of(key: &str) -> Vec<Owner> {
    let around = memchr::memrchr_iter(b'/', key.as_bytes()).map(|slash| &key[..=slash]).filter(|folder| *folder != key);
    let mut folders: Vec<Owner> = around.map(|folder| Owner::Folder(folder.to_owned())).collect();
    if !key.ends_with('/') {
        folders.push(Owner::Folder(format!("{key}/")));
    }
    folders
}

/// The groups that a template names, as [`regex::Captures::expand`] reads it.
fn groups(template: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('$') {
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            groups.push(name);
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end > 0 {
                groups.push(&rest[..end]);
            }
            rest = &rest[end..];
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rules: &[(&str, &str)]) -> Vec<DerivedRule> {
        rules.iter().map(|(pattern, owner)| DerivedRule::new(pattern, owner).expect("a rule")).collect()
    }

    fn owners_of(rules: &[DerivedRule], key: &str) -> Vec<Owner> {
        owners(rules, key).owners
    }

    fn key(text: &str) -> Owner {
        Owner::Key(text.to_owned())
    }

    fn folder(text: &str) -> Owner {
        Owner::Folder(text.to_owned())
    }

    #[test]
    fn an_owner_is_a_key_or_a_prefix() {
        let rules = rules(&[(r"^(.+)_preview\.png$", "$1.png"), (r"^(.+)\.thumb$", "$1.*")]);
        assert_eq!(owners_of(&rules, "a/b_preview.png"), [key("a/b.png")]);
        assert_eq!(owners_of(&rules, "a/b.thumb"), [Owner::Prefix("a/b.".to_owned())]);
        assert_eq!(owners_of(&rules, "a/b.png"), []);
        let itself = [DerivedRule::new("^([^.]+)$", "$1*").expect("a rule")];
        assert_eq!(owners_of(&itself, "a/b"), [Owner::Prefix("a/b".to_owned())]);
    }

    #[test]
    fn chains_are_followed_and_cycles_end() {
        let chain = rules(&[(r"^(.+)\.webp$", "$1"), (r"^(.+)@2x\.png$", "$1.png")]);
        assert_eq!(owners_of(&chain, "a@2x.png.webp"), [key("a@2x.png"), key("a.png")]);
        let cycle = rules(&[("^a(.*)$", "b$1"), ("^b(.*)$", "c$1"), ("^c(.*)$", "a$1")]);
        assert_eq!(owners_of(&cycle, "a1"), [key("b1"), key("c1")]);
        let growing = rules(&[("^(.*)$", "${1}x")]);
        assert!(owners(&growing, "a").has_more && !owners(&chain, "a@2x.png.webp").has_more);
        assert_eq!(owners_of(&rules(&[("^(.*)$", "$1")]), "a"), []);
    }

    #[test]
    fn an_object_belongs_to_every_folder_around_it_and_to_that_of_its_own_name() {
        let thumbs = DerivedRule::new("^thumbs/(.+)$", "$1").expect("a rule");
        let folders = [DerivedRule::Folders];
        assert_eq!(owners_of(&folders, "v/17/a.ts"), [folder("v/17/"), folder("v/"), folder("v/17/a.ts/")]);
        assert_eq!(owners_of(&folders, "v/17/"), [folder("v/")], "a folder is not its own owner");
        assert_eq!(owners_of(&folders, "a"), [folder("a/")]);
        let both = owners_of(&[thumbs, DerivedRule::Folders], "thumbs/v/17/a.ts");
        assert!(both.contains(&key("v/17/a.ts")) && both.contains(&folder("v/17/")), "{both:?}");
        let prefix = DerivedRule::new("^thumbs/(.+)_[0-9]+$", "$1.*").expect("a rule");
        let of_prefix = owners_of(&[prefix, DerivedRule::Folders], "thumbs/v/17/a_200");
        assert!(of_prefix.contains(&folder("v/17/")), "{of_prefix:?}");
    }

    #[test]
    fn no_owner_is_forgotten_however_many_rules_speak_of_a_key() {
        let endings: Vec<String> = (0..300).map(|at| format!("$1.e{at}")).collect();
        let many: Vec<_> = endings.iter().map(|owner| (r"^(.+)_thumb\.webp$", owner.as_str())).collect();
        let owned = owners(&rules(&many), "a_thumb.webp");
        assert!(!owned.has_more && owned.owners.len() == 300 && owned.owners[299] == key("a.e299"), "{owned:?}");
    }

    #[test]
    fn an_unknown_group_is_an_error_that_says_what_to_write() {
        for owner in ["$2.png", "$1_orig.png", "${name}", "$1$3"] {
            let error = DerivedRule::new("^(.+)_preview$", owner).expect_err(owner);
            assert!(error.contains("no such group") && error.contains("${1}"), "{error}");
        }
        for owner in ["${1}_orig.png", "$$1", "a$", "$0", "$1.*"] {
            DerivedRule::new("^(.+)_preview$", owner).expect(owner);
        }
        assert!(DerivedRule::new("(", "$1").is_err() && DerivedRule::new("(.)", "*").is_err());
        assert!(DerivedRule::new("^(?P<stem>.+)_p$", "$stem").is_ok());
    }
}

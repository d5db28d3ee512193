//! What may become of rows: `missing_file`, and `[[records.rules]]` as they are written and as they are trusted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::Column;
use super::file::Age;
use super::sections::date;
use crate::domain::Kind;

/// What a run that removes does with a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Action {
    /// Nothing: it is only reported.
    #[default]
    Report,
    Delete,
    /// It stays, with these columns set.
    Set(BTreeMap<String, Value>),
}

/// What a column is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

/// A rule as it is written.
#[derive(serde::Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub name: String,
    pub r#where: Option<String>,
    pub since: Option<String>,
    pub since_sql: Option<String>,
    pub after: Option<Age>,
    pub entity: Option<Entity>,
    pub then: Option<Action>,
}

/// Where a row's owner is: a column that says in which table, and one that says which row of it.
#[derive(serde::Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    pub r#type: String,
    pub id: String,
    /// The table of each type.
    pub tables: BTreeMap<String, String>,
    /// The types whose table may have no row: all of their owners are gone then. Else what is condemned for that is held.
    #[serde(default)]
    pub may_be_empty: Vec<String>,
}

/// A rule that makes a row expendable though its file is there.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The finding's kind.
    pub name: Arc<str>,
    /// SQL on the row; condemns only where it is TRUE.
    pub r#where: Option<String>,
    pub entity: Option<Entity>,
    pub clock: Option<Clock>,
    /// Never [`Action::Report`].
    pub then: Action,
}

/// How long a row lasts.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Where it starts.
    pub since: Column,
    pub after: Duration,
}

impl Rule {
    /// How long its clock runs.
    pub fn after(&self) -> Duration {
        self.clock.as_ref().map_or(Duration::ZERO, |clock| clock.after)
    }

    /// Checks a rule of a table whose creation times are in `created_at`.
    pub fn checked(written: Written, created_at: Option<&Column>) -> Result<Rule, String> {
        let Written { name, r#where, since, since_sql, after, entity, then } = written;
        let wrong = |what: &str| Err(format!("[[records.rules]] {name:?}: {what}"));
        if name.is_empty() || name.chars().any(|c| c.is_control() || c == ',') {
            return wrong("a name has at least one letter, and no comma");
        }
        if Kind::BUILT_IN.iter().any(|kind| kind.name() == name) {
            return wrong("that is the name of a kind of finding already");
        }
        let Some(since) = date(since, since_sql) else { return wrong("it has both since and since_sql; keep one") };
        if r#where.is_none() && since.is_none() && entity.is_none() {
            return wrong("a rule needs a where, a since or an entity: without one it would condemn every row");
        }
        if r#where.as_deref().is_some_and(|sql| sql.trim().is_empty()) {
            return wrong("its where is empty");
        }
        if entity.as_ref().is_some_and(|entity| entity.tables.is_empty()) {
            return wrong("its entity names no tables");
        }
        let of_entity = entity.iter().flat_map(|entity| entity.may_be_empty.iter().map(move |name| (entity, name)));
        if let Some((entity, unknown)) = of_entity.into_iter().find(|(entity, name)| !entity.tables.contains_key(*name))
        {
            let types: Vec<&str> = entity.tables.keys().map(String::as_str).collect();
            return wrong(&format!(
                "its entity.may_be_empty names {unknown:?}, which is not a type of its tables: these are {}",
                types.join(", ")
            ));
        }
        let started = since.clone().or(created_at.cloned());
        let clock = match (since.is_some() || after.is_some(), started) {
            (false, _) => None,
            (true, Some(since)) => Some(Clock { since, after: after.map_or(Duration::ZERO, |after| after.0) }),
            (true, None) => return wrong("after needs a since, or a created_at of its table"),
        };
        let then = match then {
            None => Action::Delete,
            Some(Action::Report) => return wrong("then is \"delete\", or { set = { column = value } }"),
            Some(then) => then,
        };
        Ok(Rule { name: name.into(), r#where, entity, clock, then })
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ActionVisitor;
        impl<'de> Visitor<'de> for ActionVisitor {
            type Value = Action;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"report\", \"delete\" or { set = { column = value } }")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Action, E> {
                match text {
                    "report" => Ok(Action::Report),
                    "delete" => Ok(Action::Delete),
                    _ => Err(E::invalid_value(de::Unexpected::Other("another word"), &self)),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Action, A::Error> {
                let Some((name, columns)) = map.next_entry::<String, BTreeMap<String, Value>>()? else {
                    return Err(de::Error::missing_field("set"));
                };
                if name != "set" || map.next_key::<String>()?.is_some() {
                    return Err(de::Error::unknown_field(&name, &["set"]));
                }
                match columns.is_empty() {
                    true => Err(de::Error::custom("set names no column")),
                    false => Ok(Action::Set(columns)),
                }
            }
        }
        deserializer.deserialize_any(ActionVisitor)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl Visitor<'_> for ValueVisitor {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, true or false")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Integer(number))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
                Ok(Value::Float(number))
            }
            fn visit_bool<E: de::Error>(self, is: bool) -> Result<Value, E> {
                Ok(Value::Boolean(is))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number}"),
            Value::Boolean(is) => write!(f, "{is}"),
        }
    }
}

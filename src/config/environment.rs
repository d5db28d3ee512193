//! `${NAME}` and `${NAME:-default}` in the strings of the configuration.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// What went wrong with a substitution, and where in the file it stands.
pub struct SubstitutionError {
    pub message: String,
    pub offset: usize,
}

/// Replaces every `${NAME}` in the table's strings with what `lookup` gives for it.
pub fn substitute(table: &mut DeTable<'_>, lookup: &dyn Fn(&str) -> Option<String>) -> Result<(), SubstitutionError> {
    // In [[derived]], `$` is a group of a pattern.
    let sections = table.iter_mut().filter(|(name, _)| name.get_ref() != "derived");
    sections.map(|(_, section)| section).try_for_each(|section| in_value(section, lookup))
}

fn in_value(
    value: &mut Spanned<DeValue<'_>>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), SubstitutionError> {
    let offset = value.span().start;
    match value.get_mut() {
        DeValue::String(text) if text.contains("${") => {
            let expanded = expand(text, lookup).map_err(|message| SubstitutionError { message, offset })?;
            *text = DeString::Owned(expanded);
            Ok(())
        }
        DeValue::Array(values) => values.iter_mut().try_for_each(|value| in_value(value, lookup)),
        DeValue::Table(table) => table.iter_mut().try_for_each(|(_, value)| in_value(value, lookup)),
        _ => Ok(()),
    }
}

fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once("${") {
        let (inside, after) = reference.split_once('}').ok_or("`${` without its `}`".to_owned())?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err("a reference to the environment is written `${NAME}` or `${NAME:-default}`".to_owned());
        }
        // As in a shell, `:-` also stands in for a variable that is set to nothing.
        let value = match (lookup(name), default) {
            (Some(value), None) => value,
            (Some(value), Some(_)) if !value.is_empty() => value,
            (_, Some(default)) => default.to_owned(),
            (None, None) => {
                return Err(format!(
                    "the environment variable {name} is not set; set it, or write `${{{name}:-default}}`"
                ));
            }
        };
        expanded.push_str(before);
        expanded.push_str(&value);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        expand(text, &|name| match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn variables_and_defaults_are_filled_in() {
        assert_eq!(expanded("a ${SET} b ${SET}").unwrap(), "a value b value");
        assert_eq!(expanded("${UNSET:-other}${EMPTY:-other}${EMPTY}").unwrap(), "otherother");
        assert_eq!(expanded("$SET and $1").unwrap(), "$SET and $1");
    }

    #[test]
    fn an_unset_variable_is_named_and_nothing_of_the_text_is_shown() {
        let message = expanded("secret ${UNSET}").unwrap_err();
        assert!(message.contains("UNSET") && !message.contains("secret"), "{message}");
        assert!(expanded("${SET").is_err());
        assert!(expanded("${a b}").is_err());
    }
}

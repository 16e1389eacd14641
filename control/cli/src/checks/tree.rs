//! YAML text to a tree with places.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Spanned};

/// A place in the text: line and column counted from 1, and how many characters it is long on its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) spot: Spot,
}

/// As much of YAML as a file of expectations has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    List(Vec<At<Self>>),
    Map(Vec<(At<String>, At<Self>)>),
    Null,
    Number(i128),
    /// What stands for nothing here, such as a fraction.
    Other,
    Text(String),
}

impl Value {
    /// What it is, for messages.
    pub(crate) const fn noun(&self) -> &'static str {
        match self {
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Null => "nothing",
            Self::Number(_) => "a number",
            Self::Other => "a value of another kind",
            Self::Text(_) => "text",
        }
    }
}

/// Parses one document.
///
/// # Errors
///
/// What is no YAML, in a sentence.
pub(crate) fn parse(text: &str) -> Result<At<Value>, At<String>> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options).map(|raw| value(raw, text)).map_err(
        |error| {
            let error = error.without_snippet();
            let spot = error.location().map_or_else(Spot::default, |location| spot(&location, text));
            let message = error.render();
            let place = format!(" at line {}, column {}", spot.line, spot.column);
            At { value: message.strip_suffix(&place).unwrap_or(&message).to_owned(), spot }
        },
    )
}

/// What serde delivers.
enum Raw {
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
    Null,
    Number(i128),
    Other,
    Text(String),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Other)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

fn value(raw: Spanned<Raw>, text: &str) -> At<Value> {
    let spot = spot(&raw.defined, text);
    let value = match raw.value {
        Raw::List(items) => Value::List(items.into_iter().map(|item| value(item, text)).collect()),
        Raw::Map(entries) => {
            let key = |key: Spanned<String>| At { spot: self::spot(&key.defined, text), value: key.value };
            Value::Map(entries.into_iter().map(|(k, v)| (key(k), value(v, text))).collect())
        }
        Raw::Null => Value::Null,
        Raw::Number(number) => Value::Number(number),
        Raw::Other => Value::Other,
        Raw::Text(text) => Value::Text(text),
    };
    At { value, spot }
}

/// The place, cut at the end of its first line.
fn spot(location: &Location, text: &str) -> Spot {
    let number = |n: u64| usize::try_from(n).unwrap_or_default();
    let (line, column) = (number(location.line()), number(location.column()));
    let span = location.span();
    let part = match (span.byte_offset(), span.byte_len()) {
        (Some(from), Some(len)) => text.get(number(from)..number(from) + number(len)),
        _ => None,
    };
    let width = part.and_then(|part| part.lines().next()).map_or(1, |first| first.trim_end().chars().count());
    Spot { line, column, width: width.max(1) }
}

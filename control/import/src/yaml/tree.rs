//! YAML text to a tree with places.

use std::fmt;

use model::findings::{Code, Finding};
use model::spot::Spot;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Spanned};

use crate::node::{Key, Node, Quotes, Value};

/// Scalars, lists and maps of one file: a hundred thousand rules need less than a million.
const MAX_NODES: usize = 2_000_000;

/// Parses one document.
pub(super) fn parse(text: &str) -> Result<Node, Finding> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_events: 8 * MAX_NODES, max_nodes: MAX_NODES },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        leading_zero_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(node(raw, text)),
        Err(error) => Err(syntax(&error, text)),
    }
}

/// What serde delivers; the tree of [`Node`]s adds spelling and places.
enum Raw {
    Bool(bool),
    Float(f64),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
    Null,
    Number(i128),
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

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
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

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let spot = spot(&raw.defined, text);
    let value = match raw.value {
        Raw::Bool(value) => Value::Bool(value),
        Raw::Float(value) => Value::Float(value),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text)).collect()),
        Raw::Map(entries) => {
            let key = |key: Spanned<String>| Key { spot: self::spot(&key.defined, text), name: key.value };
            Value::Map(entries.into_iter().map(|(k, v)| (key(k), node(v, text))).collect())
        }
        Raw::Null => Value::Null,
        Raw::Number(value) => {
            Value::Number(value, spelling(spot, text).map_or_else(|| value.to_string(), str::to_owned))
        }
        Raw::Text(value) => {
            let plain = spelling(spot, text).is_some_and(|s| s == value);
            Value::Text(value, if plain { Quotes::Absent } else { Quotes::Present })
        }
    };
    Node { spot, value }
}

fn spelling(spot: Spot, text: &str) -> Option<&str> {
    text.get(spot.offset..spot.offset + spot.len).map(str::trim).filter(|s| !s.is_empty())
}

/// The place in our terms, cut at the end of its first line.
fn spot(location: &Location, text: &str) -> Spot {
    let number = |n: u64| usize::try_from(n).unwrap_or_default();
    let (line, column) = (number(location.line()), number(location.column()));
    let (offset, len) = match (location.span().byte_offset(), location.span().byte_len()) {
        (Some(offset), Some(len)) => (number(offset), number(len)),
        _ => (offset_of(line, column, text), 0),
    };
    let first_line =
        text.get(offset..offset + len).and_then(|t| t.lines().next()).map_or(0, |l| l.trim_end().len());
    let one_character = text.get(offset..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
    Spot { line, column, offset, len: first_line.max(one_character) }
}

/// Bytes before a line and column, both counted from 1.
fn offset_of(line: usize, column: usize, text: &str) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

fn syntax(error: &serde_saphyr::Error, text: &str) -> Finding {
    let error = error.without_snippet();
    let spot = error.location().map_or_else(Spot::default, |location| spot(&location, text));
    if let serde_saphyr::Error::MultipleDocuments { .. } = error {
        let finding = Finding::new(Code::YamlSyntax, spot, "a second document starts here");
        return finding.help("a lab file is one document: take out the line `---`");
    }
    if let serde_saphyr::Error::Unexpected { expected: "string scalar", .. } = error {
        return Finding::new(Code::YamlSyntax, spot, "a key must be a name, not a list or a map");
    }
    let message = error.render();
    let place = format!(" at line {}, column {}", spot.line, spot.column);
    Finding::new(Code::YamlSyntax, spot, message.strip_suffix(&place).unwrap_or(&message))
}

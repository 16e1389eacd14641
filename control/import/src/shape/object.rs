//! Maps with known keys.

use model::draft::Field;
use model::findings::{Code, Finding, Findings};
use model::suggest;

use super::{Read, wrong_type};
use crate::node::{Key, Node, Value};

/// The entries of one map whose keys are known.
pub(crate) struct Mapping<'a> {
    entries: Vec<(&'a Key, &'a Node)>,
    /// Keys that an unknown one was probably meant to be.
    misspelt: Vec<&'static str>,
}

impl<'a> Mapping<'a> {
    /// Reports what is no map, and keys that are unknown or repeated. An empty value is an empty map.
    pub(crate) fn of(
        node: &'a Node,
        what: &str,
        keys: &'static [&'static str],
        found: &mut Findings,
    ) -> Option<Self> {
        let entries = match &node.value {
            Value::Map(entries) => distinct(entries, found),
            Value::Null => Vec::new(),
            Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Number(..) | Value::Text(..) => {
                let help = format!("its keys are {}", suggest::listed(keys.iter().copied()));
                wrong_type(node, what, "a map", Some(help), found);
                return None;
            }
        };
        let mut misspelt = Vec::new();
        for (key, _) in &entries {
            if !keys.contains(&key.name.as_str()) {
                misspelt.extend(unknown(key, what, keys, found));
            }
        }
        Some(Self { entries, misspelt })
    }

    /// Reads the value of one key.
    pub(crate) fn field<T: Read>(&self, name: &'static str, found: &mut Findings) -> Field<T> {
        let entry = self.entries.iter().find(|(key, _)| key.name == name);
        match entry {
            Some((key, node)) => T::read(node, &format!("`{name}`"), found)
                .map_or(Field::Broken, |value| Field::Written { key: key.spot, value }),
            None if self.misspelt.contains(&name) => Field::Broken,
            None => Field::Absent,
        }
    }
}

/// The entries without those whose key came before, which are reported.
pub(super) fn distinct<'a>(entries: &'a [(Key, Node)], found: &mut Findings) -> Vec<(&'a Key, &'a Node)> {
    let mut kept: Vec<(&Key, &Node)> = Vec::new();
    let mut first: std::collections::BTreeMap<&str, &Key> = std::collections::BTreeMap::new();
    for (key, node) in entries {
        if let Some(earlier) = first.get(key.name.as_str()) {
            let finding =
                Finding::new(Code::DuplicateKey, key.spot, format!("the key `{}` is here twice", key.name));
            found.push(finding.also(earlier.spot, "the first one"));
        } else {
            first.insert(&key.name, key);
            kept.push((key, node));
        }
    }
    kept
}

fn unknown(
    key: &Key,
    what: &str,
    keys: &'static [&'static str],
    found: &mut Findings,
) -> Option<&'static str> {
    let near = suggest::nearest(&key.name, keys.iter().copied());
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys here are {}", suggest::listed(keys.iter().copied())),
    };
    let message = format!("{what} has no key `{}`", key.name);
    found.push(Finding::new(Code::UnknownKey, key.spot, message).help(help));
    near
}

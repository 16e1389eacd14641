//! A tree of values with their places, whatever notation they were written in.

use model::spot::Spot;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) spot: Spot,
    pub(crate) value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Float(f64),
    List(Vec<Node>),
    /// In the order of the text, duplicates included.
    Map(Vec<(Key, Node)>),
    Null,
    /// A whole number, and as it was spelt.
    Number(i128, String),
    Text(String, Quotes),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) spot: Spot,
    pub(crate) name: String,
}

/// Whether text stood in quotes, so that it was surely meant as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    Absent,
    Present,
}

impl Node {
    /// What it is, for messages.
    pub(crate) const fn noun(&self) -> &'static str {
        match self.value {
            Value::Bool(_) => "true or false",
            Value::Float(_) => "a fraction",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Null => "nothing",
            Value::Number(..) => "a number",
            Value::Text(..) => "text",
        }
    }
}

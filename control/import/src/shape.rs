//! Shapes: what a value may look like, how it is read, and what is said if it looks otherwise.
//!
//! Each type of the draft has one [`Shape`] and one way of being read. Reading reports everything that has the wrong shape and
//! goes on beside it.

mod collection;
mod leaf;
mod object;

use model::draft::Field;
use model::findings::{Code, Finding, Findings};

use crate::node::{Node, Value};

pub(crate) use leaf::Choice;
pub(crate) use object::Mapping;

/// A value of the draft that can be read.
pub(crate) trait Read: Sized {
    /// What it looks like.
    fn shape() -> Shape;

    /// Reads it; `what` names it in messages. `None` after having reported.
    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self>;
}

/// What a value may look like.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Choice(Vec<&'static str>),
    /// Any of these.
    Either(Vec<Self>),
    /// Twelve digits in quotes.
    Account,
    /// A whole number of at least this.
    Integer(i64),
    /// A list.
    List(Box<Self>),
    /// A map from names that the writer chooses.
    Names(Box<Self>),
    /// A map with these keys.
    Object(Object),
    /// Text.
    Text,
}

/// A map with known keys.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// Name of its definition in the schema.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) keys: Vec<Key>,
}

/// One key of an object.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) about: &'static str,
    pub(crate) shape: Shape,
}

/// Whether a key may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Optional,
    Required,
}

/// The shape of what a field holds; `_` only names the field.
pub(crate) fn of_field<O, T: Read>(_: fn(&O) -> &Field<T>) -> Shape {
    T::shape()
}

/// Reports that `node` is not `wanted`.
pub(crate) fn wrong_type(node: &Node, what: &str, wanted: &str, help: Option<String>, found: &mut Findings) {
    let message = match node.value {
        Value::Null => format!("{what} is empty; it must be {wanted}"),
        Value::Bool(_)
        | Value::Float(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Number(..)
        | Value::Text(..) => {
            format!("{what} must be {wanted}, not {}", node.noun())
        }
    };
    let finding = Finding::new(Code::WrongType, node.spot, message);
    found.push(match help {
        Some(help) => finding.help(help),
        None => finding,
    });
}

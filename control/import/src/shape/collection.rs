//! Lists, and maps from names that the writer chooses.

use model::draft::{
    EndpointSubnets, Entry, InternetGateway, InternetGatewayOptions, List, Named, OneOrMany, Text,
};
use model::findings::Findings;
use model::spot::At;

use super::object::distinct;
use super::{Read, Shape, wrong_type};
use crate::node::{Node, Value};

impl<T: Read> Read for List<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        let Value::List(items) = &node.value else {
            let help = match &node.value {
                Value::Text(text, _) | Value::Number(_, text) => Some(format!("write [{text}]")),
                Value::Null => Some("for an empty list write []".to_owned()),
                Value::Map(_) => Some("put a `-` before each item, or brackets around them".to_owned()),
                Value::Bool(_) | Value::Float(_) | Value::List(_) => None,
            };
            wrong_type(node, what, "a list", help, found);
            return None;
        };
        let item = format!("an item of {what}");
        Some(items.iter().map(|node| T::read(node, &item, found)).collect())
    }
}

impl<T: Read> Read for Named<T> {
    fn shape() -> Shape {
        Shape::Names(Box::new(T::shape()))
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        let entries = match &node.value {
            Value::Map(entries) => distinct(entries, found),
            Value::Null => Vec::new(),
            Value::List(_) => {
                let help = "write `NAME: …` for each, without `-`".to_owned();
                wrong_type(node, what, "a map from names", Some(help), found);
                return None;
            }
            Value::Bool(_) | Value::Float(_) | Value::Number(..) | Value::Text(..) => {
                wrong_type(node, what, "a map from names", None, found);
                return None;
            }
        };
        let read = |(key, node): (&crate::node::Key, &Node)| Entry {
            value: T::read(node, &format!("`{}`", key.name), found),
            name: At::new(key.name.clone(), key.spot),
        };
        Some(Self { entries: entries.into_iter().map(read).collect() })
    }
}

impl<T: Read> Read for OneOrMany<T> {
    fn shape() -> Shape {
        Shape::Either(vec![T::shape(), List::<T>::shape()])
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        match node.value {
            Value::List(_) => List::read(node, what, found).map(Self::Many),
            Value::Bool(_)
            | Value::Float(_)
            | Value::Map(_)
            | Value::Null
            | Value::Number(..)
            | Value::Text(..) => T::read(node, what, found).map(Self::One),
        }
    }
}

impl Read for EndpointSubnets {
    fn shape() -> Shape {
        Shape::Either(vec![List::<Text>::shape(), Named::<Text>::shape()])
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        match node.value {
            Value::Map(_) => Named::read(node, what, found).map(Self::Addresses),
            Value::Bool(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Null
            | Value::Number(..)
            | Value::Text(..) => List::read(node, what, found).map(Self::Names),
        }
    }
}

impl Read for InternetGateway {
    fn shape() -> Shape {
        Shape::Either(vec![Shape::Boolean, InternetGatewayOptions::shape()])
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        match node.value {
            Value::Map(_) => InternetGatewayOptions::read(node, what, found).map(Self::Options),
            Value::Bool(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Null
            | Value::Number(..)
            | Value::Text(..) => At::read(node, what, found).map(Self::Flag),
        }
    }
}

//! Leaves: text, numbers, flags and words from a list.

use model::draft::{Account, Loose};
use model::findings::{Code, Finding, Findings};
use model::spot::At;
use model::suggest;

use super::{Read, Shape, wrong_type};
use crate::node::{Node, Quotes, Value};

/// A word from a closed list.
pub(crate) trait Choice: Copy + 'static {
    /// All words with their meanings.
    const WORDS: &'static [(&'static str, Self)];
}

impl Read for At<String> {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        if let Value::Text(text, _) = &node.value {
            return Some(Self::new(text.clone(), node.spot));
        }
        let help = match &node.value {
            Value::Number(_, spelt) => Some(format!("write \"{spelt}\" with quotes")),
            Value::Bool(value) => Some(format!("write \"{value}\" with quotes")),
            Value::List(_) => Some("write it without the brackets".to_owned()),
            Value::Float(_) | Value::Map(_) | Value::Null | Value::Text(..) => None,
        };
        wrong_type(node, what, "text", help, found);
        None
    }
}

impl Read for At<bool> {
    fn shape() -> Shape {
        Shape::Boolean
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        if let Value::Bool(value) = node.value {
            return Some(Self::new(value, node.spot));
        }
        let help = match &node.value {
            Value::Text(text, _) if matches!(text.as_str(), "yes" | "on") => Some("write true".to_owned()),
            Value::Text(text, _) if matches!(text.as_str(), "no" | "off") => Some("write false".to_owned()),
            Value::Bool(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Null
            | Value::Number(..)
            | Value::Text(..) => None,
        };
        wrong_type(node, what, "true or false", help, found);
        None
    }
}

impl Read for At<i64> {
    fn shape() -> Shape {
        Shape::Integer(i64::MIN)
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        integer(node, what, "a whole number", found)
    }
}

impl Read for At<u64> {
    fn shape() -> Shape {
        Shape::Integer(0)
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        integer(node, what, "a whole number of at least 0", found)
    }
}

impl Read for At<Loose> {
    fn shape() -> Shape {
        Shape::Either(vec![Shape::Text, Shape::Integer(i64::MIN)])
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        if let Value::Text(text, _) | Value::Number(_, text) = &node.value {
            return Some(Self::new(Loose(text.clone()), node.spot));
        }
        wrong_type(node, what, "a number or text", None, found);
        None
    }
}

impl Read for At<Account> {
    fn shape() -> Shape {
        Shape::Account
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        let bare = match &node.value {
            Value::Text(text, Quotes::Absent) => text.bytes().all(|b| b.is_ascii_digit()).then_some(text),
            Value::Number(_, spelt) => Some(spelt),
            Value::Text(_, Quotes::Present)
            | Value::Bool(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Null => None,
        };
        if let Some(digits) = bare {
            let message = format!("{what} is a bare number, which can lose its leading zeros");
            found.push(
                Finding::new(Code::AccountUnquoted, node.spot, message)
                    .help(format!("write \"{digits}\" with quotes")),
            );
            return None;
        }
        At::<String>::read(node, what, found).map(|text| Self::new(Account(text.value), text.spot))
    }
}

impl<T: Choice> Read for At<T> {
    fn shape() -> Shape {
        Shape::Choice(T::WORDS.iter().map(|(word, _)| *word).collect())
    }

    fn read(node: &Node, what: &str, found: &mut Findings) -> Option<Self> {
        let words = || T::WORDS.iter().map(|(word, _)| *word);
        let Value::Text(text, _) = &node.value else {
            wrong_type(node, what, &format!("one of {}", suggest::listed(words())), None, found);
            return None;
        };
        if let Some((_, value)) = T::WORDS.iter().find(|(word, _)| word == text) {
            return Some(Self::new(*value, node.spot));
        }
        let help = match suggest::nearest(text, words()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", suggest::listed(words())),
        };
        found.push(
            Finding::new(Code::UnknownValue, node.spot, format!("{what} cannot be `{text}`")).help(help),
        );
        None
    }
}

fn integer<T: TryFrom<i128>>(node: &Node, what: &str, wanted: &str, found: &mut Findings) -> Option<At<T>> {
    if let Value::Number(number, _) = node.value
        && let Ok(value) = T::try_from(number)
    {
        return Some(At::new(value, node.spot));
    }
    if let Value::Number(_, spelt) = &node.value {
        found.push(Finding::new(
            Code::OutOfRange,
            node.spot,
            format!("{what} must be {wanted}, not {spelt}"),
        ));
    } else {
        wrong_type(node, what, wanted, None, found);
    }
    None
}

//! The file of expectations.
//!
//! ```yaml
//! - { from: web-1, to: db-1, tcp: 5432, expect: allowed }
//! - { from: app-1, to: db-1, icmp: 8, expect: reply-dropped, by: app/network_acls/db }
//! ```

use std::fmt;

use model::suggest;

use super::tree::{self, At, Spot, Value};
use crate::explain::question::Traffic;

/// One expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// Where the row begins.
    pub(crate) spot: Spot,
    /// Instance, interface, host or address.
    pub(crate) from: At<String>,
    /// Instance, interface, host or address.
    pub(crate) to: At<String>,
    /// What is sent.
    pub(crate) traffic: Traffic,
    /// What shall become of it.
    pub(crate) expect: Expect,
    /// What shall decide: `VPC/security_groups/NAME`, `VPC/network_acls/NAME`, `VPC/route_tables/NAME`, or an id.
    pub(crate) by: Option<At<String>>,
}

/// What shall become of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// It arrives and is answered.
    Allowed,
    /// It does not arrive.
    Refused,
    /// It arrives, and its answer does not.
    ReplyDropped,
}

impl Expect {
    const ALL: [Self; 3] = [Self::Allowed, Self::Refused, Self::ReplyDropped];

    /// As it is written.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::ReplyDropped => "reply-dropped",
        }
    }
}

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) spot: Spot,
    pub(crate) message: String,
}

/// Reads all expectations.
///
/// # Errors
///
/// Everything that is wrong, by place.
pub(crate) fn parse(text: &str) -> Result<Vec<Check>, Vec<Mistake>> {
    let root = match tree::parse(text) {
        Ok(root) => root,
        Err(At { value, spot }) => return Err(vec![Mistake { spot, message: value }]),
    };
    let mut mistakes = Mistakes::default();
    let noun = root.value.noun();
    let rows = if let Value::List(rows) = root.value { rows } else { Vec::new() };
    if rows.is_empty() {
        let what = if noun == "a list" { "an empty one" } else { noun };
        return Err(vec![mistake(root.spot, format!("expected a list of rows, not {what}"))]);
    }
    let checks: Vec<Check> = rows.into_iter().filter_map(|row| check(row, &mut mistakes)).collect();
    if mistakes.list.is_empty() { Ok(checks) } else { Err(mistakes.sorted()) }
}

/// All mistakes, each with its line and a caret.
pub(crate) fn render(mistakes: &[Mistake], name: &str, text: &str) -> String {
    let one = |mistake: &Mistake| {
        let Spot { line, column, width } = mistake.spot;
        let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let blank: String =
            source.chars().take(column.saturating_sub(1)).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let carets = "^".repeat(width.max(1));
        let message = &mistake.message;
        format!("{name}:{line}:{column}: error: {message}\n{line:>4} | {source}\n     | {blank}{carets}")
    };
    mistakes.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Keys that say what is sent.
const TRAFFIC: [&str; 5] = ["icmp", "icmpv6", "proto", "tcp", "udp"];

/// All keys of a row.
const KEYS: [&str; 9] = ["by", "expect", "from", "icmp", "icmpv6", "proto", "tcp", "to", "udp"];

#[derive(Default)]
struct Mistakes {
    list: Vec<Mistake>,
}

impl Mistakes {
    fn push(&mut self, spot: Spot, message: impl fmt::Display) {
        self.list.push(mistake(spot, message));
    }

    fn sorted(mut self) -> Vec<Mistake> {
        self.list.sort_by_key(|mistake| mistake.spot);
        self.list
    }
}

fn mistake(spot: Spot, message: impl fmt::Display) -> Mistake {
    Mistake { spot, message: message.to_string() }
}

/// The fields of one row.
struct Row {
    spot: Spot,
    fields: Vec<(At<String>, At<Value>)>,
}

fn check(row: At<Value>, mistakes: &mut Mistakes) -> Option<Check> {
    let Value::Map(fields) = row.value else {
        mistakes.push(
            row.spot,
            format!(
                "a row is a map such as {{ from: a, to: b, tcp: 22, expect: allowed }}, not {}",
                row.value.noun()
            ),
        );
        return None;
    };
    let row = Row { spot: row.spot, fields };
    row.known_keys(mistakes);
    let (from, to) = (row.required("from", mistakes), row.required("to", mistakes));
    let traffic = row.traffic(mistakes);
    let expect = row.expect(mistakes);
    let by = row.field("by").and_then(|value| text("by", value, mistakes));
    Some(Check { spot: row.spot, from: from?, to: to?, traffic: traffic?, expect: expect?, by })
}

impl Row {
    fn field(&self, name: &str) -> Option<&At<Value>> {
        self.fields.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    fn known_keys(&self, mistakes: &mut Mistakes) {
        for (at, (key, _)) in self.fields.iter().enumerate() {
            if !KEYS.contains(&key.value.as_str()) {
                let help = suggest::nearest(&key.value, KEYS).map_or_else(
                    || format!("it could be {}", suggest::listed(KEYS)),
                    |near| format!("did you mean `{near}`?"),
                );
                mistakes.push(key.spot, format!("unknown key `{}`: {help}", key.value));
            } else if self.fields[..at].iter().any(|(earlier, _)| earlier.value == key.value) {
                mistakes.push(key.spot, format!("`{}` is there twice", key.value));
            }
        }
    }

    fn required(&self, name: &str, mistakes: &mut Mistakes) -> Option<At<String>> {
        match self.field(name) {
            Some(value) => text(name, value, mistakes),
            None => {
                mistakes.push(self.spot, format!("the row has no `{name}`"));
                None
            }
        }
    }

    fn expect(&self, mistakes: &mut Mistakes) -> Option<Expect> {
        let word = self.required("expect", mistakes)?;
        let known = Expect::ALL.into_iter().find(|expect| expect.word() == word.value);
        if known.is_none() {
            let words = Expect::ALL.map(Expect::word).join(", ");
            mistakes.push(word.spot, format!("`{}` is no expectation: it is one of {words}", word.value));
        }
        known
    }

    fn traffic(&self, mistakes: &mut Mistakes) -> Option<Traffic> {
        let mut given = self.fields.iter().filter(|(key, _)| TRAFFIC.contains(&key.value.as_str()));
        let Some((key, value)) = given.next() else {
            mistakes.push(self.spot, "the row does not say what to send: tcp, udp, icmp, icmpv6 or proto");
            return None;
        };
        if let Some((second, _)) = given.next() {
            mistakes.push(second.spot, format!("the row has `{}` already: one row, one probe", key.value));
        }
        match key.value.as_str() {
            "tcp" => port(value, mistakes).map(Traffic::Tcp),
            "udp" => port(value, mistakes).map(Traffic::Udp),
            "icmp" => echo(value, 8, mistakes).map(|icmp_type| Traffic::Icmp(icmp_type, 0)),
            "icmpv6" => echo(value, 128, mistakes).map(|icmp_type| Traffic::Icmpv6(icmp_type, 0)),
            _ => protocol(value, mistakes),
        }
    }
}

fn text(name: &str, value: &At<Value>, mistakes: &mut Mistakes) -> Option<At<String>> {
    if let Value::Text(text) = &value.value {
        return Some(At { value: text.clone(), spot: value.spot });
    }
    mistakes.push(value.spot, format!("`{name}` is text, not {}", value.value.noun()));
    None
}

fn number<T: TryFrom<i128>>(value: &At<Value>, what: &str, mistakes: &mut Mistakes) -> Option<T> {
    let number = if let Value::Number(number) = value.value { T::try_from(number).ok() } else { None };
    if number.is_none() {
        mistakes.push(value.spot, what);
    }
    number
}

fn port(value: &At<Value>, mistakes: &mut Mistakes) -> Option<u16> {
    let port: u16 = number(value, "expected a port, 1 to 65535", mistakes)?;
    if port == 0 {
        mistakes.push(value.spot, "nothing can listen on port 0");
        return None;
    }
    Some(port)
}

/// Only echo requests can be sent and are answered by every instance.
fn echo(value: &At<Value>, request: u8, mistakes: &mut Mistakes) -> Option<u8> {
    let icmp_type: u8 = number(value, "expected an ICMP type", mistakes)?;
    if icmp_type != request {
        mistakes.push(value.spot, format!("only echo requests can be probed: type {request}"));
        return None;
    }
    Some(icmp_type)
}

fn protocol(value: &At<Value>, mistakes: &mut Mistakes) -> Option<Traffic> {
    if let Value::Text(word) = &value.value
        && let Ok(traffic) = Traffic::of_word(word)
    {
        if matches!(traffic, Traffic::Icmp(icmp_type, _) if icmp_type != 8)
            || matches!(traffic, Traffic::Icmpv6(icmp_type, _) if icmp_type != 128)
        {
            mistakes.push(value.spot, "only echo requests can be probed");
            return None;
        }
        return Some(traffic);
    }
    let number: u8 = number(value, "expected a protocol number, or a word such as tcp/22 or icmp", mistakes)?;
    match number {
        wire::proto::TCP | wire::proto::UDP => {
            mistakes.push(value.spot, "write `tcp: PORT` or `udp: PORT`");
            None
        }
        wire::proto::ICMP | wire::proto::ICMPV6 => {
            mistakes.push(value.spot, "write `icmp: 8` or `icmpv6: 128`");
            None
        }
        other => Some(Traffic::Number(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<(usize, usize, String)> {
        let mistakes = parse(text).expect_err("a mistake");
        mistakes.into_iter().map(|m| (m.spot.line, m.spot.column, m.message)).collect()
    }

    #[test]
    fn rows_are_read_with_their_places() {
        let text = "- { from: web-1, to: db-1, tcp: 5432, expect: allowed }\n\
                    - from: 10.0.1.10\n  to: db-1.eth0\n  icmp: 8\n  expect: reply-dropped\n  by: app/network_acls/db\n";
        let checks = parse(text).expect("right");
        assert_eq!(checks.len(), 2);
        assert_eq!((checks[0].traffic, checks[0].expect), (Traffic::Tcp(5432), Expect::Allowed));
        assert_eq!((checks[1].from.value.as_str(), checks[1].traffic), ("10.0.1.10", Traffic::Icmp(8, 0)));
        let by = checks[1].by.as_ref().expect("there");
        assert_eq!((by.value.as_str(), by.spot.line, by.spot.column), ("app/network_acls/db", 6, 7));
    }

    #[test]
    fn every_mistake_is_found_at_its_place() {
        let text = "- { from: web-1, to: db-1, tpc: 5432, expect: allowed }\n\
                    - { from: web-1, tcp: 70000, expect: open }\n\
                    - web-1\n\
                    - { from: 7, to: b, udp: 1, tcp: 2, expect: allowed, expect: refused }\n";
        let found = mistakes(text);
        let places: Vec<(usize, usize)> = found.iter().map(|(line, column, _)| (*line, *column)).collect();
        assert_eq!(places, [(1, 3), (1, 28), (2, 3), (2, 23), (2, 38), (3, 3), (4, 11), (4, 29), (4, 54)]);
        assert_eq!(found[1].2, "unknown key `tpc`: did you mean `tcp`?");
        assert_eq!(found[4].2, "`open` is no expectation: it is one of allowed, refused, reply-dropped");
        assert_eq!(found[8].2, "`expect` is there twice");
    }

    #[test]
    fn what_cannot_be_probed_is_a_mistake() {
        for row in ["icmp: 13", "icmpv6: 8", "tcp: 0", "proto: 6", "proto: 300", "proto: icmp/3", "udp: dns"]
        {
            assert_eq!(
                mistakes(&format!("- {{ from: a, to: b, {row}, expect: allowed }}")).len(),
                1,
                "{row}"
            );
        }
        assert!(parse("- { from: a, to: b, proto: 47, expect: allowed }").is_ok());
    }

    #[test]
    fn what_is_no_list_is_a_mistake() {
        for text in ["", "lab: x", "[]", "- [", "7"] {
            assert_eq!(mistakes(text).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn a_mistake_is_shown_with_a_caret_under_its_place() {
        let text = "- { from: a, to: b, tcp: x, expect: allowed }\n";
        let shown = render(&parse(text).expect_err("a mistake"), "c.yaml", text);
        let expected = "c.yaml:1:26: error: expected a port, 1 to 65535\n   \
                        1 | - { from: a, to: b, tcp: x, expect: allowed }\n     |                          ^";
        assert_eq!(shown, expected);
    }
}

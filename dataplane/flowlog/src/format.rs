//! Which fields a flow log prints, in which order.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use crate::{Field, Record, Value};

/// Placeholder for a value that is absent, inapplicable or cannot be computed (FL-22).
pub(crate) const ABSENT: &str = "-";

/// Why a format cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// No field at all (FL-21).
    #[error("a flow log format names at least one field")]
    Empty,
    /// A word that is not `${...}`.
    #[error("`{0}` is not of the form ${{field}}")]
    NotAField(String),
    /// No version has this field (FL-24).
    #[error("unknown flow log field `{0}`")]
    Unknown(String),
}

/// The fields of a flow log's lines, in order: at least one (FL-21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    fields: Cow<'static, [Field]>,
}

impl Format {
    /// The version 2 format that AWS uses when none is given (FL-20).
    pub const DEFAULT: Self = Self {
        fields: Cow::Borrowed(&[
            Field::Version,
            Field::AccountId,
            Field::InterfaceId,
            Field::SrcAddr,
            Field::DstAddr,
            Field::SrcPort,
            Field::DstPort,
            Field::Protocol,
            Field::Packets,
            Field::Bytes,
            Field::Start,
            Field::End,
            Field::Action,
            Field::LogStatus,
        ]),
    };

    /// Reads a format as the EC2 API writes it: `${version} ${srcaddr} ...`, separated by blanks (FL-21).
    ///
    /// # Errors
    ///
    /// [`FormatError`] for the first word that is wrong.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let fields = text.split_ascii_whitespace().map(parse_field).collect::<Result<Vec<_>, _>>()?;
        if fields.is_empty() {
            return Err(FormatError::Empty);
        }
        Ok(Self { fields: Cow::Owned(fields) })
    }

    /// The fields in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// What the `version` field prints: the highest version among the chosen fields (FL-21).
    #[must_use]
    pub fn version(&self) -> u8 {
        self.fields.iter().map(|field| field.version()).max().unwrap_or(2)
    }

    /// One record as a line without its end: single blanks between values (FL-80), `-` where there is none (FL-22).
    #[must_use]
    pub fn line(&self, record: &Record) -> String {
        let mut line = String::with_capacity(USUAL_LENGTH);
        for (position, &field) in self.fields.iter().enumerate() {
            if position > 0 {
                line.push(' ');
            }
            let value = match field == Field::Version {
                true => Some(Value::Number(self.version().into())),
                false => record.value(field),
            };
            push_value(&mut line, value);
        }
        line
    }
}

/// Bytes of a long line in the default format with IPv4 addresses: such a line is allocated once.
const USUAL_LENGTH: usize = 128;

/// Numbers do not go through a formatter: that would ask for padding and precision first.
fn push_value(line: &mut String, value: Option<Value<'_>>) {
    match value {
        Some(Value::Text(text)) => line.push_str(text),
        Some(Value::Number(number)) => push_number(line, number),
        Some(Value::Address(IpAddr::V4(address))) => push_ipv4(line, address),
        // Writing to a string cannot fail.
        Some(Value::Address(IpAddr::V6(address))) => _ = write!(line, "{address}"),
        None => line.push_str(ABSENT),
    }
}

fn push_number(line: &mut String, number: u64) {
    line.push_str(itoa::Buffer::new().format(number));
}

fn push_ipv4(line: &mut String, address: Ipv4Addr) {
    let [first, others @ ..] = address.octets();
    push_number(line, first.into());
    for octet in others {
        line.push('.');
        push_number(line, octet.into());
    }
}

fn parse_field(word: &str) -> Result<Field, FormatError> {
    let name = word.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let name = name.ok_or_else(|| FormatError::NotAField(word.to_owned()))?;
    Field::from_name(name).ok_or_else(|| FormatError::Unknown(name.to_owned()))
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        Self::parse(text)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, field) in self.fields.iter().enumerate() {
            let blank = if position == 0 { "" } else { " " };
            write!(f, "{blank}${{{field}}}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules: FL-20
    #[test]
    fn the_default_format_is_version_2_in_aws_order() {
        let words = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} \
                     ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
        assert_eq!(Format::parse(words), Ok(Format::DEFAULT));
        assert_eq!(Format::DEFAULT.to_string(), words);
        assert_eq!(Format::DEFAULT.version(), 2);
    }

    /// Rules: FL-21
    #[test]
    fn the_version_is_the_highest_among_the_fields_in_any_order() {
        for (text, version) in [
            ("${srcaddr}", 2),
            ("${vpc-id} ${version}", 3),
            ("${az-id} ${vpc-id} ${version}", 4),
            ("${version} ${flow-direction} ${region}", 5),
            ("${version} ${ecs-task-id}", 7),
            ("${reject-reason} ${version}", 8),
            ("${version} ${resource-id}", 9),
            ("${encryption-status}", 10),
            ("${interface-type} ${srcaddr}", 11),
        ] {
            assert_eq!(Format::parse(text).map(|format| format.version()), Ok(version), "{text}");
        }
    }

    /// Rules: FL-21
    #[test]
    fn a_format_without_fields_is_refused() {
        assert_eq!(Format::parse(""), Err(FormatError::Empty));
        assert_eq!(Format::parse("  "), Err(FormatError::Empty));
    }

    /// Rules: FL-21, FL-24
    #[test]
    fn an_unknown_field_is_named() {
        let error = Format::parse("${version} ${srcadr}").expect_err("no such field");
        assert_eq!(error, FormatError::Unknown("srcadr".into()));
        assert_eq!(error.to_string(), "unknown flow log field `srcadr`");
    }

    #[test]
    fn a_word_that_is_no_field_is_quoted() {
        for word in ["version", "${version", "$version", "${version}${srcaddr}"] {
            let error = Format::parse(word).expect_err("not one field");
            assert!(
                error.to_string().contains(word.trim_start_matches("${").trim_end_matches('}')),
                "{error}"
            );
        }
    }

    #[test]
    fn addresses_and_numbers_are_written_in_their_usual_form() {
        let text = |value| {
            let mut line = String::new();
            push_value(&mut line, Some(value));
            line
        };
        for address in ["0.0.0.0", "255.255.255.255", "10.0.1.10", "::", "2001:db8::10", "::ffff:10.0.0.1"] {
            assert_eq!(text(Value::Address(address.parse().expect("an address"))), address);
        }
        assert_eq!(
            [0, 65_535, u64::MAX].map(|number| text(Value::Number(number))),
            ["0", "65535", "18446744073709551615"]
        );
    }

    #[test]
    fn a_field_named_twice_is_printed_twice() {
        let format = Format::parse("${end} ${start} ${end}").expect("known fields");
        assert_eq!(format.fields(), [Field::End, Field::Start, Field::End]);
    }
}

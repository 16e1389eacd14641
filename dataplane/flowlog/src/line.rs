//! Record text back to fields.

use std::fmt;

use crate::format::ABSENT;
use crate::{Field, Format};

/// Why a text is not a line of a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Another number of values than the format has fields.
    #[error("the format has {expected} fields, the line has {found}")]
    Count {
        /// Fields of the format.
        expected: usize,
        /// Values of the line.
        found: usize,
    },
    /// A number field with something else in it.
    #[error("`{value}` is no number, but {field} is one")]
    NotANumber {
        /// The field.
        field: Field,
        /// Its value.
        value: String,
    },
}

/// A record line taken apart; [`fmt::Display`] puts it together again with single blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedLine<'t> {
    values: Vec<(Field, &'t str)>,
}

/// Takes a line of `format` apart. Runs of blanks count as one, and so do blanks at the ends: AWS's own page has a
/// record with a double blank (FL-80).
///
/// # Errors
///
/// [`LineError`] if the line has too few or too many values, or a word where a number belongs.
pub fn parse_line<'t>(format: &Format, line: &'t str) -> Result<ParsedLine<'t>, LineError> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    if words.len() != format.fields().len() {
        return Err(LineError::Count { expected: format.fields().len(), found: words.len() });
    }
    let values: Vec<_> = format.fields().iter().copied().zip(words).collect();
    match values.iter().find(|(field, value)| !fits(*field, value)) {
        Some(&(field, value)) => Err(LineError::NotANumber { field, value: value.to_owned() }),
        None => Ok(ParsedLine { values }),
    }
}

impl<'t> ParsedLine<'t> {
    /// The value of `field`; none if it is `-` or the format lacks it.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&'t str> {
        self.iter().find(|(named, _)| *named == field)?.1
    }

    /// The value of a number field; none as for [`Self::get`] and for fields that are no number.
    #[must_use]
    pub fn number(&self, field: Field) -> Option<u64> {
        self.get(field)?.parse().ok()
    }

    /// Fields with their values in the order of the line; none is `-`.
    pub fn iter(&self) -> impl Iterator<Item = (Field, Option<&'t str>)> {
        self.values.iter().map(|&(field, value)| (field, (value != ABSENT).then_some(value)))
    }
}

impl fmt::Display for ParsedLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (_, value)) in self.values.iter().enumerate() {
            let blank = if position == 0 { "" } else { " " };
            write!(f, "{blank}{value}")?;
        }
        Ok(())
    }
}

fn fits(field: Field, value: &str) -> bool {
    value == ABSENT || !field.kind().is_number() || value.parse::<u64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format() -> Format {
        Format::parse("${srcaddr} ${packets} ${action}").expect("three fields")
    }

    /// Rules: FL-80
    #[test]
    fn runs_of_blanks_count_as_one_and_print_as_one() {
        let line = parse_line(&format(), "  10.0.0.1   7\tACCEPT \n").expect("three values");
        assert_eq!(line.get(Field::SrcAddr), Some("10.0.0.1"));
        assert_eq!(line.number(Field::Packets), Some(7));
        assert_eq!(line.to_string(), "10.0.0.1 7 ACCEPT");
    }

    /// Rules: FL-22
    #[test]
    fn a_dash_is_no_value() {
        let line = parse_line(&format(), "- - -").expect("three values");
        assert_eq!(line.get(Field::Action), None);
        assert_eq!(line.number(Field::Packets), None);
        assert_eq!(line.get(Field::End), None);
        assert_eq!(line.to_string(), "- - -");
    }

    #[test]
    fn a_line_of_another_length_is_refused() {
        assert_eq!(parse_line(&format(), "10.0.0.1 7"), Err(LineError::Count { expected: 3, found: 2 }));
        assert_eq!(parse_line(&format(), "a 7 b c"), Err(LineError::Count { expected: 3, found: 4 }));
    }

    #[test]
    fn a_word_in_a_number_field_is_refused() {
        let error = parse_line(&format(), "10.0.0.1 many ACCEPT").expect_err("packets is a number");
        assert_eq!(error.to_string(), "`many` is no number, but packets is one");
    }
}

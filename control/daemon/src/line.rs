//! One JSON value a line, of bounded length.

use std::io::{self, BufRead, ErrorKind, Read as _, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest line in bytes, its end included. The file of a lab with 10,000 interfaces has a few; no answer has more but a list of
/// a million flows, which nobody reads.
pub(crate) const LONGEST: usize = 64 << 20;

/// The next value; none at the end of the stream.
///
/// # Errors
///
/// `FileTooLarge` for a line that is too long, `InvalidData` for one that is no such value (the stream is at the next line
/// then), `UnexpectedEof` for one that breaks off, else what reading answers.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    from.take(LONGEST as u64).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => serde_json::from_slice(&line).map(Some).map_err(io::Error::from),
        Some(_) if line.len() == LONGEST => Err(ErrorKind::FileTooLarge.into()),
        Some(_) => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// Writes a value.
///
/// # Errors
///
/// `FileTooLarge` if its line would be too long, in which case nothing is written; else what writing answers.
pub(crate) fn write(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    if line.len() > LONGEST {
        return Err(ErrorKind::FileTooLarge.into());
    }
    to.write_all(&line)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Request, Response};

    fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn values_come_out_as_they_went_in() {
        let requests = [
            Request::Status,
            Request::Flows { limit: 7 },
            Request::Apply { name: "a\nb.yaml".into(), text: "lab: x\n".into() },
        ];
        let mut stream = Vec::new();
        for request in &requests {
            write(&mut stream, request).expect("a vector takes everything");
        }
        assert_eq!(stream.iter().filter(|byte| **byte == b'\n').count(), requests.len());
        let mut from = &stream[..];
        for request in requests {
            assert_eq!(read(&mut from).expect("readable"), Some(request));
        }
        assert_eq!(read::<Request>(&mut from).expect("the end"), None);
    }

    #[test]
    fn a_line_that_is_no_value_does_not_spoil_the_next() {
        let mut from = &b"nonsense\n{\"unheard\":1}\n\"status\"\n"[..];
        assert_eq!(kind(read::<Request>(&mut from)), Some(ErrorKind::InvalidData));
        assert_eq!(kind(read::<Request>(&mut from)), Some(ErrorKind::InvalidData));
        assert_eq!(read(&mut from).expect("readable"), Some(Request::Status));
    }

    #[test]
    fn a_line_that_breaks_off_is_no_value() {
        assert_eq!(kind(read::<Request>(&mut &b"\"status\""[..])), Some(ErrorKind::UnexpectedEof));
    }

    #[test]
    fn nobody_can_make_us_remember_more_than_the_longest_line() {
        let endless = io::repeat(b' ');
        assert_eq!(kind(read::<Request>(&mut io::BufReader::new(endless))), Some(ErrorKind::FileTooLarge));
        let mut sink = Vec::new();
        let text = "x".repeat(LONGEST);
        assert_eq!(
            kind(write(&mut sink, &Response::Failed { message: text })),
            Some(ErrorKind::FileTooLarge)
        );
        assert!(sink.is_empty());
    }
}

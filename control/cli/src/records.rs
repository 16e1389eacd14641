//! Records of the running lab in words.

use daemon::protocol::DropRow;
use wire::FiveTuple;

use crate::output::{Row, joined};

/// The tuple of a dropped packet, unless its headers could not be read.
pub(crate) fn tuple(row: &DropRow) -> Option<FiveTuple> {
    tuple_of((&row.source, &row.destination), (row.source_port, row.destination_port), row.protocol)
}

/// A tuple with addresses as text.
pub(crate) fn tuple_of(
    (source, destination): (&str, &str),
    (src_port, dst_port): (u16, u16),
    proto: u8,
) -> Option<FiveTuple> {
    Some(FiveTuple { src: source.parse().ok()?, dst: destination.parse().ok()?, src_port, dst_port, proto })
}

/// The time of day in UTC: `06:51:07.402`.
pub(crate) fn time_of_day(unix_ns: u64) -> String {
    let ms = unix_ns / 1_000_000;
    let (s, m, h) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000 % 24);
    format!("{h:02}:{m:02}:{s:02}.{:03}", ms % 1000)
}

impl Row for DropRow {
    const COLUMNS: &'static [&'static str] = &["at", "from", "packet", "reason", "gate", "decided by"];

    fn cells(&self) -> Vec<String> {
        vec![
            time_of_day(self.at),
            self.from.clone(),
            joined(tuple(self)),
            self.reason.clone(),
            joined(self.gate.iter().map(|(interface, direction)| format!("{interface} {direction}"))),
            joined(&self.decided_by),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_wrap_at_midnight() {
        assert_eq!(time_of_day(1_700_000_000_123_456_789), "22:13:20.123");
        assert_eq!(time_of_day(86_400 * 1_000_000_000), "00:00:00.000");
    }

    #[test]
    fn a_record_without_readable_headers_has_no_tuple() {
        assert_eq!(tuple_of(("", ""), (0, 0), 0), None);
        let tuple = tuple_of(("10.0.0.4", "10.0.0.5"), (40000, 22), 6);
        assert_eq!(joined(tuple), "10.0.0.4:40000 > 10.0.0.5:22 tcp");
    }
}

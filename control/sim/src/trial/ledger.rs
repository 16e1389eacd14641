//! What flow logs must have counted in the end.

use std::collections::BTreeMap;

use engine::{Event, TapEvent, Time};
use oracle::{Action, Direction, Record};
use snapshot::InterfaceIx;
use wire::{FiveTuple, Parsed, Transport, tcp_flag};

use super::Complaint;

/// Totals of the oracle's records.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    totals: BTreeMap<Key, Total>,
}

/// What flow logs must have counted of one flow at one interface in one direction with one verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `eni-` id.
    pub interface_id: String,
    /// Relative to that interface.
    pub direction: Direction,
    /// Groups and network ACL together.
    pub action: Action,
    /// `traffic-path`; `None` is `-`.
    pub traffic_path: Option<u8>,
    /// The packets' tuple there.
    pub tuple: FiveTuple,
    /// Packets in all.
    pub packets: u64,
    /// Their IP bytes.
    pub bytes: u64,
}

/// Interface id, direction, verdict, traffic path and tuple.
type Key = (String, Direction, Action, Option<u8>, FiveTuple);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Total {
    packets: u64,
    bytes: u64,
    first: Time,
    last: Time,
    tcp_flags: u8,
}

impl Ledger {
    /// Counts one packet under each record.
    pub(super) fn note(&mut self, records: &[Record], parsed: &Parsed, now: Time) {
        for record in records {
            let key = (
                record.interface_id.clone(),
                record.direction,
                record.action,
                record.traffic_path,
                record.tuple,
            );
            let bytes = u64::from(record.bytes);
            add(
                &mut self.totals,
                key,
                Total { packets: 1, bytes, first: now, last: now, tcp_flags: flags(parsed) },
            );
        }
    }

    /// All totals.
    pub(super) fn totals(&self) -> impl Iterator<Item = Recorded> {
        self.totals.iter().map(|((id, direction, action, traffic_path, tuple), total)| Recorded {
            interface_id: id.clone(),
            direction: *direction,
            action: *action,
            traffic_path: *traffic_path,
            tuple: *tuple,
            packets: total.packets,
            bytes: total.bytes,
        })
    }

    /// Compares with the tap events of a whole run; `ids` names all interfaces that there were.
    pub(super) fn compare(
        &self,
        ids: &BTreeMap<InterfaceIx, String>,
        events: &[Event],
        workers: usize,
    ) -> Result<(), Complaint> {
        let mut found = BTreeMap::new();
        for event in events {
            if let Event::Tap(tap) = event {
                add(&mut found, key(ids, tap), total(tap));
            }
        }
        let mut keys: Vec<_> = self.totals.keys().chain(found.keys()).collect();
        keys.sort_unstable();
        for key in keys {
            let (expected, found) = (self.totals.get(key), found.get(key));
            if expected != found {
                return Err(Complaint::Records {
                    workers,
                    key: format!("{key:?}"),
                    found: format!("{found:?}"),
                    expected: format!("{expected:?}"),
                });
            }
        }
        Ok(())
    }
}

fn add(totals: &mut BTreeMap<Key, Total>, key: Key, more: Total) {
    let sum = totals.entry(key).or_insert(Total { packets: 0, bytes: 0, ..more });
    sum.packets += more.packets;
    sum.bytes += more.bytes;
    sum.first = sum.first.min(more.first);
    sum.last = sum.last.max(more.last);
    sum.tcp_flags |= more.tcp_flags;
}

fn key(ids: &BTreeMap<InterfaceIx, String>, tap: &TapEvent) -> Key {
    let id = ids.get(&tap.interface).cloned().unwrap_or_default();
    let direction = match tap.direction {
        engine::Direction::Egress => Direction::Egress,
        engine::Direction::Ingress => Direction::Ingress,
    };
    let action = match tap.action {
        engine::Action::Accept => Action::Accept,
        engine::Action::Reject => Action::Reject,
    };
    (id, direction, action, tap.traffic_path, tap.tuple)
}

const fn total(tap: &TapEvent) -> Total {
    Total {
        packets: tap.packets,
        bytes: tap.bytes,
        first: tap.first,
        last: tap.last,
        tcp_flags: tap.tcp_flags,
    }
}

/// FL-40, FL-41.
fn flags(parsed: &Parsed) -> u8 {
    let Transport::Tcp { flags, .. } = parsed.transport else { return 0 };
    let shown = flags & (tcp_flag::FIN | tcp_flag::SYN | tcp_flag::RST);
    let both = tcp_flag::SYN | tcp_flag::ACK;
    if flags & both == both { shown | tcp_flag::ACK } else { shown }
}

//! Traffic of one flow log in one aggregation window.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::{Action, Direction, TapEvent, Time};
use snapshot::InterfaceIx;
use wire::FiveTuple;

use crate::observed::Observed;
use crate::{Record, Status, Traffic};

/// Flows that one window holds; what comes on top becomes SKIPDATA (FL-39). One flow takes about 150 bytes, so a full
/// window takes about 150 MB, and its lines some 250 bytes each until they are written. The engine's default flow table is as
/// large.
pub(crate) const MAX_FLOWS: usize = 1 << 20;

/// One flow (FL-11). Packet-level addresses keep apart what the record-level ones of a NAT gateway would merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FlowKey {
    interface: InterfaceIx,
    /// Since when the interface is as the flow's records show it.
    since: Time,
    /// Ports are 0 unless TCP or UDP (FL-15), so all echo exchanges of two hosts are one flow.
    tuple: FiveTuple,
    direction: Direction,
    action: Action,
    traffic_path: Option<u8>,
}

#[derive(Clone, Debug)]
struct Flow {
    observed: Arc<Observed>,
    packets: u64,
    bytes: u64,
    first: Time,
    last: Time,
    tcp_flags: u8,
}

/// What a record is made of.
enum Source<'w> {
    Flow(&'w FlowKey, &'w Flow),
    /// Records of the interface were lost.
    Lost(&'w Span),
    /// The flow log saw nothing of the interface.
    Silent(&'w Span),
}

/// Where a record goes within its window: by interface, then time, then flow. Nothing here depends on how many workers
/// the events came from.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank<'w> {
    interface_id: &'w str,
    start: Time,
    flow: Option<&'w FlowKey>,
}

/// The time within a window during which an interface is covered.
pub(crate) struct Span {
    pub(crate) observed: Arc<Observed>,
    pub(crate) since: Time,
    pub(crate) until: Time,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Window {
    max_flows: usize,
    flows: BTreeMap<FlowKey, Flow>,
    /// `eni-` ids of interfaces with lost records.
    skipped: BTreeSet<String>,
}

impl Window {
    /// A window without traffic that has room for `max_flows`.
    pub(crate) const fn new(max_flows: usize) -> Self {
        Self { max_flows, flows: BTreeMap::new(), skipped: BTreeSet::new() }
    }

    /// Adds traffic at an interface that is as `observed` since `since`.
    pub(crate) fn add(&mut self, event: &TapEvent, observed: &Arc<Observed>, since: Time) {
        let room = self.flows.len() < self.max_flows;
        match self.flows.entry(FlowKey::of(event, since)) {
            Entry::Occupied(mut flow) => flow.get_mut().add(event),
            Entry::Vacant(slot) if room => {
                slot.insert(Flow::of(event, observed));
            }
            Entry::Vacant(_) => self.skip(observed),
        }
    }

    /// Notes that records of an interface were lost.
    pub(crate) fn skip(&mut self, observed: &Observed) {
        if !self.skipped.contains(&observed.id) {
            self.skipped.insert(observed.id.clone());
        }
    }

    /// Its records in order. `spans` are the interfaces covered within the window, once each: each has a SKIPDATA record if
    /// something was lost, and a NODATA record if the flow log saw nothing (FL-39).
    pub(crate) fn records<'w>(&'w self, spans: &'w [Span]) -> impl Iterator<Item = Record> {
        let busy: BTreeSet<&str> = self.flows.values().map(|flow| flow.observed.id.as_str()).collect();
        let flows = self.flows.iter().map(|(key, flow)| Source::Flow(key, flow));
        let lost = |span: &&Span| self.skipped.contains(&span.observed.id);
        let silent = |span: &&Span| !lost(span) && !busy.contains(span.observed.id.as_str());
        let lost = spans.iter().filter(lost).map(Source::Lost);
        let silent = spans.iter().filter(silent).map(Source::Silent);
        let mut sources: Vec<_> = flows.chain(lost).chain(silent).collect();
        sources.sort_unstable_by_key(Source::rank);
        sources.into_iter().map(Source::record)
    }
}

impl<'w> Source<'w> {
    fn rank(&self) -> Rank<'w> {
        match *self {
            Self::Flow(key, flow) => {
                Rank { interface_id: &flow.observed.id, start: flow.first, flow: Some(key) }
            }
            Self::Lost(span) | Self::Silent(span) => span.rank(),
        }
    }

    fn record(self) -> Record {
        match self {
            Self::Flow(key, flow) => flow.record(key),
            Self::Lost(span) => span.record(Status::SkipData),
            Self::Silent(span) => span.record(Status::NoData),
        }
    }
}

impl Span {
    fn rank(&self) -> Rank<'_> {
        Rank { interface_id: &self.observed.id, start: self.since, flow: None }
    }

    fn record(&self, status: Status) -> Record {
        let origin = Arc::clone(&self.observed.origin);
        Record { origin, start: self.since.secs(), end: self.until.secs(), status }
    }
}

impl FlowKey {
    fn of(event: &TapEvent, since: Time) -> Self {
        let ports = event.tuple.has_ports();
        let shown = |port| if ports { port } else { 0 };
        Self {
            interface: event.interface,
            since,
            tuple: FiveTuple {
                src_port: shown(event.tuple.src_port),
                dst_port: shown(event.tuple.dst_port),
                ..event.tuple
            },
            direction: event.direction,
            action: event.action,
            traffic_path: event.traffic_path,
        }
    }
}

impl Flow {
    fn of(event: &TapEvent, observed: &Arc<Observed>) -> Self {
        Self {
            observed: Arc::clone(observed),
            packets: event.packets,
            bytes: event.bytes,
            first: event.first,
            last: event.last,
            tcp_flags: event.tcp_flags,
        }
    }

    fn add(&mut self, event: &TapEvent) {
        self.packets = self.packets.saturating_add(event.packets);
        self.bytes = self.bytes.saturating_add(event.bytes);
        self.first = self.first.min(event.first);
        self.last = self.last.max(event.last);
        self.tcp_flags |= event.tcp_flags;
    }

    fn record(&self, key: &FlowKey) -> Record {
        Record {
            origin: Arc::clone(&self.observed.origin),
            start: self.first.secs(),
            end: self.last.secs(),
            status: Status::Ok(self.traffic(key)),
        }
    }

    fn traffic(&self, key: &FlowKey) -> Traffic {
        let (src_addr, dst_addr) = self.observed.shown(key.direction, &key.tuple);
        Traffic {
            action: key.action,
            bytes: self.bytes,
            direction: key.direction,
            dst_addr,
            dst_port: key.tuple.dst_port,
            packets: self.packets,
            pkt_dst_addr: key.tuple.dst,
            pkt_dst_aws_service: None,
            pkt_src_addr: key.tuple.src,
            pkt_src_aws_service: None,
            protocol: key.tuple.proto,
            src_addr,
            src_port: key.tuple.src_port,
            tcp_flags: self.tcp_flags,
            traffic_path: key.traffic_path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;
    use crate::tests::packet;

    /// Rules: FL-39
    #[test]
    fn flows_beyond_the_room_of_a_window_are_skipped_and_known_ones_go_on() {
        let observed = Arc::new(Observed::new("eni-1", Origin::default()));
        let event = packet(InterfaceIx(0), 1);
        let mut other = event;
        other.tuple.src_port = 1;
        let mut window = Window::new(1);
        for event in [event, other, event, other] {
            window.add(&event, &observed, Time(0));
        }
        let spans = [Span { observed, since: Time(0), until: Time::from_secs(60) }];
        let mut statuses = window.records(&spans).map(|record| record.status);
        assert_eq!(statuses.next(), Some(Status::SkipData));
        assert!(matches!(statuses.next(), Some(Status::Ok(traffic)) if traffic.packets == 2));
        assert_eq!(statuses.next(), None);
    }
}

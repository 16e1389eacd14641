//! What NAT gateways count (NG-25).

use snapshot::InterfaceIx;
use wire::Parsed;

use crate::Direction;

/// The metrics of one NAT gateway since the start, of one worker. Names are those of the CloudWatch namespace AWS/NATGateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatCounters {
    /// Connections now.
    pub active_connection_count: u64,
    /// Connections begun.
    pub connection_attempt_count: u64,
    /// TCP connections that were answered.
    pub connection_established_count: u64,
    /// New connections dropped for want of a port (NG-08).
    pub error_port_allocation: u64,
    /// Connections that ended because nothing came.
    pub idle_timeout_count: u64,
    /// Packets that the gateway itself dropped.
    pub packets_drop_count: u64,
    /// Packets and IP bytes from the clients, which leave to the destination as many.
    pub from_source: Volume,
    /// Packets and IP bytes from the destinations, which leave to the clients as many.
    pub from_destination: Volume,
}

/// Packets with their IP bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Packets on the wire.
    pub packets: u64,
    /// Sum of IP packet lengths as they reached the gateway.
    pub bytes: u64,
}

/// Names the counters of one gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MetricsIx(u16);

/// The counters of all NAT gateways that a worker has seen.
#[derive(Debug, Default)]
pub(crate) struct NatMetrics {
    of: Vec<(InterfaceIx, NatCounters)>,
}

impl NatMetrics {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (InterfaceIx, NatCounters)> + '_ {
        self.of.iter().copied()
    }

    fn entry(&mut self, nat: InterfaceIx) -> MetricsIx {
        if let Some(at) = self.of.iter().position(|(known, _)| *known == nat) {
            return MetricsIx(at as u16);
        }
        self.of.push((nat, NatCounters::default()));
        MetricsIx((self.of.len() - 1) as u16) // far fewer than addresses of their subnets
    }

    #[inline]
    fn counters(&mut self, of: MetricsIx) -> &mut NatCounters {
        &mut self.of[usize::from(of.0)].1
    }

    /// A new connection.
    pub(crate) fn begin(&mut self, nat: InterfaceIx) -> MetricsIx {
        let metrics = self.entry(nat);
        let counters = self.counters(metrics);
        counters.active_connection_count += 1;
        counters.connection_attempt_count += 1;
        metrics
    }

    #[inline]
    pub(crate) fn see(&mut self, of: MetricsIx, direction: Direction, parsed: &Parsed, opened: bool) {
        let counters = self.counters(of);
        counters.connection_established_count += u64::from(opened);
        let volume = match direction {
            Direction::Egress => &mut counters.from_source,
            Direction::Ingress => &mut counters.from_destination,
        };
        volume.packets += u64::from(parsed.packets);
        volume.bytes += u64::from(parsed.wire_bytes);
    }

    pub(crate) fn time_out(&mut self, of: MetricsIx) {
        self.counters(of).idle_timeout_count += 1;
    }

    pub(crate) fn end(&mut self, of: MetricsIx) {
        self.counters(of).active_connection_count -= 1;
    }

    /// Packets that the gateway dropped, for want of a port or not.
    pub(crate) fn drop(&mut self, nat: InterfaceIx, packets: u32, for_want_of_port: bool) {
        let metrics = self.entry(nat);
        let counters = self.counters(metrics);
        counters.packets_drop_count += u64::from(packets);
        counters.error_port_allocation += u64::from(for_want_of_port);
    }
}

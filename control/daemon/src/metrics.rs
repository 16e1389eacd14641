//! Metrics of NAT gateways: what each worker has counted, put together.

use std::collections::BTreeMap;

use runtime::{InterfaceIx, NatCounters, Snapshot};

use crate::protocol::{NatMetrics, Response};
use crate::running::Running;

/// Sums by `nat-` id.
#[derive(Debug, Default, PartialEq, Eq)]
struct NatTotals(BTreeMap<String, NatMetrics>);

impl NatTotals {
    /// Adds what one worker has counted at one gateway, unless that is gone.
    fn add(&mut self, gateway: &str, counted: NatMetrics) {
        if let Some(sum) = self.0.get_mut(gateway) {
            *sum += counted;
        }
    }
}

/// Answers [`Request::NatGateways`](crate::protocol::Request::NatGateways).
pub(crate) fn nat_gateways(running: &Running) -> Response {
    let counted = match running.runtime.nat_gateways() {
        Ok(counted) => counted,
        Err(error) => return Response::Failed { message: error.to_string() },
    };
    let gateways = running.valid.lab().vpcs.values().flat_map(|vpc| vpc.nat_gateways.values());
    let mut totals = NatTotals(gateways.map(|nat| (nat.id.clone(), NatMetrics::default())).collect());
    let snapshot = running.runtime.snapshot();
    for (interface, counters) in counted {
        if let Some(id) = id_of(&snapshot, interface) {
            totals.add(id, counters.into());
        }
    }
    Response::NatGateways(totals.0)
}

/// The `nat-` id of the gateway with this interface.
fn id_of(snapshot: &Snapshot, interface: InterfaceIx) -> Option<&str> {
    let gateway = snapshot.nat_gateway(snapshot.interface(interface)?.nat_gateway?)?;
    Some(&snapshot.names().get(gateway.name).id)
}

impl From<NatCounters> for NatMetrics {
    fn from(counters: NatCounters) -> Self {
        // What comes from one side and is translated leaves to the other.
        let (source, destination) = (counters.from_source, counters.from_destination);
        Self {
            active_connection_count: counters.active_connection_count,
            bytes_in_from_destination: destination.bytes,
            bytes_in_from_source: source.bytes,
            bytes_out_to_destination: source.bytes,
            bytes_out_to_source: destination.bytes,
            connection_attempt_count: counters.connection_attempt_count,
            connection_established_count: counters.connection_established_count,
            error_port_allocation: counters.error_port_allocation,
            idle_timeout_count: counters.idle_timeout_count,
            packets_drop_count: counters.packets_drop_count,
            packets_in_from_destination: destination.packets,
            packets_in_from_source: source.packets,
            packets_out_to_destination: source.packets,
            packets_out_to_source: destination.packets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_summed_for_each_gateway_that_is_there() {
        let one = NatMetrics { connection_attempt_count: 3, ..NatMetrics::default() };
        let there = ["nat-1", "nat-2", "nat-3"].map(|id| (id.to_owned(), NatMetrics::default()));
        let mut totals = NatTotals(there.into());
        for gateway in ["nat-1", "nat-2", "nat-1", "nat-gone"] {
            totals.add(gateway, one);
        }
        let attempts: Vec<_> =
            totals.0.iter().map(|(id, sum)| (id.as_str(), sum.connection_attempt_count)).collect();
        assert_eq!(attempts, [("nat-1", 6), ("nat-2", 3), ("nat-3", 0)]);
    }
}

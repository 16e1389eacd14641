//! Metrics of NAT gateways: what each worker has counted, put together.

use std::collections::BTreeMap;

use crate::protocol::{NatMetrics, Response};
use crate::running::Running;

/// Sums by `nat-` id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NatTotals(BTreeMap<String, NatMetrics>);

impl NatTotals {
    /// Adds what one worker has counted at one gateway.
    pub(crate) fn add(&mut self, gateway: &str, counted: NatMetrics) {
        *self.0.entry(gateway.to_owned()).or_default() += counted;
    }
}

/// Answers [`Request::NatGateways`](crate::protocol::Request::NatGateways).
pub(crate) fn nat_gateways(running: &Running) -> Response {
    let mut totals = NatTotals::default();
    for (gateway, counted) in counted(running) {
        totals.add(&gateway, counted);
    }
    Response::NatGateways(totals.0)
}

/// What the workers have counted, by gateway: nothing yet, for the engine does not count at NAT gateways.
fn counted(_running: &Running) -> impl Iterator<Item = (String, NatMetrics)> {
    std::iter::empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_summed_for_each_gateway() {
        let one = NatMetrics { connection_attempt_count: 3, ..NatMetrics::default() };
        let mut totals = NatTotals::default();
        for gateway in ["nat-1", "nat-2", "nat-1"] {
            totals.add(gateway, one);
        }
        let attempts: Vec<_> =
            totals.0.iter().map(|(id, sum)| (id.as_str(), sum.connection_attempt_count)).collect();
        assert_eq!(attempts, [("nat-1", 6), ("nat-2", 3)]);
    }
}

//! What a running lab says about its packets.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use daemon::Client;
use daemon::protocol::{CounterRows, DropRow, FlowRow, Request, Response, Status};

use super::deadline::eventually;
use super::lab::Lab;

impl Lab {
    /// Where all packets ended, once none is under way.
    pub(crate) fn settled(&self) -> CounterRows {
        let mut last = self.counters();
        eventually("no packet is under way", Duration::from_secs(10), || {
            let now = self.counters();
            let settled = now == last && now.in_flight == 0 && now.held == 0;
            last = now;
            settled
        });
        last
    }

    pub(crate) fn counters(&self) -> CounterRows {
        let answer = self.call(&Request::Counters);
        let Response::Counters(counters) = answer else {
            panic!("{answer:?} is no answer to a question about counters")
        };
        counters
    }

    /// The latest drops, oldest first.
    pub(crate) fn drops(&self) -> Vec<DropRow> {
        let answer = self.call(&Request::Drops);
        let Response::Drops(drops) = answer else {
            panic!("{answer:?} is no answer to a question about drops")
        };
        drops
    }

    pub(crate) fn flows(&self) -> Vec<FlowRow> {
        let answer = self.call(&Request::Flows { limit: 100_000 });
        let Response::Flows(flows) = answer else {
            panic!("{answer:?} is no answer to a question about flows")
        };
        flows
    }

    pub(crate) fn status(&self) -> Status {
        let answer = self.call(&Request::Status);
        let Response::Status(status) = answer else {
            panic!("{answer:?} is no answer to a question about the status")
        };
        status
    }

    /// The `eni-` id of an interface.
    pub(crate) fn interface_id(&self, instance: &str, device: &str) -> String {
        let status = self.status();
        let instance =
            status.instances.iter().find(|i| i.name == instance).expect("the lab has the instance");
        instance.interfaces.iter().find(|i| i.device == device).expect("it has the device").id.clone()
    }

    /// `INSTANCE.DEVICE`, or `VPC.GATEWAY` of a NAT gateway, of every interface by its `eni-` id.
    pub(crate) fn interface_names(&self) -> BTreeMap<String, String> {
        let instances = self.status().instances.into_iter();
        let names = instances.flat_map(|instance| {
            let name = instance.name;
            instance.interfaces.into_iter().map(move |e| (e.id, format!("{name}.{}", e.device)))
        });
        names
            .chain(
                self.nat_gateways().iter().map(|row| (text(row, "interface_id"), text(row, "nat_gateway"))),
            )
            .collect()
    }

    /// What `show` says of every NAT gateway, with its metrics.
    pub(crate) fn nat_gateways(&self) -> Vec<serde_json::Value> {
        let shown = self.ask(&["show", "nat-gateways", "--output", "json"]).ok().json();
        shown.as_array().cloned().unwrap_or_default()
    }

    fn call(&self, request: &Request) -> Response {
        let answer = Client::connect(self.name()).and_then(|mut client| client.call(request));
        answer.unwrap_or_else(|error| panic!("{request:?} of lab {}: {error}", self.name()))
    }

    #[track_caller]
    pub(super) fn check_counters(&self, expected: &[(&str, RangeInclusive<u64>)]) {
        let counters = self.settled();
        let entered = counters.received + counters.originated + counters.fragments;
        let dropped: u64 = counters.dropped.values().sum();
        assert_eq!(entered, counters.delivered + counters.consumed + dropped, "{counters:?}");
        let mut left: BTreeMap<&str, u64> = counters.dropped.iter().map(|(r, n)| (r.as_str(), *n)).collect();
        for (reason, range) in expected {
            let count = left.remove(reason).unwrap_or(0);
            assert!(range.contains(&count), "{count} and not {range:?} drops for {reason}: {}", self.told());
        }
        assert!(left.is_empty(), "unexpected drops {left:?}: {}", self.told());
        let trouble = self.status().trouble;
        assert!(trouble.is_empty(), "the daemon had trouble: {trouble:?}");
    }

    /// The latest drops for a message.
    pub(crate) fn told(&self) -> String {
        let line = |drop: &DropRow| {
            let DropRow {
                from, source, destination, protocol, source_port, destination_port, length, ..
            } = drop;
            let packet =
                format!("{source} {source_port} > {destination} {destination_port} protocol {protocol}");
            format!("\n{from}: {packet}, {length} bytes, {} at {:?}", drop.reason, drop.gate)
        };
        self.drops().iter().rev().take(20).map(line).collect()
    }
}

fn text(row: &serde_json::Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {row}")).to_owned()
}

//! What is counted at NAT gateways.

use daemon::protocol::{NatMetrics, Request, Response};

use crate::support::{Lab, Site, With, eventually};

/// `job` reaches the host `far` by a NAT gateway; nobody goes by the other one.
const NAT: &str = r#"
lab: LAB
vpcs:
  app:
    cidr: [10.0.0.0/16]
    internet_gateway: true
    subnets:
      out: { cidr: 10.0.1.0/24, az: us-east-1a, route_table: out }
      in:  { cidr: 10.0.2.0/24, az: us-east-1a, route_table: in }
    nat_gateways:
      used:   { subnet: out, public_ip: 198.51.100.9, private_ip: 10.0.1.9 }
      unused: { subnet: out, public_ip: 198.51.100.8, private_ip: 10.0.1.8 }
    route_tables:
      out: { routes: [ { to: 0.0.0.0/0, via: internet_gateway } ] }
      in:  { routes: [ { to: 0.0.0.0/0, via: nat_gateway/used } ] }
    instances:
      job: { subnet: in, private_ip: 10.0.2.10 }
internet:
  hosts: { far: { ips: [203.0.113.50] } }
"#;

/// Metrics of the gateway that is used and of the other one.
fn metrics(lab: &Lab<'_>) -> [NatMetrics; 2] {
    let response = lab.call(&Request::NatGateways);
    let Response::NatGateways(metrics) = response else { panic!("{response:?}") };
    let (used, unused): (Vec<_>, Vec<_>) =
        metrics.into_values().partition(|metrics| *metrics != NatMetrics::default());
    assert_eq!((used.len(), unused.len()), (1, 1));
    [used[0], unused[0]]
}

/// Rules: NG-25
#[test]
fn both_directions_are_counted_over_all_workers() {
    for workers in [1, 3] {
        let site = Site::new();
        let lab = site.up("", NAT, With { workers, ..With::default() });
        for _ in 0..5 {
            assert!(lab.ping("job", "203.0.113.50"), "drops: {:?}", lab.drops());
        }
        assert!(!lab.ping("far", "198.51.100.9"), "nobody inside has asked for this");
        lab.at_rest();
        eventually("the unsolicited packet is counted", || metrics(&lab)[0].packets_drop_count == 1);
        let [used, _] = metrics(&lab);
        assert_eq!((used.connection_attempt_count, used.active_connection_count), (5, 5));
        assert_eq!((used.packets_in_from_source, used.packets_out_to_destination), (5, 5));
        assert_eq!((used.packets_in_from_destination, used.packets_out_to_source), (5, 5));
        assert_eq!((used.bytes_in_from_source, used.bytes_out_to_source), (5 * 84, 5 * 84));
        assert_eq!((used.connection_established_count, used.error_port_allocation), (0, 0));
    }
}

//! What every system lets through, said once and written as a lab file and as nftables rules.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use serde::Serialize;

/// The host that sends, in the first subnet.
pub(crate) const LEFT: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 10);
/// The host that receives, in the second one.
pub(crate) const RIGHT: Ipv4Addr = Ipv4Addr::new(10, 77, 2, 10);
/// The first subnet; its router has the address 1.
pub(crate) const LEFT_SUBNET: &str = "10.77.1.0/24";
/// The second subnet.
pub(crate) const RIGHT_SUBNET: &str = "10.77.2.0/24";

/// What an interface of AWS has: jumbo frames (EC2 user guide, "Network maximum transmission unit"). All systems have it
/// everywhere.
pub(crate) const MTU: u16 = 9001;

/// Where `iperf3` listens.
pub(crate) const IPERF: u16 = 5201;
/// Where datagrams go.
pub(crate) const DATAGRAMS: u16 = 9000;
/// Where connections are accepted.
pub(crate) const CONNECTIONS: u16 = 9100;

/// What the left host may send to the right one.
#[derive(Clone, Copy, Debug)]
enum Allowed {
    Echo,
    Tcp(u16),
    Udp(u16),
}

const ALLOWED: [Allowed; 4] =
    [Allowed::Tcp(IPERF), Allowed::Tcp(CONNECTIONS), Allowed::Udp(DATAGRAMS), Allowed::Echo];

/// Whether a lab writes flow logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlowLogs {
    Off,
    On,
}

/// The lab file: groups at both ends that refer to each other, an ACL and a route table for each subnet.
pub(crate) fn lab(name: &str, flow_logs: FlowLogs) -> String {
    let ingress = listed(|allowed| format!("{{ {}, from: sg/client }}", group_rule(allowed)));
    let egress = listed(|allowed| format!("{{ {}, to: sg/server }}", group_rule(allowed)));
    let requests = entries(LEFT_SUBNET, group_rule);
    let replies = entries(RIGHT_SUBNET, reply);
    let (back, there) = (entries(LEFT_SUBNET, reply), entries(RIGHT_SUBNET, group_rule));
    let flow_logs = match flow_logs {
        FlowLogs::Off => "",
        FlowLogs::On => {
            "    flow_logs: { all: { traffic: all, max_aggregation_interval: 60, destination: { file: flows.log } } }\n"
        }
    };
    let beginning = beginning(name);
    format!(
        r#"{beginning}    subnets:
      left:  {{ cidr: {LEFT_SUBNET}, az: us-east-1a, route_table: left, network_acl: left }}
      right: {{ cidr: {RIGHT_SUBNET}, az: us-east-1a, route_table: right, network_acl: right }}
    route_tables:
      left:  {{ routes: [ {{ to: 192.0.2.0/24, via: blackhole }} ] }}
      right: {{ routes: [ {{ to: 198.51.100.0/24, via: blackhole }} ] }}
    security_groups:
      client: {{ ingress: [], egress: {egress} }}
      server: {{ ingress: {ingress}, egress: [] }}
    network_acls:
      left:  {{ egress: {there}, ingress: {replies} }}
      right: {{ ingress: {requests}, egress: {back} }}
    instances:
      left:  {{ subnet: left, security_groups: [client], private_ip: {LEFT} }}
      right: {{ subnet: right, security_groups: [server], private_ip: {RIGHT} }}
{flow_logs}"#
    )
}

/// What every lab file begins with.
fn beginning(name: &str) -> String {
    format!(
        r#"lab: {name}
account: "123456789012"
region: us-east-1
vpcs:
  bench:
    cidr: [10.77.0.0/16]
"#
    )
}

/// Whether a packet changes subnet on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hops {
    /// From one subnet to another: route tables and ACLs are asked.
    CrossSubnet,
    /// Within one.
    SameSubnet,
}

/// A lab of a chosen size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct World {
    pub(crate) rules: usize,
    pub(crate) interfaces: usize,
    pub(crate) hops: Hops,
}

/// The lab file of a world: the rule that lets datagrams in is the last one of the receiver's groups.
pub(crate) fn world(name: &str, world: World) -> String {
    let beginning = beginning(name);
    let mut text = format!(
        r#"{beginning}    subnets:
      left:  {{ cidr: {LEFT_SUBNET}, az: us-east-1a }}
      right: {{ cidr: {RIGHT_SUBNET}, az: us-east-1a }}
    security_groups:
      client: {{ ingress: [] }}
"#
    );
    let groups = server_groups(world.rules, &mut text);
    let (subnet, receiver) = (world.hops.subnet(), world.hops.receiver());
    let senders: Vec<String> = senders().iter().map(Ipv4Addr::to_string).collect();
    let senders = senders.join(", ");
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "    instances:\n      \
         left: {{ subnet: left, security_groups: [client], private_ips: [{senders}] }}\n      \
         right: {{ subnet: {subnet}, security_groups: [{groups}], private_ip: {receiver} }}\n"
    );
    for number in 2..world.interfaces {
        let subnet = if number % 2 == 0 { "left" } else { "right" };
        let _ = writeln!(text, "      other-{number}: {{ subnet: {subnet}, security_groups: [client] }}");
    }
    // Room for a million flows at the gates of both ends.
    text.push_str("settings: { limits: { sessions: 4000000 } }\n");
    text
}

/// Addresses of the sender, enough for a million flows to one port.
pub(crate) fn senders() -> Vec<Ipv4Addr> {
    let [a, b, c, d] = LEFT.octets();
    (0..16).map(|number| Ipv4Addr::new(a, b, c, d + number)).collect()
}

impl Hops {
    /// Where the receiver is.
    pub(crate) const fn receiver(self) -> Ipv4Addr {
        match self {
            Self::CrossSubnet => RIGHT,
            Self::SameSubnet => Ipv4Addr::new(10, 77, 1, 200),
        }
    }

    const fn subnet(self) -> &'static str {
        match self {
            Self::CrossSubnet => "right",
            Self::SameSubnet => "left",
        }
    }
}

/// Writes as many rules into groups of at most 100 and returns the groups' names.
fn server_groups(rules: usize, text: &mut String) -> String {
    let rule = |number: usize| match number + 1 == rules {
        true => format!("{{ proto: udp, ports: {DATAGRAMS}, from: {LEFT_SUBNET} }}"),
        false => {
            let (third, port) = (number % 250, 2000 + number);
            format!("{{ proto: tcp, ports: {port}, from: 10.88.{third}.0/24 }}")
        }
    };
    let mut names = Vec::new();
    for first in (0..rules).step_by(RULES_OF_A_GROUP) {
        let last = rules.min(first + RULES_OF_A_GROUP);
        let listed = (first..last).map(rule).collect::<Vec<_>>().join(", ");
        let name = format!("server-{first}");
        let _ = writeln!(text, "      {name}: {{ ingress: [ {listed} ] }}");
        names.push(name);
    }
    names.join(", ")
}

/// Ten groups make the thousand rules that an interface may have (VPC quotas, "Security groups").
const RULES_OF_A_GROUP: usize = 100;

/// The same for a router: what belongs to a flow passes, what begins one is looked for in the list, the rest is dropped.
pub(crate) fn nftables() -> String {
    let mut rules = String::new();
    for allowed in ALLOWED {
        let what = match allowed {
            Allowed::Echo => "icmp type echo-request".to_owned(),
            Allowed::Tcp(port) => format!("tcp dport {port}"),
            Allowed::Udp(port) => format!("udp dport {port}"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(rules, "    ip saddr {LEFT_SUBNET} ip daddr {RIGHT} {what} accept");
    }
    format!(
        "table ip bench {{\n  chain forward {{\n    type filter hook forward priority filter; policy drop;\n    \
         ct state established,related accept\n{rules}  }}\n}}\n"
    )
}

/// The same for a switch that tracks connections.
pub(crate) fn openflow() -> String {
    let mut flows = "table=0,priority=10,arp,actions=normal\n\
                     table=0,priority=5,ip,actions=ct(table=1)\n\
                     table=1,priority=10,ip,ct_state=+trk+est,actions=normal\n\
                     table=1,priority=10,ip,ct_state=+trk+rel,actions=normal\n"
        .to_owned();
    for allowed in ALLOWED {
        let what = match allowed {
            Allowed::Echo => "icmp,icmp_type=8".to_owned(),
            Allowed::Tcp(port) => format!("tcp,tp_dst={port}"),
            Allowed::Udp(port) => format!("udp,tp_dst={port}"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            flows,
            "table=1,priority=5,{what},ct_state=+trk+new,nw_src={LEFT_SUBNET},nw_dst={RIGHT},actions=ct(commit),normal"
        );
    }
    flows
}

fn group_rule(allowed: Allowed) -> String {
    match allowed {
        Allowed::Echo => "proto: icmp, type: 8".to_owned(),
        Allowed::Tcp(port) => format!("proto: tcp, ports: {port}"),
        Allowed::Udp(port) => format!("proto: udp, ports: {port}"),
    }
}

/// What an ACL, which remembers nothing, has to let back.
fn reply(allowed: Allowed) -> String {
    match allowed {
        Allowed::Echo => "proto: icmp, type: 0".to_owned(),
        Allowed::Tcp(_) => "proto: tcp, ports: 1024-65535".to_owned(),
        Allowed::Udp(_) => "proto: udp, ports: 1024-65535".to_owned(),
    }
}

fn entries(cidr: &str, rule: impl Fn(Allowed) -> String) -> String {
    let mut number = 90;
    listed(|allowed| {
        number += 10;
        format!("{{ rule: {number}, action: allow, {}, cidr: {cidr} }}", rule(allowed))
    })
}

fn listed(item: impl FnMut(Allowed) -> String) -> String {
    format!("[ {} ]", ALLOWED.map(item).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_router_drops_what_no_rule_allows() {
        let text = nftables();
        assert!(text.contains("policy drop;"), "{text}");
        assert!(text.contains("ct state established,related accept"), "{text}");
        for rule in ["tcp dport 5201 accept", "tcp dport 9100 accept", "udp dport 9000 accept"] {
            assert!(text.contains(&format!("ip saddr 10.77.1.0/24 ip daddr 10.77.2.10 {rule}")), "{text}");
        }
        assert_eq!(text.matches(" accept\n").count(), 1 + ALLOWED.len(), "{text}");
    }

    #[test]
    fn the_switch_commits_only_what_the_list_allows() {
        let text = openflow();
        assert_eq!(text.matches("ct(commit)").count(), ALLOWED.len(), "{text}");
        assert!(text.contains("icmp,icmp_type=8,ct_state=+trk+new,nw_src=10.77.1.0/24,nw_dst=10.77.2.10"));
    }

    /// The warnings about a lab file that has no error, as they are shown.
    fn warnings(text: &str) -> String {
        let show = |findings| import::render(findings, "bench.yaml", text, import::Look::Plain);
        match import::load("bench.yaml", text) {
            Ok((_, warnings)) => show(&warnings),
            Err(findings) => panic!("{}", show(&findings)),
        }
    }

    #[test]
    fn the_lab_file_has_no_finding() {
        for flow_logs in [FlowLogs::Off, FlowLogs::On] {
            let text = lab("bench-1-vpclab", flow_logs);
            assert_eq!(warnings(&text), "");
            assert_eq!(text.contains("flow_logs"), flow_logs == FlowLogs::On);
        }
    }

    #[test]
    fn worlds_have_the_rules_and_interfaces_they_are_asked_for() {
        for hops in [Hops::SameSubnet, Hops::CrossSubnet] {
            for (rules, interfaces) in [(1, 2), (10, 20), (1000, 200)] {
                let text = world("bench-1-matrix", World { rules, interfaces, hops });
                assert_eq!(warnings(&text).is_empty(), rules < 100, "a thousand need a higher quota");
                assert_eq!(text.matches("{ proto: ").count(), rules, "{text}");
                assert_eq!(text.matches("{ subnet: ").count(), interfaces, "{text}");
            }
        }
    }
}

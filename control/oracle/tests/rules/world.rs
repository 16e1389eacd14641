//! A lab with one VPC `main`, an oracle that watches it, and a clock.

use std::net::SocketAddr;

use model::Valid;
use model::lab::{GroupRule, InterfaceRef, Vpc};
use vpclab_oracle::{Oracle, Outcome, Packet, Reason, Verdict};
use wire::Parsed;

/// Two subnets of a dual-stack VPC; goes in front of a VPC's other keys.
pub(crate) const TWO_SUBNETS: &str = r#"
    cidr: [10.0.0.0/16]
    ipv6_cidr: "2600:1f18:aaaa:1000::/56"
    subnets:
      left:  { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", az: us-east-1a }
      right: { cidr: 10.0.2.0/24, ipv6_cidr: "2600:1f18:aaaa:1002::/64", az: us-east-1a }
"#;

/// Instances `a` in `left` and `b` in `right`, each with a group of its own name.
pub(crate) const A_AND_B: &str = r#"
    instances:
      a: { subnet: left,  private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"], security_groups: [a] }
      b: { subnet: right, private_ip: 10.0.2.10, ipv6_addresses: ["2600:1f18:aaaa:1002::10"], security_groups: [b] }
"#;

pub(crate) struct World {
    lab: Valid,
    oracle: Oracle,
    now_ns: u64,
}

impl World {
    /// A world whose VPC has these keys, indented by four.
    pub(crate) fn new(parts: &[&str]) -> Self {
        Self { lab: load(parts, ""), oracle: Oracle::new(), now_ns: 1_000_000_000_000 }
    }

    /// The same with other keys of the lab file, such as `settings`.
    pub(crate) fn with(parts: &[&str], top: &str) -> Self {
        Self { lab: load(parts, top), oracle: Oracle::new(), now_ns: 1_000_000_000_000 }
    }

    /// Changes the lab and keeps what the oracle remembers.
    pub(crate) fn apply(&mut self, parts: &[&str]) {
        self.lab = load(parts, "");
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now_ns += seconds * 1_000_000_000;
    }

    pub(crate) fn wait_ns(&mut self, nanoseconds: u64) {
        self.now_ns += nanoseconds;
    }

    /// `eth0` of `from` sends a packet.
    pub(crate) fn send(&mut self, from: &str, parsed: Parsed) -> Verdict {
        let at = eth0(from);
        self.oracle.judge(&self.lab, &Packet { vpc: "main", at: &at, parsed: &parsed }, self.now_ns)
    }

    pub(crate) fn preview(&self, from: &str, parsed: Parsed) -> Verdict {
        let at = eth0(from);
        self.oracle.preview(&self.lab, &Packet { vpc: "main", at: &at, parsed: &parsed }, self.now_ns)
    }

    /// The implicit router sends an ICMP error to `eth0` of `to`.
    pub(crate) fn router_sends(&mut self, to: &str, parsed: Parsed) -> Verdict {
        let at = eth0(to);
        self.oracle.judge_from_router(
            &self.lab,
            &Packet { vpc: "main", at: &at, parsed: &parsed },
            self.now_ns,
        )
    }

    /// Asserts that the packet arrives at `eth0` of `to`.
    #[track_caller]
    pub(crate) fn delivers(&mut self, from: &str, parsed: Parsed, to: &str) {
        let verdict = self.send(from, parsed);
        assert_eq!(verdict.outcome, Outcome::Delivered { to: ("main".to_owned(), eth0(to)) }, "{verdict:#?}");
    }

    /// Asserts that the packet is dropped for `reason`.
    #[track_caller]
    pub(crate) fn drops(&mut self, from: &str, parsed: Parsed, reason: Reason) {
        let verdict = self.send(from, parsed);
        assert_eq!(verdict.reason(), Some(reason), "{verdict:#?}");
    }

    /// Records as `INSTANCE DIRECTION ACTION PATH`.
    pub(crate) fn records(&self, verdict: &Verdict) -> Vec<String> {
        let line = |record: &vpclab_oracle::Record| {
            let (direction, action) = (record.direction.word(), record.action.word());
            let path = record.traffic_path.map_or_else(|| "-".to_owned(), |path| path.to_string());
            format!("{} {direction} {action} {path}", self.instance(&record.interface_id))
        };
        verdict.records.iter().map(line).collect()
    }

    pub(crate) fn vpc(&self) -> &Vpc {
        &self.lab.lab().vpcs["main"]
    }

    pub(crate) fn prefix_list_id(&self, name: &str) -> &str {
        &self.lab.lab().prefix_lists[name].id
    }

    pub(crate) fn interface_id(&self, instance: &str) -> String {
        self.vpc().instances[instance].interfaces[0].id.clone()
    }

    /// Id of the `n`th ingress rule of a group, from 0.
    pub(crate) fn ingress_rule(&self, group: &str, n: usize) -> String {
        nth_id(&self.vpc().security_groups[group].ingress, n)
    }

    /// Id of the `n`th egress rule of a group, from 0.
    pub(crate) fn egress_rule(&self, group: &str, n: usize) -> String {
        nth_id(&self.vpc().security_groups[group].egress, n)
    }

    fn instance(&self, interface_id: &str) -> &str {
        let owner = self.vpc().instances.values().find(|i| i.interfaces.iter().any(|e| e.id == interface_id));
        &owner.expect("records name interfaces of the VPC").name
    }
}

/// Who decided, in order.
pub(crate) fn deciders(verdict: &Verdict) -> Vec<&str> {
    verdict.trail.iter().map(|step| step.decided_by.as_str()).collect()
}

/// An address with a port, from text.
pub(crate) fn socket(text: &str) -> SocketAddr {
    text.parse().expect("tests write addresses with ports")
}

fn eth0(instance: &str) -> InterfaceRef {
    InterfaceRef { instance: instance.to_owned(), device: "eth0".to_owned() }
}

fn nth_id(rules: &[GroupRule], n: usize) -> String {
    rules[n].id.clone()
}

fn load(parts: &[&str], top: &str) -> Valid {
    let head = "lab: t\naccount: \"123456789012\"\nregion: us-east-1\n";
    let text = format!("{head}{top}\nvpcs:\n  main:{}", parts.concat());
    let (valid, _warnings) = import::load("test.yaml", &text).expect("the test's lab is valid");
    valid
}

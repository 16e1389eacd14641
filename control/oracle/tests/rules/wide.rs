//! A world of several VPCs and an internet: packets from anywhere to anywhere, with their addresses at each record.

use std::net::IpAddr;

use model::Valid;
use model::lab::InterfaceRef;
use vpclab_oracle::{Lease, Leases, Oracle, Outcome, Packet, Record, Verdict};
use wire::{FiveTuple, Parsed};

/// VPC `app` has every gateway; `web` has a public address, `client` is behind the NAT gateway `nat`; `laptop` is outside.
pub(crate) const APP: &str = r#"
internet: { hosts: { laptop: { ips: [203.0.113.50, "2001:db8::50"] }, other: { ips: [203.0.113.60] } } }
vpcs:
  app:
    cidr: [10.0.0.0/16]
    ipv6_cidr: "2600:1f18:aaaa:1000::/56"
    internet_gateway: true
    egress_only_internet_gateway: true
    subnets:
      public:  { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", route_table: public, network_acl: public }
      private: { cidr: 10.0.2.0/24, ipv6_cidr: "2600:1f18:aaaa:1002::/64", route_table: private }
      lonely:  { cidr: 10.0.3.0/24, ipv6_cidr: "2600:1f18:aaaa:1003::/64", route_table: lonely }
    nat_gateways:
      nat: { subnet: public, public_ip: 198.51.100.10, private_ip: 10.0.1.5 }
    route_tables:
      public: { routes: [ { to: 0.0.0.0/0, via: internet_gateway }, { to: "::/0", via: internet_gateway } ] }
      private:
        routes: [ { to: 0.0.0.0/0, via: nat_gateway/nat }, { to: "::/0", via: egress_only_internet_gateway }, { to: "64:ff9b::/96", via: nat_gateway/nat } ]
      lonely: {}
    network_acls: { public: { ingress: [ACL], egress: [ACL] } }
    security_groups:
      open: { ingress: [ { proto: all, from: 0.0.0.0/0 }, { proto: all, from: "::/0" } ] }
      closed: {}
    instances:
      web:    { subnet: public,  security_groups: [open], private_ip: 10.0.1.10, public_ip: 198.51.100.20, ipv6_addresses: ["2600:1f18:aaaa:1001::10"] }
      bare:   { subnet: public,  security_groups: [open], private_ip: 10.0.1.11 }
      client: { subnet: private, security_groups: [closed], private_ip: 10.0.2.10, ipv6_addresses: ["2600:1f18:aaaa:1002::10"] }
      alone:  { subnet: lonely,  security_groups: [open], private_ip: 10.0.3.10, public_ip: 198.51.100.30, ipv6_addresses: ["2600:1f18:aaaa:1003::10"] }
"#;

const ALLOW_ALL: &str = "{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 }, { rule: 101, action: allow, proto: all, cidr: \"::/0\" }";

pub(crate) struct Wide {
    lab: Valid,
    oracle: Oracle,
    now_ns: u64,
}

impl Wide {
    /// A world of this lab file, in which `ACL` stands for entries that allow everything.
    pub(crate) fn new(text: &str) -> Self {
        Self { lab: load(text), oracle: Oracle::new(), now_ns: 1_000_000_000_000 }
    }

    /// The world of [`APP`] after a change of its text.
    pub(crate) fn app(from: &str, to: &str) -> Self {
        assert!(APP.contains(from), "{from:?} is in the file");
        Self::new(&APP.replacen(from, to, 1))
    }

    /// Changes the lab and keeps what the oracle remembers.
    pub(crate) fn apply(&mut self, text: &str) {
        self.lab = load(text);
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now_ns += seconds * 1_000_000_000;
    }

    /// `eth0` of `from` sends a packet, or the internet does.
    pub(crate) fn send(&mut self, from: &str, parsed: Parsed) -> Verdict {
        self.send_with(from, parsed, Leases::Lowest)
    }

    pub(crate) fn send_with(&mut self, from: &str, parsed: Parsed, leases: Leases<'_>) -> Verdict {
        let Some(vpc) = self.lab.lab().vpcs.values().find(|vpc| vpc.instances.contains_key(from)) else {
            assert!(self.lab.lab().internet.hosts.contains_key(from), "{from} exists");
            return self.oracle.judge_from_internet(&self.lab, &parsed, leases, self.now_ns);
        };
        let at = InterfaceRef { instance: from.to_owned(), device: "eth0".to_owned() };
        let packet = Packet { vpc: &vpc.name, at: &at, parsed: &parsed };
        self.oracle.judge_with(&self.lab, &packet, leases, self.now_ns)
    }

    /// Where a packet ends, or why it does not arrive, as `web` or `NoRoute`.
    pub(crate) fn end(&mut self, from: &str, parsed: Parsed) -> String {
        end(&self.send(from, parsed))
    }

    /// What the gateway gives to a packet that reaches it like this.
    pub(crate) fn lease(&self, nat: &str, inner: &Parsed, address: &str, port: u16) -> Lease {
        let mut all = self.lab.lab().vpcs.values().flat_map(|vpc| vpc.nat_gateways.values());
        let gateway = all.find(|gateway| gateway.name == nat).expect("a NAT gateway").id.clone();
        let inner = inner.tuple;
        let outer = FiveTuple { src: address.parse().expect("an address"), src_port: port, ..inner };
        Lease { gateway, inner, outer }
    }

    /// Records as `WHO DIRECTION ACTION PATH SOURCE > DESTINATION`.
    pub(crate) fn records(&self, verdict: &Verdict) -> Vec<String> {
        verdict.records.iter().map(|record| self.line(record)).collect()
    }

    fn line(&self, record: &Record) -> String {
        let (direction, action) = (record.direction.word(), record.action.word());
        let path = record.traffic_path.map_or_else(|| "-".to_owned(), |path| path.to_string());
        format!("{} {direction} {action} {path} {}", self.owner(&record.interface_id), ends(record.tuple))
    }

    fn owner(&self, id: &str) -> &str {
        let vpcs = || self.lab.lab().vpcs.values();
        let instance = vpcs()
            .flat_map(|vpc| vpc.instances.values())
            .find(|instance| instance.interfaces.iter().any(|interface| interface.id == id))
            .map(|instance| instance.name.as_str());
        let gateway = vpcs().flat_map(|vpc| vpc.nat_gateways.values()).find(|nat| nat.interface_id == id);
        instance.or_else(|| gateway.map(|gateway| gateway.name.as_str())).expect("records name interfaces")
    }
}

/// Where a packet ended, or why not.
pub(crate) fn end(verdict: &Verdict) -> String {
    match &verdict.outcome {
        Outcome::Delivered { to: (_, at) } => at.instance.clone(),
        Outcome::DeliveredToHost { host } => host.clone(),
        Outcome::Dropped { reason, .. } => format!("{reason:?}"),
    }
}

/// `SOURCE > DESTINATION` with the ports that mean something.
pub(crate) fn ends(tuple: FiveTuple) -> String {
    let side = |address: IpAddr, port: u16| match address {
        _ if !tuple.has_ports() => address.to_string(),
        IpAddr::V4(a) => format!("{a}:{port}"),
        IpAddr::V6(a) => format!("[{a}]:{port}"),
    };
    format!("{} > {}", side(tuple.src, tuple.src_port), side(tuple.dst, tuple.dst_port))
}

/// The packet that answers one that arrived like this, as its receiver sends it.
pub(crate) fn answer(arrived: &Verdict, mut like: Parsed) -> Parsed {
    like.tuple = arrived.tuple.reversed();
    like
}

fn load(text: &str) -> Valid {
    let head = "lab: t\naccount: \"123456789012\"\nregion: us-east-1\n";
    let text = format!("{head}{}", text.replace("ACL]", &format!("{ALLOW_ALL}]")));
    match import::load("test.yaml", &text) {
        Ok((valid, _warnings)) => valid,
        Err(found) => panic!("{found:#?}"),
    }
}

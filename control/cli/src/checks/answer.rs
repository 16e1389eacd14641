//! What answers a probe, wherever addresses are translated on the way.

use std::net::IpAddr;

use wire::FiveTuple;

use super::plan::Job;
use crate::place::End;

/// How to tell the answers to one probe.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The probe as it was sent.
    pub(crate) to: FiveTuple,
    /// Addresses that the answer may come from: the one that was asked, and the target's own behind it.
    from: Vec<IpAddr>,
    /// Addresses that the sender may have for the target, under its own port.
    sender: Vec<IpAddr>,
    /// Addresses of NAT gateways, under a port of theirs.
    gateways: Vec<IpAddr>,
}

impl Answer {
    /// Where nothing is translated.
    #[cfg(test)]
    pub(crate) fn plain(to: FiveTuple) -> Self {
        Self { to, from: vec![to.dst], sender: vec![to.src], gateways: Vec::new() }
    }

    /// Whether a packet with this tuple, as the target sends it, answers the probe.
    pub(crate) fn is(&self, tuple: FiveTuple) -> bool {
        let wanted = self.to.reversed();
        let is_for_sender = self.sender.contains(&tuple.dst) && tuple.dst_port == wanted.dst_port;
        self.from.contains(&tuple.src)
            && (tuple.proto, tuple.src_port) == (wanted.proto, wanted.src_port)
            && (is_for_sender || self.gateways.contains(&tuple.dst))
    }
}

impl Job<'_> {
    /// How to tell an answer to this probe, sent with this tuple.
    pub(crate) fn answer(&self, to: FiveTuple) -> Answer {
        let mut answer = Answer { to, from: vec![to.dst], sender: vec![to.src], gateways: Vec::new() };
        answer.from.extend(self.target.map(|target| target.address));
        if let (End::Port(port), IpAddr::V4(own)) = (self.packet.at, to.src) {
            answer.sender.extend(port.interface.public_ips.get(&own).map(|public| IpAddr::V4(*public)));
            let addresses = port.vpc.nat_gateways.values().flat_map(|gateway| &gateway.addresses);
            answer.gateways.extend(addresses.flat_map(|address| {
                let public = address.public_ip.map(IpAddr::V4);
                [Some(IpAddr::V4(address.private_ip)), public].into_iter().flatten()
            }));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{file, plan};
    use crate::world::World;

    const LAB: &str = r#"
lab: t
vpcs:
  app:
    cidr: [10.0.0.0/16]
    ipv6_cidr: 2600:1f18:aaaa:1000::/56
    internet_gateway: true
    subnets:
      a: { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", route_table: out }
      b: { cidr: 10.0.2.0/24, route_table: nat }
    route_tables:
      out: { routes: [ { to: 0.0.0.0/0, via: internet_gateway } ] }
      nat: { routes: [ { to: 0.0.0.0/0, via: nat_gateway/n } ] }
    nat_gateways: { n: { subnet: a, public_ip: 198.51.100.9, private_ip: 10.0.1.9 } }
    instances:
      web: { subnet: a, private_ip: 10.0.1.10, public_ip: 198.51.100.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"] }
      inner: { subnet: b, private_ip: 10.0.2.10 }
internet:
  hosts: { laptop: { ips: [203.0.113.50, "2001:db8::50"] }, six: { ips: ["2001:db8::60"] } }
"#;

    /// The probe of a row and where its listener is, and which of these tuples answer it.
    fn probe(row: &str, tuples: &[(&str, u16, &str, u16)]) -> (String, Vec<bool>) {
        let world = World::of("t.yaml", LAB).expect("a right lab");
        let checks = file::parse(&format!("- {{ {row}, expect: allowed }}")).expect("a row");
        let jobs = plan::plan(&world, &checks).expect("names of the lab");
        let job = &jobs[0];
        let to = FiveTuple { src_port: 40_000, ..job.packet.parsed.tuple };
        let answer = job.answer(to);
        let address = |text: &str| text.parse().expect("an address");
        let is_answer = |&(src, src_port, dst, dst_port): &(&str, u16, &str, u16)| {
            answer.is(FiveTuple { src: address(src), dst: address(dst), src_port, dst_port, proto: to.proto })
        };
        let target = job.target.expect("somebody has the address");
        let words = format!("{} > {} in {} at {}", to.src, to.dst, target.end.name(), target.address);
        (words, tuples.iter().map(is_answer).collect())
    }

    #[test]
    fn a_host_asks_the_public_address_and_is_answered_from_the_private_one() {
        let tuples = [
            ("10.0.1.10", 80, "203.0.113.50", 40_000),
            ("198.51.100.10", 80, "203.0.113.50", 40_000),
            ("10.0.1.10", 80, "203.0.113.50", 40_001),
            ("10.0.1.11", 80, "203.0.113.50", 40_000),
        ];
        let (words, answers) = probe("from: laptop, to: web, tcp: 80", &tuples);
        assert_eq!(words, "203.0.113.50 > 198.51.100.10 in web.eth0 at 10.0.1.10");
        assert_eq!(answers, [true, true, false, false]);
        let (words, _) = probe("from: six, to: web, tcp: 80", &[]);
        assert_eq!(words, "2001:db8::60 > 2600:1f18:aaaa:1001::10 in web.eth0 at 2600:1f18:aaaa:1001::10");
    }

    #[test]
    fn a_host_answers_the_public_address_of_who_asks() {
        let tuples =
            [("203.0.113.50", 80, "198.51.100.10", 40_000), ("203.0.113.50", 80, "198.51.100.9", 1024)];
        let (words, answers) = probe("from: web, to: laptop, tcp: 80", &tuples[..1]);
        assert_eq!(words, "10.0.1.10 > 203.0.113.50 in laptop at 203.0.113.50");
        assert_eq!(answers, [true]);
        let (_, answers) = probe("from: inner, to: laptop, tcp: 80", &tuples);
        assert_eq!(answers, [false, true], "a NAT gateway has a port of its own");
    }

    #[test]
    fn a_neighbour_may_be_asked_under_its_public_address() {
        let row = "from: web, to: 198.51.100.10, udp: 53";
        assert_eq!(probe(row, &[]).0, "10.0.1.10 > 198.51.100.10 in web.eth0 at 10.0.1.10");
    }
}

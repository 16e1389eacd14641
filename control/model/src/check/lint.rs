//! Warnings: labs that are allowed and probably not meant.

mod gateway;

use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::draft;
use crate::findings::{Code, Finding, Findings};
use crate::lab::{
    AclAction, AclEntry, Lab, NetworkAcl, Peer, SecurityGroup, SourceDestCheck, Target, Traffic, Vpc,
};

/// Ports that Linux takes for outgoing connections, `ip_local_port_range`; NA-10 gives the ranges of others.
const EPHEMERAL: RangeInclusive<u16> = 32768..=60999;

/// Warns about everything in the lab.
pub(super) fn lab(draft: &draft::Lab, lab: &Lab, found: &mut Findings) {
    for (name, draft) in draft.vpcs.objects() {
        let Some(vpc) = lab.vpcs.get(&name.value) else { continue };
        ipv6_egress(draft, vpc, found);
        ephemeral_ports(draft, vpc, found);
        checked_targets(draft, vpc, found);
        gateway::vpc(draft, lab, vpc, found);
    }
    gateway::return_routes(draft, lab, found);
}

/// Programs that try IPv6 first time out where only IPv4 is let out.
fn ipv6_egress(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    if vpc.ipv6_cidrs.is_empty() {
        return;
    }
    for (name, group) in draft.security_groups.objects() {
        let (Some(checked), Some(key)) = (vpc.security_groups.get(&name.value), group.egress.key()) else {
            continue;
        };
        if allows_everything(checked) && !mentions_ipv6(checked) {
            let message = format!(
                "security group `{}` lets everything out over IPv4 and nothing over IPv6",
                name.value
            );
            let help = "the VPC has IPv6: add `{ proto: all, to: \"::/0\" }`, or leave `egress` out for AWS's default";
            found.push(Finding::new(Code::SecurityGroupWithoutIpv6Egress, key, message).help(help));
        }
    }
}

fn allows_everything(group: &SecurityGroup) -> bool {
    group
        .egress
        .iter()
        .any(|r| r.traffic == Traffic::All && r.peer == Peer::Cidr(IpNet::V4(ipnet::Ipv4Net::default())))
}

fn mentions_ipv6(group: &SecurityGroup) -> bool {
    group.egress.iter().any(|rule| match &rule.peer {
        Peer::Cidr(net) => net.addr().is_ipv6(),
        Peer::Group(_) | Peer::PeeredGroup(_) | Peer::PrefixList(_) => true,
    })
}

/// A network ACL is stateless: what it lets in must be answered through its outbound entries (NA-10, NA-11).
fn ephemeral_ports(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    for (name, written) in draft.network_acls.objects() {
        let (Some(acl), Some(key)) =
            (vpc.network_acls.get(&name.value), written.egress.key().or_else(|| written.ingress.key()))
        else {
            continue;
        };
        for entry in acl.ingress.iter().filter(|e| e.action == AclAction::Allow) {
            let Some((protocol, service)) = service(&entry.traffic) else { continue };
            let Some(denied) = reply_denied(acl, protocol, entry.cidr) else { continue };
            let message = format!(
                "network ACL `{}` lets {service} in (entry {}), but replies to port {} of {} meet {}",
                name.value,
                entry.number,
                denied.port,
                entry.cidr,
                denied.by.map_or_else(|| "no outbound entry".to_owned(), |n| format!("outbound entry {n}"))
            );
            let help = format!(
                "replies go to ephemeral ports: add an outbound entry such as \
                 {{ rule: {}, action: allow, proto: {}, ports: 1024-65535, cidr: \"{}\" }}",
                free_number(acl, &denied, entry.number),
                protocol.name(),
                entry.cidr
            );
            found.push(Finding::new(Code::AclWithoutEphemeralPorts, key, message).help(help));
        }
    }
}

/// A reply that does not get out.
struct Denied {
    port: u16,
    /// Number of the entry that denies it, if not the final one.
    by: Option<u16>,
}

/// A number for a new outbound entry: before the one that denies, else that of the inbound entry or the next free one.
fn free_number(acl: &NetworkAcl, denied: &Denied, wanted: u16) -> u16 {
    let free = |number: &u16| acl.egress.iter().all(|e| e.number != *number);
    let before = denied.by.and_then(|by| (1..by).rev().find(free));
    before.or_else(|| (wanted..=32766).find(free)).unwrap_or(wanted)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// The service that an entry is about: its ports do not reach into the ephemeral ones, which are let in for replies.
fn service(traffic: &Traffic) -> Option<(Protocol, String)> {
    let (protocol, ports) = match traffic {
        Traffic::Tcp(ports) => (Protocol::Tcp, ports),
        Traffic::Udp(ports) => (Protocol::Udp, ports),
        Traffic::All | Traffic::Icmp(..) | Traffic::Icmpv6(..) | Traffic::Number(_) => return None,
    };
    let shown = if ports.start() == ports.end() {
        ports.start().to_string()
    } else {
        format!("{}-{}", ports.start(), ports.end())
    };
    (ports.end() < EPHEMERAL.start()).then(|| (protocol, format!("{}/{shown}", protocol.name())))
}

/// The first reply to an ephemeral port of `peer` that does not get out, if there is one.
fn reply_denied(acl: &NetworkAcl, protocol: Protocol, peer: IpNet) -> Option<Denied> {
    let relevant: Vec<(&AclEntry, RangeInclusive<u16>)> = acl
        .egress
        .iter()
        .filter(|e| e.cidr.contains(&peer) || peer.contains(&e.cidr))
        .filter_map(|e| ports_of(&e.traffic, protocol).map(|ports| (e, ports)))
        .collect();
    let mut starts: Vec<u16> =
        relevant.iter().flat_map(|(_, p)| [*p.start(), p.end().saturating_add(1)]).collect();
    starts.push(*EPHEMERAL.start());
    starts.sort_unstable();
    starts.into_iter().filter(|port| EPHEMERAL.contains(port)).find_map(|port| {
        let first = relevant.iter().find(|(_, ports)| ports.contains(&port)).map(|(entry, _)| entry);
        let allowed = first.is_some_and(|entry| entry.action == AclAction::Allow);
        (!allowed).then(|| Denied { port, by: first.map(|entry| entry.number) })
    })
}

fn ports_of(traffic: &Traffic, protocol: Protocol) -> Option<RangeInclusive<u16>> {
    match (traffic, protocol) {
        (Traffic::All, _) => Some(0..=u16::MAX),
        (Traffic::Tcp(ports), Protocol::Tcp) | (Traffic::Udp(ports), Protocol::Udp) => Some(ports.clone()),
        (
            Traffic::Tcp(_) | Traffic::Udp(_) | Traffic::Icmp(..) | Traffic::Icmpv6(..) | Traffic::Number(_),
            _,
        ) => None,
    }
}

/// An interface that checks source and destination drops what is routed to it for others (AD-23).
fn checked_targets(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    for (name, written) in draft.route_tables.objects() {
        let Some(table) = vpc.route_tables.get(&name.value) else { continue };
        for (route, target) in written.routes.items().filter_map(|r| target_of(r, vpc, table).map(|t| (r, t)))
        {
            let message =
                format!("`{target}` checks source and destination, so it drops what this route sends it");
            let spot = route.via.get().map_or(route.spot, |via| via.spot);
            let help = "an interface that forwards for others needs `source_dest_check: false`";
            found.push(Finding::new(Code::RouteToCheckedInterface, spot, message).help(help));
        }
    }
}

/// `INSTANCE.DEVICE` that the route leads to, if that checks.
fn target_of(draft: &draft::Route, vpc: &Vpc, table: &crate::lab::RouteTable) -> Option<String> {
    let via = &draft.via.get()?.value;
    table.routes.iter().find_map(|route| {
        let Target::Interface(interface) = &route.target else { return None };
        let shown = format!("{}.{}", interface.instance, interface.device);
        let named = via.ends_with(&format!("/{shown}")) || via.ends_with(&format!("/{}", interface.instance));
        let instance = vpc.instances.get(&interface.instance)?;
        let body = instance.interfaces.iter().find(|i| i.device == interface.device)?;
        (named && body.source_dest_check == SourceDestCheck::On).then_some(shown)
    })
}

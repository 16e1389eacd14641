//! One packet on its way from gate to gate.
//!
//! Out of the sender: E1 source check, E2 reserved destinations, E3 group gate, E4 neighbours, E5 network ACL, its
//! record, E6 route, E7 target and MTU. Into the receiver: I2 network ACL, I3 destination check, I4 group gate, its
//! record (OR-01 to OR-05). What a target does is in `internet`, `nat` and `peering`.

use std::net::IpAddr;

use model::lab::{AclAction, Host, Interface, Lab, NatGateway, Peering, PeeringState, Target, Vpc};
use wire::Parsed;

use crate::flow::Flow;
use crate::group::{Side, Tracks};
use crate::translation::Translation;
use crate::verdict::{
    Action, Answer, Direction, Lease, Leases, NO_ROUTE, Outcome, Packet, Reason, Record, Step, StepKind,
    Verdict,
};
use crate::way::{Holder, Port, Way, find, has_check_off, holder, in_subnet, in_vpc};
use crate::{acl, gate, reserved, rewrite};

/// Gateways and connections that a packet may go through: NAT gateway, internet gateway and another one back in, with room.
const HOPS: u8 = 8;

/// Bytes of IP and TCP headers without options: what an MTU leaves is the MSS (RFC 9293 section 3.7.1, MT-08).
const HEADERS_V4: u16 = 40;
const HEADERS_V6: u16 = 60;

/// Where a packet arrived, or why it did not.
pub(crate) type End<'a> = Result<Place<'a>, Loss>;

/// Where a packet arrived.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Host(&'a Host),
    Interface(Port<'a>),
}

/// Where and why a packet is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    reason: Reason,
    at: Option<String>,
}

impl Loss {
    pub(crate) fn at(interface: &str, reason: Reason) -> Self {
        Self { reason, at: Some(interface.to_owned()) }
    }

    pub(crate) const fn between(reason: Reason) -> Self {
        Self { reason, at: None }
    }
}

/// Where a packet comes from at its next gate.
#[derive(Clone, Copy)]
pub(crate) struct Hop<'a> {
    /// VPC and subnet that it left; none from the router and from the internet.
    pub(crate) from: Option<(&'a Vpc, &'a str)>,
    /// The interface that sent it, unless a translation hides it.
    pub(crate) sender: Option<(&'a Vpc, &'a Interface)>,
    /// Whether the next gate tracks its flow whatever the rules say (SG-16).
    pub(crate) tracks: Tracks,
    /// The NAT gateway that sent it on.
    pub(crate) nat: Option<&'a NatGateway>,
}

impl Hop<'_> {
    /// Whether it comes from this very subnet, so that no boundary is crossed.
    pub(crate) fn is_in(&self, vpc: &Vpc, subnet: &str) -> bool {
        self.from.is_some_and(|(home, own)| home.name == vpc.name && own == subnet)
    }
}

/// One packet under way, with what it has met so far.
pub(crate) struct Walk<'a> {
    pub(crate) lab: &'a Lab,
    /// As gateways have left it.
    pub(crate) parsed: Parsed,
    pub(crate) now_ns: u64,
    pub(crate) flows: &'a mut Vec<Flow>,
    pub(crate) translations: &'a mut Vec<Translation>,
    pub(crate) leases: Leases<'a>,
    pub(crate) trail: Vec<Step>,
    pub(crate) records: Vec<Record>,
    pub(crate) hops: u8,
    /// Its source when it was sent.
    pub(crate) like: IpAddr,
    /// NAT gateways that it reached: id, and primary address as the sender's family shows it.
    pub(crate) gateways: Vec<(String, IpAddr)>,
    /// Bytes that a packet of the sender's family may have on the way so far.
    pub(crate) narrowest: u16,
    pub(crate) leased: Vec<Lease>,
    /// The first place where it has to be fragmented.
    pub(crate) split: Option<Split>,
    pub(crate) answer: Option<Answer>,
}

/// A place where a packet has to be fragmented.
pub(crate) struct Split {
    /// What its sender would be told if it could not be.
    pub(crate) answer: Answer,
    /// How many records come before.
    pub(crate) records: usize,
}

impl<'a> Walk<'a> {
    /// E1 to E7, then wherever that leads.
    pub(crate) fn start_at_instance(&mut self, packet: &Packet<'_>) -> End<'a> {
        let lab = self.lab;
        let vpc = lab.vpcs.get(packet.vpc).ok_or(Loss::between(Reason::UnknownSender))?;
        let sender = find(vpc, packet.at).ok_or(Loss::between(Reason::UnknownSender))?.interface;
        self.source_check(sender)?;
        self.reserved(vpc)?;
        let way = self.way_of(vpc, sender);
        self.leave(vpc, sender, way)?;
        let hop = Hop {
            from: Some((vpc, &sender.subnet)),
            sender: Some((vpc, sender)),
            tracks: Tracks::ByRule,
            nat: None,
        };
        self.follow(vpc, hop, way)
    }

    /// I2 to I4 for what the implicit router sends; it stands outside every subnet.
    pub(crate) fn start_at_router(&mut self, packet: &Packet<'_>) -> End<'a> {
        let lab = self.lab;
        let vpc = lab.vpcs.get(packet.vpc).ok_or(Loss::between(Reason::NoSuchDestination))?;
        let receiver = find(vpc, packet.at).ok_or(Loss::between(Reason::NoSuchDestination))?;
        let router = Hop { from: None, sender: None, tracks: Tracks::ByRule, nat: None };
        self.enter(receiver, router)
    }

    /// E1 (AD-23); not logged (AD-25).
    fn source_check(&mut self, sender: &Interface) -> Result<(), Loss> {
        if has_check_off(sender) || sender.owns(self.parsed.tuple.src) {
            return Ok(());
        }
        self.trail.push(Step::one(StepKind::SourceCheck, &sender.id));
        Err(Loss::at(&sender.id, Reason::SourceDestCheck))
    }

    /// E2: destinations that the VPC forwards to nobody.
    pub(crate) fn reserved(&self, vpc: &Vpc) -> Result<(), Loss> {
        let destination = self.parsed.tuple.dst;
        if reserved::is_multicast_or_broadcast(vpc, destination) {
            return Err(Loss::between(Reason::MulticastOrBroadcast));
        }
        if reserved::is_reserved(vpc, destination) {
            return Err(Loss::between(Reason::ReservedAddress));
        }
        Ok(())
    }

    /// The way out of an instance: what a NAT gateway sent over a peering connection is answered over it (NG-18).
    fn way_of(&self, vpc: &'a Vpc, sender: &Interface) -> Way<'a> {
        let subnet = &vpc.subnets[&sender.subnet];
        let destination = self.parsed.tuple.dst;
        let back = self.connection_back(vpc).filter(|_| !in_subnet(subnet, destination));
        back.map_or_else(|| Way::out(self.lab, vpc, subnet, destination), Way::Return)
    }

    fn connection_back(&self, vpc: &Vpc) -> Option<&'a Peering> {
        let answered = self.parsed.about().unwrap_or_else(|| self.parsed.tuple.reversed());
        let elsewhere = |t: &&Translation| vpc.nat_gateways.values().all(|own| own.id != t.gateway);
        let known = self.translations.iter().filter(|t| t.outer == answered).filter(elsewhere);
        let mut over = known.filter_map(|t| self.lab.peerings.get(t.peering.as_ref()?));
        over.find(|p| p.state == PeeringState::Active && p.other_side(&vpc.name).is_some())
    }

    /// E3 to E5 and the sender's record (FL-36, OR-01).
    fn leave(&mut self, vpc: &'a Vpc, sender: &'a Interface, way: Way<'a>) -> Result<(), Loss> {
        let group = Side {
            lab: self.lab,
            vpc,
            interface: sender,
            direction: Direction::Egress,
            sender: Some((vpc, sender)),
            peer: way.peer(self.lab, vpc),
            gateway: way.tracks(),
        };
        let passed = self.group_gate(&group).and_then(|()| match way.leaves_subnet(vpc, &sender.subnet) {
            true => self.acl_gate(vpc, &sender.subnet, &sender.id, Direction::Egress),
            false => Ok(()),
        });
        self.record(&sender.id, Direction::Egress, &passed, way.traffic_path(self.lab));
        passed
    }

    /// E6 and E7: whatever the way leads to. Nothing lost here is a REJECT (FL-46, OR-02).
    pub(crate) fn follow(&mut self, vpc: &'a Vpc, hop: Hop<'a>, way: Way<'a>) -> End<'a> {
        let target = match way {
            Way::SameSubnet => &Target::Local,
            Way::NoRoute => {
                self.trail.push(Step::one(StepKind::Route, NO_ROUTE));
                return Err(Loss::between(Reason::NoRoute));
            }
            Way::Return(peering) => return self.cross(vpc, hop, peering),
            Way::Routed(route) => {
                self.trail.push(Step::one(StepKind::Route, &route.id));
                &route.target
            }
        };
        match target {
            Target::Blackhole => Err(Loss::between(Reason::Blackhole)),
            Target::EgressOnlyInternetGateway => self.leave_egress_only(vpc),
            Target::Interface(name) => self.deliver(vpc, find(vpc, name).map(Holder::Instance), hop),
            Target::InternetGateway => self.leave_by_gateway(vpc),
            Target::Local => self.deliver(vpc, holder(vpc, self.parsed.tuple.dst), hop),
            Target::NatGateway(name) => self.enter_nat(vpc, &vpc.nat_gateways[name], hop),
            Target::Peering(name) => self.cross(vpc, hop, &self.lab.peerings[name]),
        }
    }

    /// Over a peering connection, which leads from the one VPC's blocks into the other's and no further (PC-09 to PC-11).
    fn cross(&mut self, vpc: &'a Vpc, hop: Hop<'a>, peering: &'a Peering) -> End<'a> {
        if peering.state != PeeringState::Active {
            return Err(Loss::between(Reason::Blackhole));
        }
        self.count_hop()?;
        self.trail.push(Step::one(StepKind::Peering, &peering.id));
        let tuple = self.parsed.tuple;
        let other = peering.other_side(&vpc.name).and_then(|name| self.lab.vpcs.get(name));
        let peer = other.filter(|peer| in_vpc(vpc, tuple.src) && in_vpc(peer, tuple.dst));
        let peer = peer.ok_or(Loss::between(Reason::PeeringCidr))?;
        self.fits(peering.mtu())?;
        if let Some(gateway) = hop.nat {
            let sent = self.translations.iter_mut().find(|t| t.gateway == gateway.id && t.outer == tuple);
            sent.into_iter().for_each(|t| t.peering = Some(peering.name.clone()));
        }
        self.deliver(peer, holder(peer, tuple.dst), Hop { nat: None, ..hop })
    }

    /// To whoever has the address.
    pub(crate) fn deliver(&mut self, vpc: &'a Vpc, to: Option<Holder<'a>>, hop: Hop<'a>) -> End<'a> {
        match to.ok_or(Loss::between(Reason::NoSuchDestination))? {
            Holder::Instance(port) => {
                self.fits_interface(port.interface)?;
                self.enter(port, hop)
            }
            Holder::NatGateway(gateway) => self.enter_nat(vpc, gateway, hop),
        }
    }

    /// MT-05; what may be fragmented goes on in pieces.
    pub(crate) fn fits(&mut self, mtu: u16) -> Result<(), Loss> {
        match self.passes(mtu) {
            true => Ok(()),
            false => Err(Loss::between(Reason::TooBig)),
        }
    }

    fn fits_interface(&mut self, receiver: &Interface) -> Result<(), Loss> {
        match self.passes(receiver.mtu) {
            true => Ok(()),
            false => Err(Loss::at(&receiver.id, Reason::TooBig)),
        }
    }

    fn passes(&mut self, mtu: u16) -> bool {
        let for_sender = rewrite::mtu_for(self.like, self.parsed.tuple.src, mtu);
        self.narrowest = self.narrowest.min(for_sender);
        if self.parsed.longest <= u32::from(mtu) {
            return true;
        }
        let by = self.gateways.last().map(|(_, address)| *address);
        let answer = Answer::TooBig { mtu: for_sender, by };
        if self.parsed.dont_fragment {
            self.answer = Some(answer);
        } else if self.split.is_none() {
            self.split = Some(Split { answer, records: self.records.len() });
        }
        !self.parsed.dont_fragment
    }

    pub(crate) const fn count_hop(&mut self) -> Result<(), Loss> {
        self.hops += 1;
        if self.hops > HOPS { Err(Loss::between(Reason::RoutingLoop)) } else { Ok(()) }
    }

    /// I2 to I4 and the receiver's record, which a packet refused by the destination check does not get.
    fn enter(&mut self, port: Port<'a>, hop: Hop<'a>) -> End<'a> {
        let Port { vpc, interface: receiver, .. } = port;
        if !hop.is_in(vpc, &receiver.subnet) {
            let passed = self.acl_gate(vpc, &receiver.subnet, &receiver.id, Direction::Ingress);
            if passed.is_err() {
                self.record(&receiver.id, Direction::Ingress, &passed, None);
            }
            passed?;
        }
        self.dest_check(receiver)?;
        let group = Side {
            lab: self.lab,
            vpc,
            interface: receiver,
            direction: Direction::Ingress,
            sender: hop.sender,
            peer: None,
            gateway: hop.tracks,
        };
        let passed = self.group_gate(&group);
        self.record(&receiver.id, Direction::Ingress, &passed, None);
        passed.map(|()| Place::Interface(port))
    }

    /// I3 (AD-23, AD-24).
    fn dest_check(&mut self, receiver: &Interface) -> Result<(), Loss> {
        if has_check_off(receiver) || receiver.owns(self.parsed.tuple.dst) {
            return Ok(());
        }
        self.trail.push(Step::one(StepKind::DestCheck, &receiver.id));
        Err(Loss::at(&receiver.id, Reason::SourceDestCheck))
    }

    fn group_gate(&mut self, side: &Side<'_>) -> Result<(), Loss> {
        let answer = gate::judge(self.flows, side, &self.parsed, self.now_ns);
        self.trail.push(answer.step);
        answer.refusal.map_or(Ok(()), |reason| Err(Loss::at(&side.interface.id, reason)))
    }

    pub(crate) fn acl_gate(
        &mut self,
        vpc: &Vpc,
        subnet: &str,
        interface: &str,
        direction: Direction,
    ) -> Result<(), Loss> {
        let acl = &vpc.network_acls[&vpc.subnets[subnet].network_acl];
        let said = acl::judge(acl, direction, &self.parsed);
        let kind = match direction {
            Direction::Egress => StepKind::NaclEgress,
            Direction::Ingress => StepKind::NaclIngress,
        };
        self.trail.push(Step::one(kind, said.decided_by));
        match said.action {
            AclAction::Allow => Ok(()),
            AclAction::Deny => Err(Loss::at(interface, Reason::NetworkAcl)),
        }
    }

    pub(crate) fn record(
        &mut self,
        interface: &str,
        direction: Direction,
        passed: &Result<(), Loss>,
        traffic_path: Option<u8>,
    ) {
        let action = if passed.is_ok() { Action::Accept } else { Action::Reject };
        let (interface_id, tuple, bytes) = (interface.to_owned(), self.parsed.tuple, self.parsed.wire_bytes);
        self.records.push(Record { interface_id, direction, action, traffic_path, tuple, bytes });
    }

    pub(crate) fn verdict(self, end: End<'_>) -> Verdict {
        let outcome = match end {
            Ok(Place::Interface(Port { vpc, instance, interface })) => {
                let (instance, device) = (instance.to_owned(), interface.device.clone());
                Outcome::Delivered { to: (vpc.name.clone(), model::lab::InterfaceRef { instance, device }) }
            }
            Ok(Place::Host(host)) => Outcome::DeliveredToHost { host: host.name.clone() },
            Err(Loss { reason, at }) => Outcome::Dropped { reason, at },
        };
        let (tuple, about) = (self.parsed.tuple, self.parsed.about());
        let headers = if self.like.is_ipv4() { HEADERS_V4 } else { HEADERS_V6 };
        let mss = self.gateways.first().map(|_| self.narrowest.saturating_sub(headers));
        let Self { trail, records, answer, leased: leases, .. } = self;
        Verdict { outcome, tuple, about, mss, answer, leases, trail, records }
    }
}

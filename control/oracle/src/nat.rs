//! NAT gateways: what they translate, and what they drop (NG-01 to NG-23).
//!
//! Into the gateway's interface: network ACL, record, translation. Out of it: network ACL, record, route table of its own
//! subnet. There is no security group (NG-05); each packet has two records (OR-10, OR-11).

use std::net::{IpAddr, Ipv4Addr};

use model::lab::{NatGateway, Vpc};
use wire::{FiveTuple, Transport, icmp_query_reply, proto};

use crate::flow::is_syn;
use crate::group::Tracks;
use crate::rewrite;
use crate::translation::{Translation, is_possible, lowest};
use crate::verdict::{Answer, Direction, Lease, Leases, Reason, Step, StepKind};
use crate::walk::{End, Hop, Loss, Walk};
use crate::way::{Way, in_subnet};

/// Bytes of an IP packet that a NAT gateway takes (MT-02).
const MTU: u16 = 8500;

impl<'a> Walk<'a> {
    /// From the way into the gateway, through it, and on.
    pub(crate) fn enter_nat(&mut self, vpc: &'a Vpc, gateway: &'a NatGateway, hop: Hop<'a>) -> End<'a> {
        self.count_hop()?;
        self.fits(MTU)?;
        let subnet = &vpc.subnets[&gateway.subnet];
        let passed = match hop.is_in(vpc, &gateway.subnet) {
            true => Ok(()),
            false => self.acl_gate(vpc, &gateway.subnet, &gateway.interface_id, Direction::Ingress),
        };
        self.record(&gateway.interface_id, Direction::Ingress, &passed, None);
        passed?;
        self.trail.push(Step::one(StepKind::NatGateway, &gateway.id));
        let tracks_client = self.translate(vpc, gateway, hop)?;
        self.reserved(vpc)?;
        let way = Way::out(self.lab, vpc, subnet, self.parsed.tuple.dst);
        let passed = match way.leaves_subnet(vpc, &gateway.subnet) {
            true => self.acl_gate(vpc, &gateway.subnet, &gateway.interface_id, Direction::Egress),
            false => Ok(()),
        };
        self.record(&gateway.interface_id, Direction::Egress, &passed, way.traffic_path(self.lab));
        passed?;
        let from = Hop {
            from: Some((vpc, &gateway.subnet)),
            sender: None,
            tracks: tracks_client,
            nat: Some(gateway),
        };
        self.follow(vpc, from, way)
    }

    /// Translates the packet; says whether it now goes to a client, whose flow is tracked in any case (SG-16).
    fn translate(&mut self, vpc: &Vpc, gateway: &NatGateway, hop: Hop<'_>) -> Result<Tracks, Loss> {
        if self.parsed.fragment.is_some() && self.parsed.tuple.proto != proto::UDP {
            return Err(Loss::between(Reason::NatFragment));
        }
        self.stays_whole(gateway)?;
        self.forward(gateway)?;
        if matches!(self.parsed.tuple.dst, IpAddr::V4(own) if gateway.owns(own)) {
            return self.translate_reply(gateway).map(|()| Tracks::Always);
        }
        self.translate_request(vpc, gateway, hop).map(|()| Tracks::ByRule)
    }

    /// As IPv6 nobody may fragment a packet, so it is refused where it would have been.
    fn stays_whole(&mut self, gateway: &NatGateway) -> Result<(), Loss> {
        let answered = self.parsed.about().unwrap_or_else(|| self.parsed.tuple.reversed());
        let mut known = self.translations.iter().filter(|t| t.gateway == gateway.id && t.outer == answered);
        let becomes_v6 = known.any(|t| t.inner.src.is_ipv6());
        let Some(split) = self.split.as_ref().filter(|_| becomes_v6) else { return Ok(()) };
        self.records.truncate(split.records);
        self.answer = Some(split.answer);
        Err(Loss::between(Reason::TooBig))
    }

    /// Takes one off the time to live (AD-27).
    fn forward(&mut self, gateway: &NatGateway) -> Result<(), Loss> {
        let primary = gateway.addresses.first().map_or(Ipv4Addr::UNSPECIFIED, |address| address.private_ip);
        let by = if self.like.is_ipv4() { primary.into() } else { rewrite::embed(primary).into() };
        if self.parsed.ttl <= 1 {
            self.answer = Some(Answer::Expired { by });
            return Err(Loss::between(Reason::TtlExceeded));
        }
        self.parsed.ttl -= 1;
        self.gateways.push((gateway.id.clone(), by));
        Ok(())
    }

    /// Only the exact remote endpoint of a live connection gets through to the inside (NG-09, NG-12).
    fn translate_reply(&mut self, gateway: &NatGateway) -> Result<(), Loss> {
        let unsolicited = Loss::between(Reason::NatUnsolicited);
        let (tuple, about) = (self.parsed.tuple, self.parsed.about());
        let answered = about.unwrap_or_else(|| tuple.reversed());
        let known = self.translations.iter_mut().find(|t| t.gateway == gateway.id && t.outer == answered);
        let Some(known) = known else { return Err(unsolicited) };
        let inner = known.inner;
        if about.is_none() {
            known.observe(Direction::Ingress, &self.parsed, self.now_ns);
            rewrite::whole(&mut self.parsed, inner.reversed());
            return Ok(());
        }
        // An error may come from a router on the way; NAT64 shows its address as any other (RFC 7915 section 4.2).
        let from = match (tuple.src, inner.src) {
            (IpAddr::V4(router), IpAddr::V6(_)) => IpAddr::V6(rewrite::embed(router)),
            (router, _) => router,
        };
        rewrite::error(&mut self.parsed, from, inner.src, inner).ok_or(Loss::between(Reason::NatProtocol))
    }

    fn translate_request(&mut self, vpc: &Vpc, gateway: &NatGateway, hop: Hop<'_>) -> Result<(), Loss> {
        let remote = self.remote(vpc, hop)?;
        let tuple = self.parsed.tuple;
        if let Some(about) = self.parsed.about() {
            return self.translate_error(gateway, about);
        }
        let known = self.translations.iter().position(|t| t.gateway == gateway.id && t.inner == tuple);
        let known = match known {
            Some(known) => known,
            None => self.connect(gateway, remote)?,
        };
        let Some(known) = self.translations.get_mut(known) else {
            return Err(Loss::between(Reason::NatWithoutTranslation));
        };
        known.observe(Direction::Egress, &self.parsed, self.now_ns);
        let outer = known.outer;
        rewrite::whole(&mut self.parsed, outer);
        Ok(())
    }

    /// The IPv4 address that the packet is for (NG-20, NG-22).
    fn remote(&self, vpc: &Vpc, hop: Hop<'_>) -> Result<Ipv4Addr, Loss> {
        let destination = match self.parsed.tuple.dst {
            IpAddr::V4(remote) => return Ok(remote),
            IpAddr::V6(destination) => destination,
        };
        let remote = rewrite::embedded(destination).ok_or(Loss::between(Reason::NatIpv6))?;
        let own = hop.from.filter(|(home, _)| home.name == vpc.name).map(|(_, subnet)| &vpc.subnets[subnet]);
        match own {
            Some(subnet) if in_subnet(subnet, IpAddr::V4(remote)) => Err(Loss::between(Reason::NatIpv6)),
            _ => Ok(remote),
        }
    }

    /// An error from the inside about a packet that the gateway delivered there (NG-29).
    fn translate_error(&mut self, gateway: &NatGateway, about: FiveTuple) -> Result<(), Loss> {
        let delivered = about.reversed();
        let known = self.translations.iter().find(|t| t.gateway == gateway.id && t.inner == delivered);
        let outer = known.ok_or(Loss::between(Reason::NatWithoutTranslation))?.outer;
        rewrite::error(&mut self.parsed, outer.src, outer.dst, outer.reversed())
            .ok_or(Loss::between(Reason::NatProtocol))
    }

    /// A new connection, if the packet may begin one and a port is left (NG-04, NG-06, NG-08, NG-10).
    fn connect(&mut self, gateway: &'_ NatGateway, remote: Ipv4Addr) -> Result<usize, Loss> {
        if self.gateways.iter().filter(|(known, _)| *known == gateway.id).count() > 1 {
            // It has been here already, as somebody else (RT-24).
            return Err(Loss::between(Reason::RoutingLoop));
        }
        self.may_begin()?;
        let inner = self.parsed.tuple;
        let protocol = rewrite::protocol_for(inner.proto, true);
        let wanted = FiveTuple {
            src: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            dst: IpAddr::V4(remote),
            src_port: 0,
            dst_port: rewrite::far_port(inner.dst_port, protocol),
            proto: protocol,
        };
        let outer = self.lease(gateway, inner, wanted)?;
        self.leased.push(Lease { gateway: gateway.id.clone(), inner, outer });
        self.translations.push(Translation::new(&gateway.id, inner, outer));
        Ok(self.translations.len() - 1)
    }

    fn may_begin(&mut self) -> Result<(), Loss> {
        let reason = match self.parsed.transport {
            Transport::Tcp { .. } if is_syn(self.parsed.transport) => return Ok(()),
            Transport::Tcp { .. } => {
                self.answer = Some(Answer::Reset);
                Reason::NatWithoutTranslation
            }
            Transport::Icmp { icmp_type, .. } => match icmp_query_reply(self.parsed.tuple.proto, icmp_type) {
                Some((_, false)) => return Ok(()),
                Some((_, true)) => Reason::NatWithoutTranslation,
                None => Reason::NatProtocol,
            },
            Transport::Later => Reason::NatFragment,
            Transport::Udp => return Ok(()),
            Transport::Other => Reason::NatProtocol,
        };
        Err(Loss::between(reason))
    }

    /// `wanted` with the source that the new connection gets.
    fn lease(&self, gateway: &NatGateway, inner: FiveTuple, wanted: FiveTuple) -> Result<FiveTuple, Loss> {
        let lowest = lowest(self.translations, gateway, wanted);
        let given: Option<&Lease> = match self.leases {
            Leases::Lowest => return lowest.ok_or(Loss::between(Reason::NatPortsExhausted)),
            Leases::These(leases) => {
                leases.iter().find(|lease| lease.gateway == gateway.id && lease.inner == inner)
            }
        };
        match given {
            None if lowest.is_none() => Err(Loss::between(Reason::NatPortsExhausted)),
            Some(lease) if is_possible(self.translations, gateway, wanted, lease.outer) => Ok(lease.outer),
            None | Some(_) => Err(Loss::between(Reason::ImpossibleLease)),
        }
    }
}

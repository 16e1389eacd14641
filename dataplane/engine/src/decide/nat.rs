//! NAT gateways: what they translate, and what they drop (NG-01 to NG-23, NG-29).
//!
//! Into the gateway's interface: network ACL, record, translation. Out of it: network ACL, record, route table of its own
//! subnet. There is no security group (NG-05); each packet has two records (OR-10, OR-11).

use std::net::{IpAddr, Ipv4Addr};

use snapshot::{InterfaceIx, NatGatewayIx, Part};
use wire::{FiveTuple, icmp_query_reply, proto};

use super::decision::Refusal;
use super::facts::Piece;
use super::group::Tracks;
use super::nat64::{embed, embedded, far_port, over_ipv4};
use super::{Boundary, Hop, Opening, Passage, Site, Stage, Stateful, StepKind, Walk, refuse};
use crate::{Action, Direction, DropReason};

impl<'a> Walk<'a> {
    /// Into the gateway, through it, and on.
    pub(super) fn through_nat(
        &mut self,
        site: &Site<'a>,
        gateway: NatGatewayIx,
        hop: Hop<'a>,
    ) -> Result<Stage<'a>, Refusal> {
        self.count_hop()?;
        self.narrow(site.interface.mtu);
        let passed = self.cross_into(site, &hop);
        self.tap(site.ix, Direction::Ingress, action_of(&passed), None);
        passed?;
        self.depend(Part::NatGateway(gateway));
        self.note(
            Some(site.ix),
            StepKind::NatGateway,
            self.snapshot.nat_gateway(gateway).map(|gateway| gateway.name),
        );
        let tracks = self.translate(site, &hop)?;
        self.check_reserved(site)?;
        self.leave_nat(site, tracks)
    }

    fn leave_nat(&mut self, site: &Site<'a>, tracks: Tracks) -> Result<Stage<'a>, Refusal> {
        let onward = self.onward(site.subnet);
        let passed = match self.boundary(onward, site.interface.subnet) {
            Boundary::Crossed => self.cross_acl(site.ix, site.subnet, Direction::Egress),
            Boundary::Within => Ok(()),
        };
        self.tap(site.ix, Direction::Egress, action_of(&passed), self.traffic_path(onward));
        passed?;
        let from = Some(site.interface.subnet);
        self.follow(site, onward, Hop { from, sender: None, tracks, nat: Some(site.ix) })
    }

    /// Translates the packet; says whether it now goes to a client, whose flow is tracked in any case (SG-16).
    fn translate(&mut self, site: &Site<'_>, hop: &Hop<'_>) -> Result<Tracks, Refusal> {
        if self.facts.piece != Piece::Whole && self.here.tuple.proto != proto::UDP {
            return refuse(DropReason::NatFragment, None);
        }
        let address = site.interface.ipv4.first().copied();
        self.count_forwarder(address.unwrap_or(Ipv4Addr::UNSPECIFIED));
        if site.interface.owns(self.here.tuple.dst) {
            return self.translate_reply(site.ix).map(|()| Tracks::Always);
        }
        self.translate_request(site, hop).map(|()| Tracks::ByRule)
    }

    /// Only the exact remote endpoint of a live connection gets through to the inside (NG-09, NG-12).
    fn translate_reply(&mut self, nat: InterfaceIx) -> Result<(), Refusal> {
        let gateway = Stateful::Nat(nat);
        let (tuple, about) = (self.here.tuple, self.here.about);
        let outer = about.unwrap_or_else(|| tuple.reversed());
        let Some(inner) = self.inner_of(gateway, &outer) else {
            return refuse(DropReason::NatUnsolicited, None);
        };
        if about.is_none() {
            let direction = Direction::Ingress;
            self.begin_path().passages.push(Passage { gateway, inner, outer, direction, over: None });
            self.change(|here| here.set_tuple(inner.reversed()));
            return Ok(());
        }
        // A router on the way shows its address as any other (RFC 7915 section 4.2).
        let from = match (tuple.src, inner.src) {
            (IpAddr::V4(router), IpAddr::V6(_)) => embed(router).into(),
            (router, _) => router,
        };
        self.set_error(from, inner.src, inner)
    }

    fn translate_request(&mut self, site: &Site<'_>, hop: &Hop<'_>) -> Result<(), Refusal> {
        let remote = self.remote(hop)?;
        let gateway = Stateful::Nat(site.ix);
        if let Some(about) = self.here.about {
            // An error from the inside about a packet that the gateway delivered there (NG-29).
            let Some(outer) = self.outer_of(gateway, &about.reversed()) else {
                return refuse(DropReason::NatWithoutTranslation, None);
            };
            return self.set_error(outer.src, outer.dst, outer.reversed());
        }
        let inner = self.here.tuple;
        let outer = match self.outer_of(gateway, &inner) {
            Some(outer) => outer,
            None => self.connect(site, remote)?,
        };
        let direction = Direction::Egress;
        self.begin_path().passages.push(Passage { gateway, inner, outer, direction, over: None });
        self.change(|here| here.set_tuple(outer));
        Ok(())
    }

    fn set_error(&mut self, src: IpAddr, dst: IpAddr, about: FiveTuple) -> Result<(), Refusal> {
        let mut known = None;
        self.change(|here| known = here.set_error(src, dst, about));
        match known {
            Some(()) => Ok(()),
            None => refuse(DropReason::NatProtocol, None),
        }
    }

    /// The IPv4 address that the packet is for (NG-20, NG-22).
    fn remote(&self, hop: &Hop<'_>) -> Result<Ipv4Addr, Refusal> {
        let destination = match self.here.tuple.dst {
            IpAddr::V4(remote) => return Ok(remote),
            IpAddr::V6(destination) => destination,
        };
        let own = hop.from.and_then(|subnet| self.snapshot.subnet(subnet));
        let remote = embedded(destination)
            .filter(|remote| own.is_none_or(|subnet| !subnet.contains(IpAddr::V4(*remote))));
        remote.map_or_else(|| refuse(DropReason::NatIpv6, None), Ok)
    }

    /// The tuple of a new connection, if the packet may begin one and a port is left (NG-04 to NG-08, NG-10).
    fn connect(&mut self, site: &Site<'_>, remote: Ipv4Addr) -> Result<FiveTuple, Refusal> {
        let again = |passage: &Passage| passage.gateway == Stateful::Nat(site.ix);
        if self.passages().iter().any(again) {
            // It has been here already, as somebody else.
            return refuse(DropReason::RoutingLoop, None);
        }
        self.may_begin()?;
        let inner = self.here.tuple;
        let proto = over_ipv4(inner.proto);
        let wanted = FiveTuple {
            src: Ipv4Addr::UNSPECIFIED.into(),
            dst: remote.into(),
            src_port: 0,
            dst_port: far_port(inner.dst_port, proto),
            proto,
        };
        match self.tracked.lease(site.ix, &site.interface.ipv4, &wanted) {
            Some((address, port)) => Ok(FiveTuple { src: address.into(), src_port: port, ..wanted }),
            None => refuse(DropReason::NatPortsExhausted, None),
        }
    }

    fn may_begin(&self) -> Result<(), Refusal> {
        let tuple = self.here.tuple;
        let reason = match tuple.proto {
            proto::TCP if self.facts.opening == Opening::Fresh => return Ok(()),
            proto::TCP => DropReason::NatWithoutTranslation,
            proto::UDP if self.facts.piece != Piece::Later => return Ok(()),
            proto::UDP => DropReason::NatFragment,
            proto::ICMP | proto::ICMPV6 => {
                let [icmp_type, _] = self.here.selector.to_be_bytes();
                match icmp_query_reply(tuple.proto, icmp_type) {
                    Some((_, false)) => return Ok(()),
                    Some((_, true)) => DropReason::NatWithoutTranslation,
                    None => DropReason::NatProtocol,
                }
            }
            _ => DropReason::NatProtocol,
        };
        refuse(reason, None)
    }

    fn passages(&self) -> &[Passage] {
        self.path.as_ref().map_or(&[], |path| &path.passages)
    }

    /// What the gateway made of the inside's packets with this tuple, before or just now.
    pub(super) fn outer_of(&self, gateway: Stateful, inner: &FiveTuple) -> Option<FiveTuple> {
        let now = self.passages().iter().find(|p| p.gateway == gateway && p.inner == *inner);
        now.map(|passage| passage.outer).or_else(|| self.tracked.outer_of(gateway, inner))
    }

    /// Whose packets leave the gateway with this tuple.
    fn inner_of(&self, gateway: Stateful, outer: &FiveTuple) -> Option<FiveTuple> {
        let now = self.passages().iter().find(|p| p.gateway == gateway && p.outer == *outer);
        now.map(|passage| passage.inner).or_else(|| self.tracked.inner_of(gateway, outer))
    }
}

const fn action_of(passed: &Result<(), Refusal>) -> Action {
    if passed.is_ok() { Action::Accept } else { Action::Reject }
}

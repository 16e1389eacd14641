//! Security-group rules, without state: which of them allow a packet, and whether its flow goes untracked.

use std::net::IpAddr;

use ipnet::IpNet;
use model::lab::{GroupRule, Interface, Lab, Peer, PeeredGroup, Tracking, Vpc};
use wire::{FiveTuple, Parsed, proto};

use crate::traffic::{covers, covers_all_ports, icmp_of};
use crate::verdict::Direction;

/// One side of one packet: the interface whose groups are asked, and what they need to know.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) vpc: &'a Vpc,
    pub(crate) interface: &'a Interface,
    pub(crate) direction: Direction,
    /// The interface that sent the packet and its VPC; none when the router or the internet did, or a translation hides it.
    pub(crate) sender: Option<(&'a Vpc, &'a Interface)>,
    /// The VPC that the packet's route leads to over a peering connection.
    pub(crate) peer: Option<&'a Vpc>,
    /// Whether the flow goes through a gateway whose flows are tracked whatever the rules say (SG-16).
    pub(crate) gateway: Tracks,
}

/// Whether a gateway on the way makes flows tracked (SG-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracks {
    /// Flows through it are tracked.
    Always,
    /// The rules decide.
    ByRule,
}

impl<'a> Side<'a> {
    /// Ids of all rules of this direction that allow the packet, groups in the interface's order, rules as written.
    pub(crate) fn allowing(&self, parsed: &Parsed) -> Vec<String> {
        let allows = |rule: &&GroupRule| {
            self.is_peer(&rule.peer, parsed.tuple) && covers(&rule.traffic, parsed.tuple, icmp_of(parsed))
        };
        self.rules(self.direction).filter(allows).map(|rule| rule.id.clone()).collect()
    }

    /// SG-14: whether a TCP or UDP flow whose packets look like `tuple` in `direction`, that being the direction of its
    /// originator, is allowed by a rule open to the whole family while the other direction is open to it on all ports.
    pub(crate) fn is_untracked(&self, direction: Direction, tuple: FiveTuple) -> bool {
        let always = self.lab.settings.tracking == Tracking::All || self.gateway == Tracks::Always;
        if always || !matches!(tuple.proto, proto::TCP | proto::UDP) {
            return false;
        }
        let open_to_all = |rule: &&GroupRule| self.is_everyone(&rule.peer, tuple.src);
        let there = self.rules(direction).filter(open_to_all).any(|rule| covers(&rule.traffic, tuple, None));
        let back = self
            .rules(direction.opposite())
            .filter(open_to_all)
            .any(|rule| covers_all_ports(&rule.traffic, tuple.proto));
        there && back
    }

    /// The union of the interface's groups (SG-02).
    fn rules(&self, direction: Direction) -> impl Iterator<Item = &'a GroupRule> {
        let vpc = self.vpc;
        self.interface.security_groups.iter().flat_map(move |name| {
            let group = &vpc.security_groups[name];
            match direction {
                Direction::Egress => &group.egress,
                Direction::Ingress => &group.ingress,
            }
        })
    }

    fn is_peer(&self, peer: &Peer, tuple: FiveTuple) -> bool {
        let far = match self.direction {
            Direction::Egress => tuple.dst,
            Direction::Ingress => tuple.src,
        };
        match peer {
            Peer::Cidr(_) | Peer::PrefixList(_) => self.blocks(peer).iter().any(|block| block.contains(&far)),
            Peer::Group(name) => self.is_member(&self.vpc.name, name, far),
            Peer::PeeredGroup(PeeredGroup { vpc, group }) => {
                self.lab.peerings.values().any(|p| p.joins(&self.vpc.name, vpc) && p.carries_groups())
                    && self.is_member(vpc, group, far)
            }
        }
    }

    /// SG-08. Inbound, membership is that of the interface that sent the packet with an address of its own, so what a
    /// middlebox forwards is nobody's; outbound, that of the destination's owner, here or in the peer that the route leads to.
    fn is_member(&self, vpc: &str, group: &str, far: IpAddr) -> bool {
        let carrier = match self.direction {
            Direction::Egress => owner(self.vpc, far).or_else(|| owner(self.peer?, far)),
            Direction::Ingress => self.sender.filter(|(_, sender)| sender.owns(far)),
        };
        carrier.is_some_and(|(home, interface)| {
            home.name == vpc && interface.security_groups.iter().any(|name| name == group)
        })
    }

    /// Whether the peer is 0.0.0.0/0 or ::/0, whichever is of the family of `address` (AD-29).
    fn is_everyone(&self, peer: &Peer, address: IpAddr) -> bool {
        self.blocks(peer).iter().any(|block| block.prefix_len() == 0 && block.contains(&address))
    }

    /// The blocks that a peer stands for; a prefix list resolves to its entries (SG-11).
    fn blocks(&self, peer: &Peer) -> Vec<IpNet> {
        match peer {
            Peer::Cidr(block) => vec![*block],
            Peer::Group(_) | Peer::PeeredGroup(_) => Vec::new(),
            Peer::PrefixList(name) => self.lab.prefix_lists[name].entries.clone(),
        }
    }
}

fn owner(vpc: &Vpc, address: IpAddr) -> Option<(&Vpc, &Interface)> {
    vpc.owner_of(address).map(|(_, interface)| (vpc, interface))
}

//! What the rules and routes of one VPC may speak of.

use super::lab::{Lab, List, REGIONS, Vpc};

/// One VPC in its lab.
pub(super) struct View<'a> {
    pub(super) vpc: &'a Vpc,
    /// Those of its region.
    pub(super) lists: &'a [List],
    pub(super) peers: Vec<Peer<'a>>,
}

/// A VPC on the other side of a peering connection in any state.
pub(super) struct Peer<'a> {
    /// Name of the connection.
    pub(super) peering: &'a str,
    pub(super) vpc: &'a Vpc,
}

impl<'a> View<'a> {
    /// The `n`th VPC of `lab`.
    pub(super) fn of(lab: &'a Lab, n: usize) -> Self {
        let vpc = &lab.vpcs[n];
        let peers = lab.peerings.iter().filter_map(|peering| {
            let other = match (peering.requester == n, peering.accepter == n) {
                (true, _) => peering.accepter,
                (_, true) => peering.requester,
                (false, false) => return None,
            };
            Some(Peer { peering: &peering.name, vpc: &lab.vpcs[other] })
        });
        let lists = if vpc.region == REGIONS[0] { &lab.lists[..] } else { &[] };
        View { vpc, lists, peers: peers.collect() }
    }

    /// Whether the VPC has any way out of itself but its interfaces.
    pub(super) fn is_joined(&self) -> bool {
        let gateways = &self.vpc.gateways;
        gateways.internet || gateways.egress_only || !gateways.nat.is_empty() || !self.peers.is_empty()
    }

    /// Security groups of peers that rules may name: those in the same region (PC-14).
    pub(super) fn foreign_groups(&self) -> Vec<String> {
        let near = self.peers.iter().filter(|peer| peer.vpc.region == self.vpc.region);
        let names = |peer: &Peer<'_>| {
            let vpc = peer.vpc.name.clone();
            (0..peer.vpc.groups.len()).map(move |group| format!("sg/{vpc}.g{group}"))
        };
        near.flat_map(names).collect()
    }
}

impl Peer<'_> {
    /// Destinations inside it, the widest one first.
    pub(super) fn blocks(&self, v4: bool) -> Vec<String> {
        let vpc = self.vpc;
        let own = vpc.interfaces().flat_map(|(_, e)| if v4 { &e.v4 } else { &e.v6 });
        let hosts = own.map(|address| format!("{address}/{}", if v4 { 32 } else { 128 }));
        let (whole, subnets) = match v4 {
            true => (Some(format!("{}.0.0/16", vpc.v4)), vpc.v4_blocks()),
            false => (vpc.v6.map(|v6| format!("{v6}1000::/56")), vpc.v6_blocks()),
        };
        whole.into_iter().chain(subnets).chain(hosts).collect()
    }
}

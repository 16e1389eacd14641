//! Gateways, peering connections and the internet: small parts, kept when equal.

use std::sync::Arc;

use ipnet::{IpNet, Ipv6Net};
use tables::{Lpm, Prefix};

use super::earlier::Compared;
use super::pass::{Pass, put};
use super::place::differing;
use crate::parts::{v4_prefix, v6_prefix};
use crate::snapshot::Slot;
use crate::spec::{HostSpec, InternetGatewaySpec, NatGatewaySpec, PeeringSpec};
use crate::{Generation, Host, Internet, InternetGateway, Kind, NatGateway, Peering, Vpc, VpcIx};

impl<'a> Pass<'a> {
    /// Makes the NAT gateways.
    pub(super) fn nat_gateways(&mut self, compared: &Compared<'a, NatGatewaySpec>) -> Vec<Slot<NatGateway>> {
        let index = |pass: &mut Self, spec: &NatGatewaySpec| pass.indices.nat_gateway(&spec.id).at();
        self.keep_equal(
            compared,
            |snapshot| &snapshot.nat_gateways,
            index,
            |pass, spec| NatGateway {
                name: pass.name(Kind::NatGateway, &spec.id, &spec.name, None),
                interface: pass.indices.interface(&spec.interface),
                connectivity: spec.connectivity,
            },
        )
    }

    /// Makes the peering connections.
    pub(super) fn peerings(&mut self, compared: &Compared<'a, PeeringSpec>) -> Vec<Slot<Peering>> {
        let index = |pass: &mut Self, spec: &PeeringSpec| pass.indices.peering(&spec.id).at();
        self.keep_equal(
            compared,
            |snapshot| &snapshot.peerings,
            index,
            |pass, spec| Peering {
                name: pass.name(Kind::Peering, &spec.id, &spec.name, None),
                requester: pass.indices.vpc(&spec.requester),
                accepter: pass.indices.vpc(&spec.accepter),
                status: spec.status,
                reach: spec.reach,
                mtu: spec.mtu,
            },
        )
    }

    pub(super) fn internet_gateway(&mut self, spec: &InternetGatewaySpec) -> InternetGateway {
        InternetGateway {
            name: self.name(Kind::InternetGateway, &spec.id, &spec.id, None),
            route_table: spec.route_table.as_ref().map(|id| self.indices.route_table(id)),
        }
    }

    /// Makes the internet from the finished VPCs, unless none of them differs and it does not either.
    pub(super) fn internet(&mut self, vpcs: &[Slot<Vpc>]) -> (Generation, Arc<Internet>) {
        let before = self.before.filter(|before| {
            before.spec.internet == self.spec.internet && differing(&before.vpcs, vpcs).next().is_none()
        });
        if let Some(before) = before {
            return before.internet.clone();
        }
        let spec = self.spec;
        let mut hosts = Vec::new();
        for host in &spec.internet.hosts {
            put(&mut hosts, self.indices.host(&host.id).at(), self.host(host));
        }
        let now = internet(spec.internet.mtu, hosts, vpcs);
        self.settle(self.before.map(|snapshot| &snapshot.internet), now)
    }

    fn host(&mut self, spec: &HostSpec) -> Host {
        Host { name: self.name(Kind::Host, &spec.id, &spec.name, None), addresses: spec.addresses.clone() }
    }
}

fn internet(mtu: u16, hosts: Vec<Option<Host>>, vpcs: &[Slot<Vpc>]) -> Internet {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (host, ix) in hosts.iter().zip(0..) {
        for address in host.iter().flat_map(|host| &host.addresses) {
            match IpNet::from(*address) {
                IpNet::V4(net) => v4.push((v4_prefix(net), ix)),
                IpNet::V6(net) => v6.push((v6_prefix(net), ix)),
            }
        }
    }
    let all = || vpcs.iter().zip(0..).filter_map(|(slot, ix)| Some((VpcIx(ix), &*slot.as_ref()?.1)));
    let with_gateway = || all().filter(|(_, vpc)| vpc.internet_gateway.is_some());
    let reached: Vec<(Ipv6Net, VpcIx)> = all()
        .filter(|(_, vpc)| vpc.internet_gateway.is_some() || vpc.egress_only_internet_gateway.is_some())
        .flat_map(|(ix, vpc)| vpc.ipv6_cidrs.iter().map(move |net| (*net, ix)))
        .collect();
    let blocks: Vec<(Prefix<u128>, u32)> = reached.iter().map(|(net, ix)| (v6_prefix(*net), ix.0)).collect();
    Internet {
        mtu,
        hosts,
        v4: Lpm::build(&v4),
        v6: Lpm::build(&v6),
        publics: with_gateway()
            .flat_map(|(ix, vpc)| vpc.publics.iter().map(move |(private, public)| (*public, (ix, *private))))
            .collect(),
        reached,
        blocks: Lpm::build(&blocks),
    }
}

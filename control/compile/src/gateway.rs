//! NAT gateways, peering connections and the internet.

use model::lab::{Connectivity, Host, Internet, NatGateway, Peering, PeeringReach, PeeringState, Vpc};
use snapshot::PeeringStatus;
use snapshot::spec::{HostSpec, InternetSpec, NatGatewaySpec, PeeringSpec};

pub(crate) fn nat_gateways(vpc: &Vpc) -> Vec<NatGatewaySpec> {
    let gateway = |gateway: &NatGateway| NatGatewaySpec {
        id: gateway.id.clone(),
        name: format!("{}.{}", vpc.name, gateway.name),
        interface: gateway.interface_id.clone(),
        connectivity: match gateway.connectivity {
            Connectivity::Private => snapshot::Connectivity::Private,
            Connectivity::Public => snapshot::Connectivity::Public,
        },
    };
    vpc.nat_gateways.values().map(gateway).collect()
}

/// One connection; `id_of` knows the ids of VPCs.
pub(crate) fn peering(peering: &Peering, id_of: impl Fn(&str) -> String) -> PeeringSpec {
    PeeringSpec {
        id: peering.id.clone(),
        name: peering.name.clone(),
        requester: id_of(&peering.requester),
        accepter: id_of(&peering.accepter),
        status: match peering.state {
            PeeringState::Active => PeeringStatus::Active,
            PeeringState::Deleted
            | PeeringState::Expired
            | PeeringState::Failed
            | PeeringState::PendingAcceptance
            | PeeringState::Rejected => PeeringStatus::Inactive,
        },
        reach: match peering.reach {
            PeeringReach::InterRegion => snapshot::PeeringReach::InterRegion,
            PeeringReach::IntraRegion => snapshot::PeeringReach::IntraRegion,
        },
        mtu: peering.mtu(),
    }
}

pub(crate) fn internet(internet: &Internet) -> InternetSpec {
    let host =
        |host: &Host| HostSpec { id: host.id.clone(), name: host.name.clone(), addresses: host.ips.clone() };
    InternetSpec { mtu: internet.mtu, hosts: internet.hosts.values().map(host).collect() }
}

//! The published world.

use std::net::IpAddr;
use std::sync::Arc;

use crate::builder::Indices;
use crate::spec::LabSpec;
use crate::{
    Acl, AclIx, Generation, GroupProgram, HostIx, Interface, InterfaceIx, Internet, Names, NatGateway,
    NatGatewayIx, Part, Peering, PeeringIx, ProgramIx, RouteTable, RouteTableIx, Settings, Subnet, SubnetIx,
    Vpc, VpcIx,
};

/// A shared part with the generation at which it last changed. A slot is empty once its object is gone.
pub(crate) type Slot<T> = Option<(Generation, Arc<T>)>;

/// The tables of one moment; nothing in it changes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) generation: Generation,
    pub(crate) acls: Vec<Slot<Acl>>,
    pub(crate) interfaces: Vec<Slot<Interface>>,
    pub(crate) internet: (Generation, Arc<Internet>),
    /// Whether [`Internet::private_of`] has any answer.
    pub(crate) has_public_addresses: bool,
    pub(crate) nat_gateways: Vec<Slot<NatGateway>>,
    pub(crate) peerings: Vec<Slot<Peering>>,
    pub(crate) programs: Vec<Slot<GroupProgram>>,
    pub(crate) route_tables: Vec<Slot<RouteTable>>,
    pub(crate) subnets: Vec<Slot<Subnet>>,
    pub(crate) vpcs: Vec<Slot<Vpc>>,
    pub(crate) settings: (Generation, Arc<Settings>),
    pub(crate) names: Arc<Names>,
    pub(crate) indices: Arc<Indices>,
    /// What it was built from: the next build compares with it, and printers read it.
    pub(crate) spec: Arc<LabSpec>,
}

macro_rules! lookup {
    ($($(#[$doc:meta])* $method:ident, $field:ident, $ix:ty => $part:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $method(&self, ix: $ix) -> Option<&$part> {
            self.$field.get(ix.at())?.as_ref().map(|(_, part)| &**part)
        }
    )*};
}

macro_rules! by_id {
    ($($(#[$doc:meta])* $method:ident, $field:ident => $ix:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// None for an object that is gone.
        #[must_use]
        pub fn $method(&self, id: &str) -> Option<$ix> {
            self.indices.$field.find(id).filter(|ix| self.$field.get(ix.at()).is_some_and(Option::is_some))
        }
    )*};
}

impl Snapshot {
    /// Which publication this is.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    lookup! {
        /// A network ACL.
        acl, acls, AclIx => Acl;
        /// An interface; none once it was removed.
        interface, interfaces, InterfaceIx => Interface;
        /// A NAT gateway.
        nat_gateway, nat_gateways, NatGatewayIx => NatGateway;
        /// A peering connection.
        peering, peerings, PeeringIx => Peering;
        /// The rules of a group set.
        program, programs, ProgramIx => GroupProgram;
        /// A route table.
        route_table, route_tables, RouteTableIx => RouteTable;
        /// A subnet.
        subnet, subnets, SubnetIx => Subnet;
        /// A VPC.
        vpc, vpcs, VpcIx => Vpc;
    }

    /// The network outside every VPC.
    #[must_use]
    pub fn internet(&self) -> &Internet {
        &self.internet.1
    }

    /// Knobs.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings.1
    }

    /// Ids and names, for printing.
    #[must_use]
    pub const fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// What it was built from.
    #[must_use]
    pub const fn spec(&self) -> &Arc<LabSpec> {
        &self.spec
    }

    /// All interfaces that exist, in index order.
    pub fn interfaces(&self) -> impl Iterator<Item = (InterfaceIx, &Interface)> {
        self.interfaces.iter().zip(0..).filter_map(|(slot, ix)| Some((InterfaceIx(ix), &*slot.as_ref()?.1)))
    }

    /// The host with this `host-` id; none for one that is gone.
    #[must_use]
    pub fn host_by_id(&self, id: &str) -> Option<HostIx> {
        self.indices.hosts.find(id).filter(|ix| self.internet().host(*ix).is_some())
    }

    by_id! {
        /// The network ACL with this `acl-` id.
        acl_by_id, acls => AclIx;
        /// The interface with this `eni-` id.
        interface_by_id, interfaces => InterfaceIx;
        /// The NAT gateway with this `nat-` id.
        nat_gateway_by_id, nat_gateways => NatGatewayIx;
        /// The peering connection with this `pcx-` id.
        peering_by_id, peerings => PeeringIx;
        /// The route table with this `rtb-` id.
        route_table_by_id, route_tables => RouteTableIx;
        /// The subnet with this `subnet-` id.
        subnet_by_id, subnets => SubnetIx;
        /// The VPC with this `vpc-` id.
        vpc_by_id, vpcs => VpcIx;
    }

    /// When `part` last changed; [`Generation`] 0 for a part that is gone.
    #[must_use]
    pub fn version(&self, part: Part) -> Generation {
        fn at<T>(slots: &[Slot<T>], ix: usize) -> Generation {
            slots.get(ix).and_then(Option::as_ref).map_or(Generation(0), |(generation, _)| *generation)
        }
        match part {
            Part::Acl(ix) => at(&self.acls, ix.at()),
            Part::Interface(ix) => at(&self.interfaces, ix.at()),
            Part::Internet => self.internet.0,
            Part::NatGateway(ix) => at(&self.nat_gateways, ix.at()),
            Part::Peering(ix) => at(&self.peerings, ix.at()),
            Part::Program(ix) => at(&self.programs, ix.at()),
            Part::RouteTable(ix) => at(&self.route_tables, ix.at()),
            Part::Settings => self.settings.0,
            Part::Subnet(ix) => at(&self.subnets, ix.at()),
            Part::Vpc(ix) => at(&self.vpcs, ix.at()),
        }
    }

    /// Whether [`Self::private_of`] ever changes an address: asked for every packet, so that a lab without public addresses
    /// pays one comparison.
    #[must_use]
    #[inline]
    pub const fn has_public_addresses(&self) -> bool {
        self.has_public_addresses
    }

    /// The private address behind a public address of the lab, else the address itself: what ownership hashes.
    #[must_use]
    pub fn private_of(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(public) => {
                self.internet().private_of(public).map_or(address, |(_, private)| IpAddr::V4(private))
            }
            IpAddr::V6(_) => address,
        }
    }
}

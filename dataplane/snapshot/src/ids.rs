//! Dense indices, each its own type.

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a slice position.
            #[must_use]
            pub const fn at(self) -> usize {
                self.0 as usize
            }
        }

        impl From<u32> for $name {
            fn from(number: u32) -> Self {
                Self(number)
            }
        }
    )*};
}

index! {
    /// A host on the internet.
    HostIx;
    /// A NAT gateway.
    NatGatewayIx;
    /// A peering connection.
    PeeringIx;
    /// A network interface.
    InterfaceIx;
    /// A subnet.
    SubnetIx;
    /// A VPC.
    VpcIx;
    /// A route table.
    RouteTableIx;
    /// A network ACL.
    AclIx;
    /// The rules of one distinct set of security groups, shared by all interfaces that carry exactly this set.
    ProgramIx;
    /// A security group as a label that an interface carries; group references match labels, never addresses.
    LabelIx;
    /// Something with an AWS id: a rule, an entry, a route, an object. See [`crate::Names`].
    NameIx;
}

/// Counts published snapshots, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// Where a packet enters or leaves the data plane: an interface or the internet. Packets enter from the internet as one, and
/// leave to one host on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attachment(u32);

/// Attachments below are interfaces; above, counted down from [`Attachment::INTERNET`], hosts.
const FIRST_HOST: u32 = 1 << 31;

impl Attachment {
    /// Everything outside every VPC.
    pub const INTERNET: Self = Self(u32::MAX);

    /// The attachment of one interface.
    #[must_use]
    pub const fn interface(ix: InterfaceIx) -> Self {
        Self(ix.0)
    }

    /// The attachment of one host on the internet.
    #[must_use]
    pub const fn host(ix: HostIx) -> Self {
        Self(u32::MAX - 1 - ix.0)
    }

    /// The interface, unless this is the internet or a host on it.
    #[must_use]
    pub const fn as_interface(self) -> Option<InterfaceIx> {
        if self.0 < FIRST_HOST { Some(InterfaceIx(self.0)) } else { None }
    }

    /// The host, if this is one.
    #[must_use]
    pub const fn as_host(self) -> Option<HostIx> {
        if self.0 < FIRST_HOST || self.0 == u32::MAX { None } else { Some(HostIx(u32::MAX - 1 - self.0)) }
    }

    /// The number that devices are registered under.
    #[must_use]
    pub const fn token(self) -> u32 {
        self.0
    }

    /// The attachment with this number.
    #[must_use]
    pub const fn from_token(token: u32) -> Self {
        Self(token)
    }
}

/// A part of a snapshot that a decision can depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A network ACL's entries.
    Acl(AclIx),
    /// An interface's own fields: addresses, subnet, groups, check, MTU, NAT gateway.
    Interface(InterfaceIx),
    /// The internet: its hosts, and which addresses of the lab are reached over it.
    Internet,
    /// A NAT gateway's own fields: interface, connectivity.
    NatGateway(NatGatewayIx),
    /// A peering connection's own fields: its two VPCs, whether it is active.
    Peering(PeeringIx),
    /// The rules of a group set.
    Program(ProgramIx),
    /// A route table's routes.
    RouteTable(RouteTableIx),
    /// The lab's settings.
    Settings,
    /// A subnet's own fields: blocks, ACL and route table in force.
    Subnet(SubnetIx),
    /// A VPC's blocks, gateways and address map: which interface owns which address, and which public one it has.
    Vpc(VpcIx),
}

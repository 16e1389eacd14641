//! What goes into a judgement and what comes out of it.

use std::net::IpAddr;

use model::lab::InterfaceRef;
use wire::FiveTuple;

/// [`Step::decided_by`] of a packet that connection tracking let through or refused.
pub const TRACKED: &str = "tracked";

/// [`Step::decided_by`] of an ICMP error about an untracked flow (MT-09).
pub const UNTRACKED: &str = "untracked";

/// [`Step::decided_by`] of a packet that no security-group rule allows (SG-01).
pub const NO_RULE: &str = "no-rule";

/// [`Step::decided_by`] of a packet that no route matches (RT-17).
pub const NO_ROUTE: &str = "no-route";

/// One packet as it leaves an instance.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Name of the VPC.
    pub vpc: &'a str,
    /// The interface that sends it.
    pub at: &'a InterfaceRef,
    /// Its headers. A later fragment carries the ports of its first fragment.
    pub parsed: &'a wire::Parsed,
}

/// What a NAT gateway made of a new connection. Its source is the one thing that AWS's rules leave open (NG-05, NG-07).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// `nat-` id.
    pub gateway: String,
    /// The tuple of the client's packets as they reach the gateway.
    pub inner: FiveTuple,
    /// The tuple of the same packets as they leave it: source is one of its private addresses with a port, or with the
    /// identifier of an ICMP query (NG-29).
    pub outer: FiveTuple,
}

/// Which leases the oracle takes for granted.
#[derive(Clone, Copy, Debug)]
pub enum Leases<'a> {
    /// The oracle takes the first address with room and its lowest free port.
    Lowest,
    /// These were taken. A connection that is not among them got none.
    These(&'a [Lease]),
}

/// What happens to one packet, why, and what flow logs must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Where it ends.
    pub outcome: Outcome,
    /// Its tuple there, after all translations.
    pub tuple: FiveTuple,
    /// The tuple of the packet that an ICMP error quotes there.
    pub about: Option<FiveTuple>,
    /// Largest MSS that a SYN may announce there, if a NAT gateway was on the way (MT-08).
    pub mss: Option<u16>,
    /// What the sender of a dropped packet is told.
    pub answer: Option<Answer>,
    /// The connections that it began at NAT gateways, in the order of its way.
    pub leases: Vec<Lease>,
    /// What decided, in the order it was asked; the last step of a dropped packet is the one that dropped it, unless
    /// the reason is one that nothing configured decides.
    pub trail: Vec<Step>,
    /// Flow-log records that must count this packet, in the order of its way.
    pub records: Vec<Record>,
}

/// Where a packet ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An interface receives it, in one piece or in fragments (MT-05).
    Delivered {
        /// VPC name and interface.
        to: (String, InterfaceRef),
    },
    /// A host on the internet receives it.
    DeliveredToHost {
        /// Host name.
        host: String,
    },
    /// Nobody receives it.
    Dropped {
        /// Why.
        reason: Reason,
        /// Id of the interface that refused it; none when it was lost between interfaces.
        at: Option<String>,
    },
}

/// What the sender of a dropped packet is told, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its time to live ran out at the NAT gateway with this address (AD-27).
    Expired {
        /// As the sender's family shows it.
        by: IpAddr,
    },
    /// Its TCP connection is reset in the name of its destination (NG-10).
    Reset,
    /// It was too long (MT-05).
    TooBig {
        /// Bytes that a packet of the sender's family may have.
        mtu: u16,
        /// The last NAT gateway before that place, as the sender's family shows it (MT-07); none is the router of the sender's subnet.
        by: Option<IpAddr>,
    },
}

/// Why a packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The chosen route leads nowhere, and a shorter one does not step in (RT-15).
    Blackhole,
    /// A TCP packet came after its tracked connection closed (FL-37, SG-23).
    ConnectionClosed,
    /// It comes in to an egress-only internet gateway that let nothing like it out (EI-02).
    EgressOnlyWithoutFlow,
    /// The lease is not one that the NAT gateway can give, or the gateway had room and gave none: a mistake of whoever gave it.
    ImpossibleLease,
    /// The destination is a multicast or broadcast address (AD-20).
    MulticastOrBroadcast,
    /// An entry of a network ACL, or its implicit last one, denies it (NA-02, NA-03).
    NetworkAcl,
    /// No route matches the destination (RT-17).
    NoRoute,
    /// The destination lies inside the VPC and no interface has it.
    NoSuchDestination,
    /// A fragment of TCP or ICMP, or one that no translation fits, at a NAT gateway (NG-14, MT-10).
    NatFragment,
    /// IPv6 that a NAT gateway does not translate (NG-22), or a destination in the client's own subnet (NG-20).
    NatIpv6,
    /// A NAT gateway has no port left for the destination (NG-06, NG-08).
    NatPortsExhausted,
    /// A protocol or ICMP message that NAT gateways do not translate (NG-04).
    NatProtocol,
    /// Nothing that the NAT gateway sent is answered by it (NG-09, NG-12, NG-13).
    NatUnsolicited,
    /// It belongs to a connection that the NAT gateway does not know, or no longer; TCP from the inside gets a reset (NG-10).
    NatWithoutTranslation,
    /// The source has no public address (IG-04, IG-05), or no IPv6 address of the VPC.
    NoPublicAddress,
    /// It comes in over IPv6 to a subnet whose route back does not lead over the internet (EI-08).
    NoRouteBack,
    /// An address that is not routed on the internet (IG-14).
    NotGloballyRoutable,
    /// Nobody on the internet has the destination: neither a host, nor an interface by a public address (IG-06).
    NotOnInternet,
    /// The source is not in the sending VPC, or the destination not in the receiving one (PC-09 to PC-11).
    PeeringCidr,
    /// The destination is the implicit router or a service that nobody serves yet (AD-06, AD-07, AD-09 to AD-11, AD-28).
    ReservedAddress,
    /// It went through more gateways than any way out needs.
    RoutingLoop,
    /// No security-group rule allows it and no tracked flow covers it (SG-01).
    SecurityGroup,
    /// The interface neither owns the address nor has its check switched off (AD-23).
    SourceDestCheck,
    /// It is longer than the receiver's MTU and may not be fragmented (MT-05).
    TooBig,
    /// Its time to live ran out at a NAT gateway, which takes one off (AD-27).
    TtlExceeded,
    /// The lab has no such sender: the caller's mistake, or a packet that outlived its interface.
    UnknownSender,
}

impl Reason {
    /// The code that tables print for it: AWS Reachability Analyzer's where it has one; none for a mistake of whoever asked.
    #[must_use]
    pub const fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Blackhole => "BAD_STATE_ROUTE",
            Self::ConnectionClosed => "CONNECTION_CLOSED",
            Self::EgressOnlyWithoutFlow => "EIGW_WITHOUT_FLOW",
            Self::ImpossibleLease => return None,
            Self::MulticastOrBroadcast => "BROADCAST_OR_MULTICAST",
            Self::NatFragment => "NGW_FRAGMENT",
            Self::NatIpv6 => "NGW_IPV6",
            Self::NatPortsExhausted => "NGW_ERROR_PORT_ALLOCATION",
            Self::NatProtocol => "NGW_PROTOCOL",
            Self::NatUnsolicited => "NGW_UNSOLICITED",
            Self::NatWithoutTranslation => "NGW_WITHOUT_TRANSLATION",
            Self::NetworkAcl => "SUBNET_ACL_RESTRICTION",
            Self::NoPublicAddress => "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
            Self::NoRoute => "NO_ROUTE_TO_DESTINATION",
            Self::NoRouteBack => "IGW_NO_ROUTE_BACK",
            Self::NoSuchDestination => "NO_INTERFACE_FOR_ADDRESS",
            Self::NotGloballyRoutable => "IGW_ADDRESS_NOT_GLOBAL",
            Self::NotOnInternet => "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS",
            Self::PeeringCidr => "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
            Self::ReservedAddress => "RESERVED_ADDRESS",
            Self::RoutingLoop => "ROUTING_LOOP",
            Self::SecurityGroup => "ENI_SG_RULES_MISMATCH",
            Self::SourceDestCheck => "ENI_SOURCE_DEST_CHECK_RESTRICTION",
            Self::TooBig => "PACKET_TOO_BIG",
            Self::TtlExceeded => "TTL_EXCEEDED",
            Self::UnknownSender => "BAD_STATE_NETWORK_INTERFACE",
        })
    }
}

/// One thing that decided about the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was asked.
    pub kind: StepKind,
    /// Security group: the `sgr-` id of the first allowing rule, groups and rules taken as written, or [`NO_RULE`],
    /// [`TRACKED`] or [`UNTRACKED`]. Network ACL: `ACL-ID/ingress/100` or `ACL-ID/ingress/*`. Route: its id or [`NO_ROUTE`].
    /// Check: the interface id. Gateway or peering connection: its id.
    pub decided_by: String,
    /// Security group: every rule that allows the packet, since any one suffices (SG-02). Otherwise only [`Self::decided_by`].
    pub any_of: Vec<String>,
}

/// What a [`Step`] asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// Destination check of the receiver; a step only when it refuses.
    DestCheck,
    /// An egress-only internet gateway, outwards or inwards.
    EgressOnlyInternetGateway,
    /// Route table of an internet gateway (RT-21).
    GatewayRoute,
    /// An internet gateway, outwards or inwards.
    InternetGateway,
    /// Egress entries of the sender's network ACL.
    NaclEgress,
    /// Ingress entries of the receiver's network ACL.
    NaclIngress,
    /// A NAT gateway.
    NatGateway,
    /// A peering connection.
    Peering,
    /// Route table of the sender's subnet.
    Route,
    /// Egress rules and state of the sender's security groups.
    SgEgress,
    /// Ingress rules and state of the receiver's security groups.
    SgIngress,
    /// Source check of the sender; a step only when it refuses.
    SourceCheck,
}

/// What one flow-log record must show about a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `eni-` id.
    pub interface_id: String,
    /// Relative to that interface (FL-43).
    pub direction: Direction,
    /// Security groups and network ACL of that direction together (FL-36).
    pub action: Action,
    /// `traffic-path`; `None` is `-` (FL-44).
    pub traffic_path: Option<u8>,
    /// The packet's tuple as it is there.
    pub tuple: FiveTuple,
    /// Its IP bytes there (FL-14); NAT64 changes them.
    pub bytes: u32,
}

/// Relative to an interface (FL-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The instance sends.
    Egress,
    /// The instance receives.
    Ingress,
}

/// Flow-log action (FL-36).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Both gates of the direction passed.
    Accept,
    /// One of them refused.
    Reject,
}

impl Verdict {
    /// Why the packet was dropped, if it was.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match &self.outcome {
            Outcome::Delivered { .. } | Outcome::DeliveredToHost { .. } => None,
            Outcome::Dropped { reason, .. } => Some(*reason),
        }
    }
}

impl Step {
    pub(crate) fn one(kind: StepKind, decided_by: impl Into<String>) -> Self {
        let decided_by = decided_by.into();
        Self { kind, any_of: vec![decided_by.clone()], decided_by }
    }
}

impl Direction {
    /// The `flow-direction` field.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Egress => "egress",
            Self::Ingress => "ingress",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Egress => Self::Ingress,
            Self::Ingress => Self::Egress,
        }
    }
}

impl Action {
    /// The `action` field.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
        }
    }
}

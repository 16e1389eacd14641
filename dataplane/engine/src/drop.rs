//! Why a packet went no further.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal,)*) => {
        /// Why a packet went no further. Closed, and each dropped packet has exactly one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DropReason {
            $($(#[doc = $doc])* $name,)*
        }

        impl DropReason {
            /// Every reason, in the order of their counters.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// How many reasons there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The code that tables print: AWS Reachability Analyzer's where it has one.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// One sentence for an operator.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim_ascii(),)* }
            }

            /// The reason with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }

            /// Its counter's position.
            #[must_use]
            pub const fn at(self) -> usize {
                self as usize
            }
        }
    };
}

reasons! {
    /// A broadcast or multicast destination: a VPC forwards neither (AD-20).
    BroadcastOrMulticast = "BROADCAST_OR_MULTICAST",
    /// A TCP packet that is no SYN came after its connection closed (FL-37, SG-23).
    ConnectionClosed = "CONNECTION_CLOSED",
    /// It comes in to an egress-only internet gateway that let nothing like it out (EI-02).
    EgressOnlyWithoutFlow = "EIGW_WITHOUT_FLOW",
    /// A fragment starts inside the transport header of the first fragment (RFC 1858).
    FragmentOverlap = "FRAGMENT_OVERLAP",
    /// Too many fragments wait for their first fragment (MT-11).
    FragmentQueueFull = "FRAGMENT_QUEUE_FULL",
    /// A fragment's first fragment did not come in time (MT-11).
    FragmentTimeout = "FRAGMENT_TIMEOUT",
    /// The device's interface is not, or no longer, part of the lab.
    InterfaceGone = "BAD_STATE_NETWORK_INTERFACE",
    /// The header chain is shorter than its own length fields claim.
    Malformed = "MALFORMED",
    /// A fragment of TCP or ICMP, or one that no translation fits, at a NAT gateway (NG-14, MT-10).
    NatFragment = "NGW_FRAGMENT",
    /// IPv6 that a NAT gateway does not translate (NG-22), or a destination in the client's own subnet (NG-20).
    NatIpv6 = "NGW_IPV6",
    /// The NAT gateway has no port left for this destination; existing flows go on (NG-06, NG-08, ErrorPortAllocation).
    NatPortsExhausted = "NGW_ERROR_PORT_ALLOCATION",
    /// A protocol or ICMP message that NAT gateways do not translate (NG-04).
    NatProtocol = "NGW_PROTOCOL",
    /// It answers nothing that the NAT gateway sent (NG-09, NG-12, NG-13).
    NatUnsolicited = "NGW_UNSOLICITED",
    /// It belongs to a connection that the NAT gateway does not know, or no longer; TCP gets a reset (NG-10).
    NatWithoutTranslation = "NGW_WITHOUT_TRANSLATION",
    /// A network ACL entry, or the implicit last one, denied the packet (NA-02, NA-03).
    NetworkAclDenied = "SUBNET_ACL_RESTRICTION",
    /// The source has no public address (IG-04, IG-05), or no IPv6 address of the VPC.
    NoPublicAddress = "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
    /// No route matches the destination (RT-17).
    NoRoute = "NO_ROUTE_TO_DESTINATION",
    /// It comes in over IPv6 to a subnet whose route back does not lead over the internet (EI-08).
    NoRouteBack = "IGW_NO_ROUTE_BACK",
    /// The destination lies in the VPC, or in the peer that it is for, but no interface owns it.
    NoSuchDestination = "NO_INTERFACE_FOR_ADDRESS",
    /// An address that is not routed on the internet (IG-14).
    NotGloballyRoutable = "IGW_ADDRESS_NOT_GLOBAL",
    /// Nobody on the internet has the destination: neither a host, nor an interface by a public address (IG-06).
    NotOnInternet = "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS",
    /// The source is not in the sending VPC, or the destination not in the receiving one (PC-09 to PC-11).
    PeeringCidr = "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
    /// The destination is the implicit router or a reserved address that answers nothing (AD-05, AD-11, AD-28).
    ReservedAddress = "RESERVED_ADDRESS",
    /// The most specific route is a blackhole (RT-15).
    RouteBlackholed = "BAD_STATE_ROUTE",
    /// It went through more gateways than any way out needs (RT-24).
    RoutingLoop = "ROUTING_LOOP",
    /// No security group rule of the interface allows the packet (SG-01).
    SecurityGroupDenied = "ENI_SG_RULES_MISMATCH",
    /// The flow table is full, so no new flow is taken; existing flows go on (SG-25, conntrack_allowance_exceeded).
    SessionTableFull = "CONNTRACK_ALLOWANCE_EXCEEDED",
    /// Source or destination is not an address of an interface whose source/destination check is on (AD-23).
    SourceDestCheck = "ENI_SOURCE_DEST_CHECK_RESTRICTION",
    /// The packet is larger than the path's MTU and may not be fragmented; the sender was told (MT-05).
    TooBig = "PACKET_TOO_BIG",
    /// The kernel refused the packet when it was written to the destination's device.
    TransmitFailed = "TRANSMIT_FAILED",
    /// Its time to live ran out at a NAT gateway, which told the sender (AD-27).
    TtlExceeded = "TTL_EXCEEDED",
}

impl DropReason {
    /// Whether it depends on the packet itself or on state that comes and goes, so that it is found anew for every packet.
    pub(crate) const fn is_fleeting(self) -> bool {
        matches!(
            self,
            Self::ConnectionClosed
                | Self::EgressOnlyWithoutFlow
                | Self::NatFragment
                | Self::NatPortsExhausted
                | Self::NatUnsolicited
                | Self::NatWithoutTranslation
        )
    }

    /// Whether a fragment may have another reason than the flow's whole packets (NG-14).
    pub(crate) const fn is_of_whole_packets(self) -> bool {
        matches!(self, Self::NatIpv6 | Self::NatProtocol | Self::RoutingLoop)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_a_sentence() {
        let codes: BTreeSet<_> = DropReason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), DropReason::COUNT);
        for reason in DropReason::ALL {
            assert!(reason.sentence().ends_with('.'), "{reason:?}");
            assert_eq!(DropReason::from_code(reason.code()), Some(*reason));
        }
    }
}

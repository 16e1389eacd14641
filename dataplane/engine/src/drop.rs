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
    /// A network ACL entry, or the implicit last one, denied the packet (NA-02, NA-03).
    NetworkAclDenied = "SUBNET_ACL_RESTRICTION",
    /// No route matches the destination (RT-17).
    NoRoute = "NO_ROUTE_TO_DESTINATION",
    /// The destination lies in the VPC but no interface owns it.
    NoSuchDestination = "NO_INTERFACE_FOR_ADDRESS",
    /// The destination is the implicit router or a reserved address that answers nothing (AD-05, AD-11, AD-28).
    ReservedAddress = "RESERVED_ADDRESS",
    /// The most specific route is a blackhole (RT-15).
    RouteBlackholed = "BAD_STATE_ROUTE",
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

//! The closed list of finding codes.

use super::Severity;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal $severity:ident;)+) => {
        /// The kind of a finding. Codes keep their text for ever; scripts match on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, by text.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable text, such as `cidr-host-bits`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What the code stands for, in a sentence or two.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// Whether it refuses the lab.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    /// An account is not 12 digits.
    AccountMalformed = "account-malformed" Error;
    /// An account is written as a bare number, which loses leading zeros.
    AccountUnquoted = "account-unquoted" Error;
    /// A network ACL entry number outside 1 to 32766 (NA-02).
    AclNumber = "acl-number" Error;
    /// Two entries of one direction of a network ACL carry one number (NA-16).
    AclNumberTaken = "acl-number-taken" Error;
    /// A network ACL entry names something else than a CIDR (NA-07).
    AclPeer = "acl-peer" Error;
    /// A network ACL lets a service in but drops the replies to ephemeral ports (NA-10, NA-11).
    AclWithoutEphemeralPorts = "acl-without-ephemeral-ports" Warning;
    /// More than an AWS account gets without asking for a higher quota (RT-25, SG-29, NA-16).
    AboveDefaultQuota = "above-default-quota" Warning;
    /// Text that should be an IP address is none.
    AddressMalformed = "address-malformed" Error;
    /// An address that cannot stand on the internet: private, shared, link-local, loopback, multicast or reserved (IG-14).
    AddressNotPublic = "address-not-public" Error;
    /// An address outside the subnet of its interface.
    AddressOutsideSubnet = "address-outside-subnet" Error;
    /// An address that AWS keeps for itself in every subnet (AD-05, AD-07).
    AddressReserved = "address-reserved" Error;
    /// Two interfaces of a VPC own one address, or one interface names it twice.
    AddressTaken = "address-taken" Error;
    /// Two subnets of an account disagree on the id of a zone, or two zones share one.
    AzIdConflict = "az-id-conflict" Error;
    /// A zone id that does not belong to its region.
    AzIdMalformed = "az-id-malformed" Error;
    /// A zone that does not belong to its region.
    AzMalformed = "az-malformed" Error;
    /// An IPv4 block where an IPv6 block is wanted, or the reverse.
    CidrFamily = "cidr-family" Error;
    /// A VPC block that AWS refuses (AD-12).
    CidrForbidden = "cidr-forbidden" Error;
    /// Host bits are set; AWS masks them silently and so do we (AD-02).
    CidrHostBits = "cidr-host-bits" Warning;
    /// Text that should be a CIDR block is none.
    CidrMalformed = "cidr-malformed" Error;
    /// A VPC without an IPv4 block (AD-01).
    CidrMissing = "cidr-missing" Error;
    /// Two blocks share addresses where they must not (AD-03).
    CidrOverlap = "cidr-overlap" Error;
    /// A secondary VPC block that AWS does not allow beside the primary one (AD-12).
    CidrRestricted = "cidr-restricted" Error;
    /// A block of a size that AWS refuses (AD-01, AD-03, AD-04).
    CidrSize = "cidr-size" Error;
    /// Two keys that exclude each other.
    ConflictingKeys = "conflicting-keys" Error;
    /// A device name that Linux would refuse.
    DeviceMalformed = "device-malformed" Error;
    /// A second peering connection between two VPCs (PC-01).
    DuplicatePeering = "duplicate-peering" Error;
    /// Two objects carry one AWS id as their name.
    DuplicateId = "duplicate-id" Error;
    /// Two instances of the lab carry one name.
    DuplicateInstance = "duplicate-instance" Error;
    /// A list holds one member twice.
    DuplicateItem = "duplicate-item" Error;
    /// A map holds one key twice.
    DuplicateKey = "duplicate-key" Error;
    /// A route table holds two routes with one destination.
    DuplicateRoute = "duplicate-route" Error;
    /// A security group holds one rule twice.
    DuplicateRule = "duplicate-rule" Error;
    /// A route that the route table of an internet gateway cannot hold (RT-20).
    EdgeRoute = "edge-route" Error;
    /// A route of an internet gateway to an interface without a public address (RT-21).
    EdgeRouteWithoutPublicAddress = "edge-route-without-public-address" Warning;
    /// A route table that cannot be that of an internet gateway (RT-20).
    EdgeRouteTable = "edge-route-table" Error;
    /// An egress-only internet gateway in a VPC without IPv6 (EI-01).
    EgressOnlyWithoutIpv6 = "egress-only-without-ipv6" Warning;
    /// IPv4 and IPv6 meet in one rule or route, which then can never match (AD-29).
    FamilyMismatch = "family-mismatch" Error;
    /// A flow log without a destination, or with several.
    FlowLogDestination = "flow-log-destination" Error;
    /// A flow-log format names a field that AWS does not have (FL-24).
    FlowLogField = "flow-log-field" Error;
    /// A flow-log format is not a list of `${field}` (FL-21).
    FlowLogFormat = "flow-log-format" Error;
    /// An aggregation interval other than 60 or 600 seconds (FL-12).
    FlowLogInterval = "flow-log-interval" Error;
    /// Something that needs a gateway which the VPC does not have (IG-13, ER-14, ER-22).
    GatewayNotAttached = "gateway-not-attached" Error;
    /// A rule names a group of a VPC that is not peered (SG-09).
    GroupNotPeered = "group-not-peered" Error;
    /// A host on the internet without an address.
    HostWithoutAddress = "host-without-address" Error;
    /// An ICMP code without a type (SG-04).
    IcmpCodeWithoutType = "icmp-code-without-type" Error;
    /// An ICMP type or code on a rule for another protocol.
    IcmpTypeNotAllowed = "icmp-type-not-allowed" Error;
    /// An instance with neither a subnet nor interfaces.
    InstanceWithoutSubnet = "instance-without-subnet" Error;
    /// The interfaces of one instance lie in several availability zones.
    InterfacesInSeveralZones = "interfaces-in-several-zones" Error;
    /// Two VPCs with internet access share IPv6 addresses, which nothing translates (IG-08).
    InternetIpv6Overlap = "internet-ipv6-overlap" Error;
    /// More than AWS ever grants (RT-25, SG-29, NA-16).
    LimitExceeded = "limit-exceeded" Error;
    /// A route table is named `main` but is not the main table.
    MainTableName = "main-table-name" Error;
    /// A VPC with several main route tables (RT-01).
    MainTables = "main-tables" Error;
    /// A key without which the object means nothing.
    MissingKey = "missing-key" Error;
    /// A name that cannot be referred to, or cannot name a namespace.
    NameMalformed = "name-malformed" Error;
    /// A name that AWS keeps for itself (SG-31).
    NameReserved = "name-reserved" Error;
    /// A route to 64:ff9b::/96 by a gateway that does not translate (NG-20).
    Nat64WithoutNatGateway = "nat64-without-nat-gateway" Warning;
    /// A private NAT gateway as the way to the internet (IG-05, NG-03).
    NatGatewayPrivate = "nat-gateway-private" Warning;
    /// A route that sends a NAT gateway IPv6 which it drops (NG-22).
    NatGatewayIpv6 = "nat-gateway-ipv6" Warning;
    /// The subnet of a NAT gateway leads back to the same gateway (RT-24).
    NatGatewayLoop = "nat-gateway-loop" Warning;
    /// A public NAT gateway in a subnet without a route to the internet gateway (NG-02).
    NatGatewayWithoutInternetRoute = "nat-gateway-without-internet-route" Warning;
    /// A key that is understood but not enforced yet, so that the lab would not behave as written.
    NotEnforcedYet = "not-enforced-yet" Error;
    /// A number outside its range.
    OutOfRange = "out-of-range" Error;
    /// Two VPCs whose blocks overlap cannot peer (PC-05).
    PeeringOverlap = "peering-overlap" Error;
    /// A route over a peering connection to something that is not in the peer (PC-11).
    PeeringRouteOutsidePeer = "peering-route-outside-peer" Warning;
    /// A VPC peers with itself (PC-01).
    PeeringWithItself = "peering-with-itself" Error;
    /// One side of a peering connection has a route to the other, and the other has none back (PC-07).
    PeeringWithoutReturnRoute = "peering-without-return-route" Warning;
    /// Text that should be a port or a port range is none.
    PortsMalformed = "ports-malformed" Error;
    /// A TCP or UDP rule without ports (SG-03).
    PortsMissing = "ports-missing" Error;
    /// Ports on a rule for a protocol that has none (SG-04).
    PortsNotAllowed = "ports-not-allowed" Error;
    /// A port range that ends before it starts.
    PortsReversed = "ports-reversed" Error;
    /// A prefix list with more entries than `max_entries`.
    PrefixListFull = "prefix-list-full" Error;
    /// Text that should be a protocol is none (SG-03).
    ProtocolUnknown = "protocol-unknown" Error;
    /// A public address inside a block of some VPC.
    PublicAddressInsideVpc = "public-address-inside-vpc" Error;
    /// Two objects carry one public address.
    PublicAddressTaken = "public-address-taken" Error;
    /// A public address for a private one that the interface does not have (IG-03).
    PublicAddressUnowned = "public-address-unowned" Error;
    /// An instance with a public address in a subnet without a route to the internet gateway (IG-07).
    PublicAddressWithoutRoute = "public-address-without-route" Warning;
    /// No public address is left for `auto`.
    PublicPoolExhausted = "public-pool-exhausted" Error;
    /// Text that should be a reference is none.
    ReferenceMalformed = "reference-malformed" Error;
    /// A reference to another VPC where AWS wants the same one.
    ReferenceOtherVpc = "reference-other-vpc" Error;
    /// A region name that no AWS region could have.
    RegionMalformed = "region-malformed" Error;
    /// An object of another region.
    RegionMismatch = "region-mismatch" Error;
    /// A route over a peering connection that is not active (RT-15, RT-16).
    RouteBlackhole = "route-blackhole" Warning;
    /// A `local` route to something else than a block of the VPC (RT-12).
    RouteLocal = "route-local" Error;
    /// A route inside a VPC block that AWS refuses (RT-11).
    RouteInsideVpc = "route-inside-vpc" Error;
    /// A route to an interface that drops what it is not the address of (AD-23).
    RouteToCheckedInterface = "route-to-checked-interface" Warning;
    /// A route into the ranges of link-local services (AD-11).
    RouteReserved = "route-reserved" Error;
    /// `instance/NAME` of an instance with several interfaces (RT-14).
    RouteTargetAmbiguous = "route-target-ambiguous" Error;
    /// A security group lets everything out over IPv4 and nothing over IPv6, in a VPC that has IPv6.
    SecurityGroupWithoutIpv6Egress = "security-group-without-ipv6-egress" Warning;
    /// A rule names a group over a peering connection that is not active (SG-10).
    StaleRule = "stale-rule" Warning;
    /// A subnet without enough free addresses (AD-05).
    SubnetExhausted = "subnet-exhausted" Error;
    /// A subnet outside every block of its VPC (AD-03).
    SubnetOutsideVpc = "subnet-outside-vpc" Error;
    /// An IPv6 address in a subnet without an IPv6 block.
    SubnetWithoutIpv6 = "subnet-without-ipv6" Error;
    /// Unique local IPv6 addresses in a subnet with a route to the internet, which they do not pass (IG-14).
    UniqueLocalToInternet = "unique-local-to-internet" Warning;
    /// A key that does not exist here.
    UnknownKey = "unknown-key" Error;
    /// A reference to something that the lab does not have.
    UnknownReference = "unknown-reference" Error;
    /// A word that is none of those allowed here.
    UnknownValue = "unknown-value" Error;
    /// A value of the wrong shape, such as a number for a list.
    WrongType = "wrong-type" Error;
    /// Text that is not YAML.
    YamlSyntax = "yaml-syntax" Error;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_distinct() {
        let mut texts: Vec<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert!(
            texts
                .iter()
                .all(|t| t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        );
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}

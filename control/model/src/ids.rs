//! AWS-style ids that are the same in every run.
//!
//! An id is its kind, a hyphen and 17 hexadecimal digits: the low 68 bits of a 128-bit FNV-1a hash over kind, account, region,
//! VPC name and name, each preceded by its length in bytes, mixed twice so that every bit reaches every digit. This must
//! never change: flow logs, dashboards and tests of users hold such ids.

/// What an id names; the text is its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `acl`
    Acl,
    /// `eigw`
    EgressOnlyInternetGateway,
    /// `eni`
    Interface,
    /// `fl`
    FlowLog,
    /// `host`: a host on the internet, of which AWS knows nothing.
    Host,
    /// `i`
    Instance,
    /// `igw`
    InternetGateway,
    /// `nat`
    NatGateway,
    /// `pcx`
    Peering,
    /// `pl`
    PrefixList,
    /// `rtb`
    RouteTable,
    /// `sg`
    SecurityGroup,
    /// `sgr`
    SecurityGroupRule,
    /// `subnet`
    Subnet,
    /// `vpc`
    Vpc,
}

impl Kind {
    /// The prefix of its ids, without the hyphen.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Acl => "acl",
            Self::EgressOnlyInternetGateway => "eigw",
            Self::Interface => "eni",
            Self::FlowLog => "fl",
            Self::Host => "host",
            Self::Instance => "i",
            Self::InternetGateway => "igw",
            Self::NatGateway => "nat",
            Self::Peering => "pcx",
            Self::PrefixList => "pl",
            Self::RouteTable => "rtb",
            Self::SecurityGroup => "sg",
            Self::SecurityGroupRule => "sgr",
            Self::Subnet => "subnet",
            Self::Vpc => "vpc",
        }
    }

    /// Whether `name` already is a well-formed id of this kind: 17 hexadecimal digits, or the 8 of ids made before 2018.
    #[must_use]
    pub fn is_id(self, name: &str) -> bool {
        let digits = name.strip_prefix(self.prefix()).and_then(|rest| rest.strip_prefix('-'));
        digits.is_some_and(|d| {
            matches!(d.len(), 8 | 17) && d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    }
}

/// Where a name is unique.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// 12 digits.
    pub account: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// VPC name, empty for objects outside VPCs.
    pub vpc: &'a str,
}

/// The id of the object that `owner` calls `name`; a name that already is an id of `kind` is kept.
#[must_use]
pub fn id(kind: Kind, owner: Owner<'_>, name: &str) -> String {
    if kind.is_id(name) { name.to_owned() } else { derived(kind, owner, name) }
}

/// The id of an object whose name is not the user's to choose.
#[must_use]
pub fn derived(kind: Kind, owner: Owner<'_>, name: &str) -> String {
    let hash = hash(&[kind.prefix(), owner.account, owner.region, owner.vpc, name]);
    format!("{}-{:017x}", kind.prefix(), hash & ((1 << 68) - 1))
}

fn hash(fields: &[&str]) -> u128 {
    // Offset basis and prime of the 128-bit FNV-1a hash (draft-eastlake-fnv).
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = BASIS;
    for field in fields {
        let length = (field.len() as u64).to_be_bytes();
        for byte in length.iter().copied().chain(field.bytes()) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
    for _ in 0..2 {
        // The basis is odd, so multiplying by it loses nothing.
        hash = (hash ^ (hash >> 64)).wrapping_mul(BASIS);
    }
    hash ^ (hash >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner<'static> = Owner { account: "123456789012", region: "us-east-1", vpc: "app" };

    #[test]
    fn ids_never_change() {
        assert_eq!(id(Kind::Vpc, Owner { vpc: "", ..OWNER }, "app"), "vpc-f06759476ff0500be");
        assert_eq!(id(Kind::Interface, OWNER, "web-1.eth0"), "eni-c2b2bef16e7e74471");
    }

    #[test]
    fn a_name_that_is_an_id_is_kept_and_only_for_its_kind() {
        assert_eq!(id(Kind::Vpc, OWNER, "vpc-0404e08ceddf7f650"), "vpc-0404e08ceddf7f650");
        assert_eq!(id(Kind::Instance, OWNER, "i-1234abcd"), "i-1234abcd");
        assert_ne!(id(Kind::Subnet, OWNER, "vpc-0404e08ceddf7f650"), "vpc-0404e08ceddf7f650");
        assert!(!Kind::Vpc.is_id("vpc-0404E08ceddf7f650"));
        assert!(!Kind::Vpc.is_id("vpc-0404e08ceddf7f65"));
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let (a, b) = (Owner { vpc: "ab", ..OWNER }, Owner { vpc: "a", ..OWNER });
        assert_ne!(id(Kind::Subnet, a, "c"), id(Kind::Subnet, b, "bc"));
    }
}

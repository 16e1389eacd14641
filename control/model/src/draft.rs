//! The lab file as written: every key with its place, nothing checked but its shape.
//!
//! Whoever reads a text fills a [`Lab`] and reports what has the wrong shape; [`check`](crate::check()) reports the rest. A value
//! that could not be read is kept as [`Field::Broken`] or `None`, so that it is not taken for a missing one and reported again.

mod gateway;
mod instance;
mod internet;
mod later;
mod peering;
mod rules;
mod settings;
mod vpc;

use crate::spot::{At, Spot};

pub use gateway::{ConnectivityType, InternetGateway, InternetGatewayOptions, NatAddress, NatGateway};
pub use instance::{Instance, Interface};
pub use internet::{Host, Internet};
pub use later::{
    Bucket, DhcpOptions, Endpoint, EndpointService, EndpointSubnets, EndpointType, Listener,
    ListenerProtocol, LoadBalancer, Principal,
};
pub use peering::{Peering, PeeringState};
pub use rules::{AclAction, AclEntry, EgressRule, IngressRule, NetworkAcl, SecurityGroup};
pub use settings::{FlowLogSettings, GroupSettings, Limits, NatSettings, RelatedIcmp, Settings};
pub use vpc::{
    AddressFamily, CloudWatchDestination, Destination, FileFormat, FlowLog, PrefixList, Route, RouteTable,
    S3Destination, Subnet, TrafficType, Vpc,
};

/// Text.
pub type Text = At<String>;

/// One key of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Not written.
    #[default]
    Absent,
    /// Written, or probably meant by a misspelt key, but not readable; that was reported.
    Broken,
    /// Written.
    Written {
        /// Place of the key.
        key: Spot,
        /// What follows the key.
        value: T,
    },
}

/// Objects by name, in the order of the text. Names are distinct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T> {
    /// The objects.
    pub entries: Vec<Entry<T>>,
}

/// One object with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// The key.
    pub name: Text,
    /// What follows it; `None` if not readable.
    pub value: Option<T>,
}

/// A list; `None` is an item that is not readable.
pub type List<T> = Vec<Option<T>>;

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneOrMany<T> {
    /// A list.
    Many(List<T>),
    /// One.
    One(T),
}

/// An account id. A bare number is not one, because it loses leading zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account(pub String);

/// A number, or text such as a range of numbers, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loose(pub String);

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lab {
    /// Place of the first key.
    pub spot: Spot,
    /// `lab`
    pub lab: Field<Text>,
    /// `account`
    pub account: Field<At<Account>>,
    /// `region`
    pub region: Field<Text>,
    /// `vpcs`
    pub vpcs: Field<Named<Vpc>>,
    /// `peerings`
    pub peerings: Field<Named<Peering>>,
    /// `prefix_lists`
    pub prefix_lists: Field<Named<PrefixList>>,
    /// `internet`
    pub internet: Field<Internet>,
    /// `buckets`
    pub buckets: Field<Named<Bucket>>,
    /// `principals`
    pub principals: Field<Named<Principal>>,
    /// `settings`
    pub settings: Field<Settings>,
}

impl<T> Field<T> {
    /// The value, if it is written and readable.
    #[must_use]
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Written { value, .. } => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    /// Place of the key, if the value is readable.
    #[must_use]
    pub const fn key(&self) -> Option<Spot> {
        match self {
            Self::Written { key, .. } => Some(*key),
            Self::Absent | Self::Broken => None,
        }
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether something was written that is not readable.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }
}

impl<T> Field<Named<T>> {
    /// The readable objects with their names.
    pub fn objects(&self) -> impl Iterator<Item = (&Text, &T)> {
        self.entries().filter_map(|e| e.value.as_ref().map(|v| (&e.name, v)))
    }

    /// All names, of unreadable objects too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|e| e.name.value.as_str())
    }

    /// The readable object with this name.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&T> {
        self.objects().find(|(n, _)| n.value == name).map(|(_, v)| v)
    }

    /// All entries.
    pub fn entries(&self) -> std::slice::Iter<'_, Entry<T>> {
        self.get().map_or_else(Default::default, |named| named.entries.iter())
    }
}

impl<T> Field<List<T>> {
    /// The readable items.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.get().into_iter().flatten().flatten()
    }
}

impl<T> Field<OneOrMany<T>> {
    /// The readable values.
    pub fn each(&self) -> impl Iterator<Item = &T> {
        let (one, many) = match self.get() {
            Some(OneOrMany::One(one)) => (Some(one), None),
            Some(OneOrMany::Many(many)) => (None, Some(many)),
            None => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten().flatten())
    }
}

//! Which index belongs to which id.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use crate::hash::HashMap;
use crate::{
    AclIx, HostIx, InterfaceIx, LabelIx, NatGatewayIx, PeeringIx, ProgramIx, RouteTableIx, SubnetIx, VpcIx,
};

/// Numbers keys in the order in which they are first seen and forgets none.
#[derive(Clone, Debug)]
pub(crate) struct Numbers<K, Ix> {
    by_key: HashMap<K, Ix>,
}

impl<K, Ix> Default for Numbers<K, Ix> {
    fn default() -> Self {
        Self { by_key: HashMap::default() }
    }
}

impl<K: Eq + Hash, Ix: Copy + From<u32>> Numbers<K, Ix> {
    /// The index of `key`, if it was ever seen.
    pub(crate) fn find<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<Ix>
    where
        K: Borrow<Q>,
    {
        self.by_key.get(key).copied()
    }

    fn add(&mut self, key: K) -> Ix {
        let next = u32::try_from(self.by_key.len()).expect("fewer than 2^32 objects in one run");
        *self.by_key.entry(key).or_insert_with(|| next.into())
    }
}

/// The indices of everything that this run has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Indices {
    pub(crate) acls: Numbers<String, AclIx>,
    pub(crate) groups: Numbers<String, LabelIx>,
    pub(crate) hosts: Numbers<String, HostIx>,
    pub(crate) interfaces: Numbers<String, InterfaceIx>,
    pub(crate) nat_gateways: Numbers<String, NatGatewayIx>,
    pub(crate) peerings: Numbers<String, PeeringIx>,
    /// By the ascending labels of the set.
    pub(crate) programs: Numbers<Vec<LabelIx>, ProgramIx>,
    pub(crate) route_tables: Numbers<String, RouteTableIx>,
    pub(crate) subnets: Numbers<String, SubnetIx>,
    pub(crate) vpcs: Numbers<String, VpcIx>,
}

macro_rules! number {
    ($($method:ident, $field:ident, $key:ty => $ix:ty;)*) => {$(
        /// The index of `key`. The registry is shared with earlier snapshots and copied only for a key that is new.
        pub(super) fn $method(self: &mut Arc<Self>, key: &$key) -> $ix {
            self.$field.find(key).unwrap_or_else(|| Arc::make_mut(self).$field.add(key.to_owned()))
        }
    )*};
}

impl Indices {
    number! {
        acl, acls, str => AclIx;
        group, groups, str => LabelIx;
        host, hosts, str => HostIx;
        interface, interfaces, str => InterfaceIx;
        nat_gateway, nat_gateways, str => NatGatewayIx;
        peering, peerings, str => PeeringIx;
        program, programs, [LabelIx] => ProgramIx;
        route_table, route_tables, str => RouteTableIx;
        subnet, subnets, str => SubnetIx;
        vpc, vpcs, str => VpcIx;
    }
}

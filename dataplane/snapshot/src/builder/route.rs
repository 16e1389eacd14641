//! Route tables: one trie per family.

use std::sync::Arc;

use ipnet::IpNet;
use tables::Lpm;

use super::earlier::Compared;
use super::pass::{Pass, put};
use crate::parts::{v4_prefix, v6_prefix};
use crate::snapshot::Slot;
use crate::spec::{RouteTableSpec, TargetSpec};
use crate::{Kind, NameIx, Route, RouteTable, Target};

impl Pass<'_> {
    /// Compiles the tables whose routes changed. A target is an index, and an index never changes its object.
    pub(super) fn route_tables(&mut self, compared: &Compared<'_, RouteTableSpec>) -> Vec<Slot<RouteTable>> {
        let mut slots = Vec::new();
        for (spec, earlier) in compared.pairs() {
            let at = self.indices.route_table(&spec.id).at();
            let name = self.name(Kind::RouteTable, &spec.id, &spec.name, None);
            let same = earlier.is_some_and(|earlier| earlier.is(spec) || earlier.routes == spec.routes);
            let part = match self.part_before(|snapshot| &snapshot.route_tables, at) {
                Some(before) if same => before.clone(),
                Some(_) | None => (self.generation, Arc::new(self.route_table(name, spec))),
            };
            put(&mut slots, at, part);
        }
        slots
    }

    fn route_table(&mut self, name: NameIx, spec: &RouteTableSpec) -> RouteTable {
        let (mut routes, mut v4, mut v6) = (Vec::new(), Vec::new(), Vec::new());
        for (route, value) in spec.routes.iter().zip(0..) {
            let route_name = self.name(Kind::Route, &route.id, &route.id, Some(name));
            let target = self.target(&route.target);
            routes.push(Route { name: route_name, target });
            match route.prefix {
                IpNet::V4(net) => v4.push((v4_prefix(net), value)),
                IpNet::V6(net) => v6.push((v6_prefix(net), value)),
            }
        }
        RouteTable { name, routes, v4: Lpm::build(&v4), v6: Lpm::build(&v6) }
    }

    fn target(&mut self, spec: &TargetSpec) -> Target {
        match spec {
            TargetSpec::Blackhole => Target::Blackhole,
            TargetSpec::EgressOnlyInternetGateway => Target::EgressOnlyInternetGateway,
            TargetSpec::Interface(id) => Target::Interface(self.indices.interface(id)),
            TargetSpec::InternetGateway => Target::InternetGateway,
            TargetSpec::Local => Target::Local,
            TargetSpec::Peering(id) => Target::Peering(self.indices.peering(id)),
        }
    }
}

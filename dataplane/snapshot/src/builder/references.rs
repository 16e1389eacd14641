//! Every reference has its object.

use std::cell::OnceCell;

use super::BuildError;
use super::earlier::{Compared, Comparison, Identified};
use crate::hash::HashMap;
use crate::spec::{
    AclSpec, FlowLogSpec, GroupSpec, InterfaceSpec, LabSpec, NatGatewaySpec, PeerSpec, PeeringSpec,
    RouteTableSpec, Shared, SubnetSpec, TargetSpec, VpcSpec,
};

/// The objects of a specification by id, collected when the first one is asked for.
pub(super) struct Known<'a> {
    acls: Objects<'a, AclSpec>,
    groups: Objects<'a, GroupSpec>,
    interfaces: Objects<'a, InterfaceSpec>,
    nat_gateways: Objects<'a, NatGatewaySpec>,
    peerings: Objects<'a, PeeringSpec>,
    route_tables: Objects<'a, RouteTableSpec>,
    subnets: Objects<'a, SubnetSpec>,
    vpcs: Objects<'a, VpcSpec>,
}

struct Objects<'a, T> {
    all: &'a [Shared<T>],
    by_id: OnceCell<HashMap<&'a str, &'a T>>,
}

impl<'a, T: Identified> Objects<'a, T> {
    fn new(all: &'a [Shared<T>]) -> Self {
        Self { all, by_id: OnceCell::new() }
    }

    /// The object that `from` names.
    fn get(&self, from: &str, id: &str) -> Result<&'a T, BuildError> {
        let by_id =
            self.by_id.get_or_init(|| self.all.iter().map(|object| (object.id(), &**object)).collect());
        by_id.get(id).copied().ok_or_else(|| BuildError { from: from.to_owned(), missing: id.to_owned() })
    }
}

impl<'a> Known<'a> {
    /// Checks that whatever an object of `spec` names is there. What was there before and is the very same needs no look
    /// as long as no id was lost.
    pub(super) fn check(spec: &'a LabSpec, compared: &Comparison<'a>) -> Result<Self, BuildError> {
        let known = Self {
            acls: Objects::new(&spec.acls),
            groups: Objects::new(&spec.groups),
            interfaces: Objects::new(&spec.interfaces),
            nat_gateways: Objects::new(&spec.nat_gateways),
            peerings: Objects::new(&spec.peerings),
            route_tables: Objects::new(&spec.route_tables),
            subnets: Objects::new(&spec.subnets),
            vpcs: Objects::new(&spec.vpcs),
        };
        let all = compared.lost_some();
        each(&compared.subnets, all, |subnet| known.check_subnet(subnet))?;
        each(&compared.route_tables, all, |table| known.check_routes(table))?;
        each(&compared.groups, all, |group| known.check_peers(group))?;
        each(&compared.interfaces, all, |interface| known.check_interface(interface))?;
        each(&compared.nat_gateways, all, |gateway| known.check_nat_gateway(gateway))?;
        each(&compared.peerings, all, |peering| known.check_peering(peering))?;
        each(&compared.vpcs, all, |vpc| known.check_vpc(vpc))?;
        each(&compared.flow_logs, all, |log| known.check_flow_log(log))?;
        Ok(known)
    }

    /// The subnet that `from` names.
    pub(super) fn subnet(&self, from: &str, id: &str) -> Result<&'a SubnetSpec, BuildError> {
        self.subnets.get(from, id)
    }

    /// The group that `from` names.
    pub(super) fn group(&self, from: &str, id: &str) -> Result<&'a GroupSpec, BuildError> {
        self.groups.get(from, id)
    }

    fn check_subnet(&self, subnet: &SubnetSpec) -> Result<(), BuildError> {
        self.vpcs.get(&subnet.id, &subnet.vpc)?;
        self.acls.get(&subnet.id, &subnet.network_acl)?;
        self.route_tables.get(&subnet.id, &subnet.route_table).map(drop)
    }

    fn check_routes(&self, table: &RouteTableSpec) -> Result<(), BuildError> {
        table.routes.iter().try_for_each(|route| match &route.target {
            TargetSpec::Interface(id) => self.interfaces.get(&route.id, id).map(drop),
            TargetSpec::Peering(id) => self.peerings.get(&route.id, id).map(drop),
            TargetSpec::Blackhole
            | TargetSpec::EgressOnlyInternetGateway
            | TargetSpec::InternetGateway
            | TargetSpec::Local => Ok(()),
        })
    }

    fn check_peers(&self, group: &GroupSpec) -> Result<(), BuildError> {
        group.ingress.iter().chain(&group.egress).try_for_each(|rule| match &rule.peer {
            PeerSpec::Group(id) => self.group(&rule.id, id).map(drop),
            PeerSpec::Cidr(_) => Ok(()),
        })
    }

    fn check_interface(&self, interface: &InterfaceSpec) -> Result<(), BuildError> {
        self.subnet(&interface.id, &interface.subnet)?;
        interface.nat_gateway.iter().try_for_each(|id| self.nat_gateways.get(&interface.id, id).map(drop))?;
        interface.groups.iter().try_for_each(|id| self.group(&interface.id, id).map(drop))
    }

    fn check_nat_gateway(&self, gateway: &NatGatewaySpec) -> Result<(), BuildError> {
        self.interfaces.get(&gateway.id, &gateway.interface).map(drop)
    }

    fn check_peering(&self, peering: &PeeringSpec) -> Result<(), BuildError> {
        self.vpcs.get(&peering.id, &peering.requester)?;
        self.vpcs.get(&peering.id, &peering.accepter).map(drop)
    }

    fn check_vpc(&self, vpc: &VpcSpec) -> Result<(), BuildError> {
        let edge = vpc.internet_gateway.as_ref().and_then(|gateway| gateway.route_table.as_ref());
        edge.into_iter().try_for_each(|id| self.route_tables.get(&vpc.id, id).map(drop))
    }

    fn check_flow_log(&self, log: &FlowLogSpec) -> Result<(), BuildError> {
        log.interfaces.iter().try_for_each(|id| self.interfaces.get(&log.id, id).map(drop))
    }
}

/// Checks all objects, or those that are not the very same as before.
fn each<T: Identified>(
    compared: &Compared<'_, T>,
    all: bool,
    check: impl Fn(&T) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    if all {
        compared.pairs().try_for_each(|(object, _)| check(object))
    } else {
        compared.changed().try_for_each(|object| check(object))
    }
}

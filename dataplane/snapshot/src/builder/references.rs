//! Every reference has its object.

use super::BuildError;
use crate::hash::{HashMap, HashSet};
use crate::spec::{GroupSpec, LabSpec, PeerSpec, RouteTableSpec, SubnetSpec, TargetSpec};

/// The objects of a specification by id.
pub(super) struct Known<'a> {
    acls: HashSet<&'a str>,
    groups: HashMap<&'a str, &'a GroupSpec>,
    interfaces: HashSet<&'a str>,
    route_tables: HashSet<&'a str>,
    subnets: HashMap<&'a str, &'a SubnetSpec>,
    vpcs: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    /// Collects the objects of `spec` and checks that whatever one of them names is there.
    pub(super) fn check(spec: &'a LabSpec) -> Result<Self, BuildError> {
        let known = Self {
            acls: spec.acls.iter().map(|acl| acl.id.as_str()).collect(),
            groups: spec.groups.iter().map(|group| (group.id.as_str(), group)).collect(),
            interfaces: spec.interfaces.iter().map(|interface| interface.id.as_str()).collect(),
            route_tables: spec.route_tables.iter().map(|table| table.id.as_str()).collect(),
            subnets: spec.subnets.iter().map(|subnet| (subnet.id.as_str(), subnet)).collect(),
            vpcs: spec.vpcs.iter().map(|vpc| vpc.id.as_str()).collect(),
        };
        spec.subnets.iter().try_for_each(|subnet| known.check_subnet(subnet))?;
        spec.route_tables.iter().try_for_each(|table| known.check_routes(table))?;
        spec.groups.iter().try_for_each(|group| known.check_peers(group))?;
        for interface in &spec.interfaces {
            known.subnet(&interface.id, &interface.subnet)?;
            interface.groups.iter().try_for_each(|id| known.group(&interface.id, id).map(drop))?;
        }
        for log in &spec.flow_logs {
            log.interfaces.iter().try_for_each(|id| exists(&known.interfaces, &log.id, id))?;
        }
        Ok(known)
    }

    /// The subnet that `from` names.
    pub(super) fn subnet(&self, from: &str, id: &str) -> Result<&'a SubnetSpec, BuildError> {
        self.subnets.get(id).copied().ok_or_else(|| dangling(from, id))
    }

    /// The group that `from` names.
    pub(super) fn group(&self, from: &str, id: &str) -> Result<&'a GroupSpec, BuildError> {
        self.groups.get(id).copied().ok_or_else(|| dangling(from, id))
    }

    fn check_subnet(&self, subnet: &SubnetSpec) -> Result<(), BuildError> {
        exists(&self.vpcs, &subnet.id, &subnet.vpc)?;
        exists(&self.acls, &subnet.id, &subnet.network_acl)?;
        exists(&self.route_tables, &subnet.id, &subnet.route_table)
    }

    fn check_routes(&self, table: &RouteTableSpec) -> Result<(), BuildError> {
        table.routes.iter().try_for_each(|route| match &route.target {
            TargetSpec::Interface(id) => exists(&self.interfaces, &route.id, id),
            TargetSpec::Blackhole | TargetSpec::Local => Ok(()),
        })
    }

    fn check_peers(&self, group: &GroupSpec) -> Result<(), BuildError> {
        group.ingress.iter().chain(&group.egress).try_for_each(|rule| match &rule.peer {
            PeerSpec::Group(id) => self.group(&rule.id, id).map(drop),
            PeerSpec::Cidr(_) => Ok(()),
        })
    }
}

fn exists(known: &HashSet<&str>, from: &str, id: &str) -> Result<(), BuildError> {
    if known.contains(id) { Ok(()) } else { Err(dangling(from, id)) }
}

fn dangling(from: &str, missing: &str) -> BuildError {
    BuildError { from: from.to_owned(), missing: missing.to_owned() }
}

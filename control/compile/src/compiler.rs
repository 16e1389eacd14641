//! One lab after the other: what did not change is said in the very words of the time before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::Valid;
use model::lab::{Lab, Peering, PrefixList, Settings, Vpc};
use snapshot::spec::{
    AclSpec, FlowLogSpec, GroupSpec, InterfaceSpec, LabSpec, NatGatewaySpec, PeeringSpec, RouteTableSpec,
    Shared, SubnetSpec, VpcSpec,
};

use crate::{BuildError, Builder, Snapshot, acl, flow_log, gateway, group, interface, route, settings, vpc};

/// Compiles versions of one lab.
///
/// Consecutive snapshots have the indices, names and parts in common that did not change.
#[derive(Debug, Default)]
pub struct Compiler {
    builder: Builder,
    last: Option<Lowered>,
}

/// A lab with what the builder was told about each VPC.
#[derive(Debug)]
struct Lowered {
    lab: Arc<Lab>,
    vpcs: BTreeMap<String, Tables>,
    peerings: Vec<Shared<PeeringSpec>>,
}

/// What the tables of a VPC depend on beside the VPC itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Common<'a> {
    pub(crate) prefix_lists: &'a BTreeMap<String, PrefixList>,
    pub(crate) settings: &'a Settings,
    pub(crate) peerings: &'a BTreeMap<String, Peering>,
}

impl<'a> Common<'a> {
    const fn of(lab: &'a Lab) -> Self {
        Self { prefix_lists: &lab.prefix_lists, settings: &lab.settings, peerings: &lab.peerings }
    }
}

impl Compiler {
    /// Compiles and builds in one step.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the builder misses an object; for a [`Valid`] that is a bug of ours, and the compiler is as before.
    pub fn snapshot(&mut self, valid: &Valid) -> Result<Snapshot, BuildError> {
        let lowered = Lowered::of(valid.shared(), self.last.as_ref());
        let snapshot = self.builder.build(lowered.spec())?;
        self.last = Some(lowered);
        Ok(snapshot)
    }
}

impl Lowered {
    fn of(lab: &Arc<Lab>, last: Option<&Self>) -> Self {
        let common = Common::of(lab);
        let last = last.filter(|last| Common::of(&last.lab) == common);
        let tables = |(name, vpc): (&String, &Vpc)| {
            let tables = match last.and_then(|last| Some((last, last.vpcs.get(name)?))) {
                Some((last, tables)) if last.says_the_same(lab, vpc) => tables.clone(),
                Some((_, tables)) => Tables::of(common, lab, vpc).sharing(tables),
                None => Tables::of(common, lab, vpc),
            };
            (name.clone(), tables)
        };
        let vpcs: BTreeMap<String, Tables> = lab.vpcs.iter().map(tables).collect();
        Self { peerings: peerings(lab, last), lab: Arc::clone(lab), vpcs }
    }

    /// Whether a VPC of `lab` has not changed, nor have the groups of others that it names.
    fn says_the_same(&self, lab: &Lab, vpc: &Vpc) -> bool {
        let same_groups =
            || group::foreign(vpc).all(|g| group::id_of(&self.lab.vpcs, g) == group::id_of(&lab.vpcs, g));
        self.lab.vpcs.get(&vpc.name) == Some(vpc) && same_groups()
    }

    fn spec(&self) -> LabSpec {
        let flow_logs = self.each(|tables| &tables.flow_logs);
        LabSpec {
            name: self.lab.name.clone(),
            acls: self.each(|tables| &tables.acls),
            groups: self.each(|tables| &tables.groups),
            interfaces: self.each(|tables| &tables.interfaces),
            internet: gateway::internet(&self.lab.internet),
            nat_gateways: self.each(|tables| &tables.nat_gateways),
            peerings: self.peerings.clone(),
            route_tables: self.each(|tables| &tables.route_tables),
            settings: settings::settings(&self.lab.settings, &flow_logs),
            subnets: self.each(|tables| &tables.subnets),
            vpcs: self.vpcs.values().map(|tables| tables.vpc.clone()).collect(),
            flow_logs,
        }
    }

    /// One table of all VPCs together.
    fn each<T>(&self, table: impl Fn(&Tables) -> &[Shared<T>]) -> Vec<Shared<T>> {
        self.vpcs.values().flat_map(table).cloned().collect()
    }
}

/// What the builder is told about one VPC.
#[derive(Clone, Debug)]
struct Tables {
    acls: Vec<Shared<AclSpec>>,
    flow_logs: Vec<Shared<FlowLogSpec>>,
    groups: Vec<Shared<GroupSpec>>,
    interfaces: Vec<Shared<InterfaceSpec>>,
    nat_gateways: Vec<Shared<NatGatewaySpec>>,
    route_tables: Vec<Shared<RouteTableSpec>>,
    subnets: Vec<Shared<SubnetSpec>>,
    vpc: Shared<VpcSpec>,
}

impl Tables {
    fn of(common: Common<'_>, lab: &Lab, vpc: &Vpc) -> Self {
        fn shared<T>(objects: Vec<T>) -> Vec<Shared<T>> {
            objects.into_iter().map(Shared::from).collect()
        }
        Self {
            acls: shared(acl::acls(vpc)),
            flow_logs: shared(flow_log::flow_logs(common, vpc)),
            groups: shared(group::groups(common, &lab.vpcs, vpc)),
            interfaces: shared(interface::interfaces(vpc)),
            nat_gateways: shared(gateway::nat_gateways(vpc)),
            route_tables: shared(route::route_tables(common, vpc)),
            subnets: shared(vpc::subnets(vpc)),
            vpc: vpc::vpc(vpc).into(),
        }
    }

    /// The same, with the very objects of `before` where they are equal. Most changes move no object, so each is
    /// compared with the one in its place, from either end.
    fn sharing(mut self, before: &Self) -> Self {
        fn share<T: Eq>(now: &mut [Shared<T>], before: &[Shared<T>]) {
            now.iter_mut().zip(before).for_each(|(now, before)| share_one(now, before));
            if now.len() != before.len() {
                now.iter_mut()
                    .rev()
                    .zip(before.iter().rev())
                    .for_each(|(now, before)| share_one(now, before));
            }
        }
        share(&mut self.acls, &before.acls);
        share(&mut self.flow_logs, &before.flow_logs);
        share(&mut self.groups, &before.groups);
        share(&mut self.interfaces, &before.interfaces);
        share(&mut self.nat_gateways, &before.nat_gateways);
        share(&mut self.route_tables, &before.route_tables);
        share(&mut self.subnets, &before.subnets);
        share_one(&mut self.vpc, &before.vpc);
        self
    }
}

fn share_one<T: Eq>(now: &mut Shared<T>, before: &Shared<T>) {
    if now == before {
        now.clone_from(before);
    }
}

/// The peering connections, in the very words of the time before if they and the VPCs that they join are the same.
fn peerings(lab: &Lab, last: Option<&Lowered>) -> Vec<Shared<PeeringSpec>> {
    let id_of = |vpc: &str| lab.vpcs.get(vpc).map_or_else(String::new, |vpc| vpc.id.clone());
    let known: HashMap<&str, &Shared<PeeringSpec>> =
        last.into_iter().flat_map(|last| &last.peerings).map(|spec| (spec.id.as_str(), spec)).collect();
    let one = |peering: &Peering| {
        let now = gateway::peering(peering, id_of);
        match known.get(peering.id.as_str()) {
            Some(before) if ***before == now => (*before).clone(),
            Some(_) | None => now.into(),
        }
    };
    lab.peerings.values().map(one).collect()
}

/// Says the whole lab in the words of the builder, in the order of names.
#[must_use]
pub fn compile(valid: &Valid) -> LabSpec {
    lower(valid.shared())
}

pub(crate) fn lower(lab: &Arc<Lab>) -> LabSpec {
    Lowered::of(lab, None).spec()
}

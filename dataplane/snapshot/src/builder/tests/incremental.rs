//! Building on top of an earlier snapshot answers as building from nothing does, and versions follow content.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::lab::{
    EVERY_PORT, addr, entry, group, interface, lab, peer_group, route, rule, subnet, tcp, udp, vpc,
};
use super::{Builder, Flow, Generation, Part, Snapshot};
use crate::spec::{
    AclSpec, InternetGatewaySpec, LabSpec, PeeringSpec, RouteTableSpec, Shared, TargetSpec, VpcSpec,
};
use crate::{AclAction, Check, Interface, LabelIx, PeeringReach, PeeringStatus, Target};

const INTERFACES: usize = 5;
const GROUPS: usize = 3;
const TABLES: usize = 2;

/// A small lab as numbers: bit sets choose from the fixed menus below.
#[derive(Clone, Debug)]
struct Plan {
    acls: [u8; TABLES],
    groups: [u8; GROUPS],
    interfaces: [Option<Eni>; INTERFACES],
    subnets: [(usize, usize); TABLES],
    tables: [u8; TABLES],
    /// Whether each VPC has an internet gateway.
    gateways: [bool; TABLES],
    /// The peering connection of the two VPCs, if there is one, and whether it is active.
    peering: Option<bool>,
    icmp: u32,
}

#[derive(Clone, Debug)]
struct Eni {
    subnet: usize,
    groups: u8,
    second_address: bool,
    forwards: bool,
    public: bool,
}

/// One change of a plan.
#[derive(Clone, Debug)]
enum Edit {
    Acl(usize, u8),
    Gateway(usize, bool),
    Group(usize, u8),
    Icmp(u32),
    Interface(usize, Option<Eni>),
    Nothing,
    Peering(Option<bool>),
    Subnet(usize, (usize, usize)),
    Table(usize, u8),
}

impl Plan {
    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Acl(at, menu) => self.acls[*at] = *menu,
            Edit::Gateway(at, there) => self.gateways[*at] = *there,
            Edit::Group(at, menu) => self.groups[*at] = *menu,
            Edit::Icmp(seconds) => self.icmp = *seconds,
            Edit::Interface(at, eni) => self.interfaces[*at].clone_from(eni),
            Edit::Nothing => {}
            Edit::Peering(peering) => self.peering = *peering,
            Edit::Subnet(at, tables) => self.subnets[*at] = *tables,
            Edit::Table(at, menu) => self.tables[*at] = *menu,
        }
    }

    fn spec(&self) -> LabSpec {
        let mut spec = LabSpec { vpcs: (0..TABLES).map(|at| self.vpc(at)).collect(), ..lab() };
        spec.peerings = self.peering.map(peering).into_iter().collect();
        spec.acls = (0..TABLES).map(|at| acl(at, self.acls[at]).into()).collect();
        spec.groups = (0..GROUPS).map(|at| self.group(at)).collect();
        spec.interfaces = (0..INTERFACES).filter_map(|at| self.interface(at)).collect();
        spec.route_tables = (0..TABLES).map(|at| self.table(at).into()).collect();
        spec.subnets = (0..TABLES).map(|at| self.subnet(at)).collect();
        spec.settings.icmp = self.icmp;
        spec
    }

    fn vpc(&self, at: usize) -> Shared<VpcSpec> {
        let gateway = InternetGatewaySpec { id: format!("igw-{at}"), route_table: None };
        let internet_gateway = self.gateways[at].then_some(gateway);
        VpcSpec { internet_gateway, ..(*vpc(&format!("vpc-{at}"))).clone() }.into()
    }

    /// Public addresses by private ones of the interfaces in one VPC.
    fn publics(&self, vpc: usize) -> Vec<(Ipv4Addr, Ipv4Addr)> {
        let public = |at: usize, eni: &Eni| {
            let here = eni.public && eni.subnet == vpc;
            here.then(|| public_of(at, eni))
        };
        self.interfaces.iter().zip(0..).filter_map(|(eni, at)| public(at, eni.as_ref()?)).collect()
    }

    fn group(&self, at: usize) -> Shared<crate::spec::GroupSpec> {
        let id = |n: u8| format!("sgr-{at}-{n}");
        let menu = [
            rule(&id(0), tcp(80..=80), "0.0.0.0/0"),
            rule(&id(1), tcp(80..=443), "10.0.0.0/24"),
            peer_group(&id(2), udp(53..=53), &format!("sg-{}", (at + 1) % GROUPS)),
            rule(&id(3), (None, EVERY_PORT), "::/0"),
        ];
        let out = [
            rule(&id(4), tcp(EVERY_PORT), "0.0.0.0/0"),
            rule(&id(5), (None, EVERY_PORT), "::/0"),
            peer_group(&id(6), tcp(80..=80), &format!("sg-{at}")),
        ];
        group(&format!("sg-{at}"), chosen(self.groups[at], &menu), chosen(self.groups[at] >> 4, &out))
    }

    fn interface(&self, at: usize) -> Option<Shared<crate::spec::InterfaceSpec>> {
        let eni = self.interfaces[at].as_ref()?;
        let groups: Vec<_> = eni.groups().iter().map(|g| format!("sg-{g}")).collect();
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        let mut spec = interface(&format!("eni-{at}"), &format!("10.0.{}.1{at}", eni.subnet), &groups);
        spec.subnet = format!("subnet-{}", eni.subnet);
        spec.check = if eni.forwards { Check::Off } else { Check::On };
        spec.public.extend(eni.public.then(|| public_of(at, eni)));
        if eni.second_address {
            spec.ipv6.push(format!("2001:db8:0:{}::1{at}", eni.subnet).parse().expect("an address"));
        }
        Some(spec)
    }

    /// A route to an interface that is not there is a blackhole.
    fn table(&self, at: usize) -> RouteTableSpec {
        let target = match &self.interfaces[at] {
            Some(_) => TargetSpec::Interface(format!("eni-{at}")),
            None => TargetSpec::Blackhole,
        };
        let menu = [
            route("10.0.0.0/16", TargetSpec::Local),
            route("0.0.0.0/0", target.clone()),
            route("10.0.1.0/24", TargetSpec::Blackhole),
            route("2001:db8::/32", target),
        ];
        let mut routes = chosen(self.tables[at], &menu);
        routes.iter_mut().for_each(|route| route.id = route.id.replace("main", &at.to_string()));
        RouteTableSpec { id: format!("rtb-{at}"), name: format!("rtb-{at}"), routes }
    }

    fn subnet(&self, at: usize) -> Shared<crate::spec::SubnetSpec> {
        let (acl, table) = self.subnets[at];
        let third_byte = u8::try_from(at).expect("a handful of subnets");
        crate::spec::SubnetSpec {
            network_acl: format!("acl-{acl}"),
            route_table: format!("rtb-{table}"),
            ..(*subnet(&format!("subnet-{at}"), &format!("vpc-{at}"), third_byte)).clone()
        }
        .into()
    }
}

impl Eni {
    fn groups(&self) -> Vec<usize> {
        (0..GROUPS).filter(|g| self.groups >> g & 1 == 1).collect()
    }
}

/// The private address of an interface and its public one.
fn public_of(at: usize, eni: &Eni) -> (Ipv4Addr, Ipv4Addr) {
    let last = 10 + u8::try_from(at).expect("a handful of interfaces");
    let subnet = u8::try_from(eni.subnet).expect("a handful of subnets");
    (Ipv4Addr::new(10, 0, subnet, last), Ipv4Addr::new(198, 51, 100, last))
}

fn peering(active: bool) -> Shared<PeeringSpec> {
    PeeringSpec {
        id: "pcx-0".into(),
        name: "p".into(),
        requester: "vpc-0".into(),
        accepter: "vpc-1".into(),
        status: if active { PeeringStatus::Active } else { PeeringStatus::Inactive },
        reach: PeeringReach::IntraRegion,
        mtu: 9001,
    }
    .into()
}

fn acl(at: usize, menu: u8) -> AclSpec {
    let entries = [
        entry(10, AclAction::Deny, tcp(80..=80), "10.0.0.0/24"),
        entry(20, AclAction::Allow, tcp(EVERY_PORT), "10.0.0.0/8"),
        entry(30, AclAction::Allow, (None, EVERY_PORT), "::/0"),
        entry(40, AclAction::Deny, udp(53..=53), "0.0.0.0/0"),
    ];
    let (ingress, egress) = (chosen(menu, &entries), chosen(menu >> 4, &entries));
    AclSpec { id: format!("acl-{at}"), name: format!("acl-{at}"), ingress, egress }
}

fn chosen<T: Clone>(bits: u8, menu: &[T]) -> Vec<T> {
    menu.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, item)| item.clone()).collect()
}

/// Everything that a snapshot can be asked, as lines without indices.
fn answers(snapshot: &Snapshot) -> BTreeSet<String> {
    let mut lines = BTreeSet::from([format!("{:?}", snapshot.settings())]);
    for (_, interface) in snapshot.interfaces() {
        let own = name(snapshot, interface.name);
        let Interface { ipv4, ipv6, check, .. } = interface;
        lines.insert(format!("{own}: {ipv4:?} {ipv6:?} {check:?}"));
        lines.extend(
            probes(snapshot).iter().map(|flow| format!("{own}: {}", answer(snapshot, interface, flow))),
        );
    }
    let peering = snapshot.peering_by_id("pcx-0").and_then(|ix| snapshot.peering(ix));
    lines.insert(format!("peering {:?}", peering.map(|p| p.status)));
    for last in 0..=u8::MAX {
        let public = addr(&format!("198.51.100.{last}"));
        lines.insert(format!("{public} is {}", snapshot.private_of(public)));
    }
    lines
}

fn answer(snapshot: &Snapshot, interface: &Interface, flow: &Flow<'_>) -> String {
    let program = snapshot.program(interface.program).expect("its program exists");
    let subnet = snapshot.subnet(interface.subnet).expect("its subnet exists");
    let acl = snapshot.acl(subnet.acl).expect("its ACL exists");
    let groups = [program.ingress(flow), program.egress(flow)]
        .map(|hit| hit.map(|hit| (name(snapshot, hit.rule), hit.width)));
    let acls = [acl.ingress(flow), acl.egress(flow)].map(|hit| (name(snapshot, hit.entry), hit.action));
    let route = routed(snapshot, subnet.route_table, flow.peer);
    let owner = snapshot.vpc(interface.vpc).and_then(|vpc| vpc.owner_of(flow.peer));
    let owner = owner.map(|ix| name(snapshot, snapshot.interface(ix).expect("the owner exists").name));
    let Flow { protocol, selector, peer, .. } = flow;
    format!("{protocol} {selector} {peer}: {groups:?} {acls:?} {route} {owner:?}")
}

fn routed(snapshot: &Snapshot, table: crate::RouteTableIx, to: std::net::IpAddr) -> String {
    let table = snapshot.route_table(table).expect("the table exists");
    let Some(route) = table.lookup(to) else { return "-".into() };
    let target = match route.target {
        Target::Interface(ix) => name(snapshot, snapshot.interface(ix).expect("the target exists").name),
        Target::Peering(ix) => name(snapshot, snapshot.peering(ix).expect("the target exists").name),
        Target::Blackhole => "blackhole",
        Target::EgressOnlyInternetGateway => "egress-only",
        Target::InternetGateway => "internet",
        Target::Local => "local",
    };
    format!("{} {target}", name(snapshot, route.name))
}

fn name(snapshot: &Snapshot, ix: crate::NameIx) -> &str {
    &snapshot.names().get(ix).id
}

/// Flows that tell the menus apart, from strangers and from each interface.
fn probes(snapshot: &Snapshot) -> Vec<Flow<'_>> {
    let strangers = ["192.0.2.1", "10.0.0.77", "10.0.1.77", "2001:db8::77", "2600::1"].map(addr);
    let peers = strangers.into_iter().map(|peer| (peer, &[][..])).chain(snapshot.interfaces().flat_map(
        |(_, eni)| {
            let v4 = eni.ipv4.iter().map(|&a| a.into());
            v4.chain(eni.ipv6.iter().map(|&a| a.into())).map(|peer| (peer, &eni.labels[..]))
        },
    ));
    peers
        .flat_map(|(peer, labels)| {
            [(6, 80), (6, 443), (6, 9), (17, 53), (1, 0x800)].map(|(protocol, selector)| Flow {
                protocol,
                selector,
                peer,
                labels,
            })
        })
        .collect()
}

/// The content of each part, by an independent reading of the plan.
fn contents(plan: &Plan) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::from([("settings".to_owned(), plan.icmp.to_string())]);
    for at in 0..TABLES {
        let target_exists = plan.interfaces[at].is_some();
        let uses_target = plan.tables[at] & 0b1010 != 0;
        parts.insert(format!("acl-{at}"), format!("{}", plan.acls[at]));
        parts.insert(
            format!("rtb-{at}"),
            format!("{:b} {}", plan.tables[at] & 15, uses_target && target_exists),
        );
        parts.insert(format!("subnet-{at}"), format!("{:?}", plan.subnets[at]));
        let here = |eni: &Option<Eni>| eni.as_ref().filter(|e| e.subnet == at).map(|e| e.second_address);
        let gateway = plan.gateways[at];
        parts.insert(
            format!("vpc-{at}"),
            format!("{gateway} {:?} {:?}", plan.publics(at), plan.interfaces.each_ref().map(here)),
        );
    }
    let reached = |at| if plan.gateways[at] { plan.publics(at) } else { Vec::new() };
    parts.insert("internet".to_owned(), format!("{:?} {:?}", reached(0), reached(1)));
    parts.extend(plan.peering.map(|active| ("pcx-0".to_owned(), active.to_string())));
    for (at, eni) in plan.interfaces.iter().enumerate() {
        let Some(eni) = eni else { continue };
        parts.insert(format!("eni-{at}"), format!("{eni:?}"));
        let rules: Vec<_> = eni.groups().iter().map(|&g| plan.groups[g] & 0x7f).collect();
        parts.insert(format!("program {:?}", eni.groups()), format!("{rules:?}"));
    }
    parts
}

/// `now`, in which whatever equals an object of `before` is the very same.
fn shared(mut now: LabSpec, before: &LabSpec) -> LabSpec {
    fn share<T: Eq>(now: &mut [Shared<T>], before: &[Shared<T>]) {
        for object in now {
            if let Some(same) = before.iter().find(|earlier| *earlier == object) {
                object.clone_from(same);
            }
        }
    }
    share(&mut now.acls, &before.acls);
    share(&mut now.groups, &before.groups);
    share(&mut now.interfaces, &before.interfaces);
    share(&mut now.peerings, &before.peerings);
    share(&mut now.route_tables, &before.route_tables);
    share(&mut now.subnets, &before.subnets);
    share(&mut now.vpcs, &before.vpcs);
    now
}

/// The part that a key of [`contents`] means.
fn part(snapshot: &Snapshot, key: &str) -> Option<Part> {
    let indices = &snapshot.indices;
    if key == "settings" {
        return Some(Part::Settings);
    }
    if key == "internet" {
        return Some(Part::Internet);
    }
    if let Some(set) = key.strip_prefix("program ") {
        let mut labels: Vec<LabelIx> = (0..GROUPS)
            .filter(|g| set.contains(&g.to_string()))
            .filter_map(|g| indices.groups.find(&*format!("sg-{g}")))
            .collect();
        labels.sort_unstable();
        return indices.programs.find(&labels[..]).map(Part::Program);
    }
    match key.split('-').next()? {
        "acl" => indices.acls.find(key).map(Part::Acl),
        "eni" => indices.interfaces.find(key).map(Part::Interface),
        "pcx" => indices.peerings.find(key).map(Part::Peering),
        "rtb" => indices.route_tables.find(key).map(Part::RouteTable),
        "subnet" => indices.subnets.find(key).map(Part::Subnet),
        "vpc" => indices.vpcs.find(key).map(Part::Vpc),
        _ => None,
    }
}

fn eni() -> impl Strategy<Value = Option<Eni>> {
    let some = (0..TABLES, 0_u8..8, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(subnet, groups, second_address, forwards, public)| Eni {
            subnet,
            groups,
            second_address,
            forwards,
            public,
        },
    );
    prop::option::weighted(0.8, some)
}

fn menus<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    prop::array::uniform(any::<u8>())
}

fn plan() -> impl Strategy<Value = Plan> {
    (
        menus(),
        menus(),
        prop::array::uniform(eni()),
        [(0..TABLES, 0..TABLES), (0..TABLES, 0..TABLES)],
        menus(),
        any::<[bool; TABLES]>(),
        any::<Option<bool>>(),
        1_u32..4,
    )
        .prop_map(|(acls, groups, interfaces, subnets, tables, gateways, peering, icmp)| Plan {
            acls,
            groups,
            interfaces,
            subnets,
            tables,
            gateways,
            peering,
            icmp,
        })
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..TABLES, any::<u8>()).prop_map(|(at, menu)| Edit::Acl(at, menu)),
        (0..TABLES, any::<bool>()).prop_map(|(at, there)| Edit::Gateway(at, there)),
        (0..GROUPS, any::<u8>()).prop_map(|(at, menu)| Edit::Group(at, menu)),
        (1_u32..4).prop_map(Edit::Icmp),
        (0..INTERFACES, eni()).prop_map(|(at, eni)| Edit::Interface(at, eni)),
        Just(Edit::Nothing),
        any::<Option<bool>>().prop_map(Edit::Peering),
        (0..TABLES, (0..TABLES, 0..TABLES)).prop_map(|(at, tables)| Edit::Subnet(at, tables)),
        (0..TABLES, any::<u8>()).prop_map(|(at, menu)| Edit::Table(at, menu)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_step_from_the_last_snapshot_equals_a_start_from_nothing(
        mut plan in plan(),
        steps in prop::collection::vec(prop::collection::vec(edit(), 1..3), 1..8),
    ) {
        let (mut builder, mut sharing) = (Builder::default(), Builder::default());
        let mut before = plan.spec();
        let mut expected: BTreeMap<String, (String, Generation)> = BTreeMap::new();
        for step in [vec![Edit::Nothing]].iter().chain(&steps) {
            step.iter().for_each(|edit| plan.apply(edit));
            let snapshot = builder.build(plan.spec()).unwrap();
            before = shared(plan.spec(), &before);
            let by_sharing = sharing.build(before.clone()).unwrap();
            prop_assert_eq!(answers(&by_sharing), answers(&snapshot));
            let (step_on, anew) = (answers(&snapshot), answers(&Builder::default().build(plan.spec()).unwrap()));
            prop_assert!(step_on == anew, "{:#?}", step_on.symmetric_difference(&anew).collect::<Vec<_>>());

            let now = contents(&plan);
            expected.retain(|key, (_, generation)| {
                if !now.contains_key(key) {
                    *generation = Generation(0);
                }
                true
            });
            for (key, content) in now {
                let entry = expected.entry(key).or_insert_with(|| (String::new(), Generation(0)));
                if entry.0 != content || entry.1 == Generation(0) {
                    *entry = (content, snapshot.generation());
                }
            }
            for (key, (_, generation)) in &expected {
                let part = part(&snapshot, key).expect("every part has an index");
                prop_assert_eq!(snapshot.version(part), *generation, "{}", key);
                prop_assert_eq!(by_sharing.version(part), *generation, "{} by sharing", key);
            }
        }
    }
}

//! One behaviour per test, on labs made by hand.

mod incremental;
pub(super) mod lab;
mod scale;

use std::net::IpAddr;
use std::sync::Arc;

use super::Builder;
use crate::spec::{FlowLogSpec, LabSpec, Shared, TargetSpec, TrafficFilter};
use crate::{AclAction, Flow, Generation, GroupMatch, Kind, Part, Snapshot, Target, Width};
use lab::{EVERY_PORT, addr, entry, group, interface, lab, peer_group, route, rule, subnet, tcp, udp, vpc};

fn build(spec: &LabSpec) -> Snapshot {
    Builder::default().build(spec.clone()).expect("the lab has no dangling reference")
}

/// The rule that lets a packet reach the interface, by id.
fn ingress(snapshot: &Snapshot, eni: &str, flow: &Flow<'_>) -> Option<(String, Width)> {
    let program = snapshot.interface(snapshot.interface_by_id(eni)?)?.program;
    named(snapshot, snapshot.program(program)?.ingress(flow)?)
}

/// The rule that lets a packet leave the interface, by id.
fn egress(snapshot: &Snapshot, eni: &str, flow: &Flow<'_>) -> Option<(String, Width)> {
    let program = snapshot.interface(snapshot.interface_by_id(eni)?)?.program;
    named(snapshot, snapshot.program(program)?.egress(flow)?)
}

#[expect(clippy::unnecessary_wraps, reason = "its callers end with it")]
fn named(snapshot: &Snapshot, hit: GroupMatch) -> Option<(String, Width)> {
    Some((snapshot.names().get(hit.rule).id.to_string(), hit.width))
}

fn flow(protocol: u8, selector: u16, peer: &str) -> Flow<'static> {
    Flow { protocol, selector, peer: addr(peer), labels: &[] }
}

fn wide(id: &str) -> Option<(String, Width)> {
    Some((id.to_owned(), Width::Wide))
}

fn narrow(id: &str) -> Option<(String, Width)> {
    Some((id.to_owned(), Width::Narrow))
}

/// The verdict of an ACL entry, by id.
fn inbound(snapshot: &Snapshot, acl: &str, flow: &Flow<'_>) -> (String, AclAction) {
    let acl = snapshot.acl_by_id(acl).and_then(|ix| snapshot.acl(ix)).expect("the ACL exists");
    let hit = acl.ingress(flow);
    (snapshot.names().get(hit.entry).id.to_string(), hit.action)
}

/// The route in force for `destination`, by id, with its target.
fn routed(snapshot: &Snapshot, table: &str, destination: &str) -> Option<(String, Target)> {
    let table = snapshot.route_table(snapshot.route_table_by_id(table)?)?;
    let route = table.lookup(addr(destination))?;
    Some((snapshot.names().get(route.name).id.to_string(), route.target))
}

#[test]
fn the_generation_counts_every_build_and_an_equal_lab_shares_every_part() {
    let mut builder = Builder::default();
    let first = builder.build(lab()).unwrap();
    let second = builder.build(lab()).unwrap();
    assert_eq!((first.generation(), second.generation()), (Generation(1), Generation(2)));
    for part in all_parts(&second) {
        assert_eq!(second.version(part), Generation(1), "{part:?}");
    }
    assert!(Arc::ptr_eq(first.names(), second.names()));
    assert!(Arc::ptr_eq(&first.indices, &second.indices));
    assert!(Arc::ptr_eq(&first.programs[0].as_ref().unwrap().1, &second.programs[0].as_ref().unwrap().1));
}

/// Every part that some slot holds.
fn all_parts(snapshot: &Snapshot) -> Vec<Part> {
    fn held<T>(slots: &[Option<T>], part: impl Fn(u32) -> Part) -> Vec<Part> {
        slots.iter().zip(0..).filter(|(slot, _)| slot.is_some()).map(|(_, ix)| part(ix)).collect()
    }
    let mut parts = vec![Part::Settings];
    parts.extend(held(&snapshot.acls, |ix| Part::Acl(ix.into())));
    parts.extend(held(&snapshot.interfaces, |ix| Part::Interface(ix.into())));
    parts.extend(held(&snapshot.programs, |ix| Part::Program(ix.into())));
    parts.extend(held(&snapshot.route_tables, |ix| Part::RouteTable(ix.into())));
    parts.extend(held(&snapshot.subnets, |ix| Part::Subnet(ix.into())));
    parts.extend(held(&snapshot.vpcs, |ix| Part::Vpc(ix.into())));
    parts
}

/// The parts that are newer than `since`.
fn changed(snapshot: &Snapshot, since: Generation) -> Vec<Part> {
    all_parts(snapshot).into_iter().filter(|part| snapshot.version(*part) > since).collect()
}

#[test]
fn an_index_belongs_to_one_id_for_ever() {
    let mut builder = Builder::default();
    let first = builder.build(lab()).unwrap();
    let web = first.interface_by_id("eni-web").unwrap();

    let mut without = lab();
    without.interfaces.retain(|interface| interface.id != "eni-web");
    without.interfaces.push(interface("eni-new", "10.0.1.30", &["sg-web"]));
    let second = builder.build(without).unwrap();
    assert_eq!(second.interface_by_id("eni-web"), None);
    assert!(second.interface(web).is_none());
    assert_eq!(second.version(Part::Interface(web)), Generation(0));
    assert_ne!(second.interface_by_id("eni-new"), Some(web));

    let third = builder.build(lab()).unwrap();
    assert_eq!(third.interface_by_id("eni-web"), Some(web));
    assert_eq!(third.version(Part::Interface(web)), Generation(3));
}

#[test]
fn a_dangling_reference_is_named_and_leaves_the_builder_as_it_was() {
    type Edit = fn(&mut LabSpec);
    let cases: [(Edit, &str, &str); 8] = [
        (|lab| lab.subnets[0].vpc = "vpc-x".into(), "subnet-a", "vpc-x"),
        (|lab| lab.subnets[0].network_acl = "acl-x".into(), "subnet-a", "acl-x"),
        (|lab| lab.subnets[0].route_table = "rtb-x".into(), "subnet-a", "rtb-x"),
        (|lab| lab.interfaces[0].subnet = "subnet-x".into(), "eni-web", "subnet-x"),
        (|lab| lab.interfaces[0].groups.push("sg-x".into()), "eni-web", "sg-x"),
        (|lab| lab.groups[0].ingress.push(peer_group("sgr-x", tcp(EVERY_PORT), "sg-x")), "sgr-x", "sg-x"),
        (
            |lab| {
                lab.route_tables[0].routes.push(route("10.9.0.0/16", TargetSpec::Interface("eni-x".into())))
            },
            "rtb-main/10.9.0.0/16",
            "eni-x",
        ),
        (|lab| lab.flow_logs.push(flow_log("eni-x")), "fl-1", "eni-x"),
    ];
    let mut builder = Builder::default();
    builder.build(lab()).unwrap();
    for (edit, from, missing) in cases {
        let mut broken = lab();
        edit(&mut broken);
        let error = builder.build(broken).unwrap_err();
        assert_eq!((&*error.from, &*error.missing), (from, missing));
    }
    assert_eq!(builder.build(lab()).unwrap().generation(), Generation(2));
}

#[test]
fn an_object_that_is_gone_is_missed_also_by_those_that_did_not_change() {
    type Edit = fn(&mut LabSpec);
    let cases: [(Edit, &str, &str); 6] = [
        (|lab| lab.vpcs.clear(), "subnet-a", "vpc-app"),
        (|lab| lab.acls.clear(), "subnet-a", "acl-main"),
        (|lab| lab.route_tables.clear(), "subnet-a", "rtb-main"),
        (|lab| lab.subnets.clear(), "eni-web", "subnet-a"),
        (|lab| drop(lab.groups.remove(1)), "eni-db", "sg-db"),
        (|lab| drop(lab.interfaces.remove(0)), "fl-1", "eni-web"),
    ];
    let mut whole = lab();
    whole.flow_logs.push(flow_log("eni-web"));
    let mut builder = Builder::default();
    builder.build(whole.clone()).unwrap();
    for (edit, from, missing) in cases {
        let mut broken = whole.clone();
        edit(&mut broken);
        let error = builder.build(broken).unwrap_err();
        assert_eq!((&*error.from, &*error.missing), (from, missing));
    }
}

#[test]
fn an_interface_follows_its_subnet_into_another_vpc() {
    let mut builder = Builder::default();
    let mut spec = lab();
    spec.vpcs.push(vpc("vpc-other"));
    builder.build(spec.clone()).unwrap();
    spec.subnets[0].vpc = "vpc-other".into();
    let moved = builder.build(spec).unwrap();
    let web = moved.interface_by_id("eni-web").unwrap();
    let [app, other] = ["vpc-app", "vpc-other"].map(|id| moved.vpc_by_id(id).unwrap());
    assert_eq!(moved.interface(web).unwrap().vpc, other);
    let owner = |vpc| moved.vpc(vpc).unwrap().owner_of(addr("10.0.1.10"));
    assert_eq!((owner(app), owner(other)), (None, Some(web)));
}

fn flow_log(eni: &str) -> Shared<FlowLogSpec> {
    FlowLogSpec {
        id: "fl-1".into(),
        interfaces: vec![eni.into()],
        traffic: TrafficFilter::All,
        interval: 60,
        format: "${version}".into(),
        file: "all.log".into(),
    }
    .into()
}

/// Rules: SG-01, SG-02
#[test]
fn the_rules_of_all_groups_count_and_no_other() {
    let mut spec = lab();
    spec.groups = vec![
        group("sg-web", vec![rule("sgr-443", tcp(443..=443), "0.0.0.0/0")], vec![]),
        group("sg-db", vec![rule("sgr-5432", tcp(5432..=5432), "10.0.0.0/8")], vec![]),
    ];
    spec.interfaces = vec![interface("eni-web", "10.0.1.10", &["sg-web", "sg-db"])];
    let snapshot = build(&spec);
    assert_eq!(ingress(&snapshot, "eni-web", &flow(6, 443, "192.0.2.1")), narrow("sgr-443"));
    assert_eq!(ingress(&snapshot, "eni-web", &flow(6, 5432, "10.9.9.9")), narrow("sgr-5432"));
    assert_eq!(ingress(&snapshot, "eni-web", &flow(6, 5432, "192.0.2.1")), None);
    assert_eq!(ingress(&snapshot, "eni-web", &flow(17, 443, "192.0.2.1")), None);
    assert_eq!(egress(&snapshot, "eni-web", &flow(6, 443, "192.0.2.1")), None);
}

#[test]
fn of_several_matching_rules_the_group_with_the_lowest_id_names_the_match() {
    let mut spec = lab();
    let rules = |id: &str| {
        vec![rule(id, tcp(443..=443), "10.0.0.0/8"), rule("sgr-later", tcp(EVERY_PORT), "10.0.0.0/8")]
    };
    spec.groups = vec![group("sg-b", rules("sgr-b"), vec![]), group("sg-a", rules("sgr-a"), vec![])];
    spec.interfaces = vec![interface("eni-web", "10.0.1.10", &["sg-b", "sg-a"])];
    let snapshot = build(&spec);
    assert_eq!(ingress(&snapshot, "eni-web", &flow(6, 443, "10.9.9.9")), narrow("sgr-a"));
    let program = snapshot.program(0.into()).unwrap();
    let groups: Vec<_> = program.groups.iter().map(|&ix| &*snapshot.names().get(ix).id).collect();
    assert_eq!(groups, ["sg-a", "sg-b"]);
}

/// Rules: SG-03, SG-08, SG-26
#[test]
fn a_group_peer_matches_members_in_both_families_and_no_address() {
    let mut spec = lab();
    spec.groups = vec![
        group("sg-web", vec![], vec![]),
        group("sg-db", vec![peer_group("sgr-from-web", tcp(5432..=5432), "sg-web")], vec![]),
    ];
    spec.interfaces =
        vec![interface("eni-web", "10.0.1.10", &["sg-web"]), interface("eni-db", "10.0.1.20", &["sg-db"])];
    let snapshot = build(&spec);
    let web = snapshot.interface(snapshot.interface_by_id("eni-web").unwrap()).unwrap();
    for peer in ["10.0.1.10", "2001:db8::10"] {
        let anonymous = flow(6, 5432, peer);
        let member = Flow { labels: &web.labels, ..anonymous };
        assert_eq!(ingress(&snapshot, "eni-db", &member), narrow("sgr-from-web"));
        assert_eq!(ingress(&snapshot, "eni-db", &anonymous), None);
        assert_eq!(ingress(&snapshot, "eni-web", &member), None, "membership alone allows nothing");
    }
}

/// The vector of the EC2 user guide, page "Connection tracking".
///
/// Rules: SG-14, SG-17
#[test]
fn only_the_open_port_is_untracked_and_only_while_egress_is_open() {
    let mut spec = lab();
    let every = |id: &str, net: &str| rule(id, (None, EVERY_PORT), net);
    spec.groups = vec![group(
        "sg-web",
        vec![
            rule("sgr-22", tcp(22..=22), "203.0.113.1/32"),
            rule("sgr-80", tcp(80..=80), "0.0.0.0/0"),
            rule("sgr-80-v6", tcp(80..=80), "::/0"),
            rule("sgr-icmp", (Some(1), EVERY_PORT), "0.0.0.0/0"),
        ],
        vec![every("sgr-out", "0.0.0.0/0"), every("sgr-out-v6", "::/0")],
    )];
    spec.interfaces = vec![interface("eni-web", "10.0.1.10", &["sg-web"])];
    let mut builder = Builder::default();
    let open = builder.build(spec.clone()).unwrap();
    let at =
        |snapshot: &Snapshot, protocol, port, peer| ingress(snapshot, "eni-web", &flow(protocol, port, peer));
    assert_eq!(at(&open, 6, 22, "203.0.113.1"), narrow("sgr-22"));
    assert_eq!(at(&open, 6, 80, "203.0.113.1"), wide("sgr-80"));
    assert_eq!(at(&open, 6, 80, "2001:db8::1"), wide("sgr-80-v6"));
    assert_eq!(at(&open, 1, 0x0800, "203.0.113.1"), narrow("sgr-icmp"));

    spec.groups[0].egress.remove(0);
    let half = builder.build(spec).unwrap();
    assert_eq!(at(&half, 6, 80, "203.0.113.1"), narrow("sgr-80"));
    assert_eq!(at(&half, 6, 80, "2001:db8::1"), wide("sgr-80-v6"));
}

/// Rules: SG-14
#[test]
fn the_other_direction_counts_per_protocol_and_only_with_all_ports() {
    let mut spec = lab();
    let any = "0.0.0.0/0";
    let ins = vec![rule("sgr-tcp", tcp(80..=80), any), rule("sgr-udp", udp(80..=80), any)];
    let outs = vec![rule("sgr-out-udp", udp(EVERY_PORT), any), rule("sgr-out-tcp", tcp(1..=u16::MAX), any)];
    spec.groups = vec![group("sg-web", ins, outs)];
    spec.interfaces = vec![interface("eni-web", "10.0.1.10", &["sg-web"])];
    let snapshot = build(&spec);
    assert_eq!(ingress(&snapshot, "eni-web", &flow(17, 80, "192.0.2.1")), wide("sgr-udp"));
    assert_eq!(ingress(&snapshot, "eni-web", &flow(6, 80, "192.0.2.1")), narrow("sgr-tcp"));
    assert_eq!(egress(&snapshot, "eni-web", &flow(17, 80, "192.0.2.1")), narrow("sgr-out-udp"));
}

/// Rules: SG-14
#[test]
fn the_other_direction_counts_per_family_and_only_for_everyone() {
    let mut spec = lab();
    let every = |id: &str, net: &str| rule(id, tcp(EVERY_PORT), net);
    let web = |id: &str, net: &str| rule(id, tcp(80..=80), net);
    spec.groups = vec![group(
        "sg-web",
        vec![web("sgr-in", "0.0.0.0/0"), every("sgr-in-v6", "::/0")],
        vec![every("sgr-out", "10.0.0.0/8"), web("sgr-out-v6", "::/0"), web("sgr-out-80", "0.0.0.0/0")],
    )];
    spec.interfaces = vec![interface("eni-web", "10.0.1.10", &["sg-web"])];
    let snapshot = build(&spec);
    assert_eq!(ingress(&snapshot, "eni-web", &flow(6, 80, "10.1.1.1")), narrow("sgr-in"));
    assert_eq!(egress(&snapshot, "eni-web", &flow(6, 80, "192.0.2.1")), narrow("sgr-out-80"));
    assert_eq!(egress(&snapshot, "eni-web", &flow(6, 80, "2001:db8::1")), wide("sgr-out-v6"));
    assert_eq!(ingress(&snapshot, "eni-web", &flow(6, 80, "2001:db8::1")), narrow("sgr-in-v6"));
}

/// Rules: SG-14
#[test]
fn a_wide_rule_is_found_behind_a_narrow_one() {
    let mut spec = lab();
    spec.groups = vec![group(
        "sg-web",
        vec![rule("sgr-narrow", tcp(80..=80), "10.0.0.0/8"), rule("sgr-wide", tcp(80..=80), "0.0.0.0/0")],
        vec![rule("sgr-out", tcp(EVERY_PORT), "0.0.0.0/0")],
    )];
    spec.interfaces = vec![interface("eni-web", "10.0.1.10", &["sg-web"])];
    assert_eq!(ingress(&build(&spec), "eni-web", &flow(6, 80, "10.1.1.1")), wide("sgr-wide"));
}

/// Rules: NA-02, NA-03, NA-05, NA-08
#[test]
fn entries_are_tried_in_order_within_their_family_and_the_rest_is_denied() {
    let mut spec = lab();
    spec.acls[0].ingress = vec![
        entry(90, AclAction::Deny, tcp(22..=22), "0.0.0.0/0"),
        entry(100, AclAction::Allow, tcp(EVERY_PORT), "10.0.0.0/8"),
        entry(110, AclAction::Deny, tcp(EVERY_PORT), "10.0.0.0/8"),
        entry(120, AclAction::Allow, tcp(22..=22), "::/0"),
    ];
    let snapshot = build(&spec);
    let judged = |port, peer| inbound(&snapshot, "acl-main", &flow(6, port, peer));
    assert_eq!(judged(22, "10.1.1.1"), ("acl-main/ingress/90".into(), AclAction::Deny));
    assert_eq!(judged(80, "10.1.1.1"), ("acl-main/ingress/100".into(), AclAction::Allow));
    assert_eq!(judged(80, "192.0.2.1"), ("acl-main/ingress/*".into(), AclAction::Deny));
    assert_eq!(judged(22, "2001:db8::1"), ("acl-main/ingress/120".into(), AclAction::Allow));
    assert_eq!(judged(80, "2001:db8::1"), ("acl-main/ingress/*".into(), AclAction::Deny));

    let acl = snapshot.acl(snapshot.acl_by_id("acl-main").unwrap()).unwrap();
    let out = acl.egress(&flow(6, 22, "10.1.1.1"));
    assert_eq!(&*snapshot.names().get(out.entry).id, "acl-main/egress/*");
    assert_eq!(snapshot.names().get(out.entry).owner, Some(acl.name));
}

/// Rules: RT-05, RT-15, RT-17
#[test]
fn the_longest_prefix_wins_also_when_it_is_a_blackhole() {
    let mut spec = lab();
    spec.route_tables[0].routes = vec![
        route("0.0.0.0/0", TargetSpec::Interface("eni-web".into())),
        route("192.0.2.0/24", TargetSpec::Blackhole),
        route("10.0.0.0/16", TargetSpec::Local),
        route("2001:db8::/32", TargetSpec::Local),
    ];
    let snapshot = build(&spec);
    let web = snapshot.interface_by_id("eni-web").unwrap();
    let to = |destination| routed(&snapshot, "rtb-main", destination);
    assert_eq!(to("8.8.8.8"), Some(("rtb-main/0.0.0.0/0".into(), Target::Interface(web))));
    assert_eq!(to("192.0.2.7"), Some(("rtb-main/192.0.2.0/24".into(), Target::Blackhole)));
    assert_eq!(to("10.0.255.255"), Some(("rtb-main/10.0.0.0/16".into(), Target::Local)));
    assert_eq!(to("2001:db8::7"), Some(("rtb-main/2001:db8::/32".into(), Target::Local)));
    assert_eq!(to("2001:db9::7"), None);
}

/// Rules: AD-05, AD-07
#[test]
fn the_router_of_a_subnet_is_its_second_address() {
    let mut spec = lab();
    spec.subnets.push(subnet("subnet-0", "vpc-app", 0));
    let snapshot = build(&spec);
    let subnet = snapshot.subnet(snapshot.subnet_by_id("subnet-a").unwrap()).unwrap();
    assert_eq!(subnet.router_for(addr("10.0.1.10")), Some(addr("10.0.1.1")));
    assert_eq!(subnet.router_for(addr("::")), Some(addr("2001:db8:0:1::1")));
    let vpc = snapshot.vpc(subnet.vpc).unwrap();
    let routers = ["10.0.0.1", "10.0.1.1", "2001:db8::1", "2001:db8:0:1::1"].map(addr);
    let others = ["10.0.1.0", "10.0.1.2", "2001:db8:0:1::2"].map(addr);
    let all: Vec<IpAddr> = routers.into_iter().chain(others).collect();
    let found: Vec<IpAddr> = all.into_iter().filter(|&address| vpc.is_platform(address)).collect();
    assert_eq!(found, routers);
}

/// Rules: AD-06, AD-20
#[test]
fn the_resolver_and_the_last_address_of_each_subnet_belong_to_the_platform() {
    let snapshot = build(&lab());
    let subnet = snapshot.subnet(snapshot.subnet_by_id("subnet-a").unwrap()).unwrap();
    let vpc = snapshot.vpc(subnet.vpc).unwrap();
    assert!(vpc.is_platform(addr("10.0.0.2")), "base + 2 of the primary block");
    assert!(!vpc.is_platform(addr("10.0.1.2")), "+2 of another subnet is nobody's");
    assert!(vpc.is_broadcast("10.0.1.255".parse().unwrap()));
    assert!(!vpc.is_broadcast("10.0.1.254".parse().unwrap()));
}

#[test]
fn the_address_map_changes_with_addresses_and_subnets_only() {
    let mut builder = Builder::default();
    let mut spec = lab();
    let vpc = Part::Vpc(builder.build(spec.clone()).unwrap().vpc_by_id("vpc-app").unwrap());

    spec.interfaces[0].mtu = 1500;
    spec.interfaces[0].groups = vec!["sg-db".into()];
    spec.subnets[0].az = "us-east-1b".into();
    spec.groups[0].ingress.clear();
    assert_eq!(builder.build(spec.clone()).unwrap().version(vpc), Generation(1));

    spec.interfaces[0].ipv4.push("10.0.1.99".parse().unwrap());
    let third = builder.build(spec.clone()).unwrap();
    assert_eq!(third.version(vpc), Generation(3));
    let app = third.vpc(third.vpc_by_id("vpc-app").unwrap()).unwrap();
    assert_eq!(app.owner_of(addr("10.0.1.99")), third.interface_by_id("eni-web"));

    spec.subnets[0].ipv6_cidr = None;
    assert_eq!(builder.build(spec).unwrap().version(vpc), Generation(4));
}

/// Rules: SG-30
#[test]
fn interfaces_with_the_same_groups_share_a_program_that_a_new_set_does_not_touch() {
    let mut builder = Builder::default();
    let mut spec = lab();
    spec.interfaces = vec![
        interface("eni-web", "10.0.1.10", &["sg-web", "sg-db"]),
        interface("eni-db", "10.0.1.20", &["sg-db", "sg-web", "sg-db"]),
    ];
    let first = builder.build(spec.clone()).unwrap();
    let program = |snapshot: &Snapshot, eni| {
        snapshot.interface(snapshot.interface_by_id(eni).unwrap()).unwrap().program
    };
    let shared = program(&first, "eni-web");
    assert_eq!(program(&first, "eni-db"), shared);

    spec.interfaces[1].groups = vec!["sg-db".into()];
    let second = builder.build(spec.clone()).unwrap();
    let own = program(&second, "eni-db");
    assert_eq!(program(&second, "eni-web"), shared);
    assert_ne!(own, shared);
    let db = Part::Interface(second.interface_by_id("eni-db").unwrap());
    assert_eq!(changed(&second, Generation(1)), [db, Part::Program(own)]);

    spec.interfaces.remove(0);
    let third = builder.build(spec).unwrap();
    assert!(third.program(shared).is_none());
    assert_eq!(third.version(Part::Program(shared)), Generation(0));
    assert_eq!(third.version(Part::Program(own)), Generation(2));
}

#[test]
fn a_name_outlives_its_object_and_follows_a_new_label() {
    let mut builder = Builder::default();
    let mut spec = lab();
    let first = builder.build(spec.clone()).unwrap();
    let ix = first.names().find("sgr-web-443").unwrap();

    spec.groups[0].ingress.clear();
    spec.groups[0].name = "app.front".into();
    let second = builder.build(spec).unwrap();
    let rule = second.names().get(ix);
    assert_eq!((&*rule.id, &*rule.label, rule.kind), ("sgr-web-443", "sgr-web-443", Kind::GroupRule));
    let owner = second.names().get(rule.owner.unwrap());
    assert_eq!((&*owner.id, &*owner.label), ("sg-web", "app.front"));
    let before = first.names().get(rule.owner.unwrap());
    assert_eq!(&*before.label, "app.sg-web", "a published snapshot does not change");
    assert_eq!(second.version(Part::Interface(0.into())), Generation(1), "a label is no content");
}

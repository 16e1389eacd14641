//! One behaviour per test, on labs made by hand.

mod lab;

use std::path::PathBuf;
use std::sync::Arc;

use model::lab::{
    AclAction, AclEntry, FlowLog, FlowLogInterval, FlowLogScope, Lab, LogDestination, Nitro, Peer, Route,
    SourceDestCheck, Target, Tracking, Traffic, TrafficType, Vpc,
};
use snapshot::spec::{FlowLogSpec, LabSpec, PeerSpec, TargetSpec, TrafficFilter, TrafficSpec};
use snapshot::{Builder, Check};

use crate::compiler;
use lab::{EVERY, block, eth, lab, list, list_route, named, route, rule};

fn lower(lab: &Lab) -> LabSpec {
    compiler::lower(&Arc::new(lab.clone()))
}

fn app(lab: &mut Lab) -> &mut Vpc {
    lab.vpcs.get_mut("app").expect("the hand-made lab has this VPC")
}

/// What the builder is told about `routes` besides the local route: id, prefix, target.
fn routes(lab: &Lab, routes: Vec<Route>) -> Vec<(String, String, TargetSpec)> {
    let mut lab = lab.clone();
    app(&mut lab).route_tables.get_mut("main").unwrap().routes.extend(routes);
    let spec = lower(&lab);
    Builder::default().build(spec.clone()).expect("no reference dangles");
    let [table] = &spec.route_tables[..] else { panic!("one table") };
    let lowered = table.routes.iter().map(|r| (r.id.clone(), r.prefix.to_string(), r.target.clone()));
    lowered.filter(|(_, _, target)| *target != TargetSpec::Local).collect()
}

fn to_web(id: &str, prefix: &str) -> (String, String, TargetSpec) {
    (id.into(), prefix.into(), TargetSpec::Interface("eni-web".into()))
}

fn dropped(id: &str, prefix: &str) -> (String, String, TargetSpec) {
    (id.into(), prefix.into(), TargetSpec::Blackhole)
}

fn web() -> Target {
    Target::Interface(eth("web", "eth0"))
}

#[test]
fn every_object_is_there_once_under_its_id_and_name() {
    let spec = lower(&lab());
    let vpcs: Vec<_> = spec.vpcs.iter().map(|vpc| [&vpc.id, &vpc.name, &vpc.account, &vpc.region]).collect();
    assert_eq!(vpcs, [["vpc-app", "app", "123456789012", "us-east-1"]]);
    let subnets: Vec<_> = spec.subnets.iter().map(|s| (&*s.id, &*s.name, &*s.vpc, &*s.az_id)).collect();
    assert_eq!(
        subnets,
        [("subnet-a", "app.a", "vpc-app", "use1-az1"), ("subnet-b", "app.b", "vpc-app", "use1-az1")]
    );
    let groups: Vec<_> = spec.groups.iter().map(|group| (&*group.id, &*group.name)).collect();
    assert_eq!(groups, [("sg-default", "app.default"), ("sg-web", "app.web")]);
    let names: Vec<_> =
        spec.interfaces.iter().map(|eni| (&*eni.id, &*eni.name, eni.instance.as_deref())).collect();
    assert_eq!(
        names,
        [
            ("eni-fw0", "fw.eth0", Some("i-fw")),
            ("eni-fw1", "fw.eth1", Some("i-fw")),
            ("eni-web", "web.eth0", Some("i-web"))
        ]
    );
    assert_eq!((&*spec.acls[0].id, &*spec.acls[0].name), ("acl-default", "app.default"));
    assert_eq!((&*spec.route_tables[0].id, &*spec.route_tables[0].name), ("rtb-main", "app.main"));
}

/// Rules: RT-02, NA-06
#[test]
fn subnets_and_interfaces_refer_by_id_to_what_is_in_force() {
    let mut lab = lab();
    app(&mut lab).instances.get_mut("fw").unwrap().interfaces[1].source_dest_check = SourceDestCheck::Off;
    let spec = lower(&lab);
    assert_eq!((&*spec.subnets[0].route_table, &*spec.subnets[0].network_acl), ("rtb-main", "acl-default"));
    let checks: Vec<_> =
        spec.interfaces.iter().map(|eni| (&*eni.subnet, &eni.groups[..], eni.check)).collect();
    let web = &["sg-web".to_owned()][..];
    assert_eq!(
        checks,
        [("subnet-a", web, Check::On), ("subnet-b", web, Check::Off), ("subnet-a", web, Check::On)]
    );
}

#[test]
fn blocks_addresses_and_mtu_are_those_of_the_lab() {
    let mut lab = lab();
    let vpc = app(&mut lab);
    vpc.ipv6_cidrs = vec!["2001:db8::/56".parse().unwrap()];
    vpc.subnets.get_mut("a").unwrap().ipv6_cidr = Some("2001:db8::/64".parse().unwrap());
    let eni = &mut vpc.instances.get_mut("web").unwrap().interfaces[0];
    eni.private_ips.push("10.0.1.11".parse().unwrap());
    eni.ipv6_addresses = vec!["2001:db8::10".parse().unwrap()];
    eni.mtu = 1500;
    let (eni, spec) = (eni.clone(), lower(&lab));
    let vpc = &lab.vpcs["app"];
    assert_eq!((&spec.vpcs[0].cidrs, &spec.vpcs[0].ipv6_cidrs), (&vpc.cidrs, &vpc.ipv6_cidrs));
    let blocks: Vec<_> = spec.subnets.iter().map(|subnet| (subnet.cidr, subnet.ipv6_cidr)).collect();
    let expected: Vec<_> = vpc.subnets.values().map(|subnet| (subnet.cidr, subnet.ipv6_cidr)).collect();
    assert_eq!(blocks, expected);
    let lowered = &spec.interfaces[2];
    assert_eq!((&lowered.ipv4, &lowered.ipv6, lowered.mtu), (&eni.private_ips, &eni.ipv6_addresses, 1500));
}

/// Rules: RT-04
#[test]
fn local_routes_are_routes() {
    let spec = lower(&lab());
    let local = &spec.route_tables[0].routes[0];
    assert_eq!((&*local.id, &local.target), ("rtb-main/10.0.0.0/16", &TargetSpec::Local));
}

/// Rules: RT-05
#[test]
fn a_prefix_list_is_one_route_per_entry_under_one_id() {
    let mut lab = lab();
    lab.prefix_lists = named([("offices", list("offices", "pl-1", &["192.0.2.0/24", "2001:db8::/32"]))]);
    let lowered = routes(&lab, vec![list_route("offices", "pl-1", web())]);
    assert_eq!(lowered, [to_web("rtb-main/pl-1", "192.0.2.0/24"), to_web("rtb-main/pl-1", "2001:db8::/32")]);
}

/// Rules: RT-06
#[test]
fn a_block_beats_an_equal_prefix_list_entry_in_either_order() {
    let mut lab = lab();
    lab.prefix_lists = named([("offices", list("offices", "pl-1", &["192.0.2.0/24", "192.0.2.0/25"]))]);
    let (by_block, by_list) =
        (route("192.0.2.0/24", Target::Blackhole), list_route("offices", "pl-1", web()));
    let expected =
        [dropped("rtb-main/192.0.2.0/24", "192.0.2.0/24"), to_web("rtb-main/pl-1", "192.0.2.0/25")];
    assert_eq!(routes(&lab, vec![by_block.clone(), by_list.clone()]), expected);
    assert_eq!(routes(&lab, vec![by_list, by_block]), expected);
}

/// Rules: RT-08
#[test]
fn of_two_lists_with_an_equal_entry_the_lower_id_wins_in_either_order() {
    let mut lab = lab();
    lab.prefix_lists = named([
        ("a", list("a", "pl-2", &["192.0.2.0/24"])),
        ("b", list("b", "pl-1", &["192.0.2.0/24", "203.0.113.0/24"])),
    ]);
    let (high, low) = (list_route("a", "pl-2", web()), list_route("b", "pl-1", Target::Blackhole));
    let expected = [dropped("rtb-main/pl-1", "192.0.2.0/24"), dropped("rtb-main/pl-1", "203.0.113.0/24")];
    assert_eq!(routes(&lab, vec![high.clone(), low.clone()]), expected);
    assert_eq!(routes(&lab, vec![low, high]), expected);
}

#[test]
fn host_bits_do_not_make_another_prefix_and_of_two_equal_routes_the_first_stays() {
    let first = Route { id: "rtb-main/first".into(), ..route("192.0.2.0/24", web()) };
    let lowered = routes(&lab(), vec![first, route("192.0.2.7/24", Target::Blackhole)]);
    assert_eq!(lowered, [to_web("rtb-main/first", "192.0.2.0/24")]);
}

/// Rules: RT-15
#[test]
fn a_blackhole_keeps_its_prefix_and_a_missing_target_is_one() {
    let gone = Target::Interface(eth("web", "eth7"));
    let lowered =
        routes(&lab(), vec![route("192.0.2.0/24", Target::Blackhole), route("198.51.100.0/24", gone)]);
    assert_eq!(
        lowered,
        [
            dropped("rtb-main/192.0.2.0/24", "192.0.2.0/24"),
            dropped("rtb-main/198.51.100.0/24", "198.51.100.0/24")
        ]
    );
}

/// Rules: RT-14
#[test]
fn a_target_names_one_interface_of_an_instance() {
    let lowered = routes(&lab(), vec![route("0.0.0.0/0", Target::Interface(eth("fw", "eth1")))]);
    let [(_, _, target)] = &lowered[..] else { panic!("one route") };
    assert_eq!(*target, TargetSpec::Interface("eni-fw1".into()));
}

#[test]
fn moving_a_line_of_a_route_table_changes_nothing() {
    let lab = lab();
    let (a, b) = (route("0.0.0.0/0", web()), route("192.0.2.0/24", Target::Blackhole));
    assert_eq!(routes(&lab, vec![a.clone(), b.clone()]), routes(&lab, vec![b, a]));
}

/// Rules: SG-04, SG-05, NA-09
#[test]
fn protocols_ports_and_icmp_types_become_numbers_and_selectors() {
    let cases = [
        (Traffic::All, None, EVERY),
        (Traffic::Tcp(443..=445), Some(6), 443..=445),
        (Traffic::Udp(53..=53), Some(17), 53..=53),
        (Traffic::Number(47), Some(47), EVERY),
        (Traffic::Icmp(None, None), Some(1), EVERY),
        (Traffic::Icmp(Some(8), None), Some(1), 0x0800..=0x08ff),
        (Traffic::Icmp(Some(3), Some(4)), Some(1), 0x0304..=0x0304),
        (Traffic::Icmpv6(Some(128), None), Some(58), 0x8000..=0x80ff),
        (Traffic::Icmpv6(None, None), Some(58), EVERY),
        (Traffic::Icmp(Some(255), None), Some(1), 0xff00..=0xffff),
    ];
    for (written, protocol, selectors) in cases {
        assert_eq!(super::traffic::traffic(&written), TrafficSpec { protocol, selectors }, "{written:?}");
    }
}

/// Rules: SG-03, SG-11
#[test]
fn group_peers_become_ids_and_list_peers_their_entries() {
    let mut lab = lab();
    lab.prefix_lists = named([("offices", list("offices", "pl-1", &["192.0.2.0/24", "203.0.113.0/24"]))]);
    let web = app(&mut lab).security_groups.get_mut("web").unwrap();
    web.ingress = vec![
        rule("sgr-block", Traffic::Tcp(80..=80), block("10.0.0.0/8")),
        rule("sgr-list", Traffic::Udp(53..=53), Peer::PrefixList("offices".into())),
        rule("sgr-group", Traffic::All, Peer::Group("default".into())),
    ];
    web.egress = vec![rule("sgr-out", Traffic::All, block("::/0"))];
    let spec = lower(&lab);
    let group = &spec.groups[1];
    let ingress: Vec<_> =
        group.ingress.iter().map(|rule| (&*rule.id, rule.traffic.protocol, &rule.peer)).collect();
    let cidr = |net: &str| PeerSpec::Cidr(net.parse().unwrap());
    assert_eq!(
        ingress,
        [
            ("sgr-block", Some(6), &cidr("10.0.0.0/8")),
            ("sgr-list", Some(17), &cidr("192.0.2.0/24")),
            ("sgr-list", Some(17), &cidr("203.0.113.0/24")),
            ("sgr-group", None, &PeerSpec::Group("sg-default".into())),
        ]
    );
    assert_eq!((&*group.egress[0].id, &group.egress[0].peer), ("sgr-out", &cidr("::/0")));
}

/// Rules: NA-02
#[test]
fn acl_entries_keep_number_verdict_block_and_direction() {
    let mut lab = lab();
    let entry = |number, action| AclEntry {
        number,
        action,
        traffic: Traffic::Tcp(22..=22),
        cidr: "10.0.0.0/8".parse().unwrap(),
    };
    let acl = app(&mut lab).network_acls.get_mut("default").unwrap();
    acl.ingress = vec![entry(90, AclAction::Deny), entry(100, AclAction::Allow)];
    acl.egress = vec![entry(7, AclAction::Deny)];
    let spec = &lower(&lab).acls[0];
    let verdicts: Vec<_> = spec.ingress.iter().map(|entry| (entry.number, entry.action)).collect();
    assert_eq!(verdicts, [(90, snapshot::AclAction::Deny), (100, snapshot::AclAction::Allow)]);
    assert_eq!((spec.egress.len(), spec.egress[0].number), (1, 7));
    assert_eq!(spec.egress[0].cidr.to_string(), "10.0.0.0/8");
}

/// A lab with these flow logs on `app`; all windows have this many seconds.
fn logged(logs: &[(FlowLogScope, u32)], edit: impl FnOnce(&mut Lab)) -> LabSpec {
    let mut lab = lab();
    app(&mut lab).flow_logs = logs
        .iter()
        .map(|(scope, interval)| FlowLog {
            name: "log".into(),
            id: "fl-log".into(),
            scope: scope.clone(),
            traffic: TrafficType::Reject,
            interval: *interval,
            format: "${action}".into(),
            destination: LogDestination::File("logs/app.log".into()),
        })
        .collect();
    edit(&mut lab);
    lower(&lab)
}

/// Rules: FL-02
#[test]
fn a_flow_log_covers_what_lies_below_its_scope() {
    let covered = |scope| {
        let mut spec = logged(&[(scope, 60)], |_| {});
        spec.flow_logs.remove(0).interfaces.clone()
    };
    assert_eq!(covered(FlowLogScope::Vpc), ["eni-fw0", "eni-fw1", "eni-web"]);
    assert_eq!(covered(FlowLogScope::Subnet("a".into())), ["eni-fw0", "eni-web"]);
    assert_eq!(covered(FlowLogScope::Interface(eth("fw", "eth1"))), ["eni-fw1"]);
}

/// Rules: FL-04
#[test]
fn a_flow_log_keeps_filter_format_and_relative_path() {
    let spec = logged(&[(FlowLogScope::Interface(eth("web", "eth0")), 60)], |_| {});
    let expected = FlowLogSpec {
        id: "fl-log".into(),
        interfaces: vec!["eni-web".into()],
        traffic: TrafficFilter::Reject,
        interval: 60,
        format: "${action}".into(),
        file: PathBuf::from("logs/app.log"),
    };
    assert_eq!(spec.flow_logs, [expected.into()]);
}

/// Rules: FL-04
#[test]
fn each_filter_stays_itself() {
    let filter = |traffic| {
        let spec = logged(&[(FlowLogScope::Vpc, 60)], |lab| app(lab).flow_logs[0].traffic = traffic);
        spec.flow_logs[0].traffic
    };
    assert_eq!(filter(TrafficType::Accept), TrafficFilter::Accept);
    assert_eq!(filter(TrafficType::All), TrafficFilter::All);
    assert_eq!(filter(TrafficType::Reject), TrafficFilter::Reject);
}

/// Rules: FL-12
#[test]
fn windows_are_a_minute_at_most_on_nitro_and_as_written_elsewhere() {
    let window = |written, nitro, rule| {
        let spec = logged(&[(FlowLogScope::Vpc, written)], |lab| {
            (lab.settings.nitro, lab.settings.flow_log_interval) = (nitro, rule);
        });
        assert_eq!(spec.settings.tap_interval, spec.flow_logs[0].interval);
        spec.flow_logs[0].interval
    };
    assert_eq!(window(600, Nitro::On, FlowLogInterval::Aws), 60);
    assert_eq!(window(60, Nitro::On, FlowLogInterval::Aws), 60);
    assert_eq!(window(600, Nitro::Off, FlowLogInterval::Aws), 600);
    assert_eq!(window(90, Nitro::On, FlowLogInterval::Any), 90);
    assert_eq!(window(2, Nitro::Off, FlowLogInterval::Any), 2);
}

#[test]
fn taps_flush_at_the_end_of_every_window() {
    let tap_interval = |windows: &[u32]| {
        let logs: Vec<_> = windows.iter().map(|&seconds| (FlowLogScope::Vpc, seconds)).collect();
        let any = |lab: &mut Lab| lab.settings.flow_log_interval = FlowLogInterval::Any;
        logged(&logs, any).settings.tap_interval
    };
    assert_eq!(tap_interval(&[]), 60);
    assert_eq!(tap_interval(&[90, 60]), 30);
    assert_eq!(tap_interval(&[4, 6, 10]), 2);
    assert_eq!(tap_interval(&[7, 60]), 1);
}

#[test]
fn every_knob_arrives_under_its_own_name() {
    let mut lab = lab();
    let settings = &mut lab.settings;
    (settings.tcp_established, settings.udp_stream, settings.udp_timeout, settings.icmp) = (61, 62, 31, 11);
    settings.nat_idle_timeout = 21;
    settings.related_icmp = model::lab::RelatedIcmp::Reject;
    settings.tracking = Tracking::All;
    let expected = snapshot::Settings {
        tcp_established: 61,
        udp_stream: 62,
        udp_timeout: 31,
        icmp: 11,
        nat_idle_timeout: 21,
        related_icmp: snapshot::RelatedIcmp::Reject,
        track_all: true,
        tap_interval: 60,
    };
    assert_eq!(lower(&lab).settings, expected);
    lab.settings.tracking = Tracking::Aws;
    assert!(!lower(&lab).settings.track_all);
}

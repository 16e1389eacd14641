//! Flow logs.

use std::path::PathBuf;

use model::findings::Code;
use model::lab::{FlowLogScope, InterfaceRef, LogDestination, TrafficType};

use crate::{app, app_codes, codes, lab};

fn log(keys: &str) -> String {
    format!("    flow_logs: {{ all: {{ {keys} destination: {{ file: logs/all.log }} }} }}")
}

/// Rules: FL-04, FL-12, FL-20
#[test]
fn a_flow_log_has_the_defaults_of_aws() {
    let vpc = app(&log("traffic: reject,"));
    let log = &vpc.flow_logs[0];
    assert_eq!((log.traffic, log.interval), (TrafficType::Reject, 600));
    assert_eq!(
        log.format,
        "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} \
         ${bytes} ${start} ${end} ${action} ${log-status}"
    );
    assert_eq!(log.destination, LogDestination::File(PathBuf::from("logs/all.log")));
    assert!(log.id.starts_with("fl-"));
}

/// Rules: FL-12
#[test]
fn a_window_is_60_or_600_seconds_outside_tests() {
    let interval = |n: u32, settings: &str| {
        codes(&format!(
            "lab: t\n{settings}vpcs: {{ a: {{ cidr: [10.0.0.0/16], flow_logs: {{ l: {{ traffic: all, \
             max_aggregation_interval: {n}, destination: {{ file: l.log }} }} }} }} }}"
        ))
    };
    assert!(interval(60, "").is_empty() && interval(600, "").is_empty());
    assert_eq!(interval(1, ""), [Code::FlowLogInterval]);
    let any = "settings: { flow_logs: { allow_any_interval: true } }\n";
    assert!(interval(1, any).is_empty());
    assert_eq!(interval(0, any), [Code::FlowLogInterval]);
}

/// Rules: FL-21, FL-24
#[test]
fn a_format_is_a_list_of_known_fields() {
    let format = |text: &str| app_codes(&log(&format!("traffic: all, format: \"{text}\",")));
    assert!(format("${srcaddr}").is_empty());
    assert!(format("${traffic-path} ${version}").is_empty());
    assert_eq!(format("${src}"), [Code::FlowLogField]);
    assert_eq!(format("srcaddr"), [Code::FlowLogFormat]);
    assert_eq!(format(" "), [Code::FlowLogFormat]);
    assert_eq!(format("${ecs-task-id}"), [Code::NotEnforcedYet]);
}

/// Rules: FL-02, FL-06
#[test]
fn flow_logs_cover_a_vpc_a_subnet_or_an_interface_and_have_ids_of_their_own() {
    let one = "{ l: { traffic: all, destination: { file: l.log } } }";
    let vpc = app(&format!(
        "    flow_logs: {one}\n    subnets: {{ a: {{ cidr: 10.0.1.0/24, flow_logs: {one} }} }}\n    instances:\n      \
         x: {{ subnet: a, flow_logs: {one} }}\n      y: {{ interfaces: {{ eth3: {{ subnet: a, flow_logs: {one} }} }} }}"
    ));
    let interface = |i: &str, d: &str| {
        FlowLogScope::Interface(InterfaceRef { instance: i.to_owned(), device: d.to_owned() })
    };
    let scopes: Vec<_> = vpc.flow_logs.iter().map(|l| l.scope.clone()).collect();
    assert_eq!(
        scopes,
        [
            FlowLogScope::Vpc,
            FlowLogScope::Subnet("a".to_owned()),
            interface("x", "eth0"),
            interface("y", "eth3")
        ]
    );
    let mut ids: Vec<_> = vpc.flow_logs.iter().map(|l| &l.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

/// Rules: FL-02, FL-06
#[test]
fn two_vpcs_cannot_hold_flow_logs_of_one_id() {
    let vpc = |name: &str| {
        format!(
            "{{ cidr: [10.0.0.0/16], flow_logs: {{ {name}: {{ traffic: all, destination: {{ file: l.log }} }} }} }}"
        )
    };
    let both = |a: &str, b: &str| format!("lab: t\nvpcs: {{ a: {}, b: {} }}", vpc(a), vpc(b));
    let (one, two) = ("fl-0123456789abcdef0", "fl-0123456789abcdef1");
    assert_eq!(codes(&both(one, one)), [Code::DuplicateId]);
    assert!(codes(&both(one, two)).is_empty());
    let lab = lab(&both("all", "all"));
    assert_ne!(lab.vpcs["a"].flow_logs[0].id, lab.vpcs["b"].flow_logs[0].id, "a name is not an id");
}

/// Rules: FL-12
#[test]
fn windows_are_those_of_nitro_unless_told_otherwise() {
    use model::lab::Nitro;
    assert_eq!(lab("lab: t").settings.nitro, Nitro::On);
    assert_eq!(lab("lab: t\nsettings: { flow_logs: { nitro: false } }").settings.nitro, Nitro::Off);
}

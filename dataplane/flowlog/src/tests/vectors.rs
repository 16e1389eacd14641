//! The example records of AWS's page "Flow log record examples", pinned literally.
//!
//! AWS's windows do not begin at full minutes; windows of an hour hold every example whole.

use std::sync::Arc;

use engine::Action::{Accept, Reject};
use engine::Direction::{Egress, Ingress};
use engine::{Direction, Event, TapEvent};
use snapshot::spec::InterfaceSpec;
use wire::{FiveTuple, proto};

use super::world::{ENI, INSTANCE, World, flow_log, interface, packet, secs, texts, tuple};
use crate::{Field, FlowLogs, Format, Origin, Record, Status, Traffic, parse_line};

const V3: &str = "${version} ${vpc-id} ${subnet-id} ${instance-id} ${interface-id} ${account-id} ${type} ${srcaddr} \
     ${dstaddr} ${srcport} ${dstport} ${pkt-srcaddr} ${pkt-dstaddr} ${protocol} ${bytes} ${packets} ${start} ${end} \
     ${action} ${tcp-flags} ${log-status}";
const V5: &str = "${version} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${start} ${end} ${type} ${packets} \
     ${bytes} ${account-id} ${vpc-id} ${subnet-id} ${instance-id} ${interface-id} ${region} ${az-id} \
     ${sublocation-type} ${sublocation-id} ${action} ${tcp-flags} ${pkt-srcaddr} ${pkt-dstaddr} \
     ${pkt-src-aws-service} ${pkt-dst-aws-service} ${traffic-path} ${flow-direction} ${log-status}";
const NAT: &str = "${instance-id} ${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr}";
const REGIONAL: &str = "${resource-id} ${instance-id} ${interface-id} ${subnet-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} \
     ${pkt-dstaddr}";

const SSH: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
const RDP: &str = "2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK";
const NO_DATA: &str = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA";
const SKIP_DATA: &str = "2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA";
const PING: &str = "2 123456789010 eni-1235b8ca123456789 203.0.113.12 172.31.16.139 0 0 1 4 336 1432917027 1432917142 ACCEPT OK";
const PONG: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 203.0.113.12 0 0 1 4 336 1432917094 1432917142 REJECT OK";
const IPV6: &str = "2 123456789010 eni-1235b8ca123456789 2001:db8:1234:a100:8d6e:3477:df66:f105 \
     2001:db8:1234:a102:3304:8879:34cf:4071 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK";
const FLAGS: [&str; 5] = [
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43416 5001 52.213.180.42 10.0.0.62 6 568 8 1566848875 1566848933 ACCEPT 2 OK",
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43416 10.0.0.62 52.213.180.42 6 376 7 1566848875 1566848933 ACCEPT 18 OK",
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43418 10.0.0.62 52.213.180.42 6 63388 1219 1566848933 1566849113 ACCEPT 1 OK",
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43638 5001 52.213.180.42 10.0.0.62 6 1260 17 1566933133 1566933193 ACCEPT 3 OK",
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43638 10.0.0.62 52.213.180.42 6 967 14 1566933133 1566933193 ACCEPT 19 OK",
];
const NAT_GATEWAY: [&str; 4] = [
    "- eni-1235b8ca123456789 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5",
    "- eni-1235b8ca123456789 10.0.0.220 203.0.113.5 10.0.0.220 203.0.113.5",
    "- eni-1235b8ca123456789 203.0.113.5 10.0.0.220 203.0.113.5 10.0.0.220",
    "- eni-1235b8ca123456789 10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5",
];
const NAT_CLIENT: [&str; 2] = [
    "i-01234567890123456 eni-1111aaaa2222bbbb3 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5",
    "i-01234567890123456 eni-1111aaaa2222bbbb3 203.0.113.5 10.0.1.5 203.0.113.5 10.0.1.5",
];
const REGIONAL_NAT: [&str; 2] = [
    "nat-1234567890abcdef - - - 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5",
    "nat-1234567890abcdef - - - 107.22.182.139 203.0.113.5 107.22.182.139 203.0.113.5",
];
const S3: [&str; 2] = [
    "5 52.95.128.179 10.0.0.71 80 34210 6 1616729292 1616729349 IPv4 14 15044 123456789012 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-0c50d5961bcb2d47b eni-1235b8ca123456789 ap-southeast-2 apse2-az3 - - ACCEPT 19 52.95.128.179 10.0.0.71 S3 - - ingress OK",
    "5 10.0.0.71 52.95.128.179 34210 80 6 1616729292 1616729349 IPv4 7 471 123456789012 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-0c50d5961bcb2d47b eni-1235b8ca123456789 ap-southeast-2 apse2-az3 - - ACCEPT 3 10.0.0.71 52.95.128.179 - S3 8 egress OK",
];

/// The lines of one flow log, in `format`, that covers `interfaces` from `from` to `to` and sees `events`.
fn logged(
    format: &str,
    interfaces: Vec<InterfaceSpec>,
    (from, to): (u64, u64),
    events: impl FnOnce(&World) -> Vec<Event>,
) -> Vec<String> {
    let ids: Vec<String> = interfaces.iter().map(|interface| interface.id.clone()).collect();
    let mut spec = flow_log(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    spec.interval = 3600;
    spec.format = format.into();
    let world = World::new(interfaces, vec![spec]);
    let mut logs = FlowLogs::new(1, secs(from));
    logs.handle_snapshot(&world.snapshot, secs(from));
    events(&world).iter().for_each(|event| logs.handle_event(0, event));
    logs.finish(secs(to));
    texts(&mut logs)
}

/// `packets`, `bytes`, first and last second.
type Amount = (u64, u64, u64, u64);

fn seen(world: &World, eni: &str, direction: Direction, tuple: FiveTuple, amount: Amount) -> TapEvent {
    let (packets, bytes, first, last) = amount;
    let traffic_path = (direction == Egress).then_some(1);
    let (first, last) = (secs(first), secs(last));
    TapEvent { direction, tuple, packets, bytes, first, last, traffic_path, ..packet(world.ix(eni), 0) }
}

/// Rules: FL-13, FL-16, FL-17, FL-20, FL-36
#[test]
fn ssh_accepted_and_rdp_rejected_print_as_in_aws() {
    let one = |own: &str, tuple, action| {
        logged(
            &Format::DEFAULT.to_string(),
            vec![interface(ENI, &[own])],
            (1_418_529_600, 1_418_530_200),
            |world| {
                let event = seen(world, ENI, Ingress, tuple, (20, 4249, 1_418_530_010, 1_418_530_070));
                vec![Event::Tap(TapEvent { action, ..event })]
            },
        )
    };
    let ssh = tuple(proto::TCP, ("172.31.16.139", 20641), ("172.31.16.21", 22));
    assert_eq!(one("172.31.16.21", ssh, Accept), [SSH]);
    let rdp = tuple(proto::TCP, ("172.31.9.69", 49761), ("172.31.9.12", 3389));
    assert_eq!(one("172.31.9.12", rdp, Reject), [RDP]);
}

/// Rules: FL-39
#[test]
fn no_data_and_skipped_data_print_as_in_aws() {
    let interfaces =
        || vec![interface("eni-11111111aaaaaaaaa", &["10.0.0.1"]), interface(ENI, &["10.0.0.2"])];
    let time = (1_431_280_876, 1_431_280_934);
    let lines = logged(&Format::DEFAULT.to_string(), interfaces(), time, |world| {
        let interface = world.ix("eni-11111111aaaaaaaaa");
        vec![Event::Skipped { interface, at: secs(1_431_280_900), packets: 3 }]
    });
    assert_eq!(lines, [SKIP_DATA, NO_DATA]);
}

/// Rules: FL-14, FL-15, FL-36, FL-38
#[test]
fn a_ping_whose_reply_is_refused_prints_as_in_aws() {
    let time = (1_432_917_000, 1_432_917_600);
    let lines =
        logged(&Format::DEFAULT.to_string(), vec![interface(ENI, &["172.31.16.139"])], time, |world| {
            let request = tuple(proto::ICMP, ("203.0.113.12", 77), ("172.31.16.139", 8 << 8));
            let ping = seen(world, ENI, Ingress, request, (4, 336, 1_432_917_027, 1_432_917_142));
            let pong = seen(world, ENI, Egress, request.reversed(), (4, 336, 1_432_917_094, 1_432_917_142));
            vec![Event::Tap(TapEvent { action: Reject, ..pong }), Event::Tap(ping)]
        });
    assert_eq!(lines, [PING, PONG]);
}

/// Rules: FL-20, FL-30
#[test]
fn ipv6_traffic_prints_as_in_aws() {
    let own = "2001:db8:1234:a102:3304:8879:34cf:4071";
    let own = interface(ENI, &["10.0.0.1", own]);
    let lines = logged(&Format::DEFAULT.to_string(), vec![own], (1_477_913_400, 1_477_914_000), |world| {
        let peer = ("2001:db8:1234:a100:8d6e:3477:df66:f105", 34892);
        let ssh = tuple(proto::TCP, peer, ("2001:db8:1234:a102:3304:8879:34cf:4071", 22));
        vec![Event::Tap(seen(world, ENI, Ingress, ssh, (54, 8855, 1_477_913_708, 1_477_913_820)))]
    });
    assert_eq!(lines, [IPV6]);
}

/// Rules: FL-13, FL-21, FL-40, FL-41
#[test]
fn the_tcp_flag_examples_print_as_in_aws() {
    let server = || InterfaceSpec { instance: Some(INSTANCE.into()), ..interface(ENI, &["10.0.0.62"]) };
    let lines = logged(V3, vec![server()], (1_566_848_400, 1_566_936_000), |world| {
        let tcp = |port| tuple(proto::TCP, ("52.213.180.42", port), ("10.0.0.62", 5001));
        let event = |direction, tuple, amount, tcp_flags| {
            Event::Tap(TapEvent { tcp_flags, ..seen(world, ENI, direction, tuple, amount) })
        };
        vec![
            event(Ingress, tcp(43416), (8, 568, 1_566_848_875, 1_566_848_933), 2),
            event(Egress, tcp(43416).reversed(), (7, 376, 1_566_848_875, 1_566_848_933), 18),
            event(Egress, tcp(43418).reversed(), (1219, 63_388, 1_566_848_933, 1_566_849_113), 1),
            // SYN and FIN in two reports, so that the record has the OR of both.
            event(Ingress, tcp(43638), (8, 600, 1_566_933_133, 1_566_933_150), 2),
            event(Ingress, tcp(43638), (9, 660, 1_566_933_160, 1_566_933_193), 1),
            event(Egress, tcp(43638).reversed(), (6, 400, 1_566_933_133, 1_566_933_150), 18),
            event(Egress, tcp(43638).reversed(), (8, 567, 1_566_933_160, 1_566_933_193), 1),
        ]
    });
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.ends_with("NODATA")).collect();
    // Two records of one second are ordered by source address, and the server's is the smaller one.
    assert_eq!(lines, [FLAGS[1], FLAGS[0], FLAGS[2], FLAGS[4], FLAGS[3]]);
}

/// Rules: FL-11, FL-22, FL-30, FL-60, FL-61
#[test]
fn the_zonal_nat_gateway_example_prints_as_in_aws() {
    let client = "eni-1111aaaa2222bbbb3";
    let interfaces = vec![
        interface(ENI, &["10.0.0.220"]),
        InterfaceSpec { instance: Some(INSTANCE.into()), ..interface(client, &["10.0.1.5"]) },
    ];
    let lines = logged(NAT, interfaces, (3600, 7200), |world| {
        let tcp = |src, dst| tuple(proto::TCP, (src, 4000), (dst, 443));
        let event =
            |eni, direction, tuple, at| Event::Tap(seen(world, eni, direction, tuple, (1, 60, at, at)));
        vec![
            event(client, Egress, tcp("10.0.1.5", "203.0.113.5"), 4001),
            event(ENI, Ingress, tcp("10.0.1.5", "203.0.113.5"), 4001),
            event(ENI, Egress, tcp("10.0.0.220", "203.0.113.5"), 4002),
            event(ENI, Ingress, tcp("203.0.113.5", "10.0.0.220"), 4003),
            event(ENI, Egress, tcp("203.0.113.5", "10.0.1.5"), 4004),
            event(client, Ingress, tcp("203.0.113.5", "10.0.1.5"), 4005),
        ]
    });
    assert_eq!(lines, [NAT_CLIENT.as_slice(), &NAT_GATEWAY].concat());
}

/// Rules: FL-22, FL-62
#[test]
fn the_regional_nat_gateway_example_prints_as_in_aws() {
    let format = Format::parse(REGIONAL).expect("known fields");
    let origin = Origin { resource_id: Some("nat-1234567890abcdef".into()), ..Origin::default() };
    let line = |src, dst| format.line(&record(&origin, traffic(src, dst, Egress)));
    assert_eq!(line("10.0.1.5", "203.0.113.5"), REGIONAL_NAT[0]);
    assert_eq!(line("107.22.182.139", "203.0.113.5"), REGIONAL_NAT[1]);
}

/// Rules: FL-21, FL-22, FL-43, FL-44, FL-45
#[test]
fn the_version_5_example_prints_as_in_aws() {
    let format = Format::parse(V5).expect("known fields");
    let origin = Origin {
        account_id: Some("123456789012".into()),
        az_id: Some("apse2-az3".into()),
        instance_id: Some("i-0c50d5961bcb2d47b".into()),
        interface_id: Some(ENI.into()),
        region: Some("ap-southeast-2".into()),
        subnet_id: Some("subnet-aaaaaaaa012345678".into()),
        vpc_id: Some("vpc-abcdefab012345678".into()),
        ..Origin::default()
    };
    let reply = Traffic {
        src_port: 80,
        dst_port: 34210,
        packets: 14,
        bytes: 15_044,
        tcp_flags: 19,
        pkt_src_aws_service: Some("S3".into()),
        ..traffic("52.95.128.179", "10.0.0.71", Ingress)
    };
    let request = Traffic {
        src_port: 34210,
        dst_port: 80,
        packets: 7,
        bytes: 471,
        tcp_flags: 3,
        pkt_dst_aws_service: Some("S3".into()),
        ..traffic("10.0.0.71", "52.95.128.179", Egress)
    };
    assert_eq!(format.line(&record(&origin, reply)), S3[0]);
    assert_eq!(format.line(&record(&origin, request)), S3[1]);
}

/// Rules: FL-20, FL-21, FL-80
#[test]
fn every_example_survives_reading_and_printing() {
    let default = [SSH, RDP, NO_DATA, SKIP_DATA, PING, PONG, IPV6];
    let groups: [(&str, &[&str]); 6] = [
        (&Format::DEFAULT.to_string(), &default),
        (V3, &FLAGS),
        (V5, &S3),
        (NAT, &NAT_GATEWAY),
        (NAT, &NAT_CLIENT),
        (REGIONAL, &REGIONAL_NAT),
    ];
    for (format, lines) in groups {
        let format = Format::parse(format).expect("known fields");
        for line in lines {
            let parsed = parse_line(&format, line).expect("one value per field, numbers where they belong");
            assert_eq!(parsed.to_string(), *line);
            assert_eq!(parse_line(&format, &line.replace(' ', "  ")), Ok(parsed.clone()));
            let version = parsed.number(Field::Version);
            assert!(version.is_none_or(|version| version == u64::from(format.version())), "{line}");
        }
    }
}

fn record(origin: &Origin, traffic: Traffic) -> Record {
    let origin = Arc::new(origin.clone());
    Record { origin, start: 1_616_729_292, end: 1_616_729_349, status: Status::Ok(traffic) }
}

fn traffic(src: &str, dst: &str, direction: Direction) -> Traffic {
    let tuple = tuple(proto::TCP, (src, 0), (dst, 0));
    Traffic {
        action: Accept,
        bytes: 0,
        direction,
        dst_addr: Some(tuple.dst),
        dst_port: 0,
        packets: 0,
        pkt_dst_addr: tuple.dst,
        pkt_dst_aws_service: None,
        pkt_src_addr: tuple.src,
        pkt_src_aws_service: None,
        protocol: proto::TCP,
        src_addr: Some(tuple.src),
        src_port: 0,
        tcp_flags: 0,
        traffic_path: Some(8),
    }
}

/// Rules: FL-40, FL-42
#[test]
fn only_tcp_shows_flags() {
    let format = Format::parse("${tcp-flags}").expect("a field");
    let tcp = Traffic { tcp_flags: 19, ..traffic("10.0.0.1", "10.0.0.2", Egress) };
    let udp = Traffic { protocol: proto::UDP, ..tcp.clone() };
    assert_eq!(format.line(&record(&Origin::default(), tcp)), "19");
    assert_eq!(format.line(&record(&Origin::default(), udp)), "0");
}

/// Rules: FL-44
#[test]
fn only_egress_shows_a_traffic_path_and_a_packet_without_route_has_none() {
    let format = Format::parse("${traffic-path} ${flow-direction}").expect("two fields");
    let egress = traffic("10.0.0.1", "10.0.0.2", Egress);
    let lost = Traffic { traffic_path: None, ..egress.clone() };
    let ingress = Traffic { direction: Ingress, ..egress.clone() };
    assert_eq!(format.line(&record(&Origin::default(), egress)), "8 egress");
    assert_eq!(format.line(&record(&Origin::default(), lost)), "- egress");
    assert_eq!(format.line(&record(&Origin::default(), ingress)), "- ingress");
}

/// Rules: FL-22, FL-24
#[test]
fn fields_newer_than_version_5_are_dashes() {
    let newer = Field::ALL.iter().filter(|field| field.version() > 5);
    let text: Vec<_> = newer.map(|field| format!("${{{field}}}")).collect();
    let format = Format::parse(&text.join(" ")).expect("known fields");
    let line = format.line(&record(&Origin::default(), traffic("10.0.0.1", "10.0.0.2", Egress)));
    assert_eq!(line, vec!["-"; 25].join(" "));
}

/// Rules: FL-24, FL-39
#[test]
fn without_traffic_the_flow_fields_are_dashes_and_the_interface_stays() {
    let lines = logged(V5, vec![interface(ENI, &["10.0.0.71"])], (3600, 3660), |_| vec![]);
    let interface = "123456789010 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 - eni-1235b8ca123456789 ap-southeast-2 \
         apse2-az3";
    assert_eq!(lines, [format!("5 - - - - - 3600 3660 - - - {interface} - - - - - - - - - - NODATA")]);
}

/// Rules: FL-15
#[test]
fn protocols_without_ports_log_zeros_and_all_their_exchanges_are_one_flow() {
    let lines = logged(
        "${srcport} ${dstport} ${protocol} ${packets}",
        vec![interface(ENI, &["10.0.0.1"])],
        (0, 60),
        |world| {
            let echo = |id| tuple(proto::ICMP, ("10.0.0.9", id), ("10.0.0.1", 8 << 8));
            let event = |tuple| Event::Tap(seen(world, ENI, Ingress, tuple, (2, 168, 7, 9)));
            vec![event(echo(1)), event(echo(2)), event(tuple(47, ("10.0.0.9", 0), ("10.0.0.1", 0)))]
        },
    );
    assert_eq!(lines, ["0 0 1 4", "0 0 47 2"]);
}

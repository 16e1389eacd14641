//! What the flow logs of NAT gateways say of ports, of refusals, and of what goes no further.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::harness::{Lab, NOTHING, address, ping, ping_well, records, rows, rows_of, up};
use crate::nat_gateway::{GATEWAY, JOB, LAPTOP, NAT, UNSOLICITED, port, udp};

/// Ports, which the gateway changes.
const PORTS: &str =
    "interface-id flow-direction pkt-srcaddr srcport pkt-dstaddr dstport protocol action traffic-path";

/// The same without those.
const KINDS: &str = "interface-id flow-direction pkt-srcaddr pkt-dstaddr protocol action traffic-path";

/// Ends the test; returns the records of VPC app by other fields.
#[track_caller]
fn by(fields: &str, lab: Lab, drops: &[(&str, RangeInclusive<u64>)]) -> Vec<String> {
    let names = lab.interface_names();
    rows_of(&lab.finish(drops), "full.log", &names, fields)
}

/// The records of the gateway's outer side have the port that the host sees, those of its inner side the client's.
///
/// Rules: OR-10, OR-11, NG-05, FL-60, FL-61
#[test]
fn records_have_the_ports_of_their_side() {
    let lab = up(NAT);
    let (client, host) = (udp(&lab, JOB, 4000), udp(&lab, LAPTOP, 7));
    client.send_to(b"question", (LAPTOP.1, 7)).expect("it is taken");
    let (_, peer) = host.recv_from(&mut [0; 16]).expect("the question comes");
    host.send_to(b"answer", peer).expect("it is taken");
    let (_, from) = client.recv_from(&mut [0; 16]).expect("the answer comes");
    assert_eq!((from, peer.ip()), (port(LAPTOP.1, 7), address(GATEWAY.1)));
    let outer = peer.port();
    assert!(outer >= 1024, "{peer}");
    let mut expected = [
        "app/nat-a egress 203.0.113.50 7 10.56.2.10 4000 17 ACCEPT 1 1 34".to_owned(),
        format!("app/nat-a egress 10.56.1.5 {outer} 203.0.113.50 7 17 ACCEPT 8 1 36"),
        "app/nat-a ingress 10.56.2.10 4000 203.0.113.50 7 17 ACCEPT - 1 36".to_owned(),
        format!("app/nat-a ingress 203.0.113.50 7 10.56.1.5 {outer} 17 ACCEPT - 1 34"),
        "job-1.eth0 egress 10.56.2.10 4000 203.0.113.50 7 17 ACCEPT 1 1 36".to_owned(),
        "job-1.eth0 ingress 203.0.113.50 7 10.56.2.10 4000 17 ACCEPT - 1 34".to_owned(),
    ];
    expected.sort();
    assert_eq!(by(PORTS, lab, NOTHING), expected);
}

/// Every packet of a connection is recorded once at each crossing, with as many bytes.
///
/// Rules: OR-10, OR-11, FL-14, FL-60, FL-61
#[test]
fn a_connection_adds_up_to_the_same_at_every_crossing() {
    let lab = up(NAT);
    let (client, host) = (lab.instance(JOB.0), lab.instance(LAPTOP.0));
    let listener = host.listen(address(LAPTOP.1), 7);
    let mut inside = client.connect(port(LAPTOP.1, 7));
    let (mut outside, _) = listener.accept().expect("somebody connects");
    carry(&mut inside, &mut outside);
    carry(&mut outside, &mut inside);
    // Both stay open, so that nothing comes after the end.
    let rows = by(KINDS, lab, NOTHING);
    let [out, back, asked, answered, client_out, client_in] = &rows[..] else { panic!("{rows:#?}") };
    let sum = |row: &String, kind: &str| {
        row.strip_prefix(kind).unwrap_or_else(|| panic!("`{kind}` is no part of {rows:#?}")).to_owned()
    };
    let forth = sum(client_out, "job-1.eth0 egress 10.56.2.10 203.0.113.50 6 ACCEPT 1 ");
    assert_eq!(sum(asked, "app/nat-a ingress 10.56.2.10 203.0.113.50 6 ACCEPT - "), forth);
    assert_eq!(sum(out, "app/nat-a egress 10.56.1.5 203.0.113.50 6 ACCEPT 8 "), forth);
    let home = sum(client_in, "job-1.eth0 ingress 203.0.113.50 10.56.2.10 6 ACCEPT - ");
    assert_eq!(sum(answered, "app/nat-a ingress 203.0.113.50 10.56.1.5 6 ACCEPT - "), home);
    assert_eq!(sum(back, "app/nat-a egress 203.0.113.50 10.56.2.10 6 ACCEPT 1 "), home);
}

/// Takes a megabyte from one end of a connection to the other.
fn carry(from: &mut TcpStream, to: &mut TcpStream) {
    const BYTES: usize = 1 << 20;
    to.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
    thread::scope(|scope| {
        scope.spawn(|| from.write_all(&vec![7; BYTES]).expect("all is taken"));
        to.read_exact(&mut vec![0; BYTES]).expect("all comes");
    });
}

/// Each crossing of the boundary of the gateway's subnet is judged by its ACL; the gateway has no security group.
///
/// Rules: OR-10, OR-11, NG-05, NA-13, FL-36, FL-60
#[test]
fn the_acl_of_the_gateways_subnet_judges_every_crossing() {
    let lab = up(NAT);
    let (ask, back) = ("10.56.2.10 203.0.113.50", "203.0.113.50 10.56.2.10");
    let (out, answer) = ("10.56.1.5 203.0.113.50", "203.0.113.50 10.56.1.5");
    let way = [
        (format!("app/nat-a ingress 10.56.2.10 10.56.1.5 {ask}"), "-", "ingress: ", "10.56.2.0/24"),
        (format!("app/nat-a egress {out} {out}"), "8", "egress:  ", "203.0.113.0/24"),
        (format!("app/nat-a ingress {answer} {answer}"), "-", "ingress: ", "203.0.113.0/24"),
        (format!("app/nat-a egress 10.56.1.5 10.56.2.10 {back}"), "1", "egress:  ", "10.56.2.0/24"),
    ];
    let mut expected = vec![format!("job-1.eth0 egress {ask} {ask} ACCEPT 1 16 1344")];
    for (at, (crossing, path, direction, denied)) in way.iter().enumerate() {
        let allow = format!("{direction}[ {{ rule: 100,");
        let deny =
            format!("{direction}[ {{ rule: 1, action: deny, proto: all, cidr: {denied} }}, {{ rule: 100,");
        lab.edit(&allow, &deny);
        ping(&lab, JOB.0, LAPTOP.1).exits(1);
        lab.edit(&deny, &allow);
        expected.push(format!("{crossing} REJECT {path} 4 336"));
        // The pings that are refused further on have passed here.
        let passed = way.len() - 1 - at;
        if passed > 0 {
            expected.push(format!("{crossing} ACCEPT {path} {} {}", 4 * passed, 336 * passed));
        }
    }
    expected.sort();
    assert_eq!(records(lab, &[("SUBNET_ACL_RESTRICTION", 16..=16)]), expected);
}

/// It forwards no port and answers no ping from inside either, and nobody but the gateway has a record of who tries.
///
/// Rules: OR-11, NG-12, NG-13, NG-24, FL-60
#[test]
fn a_gateway_is_no_way_in() {
    let lab = up(NAT);
    ping(&lab, JOB.0, GATEWAY.0).exits(1);
    let _listener = lab.instance(JOB.0).listen(address(JOB.1), 22);
    let refused = lab.instance(LAPTOP.0).try_connect(port(GATEWAY.1, 22), Duration::from_millis(300));
    assert!(refused.is_err(), "{refused:?}");
    let rows = by(KINDS, lab, &[(UNSOLICITED, 5..=8)]);
    let [ping_in, syn, ping_out] = &rows[..] else { panic!("{rows:#?}") };
    assert_eq!(ping_in, "app/nat-a ingress 10.56.2.10 10.56.1.5 1 ACCEPT - 4 336");
    assert!(syn.starts_with("app/nat-a ingress 203.0.113.50 10.56.1.5 6 ACCEPT - "), "{syn}");
    assert_eq!(ping_out, "job-1.eth0 egress 10.56.2.10 10.56.1.5 1 ACCEPT 1 4 336");
}

/// GRE, ESP and SCTP.
///
/// Rules: NG-04, FL-46
#[test]
fn other_protocols_are_dropped_at_the_gateway() {
    let lab = up(NAT);
    let mut expected = Vec::new();
    for protocol in [47, 50, 132] {
        let raw = || Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(protocol)));
        let socket = lab.instance(JOB.0).inside(raw).expect("root may have it");
        let sent = socket.send_to(&[0; 36], &port(LAPTOP.1, 0).into()).expect("it is taken");
        assert_eq!(sent, 36);
        for (interface, path) in [("app/nat-a ingress", "-"), ("job-1.eth0 egress", "1")] {
            expected.push(format!("{interface} 10.56.2.10 203.0.113.50 {protocol} ACCEPT {path} 1 56"));
        }
    }
    expected.sort();
    assert_eq!(by(KINDS, lab, &[("NGW_PROTOCOL", 3..=3)]), expected);
}

/// A default route over the connection reaches neither the internet gateway of the other VPC nor its NAT gateways.
///
/// Rules: OR-18, NG-17, PC-10, PC-11, FL-46
#[test]
fn a_peer_does_not_get_out_by_the_gateways_of_the_other_vpc() {
    let lab = up(NAT);
    ping_well(&lab, JOB.0, "10.57.2.10");
    for to in [LAPTOP.1, GATEWAY.1, GATEWAY.0] {
        ping(&lab, "greedy-1", to).exits(1);
    }
    let names = lab.interface_names();
    let done = lab.finish(&[("PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", 8..=8), (UNSOLICITED, 4..=4)]);
    let at_peer = rows(&done, "store.log", &names);
    let egress: Vec<&str> =
        at_peer.iter().map(String::as_str).filter(|row| row.contains(" egress ")).collect();
    assert_eq!(
        egress,
        [
            "greedy-1.eth0 egress 10.57.2.10 10.56.1.5 10.57.2.10 10.56.1.5 ACCEPT 4 4 336",
            "greedy-1.eth0 egress 10.57.2.10 10.56.3.5 10.57.2.10 10.56.3.5 ACCEPT 4 4 336",
            "greedy-1.eth0 egress 10.57.2.10 198.51.100.10 10.57.2.10 198.51.100.10 ACCEPT 4 4 336",
            "greedy-1.eth0 egress 10.57.2.10 203.0.113.50 10.57.2.10 203.0.113.50 ACCEPT 4 4 336",
        ]
    );
    let arrived: Vec<String> =
        rows(&done, "full.log", &names).into_iter().filter(|row| row.starts_with("app/nat-a ")).collect();
    assert_eq!(arrived, ["app/nat-a ingress 10.57.2.10 10.56.1.5 10.57.2.10 10.56.1.5 ACCEPT - 4 336"]);
}

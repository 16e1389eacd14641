//! Connections through a NAT gateway that were idle for too long: inside hears of it, outside nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{FULL, Lab, address, eventually, ping_well, up};
use crate::nat_gateway::{GATEWAY, JOB, LAPTOP, NAT, UNSOLICITED, port, udp};

const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that forgets after two seconds.
fn forgetful() -> Lab {
    up(&NAT.replace("settings:\n", "settings:\n  nat: { idle_timeout: 2 }\n"))
}

/// Waits until the gateway has forgotten all that went through it.
fn forgotten(lab: &Lab) {
    eventually("the gateway forgets", PATIENCE, || {
        let gateways = lab.nat_gateways();
        let public = gateways.iter().find(|row| row["nat_gateway"] == "app/nat-a").expect("the lab has it");
        let count = |metric: &str| public["metrics"][metric].as_u64();
        (count("IdleTimeoutCount"), count("ActiveConnectionCount")) == (Some(1), Some(0))
    });
}

/// Waits until as many packets were dropped for this reason.
fn dropped(lab: &Lab, reason: &str) {
    eventually(reason, PATIENCE, || lab.counters().dropped.contains_key(reason));
}

/// A host hears neither a reset nor an end, and what it sends later leads nowhere; the client is reset when it sends.
///
/// Rules: NG-10, NG-12, NG-13, NG-25, FL-40
#[test]
fn tcp_is_reset_inside_and_goes_silent_outside() {
    let lab = forgetful();
    let listener = lab.instance(LAPTOP.0).listen(address(LAPTOP.1), 80);
    let mut inside = lab.instance(JOB.0).connect(port(LAPTOP.1, 80));
    let (mut outside, peer) = listener.accept().expect("somebody connects");
    say(&mut inside, &mut outside);
    say(&mut outside, &mut inside);
    forgotten(&lab);

    let mut at_host = lab.capture(LAPTOP.0, "tcp or icmp");
    outside.write_all(b"still there?").expect("the kernel takes it");
    dropped(&lab, UNSOLICITED);
    assert_eq!(hears_nothing(&mut inside), ErrorKind::WouldBlock, "what comes later is lost");
    inside.write_all(b"still there?").expect("the kernel takes it");
    let reset = inside.read(&mut [0; 16]).expect_err("there is no connection any more");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    assert_eq!(hears_nothing(&mut outside), ErrorKind::WouldBlock, "neither an error nor an end");
    // What was sent to the host before this has been seen when this is.
    ping_well(&lab, JOB.0, LAPTOP.1);
    at_host.wait_for("ICMP echo request");
    let packets = at_host.packets();
    let segments: Vec<&String> = packets.iter().filter(|line| line.contains("Flags")).collect();
    let own = format!("IP {}.80 > {}.{}: Flags [P.]", LAPTOP.1, GATEWAY.1, peer.port());
    assert!(!segments.is_empty() && segments.iter().all(|line| line.contains(&own)), "{packets:#?}");

    let done = lab.finish(&[("NGW_WITHOUT_TRANSLATION", 1..=1), (UNSOLICITED, 1..=20)]);
    let tcp = done.records("full.log", FULL).of_traffic().with("protocol=6 action=ACCEPT");
    let flags = |ends: &str| tcp.with(ends).or("tcp-flags");
    // A SYN, an answer to it, and the reset that only the client gets.
    assert_eq!(flags("srcaddr=10.56.1.5 dstaddr=203.0.113.50"), 2, "{tcp:#?}");
    assert_eq!(flags("srcaddr=203.0.113.50 dstaddr=10.56.1.5"), 18, "{tcp:#?}");
    assert_eq!(flags("srcaddr=10.56.2.10 dstaddr=203.0.113.50"), 2, "{tcp:#?}");
    assert_eq!(flags("srcaddr=203.0.113.50 dstaddr=10.56.2.10"), 18 | 4, "{tcp:#?}");
}

/// A datagram from outside is lost, and one from inside begins anew.
///
/// Rules: NG-09, NG-10, NG-11
#[test]
fn udp_begins_anew_from_inside_only() {
    let lab = forgetful();
    let (inside, outside) = (udp(&lab, JOB, 4000), udp(&lab, LAPTOP, 53));
    let mut buffer = [0; 16];
    let mut ask = || {
        inside.send_to(b"question", (LAPTOP.1, 53)).expect("it is taken");
        let (_, peer) = outside.recv_from(&mut buffer).expect("the question comes");
        outside.send_to(b"answer", peer).expect("it is taken");
        let (length, from) = inside.recv_from(&mut buffer).expect("the answer comes");
        assert_eq!((&buffer[..length], from), (&b"answer"[..], port(LAPTOP.1, 53)));
        peer
    };
    let peer = ask();
    forgotten(&lab);
    outside.send_to(b"late", peer).expect("it is taken");
    dropped(&lab, UNSOLICITED);
    assert_eq!(ask().ip(), address(GATEWAY.1));
    lab.finish(&[(UNSOLICITED, 1..=1)]);
}

/// The one says a word and the other hears it.
fn say(from: &mut TcpStream, to: &mut TcpStream) {
    to.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    from.write_all(b"word").expect("the kernel takes it");
    to.read_exact(&mut [0; 4]).expect("it comes");
}

/// What reading says now, when nothing has come.
fn hears_nothing(stream: &mut TcpStream) -> ErrorKind {
    stream.set_nonblocking(true).expect("a socket can");
    let nothing = stream.read(&mut [0; 16]).expect_err("nothing comes");
    stream.set_nonblocking(false).expect("a socket can");
    nothing.kind()
}

//! Packets that do not fit: fragments, and path MTU discovery.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::thread;

use crate::harness::{LATE, Lab, NOTHING, echo_udp};
use crate::reach::{A_1, A_2, B_1, PAIR};

/// `b-small`, whose interface takes 1500 bytes.
const SMALL: (&str, [&str; 2]) = ("b-small", ["10.50.2.20", "2600:1f18:50:1002::20"]);

/// The router of subnet `a`, who speaks for the path.
const ROUTER: [&str; 2] = ["10.50.1.1", "2600:1f18:50:1001::1"];

/// Rules: MT-10, MT-11
#[test]
fn pings_of_ten_thousand_bytes_pass_in_fragments() {
    let lab = Lab::up(PAIR);
    for to in [A_2, B_1] {
        // With its headers, the IPv4 one is a packet of exactly 10,000 bytes.
        for (address, size) in [(to.1[0], "9972"), (to.1[0], "10000"), (to.1[1], "9952"), (to.1[1], "60000")]
        {
            lab.exec(A_1.0, &["ping", "-n", "-c", "3", "-i", "0.1", "-W", "2", "-s", size, address])
                .ok()
                .says("3 packets transmitted, 3 received, 0% packet loss");
        }
    }
    lab.finish(NOTHING);
}

/// Rules: MT-05
#[test]
fn a_packet_that_may_not_be_fragmented_is_answered_by_the_router() {
    let lab = Lab::up(PAIR);
    let ping = |address: &str| {
        let argv = ["ping", "-n", "-c", "3", "-i", "0.3", "-W", "1", "-M", "do", "-s", "3000", address];
        lab.exec(A_1.0, &argv).exits(1)
    };
    ping(SMALL.1[0])
        .says(&format!("From {} icmp_seq=1 Frag needed and DF set (mtu = 1500)", ROUTER[0]))
        .says("0 received");
    ping(SMALL.1[1])
        .says(&format!("From {} icmp_seq=1 Packet too big: mtu=1500", ROUTER[1]))
        .says("0 received");
    for address in SMALL.1 {
        lab.exec(A_1.0, &["ip", "route", "get", address]).ok().says("mtu 1500");
    }
    // After the first answer the kernel itself refuses.
    assert_eq!(lab.settled().originated, 2);
    lab.finish(&[("PACKET_TOO_BIG", 2..=2)]);
}

/// Rules: MT-05
#[test]
fn an_ipv4_packet_that_may_be_fragmented_is() {
    let lab = Lab::up(PAIR);
    lab.exec(
        A_1.0,
        &["ping", "-n", "-c", "2", "-i", "0.1", "-W", "2", "-M", "dont", "-s", "3000", SMALL.1[0]],
    )
    .ok()
    .says("2 packets transmitted, 2 received, 0% packet loss");
    // Each request of 3028 bytes becomes three packets; the replies come in three as well, from the small interface.
    let counters = lab.settled();
    assert_eq!((counters.received, counters.fragments, counters.delivered), (8, 4, 12), "{counters:?}");
    lab.finish(NOTHING);
}

/// Rules: MT-05, MT-09
#[test]
fn tcp_finds_the_path_mtu() {
    let lab = Lab::up(PAIR);
    // A receiver that announces segments which do not fit: only discovery makes the transfer work.
    for (family, address, segment) in [("-4", SMALL.1[0], "8961"), ("-6", SMALL.1[1], "8941")] {
        let route =
            ["ip", family, "route", "replace", "default", "dev", "eth0", "src", address, "advmss", segment];
        lab.exec(SMALL.0, &route).ok();
        send_a_megabyte(&lab, SocketAddr::new(address.parse().expect("an address"), 9));
    }
    assert!(lab.settled().originated >= 2, "one answer in each family at least: {:?}", lab.settled());
    lab.finish(&[LATE, ("PACKET_TOO_BIG", 2..=200)]);
}

/// Rules: MT-05
#[test]
fn datagrams_larger_than_the_path_arrive_whole() {
    let lab = Lab::up(PAIR);
    let (client, server) = (lab.instance(A_1.0), lab.instance(SMALL.0));
    // For IPv4 the kernel clears "don't fragment" only where told to, so the sender's kernel learns the path first.
    for (source, target) in A_1.1.into_iter().zip(SMALL.1) {
        lab.exec(A_1.0, &["ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "3000", target]).exits(1);
        let target = SocketAddr::new(target.parse().expect("an address"), 7);
        echo_udp(&client, source.parse().expect("an address"), &server, target, &[1_400, 3_000, 20_000]);
    }
    lab.finish(&[("PACKET_TOO_BIG", 2..=2)]);
}

fn send_a_megabyte(lab: &Lab, to: SocketAddr) {
    const BYTES: usize = 1 << 20;
    let listener = lab.instance(SMALL.0).listen(to.ip(), to.port());
    let receiving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).expect("it is not zero");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).expect("all comes, and the end");
        heard.len()
    });
    let mut stream = lab.instance(A_1.0).connect(to);
    stream.write_all(&vec![7; BYTES]).expect("all is taken");
    drop(stream);
    assert_eq!(receiving.join().expect("the receiver ends well"), BYTES);
}

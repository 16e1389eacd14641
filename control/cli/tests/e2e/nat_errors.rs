//! What does not fit on the way through a NAT gateway: path MTUs towards the client, segments, and fragments of ICMP.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Duration;

use crate::harness::{Instance, LATE, Lab, address, records, up};
use crate::nat_gateway::{GATEWAY, JOB, LAPTOP, NAT};

/// An instance behind the peering connection of the private gateway.
const STORE: &str = "10.57.1.10";

/// Packets that begin a connection, and their answers.
const SYN: &str = "tcp[tcpflags] & tcp-syn != 0";

/// What the gateway does with fragments of anything but UDP.
const FRAGMENT: &str = "NGW_FRAGMENT";

/// The error comes from the address that the host has spoken to, and is about the packet that it has sent.
///
/// Rules: MT-05, MT-07, NG-29
#[test]
fn a_host_learns_the_path_mtu_through_the_gateway() {
    let lab = up(NAT);
    let (host, seen) = (LAPTOP.1, GATEWAY.1);
    let asking = lab.instance("small-1").udp(address("10.56.2.30"), 4000);
    let listening = lab.instance("laptop").udp(address(host), 7);
    asking.send_to(b"question", (host, 7)).expect("it is taken");
    let mut buffer = vec![0; 2000];
    let (_, peer) = listening.recv_from(&mut buffer).expect("the question comes");
    assert_eq!(peer.ip(), address(seen));
    let mut errors = lab.capture("laptop", "icmp");
    // 1500 bytes that may not be fragmented, which the interface of small-1 does not take.
    let answer = [7; 1472];
    listening.send_to(&answer, peer).expect("it is taken");
    errors.wait_for(&format!("IP {seen} > {host}: ICMP {seen} unreachable - need to frag (mtu 1300)"));
    lab.exec("laptop", &["ip", "route", "get", seen]).ok().says("mtu 1300");
    // Now the kernel makes fragments, and those of UDP pass.
    listening.send_to(&answer, peer).expect("it is taken");
    let (length, _) = asking.recv_from(&mut buffer).expect("the answer comes");
    assert_eq!(&buffer[..length], answer);
    lab.finish(&[("PACKET_TOO_BIG", 1..=1)]);
}

/// What the client announces, which its own link does not take, is clamped to what the internet carries.
///
/// Rules: MT-05, MT-07, MT-08
#[test]
fn tcp_finds_the_path_mtu_towards_the_client() {
    let lab = up(NAT);
    announce(&lab, "small-1", "10.56.2.30");
    let mut syn = lab.capture("laptop", SYN);
    send_a_megabyte(&lab.instance("laptop"), LAPTOP.1, &lab.instance("small-1"));
    syn.wait_for("mss 1460");
    assert!(lab.settled().originated >= 1, "{:?}", lab.settled());
    lab.finish(&[LATE, ("PACKET_TOO_BIG", 1..=200)]);
}

/// Without the clamp the client and the peer would send packets that do not fit: both take 9001 bytes and the gateway 8500.
///
/// Rules: MT-02, MT-08
#[test]
fn segments_are_clamped_so_that_none_is_too_big() {
    let lab = up(NAT);
    let [mut at_store, mut at_client] = ["store-1", "job-1"].map(|place| lab.capture(place, SYN));
    let (client, store) = (lab.instance("job-1"), lab.instance("store-1"));
    send_a_megabyte(&store, STORE, &client);
    receive_a_megabyte(&store, STORE, &client);
    at_store.wait_for("Flags [S.]");
    at_client.wait_for("Flags [S.]");
    let [(store_hears, store_says), (client_says, client_hears)] =
        [at_store, at_client].map(|capture| segments(&capture.packets()));
    assert_eq!((client_says.as_str(), store_hears.as_str()), ("8961", "8460"));
    assert_eq!((store_says.as_str(), client_hears.as_str()), ("8961", "8460"));
    lab.finish(&[LATE]);
}

/// A host that announces more than the internet takes is heard by the client with what it takes.
///
/// Rules: MT-08
#[test]
fn what_a_host_announces_is_clamped_to_the_internet() {
    let lab = up(NAT);
    announce(&lab, "laptop", LAPTOP.1);
    let [mut at_host, mut at_client] = ["laptop", JOB.0].map(|place| lab.capture(place, SYN));
    receive_a_megabyte(&lab.instance("laptop"), LAPTOP.1, &lab.instance(JOB.0));
    at_host.wait_for("Flags [S.]");
    at_client.wait_for("Flags [S.]");
    let [(host_hears, host_says), (client_says, client_hears)] =
        [at_host, at_client].map(|capture| segments(&capture.packets()));
    assert_eq!((client_says.as_str(), host_hears.as_str()), ("8961", "1460"));
    assert_eq!((host_says.as_str(), client_hears.as_str()), ("8961", "1460"));
    lab.finish(&[LATE]);
}

/// The segments that SYNs and their answers announce.
fn segments(packets: &[String]) -> (String, String) {
    let of = |flags: &str| {
        let size = |line: &String| Some(line.split_once("mss ")?.1.split(',').next()?.to_owned());
        let sizes: BTreeSet<String> =
            packets.iter().filter(|line| line.contains(flags)).filter_map(size).collect();
        sizes.into_iter().collect::<Vec<_>>().join(" ")
    };
    (of("Flags [S],"), of("Flags [S.],"))
}

/// Rules: NG-14, MT-10, NG-13, FL-46
#[test]
fn a_ping_of_ten_thousand_bytes_fails() {
    let lab = up(NAT);
    // With its headers it is a packet of exactly 10,000 bytes, in two fragments of 9,001 bytes at most.
    let argv = ["ping", "-n", "-c", "2", "-i", "0.1", "-W", "1", "-s", "9972", LAPTOP.1];
    lab.exec("job-1", &argv).exits(1).says("0 received");
    assert_eq!(
        records(lab, &[(FRAGMENT, 4..=4)]),
        [
            "app/nat-a ingress 10.56.2.10 10.56.1.5 10.56.2.10 203.0.113.50 ACCEPT - 4 20040",
            "job-1.eth0 egress 10.56.2.10 203.0.113.50 10.56.2.10 203.0.113.50 ACCEPT 1 4 20040",
        ]
    );
}

/// Makes a place announce segments of 8961 bytes, whatever its link takes.
fn announce(lab: &Lab, place: &str, source: &str) {
    let route = ["ip", "route", "replace", "default", "dev", "eth0", "src", source, "advmss", "8961"];
    lab.exec(place, &route).ok();
}

const MEGABYTE: usize = 1 << 20;

/// The client connects to the server, which sends.
fn send_a_megabyte(server: &Instance, own: &str, client: &Instance) {
    let listener = server.listen(address(own), 9);
    let sending = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.set_write_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
        stream.write_all(&vec![7; MEGABYTE]).expect("all is taken");
    });
    let mut heard = Vec::new();
    client.connect((address(own), 9).into()).read_to_end(&mut heard).expect("all comes, and the end");
    assert_eq!(heard.len(), MEGABYTE);
    sending.join().expect("the server ends well");
}

/// The client connects to the server and sends.
fn receive_a_megabyte(server: &Instance, own: &str, client: &Instance) {
    let listener = server.listen(address(own), 10);
    let receiving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).expect("all comes, and the end");
        heard.len()
    });
    let mut stream = client.connect((address(own), 10).into());
    stream.write_all(&vec![7; MEGABYTE]).expect("all is taken");
    drop(stream);
    assert_eq!(receiving.join().expect("the receiver ends well"), MEGABYTE);
}

//! How many connections a NAT gateway has for one destination.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::flow_logs::FULL;
use crate::harness::{Deadline, Lab, alone};
use crate::internet::address;

const NAT: &str = include_str!("labs/nat.yaml");

/// Connections of one address to one destination, port and protocol.
const MOST: usize = 55_000;

/// Ports of each of two clients: together more than [`MOST`].
const PORTS: u16 = 28_000;

const LAPTOP: &str = "203.0.113.50";

/// Sockets that are open at a time.
const CHUNK: usize = 7_000;

/// Datagrams that are sent before those who read are given a moment: no queue overflows.
const BURST: usize = 50;

/// Four workers share the ports. Each that was given is of use until the end, and who came too late leaves no trace but a
/// count.
///
/// Rules: NG-06, NG-08, NG-09, NG-25
#[test]
fn exactly_55000_connections_to_one_destination_succeed() {
    let _alone = alone();
    let lab = Lab::up_with(&NAT.replace("FORMAT", FULL), &["--workers", "4"]);
    let clients: Vec<(&str, SocketAddr)> = [("job-1", "10.56.2.10"), ("job-2", "10.56.2.20")]
        .into_iter()
        .flat_map(|(name, own)| (0..PORTS).map(move |n| (name, SocketAddr::new(address(own), 2_000 + n))))
        .collect();
    let remote = lab.instance("laptop").udp(address(LAPTOP), 53);
    let listening = remote.try_clone().expect("there is room for one more");
    let hearing = thread::spawn(move || hear(&listening));
    let numbers: Vec<usize> = (0..clients.len()).collect();
    for chunk in numbers.chunks(CHUNK) {
        for (number, socket) in chunk.iter().zip(sockets(&lab, &clients, chunk)) {
            socket.send_to(&number.to_be_bytes(), (LAPTOP, 53)).expect("it is taken");
            pace(*number);
        }
    }
    let heard = hearing.join().expect("it ends well");
    assert_eq!(heard.len(), MOST, "{:?}", lab.settled());
    let outer: BTreeSet<&SocketAddr> = heard.values().collect();
    assert_eq!(outer.len(), MOST, "no two have one port");

    let numbers: Vec<usize> = heard.keys().copied().collect();
    for chunk in numbers.chunks(CHUNK) {
        let sockets = sockets(&lab, &clients, chunk);
        for number in chunk {
            remote.send_to(&number.to_be_bytes(), heard[number]).expect("it is taken");
            pace(*number);
        }
        for (number, socket) in chunk.iter().zip(sockets) {
            let mut bytes = [0; 8];
            let length = socket.recv(&mut bytes).expect("each is answered");
            assert_eq!((length, usize::from_be_bytes(bytes)), (8, *number));
        }
    }
    let late = u64::try_from(clients.len() - MOST).expect("a few");
    let gateway = lab.nat_gateways().into_iter().find(|row| row["nat_gateway"] == "app/nat-a");
    assert_eq!(gateway.expect("it is there")["metrics"]["ErrorPortAllocation"].as_u64(), Some(late));
    lab.finish(&[("NGW_ERROR_PORT_ALLOCATION", late..=late)]);
}

/// A socket for each of these clients.
fn sockets(lab: &Lab, clients: &[(&str, SocketAddr)], numbers: &[usize]) -> Vec<UdpSocket> {
    let mut sockets = Vec::with_capacity(numbers.len());
    for of_one in numbers.chunk_by(|a, b| clients[*a].0 == clients[*b].0) {
        let bind = |number: &usize| UdpSocket::bind(clients[*number].1).expect("the port is free");
        sockets.extend(
            lab.instance(clients[of_one[0]].0).inside(|| of_one.iter().map(bind).collect::<Vec<_>>()),
        );
    }
    for socket in &sockets {
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("it is not zero");
    }
    sockets
}

fn pace(number: usize) {
    if number.is_multiple_of(BURST) {
        Deadline::after(Duration::from_millis(3)).pass();
    }
}

/// Who sent which number, until nothing comes for a while.
fn hear(remote: &UdpSocket) -> BTreeMap<usize, SocketAddr> {
    remote.set_read_timeout(Some(Duration::from_secs(6))).expect("it is not zero");
    let mut heard = BTreeMap::new();
    let mut bytes = [0; 8];
    while let Ok((_, peer)) = remote.recv_from(&mut bytes) {
        heard.insert(usize::from_be_bytes(bytes), peer);
    }
    heard
}

//! How many connections to one destination a NAT gateway carries at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::harness::{Instance, LATE, Lab, address, alone, echo_tcp_at, eventually};
use crate::nat_gateway::{GATEWAY, LAPTOP, port};

const PORTS: &str = include_str!("labs/ports.yaml");

const EXHAUSTED: &str = "NGW_ERROR_PORT_ALLOCATION";

/// Connections of one address to one destination (NG-06).
const LIMIT: usize = 55_000;

/// Half of them are of one client, half of another.
const CLIENTS: [(&str, &str); 2] = [("job-1", "10.56.2.10"), ("job-2", "10.56.2.20")];

/// Datagrams under way at once: no queue holds back one.
const BATCH: usize = 100;

const PATIENCE: Duration = Duration::from_secs(10);

/// One end of a connection: a client and its port.
type End = (usize, u16);

/// Connections over all workers are counted together, and none is lost when there is no room for the next.
///
/// Rules: NG-05, NG-06, NG-07, NG-08, NG-09, NG-25
#[test]
fn an_address_carries_55_000_connections_to_one_destination() {
    let _alone = alone();
    let lab = Lab::up_with(PORTS, &["--workers", "4"]);
    let internet = Internet::of(&lab);
    let ends = ends_from(10_000);
    let first = internet.echo(&ends);
    assert_eq!(of_each_address(&first), BTreeMap::from([(GATEWAY.1.to_owned(), LIMIT)]));

    let client = lab.instance(CLIENTS[0].0);
    let one_more = client.udp(address(CLIENTS[0].1), 9_000);
    internet.refuse(&lab, std::slice::from_ref(&one_more), 0);
    // Another port or another protocol is another destination.
    one_more.send_to(b"question", (LAPTOP.1, 8)).expect("it is taken");
    internet.other.recv_from(&mut [0; 16]).expect("it comes");
    echo_tcp_at(&client, &lab.instance(LAPTOP.0), address(LAPTOP.1), port(LAPTOP.1, 7), 1_000);
    assert!(internet.echo(&ends) == first, "each goes on, at the port that it had");

    let secondary = "secondary: [ { public_ip: 198.51.100.11, private_ip: 10.56.1.6 } ]";
    lab.edit("private_ip: 10.56.1.5 }", &format!("private_ip: 10.56.1.5, {secondary} }}"));
    let more = internet.echo(&ends_from(37_500));
    assert_eq!(of_each_address(&more), BTreeMap::from([("198.51.100.11".to_owned(), LIMIT)]));
    let late = client.inside(|| (2_000..).take(1_000).map(|port| asking(0, port)).collect::<Vec<_>>());
    internet.refuse(&lab, &late, 1);
    assert!(internet.echo(&ends) == first, "each goes on, at the address that it had");
    lab.finish(&[LATE, (EXHAUSTED, 1_001..=1_001)]);
}

/// As many ends as an address carries connections, half of them of each client.
fn ends_from(port: u16) -> Vec<End> {
    (0..CLIENTS.len())
        .flat_map(|client| (port..).take(LIMIT / CLIENTS.len()).map(move |port| (client, port)))
        .collect()
}

/// The clients and the host, with its sockets.
struct Internet {
    clients: [Instance; 2],
    socket: UdpSocket,
    other: UdpSocket,
}

impl Internet {
    fn of(lab: &Lab) -> Self {
        let host = lab.instance(LAPTOP.0);
        let [socket, other] = [7, 8].map(|port| host.udp(address(LAPTOP.1), port));
        Self { clients: CLIENTS.map(|(name, _)| lab.instance(name)), socket, other }
    }

    /// Every end sends a datagram and hears it again. Returns whom the host has seen for each.
    fn echo(&self, ends: &[End]) -> Vec<SocketAddr> {
        let batches = ends.chunk_by(|one, next| one.0 == next.0).flat_map(|ends| ends.chunks(BATCH));
        batches.flat_map(|batch| self.echo_batch(batch)).collect()
    }

    /// A batch of one client, whose sockets are closed again: a connection outlives them.
    fn echo_batch(&self, batch: &[End]) -> Vec<SocketAddr> {
        let (client, _) = batch[0];
        let ports = batch.iter().map(|(_, port)| *port);
        let sockets =
            self.clients[client].inside(|| ports.map(|port| asking(client, port)).collect::<Vec<_>>());
        for (socket, (_, port)) in sockets.iter().zip(batch) {
            socket.send(&port.to_be_bytes()).expect("it is taken");
        }
        let mut seen = BTreeMap::new();
        for _ in batch {
            let mut port = [0; 2];
            let (_, peer) = self.socket.recv_from(&mut port).expect("it comes");
            seen.insert(u16::from_be_bytes(port), peer);
            self.socket.send_to(&port, peer).expect("it is taken");
        }
        for (socket, (_, port)) in sockets.iter().zip(batch) {
            let mut heard = [0; 2];
            socket.recv(&mut heard).expect("the echo comes");
            assert_eq!(u16::from_be_bytes(heard), *port, "it is its own");
        }
        batch.iter().map(|(_, port)| seen[port]).collect()
    }

    /// Connections for which there is no port: each is dropped and counted after `before`, and the host does not hear of it.
    #[track_caller]
    fn refuse(&self, lab: &Lab, sockets: &[UdpSocket], before: u64) {
        let mut times = before;
        assert_eq!(metric(lab, "ErrorPortAllocation"), times);
        for batch in sockets.chunks(BATCH) {
            for socket in batch {
                socket.send_to(b"question", (LAPTOP.1, 7)).expect("it is taken");
                times += 1;
            }
            eventually("the datagrams are dropped", PATIENCE, || {
                lab.counters().dropped.get(EXHAUSTED).copied() == Some(times)
            });
        }
        assert_eq!(metric(lab, "ErrorPortAllocation"), times);
        self.socket.set_nonblocking(true).expect("a socket can");
        let nothing = self.socket.recv(&mut [0; 16]).expect_err("it was dropped");
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
        self.socket.set_nonblocking(false).expect("a socket can");
    }
}

/// A socket of a client that asks the host.
fn asking(client: usize, port: u16) -> UdpSocket {
    let socket = UdpSocket::bind((CLIENTS[client].1, port)).expect("the port is free");
    socket.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    socket.connect((LAPTOP.1, 7)).expect("there is a route");
    socket
}

/// Distinct ports of each address.
fn of_each_address(peers: &[SocketAddr]) -> BTreeMap<String, usize> {
    let distinct: BTreeSet<&SocketAddr> = peers.iter().collect();
    let mut count = BTreeMap::new();
    for peer in distinct {
        assert!(peer.port() >= 1024, "{peer}");
        *count.entry(peer.ip().to_string()).or_default() += 1;
    }
    count
}

fn metric(lab: &Lab, name: &str) -> u64 {
    let gateways = lab.nat_gateways();
    let [gateway] = &gateways[..] else { panic!("{gateways:?}") };
    gateway["metrics"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {gateway}"))
}

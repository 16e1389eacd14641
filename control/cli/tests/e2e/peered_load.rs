//! VPCs of equal blocks: peered crosswise, under all the load that the machine gives, and both peers of one.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Deadline, FULL, Instance, LATE, Lab, NOTHING, address, alone, echo_tcp, records, up};

/// Each pair has a west side, which is 10.1.0.0/16, and an east side, which is 10.2.0.0/16.
const CROSSWISE: &str = include_str!("labs/crosswise.yaml");

/// An instance, its address, and the only one that it may hear, which has the same address as another one.
const ENDS: [(&str, &str, &str); 4] = [
    ("west-1", "10.1.1.10", "east-2"),
    ("west-2", "10.1.1.10", "east-1"),
    ("east-1", "10.2.1.10", "west-2"),
    ("east-2", "10.2.1.10", "west-1"),
];

/// Datagrams of each instance; whoever sends faster than they are carried loses some.
const DATAGRAMS: usize = 150_000;

/// Flows of each instance, so that all workers carry some of every pair.
const FLOWS: u16 = 16;

/// The least that has to arrive of each instance's datagrams for the test to say anything.
const LEAST: usize = 5_000;

/// After this much silence everything has come that will.
const SILENCE: Duration = Duration::from_secs(2);

/// All four send at once, to addresses that are there twice, and each hears its own peer alone.
///
/// Rules: PC-01, PC-07, OR-15, OR-16
#[test]
fn not_one_packet_gets_into_the_wrong_vpc() {
    let _alone = alone();
    let lab = Lab::up_with(&CROSSWISE.replace("FORMAT", FULL), &["--workers", "4"]);
    let sending = AtomicUsize::new(ENDS.len());
    let places: Vec<Place> = ENDS.into_iter().map(|(name, own, _)| Place::of(&lab, name, own)).collect();
    let heard: Vec<BTreeMap<String, usize>> = thread::scope(|scope| {
        let hearing: Vec<_> = places.iter().map(|place| scope.spawn(|| place.hear(&sending))).collect();
        for place in &places {
            scope.spawn(|| {
                place.send();
                sending.fetch_sub(1, Ordering::Relaxed);
            });
        }
        hearing.into_iter().map(|thread| thread.join().expect("it ends well")).collect()
    });
    for ((name, _, peer), heard) in ENDS.into_iter().zip(heard) {
        let senders: Vec<&String> = heard.keys().collect();
        assert_eq!(senders, [peer], "{name} hears its peer alone: {heard:?}");
        assert!(heard[peer] >= LEAST, "there was load: {heard:?}");
    }
    for (name, _, peer) in ENDS {
        let to = ENDS.iter().find(|(other, ..)| *other == peer).expect("it is one of them").1;
        echo_tcp(&lab.instance(name), &lab.instance(peer), SocketAddr::new(address(to), 80), 1_000_000);
    }
    // Both ends of TCP announce segments for 9001 bytes, and between the regions are 8500.
    lab.finish(&[LATE, ("PACKET_TOO_BIG", 0..=200)]);
}

/// Which of two equal peers is meant says the longest route, and each address is there twice.
///
/// Rules: PC-13, PC-08, RT-05, OR-15, OR-16, FL-44, FL-65
#[test]
fn a_longer_route_tells_equal_peers_apart() {
    let lab = up(CROSSWISE);
    let asking = lab.instance("hub-1").udp(address("10.3.1.10"), 4000);
    let ways = [("10.2.1.10", "east-1", "east-2"), ("10.2.1.20", "twin-2", "twin-1")];
    for (to, right, wrong) in ways {
        let [right, wrong] = [right, wrong].map(|name| lab.instance(name).udp(address(to), 7));
        asking.send_to(b"question", (to, 7)).expect("it is taken");
        let mut buffer = [0; 16];
        let (_, peer) = right.recv_from(&mut buffer).expect("the question comes");
        right.send_to(b"answer", peer).expect("it is taken");
        asking.recv_from(&mut buffer).expect("the answer comes");
        wrong.set_nonblocking(true).expect("a socket can");
        wrong.recv(&mut buffer).expect_err("it is in the other VPC");
    }
    assert_eq!(
        records(lab, NOTHING),
        [
            "hub-1.eth0 egress 10.3.1.10 10.2.1.10 10.3.1.10 10.2.1.10 ACCEPT 4 1 36",
            "hub-1.eth0 egress 10.3.1.10 10.2.1.20 10.3.1.10 10.2.1.20 ACCEPT 5 1 36",
            "hub-1.eth0 ingress 10.2.1.10 10.3.1.10 10.2.1.10 10.3.1.10 ACCEPT - 1 34",
            "hub-1.eth0 ingress 10.2.1.20 10.3.1.10 10.2.1.20 10.3.1.10 ACCEPT - 1 34",
        ]
    );
}

/// An instance with its sockets.
struct Place {
    name: &'static str,
    to: SocketAddr,
    listening: UdpSocket,
    flows: Vec<UdpSocket>,
}

impl Place {
    fn of(lab: &Lab, name: &'static str, own: &str) -> Self {
        let instance: Instance = lab.instance(name);
        let other = if own == "10.1.1.10" { "10.2.1.10" } else { "10.1.1.10" };
        let listening = instance.udp(address(own), 7);
        listening.set_read_timeout(Some(Duration::from_millis(100))).expect("it is not zero");
        let flows = (5_000..).take(usize::from(FLOWS)).map(|port| instance.udp(address(own), port)).collect();
        Self { name, to: SocketAddr::new(address(other), 7), listening, flows }
    }

    /// Sends its name as often and as fast as it can.
    fn send(&self) {
        for flow in self.flows.iter().cycle().take(DATAGRAMS) {
            flow.send_to(self.name.as_bytes(), self.to).expect("it is taken, or lost in a full queue");
        }
    }

    /// How many datagrams came from whom, until all have sent and nothing comes any more.
    fn hear(&self, sending: &AtomicUsize) -> BTreeMap<String, usize> {
        let mut heard = BTreeMap::new();
        let mut buffer = [0; 64];
        let mut silence = Deadline::after(SILENCE);
        while sending.load(Ordering::Relaxed) > 0 || !silence.is_over() {
            // Nothing for a while is what the deadline is for.
            let Ok(length) = self.listening.recv(&mut buffer) else { continue };
            let sender = String::from_utf8_lossy(&buffer[..length]);
            match heard.get_mut(&*sender) {
                Some(count) => *count += 1,
                None => drop(heard.insert(sender.into_owned(), 1)),
            }
            silence = Deadline::after(SILENCE);
        }
        heard
    }
}

//! Datagrams of one flow arrive in the order in which they were sent, whoever of many workers forwards them.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::harness::{Deadline, Lab, NOTHING, alone};
use crate::reach::{A_1, B_1, PAIR};

/// With 70 sockets on one side and 60 on the other: more flows than a TUN device of the kernel remembers (4,096).
const CLIENTS: usize = 70;
const SERVERS: usize = 60;

/// Datagrams of each flow in one round.
const BURST: u32 = 4;

/// Sockets that a sender may be ahead of the receiver.
const AHEAD: usize = 8;

/// After a pause of that length the kernel forgets which queue a flow was on.
const PAUSE: Duration = Duration::from_secs(5);

/// Rules: MT-01
#[test]
fn four_workers_reorder_nothing_in_four_thousand_flows_both_ways() {
    let _alone = alone();
    let lab = Lab::up_with(PAIR, &["--workers", "4"]);
    let near = sockets(&lab, A_1, CLIENTS, 20_000);
    let far = sockets(&lab, B_1, SERVERS, 30_000);
    // Answers begin in the second round, in the middle of the flows.
    let mut deviations = Vec::new();
    for round in 0..3 {
        Deadline::after(if round == 0 { Duration::ZERO } else { PAUSE }).pass();
        let (near, far) = (&near, &far);
        deviations.extend(thread::scope(|scope| {
            let heard = scope.spawn(move || exchange(near, far, round));
            let answers = if round > 0 { exchange(far, near, round - 1) } else { Vec::new() };
            [heard.join().expect("the receiver ends well"), answers].concat()
        }));
    }
    let counters = lab.settled();
    assert_eq!(deviations, Vec::<String>::new(), "{counters:?}");
    let datagrams = (CLIENTS * SERVERS) as u64 * u64::from(BURST) * 5;
    assert_eq!((counters.received, counters.delivered), (datagrams, datagrams), "{counters:?}");
    assert_eq!(counters.strays, 0, "the steering program gives each worker what it owns: {counters:?}");
    lab.finish(NOTHING);
}

fn sockets(lab: &Lab, host: (&str, [&str; 2]), count: usize, port: u16) -> Vec<UdpSocket> {
    let address: IpAddr = host.1[0].parse().expect("an address");
    let instance = lab.instance(host.0);
    (0..count).zip(port..).map(|(_, port)| instance.udp(address, port)).collect()
}

/// One round of every flow from one side to the other. Returns what was not the next datagram of its flow, the first few.
fn exchange(from: &[UdpSocket], to: &[UdpSocket], round: u32) -> Vec<String> {
    let (heard, credits) = channel();
    (0..AHEAD).for_each(|_| heard.send(()).expect("both ends are here"));
    thread::scope(|scope| {
        scope.spawn(move || send(from, to, round, &credits));
        receive(to, from.len(), round, &heard)
    })
}

/// Sends each flow's datagrams one right after the other, never further ahead of the receiver than a device has room.
fn send(from: &[UdpSocket], to: &[UdpSocket], round: u32, credits: &Receiver<()>) {
    for target in to {
        // A receiver that has given up says what was missing.
        let Ok(()) = credits.recv() else { return };
        let target = target.local_addr().expect("it is bound");
        for socket in from {
            for number in round * BURST..(round + 1) * BURST {
                socket.send_to(&number.to_be_bytes(), target).expect("the datagram is taken");
            }
        }
    }
}

/// Hears that round at every socket of a side, one after the other.
fn receive(sockets: &[UdpSocket], flows_each: usize, round: u32, heard: &Sender<()>) -> Vec<String> {
    let mut deviations = Vec::new();
    for socket in sockets {
        let mut next = BTreeMap::new();
        for _ in 0..flows_each * BURST as usize {
            let mut bytes = [0; 4];
            let Ok((_, peer)) = socket.recv_from(&mut bytes) else {
                deviations.push(format!("nothing more comes to {socket:?}"));
                return deviations;
            };
            let expected = next.entry(peer).or_insert(round * BURST);
            let number = u32::from_be_bytes(bytes);
            if number != *expected && deviations.len() < 16 {
                deviations.push(format!("{number} instead of {expected} from {peer} to {socket:?}"));
            }
            *expected = number + 1;
        }
        // The sender may have been done before.
        heard.send(()).ok();
    }
    deviations
}

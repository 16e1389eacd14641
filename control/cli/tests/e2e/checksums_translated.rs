//! Checksums of packets that gateways have translated, verified behind a place that forwards instead of listening.

use std::net::{IpAddr, SocketAddr};

use wire::proto::{TCP, UDP};

use crate::harness::{Beyond, LATE, Lab, address, datagrams_in_one_call, echo_tcp_at, up};
use crate::internet::{CLIENT, INTERNET, PHONE, SERVER};
use crate::nat_gateway::{JOB, JOB_V6, LAPTOP, LAPTOP_V6, NAT};

/// What the internet carries.
const MTU: u16 = 1500;

/// Rules: NG-20, IG-02, AD-27
#[test]
fn they_are_right_behind_a_nat_gateway() {
    let lab = up(NAT);
    for offloads in ["on", "off"] {
        lab.set_offloads("job-1", offloads);
        let way = |from, to| Way { from: (JOB.0, address(from)), to: address(to), at: LAPTOP };
        way(JOB.1, LAPTOP.1).pass(&lab);
        way(JOB_V6, LAPTOP_V6).pass(&lab);
    }
    lab.finish(&[LATE]);
}

/// Rules: IG-02
#[test]
fn they_are_right_behind_an_internet_gateway() {
    let lab = up(INTERNET);
    for offloads in ["on", "off"] {
        let out = Way { from: (CLIENT.name, address(CLIENT.own)), to: address(LAPTOP.1), at: LAPTOP };
        let (from, at) = ((PHONE.name, address(PHONE.own)), (SERVER.name, SERVER.own));
        let into = Way { from, to: address(SERVER.seen), at };
        for way in [out, into] {
            lab.set_offloads(way.from.0, offloads);
            way.pass(&lab);
        }
    }
    lab.finish(&[LATE]);
}

/// From a sender's place and address to a public address, which is at a place that has another for itself.
struct Way {
    from: (&'static str, IpAddr),
    to: IpAddr,
    at: (&'static str, &'static str),
}

impl Way {
    /// TCP and datagrams pass; segments fill what the internet carries, by NAT64 too.
    fn pass(&self, lab: &Lab) {
        let (place, own) = self.at;
        let beyond = Beyond::instead(lab, place, own, MTU);
        let (client, server, own) = (lab.instance(self.from.0), beyond.instance(), address(own));
        echo_tcp_at(&client, &server, own, SocketAddr::new(self.to, 7), 1 << 20);
        let listening = server.udp(own, 8);
        for (size, count) in [(33, 60), (1_401, 20)] {
            datagrams_in_one_call(&client, self.from.1, &listening, SocketAddr::new(self.to, 8), size, count);
        }
        let seen = beyond.finish();
        let (longest, count) = seen.longest(TCP, own);
        assert_eq!(longest, u32::from(MTU), "{:?} to {}", self.from, self.to);
        assert!(count > 500, "{count} full segments of a megabyte");
        assert_eq!(seen.longest(UDP, own), (20 + 8 + 1_401, 20));
    }
}

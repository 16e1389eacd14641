//! Which worker owns a packet: one pure function of its endpoints, used at every entry point.

use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;

use foldhash::fast::FixedState;
use snapshot::Snapshot;
use wire::{FiveTuple, Parsed, Transport};

/// H: the same worker for both directions of a session, for ICMP errors about it and for its fragments.
///
/// No VPC, interface, route or NAT table enters the hash: unrelated equal CIDRs just share a worker. Public addresses of the
/// lab count as the private addresses behind them.
#[derive(Clone, Debug)]
pub struct Steering {
    hasher: FixedState,
    workers: u16,
}

impl Steering {
    /// The function for `workers` workers; all of them must be given the same `seed`.
    ///
    /// # Panics
    ///
    /// With no worker at all.
    #[must_use]
    pub fn new(workers: u16, seed: u64) -> Self {
        assert!(workers > 0, "at least one worker owns packets");
        Self { hasher: FixedState::with_seed(seed), workers }
    }

    /// The owner of an unfragmented packet, or of a fragment whose ports are known.
    #[must_use]
    #[inline]
    pub fn owner(&self, snapshot: &Snapshot, parsed: &Parsed) -> u16 {
        if self.workers == 1 {
            return 0;
        }
        let tuple = match parsed.transport {
            Transport::Icmp { about: Some(about), .. } => about,
            Transport::Icmp { .. }
            | Transport::Later
            | Transport::Other
            | Transport::Tcp { .. }
            | Transport::Udp => parsed.tuple,
        };
        self.owner_of(snapshot, &tuple)
    }

    /// The owner of a flow.
    #[must_use]
    pub fn owner_of(&self, snapshot: &Snapshot, tuple: &FiveTuple) -> u16 {
        let near = (snapshot.private_of(tuple.src), port(tuple, tuple.src_port));
        let far = (snapshot.private_of(tuple.dst), port(tuple, tuple.dst_port));
        self.bucket(near.min(far), near.max(far), tuple.proto)
    }

    /// The worker that matches up the fragments of one pair of hosts.
    #[must_use]
    pub fn keeper(&self, snapshot: &Snapshot, tuple: &FiveTuple) -> u16 {
        let (near, far) = ((snapshot.private_of(tuple.src), 0), (snapshot.private_of(tuple.dst), 0));
        // Behind an IPv6 fragment header, only the first fragment shows the protocol after further extension headers.
        let proto = if tuple.src.is_ipv4() { tuple.proto } else { 0 };
        self.bucket(near.min(far), near.max(far), proto)
    }

    fn bucket(&self, low: (IpAddr, u16), high: (IpAddr, u16), proto: u8) -> u16 {
        let hash = self.hasher.hash_one(Endpoints { low, high, proto });
        // Multiply-shift instead of a division: the high half of the product is uniform in 0..workers.
        ((u128::from(hash) * u128::from(self.workers)) >> 64) as u16
    }
}

#[derive(Hash)]
struct Endpoints {
    low: (IpAddr, u16),
    high: (IpAddr, u16),
    proto: u8,
}

/// An ICMP query counts its identifier on both sides; the constant on the answerer's side of a [`FiveTuple`] says nothing.
const fn port(tuple: &FiveTuple, port: u16) -> u16 {
    if !tuple.is_icmp() {
        return port;
    }
    // One of the two is the identifier, the other `type << 8`; their combination is the same in both directions.
    tuple.src_port ^ tuple.dst_port
}

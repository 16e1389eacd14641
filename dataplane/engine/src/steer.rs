//! Which worker owns a packet: one pure function of its endpoints, used at every entry point.

use std::net::IpAddr;

use snapshot::Snapshot;
use wire::{FiveTuple, Parsed};

/// H: the same worker for both directions of a session, for ICMP errors about it and for its fragments.
///
/// No VPC, interface, route or NAT table enters the hash: unrelated equal CIDRs just share a worker. Public addresses of the
/// lab count as the private addresses behind them.
///
/// It is plain 64-bit arithmetic, [`Self::seed`] its only constant that differs from run to run, so that the steering program
/// in the kernel computes it too, for what shows its flow and concerns no public address (`io::steering`):
///
/// ```text
/// mix(x)   = x *= 0x9e3779b97f4a7c15; x ^= x >> 32; x *= 0xd6e8feb86659fd93; x ^ x >> 32
/// end(a,p) = mix(seed ^ (a << 16 | p))                      of an IPv4 address and a port
///            mix(mix(mix(seed ^ high(a)) ^ low(a)) ^ p)     of an IPv6 address and a port
/// owner    = (mix(end(source) + end(destination) + protocol) >> 32) * workers >> 32
/// ```
///
/// The sum of the two ends is what makes it the same in both directions.
#[derive(Clone, Debug)]
pub struct Steering {
    seed: u64,
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
        Self { seed, workers }
    }

    /// The run's hash seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The owner of an unfragmented packet, or of a fragment whose ports are known.
    #[must_use]
    #[inline]
    pub fn owner(&self, snapshot: &Snapshot, parsed: &Parsed) -> u16 {
        if self.workers == 1 {
            return 0;
        }
        match parsed.about() {
            Some(about) => self.owner_of(snapshot, &about),
            None => self.owner_of(snapshot, &parsed.tuple),
        }
    }

    /// The owner of a flow.
    #[must_use]
    #[inline]
    pub fn owner_of(&self, snapshot: &Snapshot, tuple: &FiveTuple) -> u16 {
        if snapshot.has_public_addresses() {
            return self.owner_of_private(&private(snapshot, tuple));
        }
        self.owner_of_private(tuple)
    }

    fn owner_of_private(&self, tuple: &FiveTuple) -> u16 {
        let near = self.end(tuple.src, port(tuple, tuple.src_port));
        let far = self.end(tuple.dst, port(tuple, tuple.dst_port));
        self.bucket(near, far, tuple.proto)
    }

    /// The worker that matches up the fragments of one pair of hosts.
    #[must_use]
    pub fn keeper(&self, snapshot: &Snapshot, tuple: &FiveTuple) -> u16 {
        let ends = private(snapshot, tuple);
        let (near, far) = (self.end(ends.src, 0), self.end(ends.dst, 0));
        // Behind an IPv6 fragment header, only the first fragment shows the protocol after further extension headers.
        let proto = if tuple.src.is_ipv4() { tuple.proto } else { 0 };
        self.bucket(near, far, proto)
    }

    fn end(&self, address: IpAddr, port: u16) -> u64 {
        let port = u64::from(port);
        match address {
            IpAddr::V4(address) => mix(self.seed ^ (u64::from(address.to_bits()) << 16 | port)),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                let high = mix(self.seed ^ (bits >> 64) as u64);
                mix(mix(high ^ bits as u64) ^ port)
            }
        }
    }

    fn bucket(&self, near: u64, far: u64, proto: u8) -> u16 {
        let hash = mix(near.wrapping_add(far).wrapping_add(proto.into()));
        // Multiply and shift instead of a division: the high half of the product is uniform in 0..workers.
        (((hash >> 32) * u64::from(self.workers)) >> 32) as u16
    }
}

/// The tuple with every public address of the lab as the private one behind it.
#[inline(never)]
fn private(snapshot: &Snapshot, tuple: &FiveTuple) -> FiveTuple {
    FiveTuple { src: snapshot.private_of(tuple.src), dst: snapshot.private_of(tuple.dst), ..*tuple }
}

/// Spreads every bit of `x` over all others: two rounds of an odd multiplier and a shift.
const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 32;
    x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ (x >> 32)
}

/// An ICMP query counts its identifier on both sides; the constant on the answerer's side of a [`FiveTuple`] says nothing.
const fn port(tuple: &FiveTuple, port: u16) -> u16 {
    if !tuple.is_icmp() {
        return port;
    }
    // One of the two is the identifier, the other `type << 8`; their combination is the same in both directions.
    tuple.src_port ^ tuple.dst_port
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn each_worker_gets_its_share_of_neighbouring_flows() {
        let spread = |source: fn(u32) -> IpAddr| {
            let steering = Steering::new(8, 0x5eed);
            let mut shares = [0; 8];
            for n in 0..8_000 {
                let (near, far) =
                    (steering.end(source(n / 100), 32_768 + (n % 100) as u16), steering.end(source(7), 443));
                shares[usize::from(steering.bucket(near, far, 6))] += 1;
            }
            shares
        };
        for shares in [
            spread(|n| Ipv4Addr::from_bits(0x0a00_0000 + n).into()),
            spread(|n| Ipv6Addr::from_bits(0x2600_1f18 << 96 | u128::from(n)).into()),
        ] {
            assert!(shares.iter().all(|share| (850..1_150).contains(share)), "{shares:?}");
        }
    }

    #[test]
    fn the_seed_decides_who_owns_what() {
        let owners = |seed| {
            let steering = Steering::new(4, seed);
            let end = |n| steering.end(Ipv4Addr::from_bits(n).into(), 1);
            (0..64).map(|n| steering.bucket(end(n), end(99), 17)).collect::<Vec<_>>()
        };
        assert_ne!(owners(1), owners(2));
        assert_eq!(owners(1), owners(1));
    }
}

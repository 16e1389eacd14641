//! Reading headers, and keeping checksums right when they change.

use std::hint::black_box;

use wire::checksum::{self, Delta};

use super::{Stage, TIMES, measured};
use crate::packets::{Family, datagram, syn};

pub(super) const STAGES: &[Stage] = &[
    Stage { name: "parse/tcp-v4", run: || parse(&syn(Family::V4, 0)) },
    Stage { name: "parse/tcp-v6", run: || parse(&syn(Family::V6, 0)) },
    Stage { name: "parse/udp-v4", run: || parse(&datagram(Family::V4, 0)) },
    Stage { name: "parse/udp-v6", run: || parse(&datagram(Family::V6, 0)) },
    Stage { name: "checksum/sum-1500", run: sum },
    Stage { name: "checksum/update-v4", run: || update(Family::V4) },
    Stage { name: "checksum/update-v6", run: || update(Family::V6) },
];

fn parse(packet: &[u8]) -> usize {
    measured(|| {
        for _ in 0..TIMES {
            let _ = black_box(wire::parse(black_box(packet)));
        }
    });
    TIMES
}

fn sum() -> usize {
    let packet = [0xa5; 1_500];
    measured(|| {
        for _ in 0..TIMES {
            black_box(checksum::sum(black_box(&packet)));
        }
    });
    TIMES
}

/// What a translated address costs.
fn update(family: Family) -> usize {
    let (old, new) = match family {
        Family::V4 => ("10.0.1.10", "198.51.100.10"),
        Family::V6 => ("2001:db8::10", "2001:db8:1::10"),
    };
    let (old, new) = (wire::testing::ip(old), wire::testing::ip(new));
    measured(|| {
        for _ in 0..TIMES {
            let delta =
                Delta::default().replace_address(black_box(old), black_box(new)).replace16(40_000, 1_024);
            black_box(delta.apply(black_box(0x1234)));
        }
    });
    TIMES
}

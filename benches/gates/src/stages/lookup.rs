//! Looking up prefixes and rules.

use std::hint::black_box;

use tables::{Bits, Classifier, Lpm, Peer, Prefix, Query, Rule};

use super::{Stage, TIMES, measured};

pub(super) const STAGES: &[Stage] = &[
    Stage { name: "lpm/v4-1000", run: lpm::<u32> },
    Stage { name: "lpm/v6-1000", run: lpm::<u128> },
    Stage { name: "classifier/300-rules-last", run: || classifier(300) },
    Stage { name: "classifier/1000-rules-last", run: || classifier(1_000) },
];

/// A thousand prefixes of eight lengths, and addresses in each of them.
fn lpm<A: Bits + FromIndex>() -> usize {
    let prefixes: Vec<(Prefix<A>, u32)> = (0..1_000).map(|n| (A::prefix(n), n)).collect();
    let table = Lpm::build(&prefixes);
    measured(|| {
        for (prefix, _) in &prefixes {
            black_box(table.lookup(black_box(prefix.first())));
        }
    });
    prefixes.len()
}

/// Prefixes in a fixed pattern.
trait FromIndex: Sized {
    fn prefix(n: u32) -> Prefix<Self>;
}

impl FromIndex for u32 {
    fn prefix(n: u32) -> Prefix<Self> {
        Prefix::new(n.wrapping_mul(0x9e37_79b9), 17 + (n % 8) as u8)
    }
}

impl FromIndex for u128 {
    fn prefix(n: u32) -> Prefix<Self> {
        let high = u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Prefix::new(Self::from(high) << 64, 40 + (n % 8) as u8 * 3)
    }
}

/// The last of `n` rules matches, by port and by prefix.
fn classifier(n: u16) -> usize {
    let rule = |port: u16| Rule {
        proto: Some(wire::proto::TCP),
        selectors: port..=port,
        peer: Peer::Prefix(Prefix::new(0x0a00_0000 | u32::from(port % 32) << 8, 24)),
    };
    let rules: Vec<_> = (1..=n).map(rule).collect();
    let classifier = Classifier::build(&rules);
    let addr = 0x0a00_0000 | u32::from(n % 32) << 8 | 7;
    let query = Query { proto: wire::proto::TCP, selector: n, addr, labels: &[3, 17, 901, 902, 903] };
    assert_eq!(classifier.first(&query), Some(u32::from(n) - 1), "the last rule matches");
    measured(|| {
        for _ in 0..TIMES {
            black_box(classifier.first(black_box(&query)));
        }
    });
    TIMES
}

//! Rule lists like those of security groups and network ACLs.

use tables::{Peer, Prefix, Query, Rule};

use crate::draw::Draw;

/// TCP.
const TCP: u8 = 6;
/// UDP.
const UDP: u8 = 17;
/// A port that [`rules`] opens only in the last rule.
const LAST_PORT: u16 = 65_000;

/// A list of `n` rules over different ports, peers and labels: the first opens TCP 443 to anyone, the last
/// TCP 65000 to a /24, and no rule between them matches what [`first`], [`last`] and [`miss`] ask.
pub fn rules(n: usize, seed: u64) -> Vec<Rule<u32>> {
    let mut draw = Draw::new(seed);
    let mut rules = vec![Rule { proto: Some(TCP), selectors: 443..=443, peer: Peer::Any }];
    while rules.len() + 1 < n {
        rules.push(middle(&mut draw));
    }
    let peer = Peer::Prefix(Prefix::new(0xc0a8_0100, 24));
    rules.push(Rule { proto: Some(TCP), selectors: LAST_PORT..=LAST_PORT, peer });
    rules
}

/// Matches the first rule.
pub fn first(labels: &[u32]) -> Query<'_, u32> {
    Query { proto: TCP, selector: 443, addr: 0xc0a8_0105, labels }
}

/// Matches only the last rule.
pub fn last(labels: &[u32]) -> Query<'_, u32> {
    Query { proto: TCP, selector: LAST_PORT, addr: 0xc0a8_0105, labels }
}

/// Matches no rule: the protocol and the port are known, the peer is not.
pub fn miss(labels: &[u32]) -> Query<'_, u32> {
    Query { proto: TCP, selector: LAST_PORT, addr: 0xc0a8_0205, labels }
}

/// Labels of a peer that is in five groups, two of which some rule names.
pub const LABELS: [u32; 5] = [3, 17, 901, 902, 903];

fn middle(draw: &mut Draw) -> Rule<u32> {
    let from = 1 + draw.below(59_000) as u16;
    let to = if draw.chance(70) { from } else { from + draw.below(900) as u16 };
    let peer = match draw.below(10) {
        0..2 => Peer::Any,
        2..5 => Peer::Label(draw.below(40) as u32),
        _ => Peer::Prefix(Prefix::new(0x0a00_0000 | draw.word() as u32 & 0x00ff_ffff, peer_len(draw))),
    };
    Rule { proto: Some(if draw.chance(75) { TCP } else { UDP }), selectors: from..=to, peer }
}

fn peer_len(draw: &mut Draw) -> u8 {
    draw.weighted(&[(8, 5), (16, 25), (20, 10), (24, 40), (32, 20)])
}

#[cfg(test)]
mod tests {
    use tables::Classifier;

    use super::*;

    #[test]
    fn the_three_queries_hit_what_their_names_say() {
        for n in [10, 100, 1000] {
            let classifier = Classifier::build(&rules(n, 5));
            assert_eq!(classifier.first(&first(&LABELS)), Some(0));
            assert_eq!(classifier.first(&last(&LABELS)), Some(n as u32 - 1));
            assert_eq!(classifier.first(&miss(&LABELS)), None);
        }
    }
}

//! What the hosts at both ends do by themselves.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use wire::tcp_flag::{ACK, FIN, SYN};

use crate::craft::{Body, Shape};

/// All virtual hosts: they answer pings, complete TCP handshakes and number their segments.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// The next sequence number from the first endpoint to the second.
    next: BTreeMap<(SocketAddr, SocketAddr), u32>,
}

/// Initial sequence number of every connection.
const ISN: u32 = 1_000;

impl Hosts {
    /// Gives a TCP segment the numbers that its sender would give it now, and remembers that it was sent; other packets
    /// stay as they are. A number that is not zero is meant.
    pub fn number(&mut self, shape: &mut Shape) {
        let payload = shape.payload() as u32;
        let (src, dst) = (shape.src, shape.dst);
        let Body::Tcp { ports: (from, to), flags, seq, ack } = &mut shape.body else { return };
        let (from, to) = (SocketAddr::new(src, *from), SocketAddr::new(dst, *to));
        if *seq == 0 {
            *seq = self.next.get(&(from, to)).copied().unwrap_or(ISN);
        }
        if *ack == 0 && *flags & ACK != 0 {
            *ack = self.next.get(&(to, from)).copied().unwrap_or(ISN);
        }
        let marks = u32::from(*flags & SYN != 0) + u32::from(*flags & FIN != 0);
        self.next.insert((from, to), seq.wrapping_add(payload).wrapping_add(marks));
    }

    /// Takes note of a segment as it arrived: a gateway may have given it other ends.
    pub fn receive(&mut self, arrived: &Shape) {
        let Body::Tcp { ports: (from, to), flags, seq, .. } = arrived.body else { return };
        let marks = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        let next = seq.wrapping_add(arrived.payload() as u32).wrapping_add(marks);
        self.next.insert((SocketAddr::new(arrived.src, from), SocketAddr::new(arrived.dst, to)), next);
    }

    /// What the receiver of a packet sends back at once: the reply to a ping, the next segment of a handshake.
    #[must_use]
    pub fn answer(&self, asked: &Shape) -> Option<Shape> {
        let mut body = asked.body.reversed();
        match (&asked.body, &mut body) {
            (Body::Query(8 | 13 | 17 | 128, ..), _) => {}
            (Body::Tcp { flags: asked, .. }, Body::Tcp { flags, .. }) if asked & SYN != 0 => {
                *flags = if asked & ACK == 0 { SYN | ACK } else { ACK };
            }
            _ => return None,
        }
        let size = if matches!(body, Body::Query(..)) { asked.size } else { None };
        Some(Shape { size, ..Shape::new(asked.dst, asked.src, body) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::testing::ip;

    fn segment(flags: u8, size: usize) -> Shape {
        let body = Body::Tcp { ports: (40_000, 80), flags, seq: 0, ack: 0 };
        Shape { size: Some(size), ..Shape::new(ip("10.0.1.1"), ip("10.0.2.1"), body) }
    }

    fn numbers(shape: &Shape) -> (u32, u32) {
        let Body::Tcp { seq, ack, .. } = shape.body else { panic!("no segment") };
        (seq, ack)
    }

    #[test]
    fn a_handshake_and_a_close_are_numbered_as_rfc_9293_says() {
        let mut hosts = Hosts::default();
        let mut syn = segment(SYN, 40);
        hosts.number(&mut syn);
        let mut syn_ack = hosts.answer(&syn).expect("a host that listens");
        hosts.number(&mut syn_ack);
        let mut ack = hosts.answer(&syn_ack).expect("a host that asked");
        hosts.number(&mut ack);
        assert_eq!(
            (numbers(&syn), numbers(&syn_ack), numbers(&ack)),
            ((1_000, 0), (1_000, 1_001), (1_001, 1_001))
        );
        assert_eq!(hosts.answer(&ack), None);
        let mut fin = segment(FIN | ACK, 60);
        hosts.number(&mut fin);
        let mut after = segment(ACK, 40);
        hosts.number(&mut after);
        assert_eq!((numbers(&fin), numbers(&after)), ((1_001, 1_001), (1_022, 1_001)));
    }

    #[test]
    fn a_segment_is_answered_by_the_ends_that_it_has_where_it_arrives() {
        let mut hosts = Hosts::default();
        let mut syn = segment(SYN, 40);
        hosts.number(&mut syn);
        // A gateway gave it another source.
        let seen = Shape { src: ip("198.51.100.10"), ..syn.clone() };
        hosts.receive(&seen);
        let mut answer = hosts.answer(&seen).expect("a host that listens");
        hosts.number(&mut answer);
        assert_eq!((answer.dst, numbers(&answer)), (ip("198.51.100.10"), (1_000, 1_001)));
    }
}

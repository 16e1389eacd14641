//! What gateways change in the packets of a flow, as a value.

use std::net::IpAddr;

use wire::FiveTuple;

/// The parts of a tuple that become something else; what stays is none, so that flows that change alike are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rewrite {
    /// Source address.
    pub src: Option<IpAddr>,
    /// Destination address.
    pub dst: Option<IpAddr>,
    /// Source port, or the identifier of an ICMP query.
    pub src_port: Option<u16>,
    /// Destination port.
    pub dst_port: Option<u16>,
    /// Protocol: ICMP of the other family (NG-20).
    pub proto: Option<u8>,
}

impl Rewrite {
    /// What makes `after` of `before`.
    pub(super) fn between(before: &FiveTuple, after: &FiveTuple) -> Self {
        Self {
            src: differing(before.src, after.src),
            dst: differing(before.dst, after.dst),
            src_port: differing(before.src_port, after.src_port),
            dst_port: differing(before.dst_port, after.dst_port),
            proto: differing(before.proto, after.proto),
        }
    }

    /// Whether nothing changes.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        let Self { src, dst, src_port, dst_port, proto } = self;
        src.is_none() && dst.is_none() && src_port.is_none() && dst_port.is_none() && proto.is_none()
    }

    /// The tuple afterwards.
    #[must_use]
    pub fn apply(&self, tuple: FiveTuple) -> FiveTuple {
        FiveTuple {
            src: self.src.unwrap_or(tuple.src),
            dst: self.dst.unwrap_or(tuple.dst),
            src_port: self.src_port.unwrap_or(tuple.src_port),
            dst_port: self.dst_port.unwrap_or(tuple.dst_port),
            proto: self.proto.unwrap_or(tuple.proto),
        }
    }
}

fn differing<T: PartialEq>(before: T, after: T) -> Option<T> {
    (before != after).then_some(after)
}

//! What the kernel takes in one write, learnt from what it refuses.

use std::sync::atomic::{AtomicU16, Ordering};

use wire::SegmentKind;

/// The most segments that one write to a device may stand for; 1 means that super-packets are refused.
///
/// Some kernels refuse what they claim to take, so the first refusal that was not the packet's fault counts for good.
#[derive(Debug)]
pub(super) struct Limits {
    tcp: AtomicU16,
    udp: AtomicU16,
}

impl Limits {
    pub(super) const fn new(tcp: u16, udp: u16) -> Self {
        Self { tcp: AtomicU16::new(tcp), udp: AtomicU16::new(udp) }
    }

    pub(super) fn segments(&self, kind: SegmentKind) -> u16 {
        self.of(kind).load(Ordering::Relaxed)
    }

    /// Takes note that `count` segments in one write were refused, though each alone is taken.
    pub(super) fn refuse(&self, kind: SegmentKind, count: usize) {
        let less = if count > usize::from(UDP_BEFORE_6_9) { UDP_BEFORE_6_9 } else { 1 };
        self.of(kind).fetch_min(less, Ordering::Relaxed);
    }

    const fn of(&self, kind: SegmentKind) -> &AtomicU16 {
        match kind {
            SegmentKind::TcpV4 | SegmentKind::TcpV6 => &self.tcp,
            SegmentKind::Udp => &self.udp,
        }
    }
}

/// No limit but the packet's length.
pub(super) const TCP: u16 = u16::MAX;

/// `UDP_MAX_SEGMENTS` of `include/linux/udp.h`.
pub(super) const UDP: u16 = 128;

/// The same in older kernels.
const UDP_BEFORE_6_9: u16 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lowers_the_limit_step_by_step_and_for_its_transport_alone() {
        let limits = Limits::new(TCP, UDP);
        limits.refuse(SegmentKind::Udp, 100);
        assert_eq!(limits.segments(SegmentKind::Udp), 64);
        limits.refuse(SegmentKind::Udp, 100);
        assert_eq!(limits.segments(SegmentKind::Udp), 64, "a packet over the limit says nothing new");
        limits.refuse(SegmentKind::Udp, 64);
        assert_eq!(limits.segments(SegmentKind::Udp), 1);
        assert_eq!(limits.segments(SegmentKind::TcpV4), TCP);
        limits.refuse(SegmentKind::TcpV6, 2);
        assert_eq!(limits.segments(SegmentKind::TcpV4), 1);
    }
}

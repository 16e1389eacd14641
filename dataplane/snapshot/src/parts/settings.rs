//! Knobs.

/// Knobs that the engine reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seconds of idle time for established TCP (SG-20).
    pub tcp_established: u32,
    /// Seconds of idle time for a UDP stream (SG-20).
    pub udp_stream: u32,
    /// Seconds of idle time for one UDP exchange (SG-20).
    pub udp_timeout: u32,
    /// Seconds of idle time for ICMP (SG-22).
    pub icmp: u32,
    /// Whether an ICMP error about a narrowly tracked flow passes with it (MT-09).
    pub related_icmp: RelatedIcmp,
    /// Whether every allowed flow is tracked (GAP-12).
    pub track_all: bool,
    /// Seconds of idle time for a connection through a NAT gateway (NG-10, NG-11).
    pub nat_idle_timeout: u32,
    /// Seconds between two flushes of the counter blocks: the greatest common divisor of all flow-log windows.
    pub tap_interval: u32,
}

/// See [`Settings::related_icmp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelatedIcmp {
    /// It passes with the flow.
    Accept,
    /// It needs a rule of its own.
    Reject,
}

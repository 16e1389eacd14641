//! Every capacity and timeout of the engine, each with its reason.

use std::time::Duration;

/// A TCP connection that was seen in one direction only (SG-22: AWS publishes none; Linux gives a SYN 60 s or more).
pub(crate) const TCP_OPENING: Duration = Duration::from_secs(60);

/// Both sides sent FIN but one FIN is not acknowledged yet (SG-22); longer than any sane retransmission of a FIN.
pub(crate) const TCP_CLOSING: Duration = Duration::from_secs(60);

/// How long a closed connection is remembered, so that late packets are refused and not taken for a new flow (SG-22, SG-23).
pub(crate) const TCP_CLOSED: Duration = Duration::from_secs(10);

/// Protocols without ports or identifiers (SG-21).
pub(crate) const OTHER_PROTOCOL: Duration = Duration::from_secs(600);

/// An untracked half has no state to lose: after this idle time its cached decision and counters are let go.
pub(crate) const UNTRACKED_IDLE: Duration = Duration::from_secs(60);

/// A cached refusal that no packet has hit for this long.
pub(crate) const REFUSAL_IDLE: Duration = Duration::from_secs(10);

/// The farthest a timer is armed ahead; later deadlines are looked at again then. Below the wheel's horizon of 1,024 s.
pub(crate) const TIMER_PARK: Duration = Duration::from_secs(600);

/// Timers handled per call of `handle_timeout`: at some 100 ns each, far less than one batch of packets.
pub(crate) const TIMER_SLICE: usize = 256;

/// Halves looked at per call of `handle_timeout` at the end of a tap interval, to flush their counter blocks.
pub(crate) const FLUSH_SLICE: usize = 1024;

/// Packets whose flows are looked up together: several times the cache misses that a core keeps under way, and few enough
/// that what the first one touched is still in the first-level cache when its turn comes.
pub const BATCH: usize = 64;

/// Refusals remembered beside the sessions, so that a flood of refused packets does not walk the rules each time.
pub(crate) const REFUSALS: usize = 65_536;

/// Datagrams whose first fragment is remembered, per worker.
pub(crate) const FRAGMENT_DATAGRAMS: usize = 4_096;

/// Fragments that wait for their first one, per worker (MT-11).
pub const FRAGMENTS_WAITING: usize = 64;

/// How long a fragment waits for its first one (MT-11).
pub(crate) const FRAGMENT_WAIT: Duration = Duration::from_secs(1);

/// How long a first fragment is remembered: Linux gives reassembly 30 s, so nothing later is of use.
pub(crate) const FRAGMENT_MEMORY: Duration = Duration::from_secs(30);

/// ICMP errors and resets that all workers together send to one interface, or one host, in a second.
pub(crate) const ANSWERS_PER_SECOND: u32 = 100;

/// Dropped packets remembered for `drops` and `explain --last-drop`, per worker.
pub(crate) const DROPS_REMEMBERED: usize = 1_024;

/// Bytes that an IPv6 header has more than an IPv4 header without options (RFC 791 section 3.1, RFC 8200 section 3).
pub(crate) const NAT64_GROWTH: i64 = 20;

/// Connections of one address of a NAT gateway to one destination, port and protocol, of all workers together (NG-06).
pub const NAT_CONNECTIONS: u32 = 55_000;

/// How long the translation of a closed connection is kept, so that its port is not used again at once (NG-30).
pub(crate) const NAT_CLOSED: Duration = Duration::from_secs(10);

/// No path of a VPC carries larger packets (MT-01).
pub(crate) const MAX_MTU: u16 = 9001;

//! Knobs.

use model::lab::{RelatedIcmp, Settings, Tracking};
use snapshot::spec::{FlowLogSpec, Shared};

/// Seconds between two flushes where no flow log asks for any.
const DEFAULT_TAP_INTERVAL: u32 = 60;

pub(crate) fn settings(settings: &Settings, flow_logs: &[Shared<FlowLogSpec>]) -> snapshot::Settings {
    snapshot::Settings {
        tcp_established: settings.tcp_established,
        udp_stream: settings.udp_stream,
        udp_timeout: settings.udp_timeout,
        icmp: settings.icmp,
        nat_idle_timeout: settings.nat_idle_timeout,
        related_icmp: match settings.related_icmp {
            RelatedIcmp::Accept => snapshot::RelatedIcmp::Accept,
            RelatedIcmp::Reject => snapshot::RelatedIcmp::Reject,
        },
        track_all: settings.tracking == Tracking::All,
        tap_interval: tap_interval(flow_logs),
    }
}

/// The longest interval whose multiples include the end of every window.
fn tap_interval(flow_logs: &[Shared<FlowLogSpec>]) -> u32 {
    flow_logs.iter().map(|log| log.interval).reduce(gcd).unwrap_or(DEFAULT_TAP_INTERVAL)
}

/// Euclid's greatest common divisor.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

//! Knobs: defaults and ranges.

use std::ops::RangeInclusive;

use crate::draft::{self, Field};
use crate::findings::{Code, Finding, Findings};
use crate::lab::{FlowLogInterval, Nitro, RelatedIcmp, Settings, Tracking};
use crate::spot::At;

/// What AWS does unless told otherwise (SG-20, SG-22, MT-09, NG-10, FL-12), and a flow table of a million sessions.
const DEFAULTS: Settings = Settings {
    tcp_established: 432_000,
    udp_stream: 180,
    udp_timeout: 30,
    icmp: 30,
    related_icmp: RelatedIcmp::Accept,
    tracking: Tracking::Aws,
    nat_idle_timeout: 350,
    sessions: 1_000_000,
    flow_log_interval: FlowLogInterval::Aws,
    nitro: Nitro::On,
};

/// Sessions that the flow table may be made for.
const SESSIONS: RangeInclusive<u32> = 64..=100_000_000;

/// Fills in the defaults.
pub(super) fn check(draft: &Field<draft::Settings>, found: &mut Findings) -> Settings {
    let mut settings = DEFAULTS;
    let Some(draft) = draft.get() else { return settings };
    if let Some(sg) = draft.sg.get() {
        groups(sg, &mut settings, found);
    }
    if let Some(nat) = draft.nat.get() {
        set(&nat.idle_timeout, "idle_timeout", 1..=86_400, &mut settings.nat_idle_timeout, found);
    }
    if let Some(limits) = draft.limits.get() {
        set(&limits.sessions, "sessions", SESSIONS, &mut settings.sessions, found);
    }
    if let Some(flow_logs) = draft.flow_logs.get() {
        if flow_logs.nitro.get().is_some_and(|n| !n.value) {
            settings.nitro = Nitro::Off;
        }
        if flow_logs.allow_any_interval.get().is_some_and(|a| a.value) {
            settings.flow_log_interval = FlowLogInterval::Any;
        }
    }
    settings
}

fn groups(sg: &draft::GroupSettings, settings: &mut Settings, found: &mut Findings) {
    set(&sg.tcp_established, "tcp_established", 60..=432_000, &mut settings.tcp_established, found);
    set(&sg.udp_stream, "udp_stream", 60..=180, &mut settings.udp_stream, found);
    set(&sg.udp_timeout, "udp_timeout", 30..=60, &mut settings.udp_timeout, found);
    set(&sg.icmp, "icmp", 1..=600, &mut settings.icmp, found);
    if let Some(related) = sg.related_icmp.get() {
        settings.related_icmp = match related.value {
            draft::RelatedIcmp::Accept => RelatedIcmp::Accept,
            draft::RelatedIcmp::Reject => RelatedIcmp::Reject,
        };
    }
    if sg.track_all.get().is_some_and(|t| t.value) {
        settings.tracking = Tracking::All;
    }
}

fn set(field: &Field<At<u64>>, name: &str, range: RangeInclusive<u32>, knob: &mut u32, found: &mut Findings) {
    let Some(written) = field.get() else { return };
    match u32::try_from(written.value) {
        Ok(value) if range.contains(&value) => *knob = value,
        _ => {
            let message = format!("{name} is {} to {}, not {}", range.start(), range.end(), written.value);
            found.push(Finding::new(Code::OutOfRange, written.spot, message));
        }
    }
}

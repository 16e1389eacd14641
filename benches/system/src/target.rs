//! Which ratios must be reached, and which are aimed at.
//!
//! The figures were set before anything was built, and before `connections` was sent by programs that wait for events (docs/bench.md).
//! Connections over the relay were added later: they say how much of the distance to the kernel's router is the devices', and how
//! much is ours (docs/performance.md).

use crate::load::Load;
use crate::system::{Relay, System};

/// A ratio of two figures of one load, and what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// What is sent.
    pub load: Load,
    /// What is divided.
    pub system: System,
    /// By what.
    pub over: System,
    /// What must be reached.
    pub must: f64,
    /// What is aimed at.
    pub aim: f64,
    /// What counts as reached.
    pub rule: Rule,
}

/// What counts as reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The median of the ratios is as good.
    Median,
    /// The median is as good, or no difference can be told: one lies in the interval.
    MedianOrNoDifference,
}

/// All targets of a load.
#[must_use]
pub fn targets(load: Load) -> Vec<Target> {
    let target =
        |over, must, aim| Target { load, system: System::Vpclab, over, must, aim, rule: Rule::Median };
    // A throughput against what the kernel's TUN can carry at all.
    let carried = || target(System::Relay(Relay::baseline(load)), 0.90, 0.97);
    let kernel = |must, aim| target(System::Kernel, must, aim);
    match load {
        Load::Tcp1 => vec![carried(), kernel(0.80, 0.87), unlogged(load)],
        Load::Tcp4 => vec![carried(), kernel(0.54, 0.60)],
        Load::Udp64 => vec![carried(), kernel(2.2, 2.4), unlogged(load)],
        Load::Udp1400 => vec![carried()],
        Load::UdpGso => vec![carried(), kernel(0.72, 0.80)],
        Load::Rtt => vec![kernel(2.0, 1.3)],
        Load::Connections => vec![carried(), kernel(0.8, 1.2)],
        Load::ConnectionsBlocking
        | Load::Imix
        | Load::LossFree64
        | Load::LossFree1400
        | Load::RttIdle
        | Load::RttLoaded
        | Load::Idle => Vec::new(),
    }
}

/// What turning flow logs on may cost.
const fn unlogged(load: Load) -> Target {
    Target {
        load,
        system: System::Vpclab,
        over: System::VpclabUnlogged,
        must: 0.97,
        aim: 0.99,
        rule: Rule::MedianOrNoDifference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loads_of_the_default_form_are_those_with_a_target() {
        let has_target = |load: &Load| !targets(*load).is_empty();
        assert_eq!(Load::ALL.into_iter().filter(has_target).collect::<Vec<_>>(), Load::WITH_TARGETS);
    }
}

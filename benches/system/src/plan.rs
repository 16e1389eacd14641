//! How often, how long, in which order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::load::Load;
use crate::placement::{self, Placement};
use crate::system::System;
use crate::target;

/// How much is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// What the targets need, in enough rounds to judge them.
    #[default]
    Default,
    /// Every load on every system that works here, and the matrix: hours.
    Full,
    /// The same figures as the default from fewer rounds: to see that it works, not to quote.
    Quick,
}

impl Form {
    /// Its word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Full => "full",
            Self::Quick => "quick",
        }
    }

    /// What is measured.
    #[must_use]
    pub const fn loads(self) -> &'static [Load] {
        match self {
            Self::Default | Self::Quick => &Load::WITH_TARGETS,
            Self::Full => &Load::ALL,
        }
    }

    /// How many rounds. 21 leave an interval from the 7th to the 15th value; fewer than 15 are not worth a verdict.
    #[must_use]
    pub const fn rounds(self) -> usize {
        match self {
            Self::Default | Self::Full => 21,
            Self::Quick => 5,
        }
    }
}

/// What is wanted of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How much is run.
    pub form: Form,
    /// How often every figure is taken.
    pub rounds: usize,
    /// How long traffic is counted for one figure, in seconds. Many short rounds see the same drift on both sides of a ratio.
    pub seconds: u32,
    /// What is measured.
    pub loads: Vec<Load>,
    /// What a full run measures besides: see [`System::others`].
    pub others: Vec<System>,
    /// Whether vpclab is measured at every combination of rules, flows, interfaces and hops too.
    pub matrix: bool,
    /// Where both ends of every load run; where [`Placement::usual`] says if absent. Those of the matrix are free in any case.
    pub placement: Option<Placement>,
    /// `--workers` of vpclab; its own choice if absent.
    pub workers: Option<u16>,
    /// `--io` of vpclab.
    pub io: String,
    /// Keeps every figure as soon as it is taken, and goes on from what it holds.
    pub journal: Option<PathBuf>,
}

/// One figure to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) round: usize,
    pub(crate) load: Load,
    pub(crate) system: System,
}

impl Plan {
    /// The systems a load is measured on: those that its targets name, vpclab and the kernel if it has none, and in the full
    /// form all.
    #[must_use]
    pub fn systems(&self, load: Load) -> Vec<System> {
        let targets = target::targets(load);
        let mut systems: Vec<System> =
            targets.iter().flat_map(|target| [target.system, target.over]).collect();
        if targets.is_empty() {
            systems.extend([System::Vpclab, System::Kernel]);
        }
        if self.form == Form::Full {
            systems.extend(&self.others);
        }
        // The kernel's router is nobody's process.
        systems.retain(|system| (load, *system) != (Load::Idle, System::Kernel));
        systems.sort_unstable();
        systems.dedup();
        systems
    }

    /// Where the two ends of a load run.
    #[must_use]
    pub fn placement(&self, load: Load, system: System) -> Placement {
        // Nothing is sent, so that there are no ends.
        if load == Load::Idle {
            return Placement::Free;
        }
        self.placement.unwrap_or_else(|| Placement::usual(load, system, placement::usable_count()))
    }

    /// All systems that any load needs.
    #[must_use]
    pub fn all_systems(&self) -> Vec<System> {
        let mut systems: Vec<System> = self.loads.iter().flat_map(|load| self.systems(*load)).collect();
        systems.sort_unstable();
        systems.dedup();
        systems
    }

    /// All figures in the order in which they are taken. The systems of one load follow each other directly, and another one is
    /// the first in each round, so that a machine that gets slower does not favour one of them.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let rounds = (0..self.rounds).flat_map(|round| self.loads.iter().map(move |load| (round, *load)));
        rounds.flat_map(|(round, load)| self.in_turn(round, load)).collect()
    }

    fn in_turn(&self, round: usize, load: Load) -> Vec<Cell> {
        let mut systems = self.systems(load);
        let first = round % systems.len().max(1);
        systems.rotate_left(first);
        systems.into_iter().map(|system| Cell { round, load, system }).collect()
    }
}

#[cfg(test)]
impl Plan {
    /// A quick run of one second for each figure.
    pub(crate) fn sample(loads: &[Load], rounds: usize) -> Self {
        Self {
            form: Form::Quick,
            rounds,
            seconds: 1,
            loads: loads.to_vec(),
            others: Vec::new(),
            matrix: false,
            placement: None,
            workers: Some(1),
            io: "epoll".to_owned(),
            journal: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Relay;

    fn plan(loads: &[Load], rounds: usize) -> Plan {
        Plan { others: vec![System::Ovs], ..Plan::sample(loads, rounds) }
    }

    #[test]
    fn the_systems_of_a_load_are_those_its_targets_name() {
        let relay = System::Relay(Relay::Joined);
        assert_eq!(plan(&[], 1).systems(Load::Udp1400), [System::Vpclab, relay]);
        assert_eq!(plan(&[], 1).systems(Load::Rtt), [System::Vpclab, System::Kernel]);
        assert_eq!(
            plan(&[Load::Rtt, Load::Udp1400], 1).all_systems(),
            [System::Vpclab, System::Kernel, relay]
        );
    }

    #[test]
    fn a_full_run_has_the_others_too() {
        let full = Plan { form: Form::Full, ..plan(&[], 1) };
        assert_eq!(full.systems(Load::Rtt), [System::Vpclab, System::Kernel, System::Ovs]);
        assert_eq!(full.systems(Load::Idle), [System::Vpclab, System::Ovs]);
        assert_eq!(plan(&[], 1).systems(Load::Imix), [System::Vpclab, System::Kernel]);
    }

    #[test]
    fn systems_take_turns_in_being_first_and_stay_together() {
        let cells = plan(&[Load::Rtt, Load::RttIdle], 2).cells();
        let order: Vec<_> = cells.iter().map(|cell| (cell.round, cell.load, cell.system)).collect();
        let (vpclab, kernel) = (System::Vpclab, System::Kernel);
        assert_eq!(
            order,
            [
                (0, Load::Rtt, vpclab),
                (0, Load::Rtt, kernel),
                (0, Load::RttIdle, vpclab),
                (0, Load::RttIdle, kernel),
                (1, Load::Rtt, kernel),
                (1, Load::Rtt, vpclab),
                (1, Load::RttIdle, kernel),
                (1, Load::RttIdle, vpclab),
            ]
        );
    }

    #[test]
    fn a_placement_that_is_asked_for_is_that_of_every_load_with_ends() {
        let asked = Plan { placement: Some(Placement::Together), ..plan(&[], 1) };
        assert_eq!(asked.placement(Load::Tcp1, System::Kernel), Placement::Together);
        assert_eq!(asked.placement(Load::Idle, System::Vpclab), Placement::Free);
        let usual = Placement::usual(Load::Udp64, System::Vpclab, placement::usable_count());
        assert_eq!(plan(&[], 1).placement(Load::Udp64, System::Vpclab), usual);
    }

    #[test]
    fn the_default_form_has_enough_rounds_for_a_verdict() {
        assert!(Form::Default.rounds() >= 15);
    }
}

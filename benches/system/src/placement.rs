//! Which processors the programs at the two ends of a load run on.
//!
//! A flood of datagrams through user space keeps three threads busy: sender, forwarder, receiver. On two processors the scheduler
//! puts the receiver beside one of the others for the whole of a figure, and the median says how often it was which. With
//! connections, it puts an end beside the forwarder, which is the busiest of all. So both ends are pinned where that was found to be
//! faster. docs/bench.md has what was measured.

use std::fmt;
use std::str::FromStr;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::load::Load;
use crate::system::{Relay, System};

/// Where the two ends run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// The left end on the first processor, the right one on the last.
    Apart,
    /// Wherever the scheduler puts them.
    Free,
    /// Both on the first processor.
    Together,
}

impl Placement {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Apart, Self::Free, Self::Together];

    /// The one of a load on a system where this program may use so many processors, unless another one is asked for.
    #[must_use]
    pub const fn usual(load: Load, system: System, processors: usize) -> Self {
        // Figures before and after a change here cannot be compared: it raises `load::MEANING`.
        if processors != 2 {
            return Self::Free;
        }
        match load {
            Load::Udp64 | Load::Udp1400 => Self::of_flood(system),
            Load::Connections => Self::of_connections(system),
            Load::Tcp1
            | Load::Tcp4
            | Load::UdpGso
            | Load::Rtt
            | Load::ConnectionsBlocking
            | Load::Imix
            | Load::LossFree64
            | Load::LossFree1400
            | Load::RttIdle
            | Load::RttLoaded
            | Load::Idle => Self::Free,
        }
    }

    /// Apart, Open vSwitch and the relay that writes each datagram by itself are slower; the kernel's router runs in its ends.
    const fn of_flood(system: System) -> Self {
        match system {
            System::Vpclab
            | System::VpclabUnlogged
            | System::Relay(Relay::Joined | Relay::Spin | Relay::Uring) => Self::Apart,
            System::Kernel | System::Ovs | System::Relay(Relay::Single) => Self::Free,
        }
    }

    /// Together, they leave a processor that whoever forwards can have. The kernel's router runs where they do; Open
    /// vSwitch gains nothing.
    const fn of_connections(system: System) -> Self {
        match system {
            System::Vpclab | System::VpclabUnlogged | System::Relay(_) => Self::Together,
            System::Kernel | System::Ovs => Self::Free,
        }
    }

    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Free => "free",
            Self::Together => "together",
        }
    }

    /// The processors of the left and of the right end, among those that this program may use.
    ///
    /// # Errors
    ///
    /// When the kernel does not say which these are.
    pub(crate) fn processors(self) -> Result<[Option<usize>; 2], Error> {
        let ends = || -> Result<_, Error> {
            let usable = usable()?;
            Ok((usable.first().copied(), usable.last().copied()))
        };
        match self {
            Self::Apart => ends().map(|(first, last)| [first, last]),
            Self::Free => Ok([None, None]),
            Self::Together => ends().map(|(first, _)| [first, first]),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Placement {
    type Err = UnknownPlacement;

    fn from_str(name: &str) -> Result<Self, UnknownPlacement> {
        let found = Self::ALL.into_iter().find(|placement| placement.name() == name);
        found.ok_or_else(|| UnknownPlacement(name.to_owned()))
    }
}

/// No placement has that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no placement {0:?}; there are {names}", names = Placement::ALL.map(Placement::name).join(", "))]
pub struct UnknownPlacement(String);

/// The processors that this program may use, in ascending order.
///
/// # Errors
///
/// When the kernel does not say which these are.
fn usable() -> Result<Vec<usize>, Error> {
    let allowed = allowed()?;
    Ok((0..CpuSet::count()).filter(|number| allowed.is_set(*number).unwrap_or(false)).collect())
}

/// How many these are; none where the kernel does not say.
pub(crate) fn usable_count() -> usize {
    usable().map_or(0, |usable| usable.len())
}

/// Runs `start` on a processor, where a program that it starts stays.
///
/// # Errors
///
/// When this program may not use that processor.
pub(crate) fn on<T>(processor: Option<usize>, start: impl FnOnce() -> T) -> Result<T, Error> {
    let Some(processor) = processor else { return Ok(start()) };
    let before = allowed()?;
    let mut only = CpuSet::new();
    only.set(processor).map_err(failed)?;
    allow(&only)?;
    let started = start();
    allow(&before)?;
    Ok(started)
}

fn allowed() -> Result<CpuSet, Error> {
    sched_getaffinity(THIS_THREAD).map_err(failed)
}

fn allow(processors: &CpuSet) -> Result<(), Error> {
    sched_setaffinity(THIS_THREAD, processors).map_err(failed)
}

fn failed(errno: nix::Error) -> Error {
    Error::machine("place programs on processors")(errno.into())
}

/// What the kernel takes for whoever asks (`sched_setaffinity(2)`).
const THIS_THREAD: Pid = Pid::from_raw(0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Program, command};

    #[test]
    fn a_program_stays_where_it_was_started_and_its_starter_is_free_again() {
        let here =
            || Program::run(command("grep", &["Cpus_allowed_list", "/proc/self/status"])).expect("it runs");
        let before = here();
        let [_, last] = Placement::Apart.processors().expect("they are known");
        let last = last.expect("there is one");
        let there = on(Some(last), here).expect("it may run there");
        assert_eq!(there.trim(), format!("Cpus_allowed_list:\t{last}"));
        assert_eq!(here(), before);
        assert_eq!(on(None, here).expect("anywhere"), before);
    }

    #[test]
    fn a_processor_that_is_not_there_is_refused() {
        assert!(on(Some(CpuSet::count() - 1), || ()).is_err());
        assert!(on(Some(CpuSet::count()), || ()).is_err());
    }

    fn placed(placement: Placement, system: System, processors: usize) -> Vec<Load> {
        let is_there = |load: &Load| Placement::usual(*load, system, processors) == placement;
        Load::ALL.into_iter().filter(is_there).collect()
    }

    #[test]
    fn floods_of_datagrams_have_their_ends_apart_where_that_is_faster() {
        let apart = |system, processors| placed(Placement::Apart, system, processors);
        let floods = [Load::Udp64, Load::Udp1400];
        assert_eq!(
            (apart(System::Vpclab, 2), apart(System::VpclabUnlogged, 2)),
            (floods.into(), floods.into())
        );
        assert_eq!(apart(System::Relay(Relay::Joined), 2), floods);
        for system in [System::Kernel, System::Ovs, System::Relay(Relay::Single)] {
            assert_eq!(apart(system, 2), [], "{system}");
        }
        assert_eq!((apart(System::Vpclab, 1), apart(System::Vpclab, 4)), (vec![], vec![]));
    }

    #[test]
    fn connections_have_their_ends_together_where_somebody_else_forwards() {
        let together = |system| placed(Placement::Together, system, 2);
        for system in [
            System::Vpclab,
            System::VpclabUnlogged,
            System::Relay(Relay::Joined),
            System::Relay(Relay::Single),
        ] {
            assert_eq!(together(system), [Load::Connections], "{system}");
        }
        assert_eq!((together(System::Kernel), together(System::Ovs)), (vec![], vec![]));
        assert_eq!(placed(Placement::Together, System::Vpclab, 4), []);
        assert_eq!(placed(Placement::Together, System::Vpclab, 1), []);
    }

    #[test]
    fn a_placement_has_one_name() {
        for placement in Placement::ALL {
            assert_eq!(placement.name().parse::<Placement>().expect("known"), placement);
            assert_eq!(serde_json::to_value(placement).expect("a word"), placement.name());
        }
        let unknown = "beside".parse::<Placement>().expect_err("unknown").to_string();
        assert!(unknown.contains("apart, free, together"), "{unknown}");
    }
}

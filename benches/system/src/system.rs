//! What is measured.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::load::Load;

/// Something that carries packets from the left host to the right one and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// This program, with the full policy: groups at both ends, ACLs of both subnets, route tables, flow logs.
    Vpclab,
    /// The same without flow logs.
    VpclabUnlogged,
    /// A router namespace between two veth pairs, with the equivalent nftables rules.
    Kernel,
    /// Open vSwitch with its datapath in user space and connection tracking: the other switch of this kind.
    Ovs,
    /// A loop that copies packets between two TUN devices and looks at none.
    Relay(Relay),
}

/// A way to copy packets between two TUN devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relay {
    /// Sleeps in epoll until a device has packets; neighbours of one flow leave as one super-packet.
    Joined,
    /// Sleeps in epoll; every packet leaves alone, as it came.
    Single,
    /// As joined, but goes on looking for two milliseconds before it sleeps.
    Spin,
    /// As joined, with `io_uring`.
    Uring,
}

impl Relay {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Joined, Self::Single, Self::Spin, Self::Uring];

    /// Whether it can run here.
    #[must_use]
    pub fn works(self) -> bool {
        match self {
            Self::Joined | Self::Single | Self::Spin => true,
            Self::Uring => io::BackendKind::Uring.resolve().is_ok(),
        }
    }

    /// The variant that a load is compared with, fixed beforehand: the best one of those measured on the development machine.
    #[must_use]
    pub const fn baseline(load: Load) -> Self {
        match load {
            Load::Rtt | Load::RttIdle | Load::RttLoaded => Self::Spin,
            Load::Tcp1
            | Load::Tcp4
            | Load::Udp64
            | Load::Udp1400
            | Load::UdpGso
            | Load::Imix
            | Load::LossFree64
            | Load::LossFree1400
            | Load::Idle
            | Load::Connections
            | Load::ConnectionsBlocking => Self::Joined,
        }
    }
}

impl System {
    /// Its name in reports and in the names of its namespaces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vpclab => "vpclab",
            Self::VpclabUnlogged => "vpclab-unlogged",
            Self::Kernel => "kernel",
            Self::Ovs => "ovs",
            Self::Relay(Relay::Joined) => "relay-joined",
            Self::Relay(Relay::Single) => "relay-single",
            Self::Relay(Relay::Spin) => "relay-spin",
            Self::Relay(Relay::Uring) => "relay-uring",
        }
    }

    /// All that a full run measures and that works here.
    #[must_use]
    pub fn others() -> Vec<Self> {
        let relays = Relay::ALL.into_iter().filter(|relay| relay.works()).map(Self::Relay);
        let ovs = crate::site::ovs_is_installed().then_some(Self::Ovs);
        [Self::Vpclab, Self::Kernel].into_iter().chain(relays).chain(ovs).collect()
    }

    /// Whether others are measured by it: its spread says how much a run is worth.
    #[must_use]
    pub const fn is_baseline(self) -> bool {
        match self {
            Self::Kernel | Self::Relay(_) => true,
            Self::Ovs | Self::Vpclab | Self::VpclabUnlogged => false,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for System {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

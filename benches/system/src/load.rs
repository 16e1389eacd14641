//! What is measured.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One more whenever figures of a load can no longer be compared with those before: what is sent, by whom, for how long, or where
/// its ends usually run has changed. A run does not go on from a journal with another one.
///
/// 2: `connections` waits for events, and both its ends run together where two processors are all there are.
pub(crate) const MEANING: u32 = 2;

/// One way of sending traffic from the left host to the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// `iperf3`, one TCP stream.
    #[serde(rename = "tcp-1")]
    Tcp1,
    /// `iperf3`, four TCP streams.
    #[serde(rename = "tcp-4")]
    Tcp4,
    /// UDP datagrams of 64 bytes, one system call for 64 of them, counted where a socket receives them.
    #[serde(rename = "udp-64")]
    Udp64,
    /// The same with 1,400 bytes.
    #[serde(rename = "udp-1400")]
    Udp1400,
    /// UDP with segmentation offload: 40 datagrams of 1,400 bytes in each message, received with receive offload.
    UdpGso,
    /// ICMP echo, the next one as soon as the answer is there, as `ping -f` does.
    Rtt,
    /// TCP connections: connect, one byte, close. 64 at a time, in threads that wait for events.
    Connections,
    /// The same, 8 at a time, each in a thread that waits in every call.
    ConnectionsBlocking,
    /// UDP datagrams in IP packets of 64, 594 and 1,518 bytes, seven to four to one.
    Imix,
    /// The highest rate at which no datagram of 64 bytes is lost, by halving (RFC 2544 section 26.1).
    #[serde(rename = "loss-free-64")]
    LossFree64,
    /// The same with 1,400 bytes.
    #[serde(rename = "loss-free-1400")]
    LossFree1400,
    /// ICMP echo, one every ten milliseconds: everything has gone to sleep in between.
    RttIdle,
    /// ICMP echo as in `rtt`, beside 20,000 datagrams of 64 bytes a second.
    RttLoaded,
    /// Nothing: processor time of whoever carries packets.
    Idle,
}

impl Load {
    /// Those that have targets, in the order in which they are reported.
    pub const WITH_TARGETS: [Self; 7] =
        [Self::Tcp1, Self::Tcp4, Self::Udp64, Self::Udp1400, Self::UdpGso, Self::Rtt, Self::Connections];

    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 14] = [
        Self::Tcp1,
        Self::Tcp4,
        Self::Udp64,
        Self::Udp1400,
        Self::UdpGso,
        Self::Rtt,
        Self::Connections,
        Self::ConnectionsBlocking,
        Self::Imix,
        Self::LossFree64,
        Self::LossFree1400,
        Self::RttIdle,
        Self::RttLoaded,
        Self::Idle,
    ];

    /// Its name on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp1 => "tcp-1",
            Self::Tcp4 => "tcp-4",
            Self::Udp64 => "udp-64",
            Self::Udp1400 => "udp-1400",
            Self::UdpGso => "udp-gso",
            Self::Rtt => "rtt",
            Self::Connections => "connections",
            Self::ConnectionsBlocking => "connections-blocking",
            Self::Imix => "imix",
            Self::LossFree64 => "loss-free-64",
            Self::LossFree1400 => "loss-free-1400",
            Self::RttIdle => "rtt-idle",
            Self::RttLoaded => "rtt-loaded",
            Self::Idle => "idle",
        }
    }

    /// The unit of its figure.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Tcp1 | Self::Tcp4 | Self::UdpGso => "Gbit/s",
            Self::Udp64 | Self::Udp1400 | Self::Imix | Self::LossFree64 | Self::LossFree1400 => "kpps",
            Self::Rtt | Self::RttIdle | Self::RttLoaded => "us",
            Self::Connections | Self::ConnectionsBlocking => "1/s",
            Self::Idle => "%",
        }
    }

    /// Which figure is the better one.
    #[must_use]
    pub const fn better(self) -> Better {
        match self {
            Self::Rtt | Self::RttIdle | Self::RttLoaded | Self::Idle => Better::Lower,
            Self::Tcp1
            | Self::Tcp4
            | Self::Udp64
            | Self::Udp1400
            | Self::UdpGso
            | Self::Imix
            | Self::LossFree64
            | Self::LossFree1400
            | Self::Connections
            | Self::ConnectionsBlocking => Better::Higher,
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Load {
    type Err = UnknownLoad;

    fn from_str(name: &str) -> Result<Self, UnknownLoad> {
        Self::ALL.into_iter().find(|load| load.name() == name).ok_or_else(|| UnknownLoad(name.to_owned()))
    }
}

/// No load has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no load {0:?}; there are {names}", names = Load::ALL.map(Load::name).join(", "))]
pub struct UnknownLoad(String);

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// As for throughput.
    Higher,
    /// As for latency.
    Lower,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_found_by_the_name_that_json_carries() {
        for load in Load::ALL {
            assert_eq!(load.name().parse(), Ok(load));
            assert_eq!(serde_json::to_value(load).expect("serializes"), load.name());
        }
    }

    #[test]
    fn an_unknown_load_is_refused_with_those_there_are() {
        let refused = "udp".parse::<Load>().expect_err("no such load").to_string();
        assert!(refused.contains("\"udp\"") && refused.contains("tcp-1, tcp-4, udp-64"), "{refused}");
    }
}

//! What a scenario file may say. `scenarios/README.md` says what it means.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// A scenario file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// What it shows, in a sentence or two.
    pub(super) about: String,
    /// The rules that it is a test of.
    pub(super) rules: Vec<String>,
    /// The lab, in place.
    pub(super) lab: Option<String>,
    /// The lab, as a file.
    pub(super) lab_file: Option<String>,
    /// What happens.
    pub(super) steps: Vec<Step>,
}

/// One thing that happens, or is looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Apply(Again),
    Connect(Connect),
    Counters(Counters),
    Edit(OneOrMany<Edit>),
    Flows(Vec<Flow>),
    Ping(Ping),
    Records(Vec<BTreeMap<String, Scalar>>),
    Send(Box<Send>),
    /// Seconds.
    Wait(f64),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Again {
    Again,
}

/// One value or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    pub(super) const fn all(&self) -> &[T] {
        match self {
            Self::Many(many) => many.as_slice(),
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

/// A number or a word.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Number(u64),
    Word(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// A packet and its fate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Send {
    #[serde(rename = "as")]
    pub(super) name: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) source: Option<String>,
    pub(super) again: Option<String>,
    pub(super) reply_to: Option<String>,
    pub(super) error_about: Option<String>,
    pub(super) forward: Option<String>,
    pub(super) tcp: Option<u16>,
    pub(super) udp: Option<u16>,
    pub(super) icmp: Option<Icmp>,
    pub(super) protocol: Option<u8>,
    pub(super) source_port: Option<u16>,
    pub(super) id: Option<u16>,
    pub(super) flags: Option<Vec<String>>,
    pub(super) seq: Option<u32>,
    pub(super) ack: Option<u32>,
    pub(super) size: Option<usize>,
    pub(super) df: Option<bool>,
    pub(super) ttl: Option<u8>,
    pub(super) mss: Option<u16>,
    pub(super) ipv6: Option<bool>,
    pub(super) fragments: Option<Fragments>,
    pub(super) cut: Option<usize>,
    pub(super) count: Option<usize>,
    pub(super) expect: Option<OneOrMany<String>>,
    pub(super) received_by: Option<String>,
    pub(super) arrives: Option<Arrived>,
    pub(super) pieces: Option<usize>,
    pub(super) told: Option<Told>,
    pub(super) by: Option<OneOrMany<String>>,
    pub(super) records: Option<Vec<String>>,
    pub(super) released: Option<Vec<String>>,
}

/// An ICMP message.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Icmp {
    /// Type and code.
    Kind(u8, u8),
    /// `echo`, `echo-reply` or `timestamp`.
    Word(String),
}

/// A packet cut by hand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fragments {
    pub(super) id: u32,
    /// First byte and end of each part in what follows the IP header, in the order of sending.
    pub(super) pieces: Vec<(usize, usize)>,
}

/// How a packet looks where it arrives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arrived {
    /// `ADDRESS` or `ADDRESS:PORT`, IPv6 with a port as `[ADDRESS]:PORT`.
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) ttl: Option<u8>,
    pub(super) mss: Option<u16>,
    pub(super) size: Option<usize>,
}

/// The answer that the sender gets: an ICMP error or a reset.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Told {
    /// It arrives.
    Arrives(Arriving),
    /// `dropped CODE`.
    Refused(String),
}

/// An answer as it arrives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arriving {
    /// Type and code; none is a reset.
    pub(super) icmp: Option<(u8, u8)>,
    pub(super) from: String,
    pub(super) mtu: Option<u16>,
    /// Who gets it, if not the sender.
    pub(super) received_by: Option<String>,
}

/// Echo requests, and the replies of the other host.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ping {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) id: Option<u16>,
    pub(super) count: Option<usize>,
    pub(super) size: Option<usize>,
    pub(super) ipv6: bool,
    pub(super) expect: String,
}

/// A TCP handshake.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Connect {
    #[serde(rename = "as")]
    pub(super) name: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) tcp: u16,
    pub(super) source_port: Option<u16>,
    pub(super) ipv6: bool,
    pub(super) expect: String,
}

/// A change of the lab file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    /// Text that the lab file has exactly once.
    pub(super) replace: String,
    pub(super) with: String,
    /// `refused FINDING-CODE`; nothing if the new lab is in order.
    pub(super) expect: Option<String>,
}

/// What a live half of a session must look like.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flow {
    pub(super) from: String,
    pub(super) to: Option<String>,
    pub(super) state: Option<String>,
    pub(super) packets: Option<u64>,
    pub(super) bytes: Option<u64>,
    /// Seconds.
    pub(super) expires_in: Option<u64>,
}

/// What the engines have counted since the start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counters {
    pub(super) received: Option<u64>,
    pub(super) delivered: Option<u64>,
    pub(super) originated: Option<u64>,
    pub(super) fragments: Option<u64>,
    /// By code; reasons that are not named have counted nothing.
    pub(super) dropped: Option<BTreeMap<String, u64>>,
}

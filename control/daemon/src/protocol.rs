//! What the program and the daemon say to each other: one JSON value a line, one answer for each request.
//!
//! All rows carry names and ids as people read them; the daemon resolves indices. Lists are ordered.

mod nat_metrics;
mod peering;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use nat_metrics::NatMetrics;
pub use peering::{PeeringChange, PeeringRow, PeeringStep};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Check this lab file, and publish it if nothing is wrong with it.
    Apply {
        /// Where it came from, for findings.
        name: String,
        /// The whole text.
        text: String,
    },
    /// Counters and the accounting identity.
    Counters,
    /// The latest dropped packets, oldest first.
    Drops,
    /// Live halves of sessions.
    Flows {
        /// At most this many from each worker.
        limit: usize,
    },
    /// What was counted at NAT gateways.
    NatGateways,
    /// Ask something of a peering connection.
    Peering(PeeringChange),
    /// The lab file in force and what was changed since, to be explained from.
    Source,
    /// Instances with their interfaces and programs.
    Status,
    /// End the lab and the daemon.
    Stop,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// The lab was changed, or was the same already.
    Applied(Applied),
    /// See [`Request::Counters`].
    Counters(CounterRows),
    /// Done, with nothing to say.
    Done,
    /// See [`Request::Drops`].
    Drops(Vec<DropRow>),
    /// The request was understood and refused; nothing was changed.
    Failed {
        /// Printed as it is: for a lab file, all findings rendered with carets.
        message: String,
    },
    /// See [`Request::Flows`].
    Flows(Vec<FlowRow>),
    /// By `nat-` id, every gateway of the lab.
    NatGateways(BTreeMap<String, NatMetrics>),
    /// The connection as it is now.
    Peering(PeeringRow),
    /// See [`Request::Source`].
    Source {
        /// Path of the lab file as it was given.
        name: String,
        /// Its text.
        text: String,
        /// What was asked of peering connections since, in order.
        peerings: Vec<PeeringChange>,
    },
    /// See [`Request::Status`].
    Status(Status),
}

/// Outcome of an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The generation now in force.
    pub generation: u64,
    /// What was added, removed and changed, one line each.
    pub changes: Vec<String>,
    /// What is otherwise than the file says, one line each.
    pub notes: Vec<String>,
    /// Rendered warnings; empty when there are none.
    pub warnings: String,
}

/// Where all packets ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterRows {
    /// Read from devices.
    pub received: u64,
    /// Made by the data plane.
    pub originated: u64,
    /// Added by fragmentation.
    pub fragments: u64,
    /// Written to devices.
    pub delivered: u64,
    /// Answered by services.
    pub consumed: u64,
    /// Fragments that wait for their first one.
    pub held: u64,
    /// Of those received, how many were read by another worker than the one that owns them.
    pub strays: u64,
    /// Packets by drop reason code, zero counts left out.
    pub dropped: BTreeMap<String, u64>,
    /// `received + originated + fragments - delivered - consumed - held - dropped`: 0 but for packets under way.
    pub in_flight: i64,
    /// Packets that the kernel dropped because a device's queue was full, by `INSTANCE.DEVICE` or name of the host, zero
    /// counts left out; outside the sum.
    pub kernel_queue_full: BTreeMap<String, u64>,
}

/// One dropped packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropRow {
    /// Unix time in nanoseconds.
    pub at: u64,
    /// `INSTANCE.DEVICE` where it entered, or `internet`.
    pub from: String,
    /// Source address; empty when the headers could not be read.
    pub source: String,
    /// Destination address.
    pub destination: String,
    /// IANA protocol number.
    pub protocol: u8,
    /// Source port, or as in the data plane's tuple for ICMP.
    pub source_port: u16,
    /// Destination port, or as in the data plane's tuple for ICMP.
    pub destination_port: u16,
    /// IP length in bytes.
    pub length: u32,
    /// Drop reason code.
    pub reason: String,
    /// One sentence about the reason.
    pub sentence: String,
    /// `INSTANCE.DEVICE` and `egress` or `ingress` of the gate that refused, when one did.
    pub gate: Option<(String, String)>,
    /// Ids of what decided on the way.
    pub decided_by: Vec<String>,
}

/// One half of a live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRow {
    /// `INSTANCE.DEVICE` where its packets enter, or `internet`.
    pub from: String,
    /// `INSTANCE.DEVICE` or name of the host where they leave.
    pub to: Option<String>,
    /// Source address.
    pub source: String,
    /// Destination address.
    pub destination: String,
    /// IANA protocol number.
    pub protocol: u8,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// `established`, `untracked`, a drop reason code …
    pub state: String,
    /// Packets so far.
    pub packets: u64,
    /// Bytes so far.
    pub bytes: u64,
    /// Seconds until it expires if nothing more comes.
    pub expires_in: u64,
    /// Ids of what decided.
    pub decided_by: Vec<String>,
}

/// A running lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Lab name.
    pub lab: String,
    /// Daemon's process id.
    pub pid: u32,
    /// Worker threads.
    pub workers: u16,
    /// Backend in use.
    pub backend: String,
    /// Generation in force.
    pub generation: u64,
    /// Instances by name.
    pub instances: Vec<InstanceRow>,
    /// Hosts on the internet by name.
    pub hosts: Vec<HostRow>,
    /// Files that flow logs are written to, absolute, by flow-log id.
    pub flow_logs: BTreeMap<String, String>,
    /// What went wrong beside the packets since the start, latest last; bounded.
    pub trouble: Vec<String>,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Its name.
    pub name: String,
    /// `i-` id.
    pub id: String,
    /// Its VPC's name.
    pub vpc: String,
    /// Network namespace.
    pub namespace: String,
    /// Its interfaces.
    pub interfaces: Vec<InterfaceRow>,
    /// Its supervised programs.
    pub programs: Vec<ProgramRow>,
}

/// One host on the internet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRow {
    /// Its name.
    pub name: String,
    /// `host-` id.
    pub id: String,
    /// Network namespace.
    pub namespace: String,
    /// Its only device there.
    pub device: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// DNS names besides its own.
    pub names: Vec<String>,
    /// Its supervised programs.
    pub programs: Vec<ProgramRow>,
}

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceRow {
    /// `eth0` …
    pub device: String,
    /// `eni-` id.
    pub id: String,
    /// Subnet name.
    pub subnet: String,
    /// All addresses, primary first.
    pub addresses: Vec<String>,
    /// Names of its security groups.
    pub security_groups: Vec<String>,
    /// IP packet bytes.
    pub mtu: u16,
}

/// One supervised program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramRow {
    /// Its command line.
    pub command: String,
    /// Its process id while it runs.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Its log file.
    pub log: String,
}

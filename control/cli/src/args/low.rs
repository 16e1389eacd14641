//! What was typed. One declaration feeds the parser, the help and the errors; nothing here looks at a file.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Emulated AWS VPCs on this machine: security groups, network ACLs, route tables and flow logs on real packets
#[derive(Debug, Parser)]
#[command(name = "vpclab", version, max_term_width = 110)]
#[command(after_help = "Exit status: 0 done, 1 the answer is no, 2 wrong usage or the machine refused.")]
pub(crate) struct LowArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(Up),
    Apply(Apply),
    Down(Down),
    Check(Check),
    Peering(Peering),
    Ps(Ps),
    Show(Show),
    Exec(Exec),
    Explain(Explain),
    Test(Test),
    Flows(Flows),
    Drops(Drops),
    Logs(Logs),
    Doctor(Doctor),
    Bench(Bench),
    /// Print the JSON Schema of the lab file, for editors
    Schema,
    #[command(hide = true)]
    Probe(Probe),
    #[command(hide = true)]
    BenchAgent(BenchAgent),
}

/// Bring a lab up
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The lab file
    #[arg(value_name = "LAB.yaml")]
    pub(crate) file: PathBuf,
    /// Leave it running in the background, and return once it is up
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Threads that move packets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
    /// How packets are read
    #[arg(long, value_name = "BACKEND", value_enum, default_value_t)]
    pub(crate) io: Backend,
    /// This process is the daemon that `-d` starts
    #[arg(long, hide = true)]
    pub(crate) child: bool,
}

/// How packets are read from and written to devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// The best that works here
    #[default]
    Auto,
    /// Readiness of each device
    Epoll,
    /// The portable one
    Tokio,
    /// Rings shared with the kernel
    Uring,
}

/// Change a running lab: nothing is touched if the file has an error
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The lab file
    #[arg(value_name = "LAB.yaml")]
    pub(crate) file: PathBuf,
}

/// Take a lab down, also one whose process was killed
#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) lab: LabName,
}

/// Say everything that is wrong with a lab file
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The lab file
    #[arg(value_name = "LAB.yaml")]
    pub(crate) file: PathBuf,
    /// Refuse warnings too
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Request, accept, reject or delete a peering connection of a running lab
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 done, 1 the request failed because blocks overlap, 2 refused or wrong usage."
)]
pub(crate) struct Peering {
    #[command(subcommand)]
    pub(crate) verb: PeeringVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PeeringVerb {
    /// Ask one VPC for a connection with another
    Request(PeeringRequest),
    /// Say yes to a request: from then on packets pass
    Accept(PeeringName),
    /// Say no to a request
    Reject(PeeringName),
    /// End a connection, or withdraw a request: routes over it are blackholes then
    Delete(PeeringName),
}

#[derive(Debug, Args)]
pub(crate) struct PeeringName {
    /// Name of the connection, or its `pcx-…` id
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) lab: LabName,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PeeringRequest {
    /// Name of the connection, as routes call it (`peering/NAME`)
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) lab: LabName,
    /// The VPC that asks [default: both as in the connection of this name that is over]
    #[arg(long, value_name = "VPC", requires = "accepter")]
    pub(crate) requester: Option<String>,
    /// The VPC that is asked
    #[arg(long, value_name = "VPC", requires = "requester")]
    pub(crate) accepter: Option<String>,
    /// Accept it at once: both VPCs are of one account, in one region
    #[arg(long)]
    pub(crate) auto_accept: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// List running labs with their instances and hosts
#[derive(Debug, Args)]
pub(crate) struct Ps {
    #[command(flatten)]
    pub(crate) lab: LabName,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// List the objects of one kind, with every default filled in
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Which objects
    #[arg(value_enum)]
    pub(crate) kind: ShowKind,
    #[command(flatten)]
    pub(crate) lab: LabName,
    /// Read this lab file instead of asking a running lab
    #[arg(long, value_name = "LAB.yaml", conflicts_with = "lab")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// A kind of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowKind {
    Acls,
    EgressOnlyInternetGateways,
    FlowLogs,
    Groups,
    Hosts,
    Instances,
    Interfaces,
    InternetGateways,
    NatGateways,
    #[value(alias = "peering")]
    Peerings,
    PrefixLists,
    PublicAddresses,
    Routes,
    Subnets,
}

/// Run a program inside an instance or a host on the internet
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// Name, id or address of the instance or host
    pub(crate) instance: String,
    /// The program and its arguments
    #[arg(required = true, last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
    /// Which running lab, if there are several
    #[arg(long)]
    pub(crate) lab: Option<String>,
}

/// Say what happens to a packet and to its reply, and which route, ACL entry or group rule decides
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 delivered and the reply passes, 1 dropped, 2 wrong usage, or with --verify a \
                        disagreement. A matrix is an answer whatever it holds: 0."
)]
pub(crate) struct Explain {
    /// Who sends: an instance (`web-1`, `i-…`), an interface (`web-1.eth0`, `eni-…`) or an address
    #[arg(long, value_name = "X", required_unless_present_any = ["matrix", "last_drop"])]
    pub(crate) from: Option<String>,
    /// Where to: an instance, an interface or any address
    #[arg(long, value_name = "Y", required_unless_present_any = ["matrix", "last_drop"])]
    pub(crate) to: Option<String>,
    /// `tcp`, `udp`, `icmp`, `icmpv6` or a protocol number [default: tcp with --port, else icmp]
    #[arg(long, value_name = "PROTO")]
    pub(crate) proto: Option<String>,
    /// Destination port
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
    /// Source port [default: all of 32768-60999, which Linux takes them from]
    #[arg(long, value_name = "N")]
    pub(crate) source_port: Option<u16>,
    /// ICMP type [default: echo request]
    #[arg(long, value_name = "T")]
    pub(crate) icmp_type: Option<u8>,
    /// ICMP code
    #[arg(long, value_name = "C", requires = "icmp_type")]
    pub(crate) icmp_code: Option<u8>,
    /// Source address, if not the sender's first
    #[arg(long, value_name = "A")]
    pub(crate) source_address: Option<IpAddr>,
    /// IPv6 where names leave it open
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Explain the newest dropped packet of the running lab, or the newest that IFACE sent; a lab is named before it
    #[arg(long, value_name = "IFACE", num_args = 0..=1,
          conflicts_with_all = ["from", "to", "proto", "port", "source_port", "icmp_type", "source_address", "ipv6"])]
    pub(crate) last_drop: Option<Option<String>>,
    /// All ordered pairs of instances, for `tcp/443`, `udp/53`, `icmp`, `icmp/8`, `icmpv6` or a protocol number
    #[arg(long, value_name = "TRAFFIC",
          conflicts_with_all = ["from", "to", "proto", "port", "source_port", "icmp_type", "source_address", "last_drop"])]
    pub(crate) matrix: Option<String>,
    /// Ask the second evaluator too, which shares no code with the first, and report any difference
    #[arg(long)]
    pub(crate) verify: bool,
    /// A lab file, or the name of a running lab if there are several
    #[arg(value_name = "LAB.yaml|LAB")]
    pub(crate) lab: Option<String>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Probe each row of a file of expectations with real packets, and compare with `explain`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 all hold, 1 an expectation failed, 2 could not be tried, or probe and explain disagree."
)]
pub(crate) struct Test {
    /// The expectations
    #[arg(value_name = "CHECKS.yaml")]
    pub(crate) file: PathBuf,
    /// Write the outcome as JUnit XML too
    #[arg(long, value_name = "OUT.xml")]
    pub(crate) junit: Option<PathBuf>,
    /// The running lab: its name, or its lab file, which must be the one in force
    #[arg(value_name = "LAB.yaml|LAB", conflicts_with = "lab")]
    pub(crate) lab_file: Option<String>,
    /// Which running lab, if there are several
    #[arg(long)]
    pub(crate) lab: Option<String>,
    /// How long to wait for an answer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1500, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    pub(crate) timeout: u64,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// List live sessions, one line for each direction
#[derive(Debug, Args)]
pub(crate) struct Flows {
    #[command(flatten)]
    pub(crate) lab: LabName,
    /// At most this many from each worker
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// List the latest dropped packets with the reason of each
#[derive(Debug, Args)]
pub(crate) struct Drops {
    #[command(flatten)]
    pub(crate) lab: LabName,
    /// Go on and print each new one, until interrupted
    #[arg(short, long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Print flow-log records
#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) lab: LabName,
    /// Go on and print each new one, until interrupted
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only records of this interface: `web-1.eth0`, `eni-…`, an instance or an address
    #[arg(long, value_name = "IFACE")]
    pub(crate) interface: Option<String>,
}

/// Say what this machine offers and what it lacks
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Measure throughput, latency and connections against the kernel's router and a bare relay, in rounds that take turns
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 every must is met, 1 one is not, 2 the machine moved too much to tell, or wrong usage."
)]
pub(crate) struct Bench {
    /// Fewer rounds, under three minutes: to see that it works, not to quote
    #[arg(long)]
    pub(crate) quick: bool,
    /// Every load on every system that works here, Open vSwitch too: hours
    #[arg(long, conflicts_with = "quick")]
    pub(crate) full: bool,
    /// Throughput of vpclab by rules, flows, interfaces and hops: half an hour; part of --full
    #[arg(long, conflicts_with = "quick")]
    pub(crate) matrix: bool,
    /// How often every figure is taken [default: 21, with --quick 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: Option<u16>,
    /// How long traffic is counted for one figure
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) seconds: u32,
    /// Only these loads, with a comma between them [default: those that have a target, with --full all, with
    /// --matrix none]
    #[arg(long, value_name = "LOAD", value_delimiter = ',', value_parser = words(bench::Load::ALL, bench::Load::name))]
    pub(crate) only: Vec<bench::Load>,
    /// Where both ends of every load run, but for the matrix: apart (on the first and on the last processor), free (wherever the
    /// scheduler puts them) or together (on the first) [default: free, but on two processors apart for udp-64 and udp-1400 through
    /// vpclab and relays that join datagrams, and together for connections through vpclab and relays]
    #[arg(long, value_name = "PLACEMENT", value_parser = words(bench::Placement::ALL, bench::Placement::name))]
    pub(crate) placement: Option<bench::Placement>,
    /// Threads of vpclab that move packets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
    /// How vpclab reads packets
    #[arg(long, value_name = "BACKEND", value_enum, default_value_t)]
    pub(crate) io: Backend,
    /// Draw the figures as SVG too
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Keep every figure in this file, and go on from those it holds already
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Values that have a word each, all of which help and errors name.
fn words<T, const N: usize>(all: [T; N], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.map(word)).try_map(|word| word.parse())
}

/// One end of a load, run inside a namespace by `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchAgent {
    /// What to do, as `bench` has written it
    pub(crate) agent: String,
}

/// One end of a probe, run inside an instance by `test`.
#[derive(Debug, Args)]
pub(crate) struct Probe {
    #[command(subcommand)]
    pub(crate) role: ProbeRole,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProbeRole {
    /// Answer whoever asks
    Listen(ProbeEnd),
    /// Ask
    Send(ProbeSend),
}

#[derive(Debug, Args)]
pub(crate) struct ProbeEnd {
    /// IANA protocol number
    #[arg(long)]
    pub(crate) proto: u8,
    /// Address to listen on, or to send from
    #[arg(long)]
    pub(crate) address: IpAddr,
    /// Destination port
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Milliseconds until it gives up
    #[arg(long)]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeSend {
    #[command(flatten)]
    pub(crate) end: ProbeEnd,
    /// Destination address
    #[arg(long)]
    pub(crate) to: IpAddr,
}

/// A running lab.
#[derive(Debug, Args)]
pub(crate) struct LabName {
    /// Name of the running lab; may be left out when only one runs
    #[arg(value_name = "LAB")]
    pub(crate) lab: Option<String>,
}

/// How answers are written.
#[derive(Debug, Args)]
pub(crate) struct Format {
    /// How to write the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// See [`Format`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For programs
    Json,
    /// For people
    #[default]
    Table,
}

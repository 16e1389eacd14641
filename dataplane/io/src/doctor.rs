//! What this machine offers: privileges, devices, namespaces, backends, limits.

pub mod selftest;

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::netns;
use crate::poller::{self, BackendKind};
use crate::sys_uring_burst::{BURST, BurstRing};
use crate::tun::{Offload, Queues, Tun, TunOptions};

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a few words.
    pub name: String,
    /// Whether a lab can do without it.
    pub need: Need,
    /// Whether it is there.
    pub outcome: Outcome,
    /// One sentence: what was found, or what to do.
    pub detail: String,
}

impl Check {
    /// Whether what was looked at is there.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.outcome == Outcome::Present
    }

    /// Whether it stops every lab.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.outcome == Outcome::Missing && self.need == Need::Required
    }
}

/// Whether a lab can do without something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A lab runs without it, slower or smaller.
    Optional,
    /// No lab runs without it.
    Required,
}

/// Whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not.
    Missing,
    /// It is.
    Present,
}

/// Looks at everything a lab needs: in a fraction of a second, or in some where packets get lost. Leaves nothing behind.
#[must_use]
pub fn checks() -> Vec<Check> {
    let tun = open_device(TunOptions::default());
    let mut checks = vec![
        kernel(),
        capability("CAP_NET_ADMIN", 12),
        capability("CAP_SYS_ADMIN", 21),
        tun_file(),
        namespace(),
        device(&tun),
        offloads(&tun),
        steering(),
    ];
    checks.extend(selftest::checks());
    checks.extend([io_uring(), bursts(&tun), open_files()]);
    checks.extend(backends());
    checks
}

/// The limit of open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimit {
    /// Files this process may have open now.
    pub soft: u64,
    /// What `soft` may be raised to without privilege.
    pub hard: u64,
}

impl FileLimit {
    /// The limit of this process.
    ///
    /// # Errors
    ///
    /// What `getrlimit` answers; none is known for this limit.
    pub fn current() -> io::Result<Self> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        Ok(Self { soft, hard })
    }

    /// How many interfaces fit: one open file for each queue, next to what the process needs for itself.
    #[must_use]
    pub const fn interfaces(self, queues: Queues) -> u64 {
        self.soft.saturating_sub(OWN_FILES) / queues.count() as u64
    }
}

/// Raises the limit of open files as far as this process may: to the kernel's `fs.nr_open` with
/// `CAP_SYS_RESOURCE`, else to the hard limit. Programs started later inherit it. Returns the new limit.
///
/// # Errors
///
/// What `setrlimit` answers when even the hard limit is refused.
pub fn raise_nofile_limit() -> io::Result<FileLimit> {
    let now = FileLimit::current()?;
    let most = number_in("/proc/sys/fs/nr_open").unwrap_or(now.hard).max(now.hard);
    if setrlimit(Resource::RLIMIT_NOFILE, most, most).is_err() {
        setrlimit(Resource::RLIMIT_NOFILE, now.hard, now.hard)?;
    }
    FileLimit::current()
}

fn kernel() -> Check {
    let release = kernel_release();
    let at_least = |version| release_numbers(&release).is_some_and(|have| have >= version);
    // 6.2 accepts UDP segmentation on TUN devices, 6.7 has multishot reads.
    let detail = format!(
        "Linux {release}; UDP segmentation offload on devices {}, multishot reads {}",
        since(at_least((6, 2)), "6.2"),
        since(at_least((6, 7)), "6.7"),
    );
    // clone, setns and TUN namespaces are older; 5.10 is the oldest kernel Debian still cares for.
    found("kernel", Need::Optional, at_least((5, 10)), detail)
}

fn since(there: bool, version: &str) -> String {
    if there { "possible".to_owned() } else { format!("not before {version}") }
}

fn capability(name: &str, bit: u32) -> Check {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    let there = mask >> bit & 1 == 1;
    let detail = if there { "effective".to_owned() } else { "not effective: run as root".to_owned() };
    found(name, Need::Required, there, detail)
}

fn tun_file() -> Check {
    let opened = OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    let advice = "load the module with `modprobe tun`, and in a container pass --device /dev/net/tun";
    tried("/dev/net/tun", opened.map(|_| "can be opened".to_owned()), advice)
}

/// Makes a namespace without a name, which ends with the thread.
fn namespace() -> Check {
    let made = netns::in_a_new_namespace(|_| Ok(()));
    let advice = "the kernel or the container runtime forbids unshare(CLONE_NEWNET); run as root on the host";
    tried("network namespaces", made.map(|()| "can be made".to_owned()), advice)
}

/// Whether a device could be opened in a namespace without a name.
fn device(tun: &io::Result<Tun>) -> Check {
    let made = |tun: &Tun| format!("can be made in a namespace, MTU {}", tun.options().mtu);
    let detail = tun.as_ref().map(made);
    tried("TUN devices", detail, "see the checks above for what is missing")
}

/// What the kernel has left to us of everything that a device asks for.
fn offloads(tun: &io::Result<Tun>) -> Check {
    const NAME: &str = "device offloads";
    let (there, detail) = match tun.as_ref().map(|tun| tun.options().offload) {
        Ok(Offload::TcpUdp) => (true, "checksums, TCP and UDP super-packets".to_owned()),
        Ok(Offload::Tcp) => {
            (true, "checksums and TCP super-packets; UDP ones came with Linux 6.2".to_owned())
        }
        Ok(Offload::Checksum) => (true, "checksums only: throughput is lower".to_owned()),
        Ok(Offload::None) => (false, "none: throughput is lower".to_owned()),
        Err(error) => (false, error.to_string()),
    };
    found(NAME, Need::Optional, there, detail)
}

/// Asks a device for a queue for each of two workers.
fn steering() -> Check {
    const NAME: &str = "steering program";
    let queues = Queues::PerWorker { workers: 2, seed: 0 };
    let opened = open_device(TunOptions { queues, ..TunOptions::default() });
    let (there, detail) = match opened.as_ref().map(Tun::refusal) {
        Ok(None) => (true, "taken: each worker reads its own queue of every device".to_owned()),
        Ok(Some(error)) => {
            (false, format!("{error}: one worker reads a device and hands packets to the others"))
        }
        Err(error) => (false, error.to_string()),
    };
    found(NAME, Need::Optional, there, detail)
}

fn io_uring() -> Check {
    let (there, detail) = match number_in("/proc/sys/kernel/io_uring_disabled") {
        Some(setting) => io_uring_under(setting),
        // The setting came with Linux 6.6, the calls with 5.1.
        None => {
            let there = release_numbers(&kernel_release()).is_some_and(|have| have >= (5, 1));
            (there, "this kernel has no setting that forbids it".to_owned())
        }
    };
    found("io_uring", Need::Optional, there, detail)
}

/// What a value of `kernel.io_uring_disabled` means for a process with `CAP_SYS_ADMIN`, which no lab does without
/// (Documentation/admin-guide/sysctl/kernel.rst).
fn io_uring_under(setting: u64) -> (bool, String) {
    match setting {
        0 | 1 => (true, format!("allowed by kernel.io_uring_disabled = {setting}")),
        _ => (false, format!("kernel.io_uring_disabled = {setting}")),
    }
}

/// Reads a device in bursts, as epoll's backend does with busy ones.
fn bursts(tun: &io::Result<Tun>) -> Check {
    let read = tun.as_ref().map(|tun| BurstRing::new().and_then(|mut ring| ring.read(tun)));
    let (there, detail) = match read {
        Ok(Ok(())) => (true, format!("one call reads up to {BURST} packets of a busy device")),
        Ok(Err(error)) => (
            false,
            format!("{error}: every packet is read by itself; needs Linux 6.4 and 1 MB of locked memory"),
        ),
        Err(error) => (false, error.to_string()),
    };
    found("bursts", Need::Optional, there, detail)
}

fn open_files() -> Check {
    const NAME: &str = "open files";
    match FileLimit::current() {
        Ok(limit) => {
            let most = FileLimit { soft: limit.hard, ..limit }.interfaces(Queues::One);
            let detail = format!(
                "{} now, {} at most without privilege: room for {} interfaces, {most} after raising; \
                 with several workers, divided by their number",
                limit.soft,
                limit.hard,
                limit.interfaces(Queues::One),
            );
            found(NAME, Need::Optional, most > 0, detail)
        }
        Err(error) => found(NAME, Need::Optional, false, error.to_string()),
    }
}

fn backends() -> Vec<Check> {
    let best = BackendKind::Auto.resolve().ok();
    let describe = |(kind, probed): (BackendKind, Result<(), poller::BackendError>)| {
        let detail = match &probed {
            Ok(()) if best == Some(kind) => "works; --io auto takes it".to_owned(),
            Ok(()) => "works".to_owned(),
            Err(error) => error.to_string(),
        };
        found(&format!("--io {kind}"), Need::Optional, probed.is_ok(), detail)
    };
    poller::probe().into_iter().map(describe).collect()
}

/// A device in a namespace without a name.
fn open_device(options: TunOptions) -> io::Result<Tun> {
    netns::in_a_new_namespace(|netns| Tun::open(&netns, "doctor", options))
}

fn tried(name: &str, result: Result<String, impl Display>, advice: &str) -> Check {
    match result {
        Ok(detail) => found(name, Need::Required, true, detail),
        Err(error) => found(name, Need::Required, false, format!("{error}: {advice}")),
    }
}

fn found(name: &str, need: Need, there: bool, detail: String) -> Check {
    let outcome = if there { Outcome::Present } else { Outcome::Missing };
    Check { name: name.to_owned(), need, outcome, detail }
}

fn kernel_release() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_owned()
}

/// Major and minor version of a kernel release such as `6.1.0-28-amd64`.
fn release_numbers(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn number_in(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Files the process needs besides its interfaces: workers' pollers, sockets, logs, libraries.
const OWN_FILES: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_whatever_a_distribution_appends() {
        assert_eq!(release_numbers("6.1.0-28-amd64"), Some((6, 1)));
        assert_eq!(release_numbers("6.18.44-fc-v595"), Some((6, 18)));
        assert_eq!(release_numbers("5.15+rc"), Some((5, 15)));
        assert_eq!(release_numbers("unknown"), None);
    }

    #[test]
    fn only_a_missing_requirement_blocks() {
        assert!(found("x", Need::Required, false, String::new()).blocks());
        assert!(!found("x", Need::Optional, false, String::new()).blocks());
        assert!(!found("x", Need::Required, true, String::new()).blocks());
    }

    #[test]
    fn io_uring_is_missing_only_where_the_privileged_have_none_either() {
        let there: Vec<_> = (0..3).map(|setting| io_uring_under(setting).0).collect();
        assert_eq!(there, [true, true, false]);
    }

    #[test]
    fn the_interface_limit_leaves_room_for_the_process() {
        assert_eq!(FileLimit { soft: 1024, hard: 4096 }.interfaces(Queues::One), 768);
        assert_eq!(FileLimit { soft: 16, hard: 16 }.interfaces(Queues::One), 0);
        let queues = Queues::PerWorker { workers: 4, seed: 0 };
        assert_eq!(FileLimit { soft: 1024, hard: 4096 }.interfaces(queues), 192);
    }
}

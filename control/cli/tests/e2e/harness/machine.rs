//! What the machine must offer, and what tests share of it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Programs that the tests run inside instances, with the Debian package of each.
const PROGRAMS: [(&str, &str); 9] = [
    ("ethtool", "ethtool"),
    ("ip", "iproute2"),
    ("iperf3", "iperf3"),
    ("nft", "nftables"),
    ("ping", "iputils-ping"),
    ("tcpdump", "tcpdump"),
    ("traceroute", "traceroute"),
    ("turnserver", "coturn"),
    ("turnutils_natdiscovery", "coturn"),
];

/// Fails with one sentence on a machine that cannot run a lab.
pub(crate) fn check() {
    let user = fs::metadata("/proc/self").expect("/proc is mounted").uid();
    assert_eq!(user, 0, "these tests make network namespaces and TUN devices: run them as root");
    assert!(Path::new("/dev/net/tun").exists(), "these tests need /dev/net/tun: load the module `tun`");
    for (program, package) in PROGRAMS {
        assert!(is_installed(program), "these tests run `{program}`: install the package {package}");
    }
}

/// A lab name that nobody else has: namespaces and files of two test runs never meet.
pub(crate) fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("e2e-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Held by tests that load all processors, so that they load them one after the other.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    // A test that failed under it has left nothing half done in it.
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
}

/// Whether a process runs; one that has ended and whose parent has not noticed yet does not.
pub(crate) fn lives(pid: i32) -> bool {
    // The state follows the name, which may hold anything but ends with the last parenthesis: proc_pid_stat(5).
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('X' | 'Z'))
}

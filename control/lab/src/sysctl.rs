//! Kernel parameters of the network namespace that the calling thread is in.

use std::fs;
use std::path::Path;

use crate::error::{Collector, Error, Errors};
use crate::plan::Forwarding;

/// What every namespace gets before it has devices; a device copies `default` when it is made.
///
/// A new namespace starts with this host's values of some of them, hence the ones that only restate the kernel's defaults.
/// Source: `Documentation/networking/ip-sysctl.rst`.
const PARAMETERS: &[(&str, &str)] = &[
    // With several interfaces, replies may come in by another one than the main table would choose.
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    // A NAT instance sends packets out of the interface they came in by; it must not tell senders of a better way.
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    // Otherwise removing the primary address of a subnet takes the secondary ones along.
    ("ipv4/conf/all/promote_secondaries", "1"),
    ("ipv4/conf/default/promote_secondaries", "1"),
    // Every group may open ping sockets.
    ("ipv4/ping_group_range", "0 2147483647"),
    ("ipv6/conf/all/disable_ipv6", "0"),
    ("ipv6/conf/default/disable_ipv6", "0"),
    // No packet that nobody asked for: no link-local address (1 is "none"), no router solicitation, no address probe.
    ("ipv6/conf/default/addr_gen_mode", "1"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/default/router_solicitations", "0"),
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/dad_transmits", "0"),
];

/// Sets what every namespace gets.
pub(crate) fn set_up(namespace: &str) -> Result<(), Errors> {
    let mut failures = Collector::default();
    for (parameter, value) in PARAMETERS {
        failures.take(set(namespace, parameter, value));
    }
    failures.finish(())
}

/// Switches forwarding for both families.
///
/// A forwarding IPv6 host joins the all-routers group and reports that twice (RFC 3810 section 6.1); nothing turns that off.
pub(crate) fn set_forwarding(namespace: &str, forwarding: Forwarding) -> Result<(), Errors> {
    let value = match forwarding {
        Forwarding::Off => "0",
        Forwarding::On => "1",
    };
    let mut failures = Collector::default();
    for parameter in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
        failures.take(set(namespace, parameter, value));
    }
    failures.finish(())
}

fn set(namespace: &str, parameter: &str, value: &str) -> Result<(), Error> {
    // A kernel without IPv6 has none of its parameters; IPv6 addresses will be refused in their own words.
    if parameter.starts_with("ipv6/") && !Path::new("/proc/sys/net/ipv6").exists() {
        return Ok(());
    }
    let parameter = format!("net/{parameter}");
    fs::write(Path::new("/proc/sys").join(&parameter), value).map_err(|source| Error::Sysctl {
        namespace: namespace.to_owned(),
        parameter,
        value: value.to_owned(),
        source,
    })
}

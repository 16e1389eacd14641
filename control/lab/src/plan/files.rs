//! Files that programs in a lab's namespaces see under `/etc` (`ip-netns(8)`, `/etc/netns/NAME/`).

use std::collections::BTreeMap;

use model::lab::{Host, Instance, Lab, Vpc};

/// Prefers IPv4 where a name has both families, as AWS's own host names do by having only an IPv4 address.
///
/// `getaddrinfo(3)` would prefer IPv6 (RFC 6724 section 10.3), and a `ping NAME` would then be judged by other rules than the
/// IPv4 ones that its user thinks of; `ping -6 NAME` still works. One precedence line replaces the whole built-in table of
/// `gai.conf(5)`, hence the other four, which repeat RFC 3484 section 2.1.
const GAI_CONF: &str = "\
precedence ::1/128 50
precedence ::/0 40
precedence 2002::/16 30
precedence ::/96 20
precedence ::ffff:0:0/96 100
";

/// Without a name server `resolv.conf(5)` means the one on this host: nobody listens there, so unknown names fail at once
/// instead of after the time-outs of the host's own servers, which cannot be reached from here.
const RESOLV_CONF: &str =
    "# No name server in this lab: names are in /etc/hosts.\noptions timeout:1 attempts:1\n";

const LOCALHOST: &str = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";

pub(super) fn of(lab: &Lab) -> BTreeMap<String, String> {
    let files =
        [("gai.conf", GAI_CONF.to_owned()), ("hosts", hosts(lab)), ("resolv.conf", RESOLV_CONF.to_owned())];
    files.into_iter().map(|(name, content)| (name.to_owned(), content)).collect()
}

fn hosts(lab: &Lab) -> String {
    let instances = lab.vpcs.values().flat_map(|vpc| vpc.instances.values().map(move |i| (vpc, i)));
    let lines = instances.flat_map(|(vpc, instance)| host_lines(vpc, instance));
    let outside = lab.internet.hosts.values().flat_map(outside_lines);
    std::iter::once(LOCALHOST.to_owned()).chain(lines).chain(outside).collect()
}

/// The primary address of each family under `INSTANCE` and `INSTANCE.VPC`.
fn host_lines(vpc: &Vpc, instance: &Instance) -> Vec<String> {
    let v4 = instance.interfaces.iter().find_map(|e| e.private_ips.first()).map(ToString::to_string);
    let v6 = instance.interfaces.iter().find_map(|e| e.ipv6_addresses.first()).map(ToString::to_string);
    let (name, vpc) = (&instance.name, &vpc.name);
    v4.into_iter().chain(v6).map(|address| format!("{address} {name} {name}.{vpc}\n")).collect()
}

/// The first address of each family of a host on the internet under its own name and its DNS names.
fn outside_lines(host: &Host) -> Vec<String> {
    let names: Vec<&str> = std::iter::once(&host.name).chain(&host.names).map(String::as_str).collect();
    let v4 = host.ips.iter().find(|ip| ip.is_ipv4());
    let v6 = host.ips.iter().find(|ip| ip.is_ipv6());
    v4.into_iter().chain(v6).map(|ip| format!("{ip} {}\n", names.join(" "))).collect()
}

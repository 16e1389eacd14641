//! The kernel's own router: veth pairs, forwarding, nftables with connection tracking.

use super::host;
use crate::error::Error;
use crate::namespace::{Namespace, name_of, set_parameters};
use crate::policy::{self, LEFT, MTU, RIGHT};
use crate::program::{Program, inside};
use crate::system::System;

/// A router between two hosts.
#[derive(Debug)]
pub(super) struct Router {
    _namespaces: [Namespace; 3],
}

impl Router {
    pub(super) fn set_up(system: System) -> Result<Self, Error> {
        let left = Namespace::create(host(system, "left"))?;
        let right = Namespace::create(host(system, "right"))?;
        let router = Namespace::create(format!("{}-router", name_of(system)))?;
        // Forwarding first: switching it on resets other parameters.
        set_parameters(router.name(), &[("ipv4/ip_forward", "1")])?;
        router.configure(&cable("left", left.name()))?;
        router.configure(&cable("right", right.name()))?;
        router.configure("addr add 10.77.1.1/24 dev left\naddr add 10.77.2.1/24 dev right\n")?;
        left.configure(&format!(
            "link set eth0 up\naddr add {LEFT}/24 dev eth0\nroute add default via 10.77.1.1\n"
        ))?;
        right.configure(&format!(
            "link set eth0 up\naddr add {RIGHT}/24 dev eth0\nroute add default via 10.77.2.1\n"
        ))?;
        let nft = inside(router.name(), "nft", &["-f", "-"])?;
        Program::run_with(nft, &policy::nftables())?;
        set_parameters(router.name(), TRACKING)?;
        Ok(Self { _namespaces: [left, right, router] })
    }
}

/// A veth pair from the router to a host.
fn cable(device: &str, host: &str) -> String {
    format!(
        "link add {device} mtu {MTU} type veth peer name eth0 mtu {MTU} netns {host}\n\
         link set {device} up\n"
    )
}

/// Closed connections are kept as long as vpclab keeps them, so that both hold equally many.
const TRACKING: &[(&str, &str)] = &[
    ("netfilter/nf_conntrack_tcp_timeout_time_wait", "10"),
    ("netfilter/nf_conntrack_tcp_timeout_close", "10"),
];

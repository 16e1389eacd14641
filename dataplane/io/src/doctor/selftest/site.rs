//! Two namespaces without names, a device in each.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::netlink;
use crate::netns::{Netns, in_a_new_namespace};
use crate::tun::{Offload, Tun, TunOptions};

/// One namespace. It ends with this value and the sockets made in it.
#[derive(Debug)]
pub(super) struct End {
    netns: Netns,
    tun: Arc<Tun>,
    pub(super) address: Ipv4Addr,
}

impl End {
    fn new(offload: Offload, address: Ipv4Addr) -> io::Result<Self> {
        in_a_new_namespace(|netns| {
            let tun = Tun::open(&netns, "doctor", TunOptions { offload, ..TunOptions::default() })?;
            netlink::bring_up(tun.index(), address)?;
            Ok(Self { netns, tun: Arc::new(tun), address })
        })
    }

    /// Makes a socket in the namespace.
    pub(super) fn socket<T: Send>(&self, make: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        self.netns.run(make)
    }
}

/// Both ends. Nothing connects them but a relay between their devices.
#[derive(Debug)]
pub(super) struct Site {
    /// Where exchanges begin.
    pub(super) near: End,
    pub(super) far: End,
}

impl Site {
    pub(super) fn new([near, far]: [Offload; 2]) -> io::Result<Self> {
        Ok(Self { near: End::new(near, NEAR)?, far: End::new(far, FAR)? })
    }

    pub(super) fn devices(&self) -> [&Arc<Tun>; 2] {
        [&self.near.tun, &self.far.tun]
    }
}

/// RFC 5737 keeps these addresses free for examples.
const NEAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

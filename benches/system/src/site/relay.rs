//! A bare relay between two hosts.

use super::{Tools, host};
use crate::agent::{Agent, Copy, READY};
use crate::error::Error;
use crate::namespace::{Namespace, name_of};
use crate::policy::{LEFT, RIGHT};
use crate::program::{Program, agent};
use crate::system::{Relay, System};

/// Two hosts and what copies between them.
#[derive(Debug)]
pub(super) struct Between {
    relay: Program,
    _namespaces: [Namespace; 2],
}

impl Between {
    pub(super) fn set_up(system: System, variant: Relay, tools: &Tools) -> Result<Self, Error> {
        let left = Namespace::create(host(system, "left"))?;
        let right = Namespace::create(host(system, "right"))?;
        // It opens a device in either namespace itself and belongs to neither.
        let outside = Namespace::create(name_of(system))?;
        let copy =
            Agent::Copy(Copy { left: left.name().to_owned(), right: right.name().to_owned(), variant });
        let mut relay = Program::start(agent(outside.name(), &tools.program, &copy)?)?;
        relay.wait_for(READY)?;
        for (namespace, address) in [(&left, LEFT), (&right, RIGHT)] {
            namespace.configure(&format!(
                "addr add {address}/24 dev eth0\nlink set eth0 up\nroute add default dev eth0\n"
            ))?;
        }
        Ok(Self { relay, _namespaces: [left, right] })
    }

    /// The process that copies.
    pub(super) fn process(&self) -> u32 {
        self.relay.id()
    }
}

//! One system, set up between two hosts.

mod kernel;
mod ovs;
mod relay;
mod vpclab;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::namespace::{name_of, own_name, set_parameters};
use crate::plan::Plan;
use crate::policy::{self, FlowLogs, World};
use crate::system::System;

/// A system that carries packets between two namespaces; dropping it takes it down.
#[derive(Debug)]
pub(crate) struct Site {
    /// Namespace of the host that sends.
    pub(crate) left: String,
    /// Namespace of the host that receives.
    pub(crate) right: String,
    carrier: Carrier,
}

/// What is between the two hosts.
#[derive(Debug)]
enum Carrier {
    Kernel { _router: kernel::Router },
    Ovs(ovs::Switch),
    Relay(relay::Between),
    Vpclab(vpclab::Lab),
}

/// What a site is made with.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    /// This program.
    pub(crate) program: PathBuf,
    /// For lab files and what labs write.
    pub(crate) folder: PathBuf,
    pub(crate) workers: Option<u16>,
    pub(crate) io: String,
}

impl Tools {
    pub(crate) fn of(plan: &Plan, program: &Path, folder: &Path) -> Self {
        let (program, folder) = (program.to_owned(), folder.to_owned());
        Self { program, folder, workers: plan.workers, io: plan.io.clone() }
    }
}

impl Site {
    /// Sets the system up.
    pub(crate) fn set_up(system: System, tools: &Tools) -> Result<Self, Error> {
        let carrier = match system {
            System::Kernel => Carrier::Kernel { _router: kernel::Router::set_up(system)? },
            System::Ovs => Carrier::Ovs(ovs::Switch::set_up(system, tools)?),
            System::Relay(variant) => Carrier::Relay(relay::Between::set_up(system, variant, tools)?),
            System::Vpclab => Carrier::Vpclab(lab(system, FlowLogs::On, tools)?),
            System::VpclabUnlogged => Carrier::Vpclab(lab(system, FlowLogs::Off, tools)?),
        };
        let site = Self { left: host(system, "left"), right: host(system, "right"), carrier };
        set_parameters(&site.left, HOST_PARAMETERS)?;
        set_parameters(&site.right, HOST_PARAMETERS)?;
        Ok(site)
    }

    /// The process that carries packets, unless it is the kernel.
    pub(crate) fn process(&self) -> Option<u32> {
        match &self.carrier {
            Carrier::Kernel { .. } => None,
            Carrier::Ovs(switch) => Some(switch.process()),
            Carrier::Relay(between) => Some(between.process()),
            Carrier::Vpclab(lab) => lab.process(),
        }
    }
}

fn lab(system: System, flow_logs: FlowLogs, tools: &Tools) -> Result<vpclab::Lab, Error> {
    let name = name_of(system);
    let text = policy::lab(&name, flow_logs);
    vpclab::Lab::up(name, &text, tools)
}

/// A lab of a chosen size; dropping it takes it down.
#[derive(Debug)]
pub(crate) struct MatrixSite {
    /// Namespace of the host that sends.
    pub(crate) left: String,
    /// Namespace of the host that receives.
    pub(crate) right: String,
    /// Address of the host that receives.
    pub(crate) receiver: Ipv4Addr,
    _lab: vpclab::Lab,
}

impl MatrixSite {
    /// Brings the lab up.
    pub(crate) fn set_up(world: World, tools: &Tools) -> Result<Self, Error> {
        let name = own_name("matrix");
        let lab = vpclab::Lab::up(name.clone(), &policy::world(&name, world), tools)?;
        let (left, right) = (format!("{name}-left"), format!("{name}-right"));
        Ok(Self { left, right, receiver: world.hops.receiver(), _lab: lab })
    }
}

/// Whether Open vSwitch can be measured here.
pub(crate) fn ovs_is_installed() -> bool {
    ovs::is_installed()
}

/// The namespace of a host, named as a lab names those of its instances.
fn host(system: System, side: &str) -> String {
    format!("{}-{side}", name_of(system))
}

/// What hosts that open tens of thousands of connections a second need, the same everywhere: all ports, and no
/// closed connection that keeps one. Source: `Documentation/networking/ip-sysctl.rst`.
const HOST_PARAMETERS: &[(&str, &str)] = &[
    ("ipv4/ip_local_port_range", "1024 65000"),
    ("ipv4/tcp_max_tw_buckets", "256"),
    ("ipv4/tcp_tw_reuse", "1"),
    ("core/somaxconn", "4096"),
];

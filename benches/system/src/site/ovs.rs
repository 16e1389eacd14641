//! Open vSwitch with its datapath in user space: a bridge between two veth pairs, and connection tracking.
//!
//! The daemons have a folder of their own, so that a switch that the machine uses is left alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Tools, host};
use crate::error::Error;
use crate::namespace::{Namespace, name_of};
use crate::policy::{self, LEFT, MTU, RIGHT};
use crate::program::{Program, inside};
use crate::system::System;

/// A switch between two hosts, with its two daemons.
#[derive(Debug)]
pub(super) struct Switch {
    daemon: Program,
    _database: Program,
    _namespaces: [Namespace; 3],
}

/// Whether the machine has it.
pub(super) fn is_installed() -> bool {
    [DAEMON, SCHEMA].iter().all(|file| Path::new(file).exists())
}

impl Switch {
    pub(super) fn set_up(system: System, tools: &Tools) -> Result<Self, Error> {
        let left = Namespace::create(host(system, "left"))?;
        let right = Namespace::create(host(system, "right"))?;
        let middle = Namespace::create(format!("{}-switch", name_of(system)))?;
        for (device, host, address) in [("left", &left, LEFT), ("right", &right, RIGHT)] {
            middle.configure(&format!(
                "link add {device} mtu {MTU} type veth peer name eth0 mtu {MTU} netns {}\nlink set {device} up\n",
                host.name()
            ))?;
            // One segment: the switch does not route.
            host.configure(&format!("link set eth0 up\naddr add {address}/16 dev eth0\n"))?;
            // A datapath in user space passes unfinished checksums on as they are (OVS FAQ, "Userspace").
            let arguments = ["-K", "eth0", "tx", "off", "tso", "off", "gso", "off"];
            Program::run(inside(host.name(), "ethtool", &arguments)?)?;
        }
        let place = Place { folder: tools.folder.join(system.name()), namespace: middle.name().to_owned() };
        let (database, daemon) = place.start()?;
        place.connect()?;
        Ok(Self { daemon, _database: database, _namespaces: [left, right, middle] })
    }

    /// The process that forwards.
    pub(super) fn process(&self) -> u32 {
        self.daemon.id()
    }
}

/// Where the daemons live.
struct Place {
    folder: PathBuf,
    namespace: String,
}

impl Place {
    fn start(&self) -> Result<(Program, Program), Error> {
        fs::create_dir_all(&self.folder).map_err(Error::machine("make a folder for Open vSwitch"))?;
        let (data, socket) = (self.file("conf.db"), self.file("db.sock"));
        Program::run(self.command("ovsdb-tool", &["create", &data, SCHEMA])?)?;
        let remote = format!("--remote=punix:{socket}");
        // It says that it runs by its socket, which `ovs-vsctl` waits for.
        let database = Program::start(self.command("ovsdb-server", &[&data, &remote])?)?;
        Program::run(self.command("ovs-vsctl", &[RETRY, WITHIN, &self.database(), "--no-wait", "init"])?)?;
        let unix = format!("unix:{socket}");
        let daemon = Program::start(self.command(DAEMON, &[&unix])?)?;
        Ok((database, daemon))
    }

    fn connect(&self) -> Result<(), Error> {
        let database = self.database();
        let bridge = [
            RETRY,
            WITHIN,
            &database,
            "add-br",
            "bench",
            "--",
            "set",
            "bridge",
            "bench",
            "datapath_type=netdev",
        ];
        let ports = [
            "--",
            "set-fail-mode",
            "bench",
            "secure",
            "--",
            "add-port",
            "bench",
            "left",
            "--",
            "add-port",
            "bench",
            "right",
        ];
        Program::run(self.command("ovs-vsctl", &[&bridge[..], &ports[..]].concat())?)?;
        let flows = self.command("ovs-ofctl", &["add-flows", "bench", "-"])?;
        Program::run_with(flows, &policy::openflow()).map(drop)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Result<Command, Error> {
        let mut command = inside(&self.namespace, program, arguments)?;
        for directory in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"] {
            command.env(directory, &self.folder);
        }
        Ok(command)
    }

    fn database(&self) -> String {
        format!("--db=unix:{}", self.file("db.sock"))
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// `ovs-vsctl` waits for the daemons, and not for ever.
const RETRY: &str = "--retry";
const WITHIN: &str = "--timeout=15";

const DAEMON: &str = "/usr/sbin/ovs-vswitchd";
const SCHEMA: &str = "/usr/share/openvswitch/vswitch.ovsschema";

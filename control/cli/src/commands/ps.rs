//! `vpclab ps`: labs that run, their instances, hosts and programs.

use daemon::State;
use daemon::protocol::{HostRow, InstanceRow, ProgramRow, Status};
use owo_colors::OwoColorize as _;
use serde::Serialize;

use crate::args::low::{Output, Ps};
use crate::error::{Answer, Error};
use crate::output::{self, Out, Row, joined};
use crate::running::{self, Running};

/// One lab for programs.
#[derive(Serialize)]
struct LabRow {
    lab: String,
    state: LabState,
    #[serde(flatten)]
    status: Option<StatusRow>,
}

/// What a lab is doing.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum LabState {
    /// Its daemon was killed, and `down` removes what it left.
    Dead,
    /// It answers.
    Running,
    /// Its daemon does not answer: it starts, or ends.
    Silent,
}

/// [`Status`] without what [`LabRow`] has.
#[derive(Serialize)]
struct StatusRow {
    pid: u32,
    workers: u16,
    backend: String,
    generation: u64,
    instances: Vec<InstanceRow>,
    hosts: Vec<HostRow>,
    flow_logs: std::collections::BTreeMap<String, String>,
    trouble: Vec<String>,
}

/// One interface, or a host with its only one, for people.
#[derive(Serialize)]
struct InterfaceLine<'a> {
    lab: &'a str,
    instance: &'a str,
    namespace: &'a str,
    device: &'a str,
    addresses: &'a [String],
    groups: &'a [String],
    id: &'a str,
}

/// One program for people.
#[derive(Serialize)]
struct ProgramLine<'a> {
    instance: &'a str,
    program: &'a str,
    pid: Option<u32>,
    restarts: u32,
    log: &'a str,
}

/// Lists all labs, or the one that is named.
///
/// # Errors
///
/// A lab that is not there, or does not answer.
pub(crate) fn run(args: &Ps, out: Out<'_>) -> Result<Answer, Error> {
    let labs = match &args.lab.lab {
        Some(name) => vec![running_lab(name)?],
        None => {
            let known = running::labs()?.into_iter().filter(|(_, state)| *state != State::Absent);
            known.map(|(name, state)| lab(name, &state)).collect()
        }
    };
    match args.format.output {
        Output::Json => output::json(out, &labs)?,
        Output::Table => write(out, &labs)?,
    }
    Ok(Answer::Yes)
}

fn lab(name: String, state: &State) -> LabRow {
    match (state, running_lab(&name)) {
        (_, Ok(row)) => row,
        (State::Running { .. }, Err(_)) => LabRow { lab: name, state: LabState::Silent, status: None },
        (State::Absent | State::Dead, Err(_)) => LabRow { lab: name, state: LabState::Dead, status: None },
    }
}

fn running_lab(name: &str) -> Result<LabRow, Error> {
    let Status { lab, pid, workers, backend, generation, instances, hosts, flow_logs, trouble } =
        Running::connect(Some(name))?.status()?;
    let status = StatusRow { pid, workers, backend, generation, instances, hosts, flow_logs, trouble };
    Ok(LabRow { lab, state: LabState::Running, status: Some(status) })
}

fn write(out: Out<'_>, labs: &[LabRow]) -> Result<(), Error> {
    if labs.is_empty() {
        writeln!(out, "no lab is running")?;
        return Ok(());
    }
    let lines: Vec<InterfaceLine<'_>> =
        labs.iter().flat_map(|lab| interfaces(lab).chain(hosts(lab))).collect();
    if !lines.is_empty() {
        output::rows(out, Output::Table, &lines)?;
    }
    let programs: Vec<ProgramLine<'_>> = labs.iter().flat_map(programs).collect();
    if !programs.is_empty() {
        writeln!(out)?;
        output::rows(out, Output::Table, &programs)?;
    }
    for LabRow { lab: name, state, status } in labs {
        match state {
            LabState::Dead => {
                writeln!(out, "lab {name} was killed: `vpclab down {name}` removes what it left behind")?;
            }
            LabState::Silent => writeln!(out, "lab {name} does not answer: it is starting or ending")?,
            LabState::Running => {}
        }
        for text in status.iter().flat_map(|status| &status.trouble) {
            writeln!(out, "{} {name}: {text}", "trouble:".yellow())?;
        }
    }
    Ok(())
}

fn interfaces(lab: &LabRow) -> impl Iterator<Item = InterfaceLine<'_>> {
    let instances = lab.status.iter().flat_map(|status| &status.instances);
    instances.flat_map(|instance| {
        instance.interfaces.iter().map(|interface| InterfaceLine {
            lab: &lab.lab,
            instance: &instance.name,
            namespace: &instance.namespace,
            device: &interface.device,
            addresses: &interface.addresses,
            groups: &interface.security_groups,
            id: &interface.id,
        })
    })
}

fn hosts(lab: &LabRow) -> impl Iterator<Item = InterfaceLine<'_>> {
    let hosts = lab.status.iter().flat_map(|status| &status.hosts);
    hosts.map(|host| InterfaceLine {
        lab: &lab.lab,
        instance: &host.name,
        namespace: &host.namespace,
        device: &host.device,
        addresses: &host.addresses,
        groups: &[],
        id: &host.id,
    })
}

fn programs(lab: &LabRow) -> impl Iterator<Item = ProgramLine<'_>> {
    let status = || lab.status.iter();
    let instances = status().flat_map(|status| &status.instances).map(|i| (&i.name, &i.programs));
    let hosts = status().flat_map(|status| &status.hosts).map(|host| (&host.name, &host.programs));
    instances.chain(hosts).flat_map(|(name, list)| list.iter().map(|program| program_line(name, program)))
}

fn program_line<'a>(instance: &'a str, program: &'a ProgramRow) -> ProgramLine<'a> {
    ProgramLine {
        instance,
        program: &program.command,
        pid: program.pid,
        restarts: program.restarts,
        log: &program.log,
    }
}

impl Row for InterfaceLine<'_> {
    const COLUMNS: &'static [&'static str] =
        &["lab", "instance", "namespace", "device", "addresses", "groups", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.lab.to_owned(),
            self.instance.to_owned(),
            self.namespace.to_owned(),
            self.device.to_owned(),
            joined(self.addresses),
            joined(self.groups),
            self.id.to_owned(),
        ]
    }
}

impl Row for ProgramLine<'_> {
    const COLUMNS: &'static [&'static str] = &["instance", "pid", "restarts", "log", "program"];
    const NUMBERS: &'static [usize] = &[1, 2];

    fn cells(&self) -> Vec<String> {
        vec![
            self.instance.to_owned(),
            self.pid.map_or_else(|| "waits".to_owned(), |pid| pid.to_string()),
            self.restarts.to_string(),
            self.log.to_owned(),
            self.program.to_owned(),
        ]
    }
}

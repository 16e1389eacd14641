//! `vpclab ps`: labs that run, their instances and programs.

use daemon::State;
use daemon::protocol::{InstanceRow, Status};
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
    /// `running` or `dead`: its daemon was killed, and `down` removes what it left.
    state: &'static str,
    #[serde(flatten)]
    status: Option<StatusRow>,
}

/// [`Status`] without what [`LabRow`] has.
#[derive(Serialize)]
struct StatusRow {
    pid: u32,
    workers: u16,
    backend: String,
    generation: u64,
    instances: Vec<InstanceRow>,
    flow_logs: std::collections::BTreeMap<String, String>,
    trouble: Vec<String>,
}

/// One interface for people.
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
            known.map(|(name, state)| lab(&name, &state)).collect::<Result<Vec<_>, _>>()?
        }
    };
    match args.format.output {
        Output::Json => output::json(out, &labs)?,
        Output::Table => write(out, &labs)?,
    }
    Ok(Answer::Yes)
}

fn lab(name: &str, state: &State) -> Result<LabRow, Error> {
    match state {
        State::Running { .. } => running_lab(name),
        State::Absent | State::Dead => Ok(LabRow { lab: name.to_owned(), state: "dead", status: None }),
    }
}

fn running_lab(name: &str) -> Result<LabRow, Error> {
    let Status { lab, pid, workers, backend, generation, instances, flow_logs, trouble } =
        Running::connect(Some(name))?.status()?;
    let status = StatusRow { pid, workers, backend, generation, instances, flow_logs, trouble };
    Ok(LabRow { lab, state: "running", status: Some(status) })
}

fn write(out: Out<'_>, labs: &[LabRow]) -> Result<(), Error> {
    if labs.is_empty() {
        writeln!(out, "no lab is running")?;
        return Ok(());
    }
    let lines: Vec<InterfaceLine<'_>> = labs.iter().flat_map(interfaces).collect();
    if !lines.is_empty() {
        output::rows(out, Output::Table, &lines)?;
    }
    let programs: Vec<ProgramLine<'_>> = labs.iter().flat_map(programs).collect();
    if !programs.is_empty() {
        writeln!(out)?;
        output::rows(out, Output::Table, &programs)?;
    }
    for lab in labs {
        match &lab.status {
            Some(status) => status
                .trouble
                .iter()
                .try_for_each(|text| writeln!(out, "{} {}: {text}", "trouble:".yellow(), lab.lab))?,
            None => writeln!(
                out,
                "lab {name} was killed: `vpclab down {name}` removes what it left behind",
                name = lab.lab
            )?,
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

fn programs(lab: &LabRow) -> impl Iterator<Item = ProgramLine<'_>> {
    let instances = lab.status.iter().flat_map(|status| &status.instances);
    instances.flat_map(|instance| {
        instance.programs.iter().map(|program| ProgramLine {
            instance: &instance.name,
            program: &program.command,
            pid: program.pid,
            restarts: program.restarts,
            log: &program.log,
        })
    })
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

//! Rows for people, from what the data plane, the kernel and the lab file say.

use std::collections::BTreeMap;

use lab::programs::{ProgramState, ProgramStatus};
use model::lab::{Host, Instance, Interface, Lab, LogDestination, Vpc};
use runtime::{Counters, Direction, DropReason, DropRecord, FlowRecord, RuntimeError, Time};

use crate::labels::Labels;
use crate::protocol::{
    CounterRows, DropRow, FlowRow, HostRow, InstanceRow, InterfaceRow, ProgramRow, Response, Status,
};
use crate::running::Running;
use crate::trouble::Troubles;

pub(crate) fn counters(running: &mut Running) -> Response {
    let counters = match running.runtime.counters() {
        Ok(counters) => counters,
        Err(error) => return failed(&error),
    };
    Response::Counters(CounterRows { kernel_queue_full: kernel_queue_full(running), ..rows(&counters) })
}

pub(crate) fn drops(running: &Running) -> Response {
    match running.runtime.drops() {
        Ok(drops) => {
            let names = Printer::of(running);
            Response::Drops(drops.iter().map(|drop| names.drop_row(drop)).collect())
        }
        Err(error) => failed(&error),
    }
}

pub(crate) fn flows(running: &Running, limit: usize) -> Response {
    let now = running.runtime.clock().now();
    match running.runtime.flows(limit) {
        Ok(flows) => {
            let names = Printer::of(running);
            Response::Flows(flows.iter().map(|flow| names.flow_row(flow, now)).collect())
        }
        Err(error) => failed(&error),
    }
}

pub(crate) fn status(running: &Running) -> Response {
    let lab = running.valid.lab();
    let programs = running.programs.status();
    Response::Status(Status {
        lab: lab.name.clone(),
        pid: std::process::id(),
        workers: running.workers,
        backend: running.backend.to_string(),
        generation: running.runtime.snapshot().generation().0,
        instances: instances(lab).map(|(vpc, instance)| instance_row(vpc, instance, &programs)).collect(),
        hosts: lab.internet.hosts.values().map(|host| host_row(host, &programs)).collect(),
        flow_logs: flow_logs(running),
        trouble: running.troubles.lines(),
    })
}

fn failed(error: &RuntimeError) -> Response {
    Response::Failed { message: error.to_string() }
}

fn rows(counters: &Counters) -> CounterRows {
    let dropped = DropReason::ALL.iter().map(|reason| (reason.code().to_owned(), counters.dropped(*reason)));
    CounterRows {
        received: counters.received,
        originated: counters.originated,
        fragments: counters.fragments,
        delivered: counters.delivered,
        consumed: counters.consumed,
        held: counters.held,
        strays: counters.strays,
        dropped: dropped.filter(|(_, packets)| *packets > 0).collect(),
        in_flight: i64::try_from(counters.in_flight()).unwrap_or(i64::MAX),
        kernel_queue_full: BTreeMap::new(),
    }
}

/// Devices without losses are left out.
fn kernel_queue_full(running: &mut Running) -> BTreeMap<String, u64> {
    let mut losses = BTreeMap::new();
    let (lab, troubles) = (running.valid.lab(), &mut running.troubles);
    for (_, instance) in instances(lab) {
        let lost = lost_in(&instance.namespace, troubles).into_iter();
        losses.extend(lost.map(|(device, packets)| (format!("{}.{device}", instance.name), packets)));
    }
    for host in lab.internet.hosts.values() {
        // It has one device, which goes by its name.
        let lost = lost_in(&host.namespace, troubles).into_values();
        losses.extend(lost.map(|packets| (host.name.clone(), packets)));
    }
    losses
}

fn lost_in(namespace: &str, troubles: &mut Troubles) -> BTreeMap<String, u64> {
    lab::queue::dropped(namespace).unwrap_or_else(|error| {
        troubles.note(error.to_string());
        BTreeMap::new()
    })
}

fn instances(lab: &Lab) -> impl Iterator<Item = (&Vpc, &Instance)> {
    let mut instances: Vec<_> =
        lab.vpcs.values().flat_map(|vpc| vpc.instances.values().map(move |i| (vpc, i))).collect();
    instances.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    instances.into_iter()
}

fn instance_row(vpc: &Vpc, instance: &Instance, programs: &[ProgramStatus]) -> InstanceRow {
    InstanceRow {
        name: instance.name.clone(),
        id: instance.id.clone(),
        vpc: vpc.name.clone(),
        namespace: instance.namespace.clone(),
        interfaces: instance.interfaces.iter().map(interface_row).collect(),
        programs: programs_of(&instance.name, programs),
    }
}

fn host_row(host: &Host, programs: &[ProgramStatus]) -> HostRow {
    HostRow {
        name: host.name.clone(),
        id: host.id.clone(),
        namespace: host.namespace.clone(),
        device: lab::plan::HOST_DEVICE.to_owned(),
        addresses: host.ips.iter().map(ToString::to_string).collect(),
        names: host.names.clone(),
        programs: programs_of(&host.name, programs),
    }
}

fn interface_row(interface: &Interface) -> InterfaceRow {
    let v4 = interface.private_ips.iter().map(ToString::to_string);
    let v6 = interface.ipv6_addresses.iter().map(ToString::to_string);
    InterfaceRow {
        device: interface.device.clone(),
        id: interface.id.clone(),
        subnet: interface.subnet.clone(),
        addresses: v4.chain(v6).collect(),
        security_groups: interface.security_groups.clone(),
        mtu: interface.mtu,
    }
}

/// Programs of an instance or a host: no two of them share a name.
fn programs_of(name: &str, programs: &[ProgramStatus]) -> Vec<ProgramRow> {
    programs.iter().filter(|program| program.instance == name).map(program_row).collect()
}

fn program_row(program: &ProgramStatus) -> ProgramRow {
    ProgramRow {
        command: program.command.clone(),
        pid: match program.state {
            ProgramState::Running { pid } => Some(pid),
            ProgramState::Waiting { .. } => None,
        },
        restarts: program.restarts,
        log: program.log.display().to_string(),
    }
}

fn flow_logs(running: &Running) -> BTreeMap<String, String> {
    let logs = running.valid.lab().vpcs.values().flat_map(|vpc| &vpc.flow_logs);
    let files = logs.map(|log| {
        let LogDestination::File(file) = &log.destination;
        (log.id.clone(), running.directory.join(file).display().to_string())
    });
    files.collect()
}

/// Prints records of the data plane.
struct Printer<'a> {
    labels: &'a Labels,
    names: std::sync::Arc<runtime::Names>,
}

impl<'a> Printer<'a> {
    fn of(running: &'a Running) -> Self {
        Self { labels: &running.labels, names: std::sync::Arc::clone(running.runtime.snapshot().names()) }
    }

    fn drop_row(&self, drop: &DropRecord) -> DropRow {
        let tuple = drop.tuple;
        DropRow {
            at: drop.at.0,
            from: self.labels.attachment(drop.from),
            source: tuple.map(|tuple| tuple.src.to_string()).unwrap_or_default(),
            destination: tuple.map(|tuple| tuple.dst.to_string()).unwrap_or_default(),
            protocol: tuple.map_or(0, |tuple| tuple.proto),
            source_port: tuple.map_or(0, |tuple| tuple.src_port),
            destination_port: tuple.map_or(0, |tuple| tuple.dst_port),
            length: drop.length,
            reason: drop.reason.code().to_owned(),
            sentence: drop.reason.sentence().to_owned(),
            gate: drop.gate.map(|(ix, direction)| (self.labels.interface(ix), word(direction).to_owned())),
            decided_by: self.ids(&drop.decided_by),
        }
    }

    fn flow_row(&self, flow: &FlowRecord, now: Time) -> FlowRow {
        FlowRow {
            from: self.labels.attachment(flow.from),
            to: flow.to.map(|to| self.labels.attachment(to)),
            source: flow.tuple.src.to_string(),
            destination: flow.tuple.dst.to_string(),
            protocol: flow.tuple.proto,
            source_port: flow.tuple.src_port,
            destination_port: flow.tuple.dst_port,
            state: flow.state.to_owned(),
            packets: flow.packets,
            bytes: flow.bytes,
            expires_in: flow.expires.secs().saturating_sub(now.secs()),
            decided_by: self.ids(&flow.decided_by),
        }
    }

    fn ids(&self, names: &[runtime::NameIx]) -> Vec<String> {
        names.iter().map(|ix| self.names.get(*ix).id.to_string()).collect()
    }
}

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "egress",
        Direction::Ingress => "ingress",
    }
}

//! Flow logs, resolved to the interfaces that they cover.

use std::path::PathBuf;

use model::lab::{FlowLog, FlowLogInterval, FlowLogScope, LogDestination, Nitro, Settings, TrafficType, Vpc};
use snapshot::spec::{FlowLogSpec, TrafficFilter};

use crate::compiler::Common;
use crate::interface::id_of;

/// Seconds that an interface of a Nitro instance aggregates at most (FL-12).
const NITRO_WINDOW: u32 = 60;

pub(crate) fn flow_logs(common: Common<'_>, vpc: &Vpc) -> Vec<FlowLogSpec> {
    let flow_log = |log: &FlowLog| FlowLogSpec {
        id: log.id.clone(),
        interfaces: covered(vpc, &log.scope),
        traffic: match log.traffic {
            TrafficType::Accept => TrafficFilter::Accept,
            TrafficType::All => TrafficFilter::All,
            TrafficType::Reject => TrafficFilter::Reject,
        },
        interval: window(log.interval, common.settings),
        format: log.format.clone(),
        file: file(&log.destination),
    };
    vpc.flow_logs.iter().map(flow_log).collect()
}

/// Ids of the interfaces in `scope`, in order of instance and device, NAT gateways last; inheritance goes down only (FL-02).
fn covered(vpc: &Vpc, scope: &FlowLogScope) -> Vec<String> {
    let of_instances = || vpc.instances.values().flat_map(|instance| &instance.interfaces);
    let of_gateways = || vpc.nat_gateways.values();
    let all = |is_in: &dyn Fn(&str) -> bool| -> Vec<String> {
        let instances = of_instances().filter(|e| is_in(&e.subnet)).map(|e| e.id.clone());
        let gateways = of_gateways().filter(|g| is_in(&g.subnet)).map(|g| g.interface_id.clone());
        instances.chain(gateways).collect()
    };
    match scope {
        FlowLogScope::Interface(at) => id_of(vpc, at).map(str::to_owned).into_iter().collect(),
        FlowLogScope::NatGateway(name) => {
            vpc.nat_gateways.get(name).map(|gateway| gateway.interface_id.clone()).into_iter().collect()
        }
        FlowLogScope::Subnet(name) => all(&|subnet| subnet == name),
        FlowLogScope::Vpc => all(&|_| true),
    }
}

/// The window in force: what is written, but at most a minute on Nitro (FL-12); a test lab gets what it says (GAP-16).
fn window(written: u32, settings: &Settings) -> u32 {
    match (settings.flow_log_interval, settings.nitro) {
        (FlowLogInterval::Aws, Nitro::On) => written.min(NITRO_WINDOW),
        (FlowLogInterval::Aws, Nitro::Off) | (FlowLogInterval::Any, Nitro::On | Nitro::Off) => written,
    }
}

/// Relative paths stay relative: whoever opens the file knows where the lab file lies.
fn file(destination: &LogDestination) -> PathBuf {
    match destination {
        LogDestination::File(path) => path.clone(),
    }
}

//! Flow logs (FL-02..06, FL-12, FL-20..24).

use std::path::PathBuf;

use super::vpc::Scope;
use super::{interface, later, missing, name};
use crate::draft::{self, Field, Named, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::{FlowLog, FlowLogInterval, FlowLogScope, InterfaceRef, LogDestination, TrafficType};
use crate::suggest;

/// Seconds of a window if nothing is written (FL-12).
const DEFAULT_INTERVAL: u32 = 600;

/// Fields of versions 2 to 5 in the order of FL-24; the first 14 are the default format (FL-20).
pub(super) const FIELDS: [&str; 29] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "type",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "region",
    "az-id",
    "sublocation-type",
    "sublocation-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
];

/// Fields of versions 7 to 11.
const LATER_FIELDS: [&str; 25] = [
    "ecs-cluster-arn",
    "ecs-cluster-name",
    "ecs-container-instance-arn",
    "ecs-container-instance-id",
    "ecs-container-id",
    "ecs-second-container-id",
    "ecs-service-name",
    "ecs-task-definition-arn",
    "ecs-task-arn",
    "ecs-task-id",
    "reject-reason",
    "resource-id",
    "encryption-status",
    "instance-tag",
    "instance-tag-2",
    "interface-tag",
    "interface-tag-2",
    "asg-tag",
    "asg-tag-2",
    "interface-type",
    "next-hop-interface-id",
    "next-hop-subnet-id",
    "next-hop-az-id",
    "next-hop-vpc-id",
    "next-hop-interface-type",
];

/// All flow logs of a VPC, its subnets, its interfaces and its NAT gateways.
pub(super) fn all(scope: &Scope<'_>, found: &mut Findings) -> Vec<FlowLog> {
    let vpc = scope.draft;
    let mut logs = of(scope, &vpc.flow_logs, &FlowLogScope::Vpc, found);
    for (name, subnet) in vpc.subnets.objects() {
        logs.extend(of(scope, &subnet.flow_logs, &FlowLogScope::Subnet(name.value.clone()), found));
    }
    for (name, device, keys) in interface::each(vpc) {
        let interface = InterfaceRef { instance: name.value.clone(), device: device.to_owned() };
        logs.extend(of(scope, keys.flow_logs, &FlowLogScope::Interface(interface), found));
    }
    for (name, gateway) in vpc.nat_gateways.objects() {
        logs.extend(of(scope, &gateway.flow_logs, &FlowLogScope::NatGateway(name.value.clone()), found));
    }
    logs
}

fn of(
    scope: &Scope<'_>,
    logs: &Field<Named<draft::FlowLog>>,
    covers: &FlowLogScope,
    found: &mut Findings,
) -> Vec<FlowLog> {
    logs.objects().filter_map(|(name, log)| check(scope, name, log, covers, found)).collect()
}

fn check(
    scope: &Scope<'_>,
    name: &Text,
    draft: &draft::FlowLog,
    covers: &FlowLogScope,
    found: &mut Findings,
) -> Option<FlowLog> {
    let named = name::object(name, found);
    let what = format!("flow log `{}`", name.value);
    if draft.traffic.is_absent() {
        missing(found, name.spot, &what, "traffic", "accept, reject or all");
    }
    let traffic = draft.traffic.get().map(|traffic| match traffic.value {
        draft::TrafficType::Accept => TrafficType::Accept,
        draft::TrafficType::All => TrafficType::All,
        draft::TrafficType::Reject => TrafficType::Reject,
    });
    let interval = interval(scope, draft, found);
    let format = format(draft, found);
    let destination = destination(name, draft, found);
    let owner_name = match covers {
        FlowLogScope::Interface(interface) => {
            format!("interface/{}.{}/{}", interface.instance, interface.device, name.value)
        }
        FlowLogScope::NatGateway(gateway) => format!("nat_gateway/{gateway}/{}", name.value),
        FlowLogScope::Subnet(subnet) => format!("subnet/{subnet}/{}", name.value),
        FlowLogScope::Vpc => name.value.clone(),
    };
    named.then_some(())?;
    Some(FlowLog {
        name: name.value.clone(),
        id: ids::id(Kind::FlowLog, scope.owner(), &owner_name),
        scope: covers.clone(),
        traffic: traffic?,
        interval: interval?,
        format: format?,
        destination: destination?,
    })
}

fn interval(scope: &Scope<'_>, draft: &draft::FlowLog, found: &mut Findings) -> Option<u32> {
    let Some(written) = draft.max_aggregation_interval.get() else { return Some(DEFAULT_INTERVAL) };
    let any = scope.world.settings.flow_log_interval == FlowLogInterval::Any;
    let seconds = u32::try_from(written.value).ok().filter(|s| *s > 0 && (any || matches!(s, 60 | 600)));
    if seconds.is_none() {
        let message = format!("an aggregation interval is 60 or 600 seconds, not {}", written.value);
        let help = "for tests, settings.flow_logs.allow_any_interval allows any number of seconds";
        found.push(Finding::new(Code::FlowLogInterval, written.spot, message).help(help));
    }
    seconds
}

fn format(draft: &draft::FlowLog, found: &mut Findings) -> Option<String> {
    let Some(written) = draft.format.get() else {
        let default: Vec<String> = FIELDS.iter().take(14).map(|field| format!("${{{field}}}")).collect();
        return Some(default.join(" "));
    };
    let words: Vec<&str> = written.value.split_whitespace().collect();
    if words.is_empty() {
        found.push(Finding::new(
            Code::FlowLogFormat,
            written.spot,
            "a flow-log format names at least one field",
        ));
        return None;
    }
    let good = words.iter().filter(|word| field(word, written, found)).count();
    (good == words.len()).then(|| words.join(" "))
}

fn field(word: &str, at: &Text, found: &mut Findings) -> bool {
    let Some(name) = word.strip_prefix("${").and_then(|w| w.strip_suffix('}')) else {
        let message = format!("`{word}` is not of the form ${{field}}");
        found.push(
            Finding::new(Code::FlowLogFormat, at.spot, message)
                .help("such as \"${version} ${srcaddr} ${dstaddr} ${action}\""),
        );
        return false;
    };
    if FIELDS.contains(&name) {
        return true;
    }
    if LATER_FIELDS.contains(&name) {
        let message = format!("the flow-log field `{name}` is not enforced yet");
        found.push(Finding::new(Code::NotEnforcedYet, at.spot, message));
        return false;
    }
    let near = suggest::nearest(name, FIELDS.into_iter().chain(LATER_FIELDS));
    let finding = Finding::new(Code::FlowLogField, at.spot, format!("flow logs have no field `{name}`"));
    found.push(match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    });
    false
}

fn destination(name: &Text, draft: &draft::FlowLog, found: &mut Findings) -> Option<LogDestination> {
    if draft.destination.is_absent() {
        let what = format!("flow log `{}`", name.value);
        missing(found, name.spot, &what, "destination", "such as `destination: { file: logs/all.log }`");
    }
    let destination = draft.destination.get()?;
    later::destination(destination, found);
    let keys = [destination.file.key(), destination.s3.key(), destination.cloudwatch_logs.key()];
    let broken =
        destination.file.is_broken() || destination.s3.is_broken() || destination.cloudwatch_logs.is_broken();
    let mut written = keys.into_iter().flatten();
    match (written.next(), written.next()) {
        (None, _) if !broken => {
            let message = format!("flow log `{}` has no destination", name.value);
            found.push(
                Finding::new(Code::FlowLogDestination, destination.spot, message)
                    .help("such as `file: logs/all.log`"),
            );
        }
        (Some(_), Some(second)) => {
            let message = format!("flow log `{}` has several destinations", name.value);
            found.push(
                Finding::new(Code::FlowLogDestination, second, message)
                    .help("make one flow log per destination"),
            );
        }
        _ => {}
    }
    let file = destination.file.get()?;
    if file.value.is_empty() || file.value.ends_with('/') {
        found.push(Finding::new(Code::FlowLogDestination, file.spot, format!("`{}` is no file", file.value)));
        return None;
    }
    Some(LogDestination::File(PathBuf::from(&file.value)))
}

//! Generated labs are in order, and the oracle has an opinion on all that happens in them.

use std::collections::BTreeMap;

use model::Valid;
use model::lab::{InterfaceRef, Lab};
use oracle::{Leases, Oracle, Outcome, Packet, Verdict};

use super::{Act, Generator};
use crate::arrival::arrived;
use crate::craft::Shape;

const WORLDS: u64 = 120;

const ACTS: usize = 300;

/// What packets must have met so often in all worlds together: a fifth of what they do.
const LEAST: &[(&str, u64)] = &[
    ("EgressOnlyInternetGateway", 100),
    ("EgressOnlyWithoutFlow", 40),
    ("GatewayRoute", 80),
    ("InternetGateway", 700),
    ("NatGateway", 500),
    ("NatIpv6", 4),
    ("NatProtocol", 20),
    ("NatUnsolicited", 90),
    ("NatWithoutTranslation", 25),
    ("NoPublicAddress", 150),
    ("NoRouteBack", 25),
    ("NotGloballyRoutable", 25),
    ("NotOnInternet", 120),
    ("Peering", 70),
    ("PeeringCidr", 10),
    ("RoutingLoop", 30),
    ("delivered to a host", 240),
    ("translated", 35),
];

/// Rules: PC-05, RT-11, RT-20, EI-01
#[test]
fn generated_labs_are_in_order_and_packets_meet_every_gateway() {
    let mut met = BTreeMap::new();
    for seed in 1..=WORLDS {
        let mut generator = Generator::new(seed);
        let (mut lab, mut oracle, mut now) = (load(seed, &generator.text()), Oracle::new(), 1);
        for _ in 0..ACTS {
            match generator.next_act() {
                Act::Apply(text) => lab = load(seed, &text),
                Act::Wait(time) => now += time.as_nanos() as u64,
                Act::Send { from, packet } => {
                    let Some((receiver, shape, words)) = judge(&lab, &mut oracle, &from, &packet, now) else {
                        continue;
                    };
                    words.into_iter().for_each(|word| *met.entry(word).or_insert(0_u64) += 1);
                    if let Some(receiver) = receiver {
                        generator.learn(&receiver, &shape.bytes());
                    }
                }
            }
        }
    }
    let rare: Vec<_> =
        LEAST.iter().filter(|(what, least)| met.get(*what).is_none_or(|n| n < least)).collect();
    assert!(rare.is_empty(), "too rare: {rare:?} of {met:#?}");
}

fn load(seed: u64, text: &str) -> Valid {
    match import::load("generated.yaml", text) {
        Ok((valid, _)) => valid,
        Err(findings) => {
            panic!("seed {seed}: {}", import::render(&findings, "generated.yaml", text, import::Look::Plain))
        }
    }
}

/// Who receives a whole packet of what shape, and what it met.
fn judge(
    valid: &Valid,
    oracle: &mut Oracle,
    from: &str,
    packet: &[u8],
    now: u64,
) -> Option<(Option<String>, Shape, Vec<String>)> {
    let parsed = wire::parse(packet).ok()?;
    let shape = Shape::of(packet)?;
    let verdict = match from.split_once('.') {
        None => oracle.judge_from_internet(valid, &parsed, Leases::Lowest, now),
        Some((instance, device)) => {
            let at = InterfaceRef { instance: instance.to_owned(), device: device.to_owned() };
            let vpc = home(valid.lab(), instance)?;
            oracle.judge(valid, &Packet { vpc, at: &at, parsed: &parsed }, now)
        }
    };
    let receiver = match &verdict.outcome {
        Outcome::Delivered { to: (_, at) } => Some(format!("{}.{}", at.instance, at.device)),
        Outcome::DeliveredToHost { host } => Some(host.clone()),
        Outcome::Dropped { .. } => None,
    };
    Some((receiver, arrived(&shape, &verdict), words(&verdict)))
}

fn home<'l>(lab: &'l Lab, instance: &str) -> Option<&'l str> {
    let vpc = lab.vpcs.values().find(|vpc| vpc.instances.contains_key(instance))?;
    Some(&vpc.name)
}

fn words(verdict: &Verdict) -> Vec<String> {
    let end = match &verdict.outcome {
        Outcome::Delivered { .. } => "delivered".to_owned(),
        Outcome::DeliveredToHost { .. } => "delivered to a host".to_owned(),
        Outcome::Dropped { reason, .. } => format!("{reason:?}"),
    };
    let steps = verdict.trail.iter().map(|step| format!("{:?}", step.kind));
    let arrived =
        verdict.reason().is_none() && verdict.trail.iter().any(|s| s.kind == oracle::StepKind::NatGateway);
    steps.chain([end]).chain(arrived.then(|| "translated".to_owned())).collect()
}

//! Random labs, packets and changes: engines with any number of workers do the same, and the oracle agrees about each packet.
//!
//! `VPCLAB_WORLDS` says how many worlds to try, `VPCLAB_SEED` where to begin and `VPCLAB_ACTS` how long each goes on. A failure prints its seed, the lab and the
//! fewest acts that still show it.

use std::collections::BTreeMap;
use std::time::Duration;

use flowlog::{Field, Format, Line};
use model::Valid;
use vpclab_sim::{Act, Complaint, Fate, Generator, Heard, Trial};

/// Worlds of one run of the test.
const WORLDS: u64 = 120;

/// Acts of one world.
const ACTS: u64 = 400;

/// What packets met in all worlds together.
type Reached = BTreeMap<String, u64>;

/// What packets must have met so often in a hundred worlds: a tenth of what they do, so that no part of the policy drops out
/// of the generator's reach unseen.
const PER_HUNDRED_WORLDS: &[(&str, u64)] = &[
    ("BAD_STATE_NETWORK_INTERFACE", 2),
    ("BAD_STATE_ROUTE", 15),
    ("BROADCAST_OR_MULTICAST", 80),
    ("CONNECTION_CLOSED", 20),
    ("DestCheck", 80),
    ("EIGW_WITHOUT_FLOW", 20),
    ("ENI_SG_RULES_MISMATCH", 900),
    ("ENI_SOURCE_DEST_CHECK_RESTRICTION", 180),
    ("EgressOnlyInternetGateway", 45),
    ("FRAGMENT_OVERLAP", 2),
    ("FRAGMENT_TIMEOUT", 10),
    ("GatewayRoute", 45),
    ("IGW_ADDRESS_NOT_GLOBAL", 12),
    ("IGW_NO_ROUTE_BACK", 15),
    ("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", 80),
    ("IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS", 70),
    ("InternetGateway", 400),
    ("MALFORMED", 50),
    ("NGW_FRAGMENT", 4),
    ("NGW_IPV6", 1),
    ("NGW_PROTOCOL", 4),
    ("NGW_UNSOLICITED", 60),
    ("NGW_WITHOUT_TRANSLATION", 20),
    ("NO_INTERFACE_FOR_ADDRESS", 25),
    ("NO_ROUTE_TO_DESTINATION", 70),
    ("NaclEgress", 900),
    ("NaclIngress", 700),
    ("NatGateway", 200),
    ("PACKET_TOO_BIG", 30),
    ("PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", 5),
    ("Peering", 50),
    ("RESERVED_ADDRESS", 200),
    ("ROUTING_LOOP", 5),
    ("Route", 900),
    ("Route no-route", 70),
    ("SUBNET_ACL_RESTRICTION", 200),
    ("SgEgress", 1_200),
    ("SgEgress no-rule", 500),
    ("SgEgress tracked", 500),
    ("SgEgress untracked", 15),
    ("SgIngress", 500),
    ("SgIngress no-rule", 400),
    ("SgIngress tracked", 300),
    ("SgIngress untracked", 10),
    ("SourceCheck", 90),
    ("TTL_EXCEEDED", 20),
    ("delivered", 800),
    ("delivered by a NAT gateway", 40),
    ("delivered from the other family", 5),
    ("delivered in fragments", 10),
    ("delivered to a host", 120),
    ("held", 40),
    ("released", 30),
    ("told", 30),
    ("told in vain", 1),
];

/// Rules: SG-01, SG-02, SG-13, SG-14, SG-24, SG-26, NA-01, NA-02, NA-11, RT-05, FL-36, OR-01, OR-02, OR-05
#[test]
fn engines_and_oracle_agree() {
    let (first, worlds) = (number("VPCLAB_SEED", 1), number("VPCLAB_WORLDS", WORLDS));
    let mut reached = Reached::new();
    for seed in first..first + worlds {
        let (lab, acts, end) = live(seed, &mut reached);
        if let Err(complaint) = end {
            let (acts, complaint) = shrink(&lab, acts, complaint);
            panic!("{}", report(seed, &lab, &acts, &complaint));
        }
    }
    let enough = |(what, least): &&(&str, u64)| reached.get(*what).is_some_and(|n| n * 100 >= least * worlds);
    let missed: Vec<_> = PER_HUNDRED_WORLDS.iter().filter(|minimum| !enough(minimum)).collect();
    assert!(worlds < WORLDS || missed.is_empty(), "too rare: {missed:?} of {reached:#?}");
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .map_or(default, |text| text.parse().expect("a number in VPCLAB_ACTS, VPCLAB_SEED and VPCLAB_WORLDS"))
}

/// One run: the first lab, what happened, and how it ended.
fn live(seed: u64, reached: &mut Reached) -> (String, Vec<Act>, Result<(), Complaint>) {
    let mut generator = Generator::new(seed);
    let lab = generator.text();
    let mut trial = Trial::new(&load(&lab));
    let mut acts = Vec::new();
    for _ in 0..number("VPCLAB_ACTS", ACTS) {
        let act = generator.next_act();
        acts.push(act.clone());
        match play(&mut trial, &act) {
            Err(complaint) => return (lab, acts, Err(complaint)),
            Ok(None) => {}
            Ok(Some(heard)) => {
                note(&heard, reached);
                if let (Some(to), [delivery]) = (trial.receiver(&heard.sent.fate), &heard.sent.deliveries[..])
                {
                    generator.learn(to, &delivery.packet);
                }
                if heard.told.is_some() || !heard.sent.errors.is_empty() {
                    generator.learn_too_big();
                }
            }
        }
    }
    let end = trial.finish().map(|lines| same_lines(seed, &trial, &lines));
    let timeouts = trial.counters().dropped(engine::DropReason::FragmentTimeout);
    *reached.entry("FRAGMENT_TIMEOUT".to_owned()).or_default() += timeouts;
    (lab, acts, end)
}

/// Interface, direction, verdict, path, protocol, addresses and ports of records with what they sum.
type Sums = BTreeMap<String, (u64, u64)>;

/// What the lines of all windows say together is what the oracle says that flow logs must count.
fn same_lines(seed: u64, trial: &Trial, lines: &[Line]) {
    let format = Format::parse(Generator::FORMAT).expect("a format of known fields");
    let mut expected = Sums::new();
    for record in trial.recorded() {
        let tuple = record.tuple;
        let (src_port, dst_port) = if tuple.has_ports() { (tuple.src_port, tuple.dst_port) } else { (0, 0) };
        let path = record.traffic_path.map_or_else(|| "-".to_owned(), |path| path.to_string());
        let (action, direction) = (format!("{:?}", record.action), format!("{:?}", record.direction));
        let key = format!(
            "{} {} {} {src_port} {dst_port} {} {} {} {path}",
            record.interface_id,
            tuple.src,
            tuple.dst,
            tuple.proto,
            action.to_uppercase(),
            direction.to_lowercase(),
        );
        add(&mut expected, key, record.packets, record.bytes);
    }
    let mut found = Sums::new();
    // Lines of other flow logs have another number of fields.
    for line in lines.iter().filter_map(|line| flowlog::parse_line(&format, &line.text).ok()) {
        let (Some(packets), Some(bytes)) = (line.number(Field::Packets), line.number(Field::Bytes)) else {
            continue;
        };
        let key = KEY.map(|field| line.get(field).unwrap_or("-")).join(" ");
        add(&mut found, key, packets, bytes);
    }
    let keys = found.keys().chain(expected.keys());
    let wrong: Vec<_> = keys.filter(|key| found.get(*key) != expected.get(*key)).collect();
    let told = |key: &&String| format!("{key}: lines {:?}, oracle {:?}", found.get(*key), expected.get(*key));
    assert!(wrong.is_empty(), "seed {seed}: {:#?}", wrong.iter().map(told).collect::<Vec<_>>());
}

const KEY: [Field; 9] = [
    Field::InterfaceId,
    Field::PktSrcAddr,
    Field::PktDstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Action,
    Field::FlowDirection,
    Field::TrafficPath,
];

fn add(sums: &mut Sums, key: String, packets: u64, bytes: u64) {
    let sum = sums.entry(key).or_default();
    *sum = (sum.0 + packets, sum.1 + bytes);
}

fn play(trial: &mut Trial, act: &Act) -> Result<Option<Heard>, Complaint> {
    match act {
        Act::Apply(text) => {
            // What was sent before a change was sent before it: coverage by flow logs ends with the time of the change.
            trial.advance(Duration::from_nanos(1))?;
            trial.apply(&load(text));
            Ok(None)
        }
        Act::Send { from, packet } => trial.send(from, packet).map(Some),
        Act::Wait(time) => trial.advance(*time).map(|()| None),
    }
}

fn load(text: &str) -> Valid {
    match import::load("generated.yaml", text) {
        Ok((valid, _)) => valid,
        Err(findings) => panic!("a generated lab is in order, not {findings:#?}\n{text}"),
    }
}

fn note(heard: &Heard, reached: &mut Reached) {
    let mut meet = |what: String, times: usize| *reached.entry(what).or_default() += times as u64;
    match &heard.sent.fate {
        Fate::Delivered(_) | Fate::DeliveredToHost(_) if heard.sent.deliveries.len() > 1 => {
            meet("delivered in fragments".to_owned(), 1)
        }
        Fate::Delivered(_) => meet("delivered".to_owned(), 1),
        Fate::DeliveredToHost(_) => meet("delivered to a host".to_owned(), 1),
        Fate::Dropped(reason) => meet(reason.code().to_owned(), 1),
        Fate::Held => meet("held".to_owned(), 1),
    }
    if let Some(verdict) = heard.verdict.as_ref().filter(|verdict| verdict.reason().is_none()) {
        let by_gateway = verdict.trail.iter().any(|step| step.kind == oracle::StepKind::NatGateway);
        meet("delivered by a NAT gateway".to_owned(), usize::from(by_gateway));
        let like = verdict.records.first().map_or(verdict.tuple, |record| record.tuple);
        let crossed = like.src.is_ipv4() != verdict.tuple.src.is_ipv4();
        meet("delivered from the other family".to_owned(), usize::from(crossed));
    }
    for step in heard.verdict.iter().flat_map(|verdict| &verdict.trail) {
        meet(
            match step.decided_by.as_str() {
                word @ (oracle::TRACKED | oracle::UNTRACKED | oracle::NO_RULE | oracle::NO_ROUTE) => {
                    format!("{:?} {word}", step.kind)
                }
                _ => format!("{:?}", step.kind),
            },
            1,
        );
    }
    meet("released".to_owned(), heard.released.len());
    if let Some(told) = &heard.told {
        meet(if told.reason().is_none() { "told" } else { "told in vain" }.to_owned(), 1);
    }
}

/// Leaves out every act without which it fails all the same.
fn shrink(lab: &str, mut acts: Vec<Act>, mut complaint: Complaint) -> (Vec<Act>, Complaint) {
    let mut size = acts.len() / 2;
    while size > 0 {
        let mut end = acts.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let fewer = [&acts[..start], &acts[end..]].concat();
            if let Some(other) = replay(lab, &fewer) {
                (acts, complaint) = (fewer, other);
            }
            end = start;
        }
        size /= 2;
    }
    (acts, complaint)
}

fn replay(lab: &str, acts: &[Act]) -> Option<Complaint> {
    let mut trial = Trial::new(&load(lab));
    for act in acts {
        // An interface or a host may come with a change that was left out.
        if let Act::Send { from, .. } = act
            && trial.ports().all(|known| known != from)
        {
            continue;
        }
        if let Err(complaint) = play(&mut trial, act) {
            return Some(complaint);
        }
    }
    trial.finish().err()
}

fn report(seed: u64, lab: &str, acts: &[Act], complaint: &Complaint) -> String {
    let one = |act: &Act| match act {
        Act::Apply(text) => format!("apply\n{text}"),
        Act::Send { from, packet } => match wire::parse(packet) {
            Ok(parsed) => format!("{from} sends `{parsed}`, {:?}", parsed.transport),
            Err(_) => format!("{from} sends {packet:02x?}"),
        },
        Act::Wait(time) => format!("wait {time:?}"),
    };
    let acts: Vec<_> = acts.iter().map(one).collect();
    format!("seed {seed}: {complaint}\n\n{lab}\n{}", acts.join("\n"))
}

//! The lines depend on the packets, not on which worker saw them or whose report came first.

use engine::{Action, Direction, Event, TapEvent, Time};
use proptest::prelude::*;
use snapshot::spec::{FlowLogSpec, TrafficFilter};
use wire::proto;

use super::world::{World, flow_log, interface, packet, secs, texts, tuple};
use crate::FlowLogs;

const ENIS: [&str; 3] = ["eni-a", "eni-b", "eni-c"];
const MINUTES: u64 = 6;
/// When the second snapshot comes.
const CHANGE: Time = Time::from_secs(200);

/// What happened, without saying which worker saw it.
#[derive(Clone, Debug)]
struct Happening {
    eni: usize,
    from: u64,
    length: u64,
    port: u16,
    kind: u8,
    packets: u64,
}

impl Happening {
    /// Within one report interval, as the engine's events are.
    fn event(&self, world: &World) -> Event {
        let minute_end = (self.from / 60 + 1) * 60 - 1;
        let interface = world.ix(ENIS[self.eni]);
        if self.kind == 7 {
            return Event::Skipped { interface, at: secs(self.from), packets: self.packets };
        }
        let egress = self.kind & 1 == 1;
        let protocol = if self.kind & 4 == 0 { proto::TCP } else { proto::ICMP };
        Event::Tap(TapEvent {
            direction: if egress { Direction::Egress } else { Direction::Ingress },
            action: if self.kind & 2 == 0 { Action::Accept } else { Action::Reject },
            traffic_path: egress.then_some(1),
            tuple: tuple(protocol, ("10.0.0.9", self.port), ("10.0.0.1", 22)),
            packets: self.packets,
            bytes: self.packets * 40,
            last: secs((self.from + self.length).min(minute_end)),
            tcp_flags: self.kind & 3,
            ..packet(interface, self.from)
        })
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    (0..ENIS.len(), 0..MINUTES * 60, 0..60_u64, 1..4_u16, 0..8_u8, 1..100_u64).prop_map(
        |(eni, from, length, port, kind, packets)| Happening { eni, from, length, port, kind, packets },
    )
}

/// What one worker tells in one minute comes in its order and before its report; `turns` says whose turn it is.
struct Schedule {
    workers: usize,
    /// Worker of each happening, modulo the number of workers.
    owners: Vec<usize>,
    turns: Vec<usize>,
}

/// Two flow logs with different windows, filters and interfaces.
fn worlds() -> (World, World) {
    let world = || {
        let interfaces = ENIS.map(|id| interface(id, &["10.0.0.1"])).into();
        let rejects = FlowLogSpec {
            id: "fl-2".into(),
            interval: 180,
            traffic: TrafficFilter::Reject,
            ..flow_log(&["eni-b", "eni-c"])
        };
        World::new(interfaces, vec![flow_log(&["eni-a", "eni-b"]), rejects])
    };
    let mut changed = world();
    changed.edit(|lab| {
        lab.flow_logs[0].interfaces = vec!["eni-b".into(), "eni-c".into()];
        lab.flow_logs[1].traffic = TrafficFilter::All;
        lab.interfaces[1].ipv4 = vec!["10.0.0.2".parse().expect("an address")];
    });
    (world(), changed)
}

/// All lines of the run, in order.
fn run((before, after): &(World, World), happenings: &[Happening], schedule: &Schedule) -> Vec<String> {
    let mut logs = FlowLogs::new(schedule.workers, secs(0));
    logs.handle_snapshot(&before.snapshot, secs(0));
    let mut lines = Vec::new();
    let mut turns = schedule.turns.iter().copied().cycle();
    for minute in 0..MINUTES {
        if secs(minute * 60) <= CHANGE && CHANGE < secs(minute * 60 + 60) {
            logs.handle_snapshot(&after.snapshot, CHANGE);
        }
        let mut queues = queues(before, happenings, schedule, minute);
        while queues.iter().any(|queue| !queue.is_empty()) {
            let worker = turns.next().unwrap_or(0) % schedule.workers;
            let worker =
                (worker..schedule.workers).chain(0..worker).find(|worker| !queues[*worker].is_empty());
            let worker = worker.expect("the loop's condition");
            logs.handle_event(worker, &queues[worker].remove(0));
            lines.extend(texts(&mut logs));
        }
    }
    logs.finish(secs(MINUTES * 60));
    lines.extend(texts(&mut logs));
    lines
}

/// Per worker, its events of a minute and then its report.
fn queues(world: &World, happenings: &[Happening], schedule: &Schedule, minute: u64) -> Vec<Vec<Event>> {
    let mut queues = vec![Vec::new(); schedule.workers];
    for (happening, owner) in happenings.iter().zip(schedule.owners.iter().cycle()) {
        if happening.from / 60 == minute {
            queues[owner % schedule.workers].push(happening.event(world));
        }
    }
    queues.iter_mut().for_each(|queue| queue.push(Event::Flushed(secs(minute * 60 + 60))));
    queues
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Rules: FL-11, FL-13, FL-39
    #[test]
    fn any_partition_over_workers_gives_the_same_lines(
        happenings in prop::collection::vec(happening(), 0..60),
        owners in prop::collection::vec(0..8_usize, 1..60),
        turns in prop::collection::vec(0..8_usize, 1..60),
        workers in prop::sample::select(vec![2_usize, 3, 8]),
    ) {
        let worlds = worlds();
        let alone = run(&worlds, &happenings, &Schedule { workers: 1, owners: vec![0], turns: vec![0] });
        let shared = run(&worlds, &happenings, &Schedule { workers, owners, turns });
        prop_assert_eq!(alone, shared);
    }
}

/// Rules: FL-11, FL-14
#[test]
fn no_packet_of_a_covered_interface_is_lost_or_counted_twice() {
    let worlds = worlds();
    let happenings: Vec<_> = (0..MINUTES * 60)
        .map(|at| Happening { eni: 1, from: at, length: 3, port: 1, kind: 2, packets: at })
        .collect();
    let schedule = Schedule { workers: 3, owners: vec![0, 2, 1, 1], turns: vec![2, 0, 1] };
    let lines = run(&worlds, &happenings, &schedule);
    let packets =
        lines.iter().map(|line| line.split(' ').nth(8).and_then(|word| word.parse().ok()).unwrap_or(0));
    // Both flow logs cover the interface from beginning to end, before and after the change.
    assert_eq!(packets.sum::<u64>(), 2 * (0..MINUTES * 60).sum::<u64>());
}

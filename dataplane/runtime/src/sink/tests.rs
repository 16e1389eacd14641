use std::net::Ipv4Addr;
use std::thread;

use crossbeam::channel::Receiver;
use engine::{Action, Direction, TapEvent, Time};

use super::*;

const WEB: InterfaceIx = InterfaceIx(3);

fn tap() -> Event {
    Event::Tap(TapEvent {
        interface: WEB,
        direction: Direction::Egress,
        action: Action::Accept,
        traffic_path: None,
        tuple: wire::FiveTuple {
            src: Ipv4Addr::new(10, 0, 0, 1).into(),
            dst: Ipv4Addr::new(10, 0, 0, 2).into(),
            proto: 17,
            src_port: 1,
            dst_port: 2,
        },
        packets: 2,
        bytes: 80,
        first: Time(5),
        last: Time(6),
        tcp_flags: 0,
    })
}

fn taps(count: usize) -> Vec<Event> {
    vec![tap(); count]
}

fn skipped(packets: u64) -> Event {
    Event::Skipped { interface: WEB, at: Time(5), packets }
}

/// What waits for the writer, which has then taken it.
fn taken(from: &Receiver<Message>, room: &Room) -> Vec<Event> {
    let events: Vec<Event> = from.try_iter().flat_map(events_of).collect();
    room.give(events.len());
    events
}

/// Rules: FL-07, FL-39
#[test]
fn events_beyond_the_room_of_all_workers_are_skipped_until_the_writer_has_caught_up() {
    let (to, from) = bounded(10);
    let room = Room::new(4);
    let mut sinks = [0, 1].map(|worker| EventSink::new(worker, to.clone(), Arc::clone(&room)));
    sinks[0].offer(taps(3));
    sinks[1].offer(taps(3));
    assert_eq!(taken(&from, &room), taps(4), "messages have room left, events have not");
    sinks[1].offer([tap(), Event::Flushed(Time(9))]);
    assert_eq!(taken(&from, &room), [tap(), skipped(4), Event::Flushed(Time(9))]);
    assert_eq!(room.used.load(Ordering::Relaxed), 0);
}

/// Rules: FL-39
#[test]
fn what_waits_for_room_in_the_queue_takes_room_too() {
    let (to, from) = bounded(1);
    let room = Room::new(4);
    let mut sink = EventSink::new(0, to, Arc::clone(&room));
    for _ in 0..9 {
        sink.offer(taps(1));
    }
    assert_eq!(taken(&from, &room), taps(1));
    sink.offer([Event::Flushed(Time(9))]);
    assert_eq!(taken(&from, &room), [taps(3), vec![skipped(10), Event::Flushed(Time(9))]].concat());
}

/// Rules: FL-11
#[test]
fn the_last_events_wait_for_the_writer_however_many_they_are() {
    let (to, from) = bounded(1);
    let mut sink = EventSink::new(0, to, Room::new(4));
    sink.offer(taps(3));
    let writer = thread::spawn(move || {
        let (mut events, mut most) = (Vec::new(), 0);
        while let Ok(Message::Events(batch)) = from.recv() {
            most = most.max(batch.events.len());
            events.extend(batch.events);
            batch.taken.map(|taken| taken.send(()));
        }
        (events, most)
    });
    sink.finish(taps(5 * SLICE));
    let (events, most) = writer.join().expect("no panic");
    assert_eq!(most, SLICE);
    assert!(events == taps(5 * SLICE + 3), "nothing is skipped");
}

/// Rules: FL-39
#[test]
fn a_writer_that_takes_nothing_does_not_hold_up_the_end_of_a_worker() {
    let (to, from) = bounded(2);
    let sink = EventSink::new(0, to, Room::new(4));
    sink.finish_within(taps(SLICE + 7), Duration::from_millis(1));
    let events: Vec<Event> = from.try_iter().flat_map(events_of).collect();
    assert!(events[..SLICE] == taps(SLICE), "the slice that was sent");
    assert_eq!(events[SLICE..], [skipped(14)]);
}

//! When windows begin, end and come out, and what is in them.

use std::path::Path;

use engine::{Action, Direction, Event, TapEvent};
use snapshot::spec::{FlowLogSpec, TrafficFilter};

use super::world::{ENI, World, feed, flow_log, flush, interface, packet, secs, texts};
use crate::{FlowLogs, Line};

/// One interface and one flow log, followed from second 0 by one worker.
fn one_log(edit: impl FnOnce(&mut FlowLogSpec)) -> (World, FlowLogs) {
    let mut spec = flow_log(&[ENI]);
    spec.format = "${start} ${end} ${packets} ${bytes} ${action} ${log-status}".into();
    edit(&mut spec);
    let world = World::new(vec![interface(ENI, &["10.0.0.1"])], vec![spec]);
    let mut logs = FlowLogs::new(1, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    (world, logs)
}

/// Rules: FL-11, FL-12, FL-13
#[test]
fn windows_of_a_minute_begin_at_full_minutes() {
    let (world, mut logs) = one_log(|_| {});
    feed(&mut logs, [3, 59, 60, 119].map(|at| packet(world.ix(ENI), at)));
    assert_eq!(flush(&mut logs, 120), ["3 59 2 80 ACCEPT OK", "60 119 2 80 ACCEPT OK"]);
}

/// Rules: FL-11, FL-12, FL-13
#[test]
fn windows_of_ten_minutes_take_ten_reports_of_a_minute() {
    let (world, mut logs) = one_log(|spec| spec.interval = 600);
    for minute in 0..11 {
        feed(&mut logs, [packet(world.ix(ENI), minute * 60 + 5)]);
        let lines = flush(&mut logs, minute * 60 + 60);
        assert_eq!(lines.len(), usize::from(minute == 9), "{lines:?}");
        assert!(lines.iter().all(|line| line == "5 545 10 400 ACCEPT OK"), "{lines:?}");
    }
}

/// Rules: FL-12
#[test]
fn a_lab_may_set_windows_of_seconds() {
    let (world, mut logs) = one_log(|spec| spec.interval = 5);
    feed(&mut logs, [4, 5, 9].map(|at| packet(world.ix(ENI), at)));
    assert_eq!(flush(&mut logs, 10), ["4 4 1 40 ACCEPT OK", "5 9 2 80 ACCEPT OK"]);
}

/// Rules: FL-08
#[test]
fn a_window_waits_for_the_slowest_worker() {
    let (world, _) = one_log(|_| {});
    let mut logs = FlowLogs::new(2, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    feed(&mut logs, [packet(world.ix(ENI), 3)]);
    assert_eq!(flush(&mut logs, 60), [""; 0]);
    logs.handle_event(1, &Event::Tap(packet(world.ix(ENI), 8)));
    logs.handle_event(1, &Event::Flushed(secs(59)));
    assert_eq!(texts(&mut logs), [""; 0]);
    logs.handle_event(1, &Event::Flushed(secs(60)));
    assert_eq!(texts(&mut logs), ["3 8 2 80 ACCEPT OK"]);
}

/// Rules: FL-11, FL-36
#[test]
fn verdict_direction_and_path_split_a_flow() {
    let (world, mut logs) =
        one_log(|spec| spec.format = "${action} ${flow-direction} ${traffic-path}".into());
    let ingress = packet(world.ix(ENI), 1);
    let egress = TapEvent { direction: Direction::Egress, traffic_path: Some(1), ..ingress };
    feed(
        &mut logs,
        [
            ingress,
            TapEvent { action: Action::Reject, ..ingress },
            egress,
            TapEvent { traffic_path: Some(8), ..egress },
            TapEvent { traffic_path: None, ..egress },
            egress,
        ],
    );
    assert_eq!(
        flush(&mut logs, 60),
        ["ACCEPT egress -", "ACCEPT egress 1", "ACCEPT egress 8", "ACCEPT ingress -", "REJECT ingress -"]
    );
}

/// Rules: FL-40, FL-41
#[test]
fn flags_of_a_window_are_combined_and_the_next_starts_without_them() {
    let (world, mut logs) = one_log(|spec| spec.format = "${tcp-flags}".into());
    let flags = |at, tcp_flags| TapEvent { tcp_flags, ..packet(world.ix(ENI), at) };
    feed(&mut logs, [flags(1, 18), flags(2, 0), flags(3, 1), flags(60, 1)]);
    assert_eq!(flush(&mut logs, 120), ["19", "1"]);
}

/// Rules: FL-39
#[test]
fn silence_is_a_no_data_record_per_window() {
    let (world, mut logs) = one_log(|_| {});
    assert_eq!(flush(&mut logs, 60), ["0 60 - - - NODATA"]);
    feed(&mut logs, [packet(world.ix(ENI), 61)]);
    assert_eq!(flush(&mut logs, 180), ["61 61 1 40 ACCEPT OK", "120 180 - - - NODATA"]);
}

/// Rules: FL-39
#[test]
fn skipped_records_are_one_line_per_interface_and_window_beside_what_was_kept() {
    let (world, mut logs) = one_log(|_| {});
    let interface = world.ix(ENI);
    feed(&mut logs, [packet(interface, 1)]);
    for at in [2, 30, 60] {
        logs.handle_event(0, &Event::Skipped { interface, at: secs(at), packets: 7 });
    }
    assert_eq!(
        flush(&mut logs, 180),
        ["0 60 - - - SKIPDATA", "1 1 1 40 ACCEPT OK", "60 120 - - - SKIPDATA", "120 180 - - - NODATA"]
    );
}

/// Rules: FL-04
#[test]
fn the_filter_keeps_one_verdict_or_both() {
    for (traffic, expected) in [
        (TrafficFilter::All, ["1 1 1 40 ACCEPT OK", "2 2 1 40 REJECT OK"].as_slice()),
        (TrafficFilter::Accept, &["1 1 1 40 ACCEPT OK"]),
        (TrafficFilter::Reject, &["2 2 1 40 REJECT OK"]),
    ] {
        let (world, mut logs) = one_log(|spec| spec.traffic = traffic);
        let rejected = TapEvent { action: Action::Reject, ..packet(world.ix(ENI), 2) };
        feed(&mut logs, [packet(world.ix(ENI), 1), rejected]);
        assert_eq!(flush(&mut logs, 60), expected, "{traffic:?}");
    }
}

/// Rules: FL-04, FL-39
#[test]
fn traffic_that_the_filter_leaves_out_is_no_data() {
    let (world, mut logs) = one_log(|spec| spec.traffic = TrafficFilter::Reject);
    feed(&mut logs, [packet(world.ix(ENI), 1)]);
    assert_eq!(flush(&mut logs, 60), ["0 60 - - - NODATA"]);
}

/// Rules: FL-06
#[test]
fn several_flow_logs_on_one_interface_have_records_each() {
    let (mut world, _) = one_log(|_| {});
    world.edit(|lab| {
        let second =
            FlowLogSpec { id: "fl-2".into(), file: "logs/rejects.log".into(), ..(*lab.flow_logs[0]).clone() };
        lab.flow_logs.push(second.into());
    });
    let mut logs = FlowLogs::new(1, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    feed(&mut logs, [packet(world.ix(ENI), 1)]);
    logs.handle_event(0, &Event::Flushed(secs(60)));
    let line = |flow_log: &str, file: &str| Line {
        flow_log: flow_log.into(),
        file: Path::new(file).into(),
        text: "1 1 1 40 ACCEPT OK".into(),
    };
    let lines: Vec<_> = std::iter::from_fn(|| logs.poll_line()).collect();
    assert_eq!(lines, [line("fl-1", "logs/all.log"), line("fl-2", "logs/rejects.log")]);
}

/// Rules: FL-06, FL-12
#[test]
fn flow_logs_with_different_windows_come_out_in_the_order_of_their_ends() {
    let (mut world, _) = one_log(|spec| spec.format = "${end}".into());
    world.edit(|lab| {
        let slow = FlowLogSpec { id: "fl-0".into(), interval: 120, ..(*lab.flow_logs[0]).clone() };
        lab.flow_logs.push(slow.into());
    });
    let mut logs = FlowLogs::new(1, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    logs.handle_event(0, &Event::Flushed(secs(240)));
    let lines = std::iter::from_fn(|| logs.poll_line()).map(|line| (line.flow_log, line.text));
    let expected = [("fl-1", 60), ("fl-0", 120), ("fl-1", 120), ("fl-1", 180), ("fl-0", 240), ("fl-1", 240)];
    assert!(lines.eq(expected.map(|(id, end)| (id.into(), end.to_string()))));
}

/// Rules: FL-02, FL-11
#[test]
fn records_of_a_window_are_ordered_by_interface_then_time_then_flow() {
    let ids = ["eni-b", "eni-a", "eni-c"];
    let mut spec = flow_log(&ids);
    spec.format = "${interface-id} ${srcport} ${log-status}".into();
    let world = World::new(ids.map(|id| interface(id, &["10.0.0.1"])).into(), vec![spec]);
    let mut logs = FlowLogs::new(1, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    let from = |id, at, port| {
        let mut event = packet(world.ix(id), at);
        event.tuple.src_port = port;
        event
    };
    feed(&mut logs, [from("eni-b", 9, 1), from("eni-b", 4, 3), from("eni-a", 30, 1), from("eni-b", 4, 2)]);
    assert_eq!(
        flush(&mut logs, 60),
        ["eni-a 1 OK", "eni-b 2 OK", "eni-b 3 OK", "eni-b 1 OK", "eni-c - NODATA"]
    );
}

/// Rules: FL-13
#[test]
fn shutdown_emits_open_windows_up_to_now() {
    let (world, mut logs) = one_log(|_| {});
    feed(&mut logs, [packet(world.ix(ENI), 3)]);
    logs.finish(secs(7));
    assert_eq!(texts(&mut logs), ["3 3 1 40 ACCEPT OK"]);

    let (_, mut logs) = one_log(|_| {});
    logs.finish(secs(67));
    assert_eq!(texts(&mut logs), ["0 60 - - - NODATA", "60 67 - - - NODATA"]);
}

#[test]
fn a_report_that_comes_too_late_for_its_window_is_in_the_next_one() {
    let (world, mut logs) = one_log(|_| {});
    assert_eq!(flush(&mut logs, 60), ["0 60 - - - NODATA"]);
    feed(&mut logs, [packet(world.ix(ENI), 30)]);
    assert_eq!(flush(&mut logs, 120), ["30 30 1 40 ACCEPT OK"]);
}

#[test]
fn events_about_interfaces_without_a_flow_log_leave_no_record() {
    let (mut world, _) = one_log(|_| {});
    world.edit(|lab| lab.interfaces.push(interface("eni-other", &["10.0.0.2"]).into()));
    let mut logs = FlowLogs::new(1, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    feed(&mut logs, [packet(world.ix("eni-other"), 1)]);
    assert_eq!(flush(&mut logs, 60), ["0 60 - - - NODATA"]);
}

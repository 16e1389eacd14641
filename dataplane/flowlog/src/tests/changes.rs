//! What happens to open windows when the lab changes.

use engine::TapEvent;
use snapshot::spec::FlowLogSpec;

use super::world::{ENI, World, feed, flow_log, flush, interface, packet, secs, texts};
use crate::FlowLogs;

const OTHER: &str = "eni-2222bbbb3333cccc4";
const FORMAT: &str = "${interface-id} ${dstaddr} ${start} ${end} ${packets} ${log-status}";

/// Two interfaces of which one flow log covers the first.
fn start() -> (World, FlowLogs) {
    let spec = FlowLogSpec { format: FORMAT.into(), ..flow_log(&[ENI]) };
    let interfaces = vec![interface(ENI, &["10.0.0.1"]), interface(OTHER, &["10.0.0.2"])];
    let world = World::new(interfaces, vec![spec]);
    let mut logs = FlowLogs::new(1, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    (world, logs)
}

/// Rules: FL-05
#[test]
fn an_unchanged_flow_log_keeps_its_open_window() {
    let (mut world, mut logs) = start();
    feed(&mut logs, [packet(world.ix(ENI), 3)]);
    world.edit(|lab| lab.settings.icmp = 31);
    logs.handle_snapshot(&world.snapshot, secs(20));
    feed(&mut logs, [packet(world.ix(ENI), 40)]);
    assert_eq!(flush(&mut logs, 60), [format!("{ENI} 10.0.0.1 3 40 2 OK")]);
}

/// Rules: FL-02, FL-39
#[test]
fn an_interface_that_comes_later_is_covered_from_then_on() {
    let (mut world, mut logs) = start();
    world.edit(|lab| lab.flow_logs[0].interfaces.push(OTHER.into()));
    feed(&mut logs, [packet(world.ix(OTHER), 10), packet(world.ix(ENI), 11)]);
    logs.handle_snapshot(&world.snapshot, secs(20));
    let covered = [format!("{ENI} 10.0.0.1 11 11 1 OK"), format!("{OTHER} - 20 60 - NODATA")];
    assert_eq!(flush(&mut logs, 60), covered);
    feed(&mut logs, [packet(world.ix(OTHER), 61)]);
    let covered = [format!("{ENI} - 60 120 - NODATA"), format!("{OTHER} 10.0.0.2 61 61 1 OK")];
    assert_eq!(flush(&mut logs, 120), covered);
}

/// Rules: FL-02, FL-39
#[test]
fn an_interface_is_not_silent_in_a_window_that_ended_before_it_was_covered() {
    let (mut world, mut logs) = start();
    world.edit(|lab| lab.flow_logs[0].interfaces.push(OTHER.into()));
    logs.handle_snapshot(&world.snapshot, secs(60));
    assert_eq!(flush(&mut logs, 60), [format!("{ENI} - 0 60 - NODATA")]);
}

/// Rules: FL-02
#[test]
fn a_report_that_began_before_its_interface_was_covered_counts() {
    let (mut world, mut logs) = start();
    world.edit(|lab| lab.flow_logs[0].interfaces = vec![OTHER.into()]);
    logs.handle_snapshot(&world.snapshot, secs(80));
    feed(&mut logs, [TapEvent { first: secs(50), packets: 4, ..packet(world.ix(OTHER), 90) }]);
    let lines = flush(&mut logs, 120);
    assert_eq!(lines.last(), Some(&format!("{OTHER} 10.0.0.2 50 90 4 OK")));
}

/// Rules: FL-39
#[test]
fn an_interface_that_is_removed_keeps_its_records_and_then_is_silent() {
    let (mut world, mut logs) = start();
    let gone = world.ix(ENI);
    feed(&mut logs, [packet(gone, 3)]);
    world.edit(|lab| {
        lab.interfaces.retain(|interface| interface.id != ENI);
        lab.flow_logs[0].interfaces = vec![OTHER.into()];
    });
    logs.handle_snapshot(&world.snapshot, secs(20));
    // Reported late, but about the time before the removal; and one after it.
    feed(&mut logs, [packet(gone, 19), packet(gone, 20)]);
    let lines = [format!("{ENI} 10.0.0.1 3 19 2 OK"), format!("{OTHER} - 20 60 - NODATA")];
    assert_eq!(flush(&mut logs, 60), lines);
    assert_eq!(flush(&mut logs, 120), [format!("{OTHER} - 60 120 - NODATA")]);
}

/// Rules: FL-05
#[test]
fn a_removed_flow_log_ends_once_every_worker_reported_past_its_removal() {
    let (mut world, mut logs) = start();
    feed(&mut logs, [packet(world.ix(ENI), 3)]);
    world.edit(|lab| lab.flow_logs.clear());
    logs.handle_snapshot(&world.snapshot, secs(20));
    assert_eq!(flush(&mut logs, 15), [""; 0]);
    feed(&mut logs, [packet(world.ix(ENI), 18), packet(world.ix(ENI), 21)]);
    assert_eq!(flush(&mut logs, 20), [format!("{ENI} 10.0.0.1 3 18 2 OK")]);
    assert_eq!(flush(&mut logs, 600), [""; 0]);
}

/// Rules: FL-05, FL-39
#[test]
fn a_removed_flow_log_without_traffic_says_so_up_to_its_removal() {
    let (mut world, mut logs) = start();
    world.edit(|lab| lab.flow_logs.clear());
    logs.handle_snapshot(&world.snapshot, secs(60));
    assert_eq!(flush(&mut logs, 600), [format!("{ENI} - 0 60 - NODATA")]);
}

/// Rules: FL-05
#[test]
fn a_changed_flow_log_is_a_new_one() {
    let (mut world, mut logs) = start();
    feed(&mut logs, [packet(world.ix(ENI), 3)]);
    world.edit(|lab| lab.flow_logs[0].format = "${start} ${end} ${packets} ${action}".into());
    logs.handle_snapshot(&world.snapshot, secs(20));
    feed(&mut logs, [packet(world.ix(ENI), 40)]);
    assert_eq!(flush(&mut logs, 60), [format!("{ENI} 10.0.0.1 3 3 1 OK"), "40 40 1 ACCEPT".into()]);
}

/// Rules: FL-05
#[test]
fn a_report_across_the_change_of_a_flow_log_is_recorded_once() {
    let (mut world, mut logs) = start();
    world.edit(|lab| lab.flow_logs[0].interval = 120);
    logs.handle_snapshot(&world.snapshot, secs(20));
    feed(&mut logs, [TapEvent { first: secs(10), ..packet(world.ix(ENI), 30) }]);
    assert_eq!(
        flush(&mut logs, 120),
        [format!("{ENI} 10.0.0.1 10 30 1 OK"), format!("{ENI} - 20 120 - NODATA")]
    );
}

/// Rules: FL-30
#[test]
fn records_show_the_address_that_the_interface_had_at_the_time() {
    let (mut world, mut logs) = start();
    feed(&mut logs, [packet(world.ix(ENI), 3)]);
    world.edit(|lab| lab.interfaces[0].ipv4 = vec!["10.0.0.77".parse().expect("an address")]);
    logs.handle_snapshot(&world.snapshot, secs(20));
    feed(&mut logs, [packet(world.ix(ENI), 30), packet(world.ix(ENI), 19)]);
    let lines = [format!("{ENI} 10.0.0.1 3 19 2 OK"), format!("{ENI} 10.0.0.77 30 30 1 OK")];
    assert_eq!(flush(&mut logs, 60), lines);
}

/// Rules: FL-39
#[test]
fn a_change_of_address_does_not_make_two_no_data_records() {
    let (mut world, mut logs) = start();
    world.edit(|lab| lab.interfaces[0].ipv4 = vec!["10.0.0.77".parse().expect("an address")]);
    logs.handle_snapshot(&world.snapshot, secs(20));
    assert_eq!(flush(&mut logs, 60), [format!("{ENI} - 0 60 - NODATA")]);
}

/// Rules: FL-05
#[test]
fn a_flow_log_that_comes_back_is_a_new_one() {
    let (mut world, mut logs) = start();
    let spec = world.snapshot.spec().flow_logs.clone();
    world.edit(|lab| lab.flow_logs.clear());
    logs.handle_snapshot(&world.snapshot, secs(20));
    world.edit(|lab| lab.flow_logs = spec);
    logs.handle_snapshot(&world.snapshot, secs(30));
    feed(&mut logs, [packet(world.ix(ENI), 10), packet(world.ix(ENI), 25), packet(world.ix(ENI), 35)]);
    logs.finish(secs(40));
    let lines = [format!("{ENI} 10.0.0.1 10 10 1 OK"), format!("{ENI} 10.0.0.1 35 35 1 OK")];
    assert_eq!(texts(&mut logs), lines);
}

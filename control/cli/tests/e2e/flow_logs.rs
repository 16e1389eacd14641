//! Flow-log records of real traffic.

use std::time::Duration;

use crate::harness::{FULL, Finished, LATE, NOTHING, Records, echo_tcp, eventually, ping, up};

const LAB: &str = include_str!("labs/flow-logs.yaml");

const DEFAULT: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} \
                       ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

/// AWS's ping: four packets of 84 bytes.
const PING: &str = "packets 4, bytes 336";

/// What the windows of some records add up to.
fn sum(records: &Records) -> String {
    let sum = records.sum();
    format!("packets {}, bytes {}", sum.packets, sum.bytes)
}

fn full(done: &Finished) -> Records {
    done.records("full.log", FULL).of_traffic()
}

/// Rules: FL-11, FL-14, FL-15, FL-36, FL-38, FL-43, FL-66, NA-11, SG-13
#[test]
fn a_reply_that_the_acl_denies_is_accept_then_reject() {
    let lab = up(LAB);
    let [client, closed] = ["client-1", "closed-1"].map(|name| lab.interface_id(name, "eth0"));
    ping(&lab, "client-1", "10.53.3.10").exits(1);
    let done = lab.finish(&[("SUBNET_ACL_RESTRICTION", 4..=4)]);

    let records = full(&done);
    let server = records.with(&format!("interface-id={closed}"));
    let request =
        "srcaddr=10.53.1.10 dstaddr=10.53.3.10 flow-direction=ingress srcport=0 dstport=0 protocol=1";
    assert_eq!(sum(&server.with(request).with("action=ACCEPT")), PING, "{server:?}");
    let reply = "srcaddr=10.53.3.10 dstaddr=10.53.1.10 flow-direction=egress srcport=0 dstport=0 protocol=1";
    assert_eq!(sum(&server.with(reply).with("action=REJECT")), PING, "{server:?}");
    assert_eq!(sum(&server), "packets 8, bytes 672", "nothing else: {server:?}");
    let sender = records.with(&format!("interface-id={client}"));
    assert_eq!(sum(&sender.with("action=ACCEPT flow-direction=egress")), PING, "{sender:?}");
    assert_eq!(sum(&sender), PING, "the reply never came: {sender:?}");
    let rejected = done.records("rejected.log", DEFAULT).of_traffic();
    assert_eq!(sum(&rejected), PING, "a log of refusals has only those: {rejected:?}");
}

/// Rules: FL-14, FL-38, FL-42, FL-44, FL-66
#[test]
fn a_reply_that_the_acl_allows_is_accept_twice() {
    let lab = up(LAB);
    ping(&lab, "client-1", "10.53.2.10").exits(0);
    let [client, open] = ["client-1", "open-1"].map(|name| lab.interface_id(name, "eth0"));
    let records = full(&lab.finish(NOTHING));
    let common = "protocol=1 action=ACCEPT tcp-flags=0 type=IPv4 az-id=use1-az1";
    for (interface, out) in [(client, "10.53.1.10"), (open, "10.53.2.10")] {
        let own = records.with(&format!("interface-id={interface}"));
        let egress = own.with(common).with(&format!("srcaddr={out} flow-direction=egress traffic-path=1"));
        let ingress = own.with(common).with(&format!("dstaddr={out} flow-direction=ingress traffic-path=-"));
        assert_eq!((sum(&egress), sum(&ingress)), (PING.to_owned(), PING.to_owned()), "{own:?}");
        assert_eq!(sum(&own), "packets 8, bytes 672", "nothing else: {own:?}");
    }
}

/// Rules: FL-36, FL-38, FL-66, FL-67, OR-01
#[test]
fn a_refused_request_is_a_single_reject_where_it_was_refused() {
    let lab = up(LAB);
    let [client, shut, mute, open] =
        ["client-1", "shut-1", "mute-1", "open-1"].map(|name| lab.interface_id(name, "eth0"));
    ping(&lab, "client-1", "10.53.2.20").exits(1);
    ping(&lab, "mute-1", "10.53.2.10").exits(1);
    let records = full(&lab.finish(&[("ENI_SG_RULES_MISMATCH", 8..=8)]));

    let of = |interface: &str| records.with(&format!("interface-id={interface}"));
    assert_eq!(sum(&of(&client).with("action=ACCEPT flow-direction=egress")), PING);
    assert_eq!(sum(&of(&shut).with("action=REJECT flow-direction=ingress")), PING);
    assert_eq!(sum(&of(&mute).with("action=REJECT flow-direction=egress")), PING);
    assert!(of(&open).is_empty(), "what never left has no record at its target: {:?}", of(&open));
    assert_eq!(sum(&records), "packets 12, bytes 1008", "nothing else: {records:?}");
}

/// Rules: FL-40, FL-41, FL-16, FL-17
#[test]
fn a_short_tcp_connection_has_flags_3_and_19() {
    let lab = up(LAB);
    let (client, server) = (lab.instance("client-1"), lab.instance("open-1"));
    echo_tcp(&client, &server, "10.53.2.10:80".parse().expect("an address"), 1_000);
    let interface = lab.interface_id("open-1", "eth0");
    let records =
        full(&lab.finish(&[LATE])).with(&format!("interface-id={interface} protocol=6 action=ACCEPT"));
    let from_client = records.with("dstport=80");
    let from_server = records.with("srcport=80");
    assert_eq!(from_client.or("tcp-flags"), 3, "SYN and FIN: {from_client:?}");
    assert_eq!(from_server.or("tcp-flags"), 19, "SYN-ACK and FIN: {from_server:?}");
    assert_eq!(from_client.distinct("srcport").len(), 1, "one connection: {records:?}");
    assert_eq!(from_client.distinct("srcport"), from_server.distinct("dstport"), "and its replies");
}

/// Rules: FL-30, FL-31
#[test]
fn a_secondary_address_shows_in_the_packet_fields_only() {
    let lab = up(LAB);
    ping(&lab, "client-1", "10.53.2.11").exits(0);
    let interface = lab.interface_id("open-1", "eth0");
    let records = full(&lab.finish(NOTHING)).with(&format!("interface-id={interface}"));
    let request = "dstaddr=10.53.2.10 pkt-dstaddr=10.53.2.11 srcaddr=10.53.1.10 pkt-srcaddr=10.53.1.10";
    assert_eq!(sum(&records.with(request)), PING, "{records:?}");
    let reply = "srcaddr=10.53.2.10 pkt-srcaddr=10.53.2.11 dstaddr=10.53.1.10 pkt-dstaddr=10.53.1.10";
    assert_eq!(sum(&records.with(reply)), PING, "{records:?}");
}

/// Rules: FL-13, FL-20, FL-39
#[test]
fn windows_without_traffic_say_so_and_records_come_while_the_lab_runs() {
    let lab = up(LAB);
    let idle = lab.interface_id("idle-1", "eth0");
    let client = lab.interface_id("client-1", "eth0");
    ping(&lab, "client-1", "10.53.2.10").exits(0);
    let plain = || Records::read(&lab.path("plain.log"), DEFAULT);
    eventually("two windows have ended", Duration::from_secs(20), || {
        lab.path("plain.log").exists()
            && plain().with(&format!("interface-id={idle} log-status=NODATA")).len() >= 2
            && sum(&plain().of_traffic().with(&format!("interface-id={client} dstaddr=10.53.2.10"))) == PING
    });
    let printed = lab.ask(&["logs"]).ok();
    assert!(printed.stdout.contains("10.53.1.10 10.53.2.10 0 0 1 "), "{printed}");
    let records = lab.finish(NOTHING).records("plain.log", DEFAULT);
    assert!(records.of_traffic().with(&format!("interface-id={idle}")).is_empty(), "{records:?}");
    let nodata = records.with(&format!("interface-id={idle}"));
    let dashes =
        "version account-id srcaddr dstaddr srcport dstport protocol packets bytes action log-status";
    assert_eq!(
        nodata.distinct(dashes).into_iter().collect::<Vec<_>>(),
        ["2 123456789012 - - - - - - - - NODATA"],
        "{nodata:?}"
    );
    for record in records.distinct("start end") {
        let (start, end) = record.split_once(' ').expect("two fields");
        let [start, end]: [u64; 2] = [start, end].map(|second| second.parse().expect("seconds"));
        assert!(start <= end && end - start <= 2, "a window has two seconds: {record}");
    }
}

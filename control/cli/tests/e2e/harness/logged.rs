//! Labs that log in full, pings of AWS's size, and what the records say of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::{Done, Finished, Lab, Records};

/// The format that labs write `FORMAT` for.
pub(crate) const FULL: &str = "${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${srcport} ${dstport} \
                    ${protocol} ${packets} ${bytes} ${action} ${tcp-flags} ${flow-direction} ${traffic-path} ${type} \
                    ${vpc-id} ${instance-id} ${az-id} ${log-status}";

/// Records as `INTERFACE DIRECTION SRCADDR DSTADDR PKT-SRCADDR PKT-DSTADDR ACTION TRAFFIC-PATH PACKETS BYTES`.
const FIELDS: &str =
    "interface-id flow-direction srcaddr dstaddr pkt-srcaddr pkt-dstaddr action traffic-path";

/// The lab of a template, its flow logs in [`FULL`].
pub(crate) fn up(template: &str) -> Lab {
    Lab::up(&template.replace("FORMAT", FULL))
}

/// Four echo requests with 56 bytes of data, as in AWS's example: 84 bytes each, in IPv6 104.
pub(crate) fn ping(lab: &Lab, from: &str, to: &str) -> Done {
    lab.exec(from, &["ping", "-n", "-c", "4", "-i", "0.1", "-s", "56", "-W", "1", to])
}

/// The same, all of which must be answered.
#[track_caller]
pub(crate) fn ping_well(lab: &Lab, from: &str, to: &str) {
    let done = ping(lab, from, to);
    let all = done.stdout.contains("4 received");
    assert!(all, "{done}\n{:?}, drops: {}", lab.counters(), lab.told());
}

/// Ends the test; returns all records of traffic, ordered.
#[track_caller]
pub(crate) fn records(lab: Lab, drops: &[(&str, RangeInclusive<u64>)]) -> Vec<String> {
    let names = lab.interface_names();
    rows(&lab.finish(drops), "full.log", &names)
}

/// All records of traffic in one file, ordered.
pub(crate) fn rows(done: &Finished, file: &str, names: &BTreeMap<String, String>) -> Vec<String> {
    rows_of(done, file, names, FIELDS)
}

/// The same by other fields, of which the interface is the first.
pub(crate) fn rows_of(
    done: &Finished,
    file: &str,
    names: &BTreeMap<String, String>,
    fields: &str,
) -> Vec<String> {
    let records: Records = done.records(file, FULL).of_traffic();
    let named = |row: String| {
        let (id, rest) = row.split_once(' ').expect("several fields");
        format!("{} {rest}", names.get(id).map_or(id, String::as_str))
    };
    let mut rows: Vec<String> = records.table(fields).into_iter().map(named).collect();
    rows.sort();
    rows
}

/// An address, written as text.
pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

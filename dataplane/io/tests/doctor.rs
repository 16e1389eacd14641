//! The checks on a machine where labs run. A program of its own, because it changes a limit of the process.

mod support;

use std::fs;

use support::unique_name;
use vpclab_io::Buffer;
use vpclab_io::doctor::selftest::{self, Setting};
use vpclab_io::doctor::{self, Check, FileLimit, Need};
use wire::{SegmentKind, proto};

#[test]
fn a_machine_that_runs_these_tests_lacks_nothing() {
    // Fails with the reason when the tests are not run as root.
    let _root = unique_name();
    let checks = doctor::checks();
    let bursts = checks.iter().find(|check| check.name == "bursts").expect("listed");
    assert!(bursts.ok(), "{bursts:?}");
    for check in &checks {
        assert!(!check.blocks(), "{check:?}");
        assert!(!check.detail.is_empty(), "{check:?}");
    }
    let names: Vec<_> = checks.iter().map(|check| check.name.as_str()).collect();
    for name in [
        "/dev/net/tun",
        "CAP_NET_ADMIN",
        "network namespaces",
        "TUN devices",
        "device offloads",
        "steering program",
        "self-test, offloads on",
        "self-test, offloads off",
        "self-test, on to off",
        "--io epoll",
        "io_uring",
        "bursts",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn a_backend_that_is_not_there_says_so_and_blocks_nothing() {
    let checks = doctor::checks();
    let uring = checks.iter().find(|check| check.name == "--io uring").expect("listed");
    assert_eq!((uring.ok(), uring.need), (true, Need::Optional));
}

#[test]
fn the_limit_of_open_files_is_raised_and_reported_as_the_kernel_has_it() {
    let before = FileLimit::current().expect("limit");
    let after = doctor::raise_nofile_limit().expect("raise");
    assert_eq!(after.soft, after.hard);
    assert!(after.soft >= before.hard, "{before:?} {after:?}");
    let limits = fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("listed");
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers, [after.soft, after.hard]);
}

#[test]
fn every_protocol_passes_with_offloads_and_without() {
    for setting in Setting::ALL {
        let how = if setting == Setting::Off { "packet by packet" } else { "with super-packets" };
        let check = tried(setting, Some);
        assert_eq!(check.detail, format!("TCP, UDP, segmented UDP and ICMP pass, {how}"));
        assert!(check.ok(), "{check:?}");
    }
}

#[test]
fn lost_super_packets_are_named_and_block_nothing() {
    let lossy = |packet: Buffer| {
        let kind = packet.offload().segments.map(|segments| segments.kind);
        (kind != Some(SegmentKind::Udp)).then_some(packet)
    };
    let check = tried(Setting::On, lossy);
    assert_eq!(
        check.detail,
        "TCP, UDP and ICMP pass, with super-packets; segmented UDP: 0 of 10 datagrams of 1400 bytes arrived; \
         `vpclab up --io tokio` does without offloads"
    );
    assert_eq!((check.ok(), check.blocks()), (false, false));
}

#[test]
fn a_changed_byte_is_named_by_its_place() {
    let mut spoilt = false;
    // No checksum protects what a device leaves to its reader to sum up.
    let check = tried(Setting::On, move |mut packet| {
        let start = data_of(&packet, proto::TCP).filter(|_| !spoilt);
        if let Some(first) = start {
            packet.bytes_mut()[first + 1000] ^= 1;
            spoilt = true;
        }
        Some(packet)
    });
    let found =
        "UDP, segmented UDP and ICMP pass, with super-packets; TCP: byte 1000 of 300000 arrived changed; ";
    assert!(check.detail.starts_with(found) && !check.ok(), "{check:?}");
}

#[test]
fn a_changed_and_a_lost_datagram_are_told_from_each_other() {
    for (spoil, found) in [
        (true, "UDP: 1 of 4 datagrams came back changed; "),
        (false, "UDP: 3 of 4 datagrams of 1 to 8900 bytes came back; "),
    ] {
        // The second one of a hundred bytes is on its way back.
        let mut seen = 0;
        let check = tried(Setting::On, move |mut packet| {
            let start = data_of(&packet, proto::UDP).filter(|first| packet.len() == first + 100);
            seen += usize::from(start.is_some());
            match start {
                Some(first) if seen == 2 => {
                    packet.bytes_mut()[first] ^= 1;
                    spoil.then_some(packet)
                }
                Some(_) | None => Some(packet),
            }
        });
        assert!(check.detail.contains(found) && !check.ok(), "{check:?}");
    }
}

#[test]
fn a_machine_that_loses_everything_is_told_so_in_time() {
    let check = tried(Setting::Off, |_| None);
    assert_eq!(
        check.detail,
        "TCP: no connection: connection timed out; UDP: 0 of 4 datagrams of 1 to 8900 bytes arrived; \
         segmented UDP: 0 of 10 datagrams of 1400 bytes arrived; ICMP: the echo request was not answered; \
         no lab can trust the devices of this kernel: try another one"
    );
    assert!(check.blocks());
}

/// Where the data of an unfragmented packet of this protocol begins; `None` for one without, or of another protocol.
fn data_of(packet: &Buffer, protocol: u8) -> Option<usize> {
    let parsed = wire::read(packet).ok().filter(|parsed| parsed.tuple.proto == protocol)?;
    let transport = usize::from(parsed.transport_offset);
    let header =
        if protocol == proto::TCP { usize::from(packet.bytes()[transport + 12] >> 4) * 4 } else { 8 };
    Some(transport + header).filter(|start| *start < packet.len())
}

fn tried(setting: Setting, step: impl FnMut(Buffer) -> Option<Buffer> + Send) -> Check {
    selftest::run(setting, step).expect("two namespaces with devices")
}

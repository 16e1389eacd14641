//! Plays every file of `scenarios/`, each as a test of its own.

use std::path::{Path, PathBuf};

use vpclab_sim::scenario;

macro_rules! scenarios {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                play(stringify!($name), include_str!(concat!("../scenarios/", stringify!($name), ".yaml")));
            }
        )+

        /// Every scenario with its text, by name.
        const ALL: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("../scenarios/", stringify!($name), ".yaml")))),+];
    };
}

scenarios! {
    a_middlebox_with_the_check_off_forwards_for_others
    a_smaller_mtu_at_the_receiver_fragments_or_refuses
    fragments_follow_their_first_one_ipv4
    fragments_follow_their_first_one_ipv6
    ipv4_and_ipv6_are_two_planes
    jumbo_packets_fit_and_larger_ones_do_not
    link_local_services_are_never_forwarded
    neighbours_meet_no_acl_and_no_route
    nobody_gets_broadcast_or_multicast
    related_icmp_errors_can_be_made_to_need_a_rule
    related_icmp_errors_pass_with_their_flow
    the_router_answers_nothing
    the_source_check_stops_spoofing_silently
    ttl_is_not_counted_down_inside_a_vpc
}

#[test]
fn every_scenario_file_is_listed_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = std::fs::read_dir(folder).expect("a folder of scenarios");
    let paths: Vec<PathBuf> = files.map(|file| file.expect("a readable folder").path()).collect();
    let mut names: Vec<_> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .filter_map(|path| path.file_stem()?.to_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

fn play(name: &str, text: &str) {
    if let Err(failure) = scenario::run(name, text, &lab_file) {
        panic!("{failure}");
    }
}

/// Reads a file of the repository.
fn lab_file(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).ok()
}

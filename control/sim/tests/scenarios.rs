//! Plays every file of `scenarios/`, each as a test of its own.

use std::path::{Path, PathBuf};

use engine::DropReason;
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
    a_blackhole_does_not_fall_back
    a_client_in_the_subnet_of_its_nat_gateway_meets_no_acl_between
    a_closed_connection_is_decided_anew_each_time
    a_closed_nat_connection_is_forgotten_soon
    a_connection_between_regions_takes_8500_bytes
    a_connection_carries_packets_only_while_it_is_active
    a_flow_log_records_the_verdicts_it_was_made_for
    a_group_allows_and_nothing_else_does
    a_group_reference_matches_members_not_addresses
    a_late_fragment_begins_no_connection
    a_mapping_belongs_to_a_private_address
    a_middlebox_route_names_a_whole_subnet
    a_middlebox_with_the_check_off_forwards_for_others
    a_midstream_packet_without_state_meets_the_rules
    a_nat_gateway_is_a_visible_hop
    a_nat_gateway_takes_part_in_path_mtu_discovery
    a_nat_gateway_takes_tcp_udp_and_icmp_only
    a_nat_gateway_translates_echoes_and_errors
    a_nat_gateway_translates_ipv6_to_ipv4_for_its_block
    a_nat_gateway_translates_twice_on_the_way_to_the_internet
    a_nat_gateway_whose_subnet_leads_back_to_it_drops_what_it_sent
    a_network_acl_cuts_tracked_flows_at_once
    a_public_address_of_the_same_vpc_is_reached_over_the_gateway
    a_public_address_that_nobody_has_leads_nowhere
    a_record_is_one_flow_one_direction_one_verdict
    a_rule_names_protocol_ports_and_one_peer
    a_smaller_mtu_at_the_receiver_fragments_or_refuses
    a_subnet_uses_its_own_table_or_the_main_one
    a_subnet_without_a_route_to_the_internet_gateway_is_private
    a_syn_begins_a_flow_whatever_came_before
    a_way_through_nine_gateways_is_taken_for_a_loop
    a_wide_rule_leaves_a_flow_untracked
    acl_entries_are_read_in_order_and_the_first_match_decides
    acl_entries_match_protocols_ports_and_icmp_types
    acl_peers_are_blocks_and_entries_have_one_family
    acls_are_stateless_and_judge_replies_as_fresh_packets
    addresses_of_a_record_are_those_of_the_interface
    an_acl_stands_at_the_subnet_boundary_only
    an_edge_table_sends_what_comes_in_through_a_middlebox
    an_egress_only_gateway_forgets_as_security_groups_do
    an_egress_only_gateway_lets_in_errors_about_its_flows
    an_egress_only_gateway_lets_out_what_the_vpc_begins
    an_icmp_error_returns_to_whoever_sent_what_it_quotes
    an_idle_nat_connection_is_reset_to_the_inside_only
    an_instance_that_is_gone_takes_its_flows_along
    an_ipv4_reply_grows_by_twenty_bytes_on_its_way_to_ipv6
    an_unchanged_lab_changes_nothing
    both_ends_judge_for_themselves
    changing_groups_is_changing_rules
    client_and_nat_gateway_may_be_in_different_zones
    each_side_of_a_peering_connection_needs_a_route
    egress_rules_may_name_groups_of_a_peer
    equal_blocks_in_two_vpcs_do_not_meet
    established_tcp_is_forgotten_when_the_settings_say_so
    every_block_of_a_vpc_is_local
    fragments_follow_their_first_one_ipv4
    fragments_follow_their_first_one_ipv6
    fragments_pass_an_internet_gateway
    from_the_internet_rules_see_the_public_source_and_the_private_destination
    gateways_and_the_router_have_no_group
    groups_come_before_acls_on_the_way_out_and_after_them_on_the_way_in
    half_open_and_closing_connections_are_forgotten_soon
    idle_flows_are_forgotten_in_time
    ipv4_and_ipv6_are_two_planes
    ipv6_passes_a_peering_connection
    ipv6_passes_the_internet_gateway_as_it_is
    jumbo_packets_fit_and_larger_ones_do_not
    link_local_services_are_never_forwarded
    neighbours_meet_no_acl_and_no_route
    new_connections_spread_over_the_addresses_of_a_nat_gateway
    nobody_gets_broadcast_or_multicast
    nothing_unsolicited_passes_a_nat_gateway
    other_protocols_are_tracked_by_addresses
    packets_after_the_close_are_rejected
    peering_is_not_transitive
    prefix_list_peers_follow_the_list
    related_icmp_errors_can_be_made_to_need_a_rule
    related_icmp_errors_pass_with_their_flow
    removing_a_rule_keeps_tracked_flows_and_cuts_untracked_ones
    replies_follow_the_receivers_routes_to_whichever_peer_they_lead
    replies_pass_whatever_the_other_direction_says
    replies_return_to_a_nat_gateway_over_peering_without_a_route
    routing_drops_stay_accept
    rules_see_a_packet_as_gateways_have_left_it
    same_subnet_is_a_matter_of_addresses
    tcp_flags_of_a_record
    the_default_acl_allows_everything_and_a_new_one_nothing
    the_default_group_admits_its_own_members
    the_internet_gateway_changes_what_an_icmp_error_quotes
    the_internet_gateway_maps_private_and_public_addresses
    the_local_route_can_lead_elsewhere
    the_longest_prefix_wins_over_kind_and_order
    the_published_example_of_tracked_and_untracked_ports
    the_published_ping_example
    the_router_answers_nothing
    the_source_check_stops_spoofing_silently
    too_many_waiting_fragments_are_refused
    ttl_is_not_counted_down_inside_a_vpc
    unique_local_addresses_stay_inside
    what_is_cut_short_is_malformed
    windows_are_a_minute_or_ten_and_a_minute_on_nitro
    without_a_public_address_nothing_leaves_by_the_internet_gateway
    without_a_route_a_packet_is_lost_silently
    without_its_egress_only_gateway_a_route_is_a_blackhole
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

/// What no scenario can show: 55,000 connections take too long, a full table depends on the number of workers, and there is no
/// kernel that could refuse.
const ELSEWHERE: [DropReason; 3] =
    [DropReason::NatPortsExhausted, DropReason::SessionTableFull, DropReason::TransmitFailed];

#[test]
fn every_drop_reason_has_a_scenario() {
    let shown = |reason: &DropReason| ALL.iter().any(|(_, text)| text.contains(reason.code()));
    let missing: Vec<_> =
        DropReason::ALL.iter().filter(|reason| !shown(reason) && !ELSEWHERE.contains(reason)).collect();
    assert!(missing.is_empty(), "{missing:?}");
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

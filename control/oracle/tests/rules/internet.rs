//! Internet gateways of both kinds.

use crate::packets::{ACK, SYN, icmp, long, ping, pong, raw, tcp, udp};
use crate::wide::{APP, Wide, answer, end, ends};

const WEB6: &str = "[2600:1f18:aaaa:1001::10]";
const CLIENT6: &str = "[2600:1f18:aaaa:1002::10]";
const LAPTOP6: &str = "[2001:db8::50]";

/// Rules: IG-02, OR-06, FL-33, FL-44
#[test]
fn the_gateway_gives_outbound_packets_the_public_source_and_replies_the_private_destination() {
    let mut world = Wide::new(APP);
    let out = world.send("web", tcp("10.0.1.10:40000", "203.0.113.50:443", SYN));
    assert_eq!(
        (end(&out).as_str(), ends(out.tuple).as_str()),
        ("laptop", "198.51.100.20:40000 > 203.0.113.50:443")
    );
    assert_eq!(world.records(&out), ["web egress ACCEPT 8 10.0.1.10:40000 > 203.0.113.50:443"]);
    let back = world.send("laptop", answer(&out, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK)));
    assert_eq!(end(&back), "web");
    assert_eq!(world.records(&back), ["web ingress ACCEPT - 203.0.113.50:443 > 10.0.1.10:40000"]);
}

/// Rules: IG-02
#[test]
fn every_protocol_is_translated_and_ports_never() {
    let mut world = Wide::new(APP);
    for packet in [
        raw("10.0.1.10", "203.0.113.50", 47),
        ping("10.0.1.10", "203.0.113.50", 7),
        udp("10.0.1.10:9", "203.0.113.50:53"),
    ] {
        let out = world.send("web", packet);
        assert_eq!(end(&out), "laptop");
        assert_eq!((out.tuple.src_port, out.tuple.dst_port), (packet.tuple.src_port, packet.tuple.dst_port));
        assert_eq!(out.tuple.src.to_string(), "198.51.100.20");
    }
}

/// Rules: IG-02
#[test]
fn the_packet_that_an_icmp_error_quotes_is_translated_too() {
    let mut world = Wide::new(APP);
    let sent = udp("10.0.1.10:40000", "203.0.113.50:53");
    let out = world.send("web", sent);
    let on_the_internet = udp("198.51.100.20:40000", "203.0.113.50:53");
    assert_eq!(out.tuple, on_the_internet.tuple);
    let back = world.send("laptop", icmp("203.0.113.50", "198.51.100.20", 3, 3, Some(&on_the_internet)));
    assert_eq!(end(&back), "web");
    // Outwards, an error about what came in.
    let came_in = udp("203.0.113.50:53", "10.0.1.10:999");
    assert_eq!(world.end("laptop", udp("203.0.113.50:53", "198.51.100.20:999")), "web");
    assert_eq!(world.end("web", icmp("10.0.1.10", "203.0.113.50", 3, 3, Some(&came_in))), "laptop");
}

/// Rules: IG-02, IG-10
#[test]
fn an_error_between_two_public_addresses_is_about_the_packet_that_its_receiver_sent() {
    let text = APP
        .replacen(
            "alone:  { subnet: lonely,  security_groups: [open]",
            "alone:  { subnet: public, security_groups: [closed]",
            1,
        )
        .replace("10.0.3.10", "10.0.1.30")
        .replace("2600:1f18:aaaa:1003::10", "2600:1f18:aaaa:1001::30");
    let mut world = Wide::new(&text);
    let error = |from: &str, to: &str, about: &wire::Parsed| icmp(from, to, 3, 3, Some(about));
    let arrived = udp("198.51.100.30:9", "10.0.1.10:53");
    assert_eq!(world.end("web", error("10.0.1.10", "198.51.100.30", &arrived)), "SecurityGroup");
    assert_eq!(world.end("alone", udp("10.0.1.30:9", "198.51.100.20:53")), "web");
    assert_eq!(world.end("web", error("10.0.1.10", "198.51.100.30", &arrived)), "alone");
}

/// Rules: IG-04, FL-46
#[test]
fn a_source_without_a_public_address_is_dropped_at_the_gateway_and_logged_as_accepted() {
    let mut world = Wide::new(APP);
    let out = world.send("bare", udp("10.0.1.11:9", "203.0.113.50:53"));
    assert_eq!(end(&out), "NoPublicAddress");
    assert_eq!(world.records(&out), ["bare egress ACCEPT 8 10.0.1.11:9 > 203.0.113.50:53"]);
}

/// Rules: IG-06
#[test]
fn a_public_address_that_nobody_has_leads_nowhere() {
    let mut world = Wide::new(APP);
    let nowhere = world.send("laptop", udp("203.0.113.50:9", "198.51.100.99:53"));
    assert_eq!((end(&nowhere).as_str(), nowhere.records.len()), ("NotOnInternet", 0));
    assert_eq!(world.end("web", udp("10.0.1.10:9", "192.0.2.1:53")), "NotOnInternet");
    assert_eq!(world.end("laptop", udp("203.0.113.50:9", "203.0.113.60:53")), "other");
}

/// Rules: IG-07
#[test]
fn without_a_route_to_the_gateway_a_packet_comes_in_and_its_reply_finds_no_way() {
    let mut world = Wide::new(APP);
    let there = world.send("laptop", ping("203.0.113.50", "198.51.100.30", 7));
    assert_eq!(world.records(&there), ["alone ingress ACCEPT - 203.0.113.50 > 10.0.3.10"]);
    assert_eq!(end(&there), "alone");
    let back = world.send("alone", pong("10.0.3.10", "203.0.113.50", 7));
    assert_eq!(end(&back), "NoRoute");
    assert_eq!(world.records(&back), ["alone egress ACCEPT - 10.0.3.10 > 203.0.113.50"]);
}

/// Rules: OR-07, SG-12, NA-12
#[test]
fn rules_see_the_internet_source_and_the_private_destination() {
    let narrow = "open: { ingress: [ { proto: tcp, ports: 80, from: 203.0.113.50/32 } ] }";
    let mut world = Wide::app(
        "open: { ingress: [ { proto: all, from: 0.0.0.0/0 }, { proto: all, from: \"::/0\" } ] }",
        narrow,
    );
    assert_eq!(world.end("laptop", tcp("203.0.113.50:9", "198.51.100.20:80", SYN)), "web");
    assert_eq!(world.end("other", tcp("203.0.113.60:9", "198.51.100.20:80", SYN)), "SecurityGroup");
    let mut world = Wide::app(
        "ingress: [ACL]",
        "ingress: [ { rule: 1, action: deny, proto: all, cidr: 203.0.113.60/32 }, ACL]",
    );
    let denied = world.send("other", tcp("203.0.113.60:9", "198.51.100.20:80", SYN));
    assert_eq!(end(&denied), "NetworkAcl");
    assert_eq!(world.records(&denied), ["web ingress REJECT - 203.0.113.60:9 > 10.0.1.10:80"]);
}

/// Rules: IG-08, OR-08
#[test]
fn ipv6_passes_as_it_is_both_ways() {
    let mut world = Wide::new(APP);
    let out = world.send("web", tcp(&format!("{WEB6}:9"), &format!("{LAPTOP6}:443"), SYN));
    assert_eq!((end(&out), ends(out.tuple)), ("laptop".to_owned(), format!("{WEB6}:9 > {LAPTOP6}:443")));
    assert_eq!(world.records(&out), [format!("web egress ACCEPT 8 {WEB6}:9 > {LAPTOP6}:443")]);
    assert_eq!(world.end("laptop", tcp(&format!("{LAPTOP6}:9"), &format!("{WEB6}:80"), SYN)), "web");
}

/// Rules: EI-08
#[test]
fn ipv6_comes_in_only_where_the_subnets_route_leads_back_out() {
    let mut world = Wide::new(APP);
    let alone = "[2600:1f18:aaaa:1003::10]";
    let lost = world.send("laptop", tcp(&format!("{LAPTOP6}:9"), &format!("{alone}:80"), SYN));
    assert_eq!((end(&lost).as_str(), lost.records.len()), ("NoRouteBack", 0));
}

/// Rules: IG-14
#[test]
fn unique_local_addresses_do_not_reach_the_internet() {
    let local = "fd00:aaaa:bbbb:1000::/56";
    let text = APP.replace("2600:1f18:aaaa:10", "fd00:aaaa:bbbb:10");
    assert!(text.contains(local));
    let mut world = Wide::new(&text);
    let to = format!("{LAPTOP6}:443");
    assert_eq!(world.end("web", tcp("[fd00:aaaa:bbbb:1001::10]:9", &to, SYN)), "NotGloballyRoutable");
    assert_eq!(world.end("client", tcp("[fd00:aaaa:bbbb:1002::10]:9", &to, SYN)), "NotGloballyRoutable");
}

/// Rules: IG-10, OR-19, SG-08
#[test]
fn a_public_address_in_the_same_vpc_is_reached_over_the_gateway() {
    let groups = "closed: {}";
    let referring = "closed: { ingress: [ { proto: all, from: sg/open } ] }";
    let second = "alone:  { subnet: lonely,  security_groups: [open]";
    let text = APP.replacen(second, "alone:  { subnet: public, security_groups: [open]", 1);
    let text =
        text.replace("10.0.3.10", "10.0.1.30").replace("2600:1f18:aaaa:1003::10", "2600:1f18:aaaa:1001::30");
    let mut world = Wide::new(&text);
    let there = world.send("web", tcp("10.0.1.10:9", "198.51.100.30:80", SYN));
    assert_eq!(end(&there), "alone");
    assert_eq!(
        world.records(&there),
        [
            "web egress ACCEPT 8 10.0.1.10:9 > 198.51.100.30:80",
            "alone ingress ACCEPT - 198.51.100.20:9 > 10.0.1.30:80"
        ]
    );
    // A reference to web's group does not match what comes over the gateway.
    let text = text.replacen(groups, referring, 1).replacen(
        "subnet: public, security_groups: [open], private_ip: 10.0.1.30",
        "subnet: public, security_groups: [closed], private_ip: 10.0.1.30",
        1,
    );
    let mut world = Wide::new(&text);
    assert_eq!(world.end("web", tcp("10.0.1.10:9", "10.0.1.30:80", SYN)), "alone");
    assert_eq!(world.end("web", tcp("10.0.1.10:9", "198.51.100.30:80", SYN)), "SecurityGroup");
}

/// Rules: MT-02, MT-05
#[test]
fn an_internet_gateway_carries_1500_bytes() {
    let mut world = Wide::new(APP);
    let packet = |length| long(udp("10.0.1.10:9", "203.0.113.50:53"), length);
    assert_eq!(world.end("web", packet(1500)), "laptop");
    let big = world.send("web", packet(1501));
    assert_eq!((end(&big).as_str(), big.records.len()), ("TooBig", 1));
}

/// Rules: RT-20, RT-21, RT-22, OR-20
#[test]
fn an_edge_table_sends_what_comes_in_through_a_middlebox() {
    let text = APP
        .replacen("internet_gateway: true", "internet_gateway: { route_table: edge }", 1)
        .replacen("lonely: {}", "lonely: { routes: [ { to: 0.0.0.0/0, via: instance/fw } ] }\n      edge: { routes: [ { to: 10.0.3.0/24, via: instance/fw } ] }", 1)
        .replacen("bare:   {", "fw: { subnet: public, security_groups: [open], private_ip: 10.0.1.40, public_ip: 198.51.100.40, source_dest_check: false }\n      bare:   {", 1);
    let mut world = Wide::new(&text);
    let first = world.send("laptop", tcp("203.0.113.50:9", "198.51.100.30:80", SYN));
    assert_eq!((end(&first).as_str(), ends(first.tuple).as_str()), ("fw", "203.0.113.50:9 > 10.0.3.10:80"));
    let second = world.send("fw", tcp("203.0.113.50:9", "10.0.3.10:80", SYN));
    assert_eq!(end(&second), "alone");
    assert_eq!(world.end("laptop", tcp("203.0.113.50:9", "198.51.100.20:80", SYN)), "web");
    // The way back leads through it too, and the gateway maps the address of the one behind.
    assert_eq!(world.end("alone", tcp("10.0.3.10:80", "203.0.113.50:9", SYN | ACK)), "fw");
    let out = world.send("fw", tcp("10.0.3.10:80", "203.0.113.50:9", SYN | ACK));
    assert_eq!(ends(out.tuple), "198.51.100.30:80 > 203.0.113.50:9");
}

/// Rules: EI-02, EI-03, OR-09
#[test]
fn an_egress_only_gateway_lets_out_what_the_vpc_begins_and_in_what_answers() {
    let mut world = Wide::new(APP);
    let (client, laptop) = (format!("{CLIENT6}:40000"), format!("{LAPTOP6}:443"));
    let stray = world.send("laptop", tcp(&laptop, &client, SYN));
    assert_eq!((end(&stray).as_str(), stray.records.len()), ("EgressOnlyWithoutFlow", 0));
    let out = world.send("client", tcp(&client, &laptop, SYN));
    assert_eq!((end(&out), ends(out.tuple)), ("laptop".to_owned(), format!("{client} > {laptop}")));
    assert_eq!(world.records(&out), [format!("client egress ACCEPT 8 {client} > {laptop}")]);
    let back = world.send("laptop", tcp(&laptop, &client, SYN | ACK));
    assert_eq!(world.records(&back), [format!("client ingress ACCEPT - {laptop} > {client}")]);
    assert_eq!(
        world.end("laptop", tcp(&format!("{LAPTOP6}:444"), &client, SYN | ACK)),
        "EgressOnlyWithoutFlow"
    );
}

/// Rules: EI-06
#[test]
fn an_egress_only_gateway_forgets_as_security_groups_do() {
    let mut world = Wide::new(APP);
    let (client, laptop) = (format!("{CLIENT6}:40000"), format!("{LAPTOP6}:53"));
    assert_eq!(world.end("client", udp(&client, &laptop)), "laptop");
    world.wait(29);
    assert_eq!(world.end("laptop", udp(&laptop, &client)), "client");
    world.wait(30);
    assert_eq!(world.end("laptop", udp(&laptop, &client)), "EgressOnlyWithoutFlow");
}

/// Rules: EI-10
#[test]
fn an_egress_only_gateway_lets_in_errors_about_its_flows() {
    let mut world = Wide::new(APP);
    let sent = udp(&format!("{CLIENT6}:40000"), &format!("{LAPTOP6}:53"));
    let (from, to) = ("2001:db8::50", "2600:1f18:aaaa:1002::10");
    assert_eq!(world.end("laptop", icmp(from, to, 2, 0, Some(&sent))), "EgressOnlyWithoutFlow");
    assert_eq!(world.end("client", sent), "laptop");
    assert_eq!(world.end("laptop", icmp(from, to, 2, 0, Some(&sent))), "client");
}

/// Rules: EI-07
#[test]
fn the_route_of_the_subnet_says_which_gateway_serves_it() {
    let mut world = Wide::new(APP);
    let (web, client) = (format!("{WEB6}:80"), format!("{CLIENT6}:80"));
    let from = format!("{LAPTOP6}:9");
    assert_eq!(world.end("laptop", tcp(&from, &web, SYN)), "web");
    assert_eq!(world.end("laptop", tcp(&from, &client, SYN)), "EgressOnlyWithoutFlow");
}

/// Rules: SG-16
#[test]
fn flows_through_an_egress_only_gateway_are_tracked_whatever_the_rules_say() {
    let open = APP.replacen(
        "client: { subnet: private, security_groups: [closed]",
        "client: { subnet: private, security_groups: [open]",
        1,
    );
    let mut world = Wide::new(&open);
    let (client, laptop) = (format!("{CLIENT6}:40000"), format!("{LAPTOP6}:443"));
    assert_eq!(world.end("client", tcp(&client, &laptop, SYN)), "laptop");
    // With wide rules both ways the flow would be untracked, and cut with its rule (SG-18).
    world.apply(APP);
    assert_eq!(world.end("laptop", tcp(&laptop, &client, SYN | ACK)), "client");
}

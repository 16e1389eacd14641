//! NAT gateways.

use vpclab_oracle::Leases;

use crate::packets::{ACK, FIN, RST, SYN, icmp, later_fragment, long, ping, raw, segment, tcp, udp};
use crate::wide::{APP, Wide, answer, end, ends};

const CLIENT6: &str = "[2600:1f18:aaaa:1002::10]";

fn request(port: u16) -> wire::Parsed {
    tcp(&format!("10.0.2.10:{port}"), "203.0.113.50:443", SYN)
}

/// Rules: NG-02, NA-13, OR-10, OR-11, FL-60, FL-61, RT-24
#[test]
fn a_connection_to_the_internet_has_two_records_a_packet_at_the_gateway() {
    let mut world = Wide::new(APP);
    let out = world.send("client", request(40000));
    assert_eq!(
        (end(&out).as_str(), ends(out.tuple).as_str()),
        ("laptop", "198.51.100.10:1024 > 203.0.113.50:443")
    );
    assert_eq!(
        world.records(&out),
        [
            "client egress ACCEPT 1 10.0.2.10:40000 > 203.0.113.50:443",
            "nat ingress ACCEPT - 10.0.2.10:40000 > 203.0.113.50:443",
            "nat egress ACCEPT 8 10.0.1.5:1024 > 203.0.113.50:443"
        ]
    );
    let back = world.send("laptop", answer(&out, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK)));
    assert_eq!(end(&back), "client");
    assert_eq!(
        world.records(&back),
        [
            "nat ingress ACCEPT - 203.0.113.50:443 > 10.0.1.5:1024",
            "nat egress ACCEPT 1 203.0.113.50:443 > 10.0.2.10:40000",
            "client ingress ACCEPT - 203.0.113.50:443 > 10.0.2.10:40000"
        ]
    );
}

/// Rules: NG-05, NA-10, NA-13
#[test]
fn the_acl_of_the_gateways_subnet_judges_both_of_its_sides() {
    let acl = |ingress: &str, egress: &str| {
        Wide::app(
            "public: { ingress: [ACL], egress: [ACL] }",
            &format!("public: {{ ingress: [ {ingress} ACL], egress: [ {egress} ACL] }}"),
        )
    };
    let deny = |cidr: &str| format!("{{ rule: 1, action: deny, proto: all, cidr: {cidr} }},");
    let denied = acl(&deny("10.0.2.0/24"), "").send("client", request(1));
    assert_eq!(end(&denied), "NetworkAcl");
    let mut world = acl("", &deny("203.0.113.0/24"));
    let denied = world.send("client", request(1));
    assert_eq!(end(&denied), "NetworkAcl");
    assert_eq!(
        world.records(&denied)[1..],
        [
            "nat ingress ACCEPT - 10.0.2.10:1 > 203.0.113.50:443",
            "nat egress REJECT 8 10.0.1.5:1024 > 203.0.113.50:443"
        ]
    );
    let mut world = acl("", &deny("10.0.2.0/24"));
    let out = world.send("client", request(1));
    let back = answer(&out, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK));
    assert_eq!(world.end("laptop", back), "NetworkAcl");
}

/// Rules: OR-12
#[test]
fn a_client_in_the_gateways_own_subnet_meets_its_acl_only_on_the_outer_leg() {
    let text = APP
        .replacen("{ to: \"::/0\", via: internet_gateway }", "{ to: \"64:ff9b::/96\", via: nat_gateway/nat }", 1)
        .replacen(
            "public: { ingress: [ACL], egress: [ACL] }",
            "public: { ingress: [ { rule: 1, action: deny, proto: all, cidr: \"::/0\" }, ACL], egress: [ { rule: 1, action: deny, proto: all, cidr: \"::/0\" }, ACL] }",
            1,
        );
    let mut world = Wide::new(&text);
    let out = world.send("web", udp("[2600:1f18:aaaa:1001::10]:9", "[64:ff9b::cb00:7132]:53"));
    assert_eq!((end(&out).as_str(), out.records.len()), ("laptop", 3));
    assert_eq!(world.records(&out)[2], "nat egress ACCEPT 8 10.0.1.5:1024 > 203.0.113.50:53");
    assert_eq!(world.end("laptop", udp("203.0.113.50:53", "198.51.100.10:1024")), "web");
}

#[test]
fn a_gateway_whose_subnet_leads_back_to_it_sends_nothing_on() {
    let mut world =
        Wide::app("to: 0.0.0.0/0, via: internet_gateway }", "to: 0.0.0.0/0, via: nat_gateway/nat }");
    assert_eq!(world.end("client", request(1)), "RoutingLoop");
}

/// Rules: NG-03, IG-05
#[test]
fn a_private_gateway_does_not_reach_the_internet() {
    let mut world = Wide::app(
        "nat: { subnet: public, public_ip: 198.51.100.10, private_ip: 10.0.1.5 }",
        "nat: { subnet: public, connectivity_type: private, private_ip: 10.0.1.5 }",
    );
    let out = world.send("client", request(1));
    assert_eq!((end(&out).as_str(), out.records.len()), ("NoPublicAddress", 3));
}

/// Rules: NG-04
#[test]
fn only_tcp_udp_and_icmp_are_translated() {
    let mut world = Wide::new(APP);
    for protocol in [47, 50, 132] {
        let out = world.send("client", raw("10.0.2.10", "203.0.113.50", protocol));
        assert_eq!((end(&out).as_str(), out.records.len()), ("NatProtocol", 2), "{protocol}");
    }
    assert_eq!(world.end("client", udp("10.0.2.10:9", "203.0.113.50:53")), "laptop");
    assert_eq!(world.end("client", ping("10.0.2.10", "203.0.113.50", 7)), "laptop");
    assert_eq!(world.end("client", icmp("10.0.2.10", "203.0.113.50", 9, 0, None)), "NatProtocol");
}

/// Rules: NG-09
#[test]
fn the_same_socket_has_another_mapping_for_another_destination() {
    let mut world = Wide::new(APP);
    let packet = udp("10.0.2.10:9", "203.0.113.50:53");
    let lease = [world.lease("nat", &packet, "10.0.1.5", 5000)];
    let one = world.send_with("client", packet, Leases::These(&lease));
    assert_eq!(ends(one.tuple), "198.51.100.10:5000 > 203.0.113.50:53");
    let packet = udp("10.0.2.10:9", "203.0.113.60:53");
    let lease = [world.lease("nat", &packet, "10.0.1.5", 6000)];
    let other = world.send_with("client", packet, Leases::These(&lease));
    assert_eq!(ends(other.tuple), "198.51.100.10:6000 > 203.0.113.60:53");
    // Later packets keep theirs, and only the exact remote endpoint gets in.
    let again = world.send_with("client", udp("10.0.2.10:9", "203.0.113.50:53"), Leases::These(&[]));
    assert_eq!(again.tuple, one.tuple);
    assert_eq!(world.end("laptop", udp("203.0.113.50:53", "198.51.100.10:5000")), "client");
    for (host, stranger) in [("laptop", "203.0.113.50:54"), ("other", "203.0.113.60:53")] {
        assert_eq!(world.end(host, udp(stranger, "198.51.100.10:5000")), "NatUnsolicited", "{stranger}");
    }
}

/// Rules: NG-05, NG-06
#[test]
fn a_lease_is_a_free_port_of_the_gateway_from_1024() {
    let mut world = Wide::new(APP);
    let mut with = |address: &str, port: u16, client: u16| {
        let lease = [world.lease("nat", &request(client), address, port)];
        end(&world.send_with("client", request(client), Leases::These(&lease)))
    };
    assert_eq!(with("10.0.1.5", 1023, 1), "ImpossibleLease");
    assert_eq!(with("10.0.1.6", 2000, 1), "ImpossibleLease");
    assert_eq!(with("10.0.1.5", 2000, 1), "laptop");
    assert_eq!(with("10.0.1.5", 2000, 2), "ImpossibleLease");
    assert_eq!(with("10.0.1.5", 65535, 2), "laptop");
    let refused = world.send_with("client", request(3), Leases::These(&[]));
    assert_eq!(end(&refused), "ImpossibleLease", "there is room");
}

/// Rules: NG-12, NG-13
#[test]
fn what_nobody_asked_for_is_logged_as_accepted_and_dropped() {
    let mut world = Wide::new(APP);
    let stray = world.send("laptop", tcp("203.0.113.50:9", "198.51.100.10:80", SYN));
    assert_eq!(end(&stray), "NatUnsolicited");
    assert_eq!(world.records(&stray), ["nat ingress ACCEPT - 203.0.113.50:9 > 10.0.1.5:80"]);
    assert_eq!(world.end("laptop", ping("203.0.113.50", "198.51.100.10", 7)), "NatUnsolicited");
    assert_eq!(world.end("client", ping("10.0.2.10", "10.0.1.5", 7)), "NatUnsolicited");
}

/// Rules: NG-10
#[test]
fn a_connection_is_forgotten_after_350_idle_seconds() {
    let mut world = Wide::new(APP);
    let out = world.send("client", request(1));
    let back = answer(&out, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK));
    assert_eq!(world.end("laptop", back), "client");
    world.wait(349);
    let data = tcp("10.0.2.10:1", "203.0.113.50:443", ACK);
    assert_eq!(world.end("client", data), "laptop");
    world.wait(350);
    assert_eq!(world.end("laptop", back), "NatUnsolicited");
    assert_eq!(world.end("client", data), "NatWithoutTranslation");
    assert_eq!(world.end("client", request(1)), "laptop");
}

/// Rules: NG-11
#[test]
fn udp_and_icmp_are_forgotten_after_the_same_time() {
    let text = format!("settings: {{ nat: {{ idle_timeout: 100 }}, sg: {{ icmp: 600 }} }}\n{APP}");
    let mut world = Wide::new(&text);
    for packet in [udp("10.0.2.10:9", "203.0.113.50:53"), ping("10.0.2.10", "203.0.113.50", 7)] {
        let out = world.send("client", packet);
        world.wait(99);
        assert_eq!(world.send("client", packet).tuple, out.tuple);
        world.wait(100);
        assert_eq!(
            world.end("laptop", wire::Parsed { tuple: out.tuple.reversed(), ..packet }),
            "NatUnsolicited"
        );
    }
}

/// Rules: NG-30
#[test]
fn a_connection_that_ended_is_soon_forgotten() {
    let (client, remote) = ("10.0.2.10:1", "203.0.113.50:443");
    let open = |world: &mut Wide| {
        let out = world.send("client", request(1));
        assert_eq!(world.end("laptop", answer(&out, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK))), "client");
        out
    };
    let mut world = Wide::new(APP);
    open(&mut world);
    assert_eq!(world.end("client", tcp(client, remote, RST)), "laptop");
    world.wait(10);
    assert_eq!(world.end("client", tcp(client, remote, ACK)), "NatWithoutTranslation");
    let mut world = Wide::new(APP);
    let out = open(&mut world);
    let from_remote = |flags, seq, ack| answer(&out, segment("0.0.0.0:0", "0.0.0.0:0", flags, seq, ack, 0));
    assert_eq!(world.end("client", segment(client, remote, FIN | ACK, 1, 1, 0)), "laptop");
    assert_eq!(world.end("laptop", from_remote(FIN | ACK, 1, 2)), "client");
    assert_eq!(world.end("client", segment(client, remote, ACK, 2, 2, 0)), "laptop");
    world.wait(9);
    assert_eq!(world.end("client", segment(client, remote, ACK, 2, 2, 0)), "ConnectionClosed");
    world.wait(10);
    assert_eq!(world.end("laptop", from_remote(ACK, 2, 2)), "NatUnsolicited");
}

/// Rules: NG-14, MT-10
#[test]
fn fragments_pass_only_if_they_are_udp() {
    let mut world = Wide::new(APP);
    let datagram = udp("10.0.2.10:9", "203.0.113.50:53");
    assert_eq!(world.end("client", later_fragment(datagram)), "NatFragment", "nothing was sent before");
    let first = wire::Parsed { fragment: Some(wire::Fragment { id: 7, offset: 0, more: true }), ..datagram };
    assert_eq!(world.end("client", first), "laptop");
    assert_eq!(world.end("client", later_fragment(datagram)), "laptop");
    let echo = ping("10.0.2.10", "203.0.113.50", 7);
    let first = wire::Parsed { fragment: Some(wire::Fragment { id: 8, offset: 0, more: true }), ..echo };
    assert_eq!(world.end("client", first), "NatFragment");
    assert_eq!(world.end("client", later_fragment(request(1))), "NatFragment");
}

/// Rules: MT-02, MT-07
#[test]
fn a_nat_gateway_takes_8500_bytes_and_the_internet_1500_of_them() {
    let mut world = Wide::new(APP);
    let packet = |length| long(udp("10.0.2.10:9", "203.0.113.50:53"), length);
    for (length, records) in [(8501, 1), (8500, 3), (1501, 3)] {
        let out = world.send("client", packet(length));
        assert_eq!((end(&out).as_str(), out.records.len()), ("TooBig", records), "{length}");
    }
    assert_eq!(world.end("client", packet(1500)), "laptop");
}

/// Rules: NG-29
#[test]
fn icmp_echo_goes_by_its_identifier_and_errors_by_what_they_quote() {
    let mut world = Wide::new(APP);
    let out = world.send("client", ping("10.0.2.10", "203.0.113.50", 7));
    assert_eq!((out.tuple.src_port, out.tuple.dst_port), (1024, 8 << 8));
    let mut pong = ping("10.0.2.10", "203.0.113.50", 7);
    pong.tuple = out.tuple.reversed();
    pong.transport = wire::Transport::Icmp { icmp_type: 0, code: 0, about: None };
    let back = world.send("laptop", pong);
    assert_eq!((end(&back).as_str(), back.tuple.dst_port), ("client", 7));

    let out = world.send("client", udp("10.0.2.10:9", "203.0.113.50:53"));
    let quoted = wire::Parsed { tuple: out.tuple, ..udp("10.0.2.10:9", "203.0.113.50:53") };
    let back = world.send("laptop", icmp("203.0.113.50", "198.51.100.10", 3, 3, Some(&quoted)));
    assert_eq!((end(&back).as_str(), back.tuple.dst.to_string().as_str()), ("client", "10.0.2.10"));
    let other = udp("198.51.100.10:4000", "203.0.113.50:53");
    assert_eq!(
        world.end("laptop", icmp("203.0.113.50", "198.51.100.10", 3, 3, Some(&other))),
        "NatUnsolicited"
    );
    // From the inside, about an answer that arrived.
    let arrived = udp("203.0.113.50:53", "10.0.2.10:9");
    let out = world.send("client", icmp("10.0.2.10", "203.0.113.50", 3, 3, Some(&arrived)));
    assert_eq!((end(&out).as_str(), out.tuple.src.to_string().as_str()), ("laptop", "198.51.100.10"));
}

/// Rules: NG-20
#[test]
fn nat64_reaches_ipv4_for_a_client_with_ipv6() {
    let mut world = Wide::new(APP);
    let (client, remote) = (format!("{CLIENT6}:9"), "[64:ff9b::cb00:7132]:80");
    let out = world.send("client", tcp(&client, remote, SYN));
    assert_eq!(
        (end(&out).as_str(), ends(out.tuple).as_str()),
        ("laptop", "198.51.100.10:1024 > 203.0.113.50:80")
    );
    assert_eq!(world.records(&out)[1], format!("nat ingress ACCEPT - {client} > {remote}"));
    let back = world.send("laptop", answer(&out, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK)));
    assert_eq!((end(&back), ends(back.tuple)), ("client".to_owned(), format!("{remote} > {client}")));
    // Inside the VPC too.
    let inside = world.send("client", tcp(&client, "[64:ff9b::a00:10a]:80", SYN));
    assert_eq!((end(&inside).as_str(), ends(inside.tuple).as_str()), ("web", "10.0.1.5:1024 > 10.0.1.10:80"));
    // But not in the client's own subnet, and not to what no packet may be sent to.
    assert_eq!(world.end("client", tcp(&client, "[64:ff9b::a00:20b]:80", SYN)), "NatIpv6");
    assert_eq!(world.end("client", tcp(&client, "[64:ff9b::a9fe:a9fe]:80", SYN)), "ReservedAddress");
}

/// Rules: NG-20, NG-29
#[test]
fn nat64_translates_echo_and_errors() {
    let mut world = Wide::new(APP);
    let out = world.send("client", ping("2600:1f18:aaaa:1002::10", "64:ff9b::cb00:7132", 7));
    assert_eq!((end(&out).as_str(), out.tuple.proto, out.tuple.dst_port), ("laptop", 1, 8 << 8));
    let quoted = wire::Parsed { tuple: out.tuple, ..ping("198.51.100.10", "203.0.113.50", 7) };
    let back = world.send("laptop", icmp("203.0.113.60", "198.51.100.10", 11, 0, Some(&quoted)));
    assert_eq!(end(&back), "client");
    // A router's address is embedded as any other, and "time exceeded" has another number.
    assert_eq!((back.tuple.src.to_string().as_str(), back.tuple.dst_port), ("64:ff9b::cb00:713c", 3 << 8));
}

/// Rules: NG-22
#[test]
fn other_ipv6_is_dropped() {
    let mut world = Wide::app(
        "to: \"::/0\", via: egress_only_internet_gateway }",
        "to: \"::/0\", via: nat_gateway/nat }",
    );
    let out = world.send("client", udp(&format!("{CLIENT6}:9"), "[2001:db8::50]:53"));
    assert_eq!((end(&out).as_str(), out.records.len()), ("NatIpv6", 2));
}

/// Rules: NG-23, SG-08
#[test]
fn a_gateway_translates_towards_private_addresses_too_and_group_references_do_not_see_through_it() {
    let routed = APP.replacen(
        "{ to: 0.0.0.0/0, via: nat_gateway/nat }",
        "{ to: 0.0.0.0/0, via: nat_gateway/nat }, { to: 10.0.3.0/24, via: nat_gateway/nat }",
        1,
    );
    let mut world = Wide::new(&routed);
    let there = world.send("client", udp("10.0.2.10:9", "10.0.3.10:53"));
    assert_eq!((end(&there).as_str(), ends(there.tuple).as_str()), ("alone", "10.0.1.5:1024 > 10.0.3.10:53"));
    assert_eq!(world.end("alone", udp("10.0.3.10:53", "10.0.1.5:1024")), "client");
    let referring = routed.replacen(
        "open: { ingress: [ { proto: all, from: 0.0.0.0/0 }, { proto: all, from: \"::/0\" } ] }",
        "open: { ingress: [ { proto: all, from: sg/closed } ] }",
        1,
    );
    assert_eq!(Wide::new(&referring).end("client", udp("10.0.2.10:9", "10.0.3.10:53")), "SecurityGroup");
}

/// Rules: SG-16
#[test]
fn flows_through_a_nat_gateway_are_tracked_whatever_the_rules_say() {
    let open = APP.replacen(
        "client: { subnet: private, security_groups: [closed]",
        "client: { subnet: private, security_groups: [open]",
        1,
    );
    let mut world = Wide::new(&open);
    let out = world.send("client", request(1));
    world.apply(APP);
    assert_eq!(world.end("laptop", answer(&out, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK))), "client");
    // Also a reply that comes after the client's group has forgotten, and before the gateway has.
    let mut world = Wide::new(&open);
    let question = udp("10.0.2.10:9", "203.0.113.50:53");
    let out = world.send("client", question);
    world.wait(100);
    let late = answer(&out, question);
    assert_eq!(world.end("laptop", late), "client");
    world.apply(APP);
    assert_eq!(world.end("laptop", late), "client");
}

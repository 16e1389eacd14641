use proptest::prelude::*;

use super::*;
use crate::testing::{
    at, dont_fragment, echo_request, fragments, icmp, icmp_error, ip, other, tcp, udp, verify,
};
use crate::{FiveTuple, parse};

/// Rules: MT-05
#[test]
fn a_too_long_ipv4_packet_is_answered_with_the_next_hop_mtu() {
    let packet = dont_fragment(udp(at("10.0.1.5:4000"), at("10.0.2.9:53"), &[7; 3000]));
    let error = answer(&packet, |packet, parsed| too_big(packet, parsed, ip("10.0.2.1"), 1500));
    assert_eq!(&error[20..22], [3, 4]);
    assert_eq!(&error[24..28], [0, 0, 0x05, 0xdc]);
    assert_eq!(error.len(), 576, "RFC 1812 section 4.3.2.3");
    assert_eq!(error[28..], packet[..548]);
    assert_eq!(error[1], 0xc0, "internetwork control");
    assert_report(&error, "10.0.2.1", "10.0.1.5", parse(&packet).unwrap().tuple);
}

/// Rules: MT-05
#[test]
fn a_too_long_ipv6_packet_is_answered_with_packet_too_big() {
    let packet = tcp(at("[2001:db8::5]:4000"), at("[2001:db8:1::9]:443"), tcp_flag::ACK, 1, 1, &[7; 3000]);
    let error = answer(&packet, |packet, parsed| too_big(packet, parsed, ip("2001:db8:1::1"), 1500));
    assert_eq!(&error[40..42], [2, 0]);
    assert_eq!(&error[44..48], [0, 0, 0x05, 0xdc]);
    assert_eq!(error.len(), 1280, "RFC 4443 section 2.4 (c)");
    assert_eq!(error[48..], packet[..1232]);
    assert_report(&error, "2001:db8:1::1", "2001:db8::5", parse(&packet).unwrap().tuple);
}

#[test]
fn a_short_packet_is_quoted_whole_and_what_follows_it_is_not() {
    let packet = udp(at("10.0.1.5:4000"), at("10.0.2.9:53"), b"query");
    let padded = [&packet[..], &[0xff; 20]].concat();
    let error = answer(&padded, |packet, parsed| time_exceeded(packet, parsed, ip("10.0.0.220")));
    assert_eq!(&error[20..22], [11, 0]);
    assert_eq!(error[28..], packet);
}

#[test]
fn unreachable_has_its_code_in_both_families() {
    for (why, v4, v6) in [
        (Unreachable::Network, 0, 0),
        (Unreachable::Host, 1, 3),
        (Unreachable::Port, 3, 4),
        (Unreachable::Administratively, 13, 1),
    ] {
        let packet = udp(at("10.0.1.5:4000"), at("10.0.2.9:53"), b"query");
        let error = answer(&packet, |packet, parsed| unreachable(packet, parsed, ip("10.0.2.9"), why));
        assert_eq!(error[20..22], [3, v4], "{why:?}");
        let packet = udp(at("[2001:db8::5]:4000"), at("[2001:db8::9]:53"), b"query");
        let error = answer(&packet, |packet, parsed| unreachable(packet, parsed, ip("2001:db8::9"), why));
        assert_eq!(error[40..42], [1, v6], "{why:?}");
    }
}

#[test]
fn a_first_fragment_is_answered_and_a_later_one_is_not() {
    let packet = udp(at("10.0.1.5:4000"), at("10.0.2.9:53"), &[0; 100]);
    let pieces = fragments(&packet, 7, 64);
    assert!(about(&pieces[0]).is_some());
    assert!(about(&pieces[1]).is_none());
}

#[test]
fn queries_are_answered_and_reports_are_not() {
    let request = echo_request(ip("10.0.1.5"), ip("10.0.2.9"), 7, 1, b"ping");
    assert!(about(&request).is_some());
    for report in [3, 4, 5, 11, 12] {
        assert_eq!(about(&icmp_error(ip("10.0.2.9"), &request, report, 0, 0)), None, "type {report}");
    }
    let request = echo_request(ip("2001:db8::5"), ip("2001:db8::9"), 7, 1, b"ping");
    assert!(about(&request).is_some());
    for report in [1, 2, 3, 4, 100, 127, 137] {
        assert_eq!(about(&icmp_error(ip("2001:db8::9"), &request, report, 0, 0)), None, "type {report}");
    }
    let unknown = icmp(ip("2001:db8::5"), ip("2001:db8::9"), 200, 0, [0; 4], b"");
    assert!(about(&unknown).is_some());
}

#[test]
fn an_address_that_is_no_single_host_is_not_answered() {
    for (src, dst) in [
        ("0.0.0.0", "10.0.2.9"),
        ("127.0.0.1", "10.0.2.9"),
        ("224.0.0.1", "10.0.2.9"),
        ("240.0.0.1", "10.0.2.9"),
        ("255.255.255.255", "10.0.2.9"),
        ("10.0.1.5", "255.255.255.255"),
        ("10.0.1.5", "224.0.0.1"),
        ("::", "2001:db8::9"),
        ("::1", "2001:db8::9"),
        ("ff02::1", "2001:db8::9"),
        ("2001:db8::5", "ff02::1"),
    ] {
        assert_eq!(about(&other(ip(src), ip(dst), 47, &[0; 16])), None, "{src} > {dst}");
        let segment = tcp(at_port(src), at_port(dst), tcp_flag::SYN, 1, 0, b"");
        assert_eq!(reset(&parse(&segment).unwrap()), None, "{src} > {dst}");
    }
}

#[test]
fn a_router_of_the_other_family_says_nothing() {
    let packet = udp(at("10.0.1.5:4000"), at("10.0.2.9:53"), b"query");
    assert_eq!(too_big(&packet, &parse(&packet).unwrap(), ip("2001:db8::1"), 1500), None);
}

/// RFC 9293 section 3.10.7.1, both branches, with SYN and FIN counting one each.
#[test]
fn a_reset_acknowledges_what_it_refuses_or_takes_the_number_it_was_given() {
    let (client, server) = (at("10.0.1.5:4000"), at("10.0.2.9:443"));
    for (flags, payload, length) in
        [(tcp_flag::SYN, &b""[..], 1), (tcp_flag::FIN, b"bye", 4), (tcp_flag::PSH, b"data", 4)]
    {
        let segment = tcp(client, server, flags, 0xffff_ffff, 0, payload);
        let expected =
            tcp(server, client, tcp_flag::RST | tcp_flag::ACK, 0, 0xffff_ffff_u32.wrapping_add(length), b"");
        assert_same_segment(&segment, &expected);
    }
    let segment = tcp(client, server, tcp_flag::ACK | tcp_flag::PSH, 9, 77, b"data");
    assert_same_segment(&segment, &tcp(server, client, tcp_flag::RST, 77, 0, b""));
    let (client, server) = (at("[2001:db8::5]:4000"), at("[2001:db8::9]:443"));
    let segment = tcp(client, server, tcp_flag::ACK, 9, 77, b"");
    assert_same_segment(&segment, &tcp(server, client, tcp_flag::RST, 77, 0, b""));
}

#[test]
fn resets_fragments_and_other_protocols_get_no_reset() {
    let (client, server) = (at("10.0.1.5:4000"), at("10.0.2.9:443"));
    let rst = tcp(client, server, tcp_flag::RST | tcp_flag::ACK, 1, 1, b"");
    assert_eq!(reset(&parse(&rst).unwrap()), None);
    let data = tcp(client, server, tcp_flag::ACK, 1, 1, &[0; 100]);
    assert_eq!(reset(&parse(&fragments(&data, 7, 64)[0]).unwrap()), None);
    assert_eq!(reset(&parse(&udp(client, server, b"query")).unwrap()), None);
}

proptest! {
    #[test]
    fn every_answer_is_a_right_packet(length in 0usize..3000, mtu in any::<u16>(), six in any::<bool>()) {
        let (src, dst, router) = if six {
            ("[2001:db8::5]:4000", "[2001:db8::9]:53", "2001:db8::1")
        } else {
            ("10.0.1.5:4000", "10.0.2.9:53", "10.0.2.1")
        };
        let packet = udp(at(src), at(dst), &vec![0x5a; length]);
        let parsed = parse(&packet).unwrap();
        for error in [
            too_big(&packet, &parsed, ip(router), mtu),
            time_exceeded(&packet, &parsed, ip(router)),
            unreachable(&packet, &parsed, ip(router), Unreachable::Port),
        ] {
            let error = error.unwrap();
            prop_assert_eq!(verify(error.bytes()), Ok(()));
            prop_assert_eq!(quoted(error.bytes()), Some(parsed.tuple));
        }
    }
}

/// The error that `make` composes for `packet`, checked to be a right packet.
fn answer(packet: &[u8], make: impl Fn(&[u8], &Parsed) -> Option<Buffer>) -> Vec<u8> {
    let error = make(packet, &parse(packet).unwrap()).unwrap().bytes().to_vec();
    assert_eq!(verify(&error), Ok(()));
    error
}

/// Some error about `packet`, from a router of its family.
fn about(packet: &[u8]) -> Option<Buffer> {
    let parsed = parse(packet).unwrap();
    let router = if parsed.tuple.src.is_ipv4() { ip("10.0.2.1") } else { ip("2001:db8::1") };
    unreachable(packet, &parsed, router, Unreachable::Host)
}

fn assert_report(error: &[u8], from: &str, to: &str, about: FiveTuple) {
    let parsed = parse(error).unwrap();
    assert_eq!((parsed.tuple.src, parsed.tuple.dst, parsed.ttl), (ip(from), ip(to), 64));
    assert_eq!(quoted(error), Some(about));
}

fn quoted(error: &[u8]) -> Option<FiveTuple> {
    let Transport::Icmp { about, .. } = parse(error).unwrap().transport else { return None };
    about
}

/// What answers `segment` says the same as `expected`.
fn assert_same_segment(segment: &[u8], expected: &[u8]) {
    let answer = reset(&parse(segment).unwrap()).unwrap();
    assert_eq!(verify(answer.bytes()), Ok(()));
    let (answer, expected) = (parse(answer.bytes()).unwrap(), parse(expected).unwrap());
    assert_eq!((answer.tuple, answer.transport), (expected.tuple, expected.transport));
}

fn at_port(address: &str) -> std::net::SocketAddr {
    std::net::SocketAddr::new(ip(address), 4000)
}

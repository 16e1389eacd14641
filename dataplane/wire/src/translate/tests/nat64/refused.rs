use super::{examples, extended, packet, to, with_options};
use crate::testing::{echo_request, icmp, icmp_error, other, udp, with_ttl};
use crate::{Buffer, FiveTuple, Translation, Untranslatable, proto, read, translate};

/// Rules: NG-20
#[test]
fn protocols_and_messages_that_only_one_family_has() {
    let (client, outer) = examples();
    let (src6, dst6) = (client.0.ip(), client.1.ip());
    let (src4, dst4) = (outer.0.ip(), outer.1.ip());
    let to_v4 = to(&echo_request(src4, dst4, 7, 1, b""));
    let to_v6 = to(&echo_request(src6, dst6, 7, 1, b""));
    for (packet, to) in [
        (
            other(src6, dst6, 50, &[7; 40]),
            Translation { tuple: FiveTuple { proto: 50, ..to_v4.tuple }, ..to_v4 },
        ),
        (
            other(src4, dst4, 47, &[7; 40]),
            Translation { tuple: FiveTuple { proto: 47, ..to_v6.tuple }, ..to_v6 },
        ),
        (icmp(src4, dst4, 13, 0, [0, 7, 0, 1], &[0; 12]), to_v6),
        (icmp(src4, dst4, 10, 0, [0; 4], b""), to_v6),
        (icmp(src6, dst6, 133, 0, [0; 4], b""), to_v4),
        (icmp(src6, dst6, 1, 4, [0; 4], b"too short a quote"), to_v4),
        (icmp(src4, dst4, 128, 0, [0, 7, 0, 1], b""), to_v6),
        (other(src4, dst4, proto::ICMPV6, &[128, 0, 0, 0, 0, 7, 0, 1]), to_v6),
        (other(src6, dst6, proto::ICMP, &[8, 0, 0, 0, 0, 7, 0, 1]), to_v4),
    ] {
        refuse(&packet, &to, Untranslatable::NoCounterpart);
    }
}

/// Rules: NG-20
#[test]
fn headers_that_may_not_be_left_out() {
    let (client, outer) = examples();
    let (v6, v4) = (udp(client.0, client.1, b"query"), udp(outer.0, outer.1, b"query"));
    let routing = extended(&v6, 43, &[proto::UDP, 0, 0, 1, 0, 0, 0, 0]);
    refuse(&routing, &to(&v4), Untranslatable::NoCounterpart);
    let authentication = extended(&v6, 51, &[proto::UDP, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1]);
    refuse(&authentication, &to(&v4), Untranslatable::NoCounterpart);
    for (kind, pointer) in [(131, 4), (137, 4), (131, 7)] {
        let route = [1, kind, 7, pointer, 10, 0, 0, 1];
        refuse(&with_options(&v4, &route), &to(&v6), Untranslatable::NoCounterpart);
        let error = icmp_error(outer.1.ip(), &v4, 3, 3, 0);
        let expected = to(&icmp_error(client.1.ip(), &v6, 1, 4, 0));
        refuse(&with_options(&error, &route), &expected, Untranslatable::NoCounterpart);
    }
}

#[test]
fn what_is_no_translation_of_the_packet() {
    let (client, outer) = examples();
    let v6 = packet(0, client, b"query");
    for kind in 1..super::KINDS {
        refuse(&v6, &to(&packet(kind, outer, b"query")), Untranslatable::Mismatch);
    }
    let right = to(&packet(0, outer, b"query"));
    let mixed = FiveTuple { src: client.0.ip(), ..right.tuple };
    refuse(&v6, &Translation { tuple: mixed, ..right }, Untranslatable::Mismatch);
    let echo = packet(2, client, b"ping");
    refuse(&echo, &to(&packet(3, outer, b"ping")), Untranslatable::Mismatch);
    refuse(&with_ttl(v6, 1), &Translation { hops: 1, ..right }, Untranslatable::Expired);
}

/// Rules: NG-20
#[test]
fn a_packet_that_would_be_too_long() {
    let (client, outer) = examples();
    for (length, is_refused) in [(65_535, true), (65_515, false)] {
        let v4 = udp(outer.0, outer.1, &vec![7; length - 28]);
        let mut buffer = Buffer::copy_of(&v4);
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &to(&udp(client.0, client.1, b"")));
        assert_eq!(said.err(), is_refused.then_some(Untranslatable::Length));
    }
    let v6 = udp(client.0, client.1, &vec![7; 65_535 - 8]);
    refuse(&v6, &to(&udp(outer.0, outer.1, b"")), Untranslatable::Length);
}

#[test]
fn an_error_without_counterpart_or_about_something_without() {
    let (client, outer) = examples();
    let v4 = packet(0, outer, b"query");
    let v6 = packet(0, client, b"query");
    let to_v6 = to(&icmp_error(client.1.ip(), &v6, 1, 4, 0));
    for (icmp_type, code) in [(3, 14), (4, 0), (12, 0)] {
        let error = icmp_error(outer.1.ip(), &v4, icmp_type, code, 0);
        refuse(&error, &to_v6, Untranslatable::NoCounterpart);
    }
    let to_v4 = to(&icmp_error(outer.1.ip(), &v4, 3, 3, 0));
    for (icmp_type, code) in [(1, 5), (4, 0), (4, 2)] {
        let error = icmp_error(client.1.ip(), &v6, icmp_type, code, 0);
        refuse(&error, &to_v4, Untranslatable::NoCounterpart);
    }
    let esp = other(client.0.ip(), client.1.ip(), 50, &[7; 40]);
    refuse(&icmp_error(client.1.ip(), &esp, 1, 4, 0), &to_v4, Untranslatable::NoCounterpart);
    let error = icmp_error(client.1.ip(), &v6, 1, 4, 0);
    let wrong = FiveTuple { proto: proto::TCP, ..to_v4.about.unwrap() };
    refuse(&error, &Translation { about: Some(wrong), ..to_v4 }, Untranslatable::Mismatch);
    let wrong = FiveTuple { dst_port: 0x0301, ..to_v4.tuple };
    refuse(&error, &Translation { tuple: wrong, ..to_v4 }, Untranslatable::Mismatch);
}

fn refuse(packet: &[u8], to: &Translation, why: Untranslatable) {
    let mut buffer = Buffer::copy_of(packet);
    let parsed = read(&buffer).unwrap();
    assert_eq!(translate(&mut buffer, &parsed, to), Err(why), "{parsed}: {to:?}");
    assert_eq!(buffer.bytes(), packet);
}

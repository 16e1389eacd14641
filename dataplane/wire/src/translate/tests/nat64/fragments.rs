use proptest::prelude::*;

use super::{client, examples, extended, outer, packet, to};
use crate::testing::{fragments, reassemble, udp, verify};
use crate::{Buffer, FiveTuple, Fragment, Parsed, Transport, Untranslatable, proto, read, translate};

proptest! {
    /// Rules: NG-20, NG-14
    #[test]
    fn they_reassemble_to_the_translated_datagram(
        client in client(),
        outer in outer(),
        to_v4 in any::<bool>(),
        payload in prop::collection::vec(any::<u8>(), 1..1000),
        id in any::<u32>(),
        eights in prop_oneof![1_usize..12, 150_usize..200],
    ) {
        let (before, after) = if to_v4 { (client, outer) } else { (outer, client) };
        let payload = [&vec![7; eights * 8][..], &payload].concat();
        let after = udp(after.0, after.1, &payload);
        let to = to(&after);
        let mut pieces = Vec::new();
        for piece in fragments(&udp(before.0, before.1, &payload), id, eights * 8) {
            let mut buffer = Buffer::copy_of(&piece);
            let parsed = read(&buffer).unwrap();
            let said = translate(&mut buffer, &parsed, &to).unwrap();
            let ports = if said.transport == Transport::Later { 0 } else { u16::MAX };
            let tuple = FiveTuple {
                src_port: to.tuple.src_port & ports,
                dst_port: to.tuple.dst_port & ports,
                ..said.tuple
            };
            prop_assert_eq!(read(&buffer), Ok(Parsed { tuple, ..said }));
            let fragment = parsed.fragment.map(|before| Fragment { id: before.id & 0xffff, ..before });
            prop_assert_eq!(said.fragment, fragment);
            prop_assert_eq!(said.dont_fragment, !to_v4);
            prop_assert_eq!(verify(buffer.bytes()), Ok(()));
            pieces.push(buffer.bytes().to_vec());
        }
        let whole = reassemble(&pieces).unwrap();
        let header = if to_v4 { 20 } else { 40 };
        prop_assert_eq!(&whole[header..], &after[header..]);
    }
}

/// Rules: NG-14
#[test]
fn those_of_other_protocols_are_refused() {
    let (client, outer) = examples();
    for kind in 1..super::KINDS {
        for (before, after) in [(client, outer), (outer, client)] {
            for piece in fragments(&packet(kind, before, &[7; 100]), 9, 64) {
                refuse(&piece, &packet(kind, after, &[7; 100]), Untranslatable::Fragment);
            }
        }
    }
}

/// Rules: NG-20
#[test]
fn a_first_one_without_a_checksum_is_refused() {
    let (client, outer) = examples();
    let mut first = fragments(&udp(outer.0, outer.1, &[7; 100]), 9, 64).remove(0);
    first[26..28].fill(0);
    refuse(&first, &udp(client.0, client.1, &[7; 100]), Untranslatable::Fragment);
}

/// What is left out would be missing when the datagram is put together.
#[test]
fn one_with_options_for_the_destination_alone_is_refused() {
    let (client, outer) = examples();
    let datagram = udp(client.0, client.1, &[7; 40]);
    let first = [[60, 0, 0, 1, 0, 0, 0, 9], [proto::UDP, 0, 1, 4, 0, 0, 0, 0]].concat();
    refuse(&extended(&datagram, 44, &first), &udp(outer.0, outer.1, b""), Untranslatable::NoCounterpart);
}

/// An IPv4 datagram has its header within the 65,535 bytes.
#[test]
fn one_at_the_end_of_the_longest_datagram_is_refused() {
    let (client, outer) = examples();
    let datagram = udp(client.0, client.1, &[7; 16]);
    for (offset, is_refused) in [(65_504_u16, true), (65_488, false)] {
        let [high, low] = offset.to_be_bytes();
        let last = extended(&datagram, 44, &[proto::UDP, 0, high, low, 0, 0, 0, 9]);
        let mut buffer = Buffer::copy_of(&last);
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &to(&udp(outer.0, outer.1, b"")));
        assert_eq!(said.err(), is_refused.then_some(Untranslatable::Length), "{offset}");
    }
}

fn refuse(piece: &[u8], after: &[u8], why: Untranslatable) {
    let mut buffer = Buffer::copy_of(piece);
    let parsed = read(&buffer).unwrap();
    assert_eq!(translate(&mut buffer, &parsed, &to(after)), Err(why), "{parsed}");
    assert_eq!(buffer.bytes(), piece);
}

use super::*;
use crate::translate::{Patch, translate};
use crate::{Buffer, Offload, PartialChecksum, read};

proptest! {
    /// Rules: IG-02, NG-05
    #[test]
    fn a_patch_does_what_translate_does_or_nothing(
        kind in 0..KINDS,
        (from, into) in (ends(), ends()),
        keeps in any::<[bool; 2]>(),
        payload in payload(),
        hops in 0_u8..3,
        mss in proptest::option::of(500_u16..1500),
        partial in any::<bool>(),
    ) {
        let mut into = like(from, into);
        if keeps[0] { into.0 = from.0 }
        if keeps[1] { into.1 = from.1 }
        let packet = packet(kind, from, &payload);
        let parsed = parse(&packet).unwrap();
        let change = Translation { hops, mss, ..to(&self::packet(kind, into, &payload)) };
        let Some(patch) = Patch::of(&parsed.tuple, &change) else {
            prop_assert!(kind > 1 || from.0.is_ipv6());
            return Ok(());
        };
        let mut buffer = Buffer::copy_of(&packet);
        if partial {
            let offset = if kind == 0 { 6 } else { 16 };
            let checksum = Some(PartialChecksum { start: parsed.transport_offset, offset });
            buffer.set_offload(Offload { checksum, segments: None });
        }
        let mut patched = buffer.clone();
        prop_assert!(patch.apply(&mut patched, &parsed));
        translate(&mut buffer, &parsed, &change).unwrap();
        prop_assert_eq!(&patched, &buffer);
        prop_assert_eq!(read(&patched).unwrap().tuple, change.tuple);
    }
}

#[test]
fn a_patch_leaves_to_translate_what_it_cannot_do() {
    let [a, b, c] = ["10.0.0.1:7", "10.0.0.2:7", "10.0.0.3:7"].map(at);
    let wanted = Translation { hops: 1, mss: Some(1000), ..to(&tcp(c, b, tcp_flag::ACK, 1, 1, &[])) };
    let made_for = parse(&tcp(a, b, tcp_flag::ACK, 1, 1, &[])).unwrap();
    let patch = Patch::of(&made_for.tuple, &wanted).unwrap();
    let others = [
        ("a SYN whose MSS may be too large", tcp(a, b, tcp_flag::SYN, 1, 1, &[])),
        ("another sender", tcp(c, b, tcp_flag::ACK, 1, 1, &[])),
        ("another protocol", echo_request(a.ip(), b.ip(), 7, 1, &[])),
    ];
    for (what, packet) in others {
        let mut buffer = Buffer::copy_of(&packet);
        assert!(!patch.apply(&mut buffer, &parse(&packet).unwrap()), "{what}");
        assert_eq!(buffer.bytes(), packet, "{what}");
    }
    let mut last_hop = tcp(a, b, tcp_flag::ACK, 1, 1, &[]);
    last_hop[8] = 1;
    let mut buffer = Buffer::copy_of(&last_hop);
    assert!(!patch.apply(&mut buffer, &parse(&last_hop).unwrap()), "no time to live");
}

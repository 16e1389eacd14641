use proptest::prelude::*;

use crate::testing::{at, left_to_device, tcp, verify};
use crate::{Buffer, Translation, checksum, complete_checksum, parse, proto, read, tcp_flag, translate};

proptest! {
    /// Rules: MT-08
    #[test]
    fn a_syn_announces_no_more_than_fits(
        announced in any::<u16>(),
        most in any::<u16>(),
        padding in 0_usize..9,
        is_v6 in any::<bool>(),
        is_partial in any::<bool>(),
    ) {
        let options = [&vec![1; padding][..], &mss(announced), &[1; 12][padding..]].concat();
        let before = segment(is_v6, tcp_flag::SYN, &options);
        let lower = [&vec![1; padding][..], &mss(announced.min(most)), &[1; 12][padding..]].concat();
        let expected = segment(is_v6, tcp_flag::SYN, &lower);
        let mut buffer = if is_partial { left_to_device(before, None) } else { Buffer::copy_of(&before) };
        clamp(&mut buffer, most);
        complete_checksum(&mut buffer);
        prop_assert_eq!(buffer.bytes(), &expected);
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
    }

    #[test]
    fn any_options_keep_the_checksum_right(options in prop::collection::vec(0_u8..6, 40), length in 0_usize..11) {
        let mut buffer = Buffer::copy_of(&segment(false, tcp_flag::SYN, &options[..length * 4]));
        clamp(&mut buffer, 1);
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
    }
}

/// Rules: MT-08
#[test]
fn only_a_syn_is_changed_and_only_if_told() {
    for (flags, most, expected) in [
        (tcp_flag::SYN, Some(1400), 1400),
        (tcp_flag::SYN | tcp_flag::ACK, Some(1400), 1400),
        (tcp_flag::ACK, Some(1400), 8961),
        (tcp_flag::SYN, None, 8961),
    ] {
        let mut buffer = Buffer::copy_of(&segment(false, flags, &mss(8961)));
        let parsed = read(&buffer).unwrap();
        translate(
            &mut buffer,
            &parsed,
            &Translation { tuple: parsed.tuple, about: None, hops: 0, mss: most },
        )
        .unwrap();
        assert_eq!(buffer.bytes(), segment(false, flags, &mss(expected)));
    }
}

/// Rules: MT-08
#[test]
fn an_option_behind_a_malformed_one_is_not_looked_for() {
    let option = mss(8961);
    for (before, is_found) in [
        (&[3, 3, 7, 1][..], true),
        (&[1, 1, 1, 1], true),
        (&[4, 2, 1, 1], true),
        (&[0, 0, 0, 0], false),
        (&[3, 0, 0, 0], false),
        (&[3, 1, 0, 0], false),
        (&[2, 3, 9, 1], false),
        (&[3, 40, 0, 0], false),
    ] {
        let options = [before, &option].concat();
        let mut buffer = Buffer::copy_of(&segment(true, tcp_flag::SYN, &options));
        let unchanged = buffer.clone();
        clamp(&mut buffer, 1400);
        assert_eq!(buffer != unchanged, is_found, "{before:?}");
    }
    let mut cut = Buffer::copy_of(&segment(true, tcp_flag::SYN, &[1, 1, 2, 4]));
    let unchanged = cut.clone();
    clamp(&mut cut, 0);
    assert_eq!(cut, unchanged);
}

fn clamp(buffer: &mut Buffer, most: u16) {
    let parsed = read(buffer).unwrap();
    let same = Translation { tuple: parsed.tuple, about: None, hops: 0, mss: Some(most) };
    assert_eq!(translate(buffer, &parsed, &same), Ok(parsed));
}

fn mss(value: u16) -> [u8; 4] {
    let [high, low] = value.to_be_bytes();
    [2, 4, high, low]
}

/// A TCP segment with options, a multiple of four bytes, and a little data.
fn segment(is_v6: bool, flags: u8, options: &[u8]) -> Vec<u8> {
    let (src, dst) = match is_v6 {
        true => (at("[fd00::5]:4000"), at("[fd00::9]:443")),
        false => (at("10.0.0.5:4000"), at("10.0.0.9:443")),
    };
    let mut packet = tcp(src, dst, flags, 7, 9, &[options, b"data"].concat());
    let at = usize::from(parse(&packet).unwrap().transport_offset);
    packet[at + 12] = ((5 + options.len() / 4) as u8) << 4;
    packet[at + 16..at + 18].fill(0);
    let sum = checksum::transport(src.ip(), dst.ip(), proto::TCP, &packet[at..]);
    packet[at + 16..at + 18].copy_from_slice(&sum.to_be_bytes());
    packet
}

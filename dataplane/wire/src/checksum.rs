//! The internet checksum: in full (RFC 1071) and by what changed (RFC 1624).
//!
//! A *sum* is the ones'-complement sum of big-endian 16-bit words; the *checksum* that a header carries is its
//! complement. A guest with checksum offload leaves the uncomplemented sum of the pseudo-header in the field:
//! a *partial* checksum, which changes with the addresses only.

use std::net::IpAddr;

use smoltcp::wire::checksum as full;

/// Sums `data`, of at most 128 KiB; an odd last byte counts as a word's high half.
#[must_use]
pub fn sum(data: &[u8]) -> u16 {
    full::data(data)
}

/// Adds sums of parts; every part but the last must have an even length.
#[must_use]
pub fn combine(sums: &[u16]) -> u16 {
    full::combine(sums)
}

/// Sums the pseudo-header of a transport segment of `length` bytes (RFC 9293 section 3.1, RFC 8200 section 8.1).
#[must_use]
pub fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, length: u32) -> u16 {
    combine(&[
        sum_address(src),
        sum_address(dst),
        u16::from(protocol),
        (length >> 16) as u16,
        length as u16, // the low half
    ])
}

/// The checksum to write for a sum.
#[must_use]
pub const fn finish(sum: u16) -> u16 {
    !sum
}

/// The checksum to write into a UDP header, where zero means "none" and is sent as all ones (RFC 768).
#[must_use]
pub const fn finish_udp(sum: u16) -> u16 {
    nonzero(finish(sum))
}

/// The checksum of a TCP, UDP or ICMPv6 segment whose checksum field holds zero; zero when the field already
/// holds the right value. Writers of UDP pass it through [`finish_udp`]'s rule: zero is sent as all ones.
#[must_use]
pub fn transport(src: IpAddr, dst: IpAddr, protocol: u8, segment: &[u8]) -> u16 {
    // A segment comes from an IP packet, whose length field has 16 bits.
    let length = segment.len() as u32;
    finish(combine(&[pseudo_header(src, dst, protocol, length), sum(segment)]))
}

/// The checksum after a 16-bit word that it covers changed (RFC 1624 equation 3).
#[must_use]
pub const fn update16(checksum: u16, old: u16, new: u16) -> u16 {
    Delta::NONE.replace16(old, new).apply(checksum)
}

/// The checksum after two words changed, such as an IPv4 address or a sequence number.
#[must_use]
pub const fn update32(checksum: u16, old: u32, new: u32) -> u16 {
    Delta::NONE.replace32(old, new).apply(checksum)
}

/// The checksum after eight words changed: an IPv6 address.
#[must_use]
pub const fn update128(checksum: u16, old: u128, new: u128) -> u16 {
    Delta::NONE.replace128(old, new).apply(checksum)
}

/// What a rewrite adds to every checksum that covers the rewritten fields.
///
/// Computed once per session and then applied to each packet with one addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta(u16);

impl Delta {
    /// Changes nothing.
    pub const NONE: Self = Self(0);

    /// Adds the change of one 16-bit word at an even offset: a port, or TTL and protocol together.
    #[must_use]
    pub const fn replace16(self, old: u16, new: u16) -> Self {
        Self(add(add(self.0, !old), new))
    }

    /// Adds the change of two words.
    #[must_use]
    pub const fn replace32(self, old: u32, new: u32) -> Self {
        let (sum, carry) = (!old).overflowing_add(new);
        let sum = sum + carry as u32; // cannot overflow, as in `add`
        Self(add(self.0, add((sum >> 16) as u16, sum as u16)))
    }

    /// Adds the change of eight words.
    #[must_use]
    pub const fn replace128(self, old: u128, new: u128) -> Self {
        self.replace16(fold128(old), fold128(new))
    }

    /// Adds the change of an address, also to one of the other family, as NAT64 does in the pseudo-header.
    #[must_use]
    pub fn replace_address(self, old: IpAddr, new: IpAddr) -> Self {
        self.replace16(sum_address(old), sum_address(new))
    }

    /// The checksum of the changed packet. For UDP use [`Self::apply_udp`].
    #[must_use]
    pub const fn apply(self, checksum: u16) -> u16 {
        !add(!checksum, self.0)
    }

    /// The UDP checksum of the changed packet: "none" stays "none" (RFC 3022 section 4.1).
    #[must_use]
    pub const fn apply_udp(self, checksum: u16) -> u16 {
        if checksum == 0 { 0 } else { nonzero(self.apply(checksum)) }
    }

    /// The partial checksum of the changed packet. Only the delta of addresses belongs here, since the sum of a
    /// pseudo-header does not cover the ports.
    #[must_use]
    pub const fn apply_partial(self, partial: u16) -> u16 {
        add(partial, self.0)
    }
}

/// Ones'-complement addition.
const fn add(left: u16, right: u16) -> u16 {
    let (sum, carry) = left.overflowing_add(right);
    // With a carry the sum is at most 0xfffe, so this cannot overflow.
    sum + carry as u16
}

const fn nonzero(checksum: u16) -> u16 {
    if checksum == 0 { 0xffff } else { checksum }
}

const fn fold128(value: u128) -> u16 {
    let mut rest = value;
    let mut sum = 0;
    while rest > 0 {
        sum = add(sum, rest as u16); // the lowest word
        rest >>= 16;
    }
    sum
}

fn sum_address(address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(address) => sum(&address.octets()),
        IpAddr::V6(address) => sum(&address.octets()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_rfc_1071_sums_to_ddf2() {
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
    }

    #[test]
    fn the_example_of_rfc_1624_becomes_zero_and_not_all_ones() {
        assert_eq!(update16(0xdd2f, 0x5555, 0x3285), 0x0000);
    }

    #[test]
    fn an_ipv4_header_from_the_wire_verifies() {
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(finish(sum(&header)), 0);
    }

    #[test]
    fn the_longest_packet_of_all_ones_sums_without_overflow() {
        assert_eq!(sum(&vec![0xff; 65_535 + 40]), add(0xffff, 0xff00));
    }

    #[test]
    fn a_udp_checksum_is_never_written_as_none() {
        assert_eq!(finish_udp(0xffff), 0xffff);
        assert_eq!(finish_udp(0x1234), !0x1234);
        let to_zero = Delta::NONE.replace16(0x5555, 0x3285);
        assert_eq!(to_zero.apply_udp(0xdd2f), 0xffff);
        assert_eq!(to_zero.apply_udp(0), 0);
    }

    proptest! {
        #[test]
        fn an_update_equals_a_full_sum(
            mut words in prop::collection::vec(any::<u16>(), 9..40),
            at in any::<prop::sample::Index>(),
            new in any::<[u16; 8]>(),
            width in prop::sample::select(vec![1usize, 2, 8]),
        ) {
            // RFC 1624 holds for data that is not all zero; a header never is.
            words[0] = 0x4500;
            let at = 1 + at.index(words.len() - width);
            let before = finish(sum(&bytes(&words)));
            let old = value(&words[at..at + width]);
            words[at..at + width].copy_from_slice(&new[..width]);
            let new = value(&words[at..at + width]);
            let updated = match width {
                1 => update16(before, old as u16, new as u16),
                2 => update32(before, old as u32, new as u32),
                _ => update128(before, old, new),
            };
            prop_assert_eq!(updated, finish(sum(&bytes(&words))));
        }

        #[test]
        fn a_delta_of_addresses_and_ports_fixes_whole_and_partial_checksums(
            old in any::<[IpAddr; 2]>(),
            new in any::<[IpAddr; 2]>(),
            ports in any::<[u16; 2]>(),
            payload in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let addresses = Delta::NONE.replace_address(old[0], new[0]).replace_address(old[1], new[1]);
            let length = payload.len() as u32 + 2;
            let pseudo = |ends: [IpAddr; 2]| pseudo_header(ends[0], ends[1], 6, length);
            prop_assert_eq!(addresses.apply_partial(pseudo(old)), pseudo(new));
            let segment = |port: u16| [&port.to_be_bytes()[..], &payload].concat();
            let before = transport(old[0], old[1], 6, &segment(ports[0]));
            let after = addresses.replace16(ports[0], ports[1]).apply(before);
            prop_assert_eq!(after, transport(new[0], new[1], 6, &segment(ports[1])));
        }
    }

    fn bytes(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn value(words: &[u16]) -> u128 {
        words.iter().fold(0, |value, &word| value << 16 | u128::from(word))
    }
}

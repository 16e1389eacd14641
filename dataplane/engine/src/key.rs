//! What a half is found under, and its compact forms for each family.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use snapshot::Attachment;
use wire::FiveTuple;

/// Where packets enter and their tuple there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) at: Attachment,
    pub(crate) tuple: FiveTuple,
}

/// An IPv4 [`Key`] in 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key4 {
    at: u32,
    src: u32,
    dst: u32,
    ports: u32,
    proto: u32,
}

/// An IPv6 [`Key`] in 44 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key6 {
    at: u32,
    src: [u32; 4],
    dst: [u32; 4],
    ports: u32,
    proto: u32,
}

const _: () = assert!(size_of::<Key4>() == 20 && size_of::<Key6>() == 44);

/// A [`Key`] as the table of its family keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packed {
    V4(Key4),
    V6(Key6),
}

impl Key {
    #[inline]
    pub(crate) fn packed(&self) -> Packed {
        let FiveTuple { src, dst, src_port, dst_port, proto } = self.tuple;
        let (at, ports) = (self.at.token(), u32::from(src_port) << 16 | u32::from(dst_port));
        let proto = proto.into();
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                Packed::V4(Key4 { at, src: src.to_bits(), dst: dst.to_bits(), ports, proto })
            }
            (src, dst) => Packed::V6(Key6 { at, src: words(src), dst: words(dst), ports, proto }),
        }
    }
}

/// A form that gives the key back.
pub(crate) trait Unpack: Copy + Eq + Hash {
    fn unpack(&self) -> Key;
}

impl Unpack for Key4 {
    fn unpack(&self) -> Key {
        let (src, dst) = (Ipv4Addr::from_bits(self.src).into(), Ipv4Addr::from_bits(self.dst).into());
        key(self.at, src, dst, self.ports, self.proto)
    }
}

impl Unpack for Key6 {
    fn unpack(&self) -> Key {
        key(self.at, address(self.src), address(self.dst), self.ports, self.proto)
    }
}

impl Hash for Key4 {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(pair(self.src, self.dst));
        state.write_u64(pair(self.at, self.ports));
        state.write_u32(self.proto);
    }
}

impl Hash for Key6 {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        for [high, low] in [self.src, self.dst].map(|[a, b, c, d]| [pair(a, b), pair(c, d)]) {
            state.write_u64(high);
            state.write_u64(low);
        }
        state.write_u64(pair(self.at, self.ports));
        state.write_u32(self.proto);
    }
}

const fn pair(high: u32, low: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

fn key(at: u32, src: IpAddr, dst: IpAddr, ports: u32, proto: u32) -> Key {
    let tuple = FiveTuple {
        src,
        dst,
        src_port: (ports >> 16) as u16,
        dst_port: ports as u16, // the low half
        proto: proto as u8,     // it was one
    };
    Key { at: Attachment::from_token(at), tuple }
}

fn words(address: IpAddr) -> [u32; 4] {
    let bits = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    };
    [96, 64, 32, 0].map(|shift| (bits >> shift) as u32)
}

fn address(words: [u32; 4]) -> IpAddr {
    let bits = words.into_iter().fold(0_u128, |bits, word| bits << 32 | u128::from(word));
    Ipv6Addr::from_bits(bits).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_key_is_the_same_key() {
        for [src, dst] in [["10.0.1.5", "10.0.2.9"], ["2600:1f18::1", "2001:db8:ffff::2"]] {
            let [src, dst] = [src, dst].map(|address| address.parse().expect("an address"));
            let tuple = FiveTuple { src, dst, src_port: 0xa1b2, dst_port: 0xc3d4, proto: 58 };
            let key = Key { at: Attachment::INTERNET, tuple };
            let again = match key.packed() {
                Packed::V4(packed) => packed.unpack(),
                Packed::V6(packed) => packed.unpack(),
            };
            assert_eq!(again, key);
        }
    }
}

//! The header in front of every packet of a device with offloads: `struct virtio_net_hdr` (virtio 1.2 section 5.1.6),
//! in the machine's byte order, as `drivers/net/tun.c` has it unless told otherwise.

use wire::{Offload, PartialChecksum, SegmentKind, Segments};

/// Bytes of the header: the kernel's default, without the buffer count of merged receive buffers.
pub(super) const LENGTH: usize = 10;

/// What the kernel left undone. A kind of segments that was not asked for counts as none.
pub(super) fn decode(header: [u8; LENGTH]) -> Offload {
    let [flags, gso, h0, h1, s0, s1, c0, c1, o0, o1] = header;
    let word = |low, high| u16::from_ne_bytes([low, high]);
    let checksum =
        (flags & NEEDS_CHECKSUM != 0).then(|| PartialChecksum { start: word(c0, c1), offset: word(o0, o1) });
    let (headers, size, ecn) = (word(h0, h1), word(s0, s1), gso & ECN != 0);
    let segments = kind(gso & !ECN).map(|kind| Segments { kind, size, headers, ecn });
    Offload { checksum, segments }
}

/// Tells the kernel what is left to do.
///
/// A whole packet is not said to be valid: the receiver verifies its checksum itself.
pub(super) fn encode(offload: Offload) -> [u8; LENGTH] {
    let (flags, start, offset) =
        offload.checksum.map_or((0, 0, 0), |place| (NEEDS_CHECKSUM, place.start, place.offset));
    let (gso, headers, size) =
        offload.segments.map_or((NO_SEGMENTS, 0, 0), |of| (code(of), of.headers, of.size));
    let ([h0, h1], [s0, s1]) = (headers.to_ne_bytes(), size.to_ne_bytes());
    let ([c0, c1], [o0, o1]) = (start.to_ne_bytes(), offset.to_ne_bytes());
    [flags, gso, h0, h1, s0, s1, c0, c1, o0, o1]
}

const fn kind(code: u8) -> Option<SegmentKind> {
    match code {
        TCP_V4 => Some(SegmentKind::TcpV4),
        TCP_V6 => Some(SegmentKind::TcpV6),
        UDP => Some(SegmentKind::Udp),
        _ => None,
    }
}

const fn code(segments: Segments) -> u8 {
    let kind = match segments.kind {
        SegmentKind::TcpV4 => TCP_V4,
        SegmentKind::TcpV6 => TCP_V6,
        SegmentKind::Udp => UDP,
    };
    if segments.ecn { kind | ECN } else { kind }
}

const NEEDS_CHECKSUM: u8 = 1;
const NO_SEGMENTS: u8 = 0;
const TCP_V4: u8 = 1;
const TCP_V6: u8 = 4;
const UDP: u8 = 5;
const ECN: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    /// As read from a device on Linux 6.18 for a UDP datagram of 20 kB with `UDP_SEGMENT` 1000.
    #[cfg(target_endian = "little")]
    const USO: [u8; LENGTH] = [1, 5, 28, 0, 0xe8, 3, 20, 0, 6, 0];

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernels_header_is_read_and_written_back() {
        let offload = Offload {
            checksum: Some(PartialChecksum { start: 20, offset: 6 }),
            segments: Some(Segments { kind: SegmentKind::Udp, size: 1000, headers: 28, ecn: false }),
        };
        assert_eq!(decode(USO), offload);
        assert_eq!(encode(offload), USO);
    }

    #[test]
    fn every_kind_comes_back_and_nothing_to_do_is_all_zero() {
        for kind in [SegmentKind::TcpV4, SegmentKind::TcpV6, SegmentKind::Udp] {
            for ecn in [false, true] {
                let segments = Some(Segments { kind, size: 0x1234, headers: 0x5678, ecn });
                let offload = Offload { checksum: None, segments };
                assert_eq!(decode(encode(offload)), offload);
            }
        }
        assert_eq!(encode(Offload::default()), [0; LENGTH]);
        assert_eq!(
            decode([2, 3, 1, 1, 1, 1, 1, 1, 1, 1]),
            Offload::default(),
            "valid, and a kind never asked for"
        );
    }
}

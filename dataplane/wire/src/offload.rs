//! What a device with offloads left undone in a packet.

/// Work that was left to whoever sends the packet on: it travels with the packet and is done by the device that takes
/// it, or in software before a consumer that cannot.
///
/// The default is a whole packet, with nothing left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// Where the transport checksum is missing, if it is: the field holds the sum of the pseudo-header alone.
    pub checksum: Option<PartialChecksum>,
    /// How the packet is cut before it is on the wire, if it stands for several.
    pub segments: Option<Segments>,
}

/// A transport checksum that is still to be summed (virtio 1.2 section 5.1.6.2, `VIRTIO_NET_HDR_F_NEEDS_CSUM`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialChecksum {
    /// Where the sum begins: bytes from the start of the packet, normally the transport header.
    pub start: u16,
    /// Where the checksum goes: bytes from `start`.
    pub offset: u16,
}

/// A super-packet: one set of headers before the payload of many packets.
///
/// Its IP length field covers the whole; every packet on the wire has the headers and `size` bytes of payload, the last
/// one what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// What is cut, and hence which header fields differ from packet to packet.
    pub kind: SegmentKind,
    /// Transport payload bytes of each packet, above zero.
    pub size: u16,
    /// Bytes of IP and transport header together, as the device said; a hint that may be too small.
    pub headers: u16,
    /// The first packet carries the CWR flag and the others do not (`VIRTIO_NET_HDR_GSO_ECN`).
    pub ecn: bool,
}

/// The transport of a super-packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// TCP over IPv4: `VIRTIO_NET_HDR_GSO_TCPV4`.
    TcpV4,
    /// TCP over IPv6: `VIRTIO_NET_HDR_GSO_TCPV6`.
    TcpV6,
    /// UDP over either: `VIRTIO_NET_HDR_GSO_UDP_L4`.
    Udp,
}

//! Packets of the stages.

use std::net::SocketAddr;

use wire::tcp_flag;

/// The one port that the lab allows.
pub(crate) const PORT: u16 = 5_432;

/// Which family a packet is of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Family {
    V4,
    V6,
}

/// The first packet of flow number `n`: TCP to the server.
pub(crate) fn syn(family: Family, n: u16) -> Vec<u8> {
    let (client, server) = ends(family, n);
    wire::testing::tcp(client, server, tcp_flag::SYN, 0, 0, &[])
}

/// A packet with 64 bytes of payload of UDP flow number `n`.
pub(crate) fn datagram(family: Family, n: u16) -> Vec<u8> {
    let (client, server) = ends(family, n);
    wire::testing::udp(client, server, &[0; 64])
}

/// A packet with 64 bytes of payload of UDP flow number `n` to the host on the internet.
pub(crate) fn datagram_abroad(n: u16) -> Vec<u8> {
    let (client, _) = ends(Family::V4, n);
    let host = SocketAddr::new(wire::testing::ip("203.0.113.10"), PORT);
    wire::testing::udp(client, host, &[0; 64])
}

fn ends(family: Family, n: u16) -> (SocketAddr, SocketAddr) {
    let (client, server) = match family {
        Family::V4 => ("10.0.1.10", "10.0.2.10"),
        Family::V6 => ("2001:db8:0:1::10", "2001:db8:0:2::10"),
    };
    let at = |address: &str, port| SocketAddr::new(wire::testing::ip(address), port);
    (at(client, 10_000 + n), at(server, PORT))
}

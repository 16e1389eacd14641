//! Echo requests.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use wire::{checksum, proto};

use super::send::exchange;
use super::{Reply, message, raw_socket};

/// Asks for an echo. `id` becomes the identifier that was used.
pub(super) fn ping(
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    timeout: Duration,
    id: &mut u16,
) -> io::Result<Reply> {
    let socket = raw_socket(from, protocol)?;
    socket.connect(SocketAddr::new(to, 0))?;
    // Processes that live at the same time differ in it, as those of ping(8) do. 0 is left to nobody.
    *id = (std::process::id() as u16).max(1);
    let (request, reply) = if protocol == proto::ICMP { (8, 0) } else { (128, 129) };
    let asked = *id;
    exchange(&socket, timeout, &echo(request, asked), |received| {
        let received = message(to, received);
        received.first() == Some(&reply) && received.get(4..6) == Some(&asked.to_be_bytes()[..])
    })
}

/// An echo request with sequence number 1. For ICMPv6 the kernel writes the checksum (RFC 3542 section 3.1).
fn echo(request: u8, id: u16) -> [u8; 16] {
    let [high, low] = id.to_be_bytes();
    let mut packet = [request, 0, 0, 0, high, low, 0, 1, b'v', b'p', b'c', b'l', b'a', b'b', 0, 0];
    let sum = checksum::finish(checksum::sum(&packet));
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_an_echo_request_holds() {
        assert_eq!(checksum::finish(checksum::sum(&echo(8, 0x1234))), 0);
    }
}

//! Sends datagrams of many flows, each in turn, as fast as possible.

use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use super::Sent;
use crate::clock::{Deadline, now};

/// See the module. A flow is a source address and a source port; raw sockets spare the kernel a million bound ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scatter {
    /// Own addresses: `PORTS` flows fit on each.
    pub from: Vec<Ipv4Addr>,
    /// Who receives.
    pub to: SocketAddrV4,
    /// Length of a datagram in bytes.
    pub size: usize,
    /// How many flows.
    pub flows: usize,
    /// How long.
    pub milliseconds: u64,
}

/// Flows on one source address.
pub(crate) const PORTS: usize = 62_500;

impl Scatter {
    pub(super) fn run(&self) -> io::Result<Sent> {
        let sockets = self.from.iter().map(|from| self.socket(*from)).collect::<io::Result<Vec<_>>>()?;
        if self.flows == 0 || self.flows > PORTS * sockets.len() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "more flows than source addresses have ports",
            ));
        }
        let mut batch = vec![vec![0; HEADER + self.size]; BATCH];
        let began = now();
        let deadline = Deadline::after(Duration::from_millis(self.milliseconds));
        let (mut flow, mut datagrams) = (0, 0);
        while !deadline.passed() {
            let count = self.fill(&mut batch, flow);
            datagrams += send(&sockets[flow / PORTS], &batch[..count])?;
            flow = (flow + count) % self.flows;
        }
        Ok(Sent { datagrams, seconds: (now() - began).as_secs_f64() })
    }

    fn socket(&self, from: Ipv4Addr) -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))?;
        socket.bind(&SocketAddrV4::new(from, 0).into())?;
        socket.connect(&SocketAddrV4::new(*self.to.ip(), 0).into())?;
        Ok(socket)
    }

    /// Writes the headers of datagrams of the flows from `first` on, as many as have its source address, and says how many.
    fn fill(&self, batch: &mut [Vec<u8>], first: usize) -> usize {
        let flows = (0..batch.len()).map(|at| (first + at) % self.flows);
        let flows = flows.take_while(|flow| flow / PORTS == first / PORTS);
        let mut count = 0;
        for (message, flow) in batch.iter_mut().zip(flows) {
            message[..HEADER].copy_from_slice(&self.header(flow));
            count += 1;
        }
        count
    }

    /// A UDP header without checksum, which IPv4 permits (RFC 768).
    fn header(&self, flow: usize) -> [u8; HEADER] {
        let source = (FIRST_PORT + flow % PORTS) as u16;
        let length = (HEADER + self.size) as u16;
        let [s0, s1] = source.to_be_bytes();
        let [d0, d1] = self.to.port().to_be_bytes();
        let [l0, l1] = length.to_be_bytes();
        [s0, s1, d0, d1, l0, l1, 0, 0]
    }
}

fn send(socket: &Socket, messages: &[Vec<u8>]) -> io::Result<u64> {
    let slices: Vec<_> = messages.iter().map(|message| [IoSlice::new(message)]).collect();
    let mut headers = MultiHeaders::<()>::preallocate(slices.len(), None);
    match sendmmsg(socket.as_raw_fd(), &mut headers, &slices, [None; BATCH], [], MsgFlags::empty()) {
        Ok(sent) => Ok(sent.count() as u64),
        Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::ECONNREFUSED) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}

/// Bytes of a UDP header.
const HEADER: usize = 8;

const FIRST_PORT: usize = 1024;

/// Datagrams in one system call.
const BATCH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn scatter(flows: usize) -> Scatter {
        let from = vec![Ipv4Addr::LOCALHOST; 2];
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9000);
        Scatter { from, to, size: 2, flows, milliseconds: 1 }
    }

    fn source_ports(scatter: &Scatter, first: usize) -> Vec<u16> {
        let mut batch = vec![vec![0; HEADER + 2]; 4];
        let count = scatter.fill(&mut batch, first);
        batch[..count].iter().map(|message| u16::from_be_bytes([message[0], message[1]])).collect()
    }

    #[test]
    fn a_batch_goes_round_the_flows_and_stays_on_one_address() {
        assert_eq!(source_ports(&scatter(1), 0), [1024; 4]);
        assert_eq!(source_ports(&scatter(3), 2), [1026, 1024, 1025, 1026]);
        let many = scatter(PORTS + 10);
        assert_eq!(source_ports(&many, PORTS - 2), [63_522, 63_523], "the next flow has another address");
        assert_eq!(source_ports(&many, PORTS), [1024, 1025, 1026, 1027]);
        assert_eq!(source_ports(&many, PORTS + 9), [1033], "and then it begins again");
    }

    #[test]
    fn a_header_has_both_ports_the_length_and_no_checksum() {
        assert_eq!(scatter(5).header(4), [0x04, 0x04, 0x23, 0x28, 0, 10, 0, 0]);
    }
}

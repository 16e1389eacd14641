//! One protocol between the two ends, both ways, compared byte for byte.

mod icmp;
mod tcp;
mod udp;

use std::fmt;
use std::io;

use super::site::Site;

/// What is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// A connection with some hundred kilobytes each way.
    Tcp,
    /// Datagrams, one by one.
    Udp,
    /// Datagrams that a socket sends in one call.
    SegmentedUdp,
    /// An echo request and its reply.
    Icmp,
}

impl Exchange {
    pub(super) const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::SegmentedUdp, Self::Icmp];

    /// Returns within the time of [`Deadline`](super::deadline::Deadline).
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub(super) fn run(self, site: &Site) -> Result<(), Failure> {
        match self {
            Self::Tcp => tcp::exchange(site),
            Self::Udp => udp::exchange(site),
            Self::SegmentedUdp => udp::exchange_segmented(site),
            Self::Icmp => icmp::exchange(site),
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::SegmentedUdp => "segmented UDP",
            Self::Icmp => "ICMP",
        })
    }
}

/// Why an exchange did not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("not tried: {0}")]
    NotTried(io::Error),
    #[error("{0}")]
    Broken(#[from] io::Error),
    #[error("no connection: {0}")]
    NoConnection(io::Error),
    #[error("the echo request was not answered")]
    NoReply,
    #[error("the echo reply has other bytes than the request")]
    ReplyChanged,
    #[error("{came} of {sent} bytes {way}")]
    BytesLost { came: usize, sent: usize, way: Way },
    #[error("byte {at} of {sent} {way} changed")]
    ByteChanged { at: usize, sent: usize, way: Way },
    #[error("{came} of {sent} datagrams of {} bytes {way}", Sizes(.sizes))]
    DatagramsLost { came: usize, sent: usize, sizes: [usize; 2], way: Way },
    #[error("{changed} of {sent} datagrams {way} changed")]
    DatagramsChanged { changed: usize, sent: usize, way: Way },
}

impl Failure {
    /// Whether it says something against the machine's devices.
    pub(super) const fn counts(&self) -> bool {
        !matches!(self, Self::NotTried(_))
    }
}

/// The smallest and the largest of some lengths.
struct Sizes<'a>(&'a [usize; 2]);

impl fmt::Display for Sizes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [least, most] if least == most => write!(f, "{least}"),
            [least, most] => write!(f, "{least} to {most}"),
        }
    }
}

/// The direction in which something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the near end to the far one.
    There,
    Back,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::There => "arrived",
            Self::Back => "came back",
        })
    }
}

/// Bytes in which nothing that is cut out, moved or joined wrongly goes unnoticed. Every `seed` gives other ones.
fn pattern(seed: usize, length: usize) -> Vec<u8> {
    // Knuth's multiplicative hash: the high bytes of consecutive numbers share no period with any segment size.
    let byte = |at: usize| (((at + (seed << 20)) as u32).wrapping_mul(2_654_435_761) >> 24) as u8;
    (0..length).map(byte).collect()
}

/// Whether a read has only run out of time.
fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

//! How devices are opened.

/// How to open a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunOptions {
    /// Largest packet in bytes, IP header included.
    pub mtu: u16,
    /// How many packets the kernel keeps in each queue for a reader that is late; each slot costs one pointer.
    pub txqueuelen: u32,
    /// Work left to whoever reads the packet, at most: a kernel that refuses gives the next lower level.
    pub offload: Offload,
    /// Which code talks to `/dev/net/tun`.
    pub opener: Opener,
    /// How many readers the device has, at most: where several are not to be had, there is one.
    pub queues: Queues,
}

impl Default for TunOptions {
    /// An interface as AWS makes it: jumbo frames (EC2 user guide, "Network maximum transmission unit"). The
    /// queue holds a burst of 10,000 packets: what comes at a million packets a second while others keep a reader from its processor
    /// for 10 ms.
    fn default() -> Self {
        let (offload, opener, queues) = (Offload::TcpUdp, Opener::Direct, Queues::One);
        Self { mtu: 9001, txqueuelen: 10_000, offload, opener, queues }
    }
}

/// How many queues a device has, and which packets come through which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queues {
    /// One, for one reader.
    One,
    /// One for each worker: a [steering program](crate::steering) puts packets on their owner's.
    PerWorker {
        /// How many workers there are.
        workers: u16,
        /// The run's hash seed.
        seed: u64,
    },
}

impl Queues {
    /// How many there are, and open files for them.
    #[must_use]
    pub const fn count(self) -> u16 {
        match self {
            Self::One | Self::PerWorker { workers: 0, .. } => 1,
            Self::PerWorker { workers, .. } => workers,
        }
    }
}

/// Work that the namespace's network stack leaves to whoever reads the packet; each level includes those before.
///
/// It says nothing of writes: a device of [`Opener::Direct`] takes super-packets and partial checksums at every level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offload {
    /// Nothing: every packet is whole, checksummed, and no longer than the MTU.
    None,
    /// Transport checksums are partial.
    Checksum,
    /// TCP comes in super-packets of up to 64 KiB.
    Tcp,
    /// UDP too, where a socket asks for it (`UDP_SEGMENT`). Since Linux 6.2.
    TcpUdp,
}

impl Offload {
    /// All levels, the most work first.
    pub const ALL: [Self; 4] = [Self::TcpUdp, Self::Tcp, Self::Checksum, Self::None];

    /// The argument of `TUNSETOFFLOAD`.
    pub(super) const fn mask(self) -> libc::c_uint {
        const TCP: libc::c_uint =
            libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6 | libc::TUN_F_TSO_ECN;
        match self {
            Self::None => 0,
            Self::Checksum => libc::TUN_F_CSUM,
            Self::Tcp => TCP,
            // The kernel takes the two only together.
            Self::TcpUdp => TCP | libc::TUN_F_USO4 | libc::TUN_F_USO6,
        }
    }
}

/// Which code opens the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opener {
    /// This crate's own calls.
    Direct,
    /// The crate `tokio-tun`, which knows no offloads: packets come whole and are finished in software before they
    /// are written. Its devices have one queue.
    #[cfg(feature = "tokio")]
    TokioTun,
}

//! Whose turn it is: the devices known to have packets.

use std::collections::VecDeque;
use std::io;

use wire::Buffer;

use crate::pool::BufferPool;
use crate::tun;

/// The attached devices, as a turn sees them.
pub(super) trait Devices {
    /// Reads one packet of the device. `None` when none waits, or none did when the device was last read, or it is not to be asked
    /// now or not attached. From then on the device is off the list, and something has to put it there again. After an error it
    /// is still there, unless the device is gone.
    fn read(&mut self, token: u32, buffer: &mut Buffer) -> io::Result<Option<usize>>;

    /// Lets go of a device that is gone.
    fn lose(&mut self, token: u32);
}

/// Devices that have packets, in the order of their turns, and those that are gone. A token is in the order at most once;
/// the owner sees to that.
#[derive(Debug, Default)]
pub(super) struct ReadyList {
    turns: VecDeque<u32>,
    lost: Vec<(u32, io::Error)>,
}

impl ReadyList {
    pub(super) fn push(&mut self, token: u32) {
        self.turns.push_back(token);
    }

    pub(super) fn remove(&mut self, token: u32) {
        self.turns.retain(|queued| *queued != token);
    }

    /// Whether the worker may sleep: no device has packets, and there is no loss to tell.
    pub(super) fn is_idle(&self) -> bool {
        self.turns.is_empty() && self.lost.is_empty()
    }

    /// Ends the turns of a device that is gone, and remembers how that was seen.
    pub(super) fn lose(&mut self, devices: &mut impl Devices, token: u32, error: io::Error) {
        self.remove(token);
        devices.lose(token);
        self.lost.push((token, error));
    }

    /// What [`super::Backend::take_lost`] promises.
    pub(super) fn take_lost(&mut self) -> Vec<(u32, io::Error)> {
        std::mem::take(&mut self.lost)
    }

    /// Reads at most `budget` packets in turns, fewer when they are long, as [`super::Backend::read`] promises.
    pub(super) fn read(
        &mut self,
        devices: &mut impl Devices,
        budget: usize,
        pool: &mut BufferPool,
        out: &mut Vec<(u32, Buffer)>,
    ) -> usize {
        let before = out.len();
        let mut budget = Budget { packets: budget, bytes: BYTES };
        while !budget.is_spent() {
            let Some(token) = self.turns.pop_front() else { break };
            match take_turn(token, devices, &mut budget, pool, out) {
                Ok(Turn::Drained) => {}
                Ok(Turn::Unfinished) => self.turns.push_back(token),
                Err(error) => self.lose(devices, token, error),
            }
        }
        out.len() - before
    }
}

/// How a device's turn ended.
enum Turn {
    /// The device has no packets.
    Drained,
    /// The device may have more packets.
    Unfinished,
}

/// What may still be read in this round.
struct Budget {
    packets: usize,
    bytes: usize,
}

impl Budget {
    const fn is_spent(&self) -> bool {
        self.packets == 0 || self.bytes == 0
    }

    const fn spend(&mut self, bytes: usize) {
        self.packets -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

fn take_turn(
    token: u32,
    devices: &mut impl Devices,
    budget: &mut Budget,
    pool: &mut BufferPool,
    out: &mut Vec<(u32, Buffer)>,
) -> io::Result<Turn> {
    for _ in 0..TURN {
        if budget.is_spent() {
            break;
        }
        let mut buffer = pool.take();
        let outcome = devices.read(token, &mut buffer);
        if let Ok(Some(bytes)) = outcome {
            budget.spend(bytes);
            out.push((token, buffer));
            continue;
        }
        pool.give(buffer);
        match outcome {
            // The next read may do better, but a round ends however many fail.
            Err(error) if !tun::is_gone(&error) => budget.spend(0),
            ended => return ended.map(|_| Turn::Drained),
        }
    }
    Ok(Turn::Unfinished)
}

/// Packets one device gives before the next one has its turn: long enough that neighbours of one flow stay
/// together, short enough that a batch of 64 serves four devices.
pub(super) const TURN: usize = 16;

/// Bytes read in one round, about: what is read is written soon after, while it is in the second-level cache.
const BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn devices_take_turns_and_keep_their_own_order() {
        let mut world = World::with([(1, 20), (2, 2), (3, 20)]);
        let (tokens, _) = world.read(64);
        let turns: Vec<_> = tokens.chunk_by(|a, b| a.0 == b.0).map(|turn| (turn[0].0, turn.len())).collect();
        assert_eq!(turns, [(1, 16), (2, 2), (3, 16), (1, 4), (3, 4)]);
        let first: Vec<_> =
            tokens.iter().filter(|(token, _)| *token == 1).map(|(_, bytes)| bytes[0]).collect();
        assert!(first.is_sorted(), "{first:?}");
    }

    #[test]
    fn a_busy_device_starves_nobody_over_several_batches() {
        let mut world = World::with([(1, 200), (2, 200), (3, 1)]);
        let seen = |(packets, _): (Vec<(u32, Vec<u8>)>, usize)| packets.iter().any(|(token, _)| *token == 3);
        let batches: Vec<_> = (0..4).map(|_| seen(world.read(16))).collect();
        assert_eq!(batches, [false, false, true, false]);
    }

    #[test]
    fn the_budget_is_never_exceeded_and_the_rest_stays_listed() {
        let mut world = World::with([(1, 20)]);
        assert_eq!(world.read(7).1, 7);
        assert!(!world.ready.is_idle());
        assert_eq!(world.read(64).1, 13);
        assert!(world.ready.is_idle());
    }

    #[test]
    fn super_packets_make_a_round_short() {
        let mut world = World::with([(1, 10), (2, 10)]);
        world.devices.length = 65_000;
        let (packets, count) = world.read(64);
        assert_eq!((count, packets[4].0), (5, 1), "the fifth goes over the limit");
        assert_eq!(world.read(64).0[0].0, 2, "the next device has its turn all the same");
    }

    #[test]
    fn a_device_that_is_gone_is_lost_and_the_others_go_on() {
        let mut world = World::with([(1, 3), (9, 0), (2, 3)]);
        world.devices.failing = Some((9, libc::EBADFD, 1));
        assert_eq!(world.read(64).1, 6);
        assert_eq!(world.devices.lost, [9]);
        assert!(!world.ready.is_idle(), "there is something to tell");
        let told = world.ready.take_lost();
        assert_eq!((told.len(), told[0].0, told[0].1.raw_os_error()), (1, 9, Some(libc::EBADFD)));
        assert!(world.ready.is_idle());
    }

    #[test]
    fn a_read_that_fails_costs_a_packet_and_not_the_device() {
        for errno in [libc::EINVAL, libc::ENOMEM, libc::EIO] {
            let mut world = World::with([(1, 3), (2, 3)]);
            world.devices.failing = Some((1, errno, 20));
            assert_eq!(world.read(64).1, 6);
            assert!(world.ready.is_idle());
        }
    }

    #[test]
    fn a_device_that_fails_for_ever_ends_its_round() {
        let mut world = World::with([(1, 0), (2, 3)]);
        world.devices.failing = Some((1, libc::EINVAL, u32::MAX));
        assert_eq!(world.read(64).1, 3, "the other one has its turns");
        assert_eq!(u32::MAX - world.devices.failing.expect("set").2, 61, "each counts as a packet");
        assert!(!world.ready.is_idle() && world.ready.take_lost().is_empty());
    }

    struct World {
        ready: ReadyList,
        devices: Queues,
    }

    struct Queues {
        /// Bytes of each packet.
        length: usize,
        /// Packets still to come; each is one byte, the number of those after it counted down from 255.
        waiting: BTreeMap<u32, u8>,
        /// A device, the code its reads fail with, and how many still do.
        failing: Option<(u32, i32, u32)>,
        lost: Vec<u32>,
    }

    impl World {
        fn with<const N: usize>(devices: [(u32, u8); N]) -> Self {
            let mut ready = ReadyList::default();
            devices.iter().for_each(|(token, _)| ready.push(*token));
            let devices = Queues { length: 1, waiting: devices.into(), failing: None, lost: Vec::new() };
            Self { ready, devices }
        }

        fn read(&mut self, budget: usize) -> (Vec<(u32, Vec<u8>)>, usize) {
            let mut out = Vec::new();
            let count = self.ready.read(&mut self.devices, budget, &mut BufferPool::new(1), &mut out);
            (out.iter().map(|(token, buffer)| (*token, buffer.bytes().to_vec())).collect(), count)
        }
    }

    impl Devices for Queues {
        fn read(&mut self, token: u32, buffer: &mut Buffer) -> io::Result<Option<usize>> {
            if let Some((_, errno, left)) =
                self.failing.as_mut().filter(|(of, _, left)| *of == token && *left > 0)
            {
                *left -= 1;
                return Err(io::Error::from_raw_os_error(*errno));
            }
            let Some(left) = self.waiting.get_mut(&token).filter(|left| **left > 0) else { return Ok(None) };
            *left -= 1;
            buffer.extend_from_slice(&vec![255 - *left; self.length]);
            Ok(Some(self.length))
        }

        fn lose(&mut self, token: u32) {
            self.lost.push(token);
        }
    }
}

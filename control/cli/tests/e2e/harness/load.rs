//! Datagrams with sequence numbers over many flows at a steady rate.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::deadline::Deadline;
use super::sockets::Instance;

/// How often the sender wakes up; in between it sends as many datagrams as the rate wants.
const TICK: Duration = Duration::from_millis(1);

/// After this much silence the receiver believes that the rest is lost.
const SILENCE: Duration = Duration::from_secs(3);

/// Bytes of a datagram: flow and sequence number, and some load.
const BYTES: usize = 64;

/// Traffic that flows until it is stopped.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<u64>,
    receiver: JoinHandle<Sent>,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Datagrams that were not the next one of their flow, as `FLOW: SEQUENCE instead of SEQUENCE`; the first few.
    pub(crate) out_of_sequence: Vec<String>,
}

impl Load {
    /// Starts `flows` flows, `rate` datagrams a second in all. At most the first 16 deviations are kept.
    pub(crate) fn start(
        (from, source): (&Instance, IpAddr),
        (to, target): (&Instance, SocketAddr),
        flows: u32,
        rate: u32,
    ) -> Self {
        let listening = to.udp(target.ip(), target.port());
        let sockets: Vec<UdpSocket> = (0..flows).map(|_| from.udp(source, 0)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, told) = channel();
        let until = Arc::clone(&stop);
        let sender = thread::spawn(move || {
            let sent = send(&sockets, target, rate, &until);
            tell.send(sent).ok();
            sent
        });
        let receiver = thread::spawn(move || receive(&listening, flows, &told));
        Self { stop, sender, receiver }
    }

    /// Ends it and waits for what is under way.
    pub(crate) fn stop(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        let sent = self.sender.join().expect("the sender ends well");
        Sent { sent, ..self.receiver.join().expect("the receiver ends well") }
    }
}

fn send(sockets: &[UdpSocket], target: SocketAddr, rate: u32, stop: &AtomicBool) -> u64 {
    let each_tick = u64::from(rate) * u64::try_from(TICK.as_micros()).expect("a short tick") / 1_000_000;
    let flows = sockets.len() as u64;
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let tick = Deadline::after(TICK);
        for _ in 0..each_tick {
            let (flow, sequence) = (sent % flows, sent / flows);
            let socket = &sockets[usize::try_from(flow).expect("an index of the list")];
            socket.send_to(&datagram(flow, sequence), target).expect("the datagram is taken");
            sent += 1;
        }
        tick.pass();
    }
    sent
}

fn receive(socket: &UdpSocket, flows: u32, told: &Receiver<u64>) -> Sent {
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("it is not zero");
    let mut next = vec![0_u64; flows as usize];
    let mut seen = Sent::default();
    let mut buffer = [0; 2 * BYTES];
    let mut silence = Deadline::after(SILENCE);
    let mut all = None;
    while all != Some(seen.received) && !(all.is_some() && silence.is_over()) {
        all = all.or_else(|| told.try_recv().ok());
        // Nothing for a while is what the deadline is for.
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        let (flow, sequence) = read(&buffer[..length]);
        let expected = &mut next[flow];
        if sequence != *expected && seen.out_of_sequence.len() < 16 {
            seen.out_of_sequence.push(format!("{flow}: {sequence} instead of {expected}"));
        }
        *expected = sequence + 1;
        seen.received += 1;
        silence = Deadline::after(SILENCE);
    }
    seen
}

fn datagram(flow: u64, sequence: u64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&flow.to_be_bytes());
    bytes[8..16].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

fn read(datagram: &[u8]) -> (usize, u64) {
    let number = |at: usize| u64::from_be_bytes(datagram[at..at + 8].try_into().expect("eight bytes"));
    (usize::try_from(number(0)).expect("a small number"), number(8))
}

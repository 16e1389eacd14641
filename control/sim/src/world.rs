//! A lab whose packets move when they are told to.

use std::sync::Arc;
use std::time::Duration;

use compile::Compiler;
use engine::decide::Stateful;
use engine::{Config, Counters, DropReason, DropRecord, Engine, Event, Frame, Leases, Next, Time};
use flowlog::{FlowLogs, Line};
use model::Valid;
use model::lab::InterfaceRef;
use snapshot::{Attachment, HostIx, InterfaceIx, Snapshot};
use wire::{Buffer, FiveTuple};

/// A running lab without an operating system.
#[derive(Debug)]
pub struct World {
    valid: Valid,
    compiler: Compiler,
    snapshot: Arc<Snapshot>,
    engines: Vec<Engine>,
    logs: FlowLogs,
    lines: Vec<Line>,
    events: Vec<(usize, Event)>,
    now: Time,
}

/// A packet that left the data plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The interface or host that receives it.
    pub to: Attachment,
    /// Its bytes.
    pub packet: Vec<u8>,
}

/// What became of one packet that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Delivered to this interface.
    Delivered(InterfaceIx),
    /// Delivered to this host on the internet.
    DeliveredToHost(HostIx),
    /// Dropped.
    Dropped(DropReason),
    /// A fragment that waits for its first one.
    Held,
}

/// Everything that one packet caused at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What became of the packet itself.
    pub fate: Fate,
    /// What left in its place, in order: the packet or its fragments.
    pub deliveries: Vec<Delivery>,
    /// ICMP errors about it, as they reached their receiver.
    pub errors: Vec<Delivery>,
    /// Fragments that had waited for it, in the order in which they came.
    pub released: Vec<Self>,
}

/// Sessions of a simulated worker, unless told otherwise.
const SESSIONS: usize = 4_096;

/// Seed of every simulated run.
const SEED: u64 = 0x7670_636c_6162;

/// When simulated time begins: a whole number of ten-minute windows.
const START: Time = Time(1_700_000_400_000_000_000);

impl World {
    /// A lab with `workers` workers, at a fixed start time.
    ///
    /// # Panics
    ///
    /// When a checked lab does not compile, which is a bug of ours.
    #[must_use]
    pub fn new(valid: Valid, workers: u16) -> Self {
        Self::with_sessions(valid, workers, SESSIONS)
    }

    /// A lab whose workers remember `sessions` sessions each.
    ///
    /// # Panics
    ///
    /// As [`Self::new`].
    #[must_use]
    pub fn with_sessions(valid: Valid, workers: u16, sessions: usize) -> Self {
        let mut compiler = Compiler::default();
        let snapshot = compiler.snapshot(&valid).expect("a checked lab compiles");
        let tap_interval = snapshot.settings().tap_interval;
        let config = |worker| Config { worker, workers, seed: SEED, sessions, tap_interval, start: START };
        let leases = Leases::default();
        let engine = |worker| Engine::new(&config(worker)).sharing(leases.clone());
        let mut logs = FlowLogs::new(usize::from(workers), START);
        logs.handle_snapshot(&snapshot, START);
        Self {
            valid,
            compiler,
            snapshot: Arc::new(snapshot),
            engines: (0..workers).map(engine).collect(),
            logs,
            lines: Vec::new(),
            events: Vec::new(),
            now: START,
        }
    }

    /// The lab in force.
    #[must_use]
    pub const fn valid(&self) -> &Valid {
        &self.valid
    }

    /// The snapshot in force.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// The index of `INSTANCE.DEVICE`; the device may be left out for the first one.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<InterfaceIx> {
        let (instance, device) =
            name.split_once('.').map_or((name, None), |(instance, device)| (instance, Some(device)));
        let vpc = self.valid.lab().vpcs.values().find(|vpc| vpc.instances.contains_key(instance))?;
        let interfaces = &vpc.instances.get(instance)?.interfaces;
        let interface = interfaces.iter().find(|i| device.is_none_or(|device| i.device == device))?;
        self.snapshot.interface_by_id(&interface.id)
    }

    /// The VPC and the interface behind an index.
    #[must_use]
    pub fn name_of(&self, ix: InterfaceIx) -> Option<(String, InterfaceRef)> {
        let id = &self.snapshot.names().get(self.snapshot.interface(ix)?.name).id;
        self.valid.lab().vpcs.values().find_map(|vpc| {
            vpc.instances.values().find_map(|instance| {
                let interface = instance.interfaces.iter().find(|interface| *interface.id == **id)?;
                let named =
                    InterfaceRef { instance: instance.name.clone(), device: interface.device.clone() };
                Some((vpc.name.clone(), named))
            })
        })
    }

    /// The index of a host on the internet.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<HostIx> {
        self.snapshot.host_by_id(&self.valid.lab().internet.hosts.get(name)?.id)
    }

    /// The name of the host behind an index.
    #[must_use]
    pub fn host_name(&self, ix: HostIx) -> Option<&str> {
        let hosts = &self.valid.lab().internet.hosts;
        hosts.values().find(|host| self.snapshot.host_by_id(&host.id) == Some(ix)).map(|host| &*host.name)
    }

    /// Live connections through gateways that keep state: the gateway, and the tuple of the inside's packets before and
    /// after it.
    pub fn connections(&self) -> impl Iterator<Item = (Stateful, FiveTuple, FiveTuple)> + '_ {
        self.engines.iter().flat_map(|engine| engine.connections(self.now))
    }

    /// Puts another lab in force, as `apply` does.
    ///
    /// # Panics
    ///
    /// As [`Self::new`].
    pub fn apply(&mut self, valid: Valid) {
        let snapshot = self.compiler.snapshot(&valid).expect("a checked lab compiles");
        self.logs.handle_snapshot(&snapshot, self.now);
        self.snapshot = Arc::new(snapshot);
        self.valid = valid;
    }

    /// Lets an instance send a packet, and follows it to its end.
    ///
    /// # Panics
    ///
    /// When a packet has no end, which is a bug of ours.
    pub fn send(&mut self, from: InterfaceIx, packet: &[u8]) -> Sent {
        self.send_buffer(from, Buffer::copy_of(packet))
    }

    /// The same for a packet of which the device of the instance has left something undone.
    ///
    /// # Panics
    ///
    /// As [`Self::send`].
    pub fn send_buffer(&mut self, from: InterfaceIx, packet: Buffer) -> Sent {
        let home = from.at() % self.engines.len();
        self.enter(home, Frame::new(Attachment::interface(from), packet))
    }

    /// Lets a host on the internet send a packet, and follows it to its end.
    ///
    /// # Panics
    ///
    /// As [`Self::send`].
    pub fn send_from_host(&mut self, from: HostIx, packet: &[u8]) -> Sent {
        let home = from.at() % self.engines.len();
        self.enter(home, Frame::new(Attachment::INTERNET, Buffer::copy_of(packet)))
    }

    fn enter(&mut self, home: usize, frame: Frame) -> Sent {
        let mut sent = self.settle(home, frame);
        sent.released = self.released();
        self.collect();
        sent
    }

    /// Lets time pass; everything that is due in between happens in order.
    pub fn advance(&mut self, by: Duration) {
        let until = self.now.after(by);
        while let Some(next) =
            self.engines.iter().map(Engine::poll_timeout).min().filter(|next| *next <= until)
        {
            self.now = self.now.max(next);
            self.tick();
        }
        self.now = until;
        self.tick();
    }

    /// Flow-log lines written since the last call.
    pub fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Tap and other events since the last call, each with its worker.
    pub fn take_events(&mut self) -> Vec<(usize, Event)> {
        std::mem::take(&mut self.events)
    }

    /// Closes all windows as a shutdown does.
    pub fn finish(&mut self) {
        for engine in &mut self.engines {
            engine.handle_stop(self.now);
        }
        self.collect();
        self.logs.finish(self.now);
        self.lines.extend(std::iter::from_fn(|| self.logs.poll_line()));
    }

    /// Counters of all workers together.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for engine in &self.engines {
            sum.add(engine.counters());
        }
        sum
    }

    /// Dropped packets of all workers, oldest first.
    #[must_use]
    pub fn drops(&self) -> Vec<DropRecord> {
        let mut drops: Vec<_> = self.engines.iter().flat_map(Engine::drops).cloned().collect();
        drops.sort_by_key(|drop| drop.at);
        drops
    }

    /// The engines.
    #[must_use]
    pub fn engines(&self) -> &[Engine] {
        &self.engines
    }

    /// Follows one frame from worker to worker.
    fn settle(&mut self, worker: usize, frame: Frame) -> Sent {
        let mut frames = [frame];
        let mut worker = worker;
        let fate = loop {
            self.engines[worker].handle_frames(&self.snapshot, &mut frames, self.now);
            match frames[0].next {
                Next::Handoff(to) | Next::Keeper(to) => worker = usize::from(to),
                Next::Transmit(to) => break Fate::to(to),
                Next::Drop(reason) => break Fate::Dropped(reason),
                Next::Held => break Fate::Held,
                Next::Consumed | Next::Pending => {
                    panic!("a packet of a simulated host has an end: {:?}", frames[0])
                }
            }
        };
        let to = fate.receiver();
        let packets = to.map(|to| frames[0].packets().iter().map(move |packet| delivery(to, packet)));
        let deliveries = packets.into_iter().flatten().collect();
        Sent { fate, deliveries, errors: self.errors(), released: Vec::new() }
    }

    fn errors(&mut self) -> Vec<Delivery> {
        let transmit =
            |engine: &mut Engine| std::iter::from_fn(|| engine.poll_transmit()).collect::<Vec<_>>();
        let packets = self.engines.iter_mut().flat_map(transmit);
        packets.map(|(to, packet)| delivery(to, &packet)).collect()
    }

    fn released(&mut self) -> Vec<Sent> {
        let mut released = Vec::new();
        for worker in 0..self.engines.len() {
            while let Some(frame) = self.engines[worker].poll_release() {
                released.push(self.settle(worker, frame));
            }
        }
        released
    }

    fn tick(&mut self) {
        for engine in &mut self.engines {
            engine.handle_timeout(&self.snapshot, self.now);
        }
        self.collect();
    }

    fn collect(&mut self) {
        for (worker, engine) in self.engines.iter_mut().enumerate() {
            while let Some(event) = engine.poll_event() {
                self.logs.handle_event(worker, &event);
                self.events.push((worker, event));
            }
        }
        self.lines.extend(std::iter::from_fn(|| self.logs.poll_line()));
    }
}

impl Fate {
    fn to(attachment: Attachment) -> Self {
        match (attachment.as_interface(), attachment.as_host()) {
            (Some(interface), _) => Self::Delivered(interface),
            (None, Some(host)) => Self::DeliveredToHost(host),
            (None, None) => panic!("a packet leaves to an interface or to a host"),
        }
    }

    /// Who received the packet.
    #[must_use]
    pub const fn receiver(&self) -> Option<Attachment> {
        match self {
            Self::Delivered(interface) => Some(Attachment::interface(*interface)),
            Self::DeliveredToHost(host) => Some(Attachment::host(*host)),
            Self::Dropped(_) | Self::Held => None,
        }
    }
}

fn delivery(to: Attachment, packet: &Buffer) -> Delivery {
    Delivery { to, packet: packet.bytes().to_vec() }
}

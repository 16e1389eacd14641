//! A lab from its start to its end, in the process that runs it.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant};

use compile::Compiler;
use lab::{Dirs, LiveLab, OpenedDevice, Plan, Programs};
use model::Valid;
use runtime::{Attachment, BackendKind, Part, Queues, Runtime, Snapshot, Tun};

use crate::error::Error;
use crate::event::{self, Event};
use crate::labels::Labels;
use crate::metrics;
use crate::peering::LivePeerings;
use crate::protocol::{Request, Response};
use crate::server::Server;
use crate::signals::{Signals, Watch};
use crate::trouble::{self, Troubles};
use crate::view;

/// How often programs and workers are looked at when nothing else happens: that a process ended shows only by looking.
const LOOK: Duration = Duration::from_millis(500);

/// Most halves of sessions that one worker lists: it forwards nothing meanwhile, a few milliseconds for so many.
const FLOWS: usize = 10_000;

/// What a lab is started with.
#[derive(Debug)]
pub struct Up {
    /// Path of the lab file as it was given; relative flow-log files lie beside it, also after an apply from elsewhere.
    pub name: String,
    /// The text of the lab file.
    pub text: String,
    /// The same lab, checked.
    pub valid: Valid,
    /// Worker threads, at least one; fixed for the life of the lab.
    pub workers: u16,
    /// How workers reach devices.
    pub backend: BackendKind,
    /// Where things are kept.
    pub dirs: Dirs,
    /// What SIGHUP, SIGINT and SIGTERM do.
    pub signals: Signals,
}

/// A running lab.
///
/// Owned by one thread, which does one thing after the other: it answers requests, supervises programs and looks after the
/// workers. Dropping it instead of calling [`Self::down`] leaves namespaces behind as if the process had been killed; the next
/// `up` or `down` of the lab removes them.
///
/// - life: [`Self::up`], [`Self::serve`], [`Self::down`]
/// - for callers without a socket: [`Self::answer`]
#[derive(Debug)]
pub struct Running {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) valid: Valid,
    pub(crate) directory: PathBuf,
    pub(crate) workers: u16,
    pub(crate) backend: BackendKind,
    pub(crate) compiler: Compiler,
    pub(crate) labels: Labels,
    pub(crate) peerings: LivePeerings,
    pub(crate) troubles: Troubles,
    pub(crate) programs: Programs,
    pub(crate) runtime: Runtime,
    pub(crate) lab: LiveLab,
    server: Server,
    events: Receiver<Event>,
    watch: Option<Watch>,
    /// Who asked for the end, and is told when it has come.
    askers: Vec<Sender<Response>>,
    /// A worker that panicked, once that was noticed.
    dead_worker: Option<usize>,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Ends,
    Goes,
}

impl Running {
    /// Brings the lab up: cleans up after a killed daemon of the same lab, makes namespaces and devices, starts the workers,
    /// listens on the socket, starts the programs.
    ///
    /// # Errors
    ///
    /// [`Error`]; everything that was made is gone again.
    pub fn up(up: Up) -> Result<Self, Error> {
        let (to_events, events) = event::channel();
        let watch = match up.signals {
            Signals::Heed => Some(Watch::start(to_events.clone()).map_err(Error::Signals)?),
            Signals::Leave => None,
        };
        let mut compiler = Compiler::default();
        let snapshot = Arc::new(compiler.snapshot(&up.valid)?);
        let mut troubles = Troubles::default();
        let options = options(&up)?;
        let queues = make_room_for(&up.valid, options.queues(), &mut troubles)?;
        let kernel = lab::Options { opener: options.backend.opener(), queues, ..lab::Options::default() };
        let (lab, devices) = LiveLab::up(&up.dirs, &Plan::of(&up.valid), kernel)?;
        let socket = up.dirs.socket_of(&up.valid.lab().name);
        let (runtime, server) = match start(&options, &snapshot, devices, socket, to_events, &mut troubles) {
            Ok(started) => started,
            Err(error) => return Err(undo(error, lab)),
        };
        let mut programs = Programs::new(&up.dirs, &up.valid.lab().name);
        // There are none yet that could refuse to stop.
        troubles.note_all(programs.set(lab.plan(), now()).err().into_iter().flatten());
        Ok(Self {
            peerings: LivePeerings::of(&up.valid),
            name: up.name,
            text: up.text,
            valid: up.valid,
            directory: options.directory,
            workers: options.workers,
            backend: options.backend,
            compiler,
            labels: Labels::of(&snapshot),
            troubles,
            programs,
            runtime,
            lab,
            server,
            events,
            watch,
            askers: Vec::new(),
            dead_worker: None,
        })
    }

    /// Runs the lab until a request or a signal asks for its end.
    pub fn serve(&mut self) {
        while self.turn() == Life::Goes {}
    }

    /// Answers a request as the socket would.
    ///
    /// [`Request::Stop`] has no answer but this: the caller ends the lab with [`Self::down`].
    pub fn answer(&mut self, request: &Request) -> Response {
        match request {
            Request::Apply { name, text } => self.apply(name, text),
            Request::Counters => view::counters(self),
            Request::Drops => view::drops(self),
            Request::Flows { limit } => view::flows(self, (*limit).min(FLOWS)),
            Request::NatGateways => metrics::nat_gateways(self),
            Request::Peering(change) => self.change_peering(change),
            Request::Source => Response::Source {
                name: self.name.clone(),
                text: self.text.clone(),
                peerings: self.peerings.changes(),
            },
            Request::Status => {
                self.look();
                view::status(self)
            }
            Request::Stop => Response::Done,
        }
    }

    /// Ends the lab: programs, workers with the last flow-log records, devices, namespaces, socket. Whoever asked for the end
    /// over the socket is told.
    ///
    /// # Errors
    ///
    /// Every failure. The rest is gone nevertheless; what could not be removed is left to the next `down` or `up`.
    pub fn down(self) -> Result<(), Vec<Error>> {
        let Self { mut programs, runtime, lab, labels, server, events, watch, askers, .. } = self;
        let farewell = server.close();
        // Whoever still waits for an answer learns that there will be none.
        drop(events);
        let mut failures = Vec::new();
        failures.extend(programs.stop().err().map(Error::from));
        let troubles = runtime.stop();
        failures.extend(troubles.iter().map(|trouble| Error::Trouble(trouble::words(trouble, &labels))));
        failures.extend(lab.down().err().map(Error::from));
        drop(watch);
        let response = last_answer(&failures);
        for asker in askers {
            asker.send(response.clone()).ok();
        }
        drop(farewell);
        if failures.is_empty() { Ok(()) } else { Err(failures) }
    }

    /// One thing that happened, or nothing for a while.
    fn turn(&mut self) -> Life {
        let life = match self.events.recv_timeout(self.patience()) {
            Ok(Event::Request(Request::Stop, asker)) => {
                self.askers.push(asker);
                Life::Ends
            }
            Ok(Event::Request(request, asker)) => {
                // A client that went away does not want it any more.
                asker.send(self.answer(&request)).ok();
                Life::Goes
            }
            Ok(Event::Signal) => Life::Ends,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Life::Goes,
        };
        if life == Life::Goes {
            self.look();
        }
        life
    }

    fn patience(&self) -> Duration {
        let due = self.programs.poll_timeout().map(|due| due.saturating_duration_since(now()));
        due.map_or(LOOK, |due| due.min(LOOK))
    }

    /// Starts and restarts programs, and takes note of what went wrong.
    fn look(&mut self) {
        for event in self.programs.poll(now()) {
            self.troubles.note_program(&event);
        }
        self.note_troubles_but_of(&BTreeSet::new());
        self.expire_peerings(now());
        if let (None, Some(worker)) = (self.dead_worker, self.runtime.dead_worker()) {
            self.dead_worker = Some(worker);
            let advice =
                "what it owned is no longer forwarded; this is a bug: take the lab down and please report it";
            self.troubles.note(format!("worker {worker} has died: {advice}"));
        }
    }
}

impl Running {
    /// Notes what the workers met, but for devices that were just taken away from them.
    pub(crate) fn note_troubles_but_of(&mut self, removed: &BTreeSet<Attachment>) {
        while let Some(trouble) = self.runtime.poll_trouble() {
            let is_of_removed = match trouble.part {
                Part::Device(at) => removed.contains(&at),
                Part::FlowLogs | Part::Worker(_) => false,
            };
            if !is_of_removed {
                self.troubles.note_runtime(&trouble, &self.labels);
            }
        }
    }
}

/// The interfaces and hosts that devices belong to, as the workers number them.
pub(crate) fn numbered(
    snapshot: &Snapshot,
    devices: Vec<OpenedDevice>,
    troubles: &mut Troubles,
) -> Vec<(Attachment, Arc<Tun>)> {
    let mut numbered = Vec::with_capacity(devices.len());
    for device in devices {
        if let Some(refusal) = device.tun.refusal() {
            troubles.note(format!("one worker reads a device, because the kernel refuses more: {refusal}"));
        }
        match number(snapshot, &device.interface) {
            Some(at) => numbered.push((at, device.tun)),
            None => troubles.note(format!("{} has a device but no rules", device.interface)),
        }
    }
    numbered
}

/// What has this `eni-` or `host-` id.
pub(crate) fn number(snapshot: &Snapshot, id: &str) -> Option<Attachment> {
    let interface = snapshot.interface_by_id(id).map(Attachment::interface);
    interface.or_else(|| snapshot.host_by_id(id).map(Attachment::host))
}

/// The only clock of this crate, for supervised programs.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the daemon is the edge; programs are told the time")]
    Instant::now()
}

fn options(up: &Up) -> Result<runtime::Options, Error> {
    Ok(runtime::Options {
        workers: up.workers.max(1),
        backend: up.backend.resolve()?,
        sessions: up.valid.lab().settings.sessions as usize,
        // Nobody outside can guess which flows share a slot of a hash table.
        seed: RandomState::new().hash_one(&up.name),
        directory: directory_of(&up.name),
    })
}

/// Starts the workers with their devices, and the socket.
fn start(
    options: &runtime::Options,
    snapshot: &Arc<Snapshot>,
    devices: Vec<OpenedDevice>,
    socket: PathBuf,
    events: SyncSender<Event>,
    troubles: &mut Troubles,
) -> Result<(Runtime, Server), Error> {
    let runtime = Runtime::start(options, Arc::clone(snapshot))?;
    let devices = numbered(snapshot, devices, troubles);
    runtime.announce(devices.iter().cloned());
    for (at, tun) in devices {
        runtime.attach(at, tun);
    }
    let server = Server::start(&socket, events);
    let server = server.map_err(|source| Error::Socket { path: socket, source })?;
    Ok((runtime, server))
}

/// Takes the kernel's side down after the rest could not be started, and says what went wrong in all.
fn undo(error: Error, lab: LiveLab) -> Error {
    match lab.down() {
        Ok(()) => error,
        Err(undoing) => Error::NotUndone { error: Box::new(error), undoing },
    }
}

/// Raises the limit of open files, and refuses a lab that does not fit nevertheless. Returns the queues that devices can have.
fn make_room_for(valid: &Valid, wanted: Queues, troubles: &mut Troubles) -> Result<Queues, Error> {
    let instances = valid.lab().vpcs.values().flat_map(|vpc| vpc.instances.values());
    let hosts = valid.lab().internet.hosts.len();
    let interfaces = instances.map(|instance| instance.interfaces.len()).sum::<usize>() + hosts;
    match runtime::raise_nofile_limit() {
        Ok(limit) if limit.interfaces(Queues::One) < interfaces as u64 => {
            Err(Error::TooManyInterfaces { interfaces, limit: limit.interfaces(Queues::One) })
        }
        Ok(limit) if limit.interfaces(wanted) < interfaces as u64 => {
            let most = limit.interfaces(wanted);
            troubles.note(format!(
                "one worker reads a device, because open files for more suffice for {most} devices"
            ));
            Ok(Queues::One)
        }
        Ok(_) => Ok(wanted),
        Err(error) => {
            troubles.note(format!("cannot raise the limit of open files: {error}"));
            Ok(wanted)
        }
    }
}

/// The directory of the lab file, absolute if it exists.
fn directory_of(name: &str) -> PathBuf {
    let here = Path::new(".");
    let parent = Path::new(name).parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(here);
    parent.canonicalize().unwrap_or_else(|_| parent.to_owned())
}

fn last_answer(failures: &[Error]) -> Response {
    match failures {
        [] => Response::Done,
        some => {
            let lines: Vec<String> = some.iter().map(ToString::to_string).collect();
            Response::Failed { message: lines.join("\n") }
        }
    }
}

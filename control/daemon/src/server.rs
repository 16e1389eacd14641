//! The daemon's end of the socket: a thread for each connection, which passes requests on to the one that owns the lab.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, BufReader, ErrorKind};
use std::net::Shutdown;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{getsockopt, shutdown};
use nix::unistd::Uid;

use crate::event::Event;
use crate::line;
use crate::protocol::{Request, Response};

/// Connections at a time: a person has a few, a script that forgets to close them must not take all our descriptors.
const CONNECTIONS: usize = 64;

/// How long a client may take to read on before its connection is closed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the last answers may take to be written.
const FAREWELL: Duration = Duration::from_secs(2);

/// Pause after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// Whoever can write to the socket can run programs as the daemon's user.
const MODE: u32 = 0o600;

/// Listens until stopped.
#[derive(Debug)]
pub(crate) struct Server {
    listener: Arc<UnixListener>,
    thread: JoinHandle<()>,
    open: Arc<Open>,
}

/// The connections there are.
#[derive(Debug, Default)]
struct Open {
    list: Mutex<BTreeMap<u64, UnixStream>>,
    /// Told when one ends.
    ended: Condvar,
}

impl Server {
    /// Listens at `path`, where nobody else does: whoever calls this holds the lock of the lab.
    pub(crate) fn start(path: &Path, events: SyncSender<Event>) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = Arc::new(UnixListener::bind(path)?);
        fs::set_permissions(path, Permissions::from_mode(MODE))?;
        let open = Arc::new(Open::default());
        let thread = thread::Builder::new().name("listener".to_owned()).spawn({
            let (listener, open) = (Arc::clone(&listener), Arc::clone(&open));
            move || accept(&listener, &open, &events)
        })?;
        Ok(Self { listener, thread, open })
    }

    /// Takes no more connections. Those there are can still be answered.
    pub(crate) fn close(self) -> Farewell {
        // Wakes the thread that waits for connections, whatever became of the socket's file.
        let _ = shutdown(self.listener.as_raw_fd(), nix::sys::socket::Shutdown::Both);
        self.thread.join().ok();
        Farewell { open: self.open }
    }
}

/// Ends the remaining connections when dropped, once the answers that they were given are written.
#[derive(Debug)]
pub(crate) struct Farewell {
    open: Arc<Open>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let list = self.open.list();
        // Only reading ends: what waits to be written still is.
        list.values().for_each(|stream| drop(stream.shutdown(Shutdown::Read)));
        // A client that does not read its answer is not waited for any longer.
        drop(self.open.ended.wait_timeout_while(list, FAREWELL, |list| !list.is_empty()));
    }
}

fn accept(listener: &UnixListener, open: &Arc<Open>, events: &SyncSender<Event>) {
    for number in 0.. {
        match listener.accept() {
            Ok((stream, _)) => admit(stream, number, open, events),
            Err(error) if error.kind() == ErrorKind::InvalidInput => return,
            // Too many open files, or a client that went away at once: the next one may do better.
            Err(_) => thread::park_timeout(PAUSE),
        }
    }
}

fn admit(stream: UnixStream, number: u64, open: &Arc<Open>, events: &SyncSender<Event>) {
    let prepared = prepare(&stream).and_then(|()| stream.try_clone());
    let Ok(clone) = prepared else { return };
    if !open.add(number, clone) {
        refuse(&stream, format!("there are {CONNECTIONS} connections to this lab already"));
        return;
    }
    let thread = thread::Builder::new().name("connection".to_owned()).spawn({
        let (open, events) = (Arc::clone(open), events.clone());
        move || {
            // Whatever goes wrong with a connection ends it and nothing else.
            converse(&stream, &events).ok();
            open.remove(number);
        }
    });
    if thread.is_err() {
        open.remove(number);
    }
}

/// Refuses everyone but root and the daemon's own user, also while the socket's file still had another mode.
fn prepare(stream: &UnixStream) -> io::Result<()> {
    let peer = Uid::from_raw(getsockopt(stream, PeerCredentials)?.uid());
    if !peer.is_root() && peer != Uid::effective() {
        return Err(ErrorKind::PermissionDenied.into());
    }
    stream.set_write_timeout(Some(PATIENCE))
}

fn converse(stream: &UnixStream, events: &SyncSender<Event>) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    loop {
        let response = match line::read(&mut lines) {
            Ok(Some(request)) => pass_on(request, events),
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                Response::Failed { message: format!("this daemon does not know the request: {error}") }
            }
            Err(error) => {
                refuse(stream, format!("cannot read the request: {error}"));
                return Err(error);
            }
        };
        answer(stream, &response)?;
    }
}

fn pass_on(request: Request, events: &SyncSender<Event>) -> Response {
    let (reply, answer): (Sender<Response>, _) = mpsc::channel();
    let answered = events.send(Event::Request(request, reply)).ok().and_then(|()| answer.recv().ok());
    answered.unwrap_or_else(|| Response::Failed { message: "the lab is being taken down".to_owned() })
}

fn answer(mut stream: &UnixStream, response: &Response) -> io::Result<()> {
    match line::write(&mut stream, response) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            let message = format!("the answer has more than {} bytes; ask for less", line::LONGEST);
            line::write(&mut stream, &Response::Failed { message })
        }
        written => written,
    }
}

fn refuse(stream: &UnixStream, message: String) {
    // The client may be gone by now.
    let _ = answer(stream, &Response::Failed { message });
}

impl Open {
    fn add(&self, number: u64, stream: UnixStream) -> bool {
        let mut list = self.list();
        let room = list.len() < CONNECTIONS;
        if room {
            list.insert(number, stream);
        }
        room
    }

    fn remove(&self, number: u64) {
        self.list().remove(&number);
        self.ended.notify_all();
    }

    fn list(&self) -> MutexGuard<'_, BTreeMap<u64, UnixStream>> {
        // Nothing that could panic is done under the lock.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

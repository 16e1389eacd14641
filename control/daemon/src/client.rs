//! The program's end of the socket.

use std::io::{self, BufReader, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::Dirs;

use crate::line;
use crate::protocol::{Request, Response};

/// How long a daemon may take to make or delete thousands of namespaces.
const CHANGE: Duration = Duration::from_secs(600);

/// How long it may take to say what is: it answers one request after the other, and a change may be before ours.
const LOOK: Duration = Duration::from_secs(60);

/// A connection to the daemon of one lab.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    stream: BufReader<UnixStream>,
}

/// Why the daemon gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The connection ended before the answer: the daemon ended, or was killed.
    #[error("the daemon behind {} ended without an answer", socket.display())]
    Closed {
        /// Its socket.
        socket: PathBuf,
    },
    /// The connection failed.
    #[error("cannot talk to the daemon behind {}: {source}", socket.display())]
    Connection {
        /// Its socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody listens on the socket.
    #[error("lab {lab} is not running (nobody answers on {})", socket.display())]
    NotRunning {
        /// Name of the lab, or the path that was given.
        lab: String,
        /// Its socket.
        socket: PathBuf,
    },
    /// There was no answer in time.
    #[error("the daemon behind {} did not answer within {} seconds", socket.display(), limit.as_secs())]
    Timeout {
        /// Its socket.
        socket: PathBuf,
        /// How long it had.
        limit: Duration,
    },
    /// The answer is none that this version knows.
    #[error(
        "the daemon behind {} answered what this program does not understand ({source}); is it of another version?",
        socket.display()
    )]
    Unintelligible {
        /// Its socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Client {
    /// Connects to the daemon of the lab with this name or, if there is a `/` in it, to the socket at this path.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotRunning`] or [`ClientError::Connection`], such as for want of permission.
    pub fn connect(lab: &str) -> Result<Self, ClientError> {
        Self::connect_in(&Dirs::default(), lab)
    }

    /// As [`Self::connect`], for labs whose things are kept elsewhere.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub fn connect_in(dirs: &Dirs, lab: &str) -> Result<Self, ClientError> {
        let socket = if lab.contains('/') { Path::new(lab).to_owned() } else { dirs.socket_of(lab) };
        match UnixStream::connect(&socket) {
            Ok(stream) => Ok(Self { socket, stream: BufReader::new(stream) }),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                Err(ClientError::NotRunning { lab: lab.to_owned(), socket })
            }
            Err(source) => Err(ClientError::Connection { socket, source }),
        }
    }

    /// Asks and waits for the answer. After an error the connection is of no more use.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; a request that the daemon refuses is no error but [`Response::Failed`].
    pub fn call(&mut self, request: &Request) -> Result<Response, ClientError> {
        let limit = patience(request);
        self.exchange(request, limit).map_err(|source| {
            // A late answer must not be taken for the one to the next request.
            let _ = self.stream.get_ref().shutdown(Shutdown::Both);
            self.error(source, limit)
        })
    }

    fn exchange(&mut self, request: &Request, limit: Duration) -> io::Result<Response> {
        let stream = self.stream.get_mut();
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        line::write(stream, request)?;
        line::read(&mut self.stream)?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    fn error(&self, source: io::Error, limit: Duration) -> ClientError {
        let socket = self.socket.clone();
        let is = |kinds: &[ErrorKind]| kinds.contains(&source.kind());
        if is(&[ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof]) {
            ClientError::Closed { socket }
        } else if is(&[ErrorKind::TimedOut, ErrorKind::WouldBlock]) {
            ClientError::Timeout { socket, limit }
        } else if is(&[ErrorKind::InvalidData]) {
            ClientError::Unintelligible { socket, source }
        } else {
            ClientError::Connection { socket, source }
        }
    }
}

const fn patience(request: &Request) -> Duration {
    match request {
        Request::Apply { .. } | Request::Peering(_) | Request::Stop => CHANGE,
        Request::Counters
        | Request::Drops
        | Request::Flows { .. }
        | Request::NatGateways
        | Request::Source
        | Request::Status => LOOK,
    }
}

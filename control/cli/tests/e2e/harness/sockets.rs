//! Sockets inside instances: a socket stays in the namespace in which it was made.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{setsockopt, sockopt};

/// How long a socket waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that a receiver can fall behind.
const RECEIVE_BUFFER: usize = 64 << 20;

/// An instance's network namespace.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    namespace: PathBuf,
}

impl Instance {
    pub(crate) fn of_namespace(name: &str) -> Self {
        Self { namespace: PathBuf::from("/run/netns").join(name) }
    }

    /// Runs `make` in the namespace, on a thread that ends afterwards: one that has entered a namespace serves nobody else.
    pub(crate) fn inside<T: Send>(&self, make: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(&self.namespace).expect("the instance has a namespace");
        let thread = || {
            setns(&namespace, CloneFlags::CLONE_NEWNET).expect("root may enter it");
            make()
        };
        thread::scope(|scope| scope.spawn(thread).join().expect("the thread ends well"))
    }

    /// A socket that hears of everything sent to it, even while nobody reads.
    pub(crate) fn udp(&self, address: IpAddr, port: u16) -> UdpSocket {
        let socket = self.inside(|| UdpSocket::bind((address, port)));
        let socket = socket.expect("the instance has the address");
        socket.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).expect("root may ask for more than usual");
        socket
    }

    pub(crate) fn listen(&self, address: IpAddr, port: u16) -> TcpListener {
        self.inside(|| TcpListener::bind((address, port))).expect("the instance has the address")
    }

    /// A connection that must come about.
    pub(crate) fn connect(&self, to: SocketAddr) -> TcpStream {
        let stream =
            self.try_connect(to, PATIENCE).unwrap_or_else(|error| panic!("connect to {to}: {error}"));
        stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        stream.set_write_timeout(Some(PATIENCE)).expect("it is not zero");
        stream
    }

    pub(crate) fn try_connect(&self, to: SocketAddr, within: Duration) -> std::io::Result<TcpStream> {
        self.inside(|| TcpStream::connect_timeout(&to, within))
    }
}

/// Connects, sends bytes both ways until each side has seen them and the end of the stream, and closes.
pub(crate) fn echo_tcp(client: &Instance, server: &Instance, to: SocketAddr, bytes: usize) {
    echo_tcp_at(client, server, to.ip(), to, bytes);
}

/// The same where the server has another address than the one that is asked. Returns whom it has seen.
pub(crate) fn echo_tcp_at(
    client: &Instance,
    server: &Instance,
    own: IpAddr,
    to: SocketAddr,
    bytes: usize,
) -> SocketAddr {
    let listener = server.listen(own, to.port());
    let data = pattern(bytes);
    let answering = thread::spawn(move || {
        let (mut stream, peer) = listener.accept().expect("somebody connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).expect("the request comes and ends");
        stream.write_all(&heard).expect("the answer is taken");
        peer
    });
    let mut stream = client.connect(to);
    stream.write_all(&data).expect("the request is taken");
    stream.shutdown(std::net::Shutdown::Write).expect("the connection is open");
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).expect("the answer comes and ends");
    assert!(heard == data, "{} of {bytes} bytes came back, or others", heard.len());
    answering.join().expect("the server ends well")
}

/// Sends datagrams and hears each again.
pub(crate) fn echo_udp(client: &Instance, from: IpAddr, server: &Instance, to: SocketAddr, sizes: &[usize]) {
    echo_udp_at(client, from, server, to.ip(), to, sizes);
}

/// The same where the server has another address than the one that is asked. Returns all whom it has seen.
pub(crate) fn echo_udp_at(
    client: &Instance,
    from: IpAddr,
    server: &Instance,
    own: IpAddr,
    to: SocketAddr,
    sizes: &[usize],
) -> BTreeSet<SocketAddr> {
    let mut peers = BTreeSet::new();
    let listening = server.udp(own, to.port());
    let asking = client.udp(from, 0);
    let mut buffer = vec![0; 1 << 16];
    for &size in sizes {
        let data = pattern(size);
        asking.send_to(&data, to).expect("the datagram is taken");
        let (length, peer) = listening.recv_from(&mut buffer).expect("the request comes");
        listening.send_to(&buffer[..length], peer).expect("the answer is taken");
        peers.insert(peer);
        let (length, peer) = asking.recv_from(&mut buffer).expect("the answer comes");
        assert_eq!(peer, to, "it answers from the address that was asked");
        assert!(buffer[..length] == data[..], "a datagram of {size} bytes came back changed");
    }
    peers
}

/// Sends `count` datagrams of `size` bytes that one call hands to the kernel as one, and hears each at `listening`.
pub(crate) fn datagrams_in_one_call(
    client: &Instance,
    from: IpAddr,
    listening: &UdpSocket,
    to: SocketAddr,
    size: i32,
    count: usize,
) {
    let socket = client.udp(from, 0);
    setsockopt(&socket, sockopt::UdpGsoSegment, &size).expect("the kernel can cut datagrams");
    let size = usize::try_from(size).expect("a length");
    let data: Vec<u8> = (0..count * size).map(|at| (at / size) as u8).collect();
    socket.send_to(&data, to).expect("all are taken");
    let mut buffer = vec![0; 2 * size];
    for part in data.chunks(size) {
        let length = listening.recv(&mut buffer).expect("it comes");
        assert!(buffer[..length] == *part, "{length} bytes, of number {}", buffer[0]);
    }
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at * 7 % 251).expect("less than 251")).collect()
}

//! Labs of unique names that run in threads of the test, and programs inside them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use daemon::protocol::{CounterRows, DropRow, FlowRow, Request, Response, Status};
use daemon::{BackendKind, Client, Dirs, Error, Running, Signals, Up};
use tempfile::TempDir;

/// The lab of most tests, `LAB` standing for its name. `two` answers pings and takes TCP connections to port 80; `one`, in
/// another subnet, takes nothing.
pub(crate) const TWO: &str = r#"
lab: LAB
account: "123456789012"
region: us-east-1
vpcs:
  app:
    cidr: [10.0.0.0/16]
    ipv6_cidr: 2600:1f18:aaaa:1000::/56
    subnets:
      a: { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", az: us-east-1a }
      b: { cidr: 10.0.2.0/24, ipv6_cidr: "2600:1f18:aaaa:1002::/64", az: us-east-1a }
    security_groups:
      open:
        ingress:
          - { proto: icmp, type: 8, from: 10.0.0.0/16 }
          - { proto: icmpv6, type: 128, from: "2600:1f18:aaaa:1000::/56" }
          - { proto: tcp, ports: 80, from: 10.0.0.0/16 }
      shut:
        ingress: []
    instances:
      one: { subnet: a, private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"], security_groups: [shut] }
      two: { subnet: b, private_ip: 10.0.2.10, ipv6_addresses: ["2600:1f18:aaaa:1002::10"], security_groups: [open] }
settings:
  limits: { sessions: 4096 }
  flow_logs: { allow_any_interval: true }
"#;

pub(crate) const ONE: &str = "10.0.1.10";
pub(crate) const TWO_V4: &str = "10.0.2.10";
pub(crate) const TWO_V6: &str = "2600:1f18:aaaa:1002::10";

/// Where one or more labs of a test keep their things. Everything that has its name goes when it does.
pub(crate) struct Site {
    /// Start of the names of its labs.
    pub(crate) prefix: String,
    pub(crate) dirs: Dirs,
    temporary: TempDir,
}

/// A lab that runs in a thread of the test.
pub(crate) struct Lab<'a> {
    site: &'a Site,
    pub(crate) name: String,
    thread: Option<JoinHandle<Result<(), Vec<Error>>>>,
}

/// What became of numbered datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Echoes {
    pub(crate) sent: u64,
    /// Those before the first that did not come back, or not in its turn.
    pub(crate) answered: u64,
}

/// How a lab is started.
#[derive(Clone, Copy)]
pub(crate) struct With {
    pub(crate) workers: u16,
    pub(crate) backend: BackendKind,
}

impl Default for With {
    fn default() -> Self {
        Self { workers: 2, backend: BackendKind::Auto }
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let effective_user = fs::metadata("/proc/self").expect("/proc is mounted").uid();
        assert_eq!(
            effective_user, 0,
            "these tests make network namespaces and TUN devices: run them as root"
        );
        assert!(Path::new("/dev/net/tun").exists(), "these tests need /dev/net/tun: load the module `tun`");
        let temporary = TempDir::new().expect("a temporary directory");
        let prefix = format!("vdt{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { prefix, dirs: dirs_in(temporary.path()), temporary }
    }

    /// Where the lab file lies.
    pub(crate) fn directory(&self) -> PathBuf {
        self.temporary.path().canonicalize().expect("the directory exists")
    }

    /// The text of the file of one of its labs.
    pub(crate) fn text(&self, lab: &str, text: &str) -> String {
        text.replace("LAB", &self.name(lab))
    }

    pub(crate) fn name(&self, lab: &str) -> String {
        format!("{}{lab}", self.prefix)
    }

    /// What [`Running::up`] is called with.
    pub(crate) fn start(&self, lab: &str, text: &str, with: With) -> Up {
        start(&self.directory(), &self.text(lab, text), self.dirs.clone(), with)
    }

    pub(crate) fn up(&self, lab: &str, text: &str, with: With) -> Lab<'_> {
        let up = self.start(lab, text, with);
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut running = match Running::up(up) {
                Ok(running) => running,
                Err(error) => return Err(vec![error]),
            };
            tell.send(()).ok();
            running.serve();
            running.down()
        });
        let lab = Lab { site: self, name: self.name(lab), thread: Some(thread) };
        if told.recv_timeout(Duration::from_secs(60)).is_err() {
            panic!("the lab does not come up: {}", lab.end());
        }
        lab
    }

    /// Namespaces with its name.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        names_in("/run/netns").into_iter().filter(|name| name.starts_with(&self.prefix)).collect()
    }

    /// Everything with its name that should be gone after its labs.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let files = names_in("/etc/netns").into_iter().filter(|name| name.starts_with(&self.prefix));
        let run = names_in(self.dirs.run.to_str().expect("UTF-8"));
        self.namespaces().into_iter().chain(files).chain(run).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for name in self.namespaces() {
            let pids = output(&["ip", "netns", "pids", &name]);
            for pid in String::from_utf8_lossy(&pids.stdout).lines() {
                output(&["kill", "-KILL", pid]);
            }
            output(&["ip", "netns", "delete", &name]);
        }
        for name in names_in("/etc/netns").into_iter().filter(|name| name.starts_with(&self.prefix)) {
            let _ = fs::remove_dir_all(Path::new("/etc/netns").join(name));
        }
    }
}

impl Lab<'_> {
    pub(crate) fn client(&self) -> Client {
        Client::connect_in(&self.site.dirs, &self.name).expect("the daemon listens")
    }

    pub(crate) fn call(&self, request: &Request) -> Response {
        self.client().call(request).expect("the daemon answers")
    }

    fn picked<T>(&self, request: &Request, pick: impl Fn(Response) -> Option<T>) -> T {
        let response = self.call(request);
        let words = format!("{response:?}");
        pick(response).unwrap_or_else(|| panic!("{request:?} was answered by {words}"))
    }

    pub(crate) fn counters(&self) -> CounterRows {
        self.picked(&Request::Counters, |r| if let Response::Counters(rows) = r { Some(rows) } else { None })
    }

    pub(crate) fn drops(&self) -> Vec<DropRow> {
        self.picked(&Request::Drops, |r| if let Response::Drops(rows) = r { Some(rows) } else { None })
    }

    pub(crate) fn flows(&self) -> Vec<FlowRow> {
        let request = Request::Flows { limit: 100 };
        self.picked(&request, |r| if let Response::Flows(rows) = r { Some(rows) } else { None })
    }

    pub(crate) fn status(&self) -> Status {
        self.picked(&Request::Status, |r| if let Response::Status(status) = r { Some(status) } else { None })
    }

    /// Applies a file that replaces `from` by `to` in `text`, and returns the changes.
    pub(crate) fn apply(&self, text: &str, from: &str, to: &str) -> Vec<String> {
        assert!(text.contains(from), "{from:?} is in the file");
        let request = self.apply_request(&text.replacen(from, to, 1));
        self.picked(
            &request,
            |r| if let Response::Applied(applied) = r { Some(applied.changes) } else { None },
        )
    }

    pub(crate) fn apply_text(&self, text: &str) -> Response {
        self.call(&self.apply_request(text))
    }

    fn apply_request(&self, text: &str) -> Request {
        let text = text.replace("LAB", &self.name);
        let name = self.site.directory().join("lab.yaml").display().to_string();
        Request::Apply { name, text }
    }

    pub(crate) fn namespace(&self, instance: &str) -> String {
        format!("{}-{instance}", self.name)
    }

    /// Whether one echo request is answered within a second.
    pub(crate) fn ping(&self, from: &str, to: &str) -> bool {
        self.ping_with(from, to, &[])
    }

    pub(crate) fn ping_with(&self, from: &str, to: &str, options: &[&str]) -> bool {
        let command = ["ip", "netns", "exec", &self.namespace(from), "ping", "-n", "-c", "1", "-W", "1"];
        output(&[&command, options, &[to]].concat()).status.success()
    }

    /// Runs `work` with its sockets inside an instance.
    pub(crate) fn inside<T: Send>(&self, instance: &str, work: impl FnOnce() -> T + Send) -> T {
        let netns = io::Netns::open(&self.namespace(instance)).expect("the instance has a namespace");
        netns.run(|| Ok(work())).expect("the namespace can be entered")
    }

    /// Sends `bytes` over a connection to `address` port 80 of instance `to`, and returns how many came.
    pub(crate) fn transfer(&self, from: &str, to: &str, address: &str, bytes: usize, flows: usize) -> usize {
        let address = SocketAddr::new(address.parse::<IpAddr>().expect("an address"), 80);
        let listener = self.inside(to, || TcpListener::bind(address).expect("port 80 is free"));
        let receiver = thread::spawn(move || {
            let streams: Vec<_> = (0..flows)
                .map(|_| {
                    thread::spawn({
                        let (stream, _) = listener.accept().expect("a connection");
                        move || read_all(stream)
                    })
                })
                .collect();
            streams.into_iter().map(|stream| stream.join().expect("reads")).sum()
        });
        for _ in 0..flows {
            let mut stream = self.inside(from, || {
                TcpStream::connect_timeout(&address, PATIENCE).expect("the connection is made")
            });
            stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
            thread::spawn(move || stream.write_all(&vec![7; bytes]).expect("everything is taken"));
        }
        receiver.join().expect("the receiver ends")
    }

    /// Keeps numbered datagrams under way to `address` port 9 of instance `to` and back, in order, until `work` is done.
    pub(crate) fn echo_while(&self, from: &str, to: &str, address: &str, work: impl FnOnce()) -> Echoes {
        let address = SocketAddr::new(address.parse::<IpAddr>().expect("an address"), 9);
        let server = self.inside(to, || UdpSocket::bind(address).expect("port 9 is free"));
        let client = self.inside(from, || UdpSocket::bind("0.0.0.0:0").expect("a port"));
        client.connect(address).expect("there is a route");
        for socket in [&server, &client] {
            socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| echo(&server));
            let load = scope.spawn(|| exchange(&client, &done));
            let end = End(&done);
            work();
            drop(end);
            let echoes = load.join().expect("the client does not panic");
            client.send(&[]).expect("sent");
            echoes
        })
    }

    /// Waits until no packet is under way, and returns the counters then.
    pub(crate) fn at_rest(&self) -> CounterRows {
        eventually("no packet is under way", || self.counters().in_flight == 0);
        self.counters()
    }

    /// Ends the lab as `vpclab down` does; everything of it can be removed.
    pub(crate) fn down(self) {
        assert_eq!(self.call(&Request::Stop), Response::Done);
        assert_eq!(self.end(), "Ok(())");
    }

    /// How its thread ends.
    fn end(mut self) -> String {
        let thread = self.thread.take().expect("taken once");
        format!("{:?}", thread.join().expect("the lab does not panic"))
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let asked =
                Client::connect_in(&self.site.dirs, &self.name).and_then(|mut c| c.call(&Request::Stop));
            // Without an answer there is nobody to wait for; the site cleans up.
            if let (Ok(_), Some(thread)) = (asked, self.thread.take()) {
                let _ = thread.join();
            }
        }
    }
}

/// Ends the load of [`Lab::echo_while`], also when the work fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn dirs_in(directory: &Path) -> Dirs {
    // What `ip netns exec` shows is at a fixed place.
    Dirs { run: directory.join("run"), var: directory.join("var"), etc_netns: "/etc/netns".into() }
}

pub(crate) fn start(directory: &Path, text: &str, dirs: Dirs, with: With) -> Up {
    let (valid, _) = import::load("lab.yaml", text).unwrap_or_else(|found| panic!("{found:?}"));
    Up {
        name: directory.join("lab.yaml").display().to_string(),
        text: text.to_owned(),
        valid,
        workers: with.workers,
        backend: with.backend,
        dirs,
        signals: Signals::Leave,
    }
}

/// Sends everything back, until an empty datagram comes.
fn echo(socket: &UdpSocket) {
    let mut bytes = [0; 8];
    while let Ok((length @ 1.., peer)) = socket.recv_from(&mut bytes) {
        socket.send_to(&bytes[..length], peer).expect("sent");
    }
}

/// Keeps [`WINDOW`] numbers under way until `done`; one that is lost or overtaken ends it.
fn exchange(socket: &UdpSocket, done: &AtomicBool) -> Echoes {
    let mut echoes = Echoes { sent: 0, answered: 0 };
    let mut bytes = [0; 8];
    loop {
        let more = !done.load(Ordering::Relaxed);
        while more && echoes.sent < echoes.answered + WINDOW {
            socket.send(&echoes.sent.to_be_bytes()).expect("sent");
            echoes.sent += 1;
        }
        let came = echoes.answered < echoes.sent && socket.recv(&mut bytes).is_ok();
        if !came || u64::from_be_bytes(bytes) != echoes.answered {
            return echoes;
        }
        echoes.answered += 1;
    }
}

fn read_all(mut stream: TcpStream) -> usize {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the stream ends");
    assert!(bytes.iter().all(|byte| *byte == 7), "what was sent is what comes");
    bytes.len()
}

/// What a command does within twenty seconds.
pub(crate) fn output(command: &[&str]) -> Output {
    Command::new("timeout").args(["-k", "1", "20"]).args(command).output().expect("coreutils has `timeout`")
}

/// Waits until `condition` holds, for twenty seconds at most.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..400 {
        if condition() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "other processes give no event that could be awaited")]
        thread::sleep(Duration::from_millis(50));
    }
    panic!("did not happen within twenty seconds: {what}");
}

fn names_in(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Datagrams under way at a time.
const WINDOW: u64 = 32;

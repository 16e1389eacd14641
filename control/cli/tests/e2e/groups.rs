//! Security groups and network ACLs on live connections.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::harness::{LATE, Lab, NOTHING, echo_tcp, echo_udp};

const GROUPS: &str = include_str!("labs/groups.yaml");

/// A lost packet is told by silence, which has to last a while.
const SILENCE: Duration = Duration::from_millis(800);

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

/// Rules: SG-01, SG-26, NA-01, OR-04
#[test]
fn a_group_refuses_inside_one_subnet() {
    let lab = Lab::up(GROUPS);
    lab.exec("stranger-1", &["ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", "10.52.1.20"]).exits(1);
    let stranger = lab.instance("stranger-1");
    let refused = stranger.try_connect(at("10.52.1.20:8080"), SILENCE);
    assert_eq!(refused.expect_err("nobody may").kind(), ErrorKind::TimedOut, "a refusal is silence");
    let drops = lab.drops();
    let gate = ("web-1.eth0".to_owned(), "ingress".to_owned());
    assert!(drops.iter().all(|drop| drop.gate.as_ref() == Some(&gate)), "{}", lab.told());
    lab.finish(&[("ENI_SG_RULES_MISMATCH", 4..=6)]);
}

/// Rules: SG-03, SG-08, SG-26, SG-30
#[test]
fn a_reference_admits_members_and_nobody_else() {
    let lab = Lab::up(GROUPS);
    let [caller, stranger, web, db] =
        ["caller-1", "stranger-1", "web-1", "db-1"].map(|name| lab.instance(name));
    echo_tcp(&caller, &web, at("10.52.1.20:8080"), 50_000);
    echo_udp(&caller, at("10.52.1.10:0").ip(), &web, at("10.52.1.20:8080"), &[100]);
    echo_tcp(&caller, &db, at("10.52.2.10:5432"), 50_000);
    assert!(stranger.try_connect(at("10.52.2.10:5432"), SILENCE).is_err(), "an address is no membership");
    let member = "security_groups: [outsider, caller], private_ip: 10.52.1.11";
    lab.edit("security_groups: [outsider], private_ip: 10.52.1.11", member);
    echo_tcp(&stranger, &db, at("10.52.2.10:5432"), 50_000);
    lab.finish(&[LATE, ("ENI_SG_RULES_MISMATCH", 1..=2)]);
}

/// Rules: SG-13
#[test]
fn a_port_without_a_listener_is_refused_by_the_instance_itself() {
    let lab = Lab::up(GROUPS);
    let caller = lab.instance("caller-1");
    let refused = caller.try_connect(at("10.52.2.10:5432"), Duration::from_secs(5));
    assert_eq!(
        refused.expect_err("nobody listens").kind(),
        ErrorKind::ConnectionRefused,
        "a reset came back"
    );
    let socket = caller.udp(at("10.52.1.10:0").ip(), 0);
    socket.connect(at("10.52.1.20:8080")).expect("it has an address");
    socket.send(b"?").expect("the datagram is taken");
    let refused = socket.recv(&mut [0]).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "port unreachable came back");
    lab.finish(NOTHING);
}

/// Rules: SG-18
#[test]
fn a_tracked_connection_survives_the_removal_of_its_rule() {
    let lab = Lab::up(GROUPS);
    let mut connection = Connection::open(&lab, at("10.52.2.10:22"));
    connection.must_pass();
    lab.edit("          - { proto: tcp, ports: 22, from: 10.52.0.0/16 } ", "          #");
    connection.must_pass();
    let caller = lab.instance("caller-1");
    assert!(caller.try_connect(at("10.52.2.10:22"), SILENCE).is_err(), "a new one is refused");
    connection.must_pass();
    lab.finish(&[("ENI_SG_RULES_MISMATCH", 1..=2)]);
}

/// Rules: SG-14, SG-18
#[test]
fn an_untracked_connection_is_cut_with_its_rule() {
    let lab = Lab::up(GROUPS);
    let rule = "          - { proto: tcp, ports: 80, from: 0.0.0.0/0 } ";
    let mut connection = Connection::open(&lab, at("10.52.2.10:80"));
    connection.must_pass();
    lab.edit(rule, "          #");
    connection.must_stall(Way::Request);
    lab.edit("          #", rule);
    connection.must_come_back(Way::Request);
    lab.finish(&[("ENI_SG_RULES_MISMATCH", 1..=50)]);
}

/// Rules: SG-19, NA-15, NA-02
#[test]
fn an_acl_entry_cuts_a_tracked_connection_at_once() {
    for (direction, way) in [("ingress", Way::Request), ("egress", Way::Reply)] {
        let lab = Lab::up(GROUPS);
        let mut connection = Connection::open(&lab, at("10.52.2.10:22"));
        connection.must_pass();
        let open = format!("        {direction}:\n          - {{ rule: 100");
        let shut = format!(
            "        {direction}:\n          - {{ rule: 50, action: deny, proto: tcp, ports: 0-65535, cidr: 10.52.1.0/24 }}\n          \
             - {{ rule: 100"
        );
        lab.edit(&open, &shut);
        connection.must_stall(way);
        lab.edit(&shut, &open);
        connection.must_come_back(way);
        lab.finish(&[("SUBNET_ACL_RESTRICTION", 1..=50)]);
    }
}

/// A direction of a connection.
#[derive(Clone, Copy, Debug)]
enum Way {
    Reply,
    Request,
}

/// A connection between `caller-1` and `db-1`.
struct Connection {
    client: TcpStream,
    server: TcpStream,
}

impl Connection {
    fn open(lab: &Lab, to: SocketAddr) -> Self {
        let listener = lab.instance("db-1").listen(to.ip(), to.port());
        let client = lab.instance("caller-1").connect(to);
        let (server, _) = listener.accept().expect("it is connected");
        client.set_nodelay(true).expect("it is open");
        server.set_nodelay(true).expect("it is open");
        Self { client, server }
    }

    /// A byte there and one back.
    #[track_caller]
    fn must_pass(&mut self) {
        self.client.write_all(b">").expect("the byte is taken");
        self.hear_request();
    }

    /// A byte that does not arrive in time.
    #[track_caller]
    fn must_stall(&mut self, way: Way) {
        let (sender, receiver) = self.ends(way);
        sender.write_all(b"!").expect("the byte is taken");
        receiver.set_read_timeout(Some(SILENCE)).expect("it is not zero");
        let heard = receiver.read(&mut [0]).map_err(|error| error.kind());
        assert!(matches!(heard, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{way:?}: {heard:?}");
    }

    /// The byte that stalled arrives, now that it may: its sender tries again and again.
    #[track_caller]
    fn must_come_back(&mut self, way: Way) {
        let (_, receiver) = self.ends(way);
        receiver.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
        receiver.read_exact(&mut [0]).expect("the byte comes after all");
        self.must_pass();
    }

    /// Sender and receiver.
    fn ends(&mut self, way: Way) -> (&mut TcpStream, &mut TcpStream) {
        match way {
            Way::Reply => (&mut self.server, &mut self.client),
            Way::Request => (&mut self.client, &mut self.server),
        }
    }

    #[track_caller]
    fn hear_request(&mut self) {
        for end in [&self.client, &self.server] {
            end.set_read_timeout(Some(Duration::from_secs(5))).expect("it is not zero");
        }
        self.server.read_exact(&mut [0]).expect("the byte comes");
        self.server.write_all(b"<").expect("the byte is taken");
        self.client.read_exact(&mut [0]).expect("the byte comes back");
    }
}

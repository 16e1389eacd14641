//! The socket, and who may use it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use daemon::protocol::{Request, Response};
use daemon::{Client, ClientError, Down};

use crate::support::{Site, TWO, With};

#[test]
fn an_unknown_request_is_refused_and_the_connection_goes_on() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let path = site.dirs.socket_of(&lab.name);
    let mode = path.metadata().expect("the socket is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner may connect");
    let mut stream = UnixStream::connect(path).expect("the daemon listens");
    stream.write_all(b"{\"dance\":{}}\n\"source\"\n").expect("taken");
    let mut lines = BufReader::new(&stream).lines().map(|line| line.expect("readable"));
    let refused = lines.next().expect("an answer");
    assert!(refused.contains("does not know the request") && refused.contains("dance"), "{refused}");
    assert!(lines.next().expect("another").contains("us-east-1"));
}

#[test]
fn a_client_that_keeps_silent_does_not_keep_the_lab_up() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let silent = UnixStream::connect(site.dirs.socket_of(&lab.name)).expect("the daemon listens");
    lab.down();
    let mut lines = BufReader::new(&silent).lines();
    assert!(lines.next().is_none(), "the connection is closed");
}

#[test]
fn whoever_takes_a_lab_down_from_outside_learns_when_it_is_gone() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    assert_eq!(daemon::down(&site.dirs, &lab.name).expect("it goes"), Down::Ended);
    assert_eq!(site.leftovers(), Vec::<String>::new());
    assert_eq!(daemon::down(&site.dirs, &lab.name).expect("there is nothing"), Down::NotThere);
    let error = Client::connect_in(&site.dirs, &lab.name).expect_err("nobody listens");
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error}");
}

#[test]
fn a_failed_start_leaves_nothing_behind() {
    let site = Site::new();
    let up = site.start("", TWO, With::default());
    // A directory where the socket has to be.
    let socket = site.dirs.socket_of(&site.name(""));
    std::fs::create_dir_all(socket.join("occupied")).expect("a directory");
    let error = daemon::Running::up(up).expect_err("it cannot listen");
    assert!(error.to_string().contains("cannot listen on"), "{error}");
    assert_eq!(site.namespaces(), Vec::<String>::new());
}

#[test]
fn instances_are_found_by_name_id_and_address() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let two = &lab.status().instances[1];
    let eni = two.interfaces[0].id.as_str();
    for called in ["two", &two.id, eni, "10.0.2.10", "2600:1f18:aaaa:1002:0::10"] {
        let place = daemon::exec::find(&site.dirs, None, called).expect("found");
        assert_eq!((place.lab.as_str(), place.instance.as_str()), (lab.name.as_str(), "two"));
        assert_eq!(place.namespace, two.namespace);
    }
    let missing = daemon::exec::find(&site.dirs, Some(&lab.name), "three").expect_err("not there");
    assert!(missing.to_string().contains("has an instance or host three"), "{missing}");
    let mut command = daemon::exec::command(&site.dirs, None, "two", &["timeout", "10", "cat", "/etc/hosts"])
        .expect("found");
    let hosts = String::from_utf8(command.output().expect("runs").stdout).expect("UTF-8");
    assert!(hosts.contains("10.0.1.10 one one.app"), "{hosts}");
}

#[test]
fn an_instance_of_two_labs_is_ambiguous() {
    let site = Site::new();
    let (_a, _b) = (site.up("a", TWO, With::default()), site.up("b", TWO, With::default()));
    let error = daemon::exec::find(&site.dirs, None, "two").expect_err("two of them");
    assert!(
        error.to_string().contains(&site.name("a")) && error.to_string().contains("say which lab"),
        "{error}"
    );
    assert!(daemon::exec::find(&site.dirs, Some(&site.name("b")), "two").is_ok());
}

#[test]
fn requests_of_many_clients_are_all_answered() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut client = lab.client();
                for _ in 0..20 {
                    assert!(matches!(client.call(&Request::Counters), Ok(Response::Counters(_))));
                }
            });
        }
    });
}

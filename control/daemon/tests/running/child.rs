//! A daemon in a process of its own: this test program, started again by other tests.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use daemon::background::{self, launch};
use daemon::protocol::{Request, Response};
use daemon::{Client, Down, Running, Signals, Up};

use crate::support::{Site, TWO, With, dirs_in, start};

/// How long a daemon may take to start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const DIRECTORY: &str = "VPCLAB_TEST_DIRECTORY";

/// A command that runs the lab whose file is `lab.yaml` in the site's directory.
pub(crate) fn command(site: &Site, lab: &str, text: &str) -> Command {
    std::fs::write(site.directory().join("lab.yaml"), site.text(lab, text)).expect("a lab file");
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "60"]).arg(env::current_exe().expect("this program has a path"));
    command.args([
        "--exact",
        "child::a_daemon_in_a_process_of_its_own_starts_answers_and_ends",
        "--nocapture",
    ]);
    command.env(DIRECTORY, site.directory());
    command
}

/// Both ends of it: without a directory this is the starter, with one the daemon that a starter has started.
#[test]
fn a_daemon_in_a_process_of_its_own_starts_answers_and_ends() {
    match env::var_os(DIRECTORY) {
        Some(directory) => be_the_daemon(Path::new(&directory)),
        None => start_one_and_end_it(),
    }
}

fn start_one_and_end_it() {
    let site = Site::new();
    let log = site.directory().join("daemon.log");
    launch(&mut command(&site, "", TWO), &log, PATIENCE).expect("it starts");
    let name = site.name("");
    let answer = Client::connect_in(&site.dirs, &name).expect("it listens").call(&Request::Status);
    let Ok(Response::Status(status)) = answer else { panic!("a status: {answer:?}") };
    assert_ne!(status.pid, std::process::id(), "a process of its own");
    assert_eq!(daemon::down(&site.dirs, &name).expect("it ends"), Down::Ended);
    assert_eq!(site.leftovers(), Vec::<String>::new());
}

fn be_the_daemon(directory: &Path) {
    let starter = background::enter().expect("a child of its starter");
    let text = std::fs::read_to_string(directory.join("lab.yaml")).expect("a lab file");
    let up = Up { signals: Signals::Heed, ..start(directory, &text, dirs_in(directory), With::default()) };
    let mut running = match Running::up(up) {
        Ok(running) => running,
        Err(error) => return starter.failed(error).expect("the starter listens"),
    };
    starter.ready().expect("the starter listens");
    running.serve();
    running.down().expect("everything is removed");
}

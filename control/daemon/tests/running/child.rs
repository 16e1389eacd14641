//! A daemon in a process of its own: this test program, started again by other tests.

use std::env;
use std::path::Path;
use std::process::Command;

use daemon::{Running, Signals, Up, background};

use crate::support::{Site, With, dirs_in, start};

const DIRECTORY: &str = "VPCLAB_TEST_DIRECTORY";

/// A command that runs the lab whose file is `lab.yaml` in the site's directory.
pub(crate) fn command(site: &Site, lab: &str, text: &str) -> Command {
    std::fs::write(site.directory().join("lab.yaml"), site.text(lab, text)).expect("a lab file");
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "60"]).arg(env::current_exe().expect("this program has a path"));
    command.args(["--exact", "child::daemon", "--ignored", "--nocapture"]);
    command.env(DIRECTORY, site.directory());
    command
}

#[test]
#[ignore = "the child of other tests"]
fn daemon() {
    let starter = background::enter().expect("a child of its starter");
    let directory = env::var(DIRECTORY).expect("started by another test");
    let directory = Path::new(&directory);
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

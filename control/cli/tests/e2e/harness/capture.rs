//! What passes a device, as `tcpdump` shows it.

use std::time::Duration;

use super::lab::Lab;
use super::program::Program;

const PATIENCE: Duration = Duration::from_secs(20);

/// A capture that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Capture(Program);

impl Lab {
    /// Starts a capture at the `eth0` of an instance or host.
    pub(crate) fn capture(&self, place: &str, filter: &str) -> Capture {
        let line = format!("exec tcpdump -n -l --immediate-mode -i eth0 '{filter}' 2>&1");
        let mut program = self.start(place, &["sh", "-c", &line]);
        program.wait_for("listening on eth0", PATIENCE);
        Capture(program)
    }
}

impl Capture {
    /// Waits for a packet whose line holds this.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.0.wait_for(text, PATIENCE);
    }

    /// Ends it; returns a line for each packet.
    pub(crate) fn packets(self) -> Vec<String> {
        let done = self.0.interrupt(PATIENCE);
        let is_packet = |line: &&str| line.contains(" IP ") || line.contains(" IP6 ");
        done.stdout.lines().filter(is_packet).map(str::to_owned).collect()
    }
}

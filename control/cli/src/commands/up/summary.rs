//! The live summary of a lab in the foreground: one line that is written anew each second, with new drops above it.

use std::io::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use daemon::protocol::{CounterRows, DropRow};

use crate::commands::drops;
use crate::error::Error;
use crate::output;
use crate::running::Running;

const EVERY: Duration = Duration::from_secs(1);

/// Dropped packets that are shown at once; the rest is counted.
const SHOWN: usize = 10;

/// Writes until it is dropped.
pub(super) struct Summary {
    /// Closed to say that it is enough.
    _stop: Sender<()>,
}

impl Summary {
    /// Starts to write about the lab that this process runs.
    pub(super) fn start(lab: String) -> Self {
        let (stop, stopped) = mpsc::channel();
        // Nobody waits for the thread: it may be asking the lab, whose only thread is then ending it. The lab closes the
        // connection, and with no answer there is nothing to write.
        thread::spawn(move || {
            let mut seen = Vec::new();
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
                // The terminal is gone, or the lab ends: neither is worth a word.
                if tell(&lab, &mut seen).is_err() {
                    return;
                }
            }
        });
        Self { _stop: stop }
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        // What comes next begins on a line of its own; without a terminal there is no next.
        writeln!(anstream::stderr()).ok();
    }
}

fn tell(lab: &str, seen: &mut Vec<DropRow>) -> Result<(), Error> {
    let mut running = Running::connect(Some(lab))?;
    let (counters, now) = (running.counters()?, running.drops()?);
    let mut out = anstream::AutoStream::auto(std::io::stderr());
    // Back to the start of the line, and erase it.
    write!(out, "\r\x1b[K")?;
    let fresh = drops::fresh(seen, &now);
    for row in &fresh[fresh.len().saturating_sub(SHOWN)..] {
        writeln!(out, "{}", output::line(row))?;
    }
    if fresh.len() > SHOWN {
        writeln!(out, "… and {} more dropped packets", fresh.len() - SHOWN)?;
    }
    write!(out, "{}", line(&counters))?;
    out.flush()?;
    *seen = now;
    Ok(())
}

/// `received 120  delivered 100  dropped 20 (ENI_SG_RULES_MISMATCH 20)`.
fn line(counters: &CounterRows) -> String {
    let dropped: u64 = counters.dropped.values().sum();
    let reasons: Vec<String> =
        counters.dropped.iter().map(|(reason, packets)| format!("{reason} {packets}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let mut text = format!(
        "received {}  delivered {}  dropped {dropped}{reasons}",
        counters.received, counters.delivered
    );
    let lost: u64 = counters.kernel_queue_full.values().sum();
    if lost > 0 {
        text.push_str(&format!("  lost in kernel queues {lost}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_reasons_of_drops() {
        let mut counters = CounterRows { received: 12, delivered: 10, ..CounterRows::default() };
        assert_eq!(line(&counters), "received 12  delivered 10  dropped 0");
        counters.dropped.insert("NO_ROUTE_TO_DESTINATION".to_owned(), 2);
        assert_eq!(line(&counters), "received 12  delivered 10  dropped 2 (NO_ROUTE_TO_DESTINATION 2)");
    }
}

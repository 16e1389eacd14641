//! How many TCP connections a second.

use std::net::SocketAddrV4;

use super::ends::Ends;
use super::{Figure, Meter, named, outcome};
use crate::agent::{Accept, Agent, Concurrency, Connect, Connected, READY};
use crate::error::Error;
use crate::machine::ProcessorTime;
use crate::policy::{CONNECTIONS, RIGHT};

impl Meter<'_> {
    pub(super) fn connections(&self, ends: Ends<'_>, concurrency: Concurrency) -> Result<Figure, Error> {
        let accept = Accept { port: CONNECTIONS, concurrency };
        let mut server = ends.right.agent(self.program, &Agent::Accept(accept))?;
        server.wait_for(READY)?;
        let to = SocketAddrV4::new(RIGHT, CONNECTIONS);
        let connect = Connect { to, concurrency, milliseconds: self.milliseconds() };
        let before = ProcessorTime::now()?;
        let connected: Connected =
            outcome(ends.left.agent(self.program, &Agent::Connect(connect))?, self.patience())?;
        let busy = ProcessorTime::now()?.since(before).busy;
        let what = || format!("connections from {}", ends.left.namespace);
        figure(connected, busy).map_err(|said| Error::Program { what: what(), said })
    }
}

/// What is said of connections and of the seconds that processors were busy with them; an error where too many failed.
fn figure(connected: Connected, busy: f64) -> Result<Figure, String> {
    let Connected { connections, failed, seconds, threads } = connected;
    if connections == 0 || failed * ONE_MAY_FAIL_IN > connections {
        return Err(format!("{failed} failed, {connections} did not"));
    }
    let (connections, failed) = (connections as f64, failed as f64);
    let details = [
        ("failed", failed),
        ("cpu_seconds_per_thousand", busy / (connections / 1e3)),
        ("threads", threads as f64),
    ];
    Ok((connections / seconds, named(&details)))
}

/// Of more at a time, no system was found to open more in a second (docs/bench.md).
pub(super) const BY_EVENTS: Concurrency = Concurrency::Events { at_a_time: 64 };

/// Enough to keep two processors busy.
pub(super) const BLOCKING: Concurrency = Concurrency::Blocking { threads: 8 };

/// Where more connections fail, there is no figure.
const ONE_MAY_FAIL_IN: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_figure_where_too_many_failed_or_none_was_opened() {
        let of =
            |connections, failed| figure(Connected { connections, failed, seconds: 2.0, threads: 4 }, 3.0);
        let (value, details) = of(200, 2).expect("one in a hundred");
        assert!((value - 100.0).abs() < 1e-9);
        assert_eq!(details["failed"], 2.0);
        assert_eq!((details["cpu_seconds_per_thousand"], details["threads"]), (15.0, 4.0));
        assert_eq!(of(200, 3).expect_err("too many"), "3 failed, 200 did not");
        assert!(of(0, 0).is_err());
    }
}

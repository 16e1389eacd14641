//! The two ends of a load, and the relay: this very program, started again inside a namespace.
//!
//! Those that find something say it as one line of JSON and end by themselves; all others end with their standard input. One that the
//! other end waits for says `ready` first.

mod connections;
mod ping;
mod receive;
mod relay;
mod scatter;
mod send;

use std::io::{self, Read as _, Write};

use serde::{Deserialize, Serialize};

pub use connections::{Accept, Concurrency, Connect, Connected};
pub use ping::{Ping, Pinged};
pub use receive::{Receive, Received, Window};
pub use relay::Copy;
pub(crate) use scatter::PORTS;
pub use scatter::Scatter;
pub use send::{Send, Sent};

/// What a child of the benchmark does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agent {
    /// Accepts connections.
    Accept(Accept),
    /// Opens connections.
    Connect(Connect),
    /// Copies packets between two devices.
    Copy(Copy),
    /// Sends ICMP echo requests.
    Ping(Ping),
    /// Counts datagrams.
    Receive(Receive),
    /// Sends datagrams of many flows.
    Scatter(Scatter),
    /// Sends datagrams of one flow.
    Send(Send),
}

impl Agent {
    /// Reads what `Self::to_json` has written.
    ///
    /// # Errors
    ///
    /// Text that no benchmark has written.
    pub fn from_json(json: &str) -> io::Result<Self> {
        Ok(serde_json::from_str(json)?)
    }

    /// What is to be done, for the command line of the child.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("agents hold no maps with keys that are no strings")
    }

    /// Does it.
    ///
    /// # Errors
    ///
    /// What the kernel refused.
    pub fn run(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Accept(accept) => accept.run(out),
            Self::Connect(connect) => say(out, &connect.run()?),
            Self::Copy(copy) => copy.run(out),
            Self::Ping(ping) => say(out, &ping.run()?),
            Self::Receive(receive) => {
                let received = receive.run(out)?;
                say(out, &received)
            }
            Self::Scatter(scatter) => say(out, &scatter.run()?),
            Self::Send(send) => say(out, &send.run()?),
        }
    }
}

/// Whoever waits may go on.
fn ready(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{READY}")?;
    out.flush()
}

fn say<T: Serialize>(out: &mut dyn Write, outcome: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, outcome)?;
    writeln!(out)?;
    out.flush()
}

/// Returns when nobody needs this process any more.
fn wait_for_end_of_input() {
    let mut byte = [0];
    // A broken input has ended as well.
    while io::stdin().lock().read(&mut byte).is_ok_and(|read| read > 0) {}
}

/// What an agent says when it can be sent to.
pub(crate) const READY: &str = "ready";

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn an_agent_survives_the_command_line() {
        let ping = Agent::Ping(Ping { to: Ipv4Addr::LOCALHOST, milliseconds: 10, interval_us: 0 });
        assert_eq!(Agent::from_json(&ping.to_json()).expect("our own"), ping);
        assert!(Agent::from_json("{}").is_err());
    }
}

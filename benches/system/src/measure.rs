//! One figure of one load on one system.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::agent::{Accept, Agent, Connect, Connected, Ping, Pinged, READY, Receive, Received, Send};
use crate::error::Error;
use crate::iperf;
use crate::journal::Sample;
use crate::load::Load;
use crate::machine::ProcessorTime;
use crate::policy::{CONNECTIONS, DATAGRAMS, IPERF, RIGHT};
use crate::program::{PATIENCE, Program, inside};
use crate::site::Site;

/// Takes figures on systems that are set up.
#[derive(Debug)]
pub(crate) struct Meter<'a> {
    /// This program.
    pub(crate) program: &'a Path,
    /// How long traffic is counted.
    pub(crate) seconds: u32,
}

/// A value and what else was seen.
type Figure = (f64, BTreeMap<String, f64>);

impl Meter<'_> {
    /// Sends a load through a system.
    pub(crate) fn take(&self, load: Load, site: &Site) -> Result<Sample, Error> {
        let before = ProcessorTime::now()?;
        let (value, details) = match load {
            Load::Tcp1 => self.tcp(site, 1),
            Load::Tcp4 => self.tcp(site, 4),
            Load::Udp64 => self.udp(site, 64, 1),
            Load::Udp1400 => self.udp(site, 1400, 1),
            Load::UdpGso => self.udp(site, 1400, 40),
            Load::Rtt => self.rtt(site),
            Load::Connections => self.connections(site),
        }?;
        let passed = ProcessorTime::now()?.since(before);
        Ok(Sample { value, busy_seconds: passed.busy, details })
    }

    fn tcp(&self, site: &Site, streams: u32) -> Result<Figure, Error> {
        let port = IPERF.to_string();
        let server = ["--server", "--one-off", "--forceflush", "--port", &port];
        let mut server = Program::start(inside(&site.right, "iperf3", &server)?)?;
        server.wait_for("Server listening")?;
        let (to, streams, seconds) = (RIGHT.to_string(), streams.to_string(), self.seconds.to_string());
        let client = ["--client", &to, "--port", &port, "--parallel", &streams, "--time", &seconds, "--json"];
        let report = Program::start(inside(&site.left, "iperf3", &client)?)?.finish(self.patience())?;
        let said = |said| Error::Program { what: format!("iperf3 in {}", site.left), said };
        let throughput = iperf::parse(&report).map_err(said)?;
        let details = [("retransmits", throughput.retransmits)];
        Ok((throughput.bits_per_second / 1e9, named(&details)))
    }

    fn udp(&self, site: &Site, size: usize, segments: usize) -> Result<Figure, Error> {
        let glued = segments > 1;
        let (warm_up_ms, milliseconds) = (WARM_UP.as_millis() as u64, self.milliseconds());
        let receive = Receive { port: DATAGRAMS, size, glued, warm_up_ms, milliseconds };
        let mut receiver = self.agent(&site.right, &Agent::Receive(receive))?;
        receiver.wait_for(READY)?;
        // Longer than the receiver counts; it is ended when that is done.
        let milliseconds = 2 * (warm_up_ms + milliseconds);
        let to = SocketAddrV4::new(RIGHT, DATAGRAMS);
        let sender = self.agent(&site.left, &Agent::Send(Send { to, size, segments, milliseconds }))?;
        let received: Received = outcome(receiver, self.patience())?;
        drop(sender);
        let per_second = received.datagrams as f64 / received.seconds;
        let gigabits = per_second * (size * 8) as f64 / 1e9;
        let value = if glued { gigabits } else { per_second / 1e3 };
        Ok((value, named(&[("gigabits_per_second", gigabits)])))
    }

    fn rtt(&self, site: &Site) -> Result<Figure, Error> {
        let ping = Ping { to: RIGHT, milliseconds: self.milliseconds(), interval_us: 0 };
        let pinged: Pinged = outcome(self.agent(&site.left, &Agent::Ping(ping))?, self.patience())?;
        if pinged.answered == 0 {
            return Err(nothing_arrived("ping", site));
        }
        let details =
            [("p50", pinged.p50), ("p99", pinged.p99), ("p99.9", pinged.p999), ("lost", pinged.lost as f64)];
        Ok((pinged.mean, named(&details)))
    }

    fn connections(&self, site: &Site) -> Result<Figure, Error> {
        let mut server = self.agent(&site.right, &Agent::Accept(Accept { port: CONNECTIONS }))?;
        server.wait_for(READY)?;
        let connect =
            Connect { to: SocketAddrV4::new(RIGHT, CONNECTIONS), milliseconds: self.milliseconds() };
        let connected: Connected =
            outcome(self.agent(&site.left, &Agent::Connect(connect))?, self.patience())?;
        let per_second = connected.connections as f64 / connected.seconds;
        Ok((per_second, named(&[("failed", connected.failed as f64)])))
    }

    fn agent(&self, namespace: &str, agent: &Agent) -> Result<Program, Error> {
        Program::agent(self.program, namespace, agent)
    }

    fn milliseconds(&self) -> u64 {
        u64::from(self.seconds) * 1000
    }

    fn patience(&self) -> Duration {
        PATIENCE + Duration::from_secs(u64::from(self.seconds))
    }
}

/// What is not counted at the beginning of a stream of datagrams: until queues have filled.
const WARM_UP: Duration = Duration::from_millis(150);

fn outcome<T: DeserializeOwned>(program: Program, within: Duration) -> Result<T, Error> {
    let output = program.finish(within)?;
    serde_json::from_str(&output).map_err(|error| Error::machine("read what an agent says")(error.into()))
}

fn nothing_arrived(what: &str, site: &Site) -> Error {
    Error::Program { what: format!("{what} in {}", site.left), said: "nothing was answered".to_owned() }
}

fn named(details: &[(&str, f64)]) -> BTreeMap<String, f64> {
    details.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

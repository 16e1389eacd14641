//! One figure of one load on one system.

mod connections;
mod ends;
mod loss_free;

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::agent::{Agent, PORTS, Ping, Pinged, READY, Receive, Received, Scatter, Send, Window};
use crate::clock::pause;
use crate::error::Error;
use crate::iperf;
use crate::journal::Sample;
use crate::load::Load;
use crate::machine::{ProcessorTime, process_time};
use crate::placement::Placement;
use crate::policy::{DATAGRAMS, IPERF, RIGHT, senders};
use crate::program::{PATIENCE, Program};
use crate::site::{MatrixSite, Site};
use ends::Ends;

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
    pub(crate) fn take(&self, load: Load, placement: Placement, site: &Site) -> Result<Sample, Error> {
        let ends = Ends::of(site, placement)?;
        let (value, details) = match load {
            Load::Tcp1 => self.tcp(ends, 1),
            Load::Tcp4 => self.tcp(ends, 4),
            Load::Udp64 => self.udp(ends, &[64], 1),
            Load::Udp1400 => self.udp(ends, &[1400], 1),
            Load::UdpGso => self.udp(ends, &[1400], 40),
            Load::Imix => self.udp(ends, &IMIX, 1),
            Load::LossFree64 => self.loss_free(ends, 64),
            Load::LossFree1400 => self.loss_free(ends, 1400),
            Load::Rtt => self.rtt(ends, Duration::ZERO),
            Load::RttIdle => self.rtt(ends, Duration::from_millis(10)),
            Load::RttLoaded => self.rtt_loaded(ends),
            Load::Connections => self.connections(ends, connections::BY_EVENTS),
            Load::ConnectionsBlocking => self.connections(ends, connections::BLOCKING),
            Load::Idle => self.idle(site),
        }?;
        Ok(Sample { value, details })
    }

    fn tcp(&self, ends: Ends<'_>, streams: u32) -> Result<Figure, Error> {
        let port = IPERF.to_string();
        let server = ["--server", "--one-off", "--forceflush", "--port", &port];
        let mut server = ends.right.start("iperf3", &server)?;
        server.wait_for("Server listening")?;
        let (to, streams, seconds) = (RIGHT.to_string(), streams.to_string(), self.seconds.to_string());
        let client = ["--client", &to, "--port", &port, "--parallel", &streams, "--time", &seconds, "--json"];
        let before = ProcessorTime::now()?;
        let report = ends.left.start("iperf3", &client)?.finish(self.patience())?;
        let busy = ProcessorTime::now()?.since(before).busy;
        let said = |said| Error::Program { what: format!("iperf3 in {}", ends.left.namespace), said };
        let throughput = iperf::parse(&report).map_err(said)?;
        let details = [
            ("retransmits", throughput.retransmits),
            ("cpu_seconds_per_gb", busy / (throughput.bytes / 1e9)),
        ];
        Ok((throughput.bits_per_second / 1e9, named(&details)))
    }

    fn udp(&self, ends: Ends<'_>, sizes: &[usize], segments: usize) -> Result<Figure, Error> {
        let glued = sizes.first().copied().filter(|_| segments > 1);
        let window = Window::Milliseconds { after: WARM_UP_MS, count: self.milliseconds() };
        let mut receiver =
            ends.right.agent(self.program, &Agent::Receive(Receive { port: DATAGRAMS, glued, window }))?;
        receiver.wait_for(READY)?;
        // Longer than the receiver counts; it is ended when that is done.
        let milliseconds = 2 * (WARM_UP_MS + self.milliseconds());
        let (to, sizes) = (SocketAddrV4::new(RIGHT, DATAGRAMS), sizes.to_vec());
        let send = Send { to, sizes, segments, per_second: None, milliseconds };
        let sender = ends.left.agent(self.program, &Agent::Send(send))?;
        let received: Received = outcome(receiver, self.patience())?;
        drop(sender);
        let kilopackets = received.datagrams as f64 / received.seconds / 1e3;
        let gigabits = received.bytes as f64 * 8.0 / received.seconds / 1e9;
        let details = [
            ("kilopackets_per_second", kilopackets),
            ("gigabits_per_second", gigabits),
            ("cpu_seconds_per_gb", received.busy_seconds / (received.bytes as f64 / 1e9)),
            ("cpu_seconds_per_mpacket", received.busy_seconds / (received.datagrams as f64 / 1e6)),
        ];
        Ok((if glued.is_some() { gigabits } else { kilopackets }, named(&details)))
    }

    /// Thousands of datagrams of many flows that arrive in a second.
    pub(crate) fn scattered(&self, site: &MatrixSite, flows: usize) -> Result<f64, Error> {
        let ends = Ends::of_matrix(site);
        // Every flow has been seen once before anything is counted.
        let after = WARM_UP_MS.max(flows as u64 * 1000 / SLOWEST_FLOWS);
        let window = Window::Milliseconds { after, count: self.milliseconds() };
        let mut receiver = ends
            .right
            .agent(self.program, &Agent::Receive(Receive { port: DATAGRAMS, glued: None, window }))?;
        receiver.wait_for(READY)?;
        let mut from = senders();
        from.truncate(flows.div_ceil(PORTS));
        let milliseconds = 2 * (after + self.milliseconds());
        let to = SocketAddrV4::new(site.receiver, DATAGRAMS);
        let scatter = Agent::Scatter(Scatter { from, to, size: 64, flows, milliseconds });
        let _sender = ends.left.agent(self.program, &scatter)?;
        let received: Received = outcome(receiver, self.patience() + Duration::from_millis(after))?;
        Ok(received.datagrams as f64 / received.seconds / 1e3)
    }

    fn rtt(&self, ends: Ends<'_>, interval: Duration) -> Result<Figure, Error> {
        let interval_us = interval.as_micros() as u64;
        let ping = Ping { to: RIGHT, milliseconds: self.milliseconds(), interval_us };
        let pinged: Pinged = outcome(ends.left.agent(self.program, &Agent::Ping(ping))?, self.patience())?;
        if pinged.answered == 0 {
            let (what, said) =
                (format!("ping in {}", ends.left.namespace), "nothing was answered".to_owned());
            return Err(Error::Program { what, said });
        }
        let details = [
            ("p50", pinged.p50),
            ("p99", pinged.p99),
            ("p99.9", pinged.p999),
            ("mean_to_program", pinged.mean_to_program),
            ("lost", pinged.lost as f64),
        ];
        Ok((pinged.mean, named(&details)))
    }

    fn rtt_loaded(&self, ends: Ends<'_>) -> Result<Figure, Error> {
        let receive = Receive { port: DATAGRAMS, glued: None, window: Window::Everything };
        let mut receiver = ends.right.agent(self.program, &Agent::Receive(receive))?;
        receiver.wait_for(READY)?;
        let (to, milliseconds) = (SocketAddrV4::new(RIGHT, DATAGRAMS), 2 * self.milliseconds());
        let send = Send { to, sizes: vec![64], segments: 1, per_second: Some(BESIDE), milliseconds };
        let _sender = ends.left.agent(self.program, &Agent::Send(send))?;
        self.rtt(ends, Duration::ZERO)
    }

    /// A share of one processor, in per cent.
    fn idle(&self, site: &Site) -> Result<Figure, Error> {
        let Some(process) = site.process() else { return Ok((0.0, BTreeMap::new())) };
        let before = process_time(process)?;
        pause(Duration::from_millis(self.milliseconds()));
        let busy = process_time(process)? - before;
        Ok((100.0 * busy / f64::from(self.seconds), BTreeMap::new()))
    }

    fn milliseconds(&self) -> u64 {
        u64::from(self.seconds) * 1000
    }

    fn patience(&self) -> Duration {
        PATIENCE + Duration::from_secs(u64::from(self.seconds))
    }
}

/// What is not counted at the beginning of a stream of datagrams: until queues have filled.
const WARM_UP_MS: u64 = 150;

/// New flows a second that anything should be able to take in.
const SLOWEST_FLOWS: u64 = 100_000;

/// Datagrams a second beside round trips: a tenth of what any system can carry.
const BESIDE: u32 = 20_000;

/// UDP payloads of IP packets of 64, 594 and 1,518 bytes, seven to four to one (RFC 6985 calls such a mix IMIX).
const IMIX: [usize; 12] = [36, 566, 36, 36, 566, 36, 1490, 36, 566, 36, 566, 36];

fn outcome<T: DeserializeOwned>(program: Program, within: Duration) -> Result<T, Error> {
    let output = program.finish(within)?;
    serde_json::from_str(&output).map_err(|error| Error::machine("read what an agent says")(error.into()))
}

fn named(details: &[(&str, f64)]) -> BTreeMap<String, f64> {
    let finite = details.iter().filter(|(_, value)| value.is_finite());
    finite.map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

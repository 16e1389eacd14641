//! Random labs, random packets for them and random changes to them, all from one seed.

mod edit;
mod gateway;
mod goal;
mod lab;
mod route;
mod rules;
#[cfg(test)]
mod tests;
mod traffic;
mod view;
mod write;

use std::time::Duration;

use crate::Draw;
use lab::{Kind, Lab};
use traffic::Traffic;

/// One thing that happens in a generated run. A list of them with the first lab is the whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The lab file is replaced by this text.
    Apply(String),
    /// An interface, `INSTANCE.DEVICE`, or a host by its name sends a packet.
    Send {
        /// The sender.
        from: String,
        /// The packet.
        packet: Vec<u8>,
    },
    /// Time passes.
    Wait(Duration),
}

/// An endless run: ask for an act, do it, tell what it did, ask for the next.
#[derive(Debug)]
pub struct Generator {
    draw: Draw,
    lab: Lab,
    traffic: Traffic,
    /// What must happen next.
    due: Option<Act>,
}

/// Errors about oversize packets that one interface may get in a second from each of the most workers that tests use: at
/// more, a run would depend on the number of workers.
const TOO_BIG_PER_SECOND: u32 = 10;

/// Nothing is remembered for longer: established TCP in the settings of generated labs.
const LONGEST_STATE: Duration = Duration::from_secs(3_601);

impl Generator {
    /// The format of the flow log that every generated VPC has for all its traffic; other flow logs have other formats.
    pub const FORMAT: &str = write::FORMAT;

    /// The run that belongs to `seed`. In every other one VPCs stand apart, in the others there are gateways, peering
    /// connections and hosts.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let kind = if seed.is_multiple_of(2) { Kind::Apart } else { Kind::Joined };
        Self::of(kind, seed)
    }

    fn of(kind: Kind, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let lab = Lab::random(kind, &mut draw);
        Self { draw, lab, traffic: Traffic::default(), due: None }
    }

    /// The lab file as it is now.
    #[must_use]
    pub fn text(&self) -> String {
        self.lab.to_string()
    }

    /// What happens next.
    pub fn next_act(&mut self) -> Act {
        if let Some(act) = self.due.take() {
            return act;
        }
        if self.traffic.too_big >= TOO_BIG_PER_SECOND {
            self.traffic.too_big = 0;
            return Act::Wait(Duration::from_secs(1));
        }
        if let Some((from, packet)) = self.traffic.queued() {
            return Act::Send { from, packet };
        }
        match self.draw.below(100) {
            0..=2 => self.change(),
            3..=11 => Act::Wait(*self.draw.pick(WAITS)),
            12..=29 => Act::Wait(Duration::from_micros(self.draw.below(3_000) as u64)),
            _ => {
                self.traffic.compose(&self.lab, &mut self.draw);
                self.next_act()
            }
        }
    }

    /// Which worker owns a flow to a public address depends on the private one behind it: before that changes, all flows end.
    fn change(&mut self) -> Act {
        let publics =
            |lab: &Lab| lab.publics().map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>();
        let before = publics(&self.lab);
        edit::change(&mut self.lab, &mut self.draw);
        let act = Act::Apply(self.text());
        if before == publics(&self.lab) {
            return act;
        }
        self.due = Some(act);
        Act::Wait(LONGEST_STATE)
    }

    /// Tells who received the packet of the last act, an interface or a host, and what arrived there.
    pub fn learn(&mut self, receiver: &str, packet: &[u8]) {
        self.traffic.learn(receiver, packet);
    }

    /// Tells that the packet of the last act was refused for its size.
    pub fn learn_too_big(&mut self) {
        self.traffic.too_big += 1;
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Around every timer of connection tracking and of fragments.
const WAITS: &[Duration] = &[
    ms(1),
    ms(500),
    ms(999),
    ms(1_000),
    ms(5_000),
    ms(9_999),
    ms(10_000),
    ms(10_001),
    ms(29_000),
    ms(30_000),
    ms(31_000),
    ms(59_999),
    ms(60_000),
    ms(61_000),
    ms(180_000),
    ms(349_999),
    ms(350_000),
    ms(599_000),
    ms(600_000),
];

//! Doing the steps one after the other.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use engine::FlowRecord;
use model::Valid;

use super::file::{Connect, Counters, Edit, Flow, Ping, Scenario, Send, Step};
use super::outcome::{Expected, reason};
use super::records::Records;
use super::send::{Known, Post};
use super::trail;
use crate::craft::{Body, Shape};
use crate::host::Hosts;
use crate::{Fate, Heard, Trial};

/// Finds the text of a lab file by the name that a scenario gives it.
pub(super) type LabFile<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A scenario that does not hold.
#[derive(Debug)]
pub struct Failure {
    scenario: String,
    /// From 1; none where the file or its lab cannot be read.
    step: Option<usize>,
    why: String,
}

impl Failure {
    pub(super) fn unreadable(scenario: &str, why: &str) -> Self {
        Self { scenario: scenario.to_owned(), step: None, why: why.to_owned() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "{}, step {step}: {}", self.scenario, self.why),
            None => write!(f, "{}: {}", self.scenario, self.why),
        }
    }
}

impl std::error::Error for Failure {}

/// Plays a whole file.
pub(super) fn play(name: &str, file: &Scenario, lab_file: LabFile<'_>) -> Result<(), Failure> {
    let fail = |step, why| Failure { scenario: name.to_owned(), step, why };
    let mut stage = Stage::set(file, lab_file).map_err(|why| fail(None, why))?;
    for (n, step) in file.steps.iter().enumerate() {
        stage.step(step).map_err(|why| fail(Some(n + 1), why))?;
    }
    stage.trial.finish().map(|_| ()).map_err(|complaint| fail(None, complaint.to_string()))
}

/// A scenario under way.
pub(super) struct Stage {
    pub(super) trial: Trial,
    pub(super) hosts: Hosts,
    /// Packets by the name that the file gives them.
    pub(super) known: BTreeMap<String, Known>,
    records: Records,
    text: String,
}

impl Stage {
    fn set(file: &Scenario, lab_file: LabFile<'_>) -> Result<Self, String> {
        if file.about.is_empty() || file.rules.is_empty() {
            return Err("a scenario says what it is about and which rules it tests".to_owned());
        }
        let text = match (&file.lab, &file.lab_file) {
            (Some(text), None) => text.clone(),
            (None, Some(path)) => lab_file(path).ok_or_else(|| format!("there is no lab file `{path}`"))?,
            _ => return Err("a scenario has either `lab` or `lab_file`".to_owned()),
        };
        let trial = Trial::new(&load(&text).map_err(|codes| format!("its lab has {codes:?}"))?);
        let mut records = Records::default();
        records.learn(&trial);
        Ok(Self { trial, hosts: Hosts::default(), known: BTreeMap::new(), records, text })
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Apply(_) => self.apply_again(),
            Step::Connect(connect) => self.connect(connect),
            Step::Counters(counters) => self.counters(counters),
            Step::Edit(edits) => edits.all().iter().try_for_each(|edit| self.edit(edit)),
            Step::Flows(flows) => self.flows(flows),
            Step::Ping(ping) => self.ping(ping),
            Step::Records(expected) => self.records.check(&mut self.trial, expected),
            Step::Send(send) => self.send(send),
            Step::Wait(seconds) => self.wait(Duration::from_secs_f64(*seconds)),
        }
    }

    fn wait(&mut self, time: Duration) -> Result<(), String> {
        self.trial.advance(time).map_err(|complaint| complaint.to_string())
    }

    /// An unchanged lab changes nothing: no session notices.
    fn apply_again(&mut self) -> Result<(), String> {
        let before = self.live();
        let valid = load(&self.text).map_err(|codes| format!("the lab has {codes:?}"))?;
        self.trial.apply(&valid);
        let after = self.live();
        if before == after { Ok(()) } else { Err(format!("flows were {before:#?} and are {after:#?}")) }
    }

    fn edit(&mut self, edit: &Edit) -> Result<(), String> {
        let (found, text) =
            (self.text.matches(&edit.replace).count(), self.text.replace(&edit.replace, &edit.with));
        if found != 1 || text == self.text {
            return Err(format!("the lab has {found} times {:?}; one change was meant", edit.replace));
        }
        match (load(&text), edit.expect.as_deref().map(|expect| expect.split_once(' '))) {
            (Ok(valid), None) => {
                self.trial.apply(&valid);
                self.records.learn(&self.trial);
                self.text = text;
                Ok(())
            }
            (Err(codes), Some(Some(("refused", code)))) if codes.contains(&code) => Ok(()),
            (Ok(_), Some(_)) => Err(format!("it is not {}", edit.expect.as_deref().unwrap_or_default())),
            (Err(codes), _) => Err(format!("the new lab has {codes:?}")),
        }
    }

    /// A handshake that the two hosts complete by themselves.
    fn connect(&mut self, connect: &Connect) -> Result<(), String> {
        let open = Send {
            from: Some(connect.from.clone()),
            to: Some(connect.to.clone()),
            tcp: Some(connect.tcp),
            source_port: connect.source_port,
            ipv6: Some(connect.ipv6),
            ..Send::default()
        };
        let Post { mut from, mut shape } = self.compose(&open)?;
        let mut got = "open".to_owned();
        for segment in ["SYN", "SYN-ACK", "ACK"] {
            self.hosts.number(&mut shape);
            let heard = self.hand_over(&from, &shape.bytes())?;
            let Some((to, arrived)) = self.arrival(&heard) else {
                got = format!("{segment} {}", Expected::of(&heard.sent.fate).words());
                break;
            };
            self.hosts.receive(&arrived);
            if segment == "ACK" {
                let known = Known { from, packet: shape.bytes(), shape, arrived: Some((to, arrived)) };
                self.known.insert(connect.name.clone().unwrap_or_default(), known);
                break;
            }
            (from, shape) = (to, self.hosts.answer(&arrived).ok_or("nobody answers")?);
        }
        if got == connect.expect {
            Ok(())
        } else {
            Err(format!("expected `{}`, got `{got}`", connect.expect))
        }
    }

    /// One request a second, as `ping` does.
    fn ping(&mut self, ping: &Ping) -> Result<(), String> {
        for sequence in 1..=ping.count.unwrap_or(1) {
            let request = Send {
                from: Some(ping.from.clone()),
                to: Some(ping.to.clone()),
                icmp: Some(super::file::Icmp::Word("echo".to_owned())),
                id: ping.id,
                size: ping.size,
                ipv6: Some(ping.ipv6),
                ..Send::default()
            };
            let Post { from, mut shape } = self.compose(&request)?;
            if let Body::Query(.., number) = &mut shape.body {
                *number = sequence as u16;
            }
            let got = self.exchange(&from, &shape)?;
            if got != ping.expect {
                return Err(format!("expected `{}`, got `{got}`", ping.expect));
            }
            self.wait(Duration::from_secs(1))?;
        }
        Ok(())
    }

    fn exchange(&mut self, from: &str, request: &Shape) -> Result<String, String> {
        let heard = self.hand_over(from, &request.bytes())?;
        let Some((to, arrived)) = self.arrival(&heard) else {
            return Ok(format!("request {}", Expected::of(&heard.sent.fate).words()));
        };
        let reply = self.hosts.answer(&arrived).ok_or("nobody answers")?;
        match self.hand_over(&to, &reply.bytes())?.sent.fate {
            Fate::Delivered(_) | Fate::DeliveredToHost(_) => Ok("answered".to_owned()),
            fate @ (Fate::Dropped(_) | Fate::Held) => Ok(format!("reply {}", Expected::of(&fate).words())),
        }
    }

    /// Who received a packet, and how it looked there.
    pub(super) fn arrival(&self, heard: &Heard) -> Option<(String, Shape)> {
        let to = self.trial.receiver(&heard.sent.fate)?.to_owned();
        let pieces: Vec<_> = heard.sent.deliveries.iter().map(|delivery| &delivery.packet[..]).collect();
        let whole = match &pieces[..] {
            [one] => one.to_vec(),
            many => wire::testing::reassemble(many)?,
        };
        Some((to, Shape::of(&whole)?))
    }

    pub(super) fn hand_over(&mut self, from: &str, packet: &[u8]) -> Result<Heard, String> {
        self.trial.send(from, packet).map_err(|complaint| complaint.to_string())
    }

    fn counters(&self, expected: &Counters) -> Result<(), String> {
        let counters = self.trial.counters();
        let levels = [
            ("received", expected.received, counters.received),
            ("delivered", expected.delivered, counters.delivered),
            ("originated", expected.originated, counters.originated),
            ("fragments", expected.fragments, counters.fragments),
        ];
        for (name, expected, counted) in levels {
            if expected.is_some_and(|expected| expected != counted) {
                return Err(format!("{name} counts {counted}"));
            }
        }
        let Some(named) = &expected.dropped else { return Ok(()) };
        let named = named.iter().map(|(code, n)| Ok((reason(code)?, *n)));
        let named = named.collect::<Result<BTreeMap<_, _>, String>>()?;
        for reason in engine::DropReason::ALL {
            let (expected, counted) =
                (named.get(reason).copied().unwrap_or_default(), counters.dropped(*reason));
            if expected != counted {
                return Err(format!("{} counts {counted}", reason.code()));
            }
        }
        Ok(())
    }

    /// Every live half that was decided is expected, and every expected one is live.
    fn flows(&self, expected: &[Flow]) -> Result<(), String> {
        let mut live = self.live();
        for flow in expected {
            let place = live.iter().position(|record| self.is(flow, record));
            let place = place.ok_or_else(|| format!("no flow is {flow:?}; there are {live:#?}"))?;
            live.remove(place);
        }
        if live.is_empty() { Ok(()) } else { Err(format!("nobody expects {live:#?}")) }
    }

    fn live(&self) -> Vec<FlowRecord> {
        let engines = self.trial.world().engines().iter();
        let now = self.trial.now();
        let all = engines.flat_map(|engine| engine.flows(usize::MAX));
        let mut live: Vec<_> = all.filter(|flow| flow.expires > now).collect();
        live.sort_by_key(|flow| (flow.from, flow.tuple));
        live
    }

    fn is(&self, expected: &Flow, record: &FlowRecord) -> bool {
        let name = |at: snapshot::Attachment| match at {
            snapshot::Attachment::INTERNET => Some("internet".to_owned()),
            at => self.trial.name_at(at).map(trail::short),
        };
        let seconds = (record.expires.0.saturating_sub(self.trial.now().0)) / 1_000_000_000;
        name(record.from).as_ref() == Some(&expected.from)
            && expected.to.as_ref().is_none_or(|to| record.to.and_then(name).as_ref() == Some(to))
            && expected.state.as_ref().is_none_or(|state| record.state == state)
            && expected.packets.is_none_or(|packets| record.packets == packets)
            && expected.bytes.is_none_or(|bytes| record.bytes == bytes)
            && expected.expires_in.is_none_or(|expected| expected == seconds)
    }
}

/// A checked lab, or the codes of what is wrong with it.
fn load(text: &str) -> Result<Valid, Vec<&'static str>> {
    match import::load("scenario", text) {
        Ok((valid, _)) => Ok(valid),
        Err(findings) => Err(findings.iter().map(|finding| finding.code.as_str()).collect()),
    }
}

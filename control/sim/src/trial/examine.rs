//! One packet: what happened to it against what must have happened.

use engine::DropReason;
use oracle::{Answer, Leases, Packet, Verdict};
use snapshot::Attachment;
use wire::{Buffer, Parsed, compose};

use super::fragments::Piece;
use super::opinion::{self, drop_reason};
use super::port::{Owner, Port, Ports};
use super::watched::Watched;
use super::{Complaint, Heard, arrival};
use crate::{Delivery, Fate, Sent};

/// Whether the engine's notes of what decided are about the packet that is looked at, or about one after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notes {
    Fresh,
    Stale,
}

impl Watched {
    /// Compares what happened to a packet with what must happen to it.
    pub(super) fn examine(
        &mut self,
        ports: &Ports,
        port: &Port,
        packet: &[u8],
        mut sent: Sent,
    ) -> Result<Heard, Complaint> {
        let released = std::mem::take(&mut sent.released);
        let Ok(parsed) = wire::parse(packet) else {
            return self.refused_unseen(sent, Fate::Dropped(DropReason::Malformed));
        };
        let Some(fragment) = parsed.fragment else {
            return self.hear((ports, port), packet, &parsed, sent, Notes::Fresh);
        };
        match self.fragments.handle(port.entrance(), packet, parsed, fragment, self.world.now()) {
            Piece::Dropped(reason) => self.refused_unseen(sent, Fate::Dropped(reason)),
            Piece::Waits => self.refused_unseen(sent, Fate::Held),
            Piece::Goes(parsed, waited) => {
                let notes = if waited.is_empty() { Notes::Fresh } else { Notes::Stale };
                let mut heard = self.hear((ports, port), packet, &parsed, sent, notes)?;
                if waited.len() != released.len() {
                    let (expected, found) = (waited.len(), released.len());
                    return Err(Complaint::Released { expected, found });
                }
                for ((packet, parsed), sent) in waited.iter().zip(released) {
                    heard.released.push(self.hear((ports, port), packet, parsed, sent, Notes::Stale)?);
                }
                Ok(heard)
            }
        }
    }

    /// A packet that meets its end before any policy.
    fn refused_unseen(&mut self, sent: Sent, expected: Fate) -> Result<Heard, Complaint> {
        if sent.fate != expected {
            return Err(Complaint::Unseen { expected, found: sent.fate });
        }
        self.count_drop(&sent.fate);
        Ok(Heard { sent, verdict: None, told: None, released: Vec::new() })
    }

    /// A packet that policy sees.
    fn hear(
        &mut self,
        (ports, port): (&Ports, &Port),
        packet: &[u8],
        parsed: &Parsed,
        sent: Sent,
        notes: Notes,
    ) -> Result<Heard, Complaint> {
        let now = self.world.now();
        let verdict = self.judge(port, parsed);
        opinion::compare(&self.world, parsed, &sent.fate, &verdict)?;
        // Of several workers' notes nobody can tell the latest.
        if notes == Notes::Fresh && self.world.engines().len() == 1 {
            opinion::same_notes(&self.world, port.entrance(), parsed, &sent.fate, &verdict)?;
        }
        let pieces: Vec<_> = sent.deliveries.iter().map(|delivery| &delivery.packet[..]).collect();
        arrival::check(packet, parsed, &verdict, &pieces)
            .map_err(|why| Complaint::Changed { packet: parsed.to_string(), why })?;
        self.ledger.note(&verdict.records, parsed, now);
        self.count_drop(&sent.fate);
        let answer = self.answer(ports, port, packet, &verdict);
        let told = self.hear_answer(ports, answer, &sent.errors)?;
        Ok(Heard { sent, verdict: Some(verdict), told, released: Vec::new() })
    }

    fn judge(&mut self, port: &Port, parsed: &Parsed) -> Verdict {
        let (now, leases) = (self.world.now().0, self.leases());
        let (valid, leases) = (self.world.valid(), Leases::These(&leases));
        match &port.owner {
            Owner::Host => self.oracle.judge_from_internet(valid, parsed, leases, now),
            Owner::Interface(vpc, at) => {
                self.oracle.judge_with(valid, &Packet { vpc, at, parsed }, leases, now)
            }
        }
    }

    /// Compares the answers to a packet that ended under way with the one that there must be.
    fn hear_answer(
        &mut self,
        ports: &Ports,
        expected: Option<(Attachment, Buffer)>,
        found: &[Delivery],
    ) -> Result<Option<Verdict>, Complaint> {
        let Some((to, answer)) = expected else {
            return opinion::same_errors(&[], found, None).map(|()| None);
        };
        let mut deliveries = vec![Delivery { to, packet: answer.bytes().to_vec() }];
        let verdict = ports.at(to).and_then(|(_, port)| self.judge_answer(port, &answer));
        if let Some(reason) = verdict.as_ref().and_then(Verdict::reason) {
            drop_reason(reason).into_iter().for_each(|reason| self.count_drop(&Fate::Dropped(reason)));
            deliveries.clear();
        }
        opinion::same_errors(&deliveries, found, verdict.as_ref())?;
        Ok(verdict)
    }

    /// An answer to an interface enters it as any packet from the router does; a host gets it at once.
    fn judge_answer(&mut self, port: &Port, answer: &Buffer) -> Option<Verdict> {
        let Owner::Interface(vpc, at) = &port.owner else { return None };
        let parsed = &wire::parse(answer.bytes()).expect("what is composed is a packet");
        let now = self.world.now();
        let verdict = self.oracle.judge_from_router(self.world.valid(), &Packet { vpc, at, parsed }, now.0);
        self.ledger.note(&verdict.records, parsed, now);
        Some(verdict)
    }

    /// To whom and what: from the router of the sender's subnet, a NAT gateway or the packet's destination (MT-05, MT-07, AD-27, NG-10).
    fn answer(
        &self,
        ports: &Ports,
        port: &Port,
        packet: &[u8],
        verdict: &Verdict,
    ) -> Option<(Attachment, Buffer)> {
        // A later fragment has borrowed its transport header.
        let parsed = wire::parse(packet).ok()?;
        let snapshot = self.world.snapshot();
        let (outside, source) = (parsed.tuple.dst, parsed.tuple.src);
        let (to, router) = match port.at.as_interface() {
            None => (Attachment::host(snapshot.internet().host_for(source)?), None),
            Some(ix) => {
                let sender = snapshot.interface(ix)?;
                let router = snapshot.subnet(sender.subnet)?.router_for(source);
                let owner = snapshot.vpc(sender.vpc)?.owner_of(source).unwrap_or(ix);
                (Attachment::interface(owner), router)
            }
        };
        ports.at(to)?;
        let is_host = router.is_none();
        let answer = match verdict.answer? {
            Answer::Expired { by } => {
                compose::time_exceeded(packet, &parsed, if is_host { outside } else { by })
            }
            Answer::Reset => compose::reset(&parsed),
            Answer::TooBig { mtu, by } => {
                let router = if is_host { outside } else { by.or(router)? };
                compose::too_big(packet, &parsed, router, mtu)
            }
        };
        Some((to, answer?))
    }
}

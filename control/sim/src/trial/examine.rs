//! One packet: what happened to it against what must have happened.

use engine::DropReason;
use oracle::{Outcome, Packet, Verdict};
use wire::{Buffer, Parsed};

use super::fragments::Piece;
use super::opinion::{self, drop_reason};
use super::{Complaint, Heard, Port, Trial};
use crate::{Delivery, Fate, Sent};

/// Whether the engine's notes of what decided are about the packet that is looked at, or about one after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notes {
    Fresh,
    Stale,
}

impl Trial {
    /// Compares what happened to a packet with what must happen to it.
    pub(super) fn examine(&mut self, port: &Port, packet: &[u8], mut sent: Sent) -> Result<Heard, Complaint> {
        let released = std::mem::take(&mut sent.released);
        let Ok(parsed) = wire::parse(packet) else {
            return self.refused_unseen(sent, Fate::Dropped(DropReason::Malformed));
        };
        let Some(fragment) = parsed.fragment else {
            return self.hear(port, packet, &parsed, sent, Notes::Fresh);
        };
        match self.fragments.handle(port.ix, packet, parsed, fragment, self.now()) {
            Piece::Dropped(reason) => self.refused_unseen(sent, Fate::Dropped(reason)),
            Piece::Waits => self.refused_unseen(sent, Fate::Held),
            Piece::Goes(parsed, waited) => {
                let notes = if waited.is_empty() { Notes::Fresh } else { Notes::Stale };
                let mut heard = self.hear(port, packet, &parsed, sent, notes)?;
                if waited.len() != released.len() {
                    let (expected, found) = (waited.len(), released.len());
                    return Err(Complaint::Released { expected, found });
                }
                for ((packet, parsed), sent) in waited.iter().zip(released) {
                    heard.released.push(self.hear(port, packet, parsed, sent, Notes::Stale)?);
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
        port: &Port,
        packet: &[u8],
        parsed: &Parsed,
        sent: Sent,
        notes: Notes,
    ) -> Result<Heard, Complaint> {
        let now = self.now();
        let valid = self.worlds[0].valid();
        let question = Packet { vpc: &port.vpc, at: &port.at, parsed };
        let verdict = self.oracle.judge(valid, &question, now.0);
        opinion::compare(self.world(), parsed, &sent.fate, &verdict)?;
        if notes == Notes::Fresh {
            opinion::same_notes(self.world(), port.ix, parsed, &sent.fate, &verdict)?;
        }
        opinion::is_whole(packet, parsed, &sent)?;
        self.ledger.note(&verdict.records, parsed, now);
        self.count_drop(&sent.fate);
        let told = match sent.fate {
            Fate::Dropped(DropReason::TooBig) => {
                let error = self.expected_error(port, packet, parsed, &verdict);
                self.hear_error(error, &sent.errors)?
            }
            Fate::Delivered(_) | Fate::Dropped(_) | Fate::Held => self.hear_error(None, &sent.errors)?,
        };
        Ok(Heard { sent, verdict: Some(verdict), told, released: Vec::new() })
    }

    /// The ICMP error about an oversize packet (MT-05): where it goes, and its bytes.
    fn hear_error(
        &mut self,
        expected: Option<(Port, Buffer, Parsed)>,
        found: &[Delivery],
    ) -> Result<Option<Verdict>, Complaint> {
        let Some((to, error, parsed)) = expected else {
            return opinion::same_errors(&[], found, None).map(|()| None);
        };
        let (now, valid) = (self.now(), self.worlds[0].valid());
        let question = Packet { vpc: &to.vpc, at: &to.at, parsed: &parsed };
        let verdict = self.oracle.judge_from_router(valid, &question, now.0);
        self.ledger.note(&verdict.records, &parsed, now);
        let mut deliveries = vec![Delivery { to: to.ix, packet: error.bytes().to_vec() }];
        if let Some(reason) = verdict.reason() {
            drop_reason(reason).into_iter().for_each(|reason| self.count_drop(&Fate::Dropped(reason)));
            deliveries.clear();
        }
        opinion::same_errors(&deliveries, found, Some(&verdict))?;
        Ok(Some(verdict))
    }

    /// It comes from the router of the sender's subnet and goes to whoever owns the packet's source, else to the sender.
    fn expected_error(
        &self,
        port: &Port,
        packet: &[u8],
        parsed: &Parsed,
        verdict: &Verdict,
    ) -> Option<(Port, Buffer, Parsed)> {
        let snapshot = self.world().snapshot();
        let Outcome::Dropped { at: Some(receiver), .. } = &verdict.outcome else { return None };
        let mtu = snapshot.interface(snapshot.interface_by_id(receiver)?)?.mtu;
        let sender = snapshot.interface(port.ix)?;
        let router = snapshot.subnet(sender.subnet)?.router_for(parsed.tuple.src)?;
        let owner = snapshot.vpc(sender.vpc)?.owner_of(parsed.tuple.src).unwrap_or(port.ix);
        // A later fragment has borrowed its transport header.
        let error = wire::compose::too_big(packet, &wire::parse(packet).ok()?, router, mtu)?;
        let parsed = wire::parse(error.bytes()).ok()?;
        Some((self.ports.values().find(|port| port.ix == owner)?.clone(), error, parsed))
    }

    fn count_drop(&mut self, fate: &Fate) {
        if let Fate::Dropped(reason) = fate {
            *self.dropped.entry(*reason).or_default() += 1;
        }
    }
}

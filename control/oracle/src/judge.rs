//! The oracle: packets one after the other, and what is remembered between them.

use model::Valid;
use model::lab::Lab;
use wire::Parsed;

use crate::flow::Flow;
use crate::translation::Translation;
use crate::verdict::{Leases, Packet, Verdict};
use crate::walk::Walk;

/// Judges packets one after the other and remembers the flows that they make.
///
/// Cheap to make, costly to ask: everything is a linear scan.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// State of security groups and of egress-only internet gateways.
    flows: Vec<Flow>,
    /// State of NAT gateways.
    translations: Vec<Translation>,
}

impl Oracle {
    /// An oracle that has seen no packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens to `packet` at `now_ns`, a time in nanoseconds that never runs backwards. NAT gateways give the lowest
    /// ports that are free.
    ///
    /// Connection tracking is brought up to date: flows whose idle time ran out are forgotten, and every security-group
    /// gate that lets the packet pass remembers it, even if it is dropped further on (OR-03). So do NAT gateways and
    /// egress-only internet gateways.
    pub fn judge(&mut self, lab: &Valid, packet: &Packet<'_>, now_ns: u64) -> Verdict {
        self.judge_with(lab, packet, Leases::Lowest, now_ns)
    }

    /// The same with the sources that NAT gateways really gave to new connections.
    pub fn judge_with(
        &mut self,
        lab: &Valid,
        packet: &Packet<'_>,
        leases: Leases<'_>,
        now_ns: u64,
    ) -> Verdict {
        let mut walk = self.walk(lab.lab(), packet.parsed, leases, now_ns);
        let end = walk.start_at_instance(packet);
        walk.verdict(end)
    }

    /// Forgets the group state of interfaces that `lab` does not have: one that comes back begins anew.
    pub fn forget_gone(&mut self, lab: &Valid) {
        let instances = lab.lab().vpcs.values().flat_map(|vpc| vpc.instances.values());
        let interfaces: Vec<_> = instances.flat_map(|instance| &instance.interfaces).collect();
        let is_there = |id: &str| interfaces.iter().any(|interface| interface.id == id);
        self.flows.retain(|flow| !flow.interface.starts_with("eni-") || is_there(&flow.interface));
    }

    /// What [`Self::judge`] would say, without remembering anything.
    #[must_use]
    pub fn preview(&self, lab: &Valid, packet: &Packet<'_>, now_ns: u64) -> Verdict {
        self.clone().judge(lab, packet, now_ns)
    }

    /// What happens to an ICMP error that the implicit router sends to interface `packet.at` (MT-05): it enters the
    /// subnet through its network ACL and the interface through its security groups, and is logged there.
    pub fn judge_from_router(&mut self, lab: &Valid, packet: &Packet<'_>, now_ns: u64) -> Verdict {
        let mut walk = self.walk(lab.lab(), packet.parsed, Leases::Lowest, now_ns);
        let end = walk.start_at_router(packet);
        walk.verdict(end)
    }

    /// What happens to a packet that a host on the internet sends; `leases` as for [`Self::judge_with`].
    pub fn judge_from_internet(
        &mut self,
        lab: &Valid,
        parsed: &Parsed,
        leases: Leases<'_>,
        now_ns: u64,
    ) -> Verdict {
        let mut walk = self.walk(lab.lab(), parsed, leases, now_ns);
        // What comes from there has fitted through it already.
        walk.narrowest = lab.lab().internet.mtu;
        let end = walk.internet();
        walk.verdict(end)
    }

    fn walk<'a>(&'a mut self, lab: &'a Lab, parsed: &Parsed, leases: Leases<'a>, now_ns: u64) -> Walk<'a> {
        self.flows.retain(|flow| flow.is_live(&lab.settings, now_ns));
        self.translations.retain(|translation| translation.is_live(lab, now_ns));
        Walk {
            lab,
            parsed: *parsed,
            now_ns,
            flows: &mut self.flows,
            translations: &mut self.translations,
            leases,
            trail: Vec::new(),
            records: Vec::new(),
            hops: 0,
            like: parsed.tuple.src,
            gateways: Vec::new(),
            narrowest: u16::MAX,
            leased: Vec::new(),
            split: None,
            answer: None,
        }
    }
}

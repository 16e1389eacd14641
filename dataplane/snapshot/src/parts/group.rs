//! Security groups.

use std::net::IpAddr;

use tables::{Bits, Classifier, Query, RuleSet};

use super::{ByFamily, Flow};
use crate::NameIx;

/// Whether some matching rule lets the flow go untracked (SG-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Every matching rule is narrow, or the other direction is: track it.
    Narrow,
    /// A matching rule has the whole family as peer, and so has an all-ports rule of the other direction.
    Wide,
}

/// A group rule that allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMatch {
    /// Its name.
    pub rule: NameIx,
    /// See [`Width`].
    pub width: Width,
}

/// One direction and family of a group program.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupSide<A> {
    pub(crate) rules: Classifier<A>,
    pub(crate) names: Vec<NameIx>,
    /// Positions of rules whose peer is the whole family.
    pub(crate) wide: RuleSet,
    /// Protocols (TCP, UDP) for which the OTHER direction allows the whole family on all ports.
    pub(crate) open_back_tcp: bool,
    pub(crate) open_back_udp: bool,
}

impl<A: Bits> GroupSide<A> {
    fn judge(&self, flow: &Flow<'_>, addr: A, labels: &[u32]) -> Option<GroupMatch> {
        let query = Query { proto: flow.protocol, selector: flow.selector, addr, labels };
        let open_back = match flow.protocol {
            6 => self.open_back_tcp,
            17 => self.open_back_udp,
            _ => false,
        };
        if open_back && let Some(position) = self.rules.first_in(&query, &self.wide) {
            return self.names.get(position as usize).map(|&rule| GroupMatch { rule, width: Width::Wide });
        }
        let position = self.rules.first(&query)?;
        self.names.get(position as usize).map(|&rule| GroupMatch { rule, width: Width::Narrow })
    }
}

/// The rules of one distinct set of security groups (SG-02).
#[derive(Clone, Debug, Default)]
pub struct GroupProgram {
    /// Its groups, in the order in which their rules are tried.
    pub groups: Vec<NameIx>,
    pub(crate) ingress: ByFamily<GroupSide<u32>, GroupSide<u128>>,
    pub(crate) egress: ByFamily<GroupSide<u32>, GroupSide<u128>>,
}

impl GroupProgram {
    /// The rule that allows a packet to reach the interface, if any.
    #[must_use]
    pub fn ingress(&self, flow: &Flow<'_>) -> Option<GroupMatch> {
        judge(&self.ingress, flow)
    }

    /// The rule that allows a packet to leave the interface, if any.
    #[must_use]
    pub fn egress(&self, flow: &Flow<'_>) -> Option<GroupMatch> {
        judge(&self.egress, flow)
    }
}

/// Groups that one interface may carry; `labels` longer than this are not matched beyond it (SG-29: at most 16).
const MAX_LABELS: usize = 16;

fn judge(side: &ByFamily<GroupSide<u32>, GroupSide<u128>>, flow: &Flow<'_>) -> Option<GroupMatch> {
    let mut labels = [0; MAX_LABELS];
    let count = flow.labels.len().min(MAX_LABELS);
    for (slot, label) in labels.iter_mut().zip(flow.labels) {
        *slot = label.0;
    }
    match flow.peer {
        IpAddr::V4(a) => side.v4.judge(flow, a.to_bits(), &labels[..count]),
        IpAddr::V6(a) => side.v6.judge(flow, a.to_bits(), &labels[..count]),
    }
}

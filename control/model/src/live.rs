//! What is asked of the peering connections of a checked lab while it runs: no lab file is needed for it.
//!
//! A [`PeeringChange`] makes another [`Valid`] of one, or is refused and changes nothing. Changes are data: whoever keeps them
//! can ask the same of another version of the lab.

use std::sync::Arc;

use crate::ids::{self, Kind, Owner};
use crate::lab::{InvalidTransition, Lab, Peering, PeeringReach, PeeringRequest, PeeringState, Vpc};
use crate::suggest;
use crate::valid::Valid;

/// Active connections of one VPC, as many as AWS ever grants (PC-24).
pub const MOST_ACTIVE_PEERINGS: usize = 125;

/// Something asked of one peering connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeeringChange {
    /// An answer to a connection that is there, or its end.
    Answer {
        /// Name of the connection.
        name: String,
        /// The answer.
        request: PeeringRequest,
    },
    /// A request for a new connection.
    Create {
        /// Its name: a new one, or that of a connection between the same VPCs that is over.
        name: String,
        /// Names of the requester and the accepter; `None` stands for those of the connection that is over.
        between: Option<(String, String)>,
        /// Who accepts it.
        acceptance: Acceptance,
    },
    /// Nobody accepted the connection within a week (PC-03).
    Expire {
        /// Name of the connection.
        name: String,
    },
}

/// Who accepts a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// The accepter, when asked.
    Asked,
    /// Nobody needs to: both VPCs are of one account, in one region.
    Automatic,
}

/// Why a change was refused, with AWS's error code where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeeringRefusal {
    /// One connection of each pair at a time (PC-01, ER-25).
    #[error("VPCs `{}` and `{}` are peered already, by connection `{by}` (VpcPeeringConnectionAlreadyExists)", pair.0, pair.1)]
    AlreadyPeered {
        /// Names of the two VPCs.
        pair: (String, String),
        /// Name of the living connection.
        by: String,
    },
    /// More connections than AWS ever grants (PC-24, ER-26).
    #[error(
        "VPC `{vpc}` has {MOST_ACTIVE_PEERINGS} active peering connections, and AWS grants no more \
         (ActiveVpcPeeringConnectionPerVpcLimitExceeded)"
    )]
    LimitExceeded {
        /// Name of the VPC.
        vpc: String,
    },
    /// A name that no reference could hold.
    #[error("`{name}` cannot be a name: a name has 1 to 255 letters, digits, `-` and `_`")]
    NameMalformed {
        /// The name.
        name: String,
    },
    /// The name belongs to a connection that is not over.
    #[error("there is a peering connection `{name}` already, and it is {}", state.as_str())]
    NameTaken {
        /// The name.
        name: String,
        /// State of the connection.
        state: PeeringState,
    },
    /// A connection that somebody has to accept.
    #[error(
        "VPCs `{}` and `{}` are in two {apart}, so somebody has to accept the connection: only one within an account and a \
         region is accepted automatically (OperationNotPermitted)", pair.0, pair.1
    )]
    NotAutomatic {
        /// Names of the two VPCs.
        pair: (String, String),
        /// `accounts` or `regions`.
        apart: &'static str,
    },
    /// Routes name the connection, so it goes on joining the VPCs that it did.
    #[error("peering connection `{name}` joins VPCs `{}` and `{}`: take another name for another pair", pair.0, pair.1)]
    OtherPair {
        /// The name.
        name: String,
        /// Names of the VPCs that it joins.
        pair: (String, String),
    },
    /// A new name, and nothing said about what it joins.
    #[error("there is no peering connection `{name}` yet: say which VPC requests it, and of which")]
    PairMissing {
        /// The name.
        name: String,
    },
    /// The state does not allow it (PC-03, ER-24).
    #[error("peering connection `{name}`: {why} (InvalidStateTransition)")]
    Transition {
        /// Name of the connection.
        name: String,
        /// What was asked in which state.
        why: InvalidTransition,
    },
    /// No such connection (ER-07).
    #[error("there is no peering connection `{name}`: {help} (InvalidVpcPeeringConnectionID.NotFound)")]
    UnknownPeering {
        /// What was named.
        name: String,
        /// The nearest name, or those that there are.
        help: String,
    },
    /// No such VPC (ER-07).
    #[error("there is no VPC `{name}`: {help} (InvalidVpcID.NotFound)")]
    UnknownVpc {
        /// What was named.
        name: String,
        /// The nearest name, or those that there are.
        help: String,
    },
    /// Two VPCs are needed (PC-01).
    #[error("VPC `{vpc}` cannot peer with itself")]
    WithItself {
        /// Its name.
        vpc: String,
    },
}

impl PeeringChange {
    /// Name of the connection that it is about.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Answer { name, .. } | Self::Create { name, .. } | Self::Expire { name } => name,
        }
    }
}

impl Valid {
    /// The lab after `change`; all else of it is the same.
    ///
    /// A request for VPCs whose blocks overlap is no error: it makes a connection that has failed (PC-05).
    ///
    /// # Errors
    ///
    /// [`PeeringRefusal`].
    pub fn with_peering(&self, change: &PeeringChange) -> Result<Self, PeeringRefusal> {
        let peering = changed(self.lab(), change)?;
        let mut lab = Arc::unwrap_or_clone(Arc::clone(self.shared()));
        lab.peerings.insert(peering.name.clone(), peering);
        Ok(Self::new(lab))
    }
}

fn changed(lab: &Lab, change: &PeeringChange) -> Result<Peering, PeeringRefusal> {
    match change {
        PeeringChange::Answer { name, request } => {
            let peering = find(lab, name)?;
            let state = peering
                .state
                .after(*request)
                .map_err(|why| PeeringRefusal::Transition { name: name.clone(), why })?;
            room(lab, peering, state)?;
            Ok(Peering { state, ..peering.clone() })
        }
        PeeringChange::Create { name, between, acceptance } => {
            create(lab, name, between.as_ref(), *acceptance)
        }
        PeeringChange::Expire { name } => {
            let peering = find(lab, name)?;
            // Otherwise somebody was quicker.
            let waits = peering.state == PeeringState::PendingAcceptance;
            let state = if waits { PeeringState::Expired } else { peering.state };
            Ok(Peering { state, ..peering.clone() })
        }
    }
}

fn create(
    lab: &Lab,
    name: &str,
    between: Option<&(String, String)>,
    acceptance: Acceptance,
) -> Result<Peering, PeeringRefusal> {
    if !crate::check::is_object_name(name) {
        return Err(PeeringRefusal::NameMalformed { name: name.to_owned() });
    }
    let before = before(lab, name, between)?;
    let (requester, accepter) = match (between, before) {
        (Some((requester, accepter)), _) => (vpc(lab, requester)?, vpc(lab, accepter)?),
        (None, Some(before)) => (vpc(lab, &before.requester)?, vpc(lab, &before.accepter)?),
        (None, None) => return Err(PeeringRefusal::PairMissing { name: name.to_owned() }),
    };
    unpeered(lab, requester, accepter)?;
    let state = first_state(requester, accepter, acceptance)?;
    let peering = Peering {
        name: name.to_owned(),
        id: id(requester, name, before),
        requester: requester.name.clone(),
        accepter: accepter.name.clone(),
        state,
        reach: match requester.region == accepter.region {
            true => PeeringReach::IntraRegion,
            false => PeeringReach::InterRegion,
        },
    };
    room(lab, &peering, state)?;
    Ok(peering)
}

/// The connection that had the name before, which is over.
fn before<'a>(
    lab: &'a Lab,
    name: &str,
    between: Option<&(String, String)>,
) -> Result<Option<&'a Peering>, PeeringRefusal> {
    let Some(before) = lab.peerings.get(name) else { return Ok(None) };
    if !before.state.is_over() {
        return Err(PeeringRefusal::NameTaken { name: name.to_owned(), state: before.state });
    }
    if between.is_some_and(|(one, other)| !before.joins(one, other)) {
        let pair = (before.requester.clone(), before.accepter.clone());
        return Err(PeeringRefusal::OtherPair { name: name.to_owned(), pair });
    }
    Ok(Some(before))
}

fn unpeered(lab: &Lab, requester: &Vpc, accepter: &Vpc) -> Result<(), PeeringRefusal> {
    if requester.name == accepter.name {
        return Err(PeeringRefusal::WithItself { vpc: requester.name.clone() });
    }
    let living = |p: &&Peering| !p.state.is_over() && p.joins(&requester.name, &accepter.name);
    lab.peerings.values().find(living).map_or(Ok(()), |by| {
        Err(PeeringRefusal::AlreadyPeered { pair: pair(requester, accepter), by: by.name.clone() })
    })
}

fn first_state(
    requester: &Vpc,
    accepter: &Vpc,
    acceptance: Acceptance,
) -> Result<PeeringState, PeeringRefusal> {
    let apart = |what| PeeringRefusal::NotAutomatic { pair: pair(requester, accepter), apart: what };
    match acceptance {
        Acceptance::Automatic if requester.account != accepter.account => Err(apart("accounts")),
        Acceptance::Automatic if requester.region != accepter.region => Err(apart("regions")),
        Acceptance::Asked | Acceptance::Automatic if requester.overlap(accepter).is_some() => {
            Ok(PeeringState::Failed)
        }
        Acceptance::Asked => Ok(PeeringState::PendingAcceptance),
        Acceptance::Automatic => Ok(PeeringState::Active),
    }
}

/// A new connection is another one, whatever its name: its id differs from that of the connection which is over (PC-03).
fn id(requester: &Vpc, name: &str, before: Option<&Peering>) -> String {
    let owner = Owner { account: &requester.account, region: &requester.region, vpc: "" };
    match before {
        Some(before) => ids::derived(Kind::Peering, owner, &before.id),
        None => ids::id(Kind::Peering, owner, name),
    }
}

/// Whether one more connection of each side may be active (PC-24).
fn room(lab: &Lab, peering: &Peering, state: PeeringState) -> Result<(), PeeringRefusal> {
    if state != PeeringState::Active {
        return Ok(());
    }
    for vpc in [&peering.requester, &peering.accepter] {
        let active = lab.peerings.values().filter(|p| p.state == PeeringState::Active);
        if active.filter(|p| p.other_side(vpc).is_some()).count() >= MOST_ACTIVE_PEERINGS {
            return Err(PeeringRefusal::LimitExceeded { vpc: vpc.clone() });
        }
    }
    Ok(())
}

fn pair(one: &Vpc, other: &Vpc) -> (String, String) {
    (one.name.clone(), other.name.clone())
}

fn find<'a>(lab: &'a Lab, name: &str) -> Result<&'a Peering, PeeringRefusal> {
    lab.peerings.get(name).ok_or_else(|| PeeringRefusal::UnknownPeering {
        name: name.to_owned(),
        help: help(name, lab.peerings.keys().map(String::as_str)),
    })
}

fn vpc<'a>(lab: &'a Lab, name: &str) -> Result<&'a Vpc, PeeringRefusal> {
    lab.vpcs.get(name).ok_or_else(|| PeeringRefusal::UnknownVpc {
        name: name.to_owned(),
        help: help(name, lab.vpcs.keys().map(String::as_str)),
    })
}

fn help<'a>(name: &str, there: impl Iterator<Item = &'a str> + Clone) -> String {
    match (suggest::nearest(name, there.clone()), there.clone().next()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(_)) => format!("it could be {}", suggest::listed(there)),
        (None, None) => "there is none at all".to_owned(),
    }
}

#[cfg(test)]
mod tests;

//! Peering connections.

use model::lab::{Lab, Peering, Vpc};
use serde::Serialize;

use crate::output::{Row, joined};

#[derive(Serialize)]
pub(super) struct PeeringRow {
    peering: String,
    id: String,
    requester: SideRow,
    accepter: SideRow,
    /// AWS's status code.
    status: &'static str,
    /// Why it is in this state, where that is not plain.
    message: Option<String>,
    mtu: u16,
    encrypted: bool,
}

/// One of the two VPCs.
#[derive(Serialize)]
struct SideRow {
    vpc: String,
    vpc_id: String,
    account: String,
    region: String,
    cidrs: Vec<String>,
}

impl Row for PeeringRow {
    const COLUMNS: &'static [&'static str] =
        &["peering", "requester", "accepter", "status", "mtu", "message", "id"];
    const NUMBERS: &'static [usize] = &[4];

    fn cells(&self) -> Vec<String> {
        let side = |side: &SideRow| format!("{} ({})", side.vpc, side.region);
        vec![
            self.peering.clone(),
            side(&self.requester),
            side(&self.accepter),
            self.status.into(),
            self.mtu.to_string(),
            joined(&self.message),
            self.id.clone(),
        ]
    }
}

/// By name.
pub(super) fn rows(lab: &Lab) -> Vec<PeeringRow> {
    lab.peerings.values().filter_map(|peering| row(lab, peering)).collect()
}

fn row(lab: &Lab, peering: &Peering) -> Option<PeeringRow> {
    Some(PeeringRow {
        peering: peering.name.clone(),
        id: peering.id.clone(),
        requester: side(lab.vpcs.get(&peering.requester)?),
        accepter: side(lab.vpcs.get(&peering.accepter)?),
        status: peering.state.as_str(),
        message: lab.peering_message(peering),
        mtu: peering.mtu(),
        encrypted: peering.is_encrypted(),
    })
}

fn side(vpc: &Vpc) -> SideRow {
    SideRow {
        vpc: vpc.name.clone(),
        vpc_id: vpc.id.clone(),
        account: vpc.account.clone(),
        region: vpc.region.clone(),
        cidrs: vpc.blocks().map(|block| block.to_string()).collect(),
    }
}

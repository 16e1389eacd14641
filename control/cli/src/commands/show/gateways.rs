//! Internet gateways and egress-only internet gateways.

use model::lab::{Lab, Target, Vpc};
use serde::Serialize;

use crate::output::{Row, joined};

#[derive(Serialize)]
pub(super) struct InternetGatewayRow {
    id: String,
    vpc: String,
    /// The edge table, which routes what comes in.
    route_table: Option<String>,
    /// Subnets with a route to it.
    subnets: Vec<String>,
}

impl Row for InternetGatewayRow {
    const COLUMNS: &'static [&'static str] = &["vpc", "edge table", "subnets", "id"];

    fn cells(&self) -> Vec<String> {
        vec![self.vpc.clone(), joined(&self.route_table), joined(&self.subnets), self.id.clone()]
    }
}

/// By VPC; there is at most one in each.
pub(super) fn internet(lab: &Lab) -> Vec<InternetGatewayRow> {
    let row = |vpc: &Vpc| {
        vpc.internet_gateway.as_ref().map(|gateway| InternetGatewayRow {
            id: gateway.id.clone(),
            vpc: vpc.name.clone(),
            route_table: gateway.route_table.clone(),
            subnets: routed_to(vpc, &Target::InternetGateway),
        })
    };
    lab.vpcs.values().filter_map(row).collect()
}

#[derive(Serialize)]
pub(super) struct EgressOnlyRow {
    id: String,
    vpc: String,
    /// Subnets with a route to it.
    subnets: Vec<String>,
}

impl Row for EgressOnlyRow {
    const COLUMNS: &'static [&'static str] = &["vpc", "subnets", "id"];

    fn cells(&self) -> Vec<String> {
        vec![self.vpc.clone(), joined(&self.subnets), self.id.clone()]
    }
}

/// By VPC; there is at most one in each.
pub(super) fn egress_only(lab: &Lab) -> Vec<EgressOnlyRow> {
    let row = |vpc: &Vpc| {
        vpc.egress_only_internet_gateway.as_ref().map(|gateway| EgressOnlyRow {
            id: gateway.id.clone(),
            vpc: vpc.name.clone(),
            subnets: routed_to(vpc, &Target::EgressOnlyInternetGateway),
        })
    };
    lab.vpcs.values().filter_map(row).collect()
}

/// Names of the subnets with a route to `target`.
pub(super) fn routed_to(vpc: &Vpc, target: &Target) -> Vec<String> {
    super::subnets_with(vpc, |subnet| {
        let table = vpc.route_tables.get(&subnet.route_table);
        table.is_some_and(|table| table.routes.iter().any(|route| route.target == *target))
    })
}

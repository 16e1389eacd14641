//! NAT gateways, and what a running lab has counted at them.

use std::collections::BTreeMap;

use daemon::protocol::NatMetrics;
use model::lab::{Connectivity, Lab, NatAddress, NatGateway, Target, Vpc};
use serde::Serialize;

use super::gateways::routed_to;
use crate::args::high::Show;
use crate::args::low::Output;
use crate::error::Error;
use crate::output::{self, Out, Row, joined};
use crate::running::Running;
use crate::world::Source;

#[derive(Serialize)]
struct NatGatewayRow {
    nat_gateway: String,
    id: String,
    connectivity_type: &'static str,
    subnet: String,
    az: String,
    interface_id: String,
    addresses: Vec<AddressRow>,
    /// Subnets with a route to it.
    subnets: Vec<String>,
    /// Left out of a lab that does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<NatMetrics>,
}

#[derive(Serialize)]
struct AddressRow {
    private_ip: String,
    public_ip: Option<String>,
}

impl Row for NatGatewayRow {
    const COLUMNS: &'static [&'static str] =
        &["nat gateway", "type", "subnet", "az", "addresses", "interface", "used by", "id"];

    fn cells(&self) -> Vec<String> {
        let address = |AddressRow { private_ip, public_ip }: &AddressRow| match public_ip {
            Some(public) => format!("{private_ip} as {public}"),
            None => private_ip.clone(),
        };
        vec![
            self.nat_gateway.clone(),
            self.connectivity_type.into(),
            self.subnet.clone(),
            self.az.clone(),
            joined(self.addresses.iter().map(address)),
            self.interface_id.clone(),
            joined(&self.subnets),
            self.id.clone(),
        ]
    }
}

/// One metric of one gateway, as CloudWatch calls it.
#[derive(Serialize)]
struct MetricRow {
    nat_gateway: String,
    metric: &'static str,
    value: u64,
}

impl Row for MetricRow {
    const COLUMNS: &'static [&'static str] = &["nat gateway", "metric", "value"];
    const NUMBERS: &'static [usize] = &[2];

    fn cells(&self) -> Vec<String> {
        vec![self.nat_gateway.clone(), self.metric.into(), self.value.to_string()]
    }
}

/// Lists them by VPC and name; metrics follow in a table of their own.
pub(super) fn write(args: &Show, lab: &Lab, out: Out<'_>) -> Result<(), Error> {
    let mut metrics = match &args.source {
        Source::File(_) => BTreeMap::new(),
        Source::Running(name) => Running::connect(name.as_deref())?.nat_gateways()?,
    };
    let gateways = lab.vpcs.values().flat_map(|vpc| vpc.nat_gateways.values().map(move |nat| (vpc, nat)));
    let rows: Vec<NatGatewayRow> =
        gateways.map(|(vpc, nat)| row(vpc, nat, metrics.remove(&nat.id))).collect();
    output::rows(out, args.output, &rows)?;
    let counted: Vec<MetricRow> = rows.iter().flat_map(metric_rows).collect();
    if args.output == Output::Table && !counted.is_empty() {
        writeln!(out)?;
        output::rows(out, Output::Table, &counted)?;
    }
    Ok(())
}

fn row(vpc: &Vpc, nat: &NatGateway, metrics: Option<NatMetrics>) -> NatGatewayRow {
    let address = |address: &NatAddress| AddressRow {
        private_ip: address.private_ip.to_string(),
        public_ip: address.public_ip.map(|public| public.to_string()),
    };
    NatGatewayRow {
        nat_gateway: format!("{}/{}", vpc.name, nat.name),
        id: nat.id.clone(),
        connectivity_type: match nat.connectivity {
            Connectivity::Private => "private",
            Connectivity::Public => "public",
        },
        subnet: nat.subnet.clone(),
        az: vpc.subnets.get(&nat.subnet).map(|subnet| subnet.az.clone()).unwrap_or_default(),
        interface_id: nat.interface_id.clone(),
        addresses: nat.addresses.iter().map(address).collect(),
        subnets: routed_to(vpc, &Target::NatGateway(nat.name.clone())),
        metrics,
    }
}

fn metric_rows(row: &NatGatewayRow) -> Vec<MetricRow> {
    let metrics = row.metrics.iter().flat_map(NatMetrics::named);
    let one = |(metric, value)| MetricRow { nat_gateway: row.nat_gateway.clone(), metric, value };
    metrics.map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../../../examples/regions.yaml");

    /// Rules: NG-25
    #[test]
    fn metrics_stand_beside_their_gateway_and_nowhere_else() {
        let (valid, _) = import::load("regions.yaml", FILE).expect("the example is right");
        let vpc = &valid.lab().vpcs["shop"];
        let nat = &vpc.nat_gateways["nat-a"];
        let counted = NatMetrics { error_port_allocation: 7, ..NatMetrics::default() };
        let (with, without) = (row(vpc, nat, Some(counted)), row(vpc, nat, None));
        let json = serde_json::to_value(&with).expect("JSON");
        assert_eq!(json["metrics"]["ErrorPortAllocation"], 7);
        assert!(serde_json::to_value(&without).expect("JSON").get("metrics").is_none());
        let rows = metric_rows(&with);
        let seven = rows.iter().find(|row| row.value == 7).expect("one of them");
        assert_eq!((seven.nat_gateway.as_str(), seven.metric), ("shop/nat-a", "ErrorPortAllocation"));
        assert!(metric_rows(&without).is_empty());
    }
}

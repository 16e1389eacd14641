//! Public addresses, and what each stands for.

use std::net::Ipv4Addr;

use model::lab::{Lab, Vpc};
use serde::Serialize;

use crate::output::Row;
use crate::place;

#[derive(Serialize)]
pub(super) struct PublicAddressRow {
    public_ip: Ipv4Addr,
    private_ip: Ipv4Addr,
    vpc: String,
    /// `INSTANCE.DEVICE` or `nat_gateway/NAME`.
    owner: String,
    interface_id: String,
}

impl Row for PublicAddressRow {
    const COLUMNS: &'static [&'static str] =
        &["public address", "private address", "vpc", "owner", "interface"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.public_ip.to_string(),
            self.private_ip.to_string(),
            self.vpc.clone(),
            self.owner.clone(),
            self.interface_id.clone(),
        ]
    }
}

/// By public address.
pub(super) fn rows(lab: &Lab) -> Vec<PublicAddressRow> {
    let mut rows: Vec<_> = place::ports(lab).flat_map(of_interface).collect();
    rows.extend(lab.vpcs.values().flat_map(of_nat_gateways));
    rows.sort_by_key(|row| row.public_ip);
    rows
}

fn of_interface(port: place::Port<'_>) -> impl Iterator<Item = PublicAddressRow> {
    port.interface.public_ips.iter().map(move |(private, public)| PublicAddressRow {
        public_ip: *public,
        private_ip: *private,
        vpc: port.vpc.name.clone(),
        owner: port.name(),
        interface_id: port.interface.id.clone(),
    })
}

fn of_nat_gateways(vpc: &Vpc) -> impl Iterator<Item = PublicAddressRow> {
    let addresses = vpc.nat_gateways.values().flat_map(|nat| nat.addresses.iter().map(move |a| (nat, a)));
    addresses.filter_map(|(nat, address)| {
        Some(PublicAddressRow {
            public_ip: address.public_ip?,
            private_ip: address.private_ip,
            vpc: vpc.name.clone(),
            owner: format!("nat_gateway/{}", nat.name),
            interface_id: nat.interface_id.clone(),
        })
    })
}

//! VPCs and subnets.

use model::lab::{Subnet, Vpc};
use snapshot::spec::{InternetGatewaySpec, SubnetSpec, VpcSpec};

pub(crate) fn vpc(vpc: &Vpc) -> VpcSpec {
    VpcSpec {
        id: vpc.id.clone(),
        name: vpc.name.clone(),
        account: vpc.account.clone(),
        region: vpc.region.clone(),
        cidrs: vpc.cidrs.clone(),
        ipv6_cidrs: vpc.ipv6_cidrs.clone(),
        internet_gateway: vpc.internet_gateway.as_ref().map(|gateway| InternetGatewaySpec {
            id: gateway.id.clone(),
            route_table: gateway.route_table.as_ref().map(|name| vpc.route_tables[name].id.clone()),
        }),
        egress_only_internet_gateway: vpc
            .egress_only_internet_gateway
            .as_ref()
            .map(|gateway| gateway.id.clone()),
    }
}

pub(crate) fn subnets(vpc: &Vpc) -> Vec<SubnetSpec> {
    let subnet = |subnet: &Subnet| SubnetSpec {
        id: subnet.id.clone(),
        name: format!("{}.{}", vpc.name, subnet.name),
        vpc: vpc.id.clone(),
        cidr: subnet.cidr,
        ipv6_cidr: subnet.ipv6_cidr,
        network_acl: vpc.network_acls[&subnet.network_acl].id.clone(),
        route_table: vpc.route_tables[&subnet.route_table].id.clone(),
        az: subnet.az.clone(),
        az_id: subnet.az_id.clone(),
    };
    vpc.subnets.values().map(subnet).collect()
}

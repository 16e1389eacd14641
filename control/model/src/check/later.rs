//! Keys that are understood but not enforced yet. A lab that wrote them would not behave as written, so it is refused.

use crate::draft::{self, Field};
use crate::findings::{Code, Finding, Findings};
use crate::spot::{At, Spot};

/// Keys of the whole lab.
pub(super) fn lab(draft: &draft::Lab, found: &mut Findings) {
    if let Some(internet) = draft.internet.get() {
        refuse("services", internet.services.key(), found);
        refuse("uplink", unless_false(&internet.uplink), found);
    }
    refuse("buckets", draft.buckets.key(), found);
    refuse("principals", draft.principals.key(), found);
    let Some(settings) = draft.settings.get() else { return };
    if let Some(flow_logs) = settings.flow_logs.get() {
        let delay = &flow_logs.delivery_delay;
        refuse(
            "settings.flow_logs.delivery_delay",
            delay.key().filter(|_| delay.get().is_some_and(|d| d.value > 0)),
            found,
        );
    }
}

/// Keys of a VPC.
pub(super) fn vpc(draft: &draft::Vpc, found: &mut Findings) {
    refuse("enable_dns_support", draft.enable_dns_support.key(), found);
    refuse("enable_dns_hostnames", draft.enable_dns_hostnames.key(), found);
    refuse("endpoints", draft.endpoints.key(), found);
    refuse("endpoint_services", draft.endpoint_services.key(), found);
    refuse("load_balancers", draft.load_balancers.key(), found);
    refuse("dhcp_options", draft.dhcp_options.key(), found);
    refuse("hosted_zones", draft.hosted_zones.key(), found);
}

/// Keys of a subnet.
pub(super) fn subnet(draft: &draft::Subnet, found: &mut Findings) {
    refuse("dns64", unless_false(&draft.dns64), found);
}

/// Keys of a peering connection.
pub(super) fn peering(draft: &draft::Peering, found: &mut Findings) {
    refuse("requester_dns", unless_false(&draft.requester_dns), found);
    refuse("accepter_dns", unless_false(&draft.accepter_dns), found);
}

/// Keys of a flow-log destination.
pub(super) fn destination(draft: &draft::Destination, found: &mut Findings) {
    refuse("s3", draft.s3.key(), found);
    refuse("cloudwatch_logs", draft.cloudwatch_logs.key(), found);
}

/// `false` is what happens anyway.
fn unless_false(flag: &Field<At<bool>>) -> Option<Spot> {
    flag.key().filter(|_| flag.get().is_some_and(|f| f.value))
}

fn refuse(name: &str, key: Option<Spot>, found: &mut Findings) {
    if let Some(key) = key {
        let finding = Finding::new(Code::NotEnforcedYet, key, format!("`{name}` is not enforced yet"));
        found.push(finding.help("remove it: with the key ignored the lab would not behave as written"));
    }
}

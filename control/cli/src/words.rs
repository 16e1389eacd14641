//! What decided, in the words of the lab file: the rule, entry or route behind an id.

use std::collections::BTreeMap;

use model::lab::{
    AclAction, AclEntry, Destination, GroupRule, Lab, NetworkAcl, Peer, PeeredGroup, Route, RouteTable,
    SecurityGroup, Target, Traffic, Vpc,
};
use serde::Serialize;

/// A rule, entry or route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Decider {
    /// `sgr-…`, `ACL-ID/ingress/NUMBER` or `RTB-ID/DESTINATION`.
    pub(crate) id: String,
    /// `sg rule`, `acl entry` or `route`.
    pub(crate) kind: &'static str,
    /// `VPC/NAME` of the group, ACL or table that it is part of.
    pub(crate) owner: String,
    /// AWS id of the owner.
    pub(crate) owner_id: String,
    /// Its own text, such as `ingress: tcp 5432 from sg/web`.
    pub(crate) text: String,
    /// The owner as a check file names it: `VPC/security_groups/NAME`.
    #[serde(skip)]
    pub(crate) path: String,
}

impl Decider {
    /// `sg rule sgr-… (app/db ingress: tcp 5432 from sg/web)`.
    pub(crate) fn sentence(&self) -> String {
        format!("{} {} ({} {})", self.kind, self.id, self.owner, self.text)
    }
}

/// Everything that can decide about a packet, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    deciders: BTreeMap<String, Decider>,
}

impl Catalogue {
    /// Names all rules, entries and routes of a lab.
    pub(crate) fn of(lab: &Lab) -> Self {
        let mut catalogue = Self::default();
        for vpc in lab.vpcs.values() {
            vpc.security_groups.values().for_each(|group| catalogue.group(vpc, group));
            vpc.network_acls.values().for_each(|acl| catalogue.acl(vpc, acl));
            vpc.route_tables.values().for_each(|table| catalogue.table(vpc, table));
        }
        catalogue
    }

    /// What has this id.
    pub(crate) fn get(&self, id: &str) -> Option<&Decider> {
        self.deciders.get(id)
    }

    fn group(&mut self, vpc: &Vpc, group: &SecurityGroup) {
        for (way, rules) in [(Way::Ingress, &group.ingress), (Way::Egress, &group.egress)] {
            for rule in rules {
                let text = format!("{}: {}", way.word(), group_rule(rule, way));
                self.add("sg rule", &rule.id, vpc, (&group.name, &group.id, "security_groups"), text);
            }
        }
    }

    fn acl(&mut self, vpc: &Vpc, acl: &NetworkAcl) {
        let owner = (&acl.name, &acl.id, "network_acls");
        for (way, entries) in [(Way::Ingress, &acl.ingress), (Way::Egress, &acl.egress)] {
            let word = way.word();
            for entry in entries {
                let id = format!("{}/{word}/{}", acl.id, entry.number);
                let text = format!("{word} {}: {}", entry.number, acl_entry(entry, way));
                self.add("acl entry", &id, vpc, owner, text);
            }
            let id = format!("{}/{word}/*", acl.id);
            self.add("acl entry", &id, vpc, owner, format!("{word} *: deny whatever no entry matches"));
        }
    }

    fn table(&mut self, vpc: &Vpc, table: &RouteTable) {
        for route in &table.routes {
            let owner = (&table.name, &table.id, "route_tables");
            let text = format!("{} via {}", destination(route), target(route));
            self.add("route", &route.id, vpc, owner, text);
        }
    }

    fn add(
        &mut self,
        kind: &'static str,
        id: &str,
        vpc: &Vpc,
        (name, owner_id, collection): (&String, &String, &str),
        text: String,
    ) {
        let decider = Decider {
            id: id.to_owned(),
            kind,
            owner: format!("{}/{name}", vpc.name),
            owner_id: owner_id.clone(),
            text,
            path: format!("{}/{collection}/{name}", vpc.name),
        };
        self.deciders.insert(decider.id.clone(), decider);
    }
}

/// Every group, ACL and route table: its path in the lab file (`VPC/security_groups/NAME`) and its id.
pub(crate) fn owners(lab: &Lab) -> Vec<(String, String)> {
    let mut owners = Vec::new();
    for vpc in lab.vpcs.values() {
        let groups = vpc.security_groups.values().map(|group| ("security_groups", &group.name, &group.id));
        let acls = vpc.network_acls.values().map(|acl| ("network_acls", &acl.name, &acl.id));
        let tables = vpc.route_tables.values().map(|table| ("route_tables", &table.name, &table.id));
        let all = groups.chain(acls).chain(tables);
        owners.extend(all.map(|(list, name, id)| (format!("{}/{list}/{name}", vpc.name), id.clone())));
    }
    owners
}

/// Direction of a list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Egress,
    Ingress,
}

impl Way {
    /// As the lab file calls it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Egress => "egress",
            Self::Ingress => "ingress",
        }
    }

    /// What stands before the other side.
    pub(crate) const fn preposition(self) -> &'static str {
        match self {
            Self::Egress => "to",
            Self::Ingress => "from",
        }
    }
}

/// `tcp 5432 from sg/web`.
pub(crate) fn group_rule(rule: &GroupRule, way: Way) -> String {
    format!("{} {} {}", traffic(&rule.traffic), way.preposition(), peer(&rule.peer))
}

/// `allow tcp 1024-65535 to 10.0.0.0/16`.
pub(crate) fn acl_entry(entry: &AclEntry, way: Way) -> String {
    let action = match entry.action {
        AclAction::Allow => "allow",
        AclAction::Deny => "deny",
    };
    format!("{action} {} {} {}", traffic(&entry.traffic), way.preposition(), entry.cidr)
}

/// `tcp 443`, `icmp type 8`, `all`.
pub(crate) fn traffic(traffic: &Traffic) -> String {
    let icmp = |word: &str, icmp_type: &Option<u8>, code: &Option<u8>| match (icmp_type, code) {
        (None, _) => word.to_owned(),
        (Some(t), None) => format!("{word} type {t}"),
        (Some(t), Some(c)) => format!("{word} type {t} code {c}"),
    };
    let ports = |word: &str, ports: &std::ops::RangeInclusive<u16>| match (ports.start(), ports.end()) {
        (first, last) if first == last => format!("{word} {first}"),
        (first, last) => format!("{word} {first}-{last}"),
    };
    match traffic {
        Traffic::All => "all".to_owned(),
        Traffic::Icmp(t, c) => icmp("icmp", t, c),
        Traffic::Icmpv6(t, c) => icmp("icmpv6", t, c),
        Traffic::Number(number) => format!("protocol {number}"),
        Traffic::Tcp(range) => ports("tcp", range),
        Traffic::Udp(range) => ports("udp", range),
    }
}

/// `10.0.0.0/8`, `sg/web`, `prefix_list/offices`.
pub(crate) fn peer(peer: &Peer) -> String {
    match peer {
        Peer::Cidr(block) => block.to_string(),
        Peer::Group(name) => format!("sg/{name}"),
        Peer::PeeredGroup(PeeredGroup { vpc, group }) => format!("sg/{vpc}.{group}"),
        Peer::PrefixList(name) => format!("prefix_list/{name}"),
    }
}

/// `0.0.0.0/0`, `prefix_list/offices`.
pub(crate) fn destination(route: &Route) -> String {
    match &route.destination {
        Destination::Cidr(block) => block.to_string(),
        Destination::PrefixList(name) => format!("prefix_list/{name}"),
    }
}

/// `local`, `blackhole`, `interface/fw-1.eth1`.
pub(crate) fn target(route: &Route) -> String {
    match &route.target {
        Target::Blackhole => "blackhole".to_owned(),
        Target::EgressOnlyInternetGateway => "egress_only_internet_gateway".to_owned(),
        Target::Interface(at) => format!("interface/{}.{}", at.instance, at.device),
        Target::InternetGateway => "internet_gateway".to_owned(),
        Target::Local => "local".to_owned(),
        Target::NatGateway(name) => format!("nat_gateway/{name}"),
        Target::Peering(name) => format!("peering/{name}"),
    }
}

//! Gateways, peering connections and the internet from the text of a lab file to a snapshot, and from edit to edit.

use std::net::{IpAddr, Ipv4Addr};

use model::Valid;
use snapshot::{Connectivity, Flow, Generation, Part, PeeringReach, PeeringStatus, Snapshot, Target, VpcIx};
use vpclab_compile::Compiler;

const LAB: &str = r#"
lab: paths
account: "123456789012"
region: us-east-1
internet: { mtu: 1400, hosts: { laptop: { ips: [203.0.113.50, "2001:db8::50"] }, other: { ips: [203.0.113.60] } } }
vpcs:
  app:
    cidr: [10.0.0.0/16, 10.3.0.0/16]
    ipv6_cidr: "2600:1f18:aaaa:1000::/56"
    internet_gateway: { route_table: edge }
    egress_only_internet_gateway: true
    subnets:
      public:  { cidr: 10.0.1.0/24, route_table: public }
      private: { cidr: 10.0.2.0/24, route_table: private }
    nat_gateways:
      nat: { subnet: public, public_ip: 198.51.100.10, private_ip: 10.0.1.5, secondary: [ { public_ip: 198.51.100.11, private_ip: 10.0.1.6 } ] }
    route_tables:
      edge: { routes: [ { to: 10.0.2.0/24, via: instance/web } ] }
      public: { routes: [ { to: 0.0.0.0/0, via: internet_gateway } ] }
      private: { routes: [ { to: 0.0.0.0/0, via: nat_gateway/nat }, { to: "::/0", via: egress_only_internet_gateway }, { to: 10.1.0.0/16, via: peering/app-data } ] }
    security_groups:
      web: { ingress: [ { proto: tcp, ports: 80, from: sg/data.clients } ] }
    instances:
      web: { subnet: public, security_groups: [web], private_ips: [10.0.1.10, 10.0.1.11], public_ips: { 10.0.1.11: 198.51.100.20 }, source_dest_check: false }
    flow_logs: { all: { traffic: all, destination: { file: all.log } } }
  data:
    account: "210987654321"
    cidr: [10.1.0.0/16]
    route_tables: { main: { main: true, routes: [ { to: 10.0.0.0/16, via: peering/app-data } ] } }
    subnets: { s: { cidr: 10.1.1.0/24 } }
    security_groups: { clients: {} }
    instances: { client: { subnet: s, security_groups: [clients], private_ip: 10.1.1.10 } }
peerings:
  app-data: { requester: app, accepter: data, state: active }
"#;

fn load(text: &str) -> Valid {
    match import::load("lab.yaml", text) {
        Ok((valid, _)) => valid,
        Err(found) => panic!("{found:#?}"),
    }
}

/// `LAB` with one piece of text replaced by another.
fn edited(from: &str, to: &str) -> Valid {
    assert_eq!(LAB.matches(from).count(), 1, "{from:?} stands in the lab once");
    load(&LAB.replace(from, to))
}

fn built() -> Snapshot {
    build(&mut Compiler::default(), &load(LAB))
}

fn build(compiler: &mut Compiler, valid: &Valid) -> Snapshot {
    compiler.snapshot(valid).expect("a checked lab has no dangling reference")
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn v4(text: &str) -> Ipv4Addr {
    text.parse().expect("an IPv4 address")
}

fn vpc(snapshot: &Snapshot, name: &str) -> VpcIx {
    let spec = snapshot.spec().vpcs.iter().find(|vpc| vpc.name == name).expect("the VPC exists").id.clone();
    snapshot.vpc_by_id(&spec).expect("the VPC exists")
}

fn id(valid: &Valid, table: &str) -> String {
    valid.lab().vpcs["app"].route_tables[table].id.clone()
}

fn target(snapshot: &Snapshot, table: &str, destination: &str) -> Target {
    let ix = snapshot.route_table_by_id(&id(&load(LAB), table)).expect("the table exists");
    let route = snapshot.route_table(ix).and_then(|table| table.lookup(address(destination)));
    route.expect("a route").target
}

/// Every part that a decision could depend on, with its version.
fn versions(snapshot: &Snapshot) -> Vec<(&'static str, Generation)> {
    let lab = load(LAB);
    let (app, data) = (&lab.lab().vpcs["app"], &lab.lab().vpcs["data"]);
    let interface = |id: &str| Part::Interface(snapshot.interface_by_id(id).expect("an interface"));
    let nat = &app.nat_gateways["nat"];
    let peering = snapshot.peering_by_id(&lab.lab().peerings["app-data"].id).expect("a peering");
    let web = interface(&app.instances["web"].interfaces[0].id);
    let program =
        snapshot.interface(snapshot.interface_by_id(&app.instances["web"].interfaces[0].id).expect("web"));
    let table = |name: &str| Part::RouteTable(snapshot.route_table_by_id(&id(&lab, name)).expect("a table"));
    [
        ("app", Part::Vpc(vpc(snapshot, "app"))),
        ("client", interface(&data.instances["client"].interfaces[0].id)),
        ("data", Part::Vpc(vpc(snapshot, "data"))),
        ("internet", Part::Internet),
        ("nat", Part::NatGateway(snapshot.nat_gateway_by_id(&nat.id).expect("a NAT gateway"))),
        ("nat interface", interface(&nat.interface_id)),
        ("peering", Part::Peering(peering)),
        ("private", table("private")),
        ("public", table("public")),
        ("settings", Part::Settings),
        ("web", web),
        ("web program", Part::Program(program.expect("web").program)),
    ]
    .map(|(name, part)| (name, snapshot.version(part)))
    .into()
}

/// The parts that an edit changes, and no others.
fn changes(from: &str, to: &str) -> Vec<&'static str> {
    let mut compiler = Compiler::default();
    let before = versions(&build(&mut compiler, &load(LAB)));
    let after = versions(&build(&mut compiler, &edited(from, to)));
    let differing = before.iter().zip(&after).filter(|(before, after)| before != after);
    differing.map(|((name, _), _)| *name).collect()
}

/// Rules: RT-14, NG-01
#[test]
fn routes_lead_to_gateways() {
    let snapshot = built();
    let valid = load(LAB);
    let nat = &valid.lab().vpcs["app"].nat_gateways["nat"];
    let interface = snapshot.interface_by_id(&nat.interface_id).expect("the gateway's interface");
    assert_eq!(target(&snapshot, "private", "192.0.2.1"), Target::Interface(interface));
    assert_eq!(target(&snapshot, "public", "192.0.2.1"), Target::InternetGateway);
    assert_eq!(target(&snapshot, "private", "2001:db8::1"), Target::EgressOnlyInternetGateway);
    let peering = snapshot.peering_by_id(&valid.lab().peerings["app-data"].id).expect("the connection");
    assert_eq!(target(&snapshot, "private", "10.1.1.10"), Target::Peering(peering));
}

/// Rules: NG-01, NG-02, NG-05, AD-24, MT-02
#[test]
fn a_nat_gateway_is_an_interface_without_groups_and_check() {
    let snapshot = built();
    let valid = load(LAB);
    let nat = &valid.lab().vpcs["app"].nat_gateways["nat"];
    let ix = snapshot.nat_gateway_by_id(&nat.id).expect("the gateway");
    let gateway = snapshot.nat_gateway(ix).expect("the gateway");
    let interface = snapshot.interface(gateway.interface).expect("its interface");
    assert_eq!((interface.nat_gateway, gateway.connectivity), (Some(ix), Connectivity::Public));
    assert_eq!(
        (&interface.labels[..], interface.check, interface.mtu),
        (&[][..], snapshot::Check::Off, 8500)
    );
    assert_eq!(interface.ipv4, [v4("10.0.1.5"), v4("10.0.1.6")]);
    let app = snapshot.vpc(vpc(&snapshot, "app")).expect("app");
    assert_eq!(app.owner_of(address("10.0.1.6")), Some(gateway.interface));
    assert_eq!(app.public_of(v4("10.0.1.6")), Some(v4("198.51.100.11")));
    let logged = &snapshot.spec().flow_logs[0].interfaces;
    assert!(logged.contains(&nat.interface_id), "the flow log of the VPC covers it");
}

/// Rules: IG-02, IG-03, IG-06
#[test]
fn public_addresses_are_found_from_both_sides() {
    let snapshot = built();
    let (app, data) = (vpc(&snapshot, "app"), vpc(&snapshot, "data"));
    let internet = snapshot.internet();
    assert_eq!(internet.private_of(v4("198.51.100.20")), Some((app, v4("10.0.1.11"))));
    assert_eq!(internet.private_of(v4("198.51.100.10")), Some((app, v4("10.0.1.5"))));
    assert_eq!(internet.private_of(v4("198.51.100.99")), None);
    let public_of = |ix, private| snapshot.vpc(ix).and_then(|vpc| vpc.public_of(v4(private)));
    assert_eq!(public_of(app, "10.0.1.11"), Some(v4("198.51.100.20")));
    assert_eq!((public_of(app, "10.0.1.10"), public_of(data, "10.1.1.10")), (None, None));
    assert_eq!(snapshot.private_of(address("198.51.100.20")), address("10.0.1.11"));
    for own in ["10.0.1.11", "203.0.113.50", "2001:db8::50"] {
        assert_eq!(snapshot.private_of(address(own)), address(own));
    }
}

/// Rules: IG-08, EI-08
#[test]
fn the_internet_leads_to_hosts_and_to_vpcs_with_a_gateway() {
    let snapshot = built();
    let internet = snapshot.internet();
    let name = |text: &str| {
        let (_, host) = internet.hosts().find(|(ix, _)| Some(*ix) == internet.host_for(address(text)))?;
        Some(snapshot.names().get(host.name).label.to_string())
    };
    assert_eq!(internet.mtu, 1400);
    assert_eq!((name("203.0.113.50"), name("203.0.113.60")), (Some("laptop".into()), Some("other".into())));
    assert_eq!((name("2001:db8::50"), name("203.0.113.51")), (Some("laptop".into()), None));
    assert_eq!(internet.vpc_of(address("2600:1f18:aaaa:10ff::1")), Some(vpc(&snapshot, "app")));
    assert_eq!(internet.vpc_of(address("2600:1f18:aaaa:1100::1")), None);
    let app = snapshot.vpc(vpc(&snapshot, "app")).expect("app");
    let gateway = app.internet_gateway.expect("an internet gateway");
    assert_eq!(gateway.route_table, snapshot.route_table_by_id(&id(&load(LAB), "edge")));
    assert!(app.egress_only_internet_gateway.is_some());
}

/// Rules: PC-01, PC-11, PC-15
#[test]
fn a_peering_connection_knows_its_sides() {
    let snapshot = built();
    let (app, data) = (vpc(&snapshot, "app"), vpc(&snapshot, "data"));
    let valid = load(LAB);
    let id = &valid.lab().peerings["app-data"].id;
    let peering = *snapshot.peering(snapshot.peering_by_id(id).expect("it")).expect("it");
    assert_eq!((peering.other_side(app), peering.other_side(data)), (Some(data), Some(app)));
    assert_eq!((peering.status, peering.reach), (PeeringStatus::Active, PeeringReach::IntraRegion));
    assert_eq!(peering.mtu, 9001);
    let contains = |ix, text| snapshot.vpc(ix).is_some_and(|vpc| vpc.contains(address(text)));
    assert!(contains(app, "10.3.4.5") && contains(app, "2600:1f18:aaaa:1000::1"));
    assert!(!contains(app, "10.1.1.10") && contains(data, "10.1.1.10"));
}

fn lets_in_client(valid: &Valid) -> bool {
    let snapshot = build(&mut Compiler::default(), valid);
    lets_client_in(&snapshot, valid)
}

fn lets_client_in(snapshot: &Snapshot, valid: &Valid) -> bool {
    let interface = |vpc: &str, instance: &str| {
        let id = &valid.lab().vpcs[vpc].instances[instance].interfaces[0].id;
        snapshot.interface(snapshot.interface_by_id(id).expect("it")).expect("it")
    };
    let labels = &interface("data", "client").labels;
    let flow = Flow { protocol: 6, selector: 80, peer: address("10.1.1.10"), labels };
    snapshot.program(interface("app", "web").program).and_then(|program| program.ingress(&flow)).is_some()
}

/// Rules: SG-09, SG-10
#[test]
fn a_rule_matches_the_peers_group_while_the_connection_is_active() {
    assert!(lets_in_client(&load(LAB)));
    assert!(!lets_in_client(&edited("state: active", "state: deleted")));
}

/// A name that is an id is the id, so the group that the rule names is another one although neither VPC says anything new.
#[test]
fn a_rule_follows_the_group_of_the_other_vpc_when_its_id_changes() {
    let mut compiler = Compiler::default();
    build(&mut compiler, &load(LAB));
    let moved = edited("account: \"210987654321\"", "account: \"333333333333\"");
    let snapshot = build(&mut compiler, &moved);
    assert!(lets_client_in(&snapshot, &moved));
}

#[test]
fn only_what_an_edit_is_about_gets_a_new_version() {
    assert_eq!(changes("lab: paths", "lab: paths # the same"), [""; 0]);
    assert_eq!(changes("state: active", "state: deleted"), ["peering", "web program"]);
    assert_eq!(changes("198.51.100.20", "198.51.100.21"), ["app", "internet", "web"]);
    assert_eq!(
        changes("public_ip: 198.51.100.11", "public_ip: 198.51.100.12"),
        ["app", "internet", "nat interface"]
    );
    assert_eq!(changes("mtu: 1400", "mtu: 1500"), ["internet"]);
    assert_eq!(changes("ips: [203.0.113.60]", "ips: [203.0.113.61]"), ["internet"]);
    assert_eq!(changes("via: egress_only_internet_gateway", "via: internet_gateway"), ["private"]);
    assert_eq!(changes("{ route_table: edge }", "true"), ["app"]);
    assert_eq!(changes("lab: paths", "lab: paths\nsettings: { nat: { idle_timeout: 5 } }"), ["settings"]);
    assert_eq!(changes("clients: {}", "clients: { egress: [] }"), [""; 0]);
}

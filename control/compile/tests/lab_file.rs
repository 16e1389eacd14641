//! From the text of a lab file to the answers of a snapshot, and from edit to edit.

use std::net::IpAddr;

use model::Valid;
use snapshot::spec::Shared;
use snapshot::{AclAction, Flow, Generation, Interface, Part, Snapshot, Target};
use vpclab_compile::Compiler;

const LAB: &str = r#"
lab: edits
account: "123456789012"
region: us-east-1
vpcs:
  app:
    cidr: [10.0.0.0/16]
    subnets:
      front: { cidr: 10.0.1.0/24, az: us-east-1a, route_table: out }
      back:  { cidr: 10.0.2.0/24, az: us-east-1a, network_acl: db }
    route_tables:
      main: { main: true }
      out:
        routes:
          - { to: prefix_list/offices, via: instance/fw-1 }
          - { to: 192.0.2.0/25, via: blackhole }
    security_groups:
      web:
        ingress: [ { proto: tcp, ports: 443, from: prefix_list/offices } ]
      db:
        ingress: [ { proto: tcp, ports: 5432, from: sg/web } ]
    network_acls:
      db:
        ingress: [ { rule: 100, action: allow, proto: tcp, ports: 5432, cidr: 10.0.1.0/24 } ]
    instances:
      web-1: { subnet: front, security_groups: [web], private_ip: 10.0.1.10 }
      web-2: { subnet: front, security_groups: [web], private_ip: 10.0.1.11 }
      fw-1:  { subnet: front, security_groups: [web, db], private_ip: 10.0.1.20, source_dest_check: false }
      db-1:  { subnet: back,  security_groups: [db],  private_ip: 10.0.2.10 }
prefix_lists:
  offices: { region: us-east-1, address_family: ipv4, max_entries: 10, entries: [192.0.2.0/24, 203.0.113.0/24] }
"#;

fn load(text: &str) -> Valid {
    import::load("lab.yaml", text).map(|(valid, _)| valid).expect("the lab has no errors")
}

/// `LAB` with one piece of text replaced by another.
fn edited(from: &str, to: &str) -> Valid {
    assert_eq!(LAB.matches(from).count(), 1, "{from:?} stands in the lab once");
    load(&LAB.replace(from, to))
}

fn build(compiler: &mut Compiler, valid: &Valid) -> Snapshot {
    compiler.snapshot(valid).expect("a checked lab has no dangling reference")
}

/// An instance's only interface.
fn eth0<'a>(snapshot: &'a Snapshot, instance: &str) -> &'a Interface {
    let label = format!("{instance}.eth0");
    let found = snapshot.interfaces().find(|(_, eni)| *snapshot.names().get(eni.name).label == *label);
    found.expect("the instance has an interface").1
}

fn tcp(port: u16, peer: &str) -> Flow<'static> {
    let peer: IpAddr = peer.parse().expect("a literal address");
    Flow { protocol: 6, selector: port, peer, labels: &[] }
}

/// The lab name of the group whose rule lets `flow` reach the instance.
fn let_in_by(snapshot: &Snapshot, instance: &str, flow: &Flow<'_>) -> Option<String> {
    let hit = snapshot.program(eth0(snapshot, instance).program)?.ingress(flow)?;
    let group = snapshot.names().get(hit.rule).owner?;
    Some(snapshot.names().get(group).label.to_string())
}

fn target_from(snapshot: &Snapshot, instance: &str, destination: &str) -> Option<Target> {
    let subnet = snapshot.subnet(eth0(snapshot, instance).subnet)?;
    let destination = destination.parse().expect("a literal address");
    Some(snapshot.route_table(subnet.route_table)?.lookup(destination)?.target)
}

/// Every part that the instances of the lab use and that is newer than `since`.
fn changed(snapshot: &Snapshot, since: Generation) -> Vec<Part> {
    let mut parts = vec![Part::Settings];
    for (ix, interface) in snapshot.interfaces() {
        let subnet = snapshot.subnet(interface.subnet).expect("a used subnet exists");
        parts.extend([Part::Interface(ix), Part::Subnet(interface.subnet), Part::Program(interface.program)]);
        parts.extend([Part::Acl(subnet.acl), Part::RouteTable(subnet.route_table), Part::Vpc(subnet.vpc)]);
    }
    parts.retain(|part| snapshot.version(*part) > since);
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// The parts that change when the lab becomes `next`.
fn changed_by(next: &Valid) -> (Snapshot, Vec<Part>) {
    let mut builder = Compiler::default();
    let first = build(&mut builder, &load(LAB));
    let second = build(&mut builder, next);
    let parts = changed(&second, first.generation());
    (second, parts)
}

/// What did not change is said in the very words of the time before, so that nobody need look into it.
#[test]
fn an_edit_shares_every_object_but_those_it_changes() {
    let mut compiler = Compiler::default();
    let before = build(&mut compiler, &load(LAB));
    let rule = edited("ports: 5432, from: sg/web", "ports: 5433, from: sg/web");
    let after = build(&mut compiler, &rule);
    assert_eq!(fresh(&before.spec().groups, &after.spec().groups, |group| &group.name), ["app.db"]);
    assert_eq!(fresh(&before.spec().acls, &after.spec().acls, |acl| &acl.name), [""; 0]);
    assert_eq!(fresh(&before.spec().interfaces, &after.spec().interfaces, |eni| &eni.name), [""; 0]);
    assert_eq!(fresh(&before.spec().route_tables, &after.spec().route_tables, |table| &table.name), [""; 0]);
    assert_eq!(fresh(&before.spec().subnets, &after.spec().subnets, |subnet| &subnet.name), [""; 0]);
    assert_eq!(fresh(&before.spec().vpcs, &after.spec().vpcs, |vpc| &vpc.name), [""; 0]);
    // One more, in the middle of the others.
    let more = "      fw-1:  { subnet: front, security_groups: [web, db], private_ip: 10.0.1.20";
    let more = edited(more, &format!("      f-9: {{ subnet: back, private_ip: 10.0.2.99 }}\n{more}"));
    let before = build(&mut compiler, &load(LAB));
    let after = build(&mut compiler, &more);
    assert_eq!(fresh(&before.spec().interfaces, &after.spec().interfaces, |eni| &eni.name), ["f-9.eth0"]);
}

/// Names of the objects that the later specification has for itself.
fn fresh<'a, T>(
    before: &[Shared<T>],
    after: &'a [Shared<T>],
    name: impl Fn(&'a T) -> &'a str,
) -> Vec<&'a str> {
    let fresh = after.iter().filter(|object| !before.iter().any(|earlier| earlier.is(object)));
    fresh.map(|object| name(object)).collect()
}

/// Rules: SG-08, SG-11
#[test]
fn groups_let_in_what_the_file_says() {
    let snapshot = build(&mut Compiler::default(), &load(LAB));
    let web = eth0(&snapshot, "web-1");
    assert_eq!(let_in_by(&snapshot, "web-1", &tcp(443, "203.0.113.7")).as_deref(), Some("app.web"));
    assert_eq!(let_in_by(&snapshot, "web-1", &tcp(443, "198.51.100.7")), None);
    let from_web = Flow { labels: &web.labels, ..tcp(5432, "10.0.1.10") };
    assert_eq!(let_in_by(&snapshot, "db-1", &from_web).as_deref(), Some("app.db"));
    assert_eq!(let_in_by(&snapshot, "db-1", &tcp(5432, "10.0.1.10")), None);
    assert_eq!(let_in_by(&snapshot, "fw-1", &from_web).as_deref(), Some("app.db"));
}

/// Rules: RT-02, RT-04, RT-05, RT-15, RT-17
#[test]
fn routes_lead_where_the_file_says() {
    let snapshot = build(&mut Compiler::default(), &load(LAB));
    let fw = snapshot.interface_by_id(&snapshot.names().get(eth0(&snapshot, "fw-1").name).id).unwrap();
    assert_eq!(target_from(&snapshot, "web-1", "203.0.113.7"), Some(Target::Interface(fw)));
    assert_eq!(target_from(&snapshot, "web-1", "192.0.2.200"), Some(Target::Interface(fw)));
    assert_eq!(target_from(&snapshot, "web-1", "192.0.2.100"), Some(Target::Blackhole));
    assert_eq!(target_from(&snapshot, "web-1", "10.0.2.10"), Some(Target::Local));
    assert_eq!(target_from(&snapshot, "web-1", "198.51.100.7"), None);
    assert_eq!(target_from(&snapshot, "db-1", "203.0.113.7"), None);
}

/// Rules: NA-04, NA-05, NA-06
#[test]
fn subnets_have_the_acl_of_the_file_or_the_default_one() {
    let snapshot = build(&mut Compiler::default(), &load(LAB));
    let acl =
        |instance| snapshot.acl(snapshot.subnet(eth0(&snapshot, instance).subnet).unwrap().acl).unwrap();
    assert_eq!(acl("web-1").ingress(&tcp(1, "192.0.2.1")).action, AclAction::Allow);
    assert_eq!(acl("db-1").ingress(&tcp(5432, "10.0.1.10")).action, AclAction::Allow);
    assert_eq!(acl("db-1").ingress(&tcp(5432, "10.0.3.10")).action, AclAction::Deny);
    assert_eq!(acl("db-1").egress(&tcp(40_000, "10.0.1.10")).action, AclAction::Deny);
}

#[test]
fn the_same_lab_in_other_words_changes_nothing() {
    assert_eq!(changed_by(&load(LAB)).1, []);
    let rearranged = edited("      main: { main: true }\n", "");
    assert_eq!(changed_by(&rearranged).1, [], "a main table without routes is there anyway");
    let commented = edited("instances:", "# who is who\n    instances:");
    assert_eq!(changed_by(&commented).1, []);
}

#[test]
fn a_rule_changes_the_programs_of_its_group() {
    let (next, parts) = changed_by(&edited("ports: 5432, from: sg/web", "ports: 5433, from: sg/web"));
    let programs = [eth0(&next, "db-1").program, eth0(&next, "fw-1").program];
    let mut expected = programs.map(Part::Program);
    expected.sort_unstable();
    assert_eq!(parts, expected);
}

#[test]
fn a_prefix_list_changes_what_uses_it() {
    let (next, parts) = changed_by(&edited("203.0.113.0/24]", "198.51.100.0/24]"));
    let table = next.subnet(eth0(&next, "web-1").subnet).unwrap().route_table;
    let mut expected = vec![Part::RouteTable(table)];
    expected.extend(["web-1", "fw-1"].map(|instance| Part::Program(eth0(&next, instance).program)));
    expected.sort_unstable();
    assert_eq!(parts, expected);
    assert_eq!(let_in_by(&next, "web-1", &tcp(443, "198.51.100.7")).as_deref(), Some("app.web"));
    assert_eq!(target_from(&next, "web-1", "203.0.113.7"), None);
}

#[test]
fn an_acl_entry_changes_its_acl() {
    let (next, parts) = changed_by(&edited("cidr: 10.0.1.0/24 }", "cidr: 10.0.0.0/16 }"));
    assert_eq!(parts, [Part::Acl(next.subnet(eth0(&next, "db-1").subnet).unwrap().acl)]);
}

#[test]
fn an_instance_less_changes_the_address_map_and_frees_no_index() {
    let line = "      web-2: { subnet: front, security_groups: [web], private_ip: 10.0.1.11 }\n";
    let mut builder = Compiler::default();
    let first = build(&mut builder, &load(LAB));
    let second = build(&mut builder, &edited(line, ""));
    assert_eq!(changed(&second, first.generation()), [Part::Vpc(eth0(&second, "web-1").vpc)]);
    let third = build(&mut builder, &load(LAB));
    let of = |snapshot: &Snapshot| {
        let vpc = snapshot.vpc(eth0(snapshot, "web-1").vpc).unwrap();
        vpc.owner_of("10.0.1.11".parse().unwrap())
    };
    assert_eq!((of(&second), of(&third)), (None, of(&first)));
}

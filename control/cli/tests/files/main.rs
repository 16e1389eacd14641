//! The program on lab files, without any privilege: what it prints and the status that it exits with.
//!
//! Each answer stands in `golden/`. `UPDATE_GOLDEN=1` writes them anew; read them before committing.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

const TWO_TIER: &str = "examples/two-tier.yaml";
const SPLIT: &str = "control/cli/tests/files/labs/split.yaml";

/// The program, run where the repository begins.
fn vpclab(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("vpclab").expect("the program is built with its tests");
    command
        .current_dir(root())
        .args(arguments)
        .env_remove("NO_COLOR")
        .timeout(std::time::Duration::from_secs(30));
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What it prints on standard output, and its exit status.
fn answer(arguments: &[&str]) -> (String, i32) {
    let output = vpclab(arguments).output().expect("it runs");
    let status = output.status.code().expect("it exits by itself");
    (String::from_utf8(output.stdout).expect("text"), status)
}

/// What it says on standard error when it cannot answer.
fn complaint(arguments: &[&str]) -> String {
    let output = vpclab(arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?} prints an answer");
    String::from_utf8(output.stderr).expect("text")
}

fn json(arguments: &[&str]) -> (Value, i32) {
    let (text, status) = answer(&[arguments, &["--output", "json"]].concat());
    (serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{text}")), status)
}

/// Compares an answer with the file of this name.
fn golden(name: &str, arguments: &[&str], status: i32) {
    let (text, seen) = answer(arguments);
    assert_eq!(seen, status, "{arguments:?}\n{text}");
    let path = root().join("control/cli/tests/files/golden").join(name).with_extension("txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).expect("the folder is writable");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{arguments:?} differs from {}", path.display());
}

/// Rules: SG-02, SG-08, NA-11, RT-13
#[test]
fn a_packet_that_passes_is_shown_with_its_reply() {
    golden(
        "delivered",
        &["explain", "--from", "app-1", "--to", "db-1", "--port", "5432", "--verify", TWO_TIER],
        0,
    );
}

/// Rules: SG-01
#[test]
fn a_refusal_by_a_group_says_what_no_rule_matches() {
    golden(
        "refused",
        &["explain", "--from", "web-1", "--to", "db-1", "--port", "5432", "--verify", TWO_TIER],
        1,
    );
}

/// Rules: NA-03, NA-11, SG-13
#[test]
fn a_reply_that_an_acl_drops_is_told_from_a_refused_request() {
    golden(
        "reply-dropped",
        &["explain", "--from", "app-1", "--to", "db-1", "--proto", "icmp", "--verify", TWO_TIER],
        1,
    );
}

/// Rules: AD-29, NA-08
#[test]
fn the_same_question_in_ipv6_has_its_own_answer() {
    golden("ipv6", &["explain", "--from", "app-1", "--to", "db-1", "-6", "--verify", TWO_TIER], 0);
}

/// Rules: NA-10, NA-02, SG-14
#[test]
fn an_acl_that_splits_the_ephemeral_range_is_told_port_by_port() {
    golden(
        "split",
        &["explain", "--from", "client", "--to", "server", "--port", "443", "--verify", SPLIT],
        1,
    );
    let exact = |port| {
        answer(&[
            "explain",
            "--from",
            "client",
            "--to",
            "server",
            "--port",
            "443",
            "--source-port",
            port,
            SPLIT,
        ])
        .1
    };
    assert_eq!(["39999", "40000", "49999", "50000", "60000", "60001"].map(exact), [0, 1, 1, 0, 0, 1]);
}

/// Rules: RT-15, RT-17, AD-23, AD-28
#[test]
fn what_leads_nowhere_is_dropped_with_its_own_reason() {
    let reason = |arguments: &[&str]| {
        let (answer, status) =
            json(&[&["explain", "--from", "client", "--port", "443", "--verify", SPLIT], arguments].concat());
        assert_eq!((status, &answer["verdict"]), (1, &"dropped".into()), "{arguments:?}");
        assert_eq!(answer["differences"], Value::Array(Vec::new()), "{arguments:?}");
        answer["forward"]["reason"].as_str().expect("a reason").to_owned()
    };
    assert_eq!(reason(&["--to", "192.0.2.7"]), "BAD_STATE_ROUTE");
    assert_eq!(reason(&["--to", "8.8.8.8"]), "NO_ROUTE_TO_DESTINATION");
    assert_eq!(reason(&["--to", "10.0.2.99"]), "NO_INTERFACE_FOR_ADDRESS");
    assert_eq!(reason(&["--to", "stranger"]), "NO_INTERFACE_FOR_ADDRESS");
    assert_eq!(reason(&["--to", "10.0.1.1"]), "RESERVED_ADDRESS");
    assert_eq!(reason(&["--to", "224.0.0.1"]), "BROADCAST_OR_MULTICAST");
    assert_eq!(
        reason(&["--to", "server", "--source-address", "192.0.2.7"]),
        "ENI_SOURCE_DEST_CHECK_RESTRICTION"
    );
}

#[test]
fn an_instance_with_several_interfaces_sends_as_its_routes_say() {
    let from = |arguments: &[&str]| {
        let (answer, _) =
            json(&[&["explain", "--from", "router", "--port", "443", SPLIT], arguments].concat());
        let first = &answer["forward"]["hops"][0]["at"]["name"];
        (
            first.as_str().expect("a name").to_owned(),
            answer["forward"]["packet"]["source"].as_str().expect("an address").to_owned(),
        )
    };
    let at = |interface: &str, address: &str| (interface.to_owned(), address.to_owned());
    assert_eq!(from(&["--to", "server"]), at("router.eth1", "10.0.2.20"));
    assert_eq!(from(&["--to", "client"]), at("router.eth0", "10.0.1.20"));
    assert_eq!(from(&["--to", "8.8.8.8"]), at("router.eth0", "10.0.1.20"));
    assert_eq!(from(&["--to", "client", "--source-address", "10.0.2.21"]), at("router.eth1", "10.0.2.21"));
}

#[test]
fn names_ids_and_addresses_name_the_same_place() {
    let (rows, _) = json(&["show", "interfaces", "--file", TWO_TIER]);
    let row =
        rows.as_array().expect("a list").iter().find(|row| row["interface"] == "app-1.eth0").expect("there");
    let (instances, _) = json(&["show", "instances", "--file", TWO_TIER]);
    let instance =
        instances.as_array().expect("a list").iter().find(|row| row["instance"] == "app-1").expect("there");
    let names = [
        "app-1",
        "app-1.eth0",
        "10.0.1.20",
        row["id"].as_str().expect("text"),
        instance["id"].as_str().expect("text"),
    ];
    let answers =
        names.map(|name| answer(&["explain", "--from", name, "--to", "db-1", "--port", "5432", TWO_TIER]));
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.1 == 0), "{answers:?}");
}

/// Rules: IG-02, IG-04, IG-06, IG-07, RT-21, EI-02, EI-03, NG-02, NG-12, NG-18, NG-20, PC-07, PC-09, PC-11
#[test]
fn each_gateway_on_the_way_says_what_it_makes_of_the_packet() {
    let cases: &[(&str, &str, &str, &str, i32)] = &[
        ("internet-gateway", "web-1", "laptop", "internet-gateway", 0),
        ("internet-gateway-without-address", "bare-1", "laptop", "internet-gateway", 1),
        ("internet-gateway-without-route", "laptop", "hidden-1", "internet-gateway", 1),
        ("internet-gateway-nobody", "web-1", "192.0.2.1", "internet-gateway", 1),
        ("egress-only", "job-1", "laptop", "egress-only", 0),
        ("egress-only-refused", "laptop", "job-1", "egress-only", 1),
        ("nat-gateway", "job-1", "laptop", "nat-gateway", 0),
        ("nat-gateway-over-peering", "job-1", "store-1", "nat-gateway", 0),
        ("nat-gateway-unsolicited", "laptop", "198.51.100.10", "nat-gateway", 1),
        ("nat64", "job-1", "64:ff9b::cb00:7132", "nat64", 0),
        ("peering", "web-1", "app-1", "peering", 0),
        ("peering-not-transitive", "web-1", "db-1", "peering", 1),
        ("inter-region-peering", "us-1", "eu-1", "inter-region-peering", 0),
        ("edge", "laptop", "web-1", "middlebox", 0),
    ];
    for (name, from, to, example, status) in cases {
        let lab = format!("examples/{example}.yaml");
        let arguments = ["explain", "--from", from, "--to", to, "--verify", &lab];
        golden(&format!("explain-{name}"), &arguments, *status);
    }
}

/// Rules: RT-16
#[test]
fn a_route_over_a_connection_that_waits_says_who_has_to_accept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lab.yaml");
    let text = std::fs::read_to_string(root().join("examples/peering.yaml")).expect("readable");
    for (state, help) in [
        ("pending-acceptance", "`vpclab peering accept web-app`"),
        ("deleted", "`vpclab peering request web-app`"),
    ] {
        let changed = text.replace("accepter: app, state: active", &format!("accepter: app, state: {state}"));
        std::fs::write(&path, changed).expect("writable");
        let lab = path.to_str().expect("text");
        let (answer, status) = json(&["explain", "--from", "web-1", "--to", "app-1", "--verify", lab]);
        assert_eq!((status, &answer["forward"]["reason"]), (1, &"BAD_STATE_ROUTE".into()), "{answer}");
        assert!(answer["hint"].as_str().is_some_and(|hint| hint.contains(help)), "{answer}");
        assert_eq!(answer["differences"], Value::Array(Vec::new()));
    }
}

/// Rules: NG-05, NA-10
#[test]
fn an_acl_that_tells_ports_of_a_nat_gateway_apart_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lab.yaml");
    let text = std::fs::read_to_string(root().join("examples/nat-gateway.yaml")).expect("readable");
    let notes = |ports: &str| {
        let entry = |rule: u16, ports: &str| {
            format!("{{ rule: {rule}, action: allow, proto: tcp, ports: {ports}, cidr: 0.0.0.0/0 }}")
        };
        let acl = format!(
            "    network_acls:\n      out: {{ ingress: [ {}, {} ], egress: [ {} ] }}\n    nat_gateways:",
            entry(100, "443"),
            entry(110, ports),
            entry(100, "0-65535")
        );
        let changed = text
            .replacen("    nat_gateways:", &acl, 1)
            .replace("route_table: public }", "route_table: public, network_acl: out }");
        std::fs::write(&path, changed).expect("writable");
        let lab = path.to_str().expect("text");
        let (answer, _) =
            json(&["explain", "--from", "job-1", "--to", "laptop", "--port", "443", "--verify", lab]);
        assert_eq!(answer["differences"], Value::Array(Vec::new()));
        (answer["verdict"].as_str().expect("text").to_owned(), answer["notes"].to_string())
    };
    let (verdict, said) = notes("1024-50000");
    assert_eq!(verdict, "delivered");
    assert!(
        said.contains("network ACL app/out tells ports of 1024-65535 apart") && said.contains("for 1024"),
        "{said}"
    );
    assert_eq!(notes("1024-65535"), ("delivered".to_owned(), "[]".to_owned()));
    assert_eq!(notes("32768-60999").0, "reply-dropped");
}

/// Rules: NG-02, IG-02
#[test]
fn rewrites_are_data_too() {
    let lab = "examples/nat-gateway.yaml";
    let (answer, _) = json(&["explain", "--from", "job-1", "--to", "203.0.113.50", "--port", "443", lab]);
    let rewrites = |leg: &str| -> Vec<(String, String)> {
        let hops = answer[leg]["hops"].as_array().expect("hops").iter();
        let of_hop =
            |hop: &Value| Some((hop["at"]["name"].as_str()?.to_owned(), hop["rewrite"].as_str()?.to_owned()));
        hops.filter_map(of_hop).collect()
    };
    let said = |words: &[(&str, &str)]| -> Vec<(String, String)> {
        words.iter().map(|(at, text)| ((*at).to_owned(), (*text).to_owned())).collect()
    };
    let out = [
        ("app.nat-a", "source 10.0.2.10 becomes 10.0.1.5"),
        ("app.igw", "source 10.0.1.5 becomes 198.51.100.10"),
    ];
    assert_eq!(rewrites("forward"), said(&out));
    let back = [
        ("app.igw", "destination 198.51.100.10 becomes 10.0.1.5"),
        ("app.nat-a", "destination 10.0.1.5 becomes 10.0.2.10"),
    ];
    assert_eq!(rewrites("reply"), said(&back));
}

#[test]
fn json_has_the_shape_that_programs_rely_on() {
    let (answer, status) = json(&["explain", "--from", "app-1", "--to", "db-1", "--proto", "icmp", TWO_TIER]);
    assert_eq!(status, 1);
    assert_eq!(answer["verdict"], "reply-dropped");
    assert_eq!(
        (&answer["forward"]["verdict"], &answer["forward"]["reason"]),
        (&"delivered".into(), &Value::Null)
    );
    assert_eq!(
        (&answer["reply"]["verdict"], &answer["reply"]["reason"]),
        (&"dropped".into(), &"SUBNET_ACL_RESTRICTION".into())
    );
    for hop in answer["forward"]["hops"].as_array().expect("hops") {
        let hop = hop.as_object().expect("an object");
        for key in ["at", "kind", "decided_by", "rewrite"] {
            assert!(hop.contains_key(key), "{key} is missing in {hop:?}");
        }
    }
    let last = answer["reply"]["hops"].as_array().and_then(|hops| hops.last()).expect("a hop");
    assert_eq!((&last["at"]["name"], &last["kind"]), (&"db-1.eth0".into(), &"acl-egress".into()));
    assert!(last["decided_by"]["id"].as_str().expect("an id").ends_with("/egress/*"), "{last}");
    let (refused, _) = json(&["explain", "--from", "web-1", "--to", "db-1", "--port", "22", TWO_TIER]);
    assert_eq!((&refused["verdict"], &refused["reply"]), (&"dropped".into(), &Value::Null));
}

/// Rules: NA-11
#[test]
fn a_matrix_holds_every_ordered_pair() {
    golden("matrix-icmp", &["explain", "--matrix", "icmp", "--verify", TWO_TIER], 0);
    golden("matrix-tcp", &["explain", "--matrix", "tcp/443", "--verify", SPLIT], 0);
    golden("matrix-middlebox", &["explain", "--matrix", "icmp", "--verify", "examples/nat-instance.yaml"], 0);
}

#[test]
fn objects_are_shown_with_their_defaults() {
    for kind in
        ["acls", "flow-logs", "groups", "instances", "interfaces", "prefix-lists", "routes", "subnets"]
    {
        golden(&format!("show-{kind}"), &["show", kind, "--file", "examples/prefix-lists.yaml"], 0);
        let (rows, _) = json(&["show", kind, "--file", "examples/prefix-lists.yaml"]);
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{kind}");
    }
}

#[test]
fn hosts_are_shown() {
    const HOSTS: &str = "control/cli/tests/files/labs/hosts.yaml";
    golden("show-hosts", &["show", "hosts", "--file", HOSTS], 0);
    let (rows, _) = json(&["show", "hosts", "--file", HOSTS]);
    assert_eq!((&rows[0]["host"], &rows[0]["run"][0]), (&"laptop".into(), &"sleep 9".into()));
}

/// Rules: RT-15, RT-16
#[test]
fn gateways_are_shown_with_who_uses_them() {
    const REGIONS: &str = "examples/regions.yaml";
    for kind in
        ["egress-only-internet-gateways", "internet-gateways", "nat-gateways", "peerings", "public-addresses"]
    {
        golden(&format!("show-{kind}"), &["show", kind, "--file", REGIONS], 0);
        let (rows, _) = json(&["show", kind, "--file", REGIONS]);
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{kind}");
    }
    golden("show-routes-of-gateways", &["show", "routes", "--file", REGIONS], 0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lab.yaml");
    let text = std::fs::read_to_string(root().join(REGIONS)).expect("readable");
    let deleted = text.replace("accepter: data,  state: active", "accepter: data, state: deleted");
    std::fs::write(&path, deleted).expect("writable");
    let (rows, _) = json(&["show", "routes", "--file", path.to_str().expect("text")]);
    let blackholes = rows.as_array().expect("a list").iter().filter(|row| row["state"] == "blackhole");
    assert!(blackholes.clone().all(|row| row["target"] == "peering/far"), "{rows}");
    assert_eq!(blackholes.count(), 4);
}

#[test]
fn check_says_yes_no_or_that_there_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path.to_str().expect("text").to_owned()
    };
    let host_bits = write("warning.yaml", "lab: t\nvpcs:\n  app:\n    cidr: [10.0.3.4/16]\n");
    let unknown = write("error.yaml", "lab: t\nvpcs:\n  app:\n    cdir: [10.0.0.0/16]\n");
    assert_eq!(answer(&["check", TWO_TIER]), ("examples/two-tier.yaml: no findings\n".to_owned(), 0));
    assert_eq!(answer(&["check", &host_bits]).1, 0);
    assert_eq!(answer(&["check", "--strict", &host_bits]).1, 1);
    let (text, status) = answer(&["check", &unknown]);
    assert_eq!(status, 1);
    assert!(text.contains("error.yaml:4:5: error[unknown-key]"), "{text}");
    assert!(text.contains("   4 |     cdir: [10.0.0.0/16]\n     |     ^^^^"), "{text}");
    assert!(complaint(&["check", "no-such-file.yaml"]).contains("no-such-file.yaml"));
}

#[test]
fn findings_are_json_on_demand() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lab.yaml");
    std::fs::write(&path, "lab: t\nvpcs:\n  app:\n    cdir: [10.0.0.0/16]\n").expect("writable");
    let (findings, status) = json(&["check", path.to_str().expect("text")]);
    assert_eq!(status, 1);
    let finding = &findings[0];
    assert_eq!((&finding["code"], &finding["severity"]), (&"unknown-key".into(), &"error".into()));
    assert_eq!((&finding["line"], &finding["column"]), (&4.into(), &5.into()));
    assert_eq!((&finding["labels"][0]["offset"], &finding["labels"][0]["length"]), (&24.into(), &4.into()));
}

#[test]
fn a_question_that_makes_no_sense_is_a_usage_error() {
    let cases: &[(&[&str], &str)] = &[
        (&["--from", "app-9", "--to", "db-1", TWO_TIER], "did you mean `app-1`?"),
        (&["--from", "app-1.eth7", "--to", "db-1", TWO_TIER], "no interface `app-1.eth7`"),
        (&["--from", "app-1", "--to", "db-1", "--proto", "tcp", TWO_TIER], "tcp and udp need --port"),
        (&["--from", "app-1", "--to", "db-1", "--proto", "gre", TWO_TIER], "`gre` is no protocol"),
        (
            &[
                "--from",
                "app-1",
                "--to",
                "2001:db8:0:1002::4",
                "--proto",
                "icmp",
                "--icmp-type",
                "8",
                TWO_TIER,
            ],
            "mixes IPv4 and IPv6",
        ),
        (
            &["--from", "192.0.2.1", "--to", "db-1", TWO_TIER],
            "no interface or host of lab two-tier has the address 192.0.2.1",
        ),
        (&["--from", "router", "--to", "server", "-6", SPLIT], "router.eth0 has no IPv6 address"),
        (&["--matrix", "tcp", TWO_TIER], "write tcp/PORT or udp/PORT"),
        (&["--last-drop", "eth0", TWO_TIER], "--last-drop asks a running lab"),
        (&["--from", "app-1", TWO_TIER], "--to"),
        (&["--from", "app-1", "--to", "db-1", "no-such-file.yaml"], "no-such-file.yaml"),
    ];
    for (arguments, expected) in cases {
        let text = complaint(&[&["explain"], *arguments].concat());
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}

#[test]
fn a_lab_file_with_errors_explains_nothing() {
    let text = complaint(&["explain", "--matrix", "icmp", "examples/shop.yaml"]);
    assert!(text.contains("error[not-enforced-yet]"), "{text}");
}

#[test]
fn the_schema_is_one_json_document() {
    let (text, status) = answer(&["schema"]);
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status, schema["title"].as_str()), (0, Some("vpclab lab file")));
}

#[test]
fn expectations_with_mistakes_are_refused_with_their_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("checks.yaml");
    std::fs::write(&path, "- { from: a, to: b, tcp: 22, expect: open }\n").expect("writable");
    let text = complaint(&["test", path.to_str().expect("text")]);
    assert!(text.contains("checks.yaml:1:38: error: `open` is no expectation"), "{text}");
    assert!(text.contains(&format!("     | {}^^^^", " ".repeat(37))), "{text}");
}

#[test]
fn the_checks_of_the_examples_can_be_read() {
    for entry in std::fs::read_dir(root().join("examples")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let Some(name) =
            path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".checks.yaml"))
        else {
            continue;
        };
        // It gets as far as asking for a lab that does not run.
        let text = complaint(&["test", &format!("examples/{name}"), "--lab", "no-such-lab"]);
        assert!(text.contains("lab no-such-lab is not running"), "{name}: {text}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_vpclab"))
        .args(["schema"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_reader_that_goes_away_does_not_change_the_answer() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_vpclab"))
        .current_dir(root())
        .args(["explain", "--from", "web-1", "--to", "db-1", "--port", "5432", TWO_TIER])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1), "the packet is refused, read or not");
}

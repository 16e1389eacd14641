//! The workspace's dependency edges are the permitted ones of `docs/layers.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What one folder may depend on.
#[derive(Debug, Default)]
struct Permitted {
    always: BTreeSet<String>,
    in_tests: BTreeSet<String>,
}

#[test]
fn only_the_permitted_edges_exist() {
    let permitted = read_permitted();
    let mut wrong = Vec::new();
    for (from, to, kind) in edges() {
        let Some(rule) = permitted.get(&from) else {
            wrong.push(format!("{from} is not in docs/layers.txt"));
            continue;
        };
        let allowed =
            rule.always.contains(&to) || (kind == "dev" && (rule.in_tests.contains(&to) || from == to));
        if !allowed {
            wrong.push(format!("{from} -> {to} ({kind})"));
        }
    }
    assert!(wrong.is_empty(), "edges that docs/layers.txt does not permit:\n{}", wrong.join("\n"));
}

#[test]
fn the_data_plane_never_depends_on_the_control_plane() {
    let dataplane = folders("dataplane");
    let control = folders("control");
    let wrong: Vec<_> = edges()
        .into_iter()
        .filter(|(from, to, kind)| kind != "dev" && dataplane.contains(from) && control.contains(to))
        .collect();
    assert_eq!(wrong, []);
}

#[test]
fn only_io_allows_unsafe_code() {
    let mut wrong = Vec::new();
    for plane in ["dataplane", "control"] {
        for name in folders(plane).into_iter().filter(|name| name != "io") {
            let folder = root().join(plane).join(&name).join("src");
            let roots = ["lib.rs", "main.rs"].map(|file| folder.join(file));
            let forbids = roots.iter().filter(|path| path.exists()).all(|path| {
                std::fs::read_to_string(path).is_ok_and(|text| text.contains("#![forbid(unsafe_code)]"))
            });
            if !forbids {
                wrong.push(name);
            }
        }
    }
    assert!(wrong.is_empty(), "crates whose root does not forbid unsafe code: {wrong:?}");
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn folders(plane: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(plane)).expect("the workspace has this folder");
    entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}

fn read_permitted() -> BTreeMap<String, Permitted> {
    let text = std::fs::read_to_string(root().join("docs/layers.txt")).expect("docs/layers.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(':')).map(|(from, to)| (from.to_owned(), permitted(to))).collect()
}

fn permitted(list: &str) -> Permitted {
    let (always, in_tests) = list.split_once('[').unwrap_or((list, ""));
    let words =
        |text: &str| text.trim().trim_end_matches(']').split_whitespace().map(str::to_owned).collect();
    Permitted { always: words(always), in_tests: words(in_tests) }
}

/// Every edge between two of our crates: from, to, kind.
fn edges() -> Vec<(String, String, String)> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages.flat_map(|package| package_edges(package).collect::<Vec<_>>()).collect()
}

fn package_edges(package: &serde_json::Value) -> impl Iterator<Item = (String, String, String)> + '_ {
    let from = ours(&package["name"]).expect("every member is ours");
    let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
    dependencies.filter_map(move |dependency| {
        let kind = dependency["kind"].as_str().unwrap_or("normal");
        Some((from.clone(), ours(&dependency["name"])?, kind.to_owned()))
    })
}

fn ours(name: &serde_json::Value) -> Option<String> {
    name.as_str()?.strip_prefix("vpclab-").map(str::to_owned)
}

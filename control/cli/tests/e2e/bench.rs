//! The benchmark runs and reports; how fast anything was is not for a test to judge.

use std::fs;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use serde_json::Value;

use crate::harness::{Done, Program, alone, lives, vpclab};

/// Six figures of a second each, and four systems to set up, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn bench(more: &[&str]) -> Done {
    let mut command = vpclab(["bench", "--quick", "--rounds", "1", "--output", "json"]);
    command.args(more);
    Program::run(command, PATIENCE)
}

/// The report, after a look at the exit status that goes with it.
fn report(done: Done) -> Value {
    let report = done.json();
    let status = match report["verdict"].as_str() {
        Some("met") => 0,
        Some("not-met") => 1,
        _ => 2,
    };
    done.exits(status);
    assert_eq!(report["failures"], Value::Array(Vec::new()), "every figure was taken");
    report
}

#[test]
fn a_run_takes_every_figure_and_goes_on_from_its_journal() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let [journal, plot] = ["journal", "plot.svg"].map(|name| folder.path().join(name));
    let [journal, picture] = [&journal, &plot].map(|path| path.to_str().expect("a path of ours"));
    let first = report(bench(&["--only", "udp-64,rtt", "--resume", journal, "--plot", picture]));
    assert_eq!((&first["form"], &first["rounds"]), (&"quick".into(), &1.into()));
    let figures = first["figures"].as_array().expect("figures");
    let taken =
        figures.iter().map(|figure| format!("{}/{}", figure["load"], figure["system"]).replace('"', ""));
    assert_eq!(
        taken.collect::<Vec<_>>(),
        [
            "udp-64/vpclab",
            "udp-64/vpclab-unlogged",
            "udp-64/kernel",
            "udp-64/relay-joined",
            "rtt/vpclab",
            "rtt/kernel"
        ]
    );
    assert!(figures.iter().all(|figure| figure["median"].as_f64() > Some(0.0)), "{first:#}");
    assert_eq!(first["ratios"].as_array().map(Vec::len), Some(4), "{first:#}");
    assert!(fs::read_to_string(&plot).expect("a picture").starts_with("<svg"));
    // All figures are there: nothing is set up, and nothing is measured again.
    let again = report(bench(&["--only", "udp-64,rtt", "--resume", journal]));
    assert_eq!(again["figures"], first["figures"]);
    let other = report(bench(&["--only", "connections,connections-blocking", "--resume", journal]));
    assert_eq!(other["figures"][0]["details"]["failed"], 0.0, "{other:#}");
    assert!(other["figures"].as_array().is_some_and(|figures| {
        figures.iter().any(|figure| figure["load"] == "connections-blocking" && figure["system"] == "vpclab")
    }));
    let names = fs::read_dir("/run/netns").expect("labs have been here").filter_map(Result::ok);
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    assert_eq!(names.filter(|name| is_left_behind(name)).collect::<Vec<_>>(), Vec::<String>::new());
}

/// Whether a namespace belongs to a run whose process is gone; somebody else may run a benchmark at the same time.
fn is_left_behind(name: &str) -> bool {
    let process = name.strip_prefix("bench-").and_then(|rest| rest.split('-').next()?.parse().ok());
    process.is_some_and(|process| !lives(process))
}

fn usable_processors() -> usize {
    let usable = sched_getaffinity(Pid::this()).expect("the kernel says");
    (0..CpuSet::count()).filter(|number| usable.is_set(*number) == Ok(true)).count()
}

#[test]
fn ends_run_where_the_command_line_says() {
    let _alone = alone();
    // As many threads as the end that connects may use processors.
    for (placement, threads) in [("apart", 1), ("free", usable_processors().min(64))] {
        let placed = report(bench(&["--only", "connections", "--placement", placement]));
        let figures = placed["figures"].as_array().expect("figures");
        let are_placed = |figure: &Value| {
            figure["placement"] == placement && figure["details"]["threads"].as_f64() == Some(threads as f64)
        };
        assert!(!figures.is_empty() && figures.iter().all(are_placed), "{placed:#}");
    }
    bench(&["--placement", "beside"]).exits(2).says("apart, free, together");
}

#[test]
fn an_unknown_load_is_refused_with_those_there_are() {
    let done = Program::run(vpclab(["bench", "--only", "udp"]), PATIENCE);
    done.exits(2).says("tcp-1, tcp-4, udp-64");
}

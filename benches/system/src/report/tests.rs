use super::*;
use crate::system::Relay;

const RELAY: System = System::Relay(Relay::Joined);

/// A report over values in the order of rounds.
fn report(load: Load, values: &[(System, &[f64])]) -> Report {
    let rounds = values.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let mut samples = Vec::new();
    for (system, values) in values {
        for (round, value) in values.iter().enumerate() {
            let details = BTreeMap::from([("seen".to_owned(), value * 2.0)]);
            samples.push((Cell { round, load, system: *system }, Sample { value: *value, details }));
        }
    }
    let samples: Vec<(Cell, &Sample)> = samples.iter().map(|(cell, sample)| (*cell, sample)).collect();
    let time = ProcessorTime { busy: 10.0, steal: 1.0, all: 20.0 };
    of(&Plan::sample(&[load], rounds), &samples, Vec::new(), time)
}

/// The quotient of the medians would be 1: rounds that slow both down must not count as a difference, nor hide one.
#[test]
fn a_ratio_is_taken_round_by_round() {
    let report = report(
        Load::Udp1400,
        &[(System::Vpclab, &[80.0, 160.0, 100.0, 90.0, 95.0]), (RELAY, &[100.0, 200.0, 125.0, 112.5, 95.0])],
    );
    let ratio = &report.ratios[0];
    assert_eq!((ratio.median, ratio.interval, ratio.pairs), (Some(0.8), Some([0.8, 1.0]), 5));
    assert!(!ratio.must_met && !report.musts_met);
}

#[test]
fn lower_is_better_for_round_trips() {
    let good = report(Load::Rtt, &[(System::Vpclab, &[12.0]), (System::Kernel, &[10.0])]);
    assert!(good.musts_met && good.ratios[0].aim_met, "{:?}", good.ratios);
    let slow = report(Load::Rtt, &[(System::Vpclab, &[21.0]), (System::Kernel, &[10.0])]);
    assert_eq!((slow.musts_met, slow.verdict), (false, Verdict::NotMet));
}

#[test]
fn what_flow_logs_cost_is_nothing_if_no_difference_can_be_told() {
    let flow_logs = |logged: &[f64]| {
        let unlogged = vec![100.0; logged.len()];
        let report = report(Load::Tcp1, &[(System::Vpclab, logged), (System::VpclabUnlogged, &unlogged)]);
        let ratio = report.ratios.iter().find(|ratio| ratio.over == System::VpclabUnlogged);
        ratio.expect("it has a target").must_met
    };
    assert!(flow_logs(&[98.0; 9]), "two per cent");
    assert!(!flow_logs(&[95.0; 9]), "five per cent, each time");
    assert!(flow_logs(&[95.0, 95.0, 105.0, 95.0, 105.0, 95.0, 105.0, 95.0, 95.0]), "now more, now less");
}

#[test]
fn a_baseline_that_moves_makes_a_run_inconclusive() {
    let restless = [60.0, 100.0, 140.0, 80.0, 120.0];
    let run = report(Load::Udp1400, &[(System::Vpclab, &restless), (RELAY, &restless)]);
    assert_eq!((run.verdict, run.musts_met), (Verdict::Inconclusive, true));
    assert!(run.doubts[0].contains("udp-1400 on relay-joined moved by 40 %"), "{:?}", run.doubts);
    let ours = report(Load::Udp1400, &[(System::Vpclab, &restless), (RELAY, &[50.0; 5])]);
    assert_eq!(ours.verdict, Verdict::Met, "our own spread shows in the interval");
}

#[test]
fn what_was_never_measured_is_not_met() {
    let report = report(Load::Udp1400, &[(System::Vpclab, &[80.0]), (RELAY, &[0.0])]);
    assert_eq!((report.ratios[0].median, report.ratios[0].must_met), (None, false));
}

#[test]
fn without_a_target_nothing_is_met() {
    let report = report(Load::Imix, &[(System::Vpclab, &[80.0]), (System::Kernel, &[70.0])]);
    assert_eq!((report.verdict, report.musts_met), (Verdict::NotJudged, false));
}

#[test]
fn a_figure_that_failed_is_a_doubt() {
    let cell = Cell { round: 2, load: Load::Rtt, system: System::Vpclab };
    let error = Error::Program { what: "ping".to_owned(), said: "nothing was answered".to_owned() };
    let failures = vec![Failure::of(cell, &error)];
    let report = of(&Plan::sample(&[Load::Rtt], 3), &[], failures, ProcessorTime::default());
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert_eq!(report.doubts, ["rtt on vpclab failed in round 3: ping: nothing was answered"]);
}

#[test]
fn json_carries_every_figure_and_every_ratio() {
    let report = report(Load::Rtt, &[(System::Vpclab, &[12.0, 14.0]), (System::Kernel, &[10.0, 10.0])]);
    let json = serde_json::to_value(&report).expect("serializes");
    assert_eq!(json["form"], "quick");
    assert_eq!((&json["verdict"], &json["musts_met"]), (&"met".into(), &true.into()));
    assert_eq!(json["steal"]["share"], 0.05);
    let figure = &json["figures"][0];
    assert_eq!(
        (&figure["load"], &figure["system"], &figure["unit"]),
        (&"rtt".into(), &"vpclab".into(), &"us".into())
    );
    assert_eq!((&figure["median"], &figure["range"]), (&13.0.into(), &serde_json::json!([12.0, 14.0])));
    assert_eq!(
        (&figure["values"], &figure["details"]["seen"]),
        (&serde_json::json!([12.0, 14.0]), &26.0.into())
    );
    assert_eq!(figure["placement"], "free");
    let ratio = &json["ratios"][0];
    assert_eq!((&ratio["over"], &ratio["better"]), (&"kernel".into(), &"lower".into()));
    assert_eq!((&ratio["must"], &ratio["aim"], &ratio["must_met"]), (&2.0.into(), &1.3.into(), &true.into()));
    for key in
        ["version", "rounds", "seconds", "placement", "workers", "io", "mtu", "machine", "doubts", "failures"]
    {
        assert!(json.get(key).is_some(), "{key}");
    }
}

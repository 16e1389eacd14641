use super::*;

fn plan(path: &Path, seconds: u32) -> Plan {
    Plan { seconds, journal: Some(path.to_owned()), ..Plan::sample(&[], 1) }
}

fn sample(value: f64) -> Sample {
    Sample { value, details: BTreeMap::from([("p99".to_owned(), 3.0)]) }
}

/// Refuses a file that holds `bytes`, says `why`, and leaves it alone.
#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, why: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    std::fs::write(&path, &bytes).expect("written");
    let said = Journal::open(&plan(&path, 1)).expect_err("refused").to_string();
    assert!(said.contains(why), "{said}");
    assert_eq!(std::fs::read(&path).expect("it is there"), bytes.as_ref());
}

#[test]
fn what_is_no_journal_of_this_run_stays_as_it_is() {
    let settings = Settings::of(&plan(Path::new(""), 1)).line();
    let now = format!("\"meaning_of_loads\":{},", load::MEANING);
    let earlier = settings.replace(&now, &format!("\"meaning_of_loads\":{},", load::MEANING - 1));
    refused(format!("{earlier}\n"), &now);
    refused(format!("{}\n", settings.replace(&now, "")), &now);
    refused(format!("{}\n", settings.replace('}', ",\"nice\":3}")), "nice");
    for text in ["notes", "notes\n", "{}\n"] {
        refused(text, "no journal");
    }
    refused(b"\xff\n", "read");
    for text in ["notes", "notes\n", "{\"key\":\"rtt/ker\n", "{}", "{\"key\":3"] {
        refused(format!("{settings}\n{text}"), "line 2");
    }
}

#[test]
fn a_run_goes_on_wherever_it_was_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let mut journal = Journal::open(&plan(&path, 1)).expect("a new file");
    journal.put("rtt/kernel/0".to_owned(), sample(8.0)).expect("written");
    journal.put("rtt/kernel/1".to_owned(), sample(-1e-9)).expect("written");
    let text = std::fs::read_to_string(&path).expect("it is there");
    for end in 0..=text.len() {
        std::fs::write(&path, &text[..end]).expect("written");
        let mut again = Journal::open(&plan(&path, 1)).expect("it goes on");
        let figures = text[..end].matches('\n').count().saturating_sub(1);
        assert_eq!(again.samples.len(), figures, "{end}");
        again.put("rtt/kernel/2".to_owned(), sample(9.0)).expect("written");
        let third = Journal::open(&plan(&path, 1)).expect("it goes on");
        assert_eq!(third.samples.len(), figures + 1, "{end}");
    }
}

#[test]
fn figures_of_other_settings_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    drop(Journal::open(&plan(&path, 1)).expect("a new file"));
    let refused = |plan: &Plan| Journal::open(plan).expect_err("other settings").to_string();
    let said = refused(&plan(&path, 2));
    assert!(said.contains("\"seconds\":1") && said.contains("\"seconds\":2"), "{said}");
    let said = refused(&Plan { placement: Some(Placement::Apart), ..plan(&path, 1) });
    assert!(said.contains("\"placement\":null") && said.contains("\"placement\":\"apart\""), "{said}");
}

//! Each broken lab file beside what is said about it. `UPDATE_GOLDEN=1` writes the answers anew; read them before committing.

use std::path::{Path, PathBuf};

use model::findings::Code;
use vpclab_import::{Look, load, render};

#[test]
fn broken_files_get_the_answers_beside_them() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for file in broken() {
        let answer = answer(&file);
        let golden = file.with_extension("golden");
        if update {
            std::fs::write(&golden, &answer).expect("the folder is writable");
        } else if std::fs::read_to_string(&golden).ok().as_ref() != Some(&answer) {
            wrong.push(format!("{}:\n{answer}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "these differ from their golden files:\n{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_broken_file() {
    let answers: String = broken().iter().map(|file| answer(file)).collect();
    let unused: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !answers.contains(&format!("[{code}]")))
        .collect();
    assert!(unused.is_empty(), "no broken file shows {unused:?}");
}

#[test]
fn every_finding_points_into_its_file() {
    for file in broken() {
        let text = std::fs::read_to_string(&file).expect("a readable file");
        let found = load("x", &text).map_or_else(|found| found, |(_, warnings)| warnings);
        assert!(!found.is_empty(), "{} is not broken", file.display());
        for spot in found.iter().flat_map(|f| &f.labels).map(|l| l.spot).filter(|s| s.is_somewhere()) {
            let line = text.lines().nth(spot.line - 1).expect("the line exists");
            let end = text.get(..spot.offset + spot.len).expect("a place in the text");
            assert_eq!(end.lines().count().max(1), spot.line, "{}: {spot:?}", file.display());
            assert!(spot.column <= line.chars().count() + 1, "{}: {spot:?}", file.display());
        }
    }
}

#[test]
fn drawn_findings_show_the_same_place() {
    let text = "lab: t\nvpcs:\n  app:\n    cidr: [10.0.3.4/16]\n";
    let (_, warnings) = load("t.yaml", text).expect("only warnings");
    let drawn = render(&warnings, "t.yaml", text, Look::Mono);
    for part in [
        "cidr-host-bits",
        "t.yaml:4:12",
        " 3 │   app:",
        " 4 │     cidr: [10.0.3.4/16]",
        "·            ───────────",
        "help: AWS masks",
    ] {
        assert!(drawn.contains(part), "{part:?} is not in\n{drawn}");
    }
    assert!(render(&warnings, "t.yaml", text, Look::Colour).contains('\u{1b}'));
}

fn broken() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let files = std::fs::read_dir(folder).expect("the folder exists");
    let mut files: Vec<PathBuf> = files.map(|f| f.expect("a readable entry").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

fn answer(file: &Path) -> String {
    let name = file.file_name().and_then(|n| n.to_str()).expect("a name in UTF-8");
    let text = std::fs::read_to_string(file).expect("a readable file");
    let found = load(name, &text).map_or_else(|found| found, |(_, warnings)| warnings);
    render(&found, name, &text, Look::Plain)
}

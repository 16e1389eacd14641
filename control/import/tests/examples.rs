//! The examples load, and mean what their comments say.

use std::path::PathBuf;

use model::Valid;
use vpclab_import::{Look, load, render};

#[test]
fn two_tier_is_a_valid_lab() {
    let _lab = valid("two-tier.yaml");
}

fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    std::fs::read_to_string(path).expect("the example exists")
}

fn valid(name: &str) -> Valid {
    let text = text(name);
    match load(name, &text) {
        Ok((valid, warnings)) => {
            assert!(warnings.is_empty(), "{}", render(&warnings, name, &text, Look::Plain));
            valid
        }
        Err(found) => panic!("{}", render(&found, name, &text, Look::Plain)),
    }
}

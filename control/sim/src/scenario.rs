//! Scenario files: one behaviour of AWS each, readable by someone who knows AWS and no Rust.
//!
//! `scenarios/README.md` describes the language. [`run`] reads a file and plays it with 1, 2, 3 and 8 workers beside the
//! oracle.

mod check;
mod file;
mod outcome;
mod play;
mod records;
mod send;
mod trail;

pub use play::Failure;

/// Plays the scenario `text`, called `name` in messages; `lab_file` finds a lab that is a file.
///
/// # Errors
///
/// The first step that did not go as the file says, or went differently in two worlds or the oracle's mind.
pub fn run(name: &str, text: &str, lab_file: &dyn Fn(&str) -> Option<String>) -> Result<(), Failure> {
    let file: file::Scenario =
        serde_saphyr::from_str(text).map_err(|error| Failure::unreadable(name, &error.to_string()))?;
    play::play(name, &file, lab_file)
}

/// The rule ids that a scenario cites.
///
/// # Errors
///
/// When it is not a scenario.
pub fn rules(name: &str, text: &str) -> Result<Vec<String>, Failure> {
    let file: file::Scenario =
        serde_saphyr::from_str(text).map_err(|error| Failure::unreadable(name, &error.to_string()))?;
    Ok(file.rules)
}

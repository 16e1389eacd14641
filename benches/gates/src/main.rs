//! Counts the instructions that each stage of a packet takes, and fails where they grew.
//!
//! `gates` runs itself under callgrind, prints what it counted beside `baselines.toml`, and fails if a stage takes 5 % more.
//! `gates --write` writes what it counted into that file. Read [`stages`] first; `docs/gates.md` says when to write.

#![forbid(unsafe_code)]

mod baselines;
mod callgrind;
mod packets;
mod stages;
mod world;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use baselines::Baselines;

/// What the run under callgrind is told.
const STAGES: &str = "--stages";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Baselines(#[from] baselines::Error),
    #[error(transparent)]
    Callgrind(#[from] callgrind::Error),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
    #[error("usage: gates [--write]")]
    Usage,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        [] => judge(),
        [only] if only == STAGES => run_stages().map(|()| ExitCode::SUCCESS),
        [only] if only == "--write" => write(),
        _ => Err(Error::Usage),
    };
    done.unwrap_or_else(|error| {
        // Nobody is left to tell if this fails.
        let _ = writeln!(io::stderr(), "gates: {error}");
        ExitCode::from(2)
    })
}

/// The part that is counted: every stage once, and how many operations each was.
fn run_stages() -> Result<(), Error> {
    for stage in stages::all() {
        let operations = (stage.run)();
        writeln!(io::stdout(), "{} {operations}", stage.name)?;
    }
    Ok(())
}

fn judge() -> Result<ExitCode, Error> {
    let baselines = Baselines::read(baselines_file(), toolchain_file())?;
    let comparison = baselines.compare(&callgrind::count(STAGES)?);
    write!(io::stdout(), "{comparison}")?;
    Ok(if comparison.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write() -> Result<ExitCode, Error> {
    let counts = callgrind::count(STAGES)?;
    Baselines::of(&counts, toolchain_file())?.write(baselines_file())?;
    for (stage, count) in &counts {
        writeln!(io::stdout(), "{stage:<32} {count:>10.1}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn baselines_file() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/baselines.toml"))
}

fn toolchain_file() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rust-toolchain.toml"))
}

//! `vpclab apply`.

use std::io::IsTerminal as _;

use owo_colors::OwoColorize as _;

use crate::args::low::Apply;
use crate::error::{Answer, Error};
use crate::output::Out;
use crate::running::Running;
use crate::world;

/// Puts a lab file in force in the running lab of its name.
///
/// # Errors
///
/// A file that cannot be read, a lab that does not run, a change that the system refuses. Findings are a no.
pub(crate) fn run(args: &Apply, out: Out<'_>) -> Result<Answer, Error> {
    let name = args.file.display().to_string();
    let text = world::read(&args.file)?;
    let look = world::look(std::io::stdout().is_terminal());
    let (valid, warnings) = match import::load(&name, &text) {
        Ok(loaded) => loaded,
        Err(findings) => {
            write!(out, "{}", import::render(&findings, &name, &text, look))?;
            writeln!(out, "{name}: refused, the running lab is as it was")?;
            return Ok(Answer::No);
        }
    };
    write!(out, "{}", import::render(&warnings, &name, &text, look))?;
    let lab = &valid.lab().name;
    let mut running = Running::connect(Some(lab))?;
    let applied = running.apply(name, text)?;
    for change in &applied.changes {
        writeln!(out, "{change}")?;
    }
    for note in &applied.notes {
        writeln!(out, "{} {note}", "note:".yellow())?;
    }
    let what = if applied.changes.is_empty() { "nothing to change" } else { "changed" };
    writeln!(out, "lab {lab}: {what}, generation {}", applied.generation)?;
    Ok(Answer::Yes)
}

//! `vpclab down`.

use daemon::{Dirs, Down as Fate, State};

use crate::args::low::Down;
use crate::error::{Answer, Error};
use crate::output::Out;
use crate::running;

/// Takes a lab down; no if there is nothing of it.
///
/// # Errors
///
/// [`Error::Refused`] with every failure; what could be removed is gone.
pub(crate) fn run(args: &Down, out: Out<'_>) -> Result<Answer, Error> {
    let lab = match &args.lab.lab {
        Some(lab) => lab.clone(),
        None => only()?,
    };
    let fate = daemon::down(&Dirs::default(), &lab)
        .map_err(|error| Error::Refused(format!("lab {lab}: {error}")))?;
    let (text, answer) = match fate {
        Fate::CleanedUp => ("was killed before; what it left behind is gone now", Answer::Yes),
        Fate::Ended => ("is down", Answer::Yes),
        Fate::NotThere => ("is not there", Answer::No),
    };
    writeln!(out, "lab {lab} {text}")?;
    Ok(answer)
}

/// The only lab of which something is there, dead ones included.
fn only() -> Result<String, Error> {
    let labs = running::labs()?.into_iter().filter(|(_, state)| *state != State::Absent);
    let names: Vec<String> = labs.map(|(name, _)| name).collect();
    match &names[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::Refused("no lab is running".to_owned())),
        several => Err(Error::Usage(format!("there are several labs, name one: {}", several.join(", ")))),
    }
}

//! `vpclab exec`.

use std::convert::Infallible;
use std::os::unix::process::CommandExt as _;

use daemon::Dirs;

use crate::args::low::Exec;
use crate::error::{Answer, Error};

/// Becomes the program, so that terminal, signals and exit status are its own.
///
/// # Errors
///
/// An instance or host that no running lab has, or a program that cannot be started.
pub(crate) fn run(args: &Exec) -> Result<Answer, Error> {
    become_program(args).map(|never| match never {})
}

fn become_program(args: &Exec) -> Result<Infallible, Error> {
    let command = daemon::exec::command(&Dirs::default(), args.lab.as_deref(), &args.instance, &args.command);
    let mut command = command.map_err(|error| Error::Refused(error.to_string()))?;
    let error = command.exec();
    let program = command.get_program().display();
    Err(Error::Refused(format!("cannot run {program} in {}: {error}", args.instance)))
}

//! `vpclab peering`.

use daemon::protocol::PeeringRow;

use crate::args::high::Peering;
use crate::args::low::Output;
use crate::error::{Answer, Error};
use crate::output::{self, Out};
use crate::running::Running;

/// Asks something of a peering connection and says what became of it; no if it has failed.
///
/// # Errors
///
/// A lab that does not run, or a request that its state does not allow.
pub(crate) fn run(args: &Peering, out: Out<'_>) -> Result<Answer, Error> {
    let peering = Running::connect(args.lab.as_deref())?.change_peering(args.change.clone())?;
    match args.output {
        Output::Json => output::json(out, &peering)?,
        Output::Table => writeln!(out, "{}", sentence(&peering))?,
    }
    Ok(if peering.status == "failed" { Answer::No } else { Answer::Yes })
}

fn sentence(peering: &PeeringRow) -> String {
    let PeeringRow { name, id, requester, accepter, status, message, .. } = peering;
    let why = message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
    format!("peering connection {name} ({id}) of {requester} and {accepter} is {status}{why}")
}

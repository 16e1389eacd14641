//! `vpclab drops`.

use daemon::protocol::DropRow;
use std::time::Duration;

use crate::args::low::{Drops, Output};
use crate::error::{Answer, Error};
use crate::output::{self, Out};
use crate::running::{self, Running};

/// How often new ones are asked for.
const EVERY: Duration = Duration::from_millis(500);

/// Lists dropped packets, and with `-f` each new one.
///
/// # Errors
///
/// A lab that does not run, or ends while it is followed.
pub(crate) fn run(args: &Drops, out: Out<'_>) -> Result<Answer, Error> {
    let mut running = Running::connect(args.lab.lab.as_deref())?;
    let mut seen = running.drops()?;
    if !args.follow {
        output::rows(out, args.format.output, &seen)?;
        return Ok(Answer::Yes);
    }
    follow(out, args.format.output, &seen)?;
    loop {
        running::pause(EVERY);
        let now = running.drops()?;
        follow(out, args.format.output, fresh(&seen, &now))?;
        seen = now;
    }
}

/// The rows of `now` that come after all of `seen`. The daemon keeps the latest few, so the oldest of `seen` may be gone.
pub(crate) fn fresh<'a>(seen: &[DropRow], now: &'a [DropRow]) -> &'a [DropRow] {
    let Some(last) = seen.last() else { return now };
    let known = now.iter().rposition(|row| row == last);
    // Rows of several workers can come late: what is older than the newest one known was there, or was lost.
    let from = known.map_or_else(|| now.partition_point(|row| row.at <= last.at), |at| at + 1);
    &now[from..]
}

fn follow(out: Out<'_>, output: Output, rows: &[DropRow]) -> Result<(), Error> {
    for row in rows {
        match output {
            Output::Json => output::json_line(out, row)?,
            Output::Table => writeln!(out, "{}", output::line(row))?,
        }
    }
    Ok(out.flush()?)
}

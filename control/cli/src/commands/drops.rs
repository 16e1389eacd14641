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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: u64, from: &str) -> DropRow {
        DropRow {
            at,
            from: from.to_owned(),
            source: "10.0.1.10".to_owned(),
            destination: "10.0.2.10".to_owned(),
            protocol: 6,
            source_port: 40_000,
            destination_port: 22,
            length: 60,
            reason: "ENI_SG_RULES_MISMATCH".to_owned(),
            sentence: String::new(),
            gate: None,
            decided_by: Vec::new(),
        }
    }

    #[test]
    fn only_rows_after_the_last_one_seen_are_new() {
        let all = [row(1, "a"), row(2, "b"), row(3, "c")];
        assert_eq!(fresh(&[], &all), all);
        assert_eq!(fresh(&all[..2], &all), &all[2..]);
        assert_eq!(fresh(&all, &all), []);
        // The last one seen was pushed out by later ones.
        assert_eq!(fresh(&all[..1], &all[1..]), &all[1..]);
    }
}

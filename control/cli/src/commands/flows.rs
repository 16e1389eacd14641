//! `vpclab flows`.

use daemon::protocol::FlowRow;

use crate::args::low::Flows;
use crate::error::{Answer, Error};
use crate::output::{self, Out, Row, joined};
use crate::records;
use crate::running::Running;

/// Lists live sessions, one row for each direction.
///
/// # Errors
///
/// A lab that does not run.
pub(crate) fn run(args: &Flows, out: Out<'_>) -> Result<Answer, Error> {
    let flows = Running::connect(args.lab.lab.as_deref())?.flows(args.limit)?;
    output::rows(out, args.format.output, &flows)?;
    Ok(Answer::Yes)
}

impl Row for FlowRow {
    const COLUMNS: &'static [&'static str] =
        &["from", "to", "packet", "state", "packets", "bytes", "expires", "decided by"];
    const NUMBERS: &'static [usize] = &[4, 5, 6];

    fn cells(&self) -> Vec<String> {
        let ends = (&*self.source, &*self.destination);
        vec![
            self.from.clone(),
            joined(&self.to),
            joined(records::tuple_of(ends, (self.source_port, self.destination_port), self.protocol)),
            self.state.clone(),
            self.packets.to_string(),
            self.bytes.to_string(),
            format!("{} s", self.expires_in),
            joined(&self.decided_by),
        ]
    }
}

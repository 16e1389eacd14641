//! What is wanted: options put together, words turned into values, contradictions refused.

use std::path::PathBuf;
use std::time::Duration;

use daemon::protocol::{PeeringChange, PeeringStep};

use super::low;
use crate::error::Error;
use crate::explain::matrix::Verify;
use crate::explain::question::{Question, Traffic};
use crate::place::Family;
use crate::world::Source;

/// `bench`.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) plan: bench::Plan,
    pub(crate) plot: Option<PathBuf>,
    pub(crate) output: low::Output,
}

impl Bench {
    pub(crate) fn of(low: low::Bench) -> Self {
        let form = match (low.quick, low.full) {
            (true, _) => bench::Form::Quick,
            (false, true) => bench::Form::Full,
            (false, false) => bench::Form::Default,
        };
        // The matrix alone, unless something else is asked for too.
        let nothing_else = low.matrix && !low.full;
        let loads = match low.only.is_empty() {
            true if nothing_else => Vec::new(),
            true => form.loads().to_vec(),
            // In the order of the report, each once.
            false => bench::Load::ALL.into_iter().filter(|load| low.only.contains(load)).collect(),
        };
        let plan = bench::Plan {
            form,
            rounds: low.rounds.map_or_else(|| form.rounds(), usize::from),
            seconds: low.seconds,
            loads,
            matrix: low.matrix || (low.full && low.only.is_empty()),
            others: if low.full { bench::System::others() } else { Vec::new() },
            placement: low.placement,
            workers: low.workers,
            io: low.io.word().to_owned(),
            journal: low.resume,
        };
        Self { plan, plot: low.plot, output: low.format.output }
    }
}

/// `explain`.
#[derive(Debug)]
pub(crate) struct Explain {
    pub(crate) source: Source,
    pub(crate) ask: Ask,
    pub(crate) verify: Verify,
    pub(crate) output: low::Output,
}

/// What `explain` is asked.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The newest dropped packet, of this interface if one is named.
    LastDrop(Option<String>),
    /// All pairs of instances.
    Matrix(Traffic, Option<Family>),
    /// One packet.
    Packet(Question),
}

impl Explain {
    /// # Errors
    ///
    /// [`Error::Usage`] for options that do not go together.
    pub(crate) fn of(low: low::Explain) -> Result<Self, Error> {
        let family = low.ipv6.then_some(Family::V6);
        let ask = match (low.last_drop, low.matrix, low.from, low.to) {
            (Some(interface), _, _, _) => Ask::LastDrop(interface),
            (None, Some(word), _, _) => Ask::Matrix(Traffic::of_word(&word)?, family),
            (None, None, Some(from), Some(to)) => Ask::Packet(Question {
                from,
                to,
                traffic: Traffic::of(low.proto.as_deref(), low.port, low.icmp_type, low.icmp_code)?,
                source_port: low.source_port,
                source_address: low.source_address,
                family,
            }),
            (None, None, _, _) => return Err(Error::Usage("explain needs --from and --to".to_owned())),
        };
        let source = Source::of(low.lab);
        if let (Ask::LastDrop(_), Source::File(_)) = (&ask, &source) {
            return Err(Error::Usage("--last-drop asks a running lab, not a lab file".to_owned()));
        }
        let verify = if low.verify { Verify::Yes } else { Verify::No };
        Ok(Self { source, ask, verify, output: low.format.output })
    }
}

/// `peering`.
#[derive(Debug)]
pub(crate) struct Peering {
    pub(crate) lab: Option<String>,
    pub(crate) change: PeeringChange,
    pub(crate) output: low::Output,
}

impl Peering {
    pub(crate) fn of(low: low::Peering) -> Self {
        let answer = |low: low::PeeringName, step| Self {
            lab: low.lab.lab,
            change: PeeringChange { name: low.name, step },
            output: low.format.output,
        };
        match low.verb {
            low::PeeringVerb::Accept(low) => answer(low, PeeringStep::Accept),
            low::PeeringVerb::Delete(low) => answer(low, PeeringStep::Delete),
            low::PeeringVerb::Reject(low) => answer(low, PeeringStep::Reject),
            low::PeeringVerb::Request(low) => {
                let between = low.requester.zip(low.accepter);
                let step = PeeringStep::Request { between, automatic: low.auto_accept };
                let low = low::PeeringName { name: low.name, lab: low.lab, format: low.format };
                answer(low, step)
            }
        }
    }
}

/// `show`.
#[derive(Debug)]
pub(crate) struct Show {
    pub(crate) source: Source,
    pub(crate) kind: low::ShowKind,
    pub(crate) output: low::Output,
}

impl Show {
    pub(crate) fn of(low: low::Show) -> Self {
        let source = low.file.map_or(Source::Running(low.lab.lab), Source::File);
        Self { source, kind: low.kind, output: low.format.output }
    }
}

/// `test`.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) file: PathBuf,
    pub(crate) junit: Option<PathBuf>,
    /// A running lab, or the lab file that must be in force.
    pub(crate) source: Source,
    pub(crate) timeout: Duration,
    pub(crate) output: low::Output,
}

impl Test {
    pub(crate) fn of(low: low::Test) -> Self {
        let source = match low.lab {
            Some(name) => Source::Running(Some(name)),
            None => Source::of(low.lab_file),
        };
        let timeout = Duration::from_millis(low.timeout);
        Self { file: low.file, junit: low.junit, source, timeout, output: low.format.output }
    }
}

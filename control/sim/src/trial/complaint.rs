//! What did not agree in a trial.

use engine::DropReason;

use crate::Fate;

/// What did not agree.
#[derive(Debug, thiserror::Error)]
pub enum Complaint {
    /// A packet arrived changed.
    #[error("`{packet}` arrived changed: {why}")]
    Changed {
        /// The packet.
        packet: String,
        /// What is different.
        why: String,
    },
    /// Engine and oracle name other rules, entries or routes.
    #[error("`{packet}`: the engine was decided by {engine:?}, the oracle by {oracle:#?}")]
    DecidedBy {
        /// The packet.
        packet: String,
        /// Ids that the engine names.
        engine: Vec<String>,
        /// Steps of the oracle.
        oracle: Vec<oracle::Step>,
    },
    /// A world with several workers did something else than that with one.
    #[error("{what}: one worker says\n{one}\nand {workers} say\n{many}")]
    Divided {
        /// What is compared.
        what: &'static str,
        /// The number of workers of the other world.
        workers: usize,
        /// What one worker does.
        one: String,
        /// What they do.
        many: String,
    },
    /// Other ICMP errors than the oracle wants.
    #[error("ICMP errors: expected {expected}, found {found}; {why}")]
    Errors {
        /// The errors that must be sent.
        expected: String,
        /// Those that were.
        found: String,
        /// What the oracle says about it.
        why: String,
    },
    /// Another number of fragments is kept.
    #[error("{counted} fragments are held, {expected} should be")]
    Held {
        /// By the engines' counters.
        counted: u64,
        /// By the trial's own account.
        expected: u64,
    },
    /// A counter of drops is wrong.
    #[error("{} counts {counted} packets, {seen} were seen to be dropped", .reason.code())]
    Miscounted {
        /// Which counter.
        reason: DropReason,
        /// What it says.
        counted: u64,
        /// What was seen.
        seen: u64,
    },
    /// Engine and oracle disagree on where a packet ends.
    #[error("`{packet}`: the engine says {engine}, the oracle {oracle:#?}")]
    Outcome {
        /// The packet.
        packet: String,
        /// What the engines did.
        engine: String,
        /// What the oracle says.
        oracle: Box<oracle::Verdict>,
    },
    /// Flow logs count something else than they must.
    #[error("with {workers} workers, flow logs count for {key}: {found}; they must count {expected}")]
    Records {
        /// The number of workers.
        workers: usize,
        /// Interface, direction, verdict, path and tuple.
        key: String,
        /// Totals of the engines' events.
        found: String,
        /// Totals of the oracle's records.
        expected: String,
    },
    /// Another number of fragments than waited came free.
    #[error("{found} fragments came free, {expected} had waited")]
    Released {
        /// How many had waited.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// The accounting identity does not hold.
    #[error("{in_flight} packets have neither ended nor are they held")]
    Unaccounted {
        /// Their number.
        in_flight: i128,
    },
    /// A packet that no policy sees ended in another way.
    #[error("expected {expected:?} before any policy, found {found:?}")]
    Unseen {
        /// How it must end.
        expected: Fate,
        /// How it did.
        found: Fate,
    },
}

//! All flow logs of a lab.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use engine::{Event, TapEvent, Time};
use snapshot::Snapshot;

use crate::log::Log;
use crate::observed::directory;

/// One line of a flow log, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `fl-` id.
    pub flow_log: Arc<str>,
    /// Where it is appended.
    pub file: Arc<Path>,
    /// The record.
    pub text: String,
}

/// All flow logs of a lab, fed by its workers.
///
/// - input: [`Self::handle_snapshot`], [`Self::handle_event`], [`Self::finish`]
/// - output: [`Self::poll_line`], after every input until it has no more
///
/// Windows begin at multiples of their interval since the Unix epoch. A window is emitted once every worker has
/// reported past its end; windows come out by their end, then by flow-log id, and within a window lines are ordered by
/// interface id, first packet, tuple, direction, verdict and path. So the lines do not depend on the number of workers.
#[derive(Debug)]
pub struct FlowLogs {
    /// Per worker, the time before which it has reported everything.
    flushed: Vec<Time>,
    /// By id; of equal ids, the older first.
    logs: Vec<Log>,
    ready: VecDeque<Line>,
}

impl FlowLogs {
    /// Expects `workers` sources of events, none with anything to tell about the time before `start`.
    #[must_use]
    pub fn new(workers: usize, start: Time) -> Self {
        Self { flushed: vec![start; workers], logs: Vec::new(), ready: VecDeque::new() }
    }

    /// Takes the flow logs of a newly published snapshot, in force from `now` on.
    ///
    /// A flow log that is only covering other interfaces than before keeps its open windows; interfaces that came under
    /// it are observed from now on (FL-02). Any other change makes it a new flow log, and the old one ends (FL-05): it
    /// still takes events about packets before `now` and is emitted once every worker has reported past `now`.
    /// Records of one window that span a change of an interface's addresses come in two parts.
    pub fn handle_snapshot(&mut self, snapshot: &Snapshot, now: Time) {
        let wanted = &snapshot.spec().flow_logs;
        for log in &mut self.logs {
            if !wanted.iter().any(|spec| log.is_running(spec)) {
                log.close(now);
            }
        }
        let directory = directory(snapshot);
        for spec in wanted {
            match self.logs.iter_mut().find(|log| log.is_running(spec)) {
                Some(log) => log.cover(spec, &directory, now),
                None => {
                    let mut log = Log::new(spec, now);
                    log.cover(spec, &directory, now);
                    self.logs.push(log);
                }
            }
        }
        // Stable: a flow log that ended stays before the one that took its id.
        self.logs.sort_by(|a, b| a.id().cmp(b.id()));
    }

    /// Takes an event of one worker, numbered from 0.
    ///
    /// # Panics
    ///
    /// If there is no such worker.
    pub fn handle_event(&mut self, worker: usize, event: &Event) {
        match event {
            Event::Flushed(until) => self.flushed[worker] = self.flushed[worker].max(*until),
            Event::Tap(tap) => self.handle_tap(tap),
            Event::Skipped { interface, at, .. } => {
                self.logs.iter_mut().for_each(|log| log.handle_skip(*interface, *at));
            }
        }
    }

    /// The next line that will not change any more.
    ///
    /// Flows seen give a line each. A covered interface for which a flow log has no record in a window gives a NODATA
    /// line in that log (FL-39); traffic that the log's filter leaves out is no record. Lost records give one SKIPDATA
    /// line per interface and window. Both show the part of the window during which the interface was covered.
    pub fn poll_line(&mut self) -> Option<Line> {
        while self.ready.is_empty() {
            let known = self.flushed.iter().copied().min().unwrap_or_default();
            let due = self.logs.iter_mut().filter(|log| log.due() <= known);
            let log = due.min_by(|a, b| (a.due(), a.id()).cmp(&(b.due(), b.id())))?;
            self.ready.extend(log.emit_window());
            self.logs.retain(|log| !log.is_done());
        }
        self.ready.pop_front()
    }

    /// Ends all flow logs; [`Self::poll_line`] then gives what is left. Call it after the workers' last events.
    pub fn finish(&mut self, now: Time) {
        self.logs.iter_mut().for_each(|log| log.close(now));
        self.flushed.fill(Time(u64::MAX));
    }

    /// Gives a report to every flow log, but only once to one that ended and the one that took its id.
    fn handle_tap(&mut self, tap: &TapEvent) {
        let mut taken = None;
        for log in &mut self.logs {
            if taken != Some(log.id()) && log.handle_tap(tap) {
                taken = Some(log.id());
            }
        }
    }
}

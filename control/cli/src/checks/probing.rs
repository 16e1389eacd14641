//! Real probes between instances, a few at a time, and what the data plane says about those that got no answer.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use daemon::Dirs;
use daemon::protocol::DropRow;
use serde::de::DeserializeOwned;
use wire::FiveTuple;

use super::answer::Answer;
use super::plan::{Job, Target};
use crate::commands::drops::fresh;
use crate::error::Error;
use crate::probe::{Listening, Outcome, Reply};
use crate::records;
use crate::running::Running;

/// Probes under way at once: each is a process or two.
const AT_ONCE: usize = 8;

/// How much longer than its own limit a process may take, on a machine that is busy.
const GRACE: Duration = Duration::from_secs(10);

/// What became of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It arrived; with a remark where that is not plain.
    Arrived(Option<&'static str>),
    /// The probe itself failed, or its answer did, without a drop on record.
    Failed(String),
    /// The data plane dropped the probe.
    Refused(Box<DropRow>),
    /// The data plane dropped the answer.
    ReplyDropped(Box<DropRow>),
}

/// A probe that was made.
#[derive(Clone, Debug)]
pub(crate) struct Probed {
    pub(crate) seen: Seen,
    /// The source port that the sender's kernel chose, or the echo identifier.
    pub(crate) source_port: u16,
}

/// How probes are made.
#[derive(Clone, Debug)]
pub(crate) struct Prober {
    /// The running lab.
    pub(crate) lab: String,
    /// How long to wait for an answer.
    pub(crate) timeout: Duration,
    program: PathBuf,
}

impl Prober {
    /// Probes with this very program.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] if the program does not know where it is.
    pub(crate) fn new(lab: String, timeout: Duration) -> Result<Self, Error> {
        Ok(Self { lab, timeout, program: std::env::current_exe()? })
    }

    /// Makes all probes; the answers are in the order of the jobs.
    ///
    /// # Errors
    ///
    /// The daemon no longer answers.
    pub(crate) fn probe(&self, jobs: &[Job<'_>]) -> Result<Vec<Probed>, Error> {
        let groups: Vec<Vec<usize>> = by_listener(jobs).into_values().collect();
        let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        thread::scope(|scope| {
            let work = || {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let probed = self.probe_group(jobs, group);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.extend(group.iter().copied().zip(probed));
                }
            };
            let workers: Vec<_> = (0..groups.len().min(AT_ONCE)).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().ok();
            }
        });
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_values().collect()
    }

    /// Probes that share a listener, one after the other.
    fn probe_group(&self, jobs: &[Job<'_>], group: &[usize]) -> Vec<Result<Probed, Error>> {
        let Some(first) = group.first().and_then(|at| jobs.get(*at)) else { return Vec::new() };
        let listener = match self.listen(first, group.len()) {
            Ok(listener) => listener,
            Err(text) => {
                let failed = || Ok(Probed { seen: Seen::Failed(text.clone()), source_port: 0 });
                return group.iter().map(|_| failed()).collect();
            }
        };
        group.iter().filter_map(|at| jobs.get(*at)).map(|job| self.probe_one(job, &listener)).collect()
    }

    fn probe_one(&self, job: &Job<'_>, listener: &Listener) -> Result<Probed, Error> {
        let mut running = Running::connect(Some(&self.lab))?;
        let before = running.drops()?;
        let outcome = match self.send(job) {
            Ok(outcome) => outcome,
            Err(text) => return Ok(Probed { seen: Seen::Failed(text), source_port: 0 }),
        };
        let now = running.drops()?;
        let answer = job.answer(sent(job, outcome.source_port));
        let seen = classify(&outcome, &answer, fresh(&before, &now), listener);
        Ok(Probed { seen, source_port: outcome.source_port })
    }

    fn send(&self, job: &Job<'_>) -> Result<Outcome, String> {
        let tuple = job.packet.parsed.tuple;
        let mut arguments = self.end("send", tuple.src, job, self.timeout);
        arguments.extend(["--to".into(), tuple.dst.to_string().into()]);
        let mut process = self.start(job.packet.at.machine(), &arguments)?;
        process.line(self.timeout + GRACE)
    }

    /// Somebody who answers in the target, if a probe of this kind needs one and the target is ours.
    fn listen(&self, job: &Job<'_>, probes: usize) -> Result<Listener, String> {
        let (Some(target), Some(_)) = (job.target, job.listens()) else { return Ok(Listener::Nobody) };
        let probes = u32::try_from(probes).unwrap_or(u32::MAX);
        let limit = (self.timeout + GRACE).saturating_mul(probes).saturating_add(GRACE);
        let arguments = self.end("listen", target.address, job, limit);
        let mut process = self.start(target.end.machine(), &arguments)?;
        match process.line(GRACE)? {
            Listening::Ready => Ok(Listener::Ours(process)),
            Listening::Busy => Ok(Listener::Program),
            Listening::Failed(why) => Err(format!("cannot listen in {}: {why}", target.end.machine())),
        }
    }

    fn end(&self, role: &str, address: IpAddr, job: &Job<'_>, limit: Duration) -> Vec<OsString> {
        let tuple = job.packet.parsed.tuple;
        let port = job.listens().unwrap_or(0);
        let values = [
            ("--proto", tuple.proto.to_string()),
            ("--address", address.to_string()),
            ("--port", port.to_string()),
            ("--timeout", limit.as_millis().to_string()),
        ];
        let mut arguments: Vec<OsString> = vec![self.program.clone().into(), "probe".into(), role.into()];
        arguments.extend(values.into_iter().flat_map(|(name, value)| [name.into(), value.into()]));
        arguments
    }

    fn start(&self, machine: &str, arguments: &[OsString]) -> Result<Process, String> {
        let command = daemon::exec::command(&Dirs::default(), Some(&self.lab), machine, arguments);
        let mut command = command.map_err(|error| error.to_string())?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("cannot probe in {machine}: {error}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok(Process { child, stdin, stdout })
    }
}

/// Where a listener is: id of the interface or host, address, protocol and port. Jobs without one have their own position.
type Seat<'a> = (Option<(&'a str, IpAddr, u8, u16)>, usize);

/// Jobs that need the same listener, in the order of the file.
fn by_listener<'a>(jobs: &'a [Job<'_>]) -> BTreeMap<Seat<'a>, Vec<usize>> {
    let mut groups: BTreeMap<Seat<'a>, Vec<usize>> = BTreeMap::new();
    for (at, job) in jobs.iter().enumerate() {
        let tuple = job.packet.parsed.tuple;
        let seat = |(to, port): (Target<'a>, u16)| (to.end.id(), to.address, tuple.proto, port);
        let key = job.target.zip(job.listens()).map(seat);
        groups.entry((key, if key.is_some() { 0 } else { at })).or_default().push(at);
    }
    groups
}

/// Who answers.
enum Listener {
    /// Nobody that we know of, or the kernel.
    Nobody,
    /// Our own end, for as long as this lives.
    Ours(#[expect(dead_code, reason = "held so that the process lives")] Process),
    /// A program of the lab.
    Program,
}

/// The tuple of a probe on its way.
fn sent(job: &Job<'_>, source_port: u16) -> FiveTuple {
    let tuple = job.packet.parsed.tuple;
    let has_source_port = tuple.has_ports() || tuple.is_icmp();
    FiveTuple { src_port: if has_source_port { source_port } else { tuple.src_port }, ..tuple }
}

/// What became of a probe, from what its sender saw and what was dropped meanwhile.
fn classify(outcome: &Outcome, answer: &Answer, drops: &[DropRow], listener: &Listener) -> Seen {
    let newest = |wanted: &dyn Fn(FiveTuple) -> bool| {
        drops.iter().rev().find(|row| records::tuple(row).is_some_and(wanted))
    };
    match &outcome.answer {
        Reply::Answered => return Seen::Arrived(None),
        Reply::Refused => return Seen::Arrived(Some("nothing listens there")),
        Reply::Failed(_) | Reply::Silence => {}
    }
    // Whoever answers has received.
    if let Some(row) = newest(&|tuple| answer.is(tuple)) {
        return Seen::ReplyDropped(Box::new(row.clone()));
    }
    if let Some(row) = newest(&|tuple| tuple == answer.to) {
        return Seen::Refused(Box::new(row.clone()));
    }
    match (&outcome.answer, listener) {
        (Reply::Failed(why), _) => Seen::Failed(why.clone()),
        (_, Listener::Program) if answer.to.proto == wire::proto::UDP => {
            Seen::Arrived(Some("the program there did not answer"))
        }
        _ => Seen::Failed("no answer, and no drop on record".to_owned()),
    }
}

/// One end of a probe. It ends when its standard input closes, and is killed if it does not.
struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
}

impl Process {
    /// Its first line, if that comes in time.
    fn line<T: DeserializeOwned>(&mut self, limit: Duration) -> Result<T, String> {
        let Some(stdout) = self.stdout.take() else { return Err("a probe says one thing only".to_owned()) };
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout.take(LONGEST_LINE)).read_line(&mut line);
            tell.send(read.map(|_| line)).ok();
        });
        let line = told.recv_timeout(limit).map_err(|_| format!("a probe said nothing within {limit:?}"))?;
        let line = line.map_err(|error| format!("a probe cannot be heard: {error}"))?;
        serde_json::from_str(&line).map_err(|_| "a probe ended without a word".to_owned())
    }
}

/// More than either end ever says.
const LONGEST_LINE: u64 = 64 * 1024;

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Either end has nothing to clean up.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple() -> FiveTuple {
        let address = |text: &str| text.parse().expect("an address");
        FiveTuple {
            src: address("10.0.1.10"),
            dst: address("10.0.2.10"),
            src_port: 40_000,
            dst_port: 5432,
            proto: wire::proto::TCP,
        }
    }

    fn dropped(tuple: FiveTuple) -> DropRow {
        DropRow {
            at: 1,
            from: "x.eth0".to_owned(),
            source: tuple.src.to_string(),
            destination: tuple.dst.to_string(),
            protocol: tuple.proto,
            source_port: tuple.src_port,
            destination_port: tuple.dst_port,
            length: 60,
            reason: "SUBNET_ACL_RESTRICTION".to_owned(),
            sentence: String::new(),
            gate: None,
            decided_by: Vec::new(),
        }
    }

    fn seen(answer: Reply, drops: &[DropRow], listener: &Listener, tuple: FiveTuple) -> Seen {
        classify(&Outcome { answer, source_port: tuple.src_port }, &Answer::plain(tuple), drops, listener)
    }

    #[test]
    fn what_got_no_answer_is_looked_up_among_the_drops() {
        let (there, back) = (dropped(tuple()), dropped(tuple().reversed()));
        let stranger = dropped(FiveTuple { src_port: 40_001, ..tuple() });
        let silent = |drops: &[DropRow]| seen(Reply::Silence, drops, &Listener::Nobody, tuple());
        assert_eq!(silent(&[there.clone(), stranger.clone()]), Seen::Refused(Box::new(there.clone())));
        assert_eq!(silent(&[there, back.clone()]), Seen::ReplyDropped(Box::new(back)));
        assert!(matches!(silent(&[stranger]), Seen::Failed(_)));
    }

    #[test]
    fn an_answer_is_one_whatever_else_was_dropped() {
        let drops = [dropped(tuple())];
        let answered = |answer| seen(answer, &drops, &Listener::Nobody, tuple());
        assert_eq!(answered(Reply::Answered), Seen::Arrived(None));
        assert_eq!(answered(Reply::Refused), Seen::Arrived(Some("nothing listens there")));
    }

    #[test]
    fn a_program_that_does_not_answer_datagrams_has_received_them() {
        let udp = FiveTuple { proto: wire::proto::UDP, ..tuple() };
        let silent = |listener: &Listener, tuple| seen(Reply::Silence, &[], listener, tuple);
        assert!(matches!(silent(&Listener::Program, udp), Seen::Arrived(Some(_))));
        assert!(matches!(silent(&Listener::Nobody, udp), Seen::Failed(_)));
        assert!(matches!(silent(&Listener::Program, tuple()), Seen::Failed(_)));
    }
}

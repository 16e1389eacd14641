//! Supervised programs: the `run` list of each instance.
//!
//! [`Programs`] is driven from outside: it starts and stops processes when told what should run and what time it is, and never
//! waits except in [`Programs::stop`].

mod backoff;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use self::backoff::Backoff;
use self::process::{Ending, Process};
use crate::dirs::Dirs;
use crate::error::{Collector, Error, Errors};
use crate::plan::{Namespace, Plan};

/// The supervised programs of one lab. Dropping it kills them.
///
/// - input: [`Self::set`], [`Self::poll`], [`Self::stop`]
/// - output: the events that these return, [`Self::status`], [`Self::poll_timeout`]
#[derive(Debug)]
pub struct Programs {
    logs: PathBuf,
    list: BTreeMap<Key, Program>,
}

/// What `ps` shows of one program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramStatus {
    /// Name of the instance.
    pub instance: String,
    /// Place in the instance's `run` list, from 0.
    pub number: usize,
    /// The shell command line.
    pub command: String,
    /// Where its output goes.
    pub log: PathBuf,
    /// How often it was started again after it had ended.
    pub restarts: u32,
    /// What it is doing.
    pub state: ProgramState,
}

/// What a supervised program is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramState {
    /// It runs.
    Running {
        /// Process id of its shell, and id of its process group.
        pid: u32,
    },
    /// It has not been started yet, or it ended and will be started again.
    Waiting {
        /// How it ended or why it could not be started.
        reason: Option<String>,
    },
}

/// Something that happened to a program.
#[derive(Debug)]
pub enum ProgramEvent {
    /// It ended and will be started again.
    Ended {
        /// Name of the instance.
        instance: String,
        /// Place in the instance's `run` list, from 0.
        number: usize,
        /// How, such as `exit status: 1`.
        how: String,
    },
    /// It could not be started; that will be tried again.
    Failed(Error),
    /// It runs.
    Started {
        /// Name of the instance.
        instance: String,
        /// Place in the instance's `run` list, from 0.
        number: usize,
        /// Process id of its shell.
        pid: u32,
    },
}

/// A program is the same as long as its instance, its place in the list and its command line are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    instance: String,
    number: usize,
    command: String,
    instance_id: String,
}

#[derive(Debug)]
struct Program {
    namespace: String,
    log: PathBuf,
    restarts: u32,
    backoff: Backoff,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Running { process: Process, since: Instant },
    Waiting { until: Instant, reason: Option<String> },
}

impl Programs {
    /// Supervises nothing yet.
    #[must_use]
    pub fn new(dirs: &Dirs, lab: &str) -> Self {
        Self { logs: dirs.logs_of(lab), list: BTreeMap::new() }
    }

    /// Makes the programs of the plan the ones that run: others are stopped, new ones start with the next [`Self::poll`], and
    /// the rest is left alone.
    ///
    /// In a change this comes after [`crate::LiveLab::begin`], when new namespaces are there, and before
    /// [`crate::LiveLab::finish`], which would end the programs of old ones without telling this supervisor.
    ///
    /// # Errors
    ///
    /// Every program that could not be stopped.
    pub fn set(&mut self, plan: &Plan, now: Instant) -> Result<(), Errors> {
        let wanted: BTreeMap<Key, &Namespace> = plan.namespaces.values().flat_map(keys).collect();
        let unwanted = self.list.extract_if(.., |key, _| !wanted.contains_key(key)).collect();
        for (key, namespace) in wanted {
            let log = self.logs.join(format!("{}-{}.log", key.instance, key.number));
            self.list.entry(key).or_insert_with(|| Program::new(namespace.name.clone(), log, now));
        }
        stop_all(unwanted)
    }

    /// Starts what is due and notices what has ended.
    pub fn poll(&mut self, now: Instant) -> Vec<ProgramEvent> {
        self.list.iter_mut().filter_map(|(key, program)| program.poll(key, now)).collect()
    }

    /// When [`Self::poll`] next has something to start. That a program ends shows only by polling.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = |program: &Program| match program.phase {
            Phase::Running { .. } => None,
            Phase::Waiting { until, .. } => Some(until),
        };
        self.list.values().filter_map(due).min()
    }

    /// Every program, by instance and place.
    #[must_use]
    pub fn status(&self) -> Vec<ProgramStatus> {
        self.list.iter().map(|(key, program)| program.status(key)).collect()
    }

    /// Ends every program, first politely. Returns when all are gone, after a few seconds at most.
    ///
    /// # Errors
    ///
    /// Every program that could not be stopped.
    pub fn stop(&mut self) -> Result<(), Errors> {
        stop_all(std::mem::take(&mut self.list))
    }
}

impl Program {
    fn new(namespace: String, log: PathBuf, now: Instant) -> Self {
        let phase = Phase::Waiting { until: now, reason: None };
        Self { namespace, log, restarts: 0, backoff: Backoff::default(), phase }
    }

    fn poll(&mut self, key: &Key, now: Instant) -> Option<ProgramEvent> {
        match &mut self.phase {
            Phase::Running { process, since } => {
                let how = process.ending()?;
                let until = now + self.backoff.ended(now.saturating_duration_since(*since));
                let event = event_of(key, &how);
                self.phase = Phase::Waiting { until, reason: Some(how.to_string()) };
                Some(event)
            }
            Phase::Waiting { until, .. } if *until > now => None,
            Phase::Waiting { reason, .. } => {
                self.restarts += u32::from(reason.is_some());
                Some(self.start(key, now))
            }
        }
    }

    fn start(&mut self, key: &Key, now: Instant) -> ProgramEvent {
        let (instance, number) = (key.instance.clone(), key.number);
        match Process::start(key, &self.namespace, &self.log) {
            Ok(process) => {
                let pid = process.pid();
                self.phase = Phase::Running { process, since: now };
                ProgramEvent::Started { instance, number, pid }
            }
            Err(error) => {
                let until = now + self.backoff.ended(std::time::Duration::ZERO);
                self.phase = Phase::Waiting { until, reason: Some(error.to_string()) };
                ProgramEvent::Failed(error)
            }
        }
    }

    fn status(&self, key: &Key) -> ProgramStatus {
        ProgramStatus {
            instance: key.instance.clone(),
            number: key.number,
            command: key.command.clone(),
            log: self.log.clone(),
            restarts: self.restarts,
            state: match &self.phase {
                Phase::Running { process, .. } => ProgramState::Running { pid: process.pid() },
                Phase::Waiting { reason, .. } => ProgramState::Waiting { reason: reason.clone() },
            },
        }
    }
}

fn keys(namespace: &Namespace) -> impl Iterator<Item = (Key, &Namespace)> {
    namespace.programs.iter().enumerate().map(move |(number, command)| {
        let (instance, instance_id) = (namespace.instance.clone(), namespace.instance_id.clone());
        (Key { instance, number, command: command.clone(), instance_id }, namespace)
    })
}

fn event_of(key: &Key, how: &Ending) -> ProgramEvent {
    ProgramEvent::Ended { instance: key.instance.clone(), number: key.number, how: how.to_string() }
}

fn stop_all(list: BTreeMap<Key, Program>) -> Result<(), Errors> {
    let running = list.into_iter().filter_map(|(key, program)| match program.phase {
        Phase::Running { process, .. } => Some((key, process)),
        Phase::Waiting { .. } => None,
    });
    let mut failures = Collector::default();
    for failure in process::stop(running.collect()) {
        failures.push(failure);
    }
    failures.finish(())
}

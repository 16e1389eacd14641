//! What the workers are asked.

use std::sync::mpsc;

use engine::{Counters, DropRecord, Engine, FlowRecord, NatCounters};
use snapshot::InterfaceIx;

use super::{ANSWER, Runtime};
use crate::trouble::RuntimeError;
use crate::worker::Command;

impl Runtime {
    /// Where all packets ended, summed over the workers.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn counters(&self) -> Result<Counters, RuntimeError> {
        let mut sum = Counters::default();
        for counters in self.ask_all(|engine| engine.counters().clone())? {
            sum.add(&counters);
        }
        Ok(sum)
    }

    /// What each worker has counted at NAT gateways, each under the interface of the gateway.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn nat_gateways(&self) -> Result<Vec<(InterfaceIx, NatCounters)>, RuntimeError> {
        Ok(self.ask_all(|engine| engine.nat_gateways().collect::<Vec<_>>())?.concat())
    }

    /// The latest dropped packets, oldest first.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn drops(&self) -> Result<Vec<DropRecord>, RuntimeError> {
        let mut drops: Vec<_> = self.ask_all(|engine| engine.drops().cloned().collect::<Vec<_>>())?.concat();
        drops.sort_by_key(|drop| drop.at);
        Ok(drops)
    }

    /// Live halves, at most `limit` per worker, ordered by attachment and tuple.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn flows(&self, limit: usize) -> Result<Vec<FlowRecord>, RuntimeError> {
        let mut flows = self.ask_all(move |engine| engine.flows(limit))?.concat();
        flows.sort_by_key(|flow| (flow.from, flow.tuple));
        Ok(flows)
    }

    fn ask_all<T: Send + 'static>(
        &self,
        question: impl Fn(&Engine) -> T + Clone + Send + 'static,
    ) -> Result<Vec<T>, RuntimeError> {
        self.hear_all(|reply| {
            let question = question.clone();
            Command::Ask(Box::new(move |engine| drop(reply.send(question(engine)))))
        })
    }

    /// Gives every worker a command that makes it reply, and waits for all replies.
    pub(super) fn hear_all<T>(
        &self,
        command: impl Fn(mpsc::Sender<T>) -> Command,
    ) -> Result<Vec<T>, RuntimeError> {
        let mut answers = Vec::with_capacity(self.commands.len());
        for worker in 0..self.commands.len() {
            let (reply, answer) = mpsc::channel();
            self.tell(worker, command(reply));
            answers.push(answer);
        }
        answers
            .into_iter()
            .enumerate()
            .map(|(worker, answer)| answer.recv_timeout(ANSWER).map_err(|_| RuntimeError::Silent { worker }))
            .collect()
    }
}

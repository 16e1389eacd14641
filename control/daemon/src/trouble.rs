//! What went wrong beside the packets, for people to read.

use std::collections::VecDeque;

use lab::programs::ProgramEvent;
use runtime::{Part, Trouble};

use crate::labels::Labels;

/// Lines kept: a few screens.
const KEPT: usize = 256;

/// The latest troubles, each once.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// Oldest first, with how often each happened.
    list: VecDeque<(String, u64)>,
}

impl Troubles {
    /// Takes note. What happened before comes to the end and counts once more.
    pub(crate) fn note(&mut self, trouble: impl Into<String>) {
        let trouble = trouble.into();
        let known = self.list.iter().position(|(text, _)| *text == trouble);
        let times = known.and_then(|at| self.list.remove(at)).map_or(0, |(_, times)| times);
        if self.list.len() == KEPT {
            self.list.pop_front();
        }
        self.list.push_back((trouble, times + 1));
    }

    /// Notes each of a list of failures.
    pub(crate) fn note_all(&mut self, failures: impl IntoIterator<Item: ToString>) {
        failures.into_iter().for_each(|failure| self.note(failure.to_string()));
    }

    /// Notes what happened to a program, unless all is well with it.
    pub(crate) fn note_program(&mut self, event: &ProgramEvent) {
        match event {
            ProgramEvent::Ended { instance, number, how } => {
                self.note(format!("program {number} of {instance} ended ({how}) and is started again"));
            }
            ProgramEvent::Failed(error) => self.note(error.to_string()),
            ProgramEvent::Started { .. } => {}
        }
    }

    /// Notes a failure of a device or of the flow-log writer.
    pub(crate) fn note_runtime(&mut self, trouble: &Trouble, labels: &Labels) {
        self.note(words(trouble, labels));
    }

    /// One line each, latest last.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(text, times): &(String, u64)| match times {
            1 => text.clone(),
            _ => format!("{text} ({times} times)"),
        };
        self.list.iter().map(line).collect()
    }
}

/// What a failure of a device or of the flow-log writer is about.
pub(crate) fn words(trouble: &Trouble, labels: &Labels) -> String {
    let error = &trouble.error;
    match trouble.part {
        Part::Device(at) => format!("device of {}: {error}", labels.attachment(at)),
        Part::FlowLogs => format!("flow logs: {error}"),
        Part::Worker(number) => format!("worker {number}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_again_is_counted_and_comes_last() {
        let mut troubles = Troubles::default();
        for trouble in ["a", "b", "a"] {
            troubles.note(trouble);
        }
        assert_eq!(troubles.lines(), ["b", "a (2 times)"]);
    }

    #[test]
    fn only_the_latest_are_kept() {
        let mut troubles = Troubles::default();
        for number in 0..1000 {
            troubles.note(number.to_string());
        }
        let lines = troubles.lines();
        assert_eq!((lines.len(), lines[0].as_str(), lines[255].as_str()), (256, "744", "999"));
    }
}

//! The two hosts of a load.

use std::path::Path;

use crate::agent::Agent;
use crate::error::Error;
use crate::placement::Placement;
use crate::program::{self, Program, inside};
use crate::site::{MatrixSite, Site};

/// A host, and where the programs on it run.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) namespace: &'a str,
    /// None: anywhere.
    processor: Option<usize>,
}

/// Who sends and who receives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<'a> {
    pub(super) left: End<'a>,
    pub(super) right: End<'a>,
}

impl End<'_> {
    /// Starts a program on the host.
    pub(super) fn start(&self, program: &str, arguments: &[&str]) -> Result<Program, Error> {
        Program::start_on(self.processor, inside(self.namespace, program, arguments)?)
    }

    /// Starts an end of a load, which is part of `program`.
    pub(super) fn agent(&self, program: &Path, agent: &Agent) -> Result<Program, Error> {
        Program::start_on(self.processor, program::agent(self.namespace, program, agent)?)
    }
}

impl<'a> Ends<'a> {
    pub(super) fn of(site: &'a Site, placement: Placement) -> Result<Self, Error> {
        let [left, right] = placement.processors()?;
        let left = End { namespace: &site.left, processor: left };
        Ok(Self { left, right: End { namespace: &site.right, processor: right } })
    }

    pub(super) fn of_matrix(site: &'a MatrixSite) -> Self {
        let [left, right] = [&site.left, &site.right].map(|namespace| End { namespace, processor: None });
        Self { left, right }
    }
}

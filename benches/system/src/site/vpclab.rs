//! This very program, brought up as users do.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::Tools;
use crate::error::Error;
use crate::namespace::{forget_lab, name_of};
use crate::policy::{self, FlowLogs};
use crate::program::Program;
use crate::system::System;

/// A lab that runs.
#[derive(Debug)]
pub(super) struct Lab {
    program: PathBuf,
    name: String,
}

impl Lab {
    pub(super) fn up(system: System, flow_logs: FlowLogs, tools: &Tools) -> Result<Self, Error> {
        let name = name_of(system);
        let folder = tools.folder.join(system.name());
        let file = folder.join("lab.yaml");
        let written =
            fs::create_dir_all(&folder).and_then(|()| fs::write(&file, policy::lab(&name, flow_logs)));
        written.map_err(Error::machine(format!("write {}", file.display())))?;
        let mut up = Command::new(&tools.program);
        up.arg("up").arg(&file).args(["--detach", "--io", &tools.io]);
        if let Some(workers) = tools.workers {
            up.args(["--workers", &workers.to_string()]);
        }
        let lab = Self { program: tools.program.clone(), name };
        Program::run(up)?;
        Ok(lab)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let mut down = Command::new(&self.program);
        down.args(["down", &self.name]);
        // What is left is taken away by the next run.
        if let Ok(down) = Program::start(down) {
            let _ = down.finish(DOWN);
        }
        forget_lab(&self.name);
    }
}

/// How long a lab may take to go down.
const DOWN: Duration = Duration::from_secs(30);

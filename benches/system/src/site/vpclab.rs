//! This very program, brought up as users do.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::Tools;
use crate::error::Error;
use crate::namespace::forget_lab;
use crate::program::Program;

/// A lab that runs.
#[derive(Debug)]
pub(super) struct Lab {
    program: PathBuf,
    name: String,
    process: Option<u32>,
}

impl Lab {
    /// Brings up a lab file, whose lab has this name.
    pub(super) fn up(name: String, text: &str, tools: &Tools) -> Result<Self, Error> {
        let folder = tools.folder.join(&name);
        let file = folder.join("lab.yaml");
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, text));
        written.map_err(Error::machine(format!("write {}", file.display())))?;
        let mut up = Command::new(&tools.program);
        up.arg("up").arg(&file).args(["--detach", "--io", &tools.io]);
        if let Some(workers) = tools.workers {
            up.args(["--workers", &workers.to_string()]);
        }
        // From here on it is taken down, also if it does not come up.
        let mut lab = Self { program: tools.program.clone(), name, process: None };
        lab.process = process(&Program::run(up)?);
        Ok(lab)
    }

    /// The daemon, if `up` said which.
    pub(super) const fn process(&self) -> Option<u32> {
        self.process
    }
}

/// Reads `lab NAME is up: …, process NUMBER`.
fn process(said: &str) -> Option<u32> {
    let (_, number) = said.lines().next()?.rsplit_once(" process ")?;
    number.parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_is_the_process_that_up_names() {
        let said =
            "lab bench-1 is up: 2 instances, 2 interfaces, 2 workers, process 4711\n  vpclab exec left\n";
        assert_eq!(process(said), Some(4711));
        assert_eq!(process(""), None);
    }
}

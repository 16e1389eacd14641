//! One lab of a test, from `vpclab up` to `vpclab down`.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::program::{Done, Program};
use super::records::Records;
use super::sockets::Instance;
use super::{machine, unique_name};

/// How long the program may take to bring up, change or take down a lab of a few instances on a busy machine.
const CHANGE: Duration = Duration::from_secs(60);

/// How long a program inside an instance may take unless the test says otherwise.
const INSIDE: Duration = Duration::from_secs(30);

/// Drops by reason that a test expects of a lab that drops nothing.
pub(crate) const NOTHING: &[(&str, RangeInclusive<u64>)] = &[];

/// Segments that come after the end of their connection, such as a FIN that was sent again because the machine was busy (SG-23).
pub(crate) const LATE: (&str, RangeInclusive<u64>) = ("CONNECTION_CLOSED", 0..=20);

/// A lab that is up. It goes down when this is dropped, whatever happens.
#[derive(Debug)]
pub(crate) struct Lab {
    name: String,
    text: RefCell<String>,
    folder: TempDir,
    /// Whether [`Drop`] has something to take down.
    stands: bool,
}

/// What is left of a lab that is down: its folder with the flow logs.
#[derive(Debug)]
pub(crate) struct Finished {
    folder: TempDir,
}

impl Lab {
    /// Brings up the lab of a file in which `LAB` stands for the name.
    pub(crate) fn up(template: &str) -> Self {
        Self::up_with(template, &[])
    }

    /// Brings it up with more arguments.
    pub(crate) fn up_with(template: &str, arguments: &[&str]) -> Self {
        let mut lab = Self::written(&unique_name(), template);
        lab.stands = true;
        lab.bring_up(arguments).ok();
        lab
    }

    /// A lab whose file is written and which is not up.
    pub(crate) fn written(name: &str, template: &str) -> Self {
        machine::check();
        let folder = TempDir::new().expect("a temporary directory");
        let lab = Self { name: name.to_owned(), text: RefCell::default(), folder, stands: false };
        lab.write(&template.replace("LAB", name));
        lab
    }

    /// `vpclab up -d` of the file as it is; from now on the lab is taken down in the end.
    pub(crate) fn bring_up(&mut self, arguments: &[&str]) -> Done {
        self.stands = true;
        let file = self.file();
        let mut command = vpclab(["up", "-d"]);
        command.arg(file).args(arguments);
        Program::run(command, CHANGE)
    }

    /// `vpclab up` of the file in the foreground.
    pub(crate) fn bring_up_in_the_foreground(&mut self) -> Program {
        self.stands = true;
        let mut command = vpclab(["up"]);
        command.arg(self.file());
        Program::start(command)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The lab file.
    pub(crate) fn file(&self) -> PathBuf {
        self.path("lab.yaml")
    }

    /// A file beside the lab file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of the lab file with `old` replaced, which must be there.
    pub(crate) fn text_with(&self, old: &str, new: &str) -> String {
        let text = self.text.borrow();
        assert!(text.contains(old), "the lab file has no `{old}`:\n{text}");
        text.replace(old, new)
    }

    /// Replaces a part of the lab file and applies it.
    #[track_caller]
    pub(crate) fn edit(&self, old: &str, new: &str) {
        self.apply(&self.text_with(old, new)).ok();
    }

    /// Writes the lab file anew and applies it.
    pub(crate) fn apply(&self, text: &str) -> Done {
        self.write(text);
        let mut command = vpclab(["apply"]);
        command.arg(self.file());
        Program::run(command, CHANGE)
    }

    /// Runs a program inside an instance to its end.
    pub(crate) fn exec(&self, instance: &str, argv: &[&str]) -> Done {
        Program::run(self.exec_command(instance, argv), INSIDE)
    }

    /// Starts a program inside an instance.
    pub(crate) fn start(&self, instance: &str, argv: &[&str]) -> Program {
        Program::start(self.exec_command(instance, argv))
    }

    fn exec_command(&self, instance: &str, argv: &[&str]) -> Command {
        let mut command = vpclab(["exec", "--lab", &self.name, instance, "--"]);
        command.args(argv);
        command
    }

    /// `vpclab COMMAND …` about this lab, whose name comes last.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Done {
        let mut command = vpclab(arguments);
        command.arg(&self.name);
        Program::run(command, INSIDE)
    }

    /// Turns on, or off, everything that an instance's or host's kernel leaves to its `eth0`.
    pub(crate) fn set_offloads(&self, place: &str, offloads: &str) {
        self.exec(place, &["ethtool", "-K", "eth0", "tx", offloads]).ok();
        let shown = self.exec(place, &["ethtool", "-k", "eth0"]).ok();
        shown.says(&format!("tx-checksumming: {offloads}"));
    }

    /// Where sockets of an instance are made.
    pub(crate) fn instance(&self, name: &str) -> Instance {
        Instance::of_namespace(&self.namespace(name))
    }

    /// Name of an instance's namespace.
    pub(crate) fn namespace(&self, instance: &str) -> String {
        format!("{}-{instance}", self.name)
    }

    /// Ends the test: every packet is accounted for, drops are those that were announced, and after `vpclab down` nothing is
    /// left in the kernel or in the file system.
    #[track_caller]
    pub(crate) fn finish(self, expected: &[(&str, RangeInclusive<u64>)]) -> Finished {
        self.check_counters(expected);
        self.go_down()
    }

    /// Takes it down without a look at the counters.
    #[track_caller]
    pub(crate) fn go_down(mut self) -> Finished {
        self.ask(&["down"]).ok();
        self.stands = false;
        self.check_gone();
        let folder = std::mem::replace(&mut self.folder, TempDir::new().expect("a temporary directory"));
        Finished { folder }
    }

    /// Nothing of the lab is left behind.
    #[track_caller]
    pub(crate) fn check_gone(&self) {
        let prefix = format!("{}-", self.name);
        for folder in ["/run/netns", "/etc/netns"] {
            let left: Vec<String> = names_in(folder).into_iter().filter(|n| n.starts_with(&prefix)).collect();
            assert!(left.is_empty(), "{left:?} are left in {folder}");
        }
        assert!(!Path::new("/run/vpclab").join(&self.name).exists(), "/run/vpclab/{} is left", self.name);
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).expect("the folder is ours");
        text.clone_into(&mut self.text.borrow_mut());
    }
}

impl Finished {
    /// Records of a flow log that was written beside the lab file.
    pub(crate) fn records(&self, file: &str, format: &str) -> Records {
        Records::read(&self.folder.path().join(file), format)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.stands {
            // Best effort: the test has failed already, and says why.
            let down = Program::start({
                let mut command = vpclab(["down"]);
                command.arg(&self.name);
                command
            });
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| down.finish(CHANGE)));
        }
        fs::remove_dir_all(Path::new("/var/lib/vpclab").join(&self.name)).ok();
    }
}

/// The program with arguments.
pub(crate) fn vpclab<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpclab"));
    command.args(arguments);
    command
}

fn names_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

//! Where things are kept.

use std::path::{Path, PathBuf};

/// The directories that a lab uses; tests put them elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    /// Lock, stored plan and socket of each lab; empties at reboot.
    pub run: PathBuf,
    /// Logs of each lab; kept.
    pub var: PathBuf,
    /// Files that programs in a namespace see under `/etc`, one directory per namespace (`ip-netns(8)`).
    ///
    /// Programs are started with the files of `/etc/netns` whatever is written here.
    pub etc_netns: PathBuf,
}

impl Default for Dirs {
    fn default() -> Self {
        Self { run: "/run/vpclab".into(), var: "/var/lib/vpclab".into(), etc_netns: "/etc/netns".into() }
    }
}

impl Dirs {
    /// Directory of one running lab.
    #[must_use]
    pub fn run_of(&self, lab: &str) -> PathBuf {
        self.run.join(lab)
    }

    /// Unix socket on which the daemon of a lab answers.
    #[must_use]
    pub fn socket_of(&self, lab: &str) -> PathBuf {
        self.run_of(lab).join("socket")
    }

    /// What a lab keeps when it is down.
    #[must_use]
    pub fn var_of(&self, lab: &str) -> PathBuf {
        self.var.join(lab)
    }

    /// Output of supervised programs.
    #[must_use]
    pub fn logs_of(&self, lab: &str) -> PathBuf {
        self.var_of(lab).join("logs")
    }

    pub(crate) fn lock_of(&self, lab: &str) -> PathBuf {
        self.run_of(lab).join("lock")
    }

    pub(crate) fn plan_of(&self, lab: &str) -> PathBuf {
        self.run_of(lab).join("plan.json")
    }

    pub(crate) fn made_of(&self, lab: &str) -> PathBuf {
        self.run_of(lab).join("made")
    }

    pub(crate) fn etc_of(&self, namespace: &str) -> PathBuf {
        self.etc_netns.join(namespace)
    }
}

/// Whether programs on this host can be shown a file over `/etc/NAME`: only what exists can be covered.
pub(crate) fn has_counterpart(name: &str) -> bool {
    Path::new("/etc").join(name).exists()
}

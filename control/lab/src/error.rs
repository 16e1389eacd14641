//! What can go wrong, one failure at a time, and the list of all that did.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// One failure, worded for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A device with this name is in the namespace already, and the lab did not make it.
    #[error(
        "device {device} already exists in network namespace {namespace} and is not part of lab {lab}; \
         remove it with `ip -n {namespace} link delete {device}`"
    )]
    DeviceClash {
        /// Name of the lab.
        lab: String,
        /// Name of the namespace.
        namespace: String,
        /// Name of the device.
        device: String,
    },
    /// A file or directory could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: FileAction,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that belongs to somebody else is where one of the lab's has to be.
    #[error(
        "{} already exists and was not written for lab {lab}; move it away, or programs in the namespace would see \
         other names than those of the lab", path.display()
    )]
    FileClash {
        /// Name of the lab.
        lab: String,
        /// Which file.
        path: PathBuf,
    },
    /// A process could not be signalled.
    #[error("cannot signal process {pid} in network namespace {namespace}: {source}")]
    Kill {
        /// Name of the namespace.
        namespace: String,
        /// Which process.
        pid: i32,
        /// What the system said.
        source: io::Error,
    },
    /// Something that was given as the name of a lab cannot be one.
    #[error("{lab:?} is not the name of a lab")]
    LabName {
        /// What was given.
        lab: String,
    },
    /// A network namespace could not be used.
    #[error("{}", namespace_words(*action, namespace, source))]
    Namespace {
        /// What was tried.
        action: NamespaceAction,
        /// Name of the namespace.
        namespace: String,
        /// What the system said.
        source: io::Error,
    },
    /// A network namespace with this name exists already, and the lab did not make it.
    #[error("network namespace {namespace} already exists and is not part of lab {lab}: {owner}")]
    NamespaceClash {
        /// Name of the lab.
        lab: String,
        /// Name of the namespace.
        namespace: String,
        /// Whose it is.
        owner: Owner,
    },
    /// The kernel refused a link, address, route or rule.
    #[error("cannot {action} in network namespace {namespace}: {source}")]
    Netlink {
        /// What was tried, such as `add address 10.0.1.10/24 to eth0`.
        action: String,
        /// Name of the namespace.
        namespace: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The stored plan of a lab cannot be read.
    #[error(
        "{} is not a plan that this version understands ({source}); remove the lab's namespaces with `ip netns delete`, \
         then delete the file", path.display()
    )]
    PlanUnreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A supervised program could not be started or stopped.
    #[error("cannot {action} program {number} of {instance}: {source}")]
    Program {
        /// What was tried.
        action: ProgramAction,
        /// Name of the instance.
        instance: String,
        /// Place in the instance's `run` list, from 0.
        number: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The lab runs already.
    #[error("lab {lab} is already running{}", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Running {
        /// Name of the lab.
        lab: String,
        /// Process that runs it, if it has said so.
        pid: Option<u32>,
    },
    /// A process outlived its namespace.
    #[error("process {pid} ({program}) in network namespace {namespace} does not end")]
    Survivor {
        /// Name of the namespace.
        namespace: String,
        /// Which process.
        pid: i32,
        /// Its name.
        program: String,
    },
    /// A kernel parameter could not be set.
    #[error("cannot set {parameter} to {value} in network namespace {namespace}: {source}")]
    Sysctl {
        /// Name of the namespace.
        namespace: String,
        /// Path below `/proc/sys`.
        parameter: String,
        /// Wanted value.
        value: String,
        /// What the system said.
        source: io::Error,
    },
    /// A TUN device could not be opened.
    #[error("cannot open TUN device {device} in network namespace {namespace}: {source}")]
    Tun {
        /// Name of the namespace.
        namespace: String,
        /// Name of the device.
        device: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What was tried with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the verb that it prints")]
pub enum FileAction {
    Create,
    Delete,
    List,
    Lock,
    Read,
    Write,
}

/// What was tried with a network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the verb that it prints")]
pub enum NamespaceAction {
    Create,
    Delete,
    Enter,
}

/// What was tried with a supervised program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the verb that it prints")]
pub enum ProgramAction {
    Start,
    Stop,
    Watch,
}

/// Whose a namespace is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Another lab has it in its plan.
    Lab(String),
    /// No lab knows it.
    Nobody(String),
}

/// Every failure of one operation, in the order in which they happened; at least one.
#[derive(Debug)]
pub struct Errors(Vec<Error>);

/// Collects failures and goes on. Has no `From`, so that `?` cannot end a loop halfway.
#[derive(Debug, Default)]
pub(crate) struct Collector(Vec<Error>);

impl Errors {
    /// The failures.
    #[must_use]
    pub fn list(&self) -> &[Error] {
        &self.0
    }
}

impl Errors {
    /// These failures, and those of cleaning up after them.
    pub(crate) fn and(mut self, cleaning: Result<(), Self>) -> Self {
        self.0.extend(cleaning.err().into_iter().flatten());
        self
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

impl IntoIterator for Errors {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Collector {
    pub(crate) fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the failure, if it is one.
    pub(crate) fn take<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(error);
                None
            }
        }
    }

    /// Keeps every failure of the list, if there is one.
    pub(crate) fn take_all<T>(&mut self, result: Result<T, Errors>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(errors) => {
                self.0.extend(errors);
                None
            }
        }
    }

    /// The value if nothing failed.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Errors> {
        if self.0.is_empty() { Ok(value) } else { Err(Errors(self.0)) }
    }
}

/// Some failures say themselves what was tried with which namespace; the kernel's own codes do not.
fn namespace_words(action: NamespaceAction, namespace: &str, source: &io::Error) -> String {
    match source.get_ref() {
        Some(words) => words.to_string(),
        None => format!("cannot {action} network namespace {namespace}: {source}"),
    }
}

impl fmt::Display for FileAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Lock => "lock",
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

impl fmt::Display for NamespaceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Enter => "enter",
        })
    }
}

impl fmt::Display for ProgramAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Watch => "watch",
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lab(lab) => write!(f, "it belongs to lab {lab}; rename one of the labs or their instances"),
            Self::Nobody(namespace) => {
                write!(
                    f,
                    "no lab made it; remove it with `ip netns delete {namespace}` or rename the lab or its instance"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entering(source: io::Error) -> Error {
        Error::Namespace { action: NamespaceAction::Enter, namespace: "t-web".into(), source }
    }

    #[test]
    fn a_failure_says_once_what_was_tried() {
        let code = entering(io::Error::from_raw_os_error(1)).to_string();
        assert_eq!(code, "cannot enter network namespace t-web: Operation not permitted (os error 1)");
        let words = entering(io::Error::other("cannot open network namespace \"t-web\": gone")).to_string();
        assert_eq!(words, "cannot open network namespace \"t-web\": gone");
    }

    #[test]
    fn every_failure_is_kept_and_printed_in_order() {
        let mut failures = Collector::default();
        failures.take::<()>(Err(Error::LabName { lab: "a".into() }));
        assert_eq!(failures.take(Ok(7)), Some(7));
        let cleaning: Result<(), Errors> = Err(Error::LabName { lab: "b".into() }.into());
        let errors = failures.finish(()).expect_err("one failed").and(cleaning);
        assert_eq!(errors.to_string(), "\"a\" is not the name of a lab\n\"b\" is not the name of a lab");
        assert!(Collector::default().finish(()).is_ok());
    }
}

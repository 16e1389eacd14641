//! A checked lab with its tables: what questions are answered from.

use std::cell::OnceCell;
use std::fs;
use std::io::IsTerminal as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use compile::Compiler;
use import::Look;
use model::Valid;
use model::lab::Lab;
use snapshot::Snapshot;

use crate::error::Error;
use crate::explain::spread;
use crate::running::{InForce, Running};
use crate::words::Catalogue;

/// Where a lab is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A lab file.
    File(PathBuf),
    /// The running lab of this name, or the only one.
    Running(Option<String>),
}

impl Source {
    /// A word that is either: a lab name has neither a slash nor a dot.
    pub(crate) fn of(word: Option<String>) -> Self {
        match word {
            Some(word) if word.contains(['/', '.']) || Path::new(&word).is_file() => Self::File(word.into()),
            name => Self::Running(name),
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct World {
    valid: Valid,
    pub(crate) snapshot: Snapshot,
    pub(crate) catalogue: Catalogue,
    /// Made when first asked for.
    pieces: OnceCell<Vec<RangeInclusive<u16>>>,
}

impl World {
    /// Reads, checks and compiles. Warnings are for `check`.
    ///
    /// # Errors
    ///
    /// [`Error::Findings`] with everything that is wrong with the file, or why there is none.
    pub(crate) fn load(source: &Source) -> Result<Self, Error> {
        match source {
            Source::File(path) => Self::of(&path.display().to_string(), &read(path)?),
            Source::Running(lab) => Self::of_running(&mut Running::connect(lab.as_deref())?),
        }
    }

    /// The lab that `running` has in force.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub(crate) fn of_running(running: &mut Running) -> Result<Self, Error> {
        let InForce { name, text, peerings } = running.source()?;
        let filed = load(&name, &text)?;
        let valid = peerings.into_iter().try_fold(filed, |valid, change| valid.with_peering(&change.into()));
        let valid =
            valid.map_err(|why| Error::Bug(format!("the daemon has changed the lab otherwise: {why}")))?;
        Self::compiled(&name, valid)
    }

    /// As [`Self::load`], from text.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub(crate) fn of(name: &str, text: &str) -> Result<Self, Error> {
        Self::compiled(name, load(name, text)?)
    }

    fn compiled(name: &str, valid: Valid) -> Result<Self, Error> {
        let snapshot = Compiler::default()
            .snapshot(&valid)
            .map_err(|error| Error::Bug(format!("{name} does not compile: {error}")))?;
        let catalogue = Catalogue::of(valid.lab());
        Ok(Self { valid, snapshot, catalogue, pieces: OnceCell::new() })
    }

    pub(crate) fn lab(&self) -> &Lab {
        self.valid.lab()
    }

    pub(crate) const fn valid(&self) -> &Valid {
        &self.valid
    }

    /// Ephemeral ports in ranges that no rule of the lab can tell apart.
    pub(crate) fn ephemeral_pieces(&self) -> &[RangeInclusive<u16>] {
        self.pieces.get_or_init(|| spread::pieces(self.lab()))
    }

    /// The id behind an index.
    pub(crate) fn id(&self, name: snapshot::NameIx) -> &str {
        &self.snapshot.names().get(name).id
    }
}

/// Reads and checks; what is wrong is an error.
fn load(name: &str, text: &str) -> Result<Valid, Error> {
    import::load(name, text).map(|(valid, _)| valid).map_err(|findings| {
        let look = look(std::io::stderr().is_terminal());
        Error::Findings(import::render(&findings, name, text, look).trim_end().to_owned())
    })
}

/// How findings look: drawn for people, one line each for programs.
pub(crate) fn look(terminal: bool) -> Look {
    match (terminal, std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())) {
        (true, true) => Look::Colour,
        (true, false) => Look::Mono,
        (false, _) => Look::Plain,
    }
}

/// The text of a file.
///
/// # Errors
///
/// [`Error::File`].
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

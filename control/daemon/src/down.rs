//! Ending labs from outside, and listing them.

use lab::Dirs;
use lab::live::{self, Leftovers};
use lab::state::{self, State};

use crate::client::{Client, ClientError};
use crate::protocol::{Request, Response};

/// What became of a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// Its daemon had been killed; what it left behind is gone now.
    CleanedUp,
    /// Its daemon took it down.
    Ended,
    /// There was nothing of it.
    NotThere,
}

/// Why a lab is not, or not completely, down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownError {
    /// The daemon lives and cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What a killed daemon left behind cannot be removed.
    #[error(transparent)]
    Lab(#[from] lab::Errors),
    /// The daemon did what it could; every failure on a line of its own.
    #[error("{message}")]
    Refused {
        /// What it said.
        message: String,
    },
}

/// Takes a lab down: asks its daemon if there is one, else removes what a killed one left behind.
///
/// # Errors
///
/// [`DownError`].
pub fn down(dirs: &Dirs, lab: &str) -> Result<Down, DownError> {
    match Client::connect_in(dirs, lab).and_then(|mut client| client.call(&Request::Stop)) {
        Ok(Response::Done) => Ok(Down::Ended),
        Ok(Response::Failed { message }) => Err(DownError::Refused { message }),
        // Killed before, or while it was asked; its lock tells whether it is really gone.
        Err(ClientError::NotRunning { .. } | ClientError::Closed { .. }) => {
            Ok(match live::clean_up(dirs, lab)? {
                Leftovers::Cleaned => Down::CleanedUp,
                Leftovers::None => Down::NotThere,
            })
        }
        Err(error) => Err(error.into()),
        Ok(other) => Err(DownError::Refused { message: format!("the daemon answered {other:?}") }),
    }
}

/// Every lab of which something is there, by name, and whether its daemon lives.
///
/// # Errors
///
/// [`lab::Error`] if the directory of labs cannot be read.
pub fn list(dirs: &Dirs) -> Result<Vec<(String, State)>, lab::Error> {
    let mut labs = Vec::new();
    for name in state::labs(dirs)? {
        let state = state::state(dirs, &name)?;
        labs.push((name, state));
    }
    Ok(labs)
}

//! Running labs and what they answer.

use std::collections::BTreeMap;

use daemon::protocol::{
    Applied, CounterRows, DropRow, FlowRow, NatMetrics, PeeringChange, PeeringRow, Request, Response, Status,
};
use daemon::{Client, ClientError, Dirs, State};

use crate::error::Error;

/// A connection to one running lab.
#[derive(Debug)]
pub(crate) struct Running {
    client: Client,
}

/// What a lab has in force.
#[derive(Debug)]
pub(crate) struct InForce {
    /// Path of the lab file as it was given.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
    /// What was asked of peering connections since, in order.
    pub(crate) peerings: Vec<PeeringChange>,
}

impl Running {
    /// Connects to the lab of this name, or to the only one.
    ///
    /// # Errors
    ///
    /// When it does not run, or none is named and none or several run.
    pub(crate) fn connect(lab: Option<&str>) -> Result<Self, Error> {
        let name = match lab {
            Some(name) => name.to_owned(),
            None => only(running()?)?,
        };
        Ok(Self { client: Client::connect(&name).map_err(refused)? })
    }

    /// Asks. What the daemon refuses is an error.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the daemon's own words.
    fn ask(&mut self, request: &Request) -> Result<Response, Error> {
        let response = self.client.call(request).map_err(refused)?;
        if let Response::Failed { message } = response { Err(Error::Refused(message)) } else { Ok(response) }
    }

    /// Instances, workers and files.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn status(&mut self) -> Result<Status, Error> {
        let response = self.ask(&Request::Status)?;
        if let Response::Status(status) = response { Ok(status) } else { Err(Self::unexpected(&response)) }
    }

    /// The latest dropped packets, oldest first.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn drops(&mut self) -> Result<Vec<DropRow>, Error> {
        let response = self.ask(&Request::Drops)?;
        if let Response::Drops(drops) = response { Ok(drops) } else { Err(Self::unexpected(&response)) }
    }

    /// Live sessions.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn flows(&mut self, limit: usize) -> Result<Vec<FlowRow>, Error> {
        let response = self.ask(&Request::Flows { limit })?;
        if let Response::Flows(flows) = response { Ok(flows) } else { Err(Self::unexpected(&response)) }
    }

    /// Where all packets ended.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn counters(&mut self) -> Result<CounterRows, Error> {
        let response = self.ask(&Request::Counters)?;
        if let Response::Counters(counters) = response {
            Ok(counters)
        } else {
            Err(Self::unexpected(&response))
        }
    }

    /// What was counted at NAT gateways, by id.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn nat_gateways(&mut self) -> Result<BTreeMap<String, NatMetrics>, Error> {
        let response = self.ask(&Request::NatGateways)?;
        if let Response::NatGateways(rows) = response { Ok(rows) } else { Err(Self::unexpected(&response)) }
    }

    /// The lab file in force, and what was changed since.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn source(&mut self) -> Result<InForce, Error> {
        let response = self.ask(&Request::Source)?;
        if let Response::Source { name, text, peerings } = response {
            Ok(InForce { name, text, peerings })
        } else {
            Err(Self::unexpected(&response))
        }
    }

    /// Puts a lab file in force.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn apply(&mut self, name: String, text: String) -> Result<Applied, Error> {
        let response = self.ask(&Request::Apply { name, text })?;
        if let Response::Applied(applied) = response { Ok(applied) } else { Err(Self::unexpected(&response)) }
    }

    /// Asks something of a peering connection.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer, or refuses in its own words.
    pub(crate) fn change_peering(&mut self, change: PeeringChange) -> Result<PeeringRow, Error> {
        let response = self.ask(&Request::Peering(change))?;
        if let Response::Peering(row) = response { Ok(row) } else { Err(Self::unexpected(&response)) }
    }

    /// An answer to another question than was asked.
    fn unexpected(response: &Response) -> Error {
        Error::Bug(format!("the daemon answered something else: {response:?}"))
    }
}

/// Names of all labs of which something is there, and what they are doing.
///
/// # Errors
///
/// [`Error::Refused`] if the directory of labs cannot be read.
pub(crate) fn labs() -> Result<Vec<(String, State)>, Error> {
    daemon::list(&Dirs::default()).map_err(|error| Error::Refused(error.to_string()))
}

fn running() -> Result<Vec<String>, Error> {
    let alive = labs()?.into_iter().filter(|(_, state)| matches!(state, State::Running { .. }));
    Ok(alive.map(|(name, _)| name).collect())
}

fn refused(error: ClientError) -> Error {
    Error::Refused(error.to_string())
}

fn only(labs: Vec<String>) -> Result<String, Error> {
    match &labs[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::Refused("no lab is running: bring one up with `vpclab up LAB.yaml -d`".to_owned())),
        several => Err(Error::Usage(format!("several labs are running, name one: {}", several.join(", ")))),
    }
}

/// Waits before the next look at something that does not report by itself.
pub(crate) fn pause(interval: std::time::Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the daemon and files are polled; there is no event to wait for"
    )]
    std::thread::sleep(interval);
}

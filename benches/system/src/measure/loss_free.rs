//! The highest rate without loss, by halving (RFC 2544 section 26.1).

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use super::ends::Ends;
use super::{Figure, Meter, outcome};
use crate::agent::{Agent, READY, Receive, Received, Send, Sent, Window};
use crate::error::Error;
use crate::policy::{DATAGRAMS, RIGHT};

impl Meter<'_> {
    /// Thousands of datagrams a second.
    pub(super) fn loss_free(&self, ends: Ends<'_>, size: usize) -> Result<Figure, Error> {
        let rate = search(FASTEST, |rate| self.trial(ends, size, rate))?;
        Ok((rate / 1e3, BTreeMap::new()))
    }

    /// Sends at a rate and says how fast that really was, if everything arrived.
    fn trial(&self, ends: Ends<'_>, size: usize, rate: u32) -> Result<Option<f64>, Error> {
        let receive = Receive { port: DATAGRAMS, glued: None, window: Window::Everything };
        let mut receiver = ends.right.agent(self.program, &Agent::Receive(receive))?;
        receiver.wait_for(READY)?;
        let to = SocketAddrV4::new(RIGHT, DATAGRAMS);
        let send =
            Send { to, sizes: vec![size], segments: 1, per_second: Some(rate), milliseconds: TRIAL_MS };
        let sent: Sent = outcome(ends.left.agent(self.program, &Agent::Send(send))?, self.patience())?;
        let received: Received = outcome(receiver, self.patience())?;
        let lossless = received.datagrams == sent.datagrams;
        Ok(lossless.then(|| sent.datagrams as f64 / sent.seconds))
    }
}

/// The highest rate that a trial passed, between zero and `fastest`, to [`PRECISION`]. A sender that cannot keep up passes with
/// what it reached.
fn search(fastest: u32, mut trial: impl FnMut(u32) -> Result<Option<f64>, Error>) -> Result<f64, Error> {
    let (mut good, mut low, mut high) = (0.0, 0, fastest);
    while high - low > (high as f64 * PRECISION) as u32 {
        let rate = low + (high - low) / 2;
        match trial(rate)? {
            Some(reached) => (good, low) = (f64::max(good, reached), rate),
            None => high = rate,
        }
    }
    Ok(good)
}

/// More than any sender here reaches.
const FASTEST: u32 = 1_600_000;

/// Where halving stops, as a share of the rate.
const PRECISION: f64 = 0.03;

/// How long one trial sends.
const TRIAL_MS: u64 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_finds_the_rate_that_just_passes() {
        let found = search(1_600_000, |rate| Ok((rate <= 345_678).then(|| f64::from(rate))));
        let found = found.expect("no trial fails");
        assert!(found <= 345_678.0 && found > 345_678.0 * 0.96, "{found}");
    }

    #[test]
    fn nothing_passes_and_everything_passes() {
        assert_eq!(search(1_000_000, |_| Ok(None)).expect("no trial fails"), 0.0);
        let slow = search(1_000_000, |rate| Ok(Some(f64::from(rate).min(5e5)))).expect("no trial fails");
        assert_eq!(slow, 5e5);
    }
}

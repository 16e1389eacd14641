//! Sizes: what an AWS account gets unasked draws a warning, what it never gets is refused.

use crate::findings::{Code, Finding, Findings};
use crate::spot::Spot;

/// Families with whether they are IPv4; quotas count them apart.
pub(super) const FAMILIES: [(&str, bool); 2] = [("IPv4", true), ("IPv6", false)];

/// Two sizes of one kind of thing.
pub(super) struct Quota {
    /// As many as an account gets unless it asks for more.
    pub(super) unasked: usize,
    /// As many as AWS grants at most.
    pub(super) most: usize,
}

impl Quota {
    /// Compares `count` things, called `what` and listed at `spot`.
    pub(super) fn check(&self, count: usize, what: &str, spot: Spot, found: &mut Findings) {
        let Self { unasked, most } = self;
        if count > *most {
            let message = format!("{count} {what}: AWS never grants more than {most}");
            found.push(Finding::new(Code::LimitExceeded, spot, message));
        } else if count > *unasked {
            let message = format!("{count} {what}: an AWS account gets {unasked} unless it asks for more");
            found.push(Finding::new(Code::AboveDefaultQuota, spot, message));
        }
    }
}

//! `vpclab test`.

use crate::args::high::Test;
use crate::error::{Answer, Error};
use crate::output::Out;

/// # Errors
///
/// Always: there are no probes yet.
pub(crate) fn run(_: &Test, _: Out<'_>) -> Result<Answer, Error> {
    Err(Error::Refused("test: there are no probes yet".to_owned()))
}

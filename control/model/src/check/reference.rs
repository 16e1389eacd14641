//! References: plain names, and `kind/NAME` or `kind/VPC.NAME`.

use crate::draft::{Field, Named, Text};
use crate::findings::{Code, Finding, Findings};
use crate::suggest;

/// The parts of `kind/VPC.NAME` behind the kind.
pub(super) struct Path<'a> {
    /// The VPC, if one is named.
    pub(super) vpc: Option<&'a str>,
    /// The name.
    pub(super) name: &'a str,
}

/// Splits what stands behind the slash of `kind/VPC.NAME` or `kind/NAME`.
pub(super) fn path(rest: &str) -> Path<'_> {
    match rest.split_once('.') {
        Some((vpc, name)) => Path { vpc: Some(vpc), name },
        None => Path { vpc: None, name: rest },
    }
}

/// Whether `name` is among `objects`; says so if not. A collection that could not be read knows every name.
pub(super) fn known<T>(
    what: &str,
    name: &Text,
    objects: &Field<Named<T>>,
    implied: &[&str],
    found: &mut Findings,
) -> bool {
    if objects.is_broken()
        || implied.contains(&name.value.as_str())
        || objects.names().any(|n| n == name.value)
    {
        return true;
    }
    unknown(what, name, objects.names().chain(implied.iter().copied()), found);
    false
}

/// Reports a name that nothing carries.
pub(super) fn unknown<'a>(
    what: &str,
    name: &Text,
    candidates: impl Iterator<Item = &'a str>,
    found: &mut Findings,
) {
    let candidates: Vec<&str> = candidates.collect();
    let help = match suggest::nearest(&name.value, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if candidates.is_empty() => format!("there is no {what} at all"),
        None => format!("it could be {}", suggest::listed(candidates)),
    };
    found.push(
        Finding::new(Code::UnknownReference, name.spot, format!("there is no {what} `{}`", name.value))
            .help(help),
    );
}

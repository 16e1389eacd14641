//! Real packets between two throw-away namespaces: whether TCP, UDP and ICMP pass with the offloads that devices have here.

mod deadline;
mod exchange;
mod netlink;
mod relay;
mod site;

use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::thread;

use wire::Buffer;

use super::{Check, Need, found};
use crate::tun::Offload;
use exchange::{Exchange, Failure};
use relay::Relayed;
use site::Site;

/// The offloads of the two devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Everything that the kernel grants, as labs have it.
    On,
    /// None.
    Off,
    /// Everything at the device that begins, none at the other.
    OnToOff,
}

impl Setting {
    /// All settings, the usual one first.
    pub const ALL: [Self; 3] = [Self::On, Self::Off, Self::OnToOff];

    const fn levels(self) -> [Offload; 2] {
        match self {
            Self::On => [Offload::TcpUdp; 2],
            Self::Off => [Offload::None; 2],
            Self::OnToOff => [Offload::TcpUdp, Offload::None],
        }
    }

    /// Labs can do without offloads, but not without packets.
    const fn need(self) -> Need {
        match self {
            Self::On | Self::OnToOff => Need::Optional,
            Self::Off => Need::Required,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::On | Self::OnToOff => "`vpclab up --io tokio` does without offloads",
            Self::Off => "no lab can trust the devices of this kernel: try another one",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "self-test, offloads on",
            Self::Off => "self-test, offloads off",
            Self::OnToOff => "self-test, on to off",
        })
    }
}

/// Tries every setting: one check for each, or a single one when there is one that cannot be tried.
pub(super) fn checks() -> Vec<Check> {
    or_why_not(at_once(Setting::ALL, |setting| run(setting, Some)))
}

fn or_why_not(tried: io::Result<Vec<io::Result<Check>>>) -> Vec<Check> {
    tried.and_then(|checks| checks.into_iter().collect()).unwrap_or_else(|error| {
        vec![found("offload self-test", Need::Optional, false, format!("could not be tried: {error}"))]
    })
}

/// Exchanges packets of every protocol between two devices, each in a namespace of its own, and says what came of it.
/// Takes three seconds at most, and a fraction of one when all is well. Leaves nothing behind.
///
/// A relay puts what `step` makes of each packet of one device into the other; `Some` itself changes nothing.
///
/// # Errors
///
/// What the kernel answers to making namespaces, devices and threads: nothing was tried.
pub fn run(setting: Setting, step: impl FnMut(Buffer) -> Option<Buffer> + Send) -> io::Result<Check> {
    let site = Site::new(setting.levels())?;
    let (results, relayed) = relay::during(site.devices(), step, || {
        at_once(Exchange::ALL, |exchange| (exchange, exchange.run(&site)))
    })?;
    Ok(check(setting, &results?, relayed))
}

fn check(setting: Setting, results: &[(Exchange, Result<(), Failure>)], relayed: Relayed) -> Check {
    let names = results.iter().filter(|(_, result)| result.is_ok()).map(|(exchange, _)| exchange.to_string());
    let mut parts = Vec::from_iter(passed(&names.collect::<Vec<_>>(), relayed));
    for (exchange, result) in results {
        parts.extend(result.as_ref().err().map(|failure| format!("{exchange}: {failure}")));
    }
    if relayed.refused > 0 {
        parts.push(format!("the devices refused packets ({})", relayed.refused));
    }
    let failed = |result: &Result<(), Failure>| result.as_ref().is_err_and(Failure::counts);
    let there = !results.iter().any(|(_, result)| failed(result));
    if !there {
        parts.push(setting.advice().to_owned());
    }
    found(&setting.to_string(), setting.need(), there, parts.join("; "))
}

/// `TCP, UDP and ICMP pass`, and how.
fn passed(names: &[String], relayed: Relayed) -> Option<String> {
    let (last, others) = names.split_last()?;
    let how = if relayed.super_packets > 0 { "with super-packets" } else { "packet by packet" };
    Some(match others {
        [] => format!("{last} passes, {how}"),
        others => format!("{} and {last} pass, {how}", others.join(", ")),
    })
}

/// Does `work` with every item at the same time, and returns what came of them in the items' order.
///
/// # Errors
///
/// What the kernel answers to a new thread.
fn at_once<T: Send, R: Send, const N: usize>(
    items: [T; N],
    work: impl Fn(T) -> R + Sync,
) -> io::Result<Vec<R>> {
    let work = &work;
    thread::scope(|scope| {
        let start = |item| thread::Builder::new().spawn_scoped(scope, move || work(item));
        let threads = items.into_iter().map(start).collect::<io::Result<Vec<_>>>()?;
        let results = threads.into_iter().map(|thread| thread.join());
        Ok(results.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_privileges_one_line_says_so_and_leaves_the_verdict_to_the_other_checks() {
        let refused = || Err(io::ErrorKind::PermissionDenied.into());
        let checks = or_why_not(Ok(vec![refused(), refused(), refused()]));
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].detail, "could not be tried: permission denied");
        assert!(!checks[0].ok() && !checks[0].blocks());
    }

    #[test]
    fn what_could_not_be_tried_is_said_and_not_held_against_the_machine() {
        let refused = || Failure::NotTried(io::ErrorKind::PermissionDenied.into());
        let results = [(Exchange::Tcp, Ok(())), (Exchange::Icmp, Err(refused()))];
        let check = check(Setting::Off, &results, Relayed::default());
        assert_eq!(check.detail, "TCP passes, packet by packet; ICMP: not tried: permission denied");
        assert!(check.ok());
    }

    #[test]
    fn what_fails_without_offloads_stops_every_lab() {
        let results = [(Exchange::Udp, Ok(())), (Exchange::Icmp, Err(Failure::NoReply))];
        let relayed = Relayed { super_packets: 0, refused: 7 };
        let of = |setting| check(setting, &results, relayed);
        assert_eq!(
            of(Setting::Off).detail,
            "UDP passes, packet by packet; ICMP: the echo request was not answered; the devices refused packets (7); \
             no lab can trust the devices of this kernel: try another one"
        );
        let blocks = Setting::ALL.map(|setting| of(setting).blocks());
        assert_eq!(blocks, [false, true, false]);
    }
}

//! What the kernel dropped before a worker could read it.

use std::collections::BTreeMap;
use std::fs;

use ::io::Netns;

use crate::error::{Error, NamespaceAction};

/// Statistics of the network namespace that the reading thread is in (`proc_net(5)`). `/sys` would show those of the namespace
/// in which it was mounted.
const DEVICES: &str = "/proc/thread-self/net/dev";

/// Column of `tx_dropped` after the device's name.
const TX_DROPPED: usize = 11;

/// Packets that the kernel dropped because nobody had read the device for too long, by device; devices without any are left
/// out.
///
/// # Errors
///
/// [`Error::Namespace`] if the namespace cannot be entered or read.
pub fn dropped(namespace: &str) -> Result<BTreeMap<String, u64>, Error> {
    let read = Netns::open(namespace).and_then(|netns| netns.run(|| fs::read_to_string(DEVICES)));
    let text = read.map_err(|source| Error::Namespace {
        action: NamespaceAction::Enter,
        namespace: namespace.to_owned(),
        source,
    })?;
    Ok(text.lines().filter_map(tx_dropped).filter(|(_, packets)| *packets > 0).collect())
}

fn tx_dropped(line: &str) -> Option<(String, u64)> {
    let (device, columns) = line.split_once(':')?;
    let packets = columns.split_whitespace().nth(TX_DROPPED)?.parse().ok()?;
    Some((device.trim().to_owned(), packets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twelfth_column_is_what_was_dropped_on_the_way_out() {
        let line = "  eth0: 11 1 2 3 4 5 6 7 88 8 9 4321 10 12 13 14";
        assert_eq!(tx_dropped(line), Some(("eth0".to_owned(), 4321)));
    }

    #[test]
    fn the_headings_are_no_devices() {
        assert_eq!(
            tx_dropped("Inter-|   Receive                                                |  Transmit"),
            None
        );
        assert_eq!(
            tx_dropped(" face |bytes    packets errs drop fifo frame compressed multicast|bytes"),
            None
        );
    }
}

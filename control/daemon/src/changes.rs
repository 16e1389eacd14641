//! What differs between two versions of a lab, in the words of AWS, one line each.
//!
//! An object is the same as long as its id is. What comes or goes with its VPC or instance has no line of its own.

mod gateway;
mod vpc;
mod words;

use std::collections::BTreeMap;
use std::fmt::Display;

use model::lab::{Lab, PrefixList, Settings, Vpc};

/// Lines in the order of names: prefix lists, VPCs with what is in them, peering connections, the internet, settings.
pub(crate) fn changes(old: &Lab, new: &Lab) -> Vec<String> {
    let mut lines = Lines::default();
    for pair in pairs(&old.prefix_lists, &new.prefix_lists, |list: &PrefixList| list.id.as_str()) {
        match pair {
            Pair::Added(list) => lines.added(format!("prefix list {} ({})", list.name, list.id)),
            Pair::Removed(list) => lines.removed(format!("prefix list {} ({})", list.name, list.id)),
            Pair::Both(old, new) => prefix_list(&mut lines, old, new),
        }
    }
    for pair in pairs(&old.vpcs, &new.vpcs, |vpc: &Vpc| vpc.id.as_str()) {
        match pair {
            Pair::Added(vpc) => lines.added(vpc_words(vpc)),
            Pair::Removed(vpc) => lines.removed(vpc_words(vpc)),
            Pair::Both(old, new) => vpc::compare(&mut lines, old, new),
        }
    }
    gateway::peerings(&mut lines, &old.peerings, &new.peerings);
    gateway::internet(&mut lines, &old.internet, &new.internet);
    settings(&mut lines, &old.settings, &new.settings);
    lines.0
}

/// The lines so far.
#[derive(Debug, Default)]
struct Lines(Vec<String>);

impl Lines {
    fn added(&mut self, what: impl Display) {
        self.0.push(format!("added {what}"));
    }

    fn removed(&mut self, what: impl Display) {
        self.0.push(format!("removed {what}"));
    }

    /// A line if the two differ.
    fn changed<T: PartialEq>(&mut self, what: impl Display, old: &T, new: &T, words: impl Fn(&T) -> String) {
        if old != new {
            self.0.push(format!("changed {what}: {} -> {}", words(old), words(new)));
        }
    }

    /// A line for each element that only one of the two has.
    fn elements<T: PartialEq>(&mut self, of: &str, old: &[T], new: &[T], words: impl Fn(&T) -> String) {
        for element in old.iter().filter(|element| !new.contains(element)) {
            self.removed(format!("{of} {}", words(element)));
        }
        for element in new.iter().filter(|element| !old.contains(element)) {
            self.added(format!("{of} {}", words(element)));
        }
    }
}

/// One object in two versions.
enum Pair<'a, T> {
    Added(&'a T),
    Both(&'a T, &'a T),
    Removed(&'a T),
}

/// Objects by name; one whose id differs is another one.
fn pairs<'a, T>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
    id: impl Fn(&T) -> &str,
) -> Vec<Pair<'a, T>> {
    let mut pairs = Vec::new();
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if id(old) == id(new) => pairs.push(Pair::Both(old, new)),
            (old, new) => {
                pairs.extend(old.map(Pair::Removed));
                pairs.extend(new.map(Pair::Added));
            }
        }
    }
    pairs
}

fn vpc_words(vpc: &Vpc) -> String {
    let (subnets, instances) = (vpc.subnets.len(), vpc.instances.len());
    format!("VPC {} ({}) with {subnets} subnets and {instances} instances", vpc.name, vpc.id)
}

fn prefix_list(lines: &mut Lines, old: &PrefixList, new: &PrefixList) {
    let what = format!("prefix list {}", new.name);
    lines.elements(&format!("{what}: entry"), &old.entries, &new.entries, ToString::to_string);
    lines.changed(format!("{what}: maximum of entries"), &old.max_entries, &new.max_entries, u32::to_string);
}

/// Settings have names of their own, those of the lab file.
fn settings(lines: &mut Lines, old: &Settings, new: &Settings) {
    let numbers = [
        ("sg.tcp_established", old.tcp_established, new.tcp_established),
        ("sg.udp_stream", old.udp_stream, new.udp_stream),
        ("sg.udp_timeout", old.udp_timeout, new.udp_timeout),
        ("sg.icmp", old.icmp, new.icmp),
        ("nat.idle_timeout", old.nat_idle_timeout, new.nat_idle_timeout),
        ("limits.sessions", old.sessions, new.sessions),
    ];
    for (name, old, new) in numbers {
        lines.changed(format!("setting {name}"), &old, &new, u32::to_string);
    }
    lines.changed("setting sg.related_icmp", &old.related_icmp, &new.related_icmp, words::related_icmp);
    lines.changed("setting sg.track_all", &old.tracking, &new.tracking, words::tracking);
    lines.changed("setting flow_logs.nitro", &old.nitro, &new.nitro, words::nitro);
    lines.changed(
        "setting flow_logs.allow_any_interval",
        &old.flow_log_interval,
        &new.flow_log_interval,
        words::any_interval,
    );
}

#[cfg(test)]
mod tests;

//! The packet under way, as gateways have left it.

use std::net::IpAddr;

use wire::{FiveTuple, icmp_error_over, proto};

use super::Facts;
use super::nat64::query_word;

/// What of the packet gateways change.
#[derive(Clone, Copy)]
pub(super) struct Here {
    pub(super) tuple: FiveTuple,
    /// See [`Facts::selector`].
    pub(super) selector: u16,
    /// See [`Facts::about`].
    pub(super) about: Option<FiveTuple>,
}

impl Here {
    pub(super) const fn of(facts: &Facts) -> Self {
        Self { tuple: facts.tuple, selector: facts.selector, about: facts.about }
    }

    /// Another source. What an error quotes had gone the other way: there it is the destination (IG-02).
    pub(super) fn set_source(&mut self, to: IpAddr) {
        let from = std::mem::replace(&mut self.tuple.src, to);
        if let Some(about) = self.about.as_mut().filter(|about| about.dst == from) {
            about.dst = to;
        }
    }

    /// Another destination, and another source of what an error quotes.
    pub(super) fn set_destination(&mut self, to: IpAddr) {
        let from = std::mem::replace(&mut self.tuple.dst, to);
        if let Some(about) = self.about.as_mut().filter(|about| about.src == from) {
            about.src = to;
        }
    }

    /// Another tuple, perhaps of the other family: no error.
    pub(super) fn set_tuple(&mut self, tuple: FiveTuple) {
        self.selector = match tuple.proto {
            proto::ICMP | proto::ICMPV6 => query_word(self.selector, tuple.proto),
            proto::TCP | proto::UDP => tuple.dst_port,
            _ => self.selector,
        };
        self.tuple = tuple;
    }

    /// Other ends of an error and of the packet that it quotes; none if the other family has no such error (NG-29).
    pub(super) fn set_error(&mut self, src: IpAddr, dst: IpAddr, about: FiveTuple) -> Option<()> {
        let proto = if src.is_ipv4() { proto::ICMP } else { proto::ICMPV6 };
        let [icmp_type, code] = self.selector.to_be_bytes();
        let (icmp_type, code) = icmp_error_over(proto, self.tuple.proto, icmp_type, code)?;
        self.selector = u16::from_be_bytes([icmp_type, code]);
        self.tuple = FiveTuple { src, dst, src_port: 0, dst_port: self.selector, proto };
        self.about = Some(about);
        Some(())
    }
}

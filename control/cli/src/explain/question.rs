//! What is asked: names and numbers as given, not yet looked up.

use std::net::IpAddr;

use wire::proto;

use crate::error::Error;
use crate::place::Family;

/// One packet in the words of whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Instance, interface or address.
    pub(crate) from: String,
    /// Instance, interface or address.
    pub(crate) to: String,
    /// What is sent.
    pub(crate) traffic: Traffic,
    /// None stands for every ephemeral port.
    pub(crate) source_port: Option<u16>,
    /// None stands for the sender's first address.
    pub(crate) source_address: Option<IpAddr>,
    /// Where names leave it open.
    pub(crate) family: Option<Family>,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// An echo request of the family that the addresses have.
    Echo,
    /// ICMP, type and code.
    Icmp(u8, u8),
    /// ICMPv6, type and code.
    Icmpv6(u8, u8),
    /// Any other protocol.
    Number(u8),
    /// A connection attempt to this port.
    Tcp(u16),
    /// A datagram to this port.
    Udp(u16),
}

impl Traffic {
    /// From separate options. Without a protocol it is TCP if there is a port, else an echo request.
    ///
    /// # Errors
    ///
    /// Options that do not go together.
    pub(crate) fn of(
        protocol: Option<&str>,
        port: Option<u16>,
        icmp_type: Option<u8>,
        icmp_code: Option<u8>,
    ) -> Result<Self, Error> {
        let protocol = match protocol {
            Some(text) => protocol_number(text)?,
            None if port.is_some() => proto::TCP,
            None => proto::ICMP,
        };
        let has_type = icmp_type.is_some() || icmp_code.is_some();
        match (protocol, port) {
            (proto::TCP | proto::UDP, None) => Err(usage("tcp and udp need --port")),
            (proto::TCP | proto::UDP, Some(_)) if has_type => Err(usage("tcp and udp have no ICMP type")),
            (proto::TCP, Some(port)) => Ok(Self::Tcp(port)),
            (proto::UDP, Some(port)) => Ok(Self::Udp(port)),
            (_, Some(_)) => Err(usage("only tcp and udp have ports")),
            (proto::ICMP, None) if !has_type => Ok(Self::Echo),
            (proto::ICMP, None) => Ok(Self::Icmp(icmp_type.unwrap_or(8), icmp_code.unwrap_or(0))),
            (proto::ICMPV6, None) => Ok(Self::Icmpv6(icmp_type.unwrap_or(128), icmp_code.unwrap_or(0))),
            (_, None) if has_type => Err(usage("only icmp and icmpv6 have a type")),
            (number, None) => Ok(Self::Number(number)),
        }
    }

    /// From one word: `tcp/443`, `udp/53`, `icmp`, `icmp/8`, `icmp/3/4`, `icmpv6`, `47`.
    ///
    /// # Errors
    ///
    /// A word of another shape.
    pub(crate) fn of_word(word: &str) -> Result<Self, Error> {
        let mut parts = word.split('/');
        let protocol = protocol_number(parts.next().unwrap_or_default())?;
        let numbers = parts.map(str::parse::<u16>).collect::<Result<Vec<_>, _>>();
        let numbers = numbers.map_err(|_| usage(format!("`{word}`: what follows a slash is a number")))?;
        let bytes = || numbers.iter().map(|n| u8::try_from(*n)).collect::<Result<Vec<_>, _>>();
        let bytes = || bytes().map_err(|_| usage(format!("`{word}`: ICMP types and codes go to 255")));
        match (protocol, &numbers[..]) {
            (proto::TCP | proto::UDP, [port]) => Self::of(parts_of(word), Some(*port), None, None),
            (proto::ICMP | proto::ICMPV6, []) => Self::of(parts_of(word), None, None, None),
            (proto::ICMP | proto::ICMPV6, [_]) => Self::of(parts_of(word), None, Some(bytes()?[0]), None),
            (proto::ICMP | proto::ICMPV6, [_, _]) => {
                let bytes = bytes()?;
                Self::of(parts_of(word), None, Some(bytes[0]), Some(bytes[1]))
            }
            (proto::TCP | proto::UDP, _) => Err(usage(format!("`{word}`: write tcp/PORT or udp/PORT"))),
            (number, []) => Ok(Self::Number(number)),
            _ => Err(usage(format!("`{word}`: only tcp, udp and ICMP take numbers after a slash"))),
        }
    }

    /// The family that it is tied to, if any.
    pub(crate) const fn family(self) -> Option<Family> {
        match self {
            Self::Icmp(..) => Some(Family::V4),
            Self::Icmpv6(..) => Some(Family::V6),
            Self::Echo | Self::Number(_) | Self::Tcp(_) | Self::Udp(_) => None,
        }
    }

    /// Its IANA number in one family.
    pub(crate) const fn protocol(self, family: Family) -> u8 {
        match (self, family) {
            (Self::Echo, Family::V4) | (Self::Icmp(..), _) => proto::ICMP,
            (Self::Echo, Family::V6) | (Self::Icmpv6(..), _) => proto::ICMPV6,
            (Self::Number(number), _) => number,
            (Self::Tcp(_), _) => proto::TCP,
            (Self::Udp(_), _) => proto::UDP,
        }
    }
}

fn parts_of(word: &str) -> Option<&str> {
    word.split('/').next()
}

/// The number of a protocol given by name or number.
fn protocol_number(text: &str) -> Result<u8, Error> {
    match text.to_ascii_lowercase().as_str() {
        "icmp" => Ok(proto::ICMP),
        "icmpv6" | "icmp6" => Ok(proto::ICMPV6),
        "tcp" => Ok(proto::TCP),
        "udp" => Ok(proto::UDP),
        number => number.parse().map_err(|_| {
            usage(format!("`{text}` is no protocol: it is tcp, udp, icmp, icmpv6 or a number from 0 to 255"))
        }),
    }
}

fn usage(text: impl Into<String>) -> Error {
    Error::Usage(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_options_mean_the_same() {
        let word = |text| Traffic::of_word(text).ok();
        assert_eq!(word("tcp/443"), Some(Traffic::Tcp(443)));
        assert_eq!(word("UDP/53"), Some(Traffic::Udp(53)));
        assert_eq!(word("icmp"), Some(Traffic::Echo));
        assert_eq!(word("icmp/3/4"), Some(Traffic::Icmp(3, 4)));
        assert_eq!(word("icmpv6"), Some(Traffic::Icmpv6(128, 0)));
        assert_eq!(word("6/22"), Some(Traffic::Tcp(22)));
        assert_eq!(word("47"), Some(Traffic::Number(47)));
        for wrong in ["tcp", "tcp/1/2", "tcp/x", "tcp/65536", "icmp/256", "47/1", "gre", ""] {
            assert_eq!(word(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        let of = |proto, port, icmp_type| Traffic::of(proto, port, icmp_type, None).ok();
        assert_eq!(of(None, Some(22), None), Some(Traffic::Tcp(22)));
        assert_eq!(of(None, None, None), Some(Traffic::Echo));
        assert_eq!(of(None, None, Some(13)), Some(Traffic::Icmp(13, 0)));
        assert_eq!(of(Some("tcp"), None, None), None);
        assert_eq!(of(Some("icmp"), Some(1), None), None);
        assert_eq!(of(Some("udp"), Some(1), Some(8)), None);
        assert_eq!(of(Some("47"), None, Some(8)), None);
    }
}

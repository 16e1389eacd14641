//! One-line human forms of packets and tuples, in the manner of tcpdump.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};

use crate::{FiveTuple, Fragment, Parsed, Transport, icmp_query_reply, proto, tcp_flag};

/// `10.0.1.5:40000 > 10.0.2.9:443 tcp`, or without ports `10.0.1.5 > 10.0.2.9 icmp echo request id 7`.
///
/// For ICMP the message is told from the ports; where two messages share their ports the query is named.
impl Display for FiveTuple {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        ends(self, self.has_ports(), f)?;
        f.write_str(" ")?;
        if !self.is_icmp() {
            return protocol(self.proto, f);
        }
        let (query_at_dst, query_at_src) = (high_byte(self.dst_port), high_byte(self.src_port));
        if let Some((query, false)) = query_at_dst.and_then(|query| icmp_query_reply(self.proto, query)) {
            icmp(self, query, 0, f)
        } else if let Some((query, false)) =
            query_at_src.and_then(|query| icmp_query_reply(self.proto, query))
        {
            icmp(self, reply_type(self.proto, query), 0, f)
        } else {
            let [icmp_type, code] = self.dst_port.to_be_bytes();
            icmp(self, icmp_type, code, f)
        }
    }
}

/// Like [`FiveTuple`], with TCP flags, the packet that an ICMP error is about, and the place of a fragment:
/// `10.0.1.5:40000 > 10.0.2.9:443 tcp [S]`, `10.0.1.5 > 10.0.2.9 udp fragment 1480 id 7`.
impl Display for Parsed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let has_ports = self.tuple.has_ports() && self.transport != Transport::Later;
        ends(&self.tuple, has_ports, f)?;
        f.write_str(" ")?;
        match self.transport {
            Transport::Icmp { icmp_type, code, about } => {
                icmp(&self.tuple, icmp_type, code, f)?;
                about.map_or(Ok(()), |about| write!(f, " about {about}"))?;
            }
            Transport::Tcp { flags, .. } => write!(f, "tcp [{}]", Flags(flags))?,
            Transport::Later | Transport::Other | Transport::Udp => protocol(self.tuple.proto, f)?,
        }
        self.fragment.map_or(Ok(()), |fragment| write!(f, " {fragment}"))
    }
}

/// `fragment 1480+ id 7`: the offset in bytes, `+` when more follow, the identification.
impl Display for Fragment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "fragment {}{} id {}", self.offset, if self.more { "+" } else { "" }, self.id)
    }
}

struct Flags(u8);

impl Display for Flags {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const LETTERS: [(u8, &str); 8] = [
            (tcp_flag::FIN, "F"),
            (tcp_flag::SYN, "S"),
            (tcp_flag::RST, "R"),
            (tcp_flag::PSH, "P"),
            (tcp_flag::URG, "U"),
            (tcp_flag::ECE, "E"),
            (tcp_flag::CWR, "W"),
            (tcp_flag::ACK, "."),
        ];
        if self.0 == 0 {
            return f.write_str("none");
        }
        LETTERS.iter().filter(|(flag, _)| self.0 & flag != 0).try_for_each(|(_, letter)| f.write_str(letter))
    }
}

fn ends(tuple: &FiveTuple, has_ports: bool, f: &mut Formatter<'_>) -> fmt::Result {
    let end = |address: IpAddr, port: u16, f: &mut Formatter<'_>| {
        if has_ports { write!(f, "{}", SocketAddr::new(address, port)) } else { write!(f, "{address}") }
    };
    end(tuple.src, tuple.src_port, f)?;
    f.write_str(" > ")?;
    end(tuple.dst, tuple.dst_port, f)
}

fn protocol(number: u8, f: &mut Formatter<'_>) -> fmt::Result {
    match number {
        proto::ICMP => f.write_str("icmp"),
        proto::ICMPV6 => f.write_str("icmpv6"),
        proto::TCP => f.write_str("tcp"),
        proto::UDP => f.write_str("udp"),
        _ => write!(f, "protocol {number}"),
    }
}

fn icmp(tuple: &FiveTuple, icmp_type: u8, code: u8, f: &mut Formatter<'_>) -> fmt::Result {
    protocol(tuple.proto, f)?;
    match icmp_name(tuple.proto, icmp_type) {
        Some(name) => write!(f, " {name}")?,
        None => write!(f, " type {icmp_type}")?,
    }
    match icmp_query_reply(tuple.proto, icmp_type) {
        Some((_, false)) => write!(f, " id {}", tuple.src_port),
        Some((_, true)) => write!(f, " id {}", tuple.dst_port),
        None => write!(f, " code {code}"),
    }
}

const fn icmp_name(protocol: u8, icmp_type: u8) -> Option<&'static str> {
    Some(match (protocol, icmp_type) {
        (proto::ICMP, 0) | (proto::ICMPV6, 129) => "echo reply",
        (proto::ICMP, 3) | (proto::ICMPV6, 1) => "unreachable",
        (proto::ICMP, 4) => "source quench",
        (proto::ICMP, 5) | (proto::ICMPV6, 137) => "redirect",
        (proto::ICMP, 8) | (proto::ICMPV6, 128) => "echo request",
        (proto::ICMP, 11) | (proto::ICMPV6, 3) => "time exceeded",
        (proto::ICMP, 12) | (proto::ICMPV6, 4) => "parameter problem",
        (proto::ICMP, 13) => "timestamp request",
        (proto::ICMP, 14) => "timestamp reply",
        (proto::ICMP, 17) => "address mask request",
        (proto::ICMP, 18) => "address mask reply",
        (proto::ICMPV6, 2) => "too big",
        (proto::ICMPV6, 133) => "router solicitation",
        (proto::ICMPV6, 134) => "router advertisement",
        (proto::ICMPV6, 135) => "neighbor solicitation",
        (proto::ICMPV6, 136) => "neighbor advertisement",
        _ => return None,
    })
}

/// The type of the reply to a query: the ICMP ones follow or precede it, see [`icmp_query_reply`].
fn reply_type(protocol: u8, query: u8) -> u8 {
    (0..=u8::MAX).find(|&reply| icmp_query_reply(protocol, reply) == Some((query, true))).unwrap_or(query)
}

/// The high byte of a port whose low byte is zero: where a query's type would stand.
const fn high_byte(port: u16) -> Option<u8> {
    let [high, low] = port.to_be_bytes();
    if low == 0 { Some(high) } else { None }
}

#[cfg(test)]
mod tests {
    use crate::testing::{at, echo_reply, echo_request, fragments, icmp, icmp_error, ip, other, tcp, udp};
    use crate::{FiveTuple, parse, tcp_flag};

    #[test]
    fn packets_read_in_one_line() {
        let syn = tcp(at("10.0.1.5:40000"), at("10.0.2.9:443"), tcp_flag::SYN, 1, 0, b"");
        let six = udp(at("[2001:db8::5]:53"), at("[2001:db8::9]:5353"), b"");
        let (web, db) = (ip("10.0.1.5"), ip("10.0.2.9"));
        for (packet, line) in [
            (syn.clone(), "10.0.1.5:40000 > 10.0.2.9:443 tcp [S]"),
            (six, "[2001:db8::5]:53 > [2001:db8::9]:5353 udp"),
            (echo_request(web, db, 7, 1, b""), "10.0.1.5 > 10.0.2.9 icmp echo request id 7"),
            (echo_reply(db, web, 7, 1, b""), "10.0.2.9 > 10.0.1.5 icmp echo reply id 7"),
            (
                echo_request(ip("2001:db8::5"), ip("2001:db8::9"), 7, 1, b""),
                "2001:db8::5 > 2001:db8::9 icmpv6 echo request id 7",
            ),
            (
                icmp_error(ip("10.0.2.1"), &syn, 3, 4, 1500),
                "10.0.2.1 > 10.0.1.5 icmp unreachable code 4 about 10.0.1.5:40000 > 10.0.2.9:443 tcp",
            ),
            (icmp(web, db, 40, 2, [0; 4], b""), "10.0.1.5 > 10.0.2.9 icmp type 40 code 2"),
            (other(web, db, 47, b""), "10.0.1.5 > 10.0.2.9 protocol 47"),
        ] {
            assert_eq!(parse(&packet).unwrap().to_string(), line);
        }
    }

    #[test]
    fn fragments_say_where_they_stand() {
        let pieces = fragments(&udp(at("10.0.1.5:1"), at("10.0.2.9:2"), &[0; 100]), 7, 64);
        let lines: Vec<_> = pieces.iter().map(|piece| parse(piece).unwrap().to_string()).collect();
        assert_eq!(
            lines,
            ["10.0.1.5:1 > 10.0.2.9:2 udp fragment 0+ id 7", "10.0.1.5 > 10.0.2.9 udp fragment 64 id 7"]
        );
    }

    #[test]
    fn tcp_flags_have_the_letters_of_tcpdump() {
        for (flags, letters) in [
            (0, "none"),
            (tcp_flag::SYN | tcp_flag::ACK, "S."),
            (tcp_flag::FIN | tcp_flag::PSH | tcp_flag::ACK, "FP."),
            (0xff, "FSRPUEW."),
        ] {
            assert_eq!(super::Flags(flags).to_string(), letters);
        }
    }

    #[test]
    fn a_tuple_tells_its_icmp_message_from_the_ports() {
        let (web, db) = (ip("10.0.1.5"), ip("10.0.2.9"));
        for (packet, line) in [
            (echo_request(web, db, 7, 1, b""), "10.0.1.5 > 10.0.2.9 icmp echo request id 7"),
            (echo_reply(db, web, 7, 1, b""), "10.0.2.9 > 10.0.1.5 icmp echo reply id 7"),
            (icmp(web, db, 14, 0, [0, 9, 0, 0], b""), "10.0.1.5 > 10.0.2.9 icmp timestamp reply id 9"),
            (icmp(web, db, 3, 1, [0; 4], b""), "10.0.1.5 > 10.0.2.9 icmp unreachable code 1"),
            (other(web, db, 50, b""), "10.0.1.5 > 10.0.2.9 protocol 50"),
        ] {
            let tuple: FiveTuple = parse(&packet).unwrap().tuple;
            assert_eq!(tuple.to_string(), line);
        }
    }
}

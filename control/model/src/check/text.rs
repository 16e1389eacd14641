//! The leaves of a lab: CIDR blocks, addresses, accounts, regions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::draft::{Account, Text};
use crate::findings::{Code, Finding, Findings};
use crate::spot::At;

/// A block of either family, masked (AD-02).
pub(super) fn block(text: &Text, found: &mut Findings) -> Option<IpNet> {
    let net = match parse_block(&text.value) {
        Ok(net) => net,
        Err((message, help)) => {
            let finding = Finding::new(Code::CidrMalformed, text.spot, message);
            found.push(match help {
                Some(help) => finding.help(help),
                None => finding,
            });
            return None;
        }
    };
    let masked = net.trunc();
    if masked != net {
        found.push(
            Finding::new(
                Code::CidrHostBits,
                text.spot,
                format!("`{}` has host bits set and is taken as {masked}", text.value),
            )
            .help(format!("AWS masks them without a word (AD-02); write {masked}")),
        );
    }
    Some(masked)
}

/// An IPv4 block, masked.
pub(super) fn block4(text: &Text, found: &mut Findings) -> Option<Ipv4Net> {
    match block(text, found)? {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => wrong_family(text, "IPv4", found),
    }
}

/// An IPv6 block, masked.
pub(super) fn block6(text: &Text, found: &mut Findings) -> Option<Ipv6Net> {
    match block(text, found)? {
        IpNet::V6(net) => Some(net),
        IpNet::V4(_) => wrong_family(text, "IPv6", found),
    }
}

/// An IPv4 address.
pub(super) fn address4(text: &Text, found: &mut Findings) -> Option<Ipv4Addr> {
    match address(text, found)? {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => wrong_address(text, "IPv4", found),
    }
}

/// An IPv6 address.
pub(super) fn address6(text: &Text, found: &mut Findings) -> Option<Ipv6Addr> {
    match address(text, found)? {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(_) => wrong_address(text, "IPv6", found),
    }
}

/// Twelve digits.
pub(super) fn account(account: &At<Account>, found: &mut Findings) -> Option<String> {
    let digits = &account.value.0;
    if digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(digits.clone());
    }
    let message = format!("`{digits}` is no account id");
    found.push(
        Finding::new(Code::AccountMalformed, account.spot, message)
            .help("an account id has 12 digits, such as \"123456789012\""),
    );
    None
}

/// A region name, such as `us-east-1` or `us-gov-west-1`.
pub(super) fn region(text: &Text, found: &mut Findings) -> Option<String> {
    let parts: Vec<&str> = text.value.split('-').collect();
    let is_word = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase());
    let well_formed = match parts.as_slice() {
        [area, middle @ .., number] => {
            area.len() == 2
                && is_word(area)
                && (1..=2).contains(&middle.len())
                && middle.iter().all(is_word)
                && number.len() == 1
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        [] | [_] => false,
    };
    if well_formed {
        return Some(text.value.clone());
    }
    let message = format!("`{}` is no region name", text.value);
    found
        .push(Finding::new(Code::RegionMalformed, text.spot, message).help("such as us-east-1 or eu-west-1"));
    None
}

/// An address of either family.
pub(super) fn address(text: &Text, found: &mut Findings) -> Option<IpAddr> {
    if let Ok(address) = text.value.parse() {
        return Some(address);
    }
    let finding =
        Finding::new(Code::AddressMalformed, text.spot, format!("`{}` is no IP address", text.value));
    found.push(match text.value.split_once('/') {
        Some((address, _)) if address.parse::<IpAddr>().is_ok() => {
            finding.help(format!("without the prefix length: {address}"))
        }
        _ => finding,
    });
    None
}

type Complaint = (String, Option<String>);

fn parse_block(text: &str) -> Result<IpNet, Complaint> {
    let Some((address, length)) = text.split_once('/') else {
        return Err(match text.parse::<IpAddr>() {
            Ok(address) => {
                let bits = if address.is_ipv4() { 32 } else { 128 };
                (
                    format!("`{text}` has no prefix length"),
                    Some(format!("for this one address write {text}/{bits}")),
                )
            }
            Err(_) => (
                format!("`{text}` is no CIDR block"),
                Some("such as 10.0.0.0/16 or 2001:db8::/56".to_owned()),
            ),
        });
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| (format!("`{text}` is no CIDR block: `{address}` is no IP address"), None))?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let number = length.parse::<u8>().ok().filter(|_| length.bytes().all(|b| b.is_ascii_digit()));
    number.and_then(|n| IpNet::new(address, n).ok()).ok_or_else(|| {
        let message =
            format!("`{text}` is no CIDR block: the prefix length of {address} is a number from 0 to {bits}");
        (message, None)
    })
}

fn wrong_family<T>(text: &Text, wanted: &str, found: &mut Findings) -> Option<T> {
    found.push(Finding::new(
        Code::CidrFamily,
        text.spot,
        format!("`{}` is not an {wanted} block", text.value),
    ));
    None
}

fn wrong_address<T>(text: &Text, wanted: &str, found: &mut Findings) -> Option<T> {
    found.push(Finding::new(
        Code::AddressMalformed,
        text.spot,
        format!("`{}` is not an {wanted} address", text.value),
    ));
    None
}

//! What holds for any lab file.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use model::findings::Code;
use model::lab::Subnet;
use proptest::prelude::*;
use vpclab_import::{Look, load, render};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Rules: AD-05, AD-07
    #[test]
    fn nobody_gets_a_reserved_address_or_that_of_another(
        prefix in 24_u8..=28,
        wishes in prop::collection::vec(wish(), 1..40),
    ) {
        let text = lab(prefix, &wishes);
        match load("t", &text) {
            Ok((valid, _)) => {
                let vpc = &valid.lab().vpcs["app"];
                let subnet = &vpc.subnets["a"];
                let mut taken = BTreeSet::new();
                for interface in vpc.instances.values().flat_map(|i| &i.interfaces) {
                    prop_assert!(!interface.private_ips.is_empty());
                    for address in &interface.private_ips {
                        prop_assert!(usable4(subnet, u32::from(*address)), "{}", address);
                        prop_assert!(taken.insert(address.to_string()), "{} twice", address);
                    }
                    for address in &interface.ipv6_addresses {
                        prop_assert!(usable6(subnet, u128::from(*address)), "{}", address);
                        prop_assert!(taken.insert(address.to_string()), "{} twice", address);
                    }
                }
            }
            Err(found) => {
                let expected = [Code::AddressTaken, Code::AddressReserved, Code::AddressOutsideSubnet, Code::SubnetExhausted];
                let all = found.iter().all(|f| expected.contains(&f.code));
                prop_assert!(all, "{}", render(&found, "t", &text, Look::Plain));
            }
        }
    }

    #[test]
    fn no_edit_of_a_lab_file_makes_the_reader_panic(
        example in 0_usize..4,
        edits in prop::collection::vec(edit(), 1..6),
    ) {
        let mut text = example_text(example);
        for edit in edits {
            edit.apply(&mut text);
        }
        let found = load("t", &text).map_or_else(|found| found, |(_, warnings)| warnings);
        for look in [Look::Plain, Look::Mono] {
            prop_assert_eq!(render(&found, "t", &text, look).is_empty(), found.is_empty());
        }
        for label in found.iter().flat_map(|f| &f.labels).filter(|l| l.spot.is_somewhere()) {
            let spot = label.spot;
            prop_assert!(text.get(spot.offset..spot.offset + spot.len).is_some(), "{:?}", spot);
        }
    }
}

/// What an instance asks for: the last byte of an address, or any; and whether it wants IPv6.
fn wish() -> impl Strategy<Value = (Option<u8>, bool)> {
    (prop::option::weighted(0.4, any::<u8>()), any::<bool>())
}

fn lab(prefix: u8, wishes: &[(Option<u8>, bool)]) -> String {
    let mut text = format!(
        "lab: t\nvpcs:\n  app:\n    cidr: [10.0.0.0/16]\n    ipv6_cidr: 2001:db8::/56\n    subnets:\n      \
         a: {{ cidr: 10.0.1.0/{prefix}, ipv6_cidr: \"2001:db8::/64\" }}\n    instances:\n"
    );
    for (n, (last, six)) in wishes.iter().enumerate() {
        let address = last.map_or_else(String::new, |last| format!("private_ip: 10.0.1.{last}, "));
        writeln!(text, "      i{n}: {{ subnet: a, {address}ipv6: {six} }}").expect("writing to a String");
    }
    text
}

fn usable4(subnet: &Subnet, address: u32) -> bool {
    let (first, last) = (u32::from(subnet.cidr.network()), u32::from(subnet.cidr.broadcast()));
    (first + 4..last).contains(&address)
}

fn usable6(subnet: &Subnet, address: u128) -> bool {
    subnet.ipv6_cidr.is_some_and(|net| {
        let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
        (first + 4..last).contains(&address)
    })
}

/// A change of a text; places are fractions of its length.
#[derive(Clone, Debug)]
enum Edit {
    Delete(u16, u8),
    Insert(u16, String),
    Repeat(u16, u8),
    SwapLines(u16, u16),
}

fn edit() -> impl Strategy<Value = Edit> {
    let pieces = prop::sample::select(vec![
        ":",
        " ",
        "\n",
        "-",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "#",
        "\t",
        "&a ",
        "*a",
        "<<: *a\n",
        "!!int ",
        "null",
        "true",
        "-1",
        "0",
        "99999999999999999999999",
        "1e999",
        "/",
        "::",
        ".",
        ",",
        "%",
        "|",
        ">",
        "?",
        "@",
        "é",
        "日",
        "\u{0}",
        "\u{feff}",
        "---\n",
        "sg/",
        "prefix_list/",
        "10.0.0.0/8",
        "0.0.0.0/33",
    ]);
    prop_oneof![
        (any::<u16>(), 1_u8..40).prop_map(|(at, n)| Edit::Delete(at, n)),
        (any::<u16>(), pieces.prop_map(str::to_owned)).prop_map(|(at, t)| Edit::Insert(at, t)),
        (any::<u16>(), 1_u8..80).prop_map(|(at, n)| Edit::Repeat(at, n)),
        (any::<u16>(), any::<u16>()).prop_map(|(a, b)| Edit::SwapLines(a, b)),
    ]
}

impl Edit {
    fn apply(&self, text: &mut String) {
        let chars: Vec<char> = text.chars().collect();
        let place = |at: u16| usize::from(at) * chars.len() / 65536;
        let part = |at: u16, n: u8| place(at)..(place(at) + usize::from(n)).min(chars.len());
        *text = match self {
            Self::Delete(at, n) => chars[..place(*at)].iter().chain(&chars[part(*at, *n).end..]).collect(),
            Self::Insert(at, piece) => {
                let (before, after) = chars.split_at(place(*at));
                before.iter().copied().chain(piece.chars()).chain(after.iter().copied()).collect()
            }
            Self::Repeat(at, n) => {
                let part = part(*at, *n);
                chars[..part.end].iter().chain(&chars[part.start..]).collect()
            }
            Self::SwapLines(a, b) => {
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                let line = |at: u16| usize::from(at) * lines.len() / 65536;
                let (a, b) = (line(*a), line(*b));
                if !lines.is_empty() {
                    lines.swap(a, b);
                }
                lines.concat()
            }
        };
    }
}

fn example_text(number: usize) -> String {
    let names = ["nat-instance.yaml", "prefix-lists.yaml", "shop.yaml", "two-tier.yaml"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(names[number]);
    std::fs::read_to_string(path).expect("the example exists")
}

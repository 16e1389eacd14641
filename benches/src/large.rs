//! A lab of a thousand VPCs, written as a lab file.

use std::fmt::{self, Write};

/// How many of each object the lab has.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// VPCs.
    pub vpcs: usize,
    /// Instances of each VPC, with one interface each.
    pub instances: usize,
    /// Security groups of each VPC, at least three; an instance carries two of them.
    pub groups: usize,
    /// Rules of each group in each direction.
    pub rules: usize,
}

/// The lab of the design goals: 1,000 VPCs, 10,000 interfaces, 100,000 rules.
pub const THOUSAND_VPCS: Scale = Scale { vpcs: 1_000, instances: 10, groups: 5, rules: 10 };

/// All interfaces and rules in one VPC, as far as quotas allow: 10,000 interfaces, 100,000 rules.
pub const ONE_VPC: Scale = Scale { vpcs: 1, instances: 10_000, groups: 1_000, rules: 50 };

/// Interfaces of one subnet, which is a /24.
const PER_SUBNET: usize = 200;

impl Scale {
    /// The text of the lab file.
    #[must_use]
    pub fn text(self) -> String {
        let mut text = String::from("lab: large\nvpcs:\n");
        (0..self.vpcs).try_for_each(|vpc| self.vpc(&mut text, vpc)).expect("a string grows");
        text
    }

    /// The text with one more rule in one group in the middle of the file.
    #[must_use]
    pub fn edited(self) -> String {
        let text = self.text();
        let group = format!("{}\n        ingress:\n", self.edited_group());
        let at = text.find(&group).expect("the group is in the text") + group.len();
        let rule = "          - { proto: tcp, ports: 8443, from: 203.0.113.0/24 }\n";
        [&text[..at], rule, &text[at..]].concat()
    }

    /// The key of the group that [`Self::edited`] changes; group names are distinct in the whole file.
    fn edited_group(self) -> String {
        format!("      g-{}-{}:", self.vpcs / 2, self.groups / 2)
    }

    fn vpc(self, out: &mut String, vpc: usize) -> fmt::Result {
        let block = vpc % 250;
        writeln!(out, "  v{vpc}:\n    cidr: [10.{block}.0.0/16]\n    subnets:")?;
        for n in 0..self.instances.div_ceil(PER_SUBNET) {
            writeln!(
                out,
                "      s{n}: {{ cidr: 10.{block}.{n}.0/24, az: us-east-1a, network_acl: n, route_table: r }}"
            )?;
        }
        writeln!(out, "    route_tables:\n      r:\n        main: true\n        routes:")?;
        writeln!(out, "          - {{ to: 0.0.0.0/0, via: instance/i-{vpc}-0 }}")?;
        for n in 0..9 {
            let via = if n % 2 == 0 { "blackhole".into() } else { format!("instance/i-{vpc}-0") };
            writeln!(out, "          - {{ to: 172.16.{n}.0/24, via: {via} }}")?;
        }
        writeln!(out, "    network_acls:\n      n:")?;
        for direction in ["ingress", "egress"] {
            writeln!(out, "        {direction}:")?;
            writeln!(
                out,
                "          - {{ rule: 90, action: deny, proto: tcp, ports: 23, cidr: 0.0.0.0/0 }}"
            )?;
            writeln!(out, "          - {{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 }}")?;
        }
        writeln!(out, "    security_groups:")?;
        (0..self.groups).try_for_each(|group| self.group(out, vpc, group))?;
        writeln!(out, "    instances:")?;
        (0..self.instances).try_for_each(|n| self.instance(out, vpc, n))
    }

    /// Half of the rules name blocks, half other groups.
    fn group(self, out: &mut String, vpc: usize, group: usize) -> fmt::Result {
        writeln!(out, "      g-{vpc}-{group}:")?;
        for (direction, peer) in [("ingress", "from"), ("egress", "to")] {
            writeln!(out, "        {direction}:")?;
            for n in 0..self.rules {
                write!(out, "          - {{ proto: tcp, ports: {}, {peer}: ", 1_000 + n)?;
                match n % 2 {
                    0 => writeln!(out, "10.{}.{n}.0/24 }}", group % 250)?,
                    _ => writeln!(out, "sg/g-{vpc}-{} }}", (group + n) % self.groups)?,
                }
            }
        }
        Ok(())
    }

    fn instance(self, out: &mut String, vpc: usize, n: usize) -> fmt::Result {
        let (subnet, group) = (n / PER_SUBNET, n % self.groups);
        let other = (group + 1 + n / self.groups % 2) % self.groups;
        let check = if n == 0 { ", source_dest_check: false" } else { "" };
        writeln!(
            out,
            "      i-{vpc}-{n}: {{ subnet: s{subnet}, security_groups: [g-{vpc}-{group}, g-{vpc}-{other}]{check} }}"
        )
    }
}

#[cfg(test)]
mod tests {
    use compile::Compiler;

    use super::*;

    #[test]
    fn ten_thousand_interfaces_compile_and_one_more_rule_touches_what_carries_it() {
        let scale = Scale { vpcs: 1_000, instances: 10, groups: 3, rules: 1 };
        let [before, after] = [scale.text(), scale.edited()]
            .map(|text| import::load("large.yaml", &text).expect("a generated lab has no errors").0);
        let mut compiler = Compiler::default();
        let [first, second] =
            [before, after].map(|lab| compiler.snapshot(&lab).expect("a checked lab compiles"));
        assert_eq!(second.interfaces().count(), 10_000);
        let changed = |(ix, interface): &(_, &snapshot::Interface)| {
            let part = snapshot::Part::Program(interface.program);
            assert_eq!(second.version(snapshot::Part::Interface(*ix)), first.generation());
            second.version(part) > first.generation()
        };
        assert_eq!(second.interfaces().filter(changed).count(), 6, "those that carry the group");
    }

    #[test]
    fn a_large_lab_has_the_size_that_its_name_says() {
        let scale = Scale { vpcs: 3, instances: 4, groups: 3, rules: 2 };
        let (valid, _) = import::load("large.yaml", &scale.text()).expect("a generated lab has no errors");
        let vpcs: Vec<_> = valid.lab().vpcs.values().collect();
        let interfaces = vpcs.iter().flat_map(|vpc| vpc.instances.values()).map(|i| i.interfaces.len());
        let groups = vpcs.iter().flat_map(|vpc| vpc.security_groups.values());
        let rules = groups.filter(|group| group.name != "default").map(|g| g.ingress.len() + g.egress.len());
        assert_eq!((vpcs.len(), interfaces.sum::<usize>(), rules.sum::<usize>()), (3, 12, 36));
    }
}

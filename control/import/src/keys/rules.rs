//! Keys of security groups and network ACLs.

use model::draft;

use super::{choice, object};

object! { draft::SecurityGroup, "SecurityGroup", "A security group: stateful allow rules.";
    ingress: Optional "Inbound rules. Default: none, for `default` everything from its own members.";
    egress: Optional "Outbound rules. Default: everything; write [] for none.";
}

object! { draft::IngressRule, "IngressRule", "An inbound allow rule.";
    proto: Required "tcp, udp, icmp, icmpv6, all, or a protocol number.";
    ports: Optional "Destination port or range, such as 443 or 8000-8999. Required for tcp and udp.";
    icmp_type as "type": Optional "ICMP type; -1 or nothing for any.";
    icmp_code as "code": Optional "ICMP code; -1 or nothing for any.";
    from: Required "CIDR block, sg/NAME, sg/VPC.NAME or prefix_list/NAME.";
    description: Optional "Free text.";
}

object! { draft::EgressRule, "EgressRule", "An outbound allow rule.";
    proto: Required "tcp, udp, icmp, icmpv6, all, or a protocol number.";
    ports: Optional "Destination port or range, such as 443 or 8000-8999. Required for tcp and udp.";
    icmp_type as "type": Optional "ICMP type; -1 or nothing for any.";
    icmp_code as "code": Optional "ICMP code; -1 or nothing for any.";
    to: Required "CIDR block, sg/NAME, sg/VPC.NAME or prefix_list/NAME.";
    description: Optional "Free text.";
}

object! { draft::NetworkAcl, "NetworkAcl", "A network ACL: stateless, in ascending number, the first match decides.";
    ingress: Optional "Entries for packets into the subnet. Default: none, so everything is denied.";
    egress: Optional "Entries for packets out of the subnet. Default: none, so everything is denied.";
}

object! { draft::AclEntry, "AclEntry", "An entry of a network ACL.";
    rule: Required "Number, 1 to 32766.";
    action: Required "Verdict.";
    proto: Required "tcp, udp, icmp, icmpv6, all, or a protocol number.";
    ports: Optional "The packet's destination port or range. Required for tcp and udp.";
    icmp_type as "type": Optional "ICMP type; -1 or nothing for any.";
    icmp_code as "code": Optional "ICMP code; -1 or nothing for any.";
    cidr: Required "Inbound: where packets come from. Outbound: where they go to.";
}

choice! { draft::AclAction; "allow" => Allow, "deny" => Deny }

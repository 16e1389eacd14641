//! Keys of instances and interfaces.

use model::draft;

use super::object;

object! { draft::Instance, "Instance", "An instance: one network namespace. Without `interfaces`, the other keys are those of eth0.";
    subnet: Optional "Name of its subnet.";
    security_groups: Optional "Names of its security groups, or with `interfaces` the default of those. Default: [default].";
    private_ip: Optional "IPv4 address. Default: the lowest free one.";
    private_ips: Optional "IPv4 addresses, the first is the primary one.";
    public_ip: Optional "Public IPv4 address, or auto.";
    public_ips: Optional "Public by private IPv4 address.";
    ipv6: Optional "Whether it gets an IPv6 address.";
    ipv6_addresses: Optional "IPv6 addresses.";
    source_dest_check: Optional "Whether it may send and receive only for its own addresses. Default true.";
    mtu: Optional "Bytes of an IP packet, 1280 to 9001 (default).";
    flow_logs: Optional "Flow logs of its interface by name.";
    run: Optional "Programs kept running in the namespace, each a shell command line.";
    interfaces: Optional "Interfaces by device name, such as eth0.";
}

object! { draft::Interface, "Interface", "A network interface.";
    subnet: Required "Name of its subnet.";
    security_groups: Optional "Names of its security groups. Default: those of the instance.";
    private_ip: Optional "IPv4 address. Default: the lowest free one.";
    private_ips: Optional "IPv4 addresses, the first is the primary one.";
    public_ip: Optional "Public IPv4 address, or auto.";
    public_ips: Optional "Public by private IPv4 address.";
    ipv6: Optional "Whether it gets an IPv6 address.";
    ipv6_addresses: Optional "IPv6 addresses.";
    source_dest_check: Optional "Whether it may send and receive only for its own addresses. Default true.";
    mtu: Optional "Bytes of an IP packet, 1280 to 9001 (default).";
    flow_logs: Optional "Flow logs of this interface by name.";
}

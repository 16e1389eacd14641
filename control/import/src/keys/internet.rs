//! Keys of the network outside every VPC.

use model::draft;

use super::object;

object! { draft::Internet, "Internet", "One flat network outside every VPC.";
    mtu: Optional "Bytes of an IP packet, 1280 to 9001. Default 1500.";
    public_pool: Optional "Blocks that `public_ip: auto` takes from.";
    hosts: Optional "Hosts by name, each a network namespace; a name is unique among hosts and instances.";
    services: Optional "AWS services: blocks by region, or a backend.";
    uplink: Optional "Whether the host's own network stands behind it.";
}

object! { draft::Host, "Host", "A host on the internet.";
    ips: Required "Addresses, outside every VPC.";
    names: Optional "DNS names.";
    run: Optional "Programs kept running in the namespace, each a shell command line.";
}

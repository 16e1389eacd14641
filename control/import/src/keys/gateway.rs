//! Keys of internet gateways and NAT gateways.

use model::draft;

use super::{choice, object};

object! { draft::InternetGatewayOptions, "InternetGatewayOptions", "An internet gateway with options.";
    route_table: Optional "Name of the edge route table.";
}

object! { draft::NatGateway, "NatGateway", "A NAT gateway.";
    subnet: Required "Name of its subnet.";
    connectivity_type: Optional "Whether it reaches the internet. Default public.";
    public_ip: Optional "Public IPv4 address, or auto; a public gateway needs one.";
    private_ip: Optional "Private IPv4 address. Default: the lowest free one.";
    secondary: Optional "Secondary addresses.";
    flow_logs: Optional "Flow logs of its network interface by name.";
}

object! { draft::NatAddress, "NatAddress", "A secondary address of a NAT gateway.";
    public_ip: Optional "Public IPv4 address, or auto; a public gateway needs one.";
    private_ip: Optional "Private IPv4 address. Default: the lowest free one.";
}

choice! { draft::ConnectivityType; "private" => Private, "public" => Public }

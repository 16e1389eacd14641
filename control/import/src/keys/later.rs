//! Keys of objects that are understood but not enforced yet.

use model::draft;

use super::{choice, object};

object! { draft::InternetGatewayOptions, "InternetGatewayOptions", "An internet gateway with options.";
    route_table: Optional "Name of the edge route table.";
}

object! { draft::NatGateway, "NatGateway", "A NAT gateway.";
    subnet: Required "Name of its subnet.";
    connectivity_type: Optional "Whether it reaches the internet. Default public.";
    public_ip: Optional "Public IPv4 address.";
    private_ip: Optional "Private IPv4 address. Default: a free one.";
    secondary: Optional "Secondary addresses.";
    flow_logs: Optional "Flow logs of its interface by name.";
}

object! { draft::NatAddress, "NatAddress", "A secondary address of a NAT gateway.";
    public_ip: Optional "Public IPv4 address.";
    private_ip: Optional "Private IPv4 address.";
}

object! { draft::Endpoint, "Endpoint", "A VPC endpoint.";
    service: Required "Service name such as s3, or endpoint_service/VPC.NAME.";
    endpoint_type as "type": Required "Kind of endpoint.";
    route_tables: Optional "Route tables of a gateway endpoint.";
    subnets: Optional "Subnets of an interface endpoint, by name or with an address each.";
    security_groups: Optional "Security groups of an interface endpoint.";
    policy: Optional "Path of a policy document.";
    private_dns: Optional "Whether the service's own name leads here.";
    accepted: Optional "Whether the provider has accepted it.";
    flow_logs: Optional "Flow logs of its interfaces by name.";
}

object! { draft::EndpointService, "EndpointService", "An endpoint service.";
    load_balancers: Required "Load balancers in front of it.";
    acceptance_required: Optional "Whether the provider must accept endpoints.";
    allowed_accounts: Optional "Accounts that may create endpoints.";
    private_dns_name: Optional "Name that consumers use.";
}

object! { draft::LoadBalancer, "LoadBalancer", "A network load balancer.";
    subnets: Required "Its subnets.";
    cross_zone: Optional "Whether it reaches targets of other zones.";
    listeners: Optional "Listeners.";
}

object! { draft::Listener, "Listener", "A listener.";
    proto: Required "Protocol.";
    port: Required "Port that it listens on.";
    targets: Required "Targets as INSTANCE:PORT.";
}

object! { draft::DhcpOptions, "DhcpOptions", "DHCP options.";
    domain_name: Optional "Domain of host names.";
    domain_name_servers: Optional "Resolvers, or AmazonProvidedDNS.";
}

object! { draft::Peering, "Peering", "A peering connection between two VPCs.";
    requester: Required "VPC that asked.";
    accepter: Required "VPC that was asked.";
    state: Optional "State of the connection. Default active.";
    requester_dns: Optional "Whether the requester's public names resolve to private addresses for the peer.";
    accepter_dns: Optional "Whether the accepter's public names resolve to private addresses for the peer.";
}

object! { draft::Internet, "Internet", "One flat network outside every VPC.";
    mtu: Optional "Bytes of an IP packet. Default 1500.";
    public_pool: Optional "Blocks that `public_ip: auto` takes from.";
    hosts: Optional "Hosts by name.";
    services: Optional "AWS services: blocks by region, or a backend.";
    uplink: Optional "Whether the host's own network stands behind it.";
}

object! { draft::Host, "Host", "A host on the internet.";
    ips: Required "Addresses.";
    names: Optional "DNS names.";
}

object! { draft::Bucket, "Bucket", "A bucket.";
    region: Optional "Region, if not the lab's.";
    policy: Optional "Path of a policy document.";
}

object! { draft::Principal, "Principal", "Who signs requests.";
    access_key: Required "Access key id.";
    secret_key: Required "Secret access key.";
    arn: Required "Amazon resource name of the caller.";
}

choice! { draft::ConnectivityType; "private" => Private, "public" => Public }
choice! { draft::EndpointType; "gateway" => Gateway, "interface" => Interface }
choice! { draft::ListenerProtocol; "tcp" => Tcp, "udp" => Udp }
choice! { draft::PeeringState; "active" => Active, "pending-acceptance" => PendingAcceptance, "rejected" => Rejected }

//! Keys of objects that are understood but not enforced yet.

use model::draft;

use super::{choice, object};

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

object! { draft::Bucket, "Bucket", "A bucket.";
    region: Optional "Region, if not the lab's.";
    policy: Optional "Path of a policy document.";
}

object! { draft::Principal, "Principal", "Who signs requests.";
    access_key: Required "Access key id.";
    secret_key: Required "Secret access key.";
    arn: Required "Amazon resource name of the caller.";
}

choice! { draft::EndpointType; "gateway" => Gateway, "interface" => Interface }
choice! { draft::ListenerProtocol; "tcp" => Tcp, "udp" => Udp }

//! Keys of VPCs, subnets, route tables, prefix lists and flow logs.

use model::draft;

use super::{choice, object};

object! { draft::Vpc, "Vpc", "A VPC.";
    account: Optional "Owner, if not the lab's account.";
    region: Optional "Region, if not the lab's.";
    cidr: Required "IPv4 blocks, /16 to /28; the first is the primary one.";
    ipv6_cidr: Optional "IPv6 block or blocks, /44 to /60 in steps of 4.";
    enable_dns_support: Optional "Whether the resolver answers.";
    enable_dns_hostnames: Optional "Whether instances get public names.";
    internet_gateway: Optional "true, or { route_table: NAME } for an edge route table.";
    egress_only_internet_gateway: Optional "Whether there is an egress-only internet gateway (IPv6).";
    subnets: Optional "Subnets by name.";
    nat_gateways: Optional "NAT gateways by name.";
    route_tables: Optional "Route tables by name. A VPC without a main one gets one called `main`.";
    security_groups: Optional "Security groups by name. `default` always exists.";
    network_acls: Optional "Network ACLs by name. `default` always exists and lets everything through.";
    endpoints: Optional "VPC endpoints by name.";
    endpoint_services: Optional "Endpoint services by name.";
    load_balancers: Optional "Network load balancers by name.";
    dhcp_options: Optional "DHCP options.";
    hosted_zones: Optional "Private hosted zones: addresses by host by zone.";
    instances: Optional "Instances by name; a name is unique in the lab.";
    flow_logs: Optional "Flow logs of the whole VPC by name.";
}

object! { draft::Subnet, "Subnet", "A subnet: one block of each family in one availability zone.";
    cidr: Required "IPv4 block, /16 to /28, inside one of the VPC.";
    ipv6_cidr: Optional "IPv6 block, /44 to /64 in steps of 4, inside one of the VPC.";
    az: Optional "Availability zone, such as us-east-1a. Default: zone a of the region.";
    az_id: Optional "Id of the zone, such as use1-az1. Default: by letter.";
    route_table: Optional "Name of the associated route table. Default: the main one.";
    network_acl: Optional "Name of the associated network ACL. Default: `default`.";
    dns64: Optional "Whether the resolver makes up IPv6 addresses for NAT64.";
    flow_logs: Optional "Flow logs of this subnet by name.";
}

object! { draft::RouteTable, "RouteTable", "A route table; local routes exist without being written.";
    main: Optional "Whether subnets without an association use it.";
    routes: Optional "Routes.";
}

object! { draft::Route, "Route", "A route.";
    to: Required "CIDR block or prefix_list/NAME.";
    via: Required "instance/NAME (single interface), interface/INSTANCE.DEVICE, local, blackhole, internet_gateway, egress_only_internet_gateway, nat_gateway/NAME or peering/NAME.";
}

object! { draft::PrefixList, "PrefixList", "A customer-managed prefix list.";
    region: Optional "Region, if not the lab's.";
    address_family: Required "Family of all entries.";
    max_entries: Required "Size that counts against quotas, 1 to 1000.";
    entries: Optional "CIDR blocks.";
}

object! { draft::FlowLog, "FlowLog", "A flow log.";
    traffic: Required "Which verdicts it records.";
    max_aggregation_interval: Optional "Seconds of one window: 60 or 600 (default).";
    format: Optional "Fields as ${field}, separated by spaces. Default: version 2.";
    destination: Required "Where records go.";
}

object! { draft::Destination, "Destination", "Where flow-log records go: one of these.";
    file: Optional "Text file, relative to the lab file.";
    s3: Optional "Bucket for files.";
    cloudwatch_logs: Optional "Log group.";
}

object! { draft::S3Destination, "S3Destination", "A bucket for flow-log files.";
    bucket: Required "Name of the bucket.";
    prefix: Optional "Key prefix.";
    endpoint: Optional "URL of the object store, if not AWS.";
    file_format: Optional "Format of the files. Default plain-text.";
    hive: Optional "Whether keys are Hive compatible.";
    hourly: Optional "Whether there is one folder per hour.";
}

object! { draft::CloudWatchDestination, "CloudWatchDestination", "A log group of CloudWatch Logs.";
    log_group: Required "Name of the log group.";
    endpoint: Optional "URL of the service, if not AWS.";
}

choice! { draft::AddressFamily; "ipv4" => Ipv4, "ipv6" => Ipv6 }
choice! { draft::TrafficType; "accept" => Accept, "all" => All, "reject" => Reject }
choice! { draft::FileFormat; "parquet" => Parquet, "plain-text" => PlainText }

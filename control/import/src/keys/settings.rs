//! Keys of the knobs.

use model::draft;

use super::{choice, object};

object! { draft::Settings, "Settings", "Knobs.";
    sg: Optional "Security groups.";
    nat: Optional "NAT gateways.";
    limits: Optional "Sizes of tables.";
    flow_logs: Optional "Flow logs.";
}

object! { draft::GroupSettings, "GroupSettings", "Knobs of security groups; times in seconds.";
    tcp_established: Optional "Idle time of established TCP, 60 to 432000 (default).";
    udp_stream: Optional "Idle time of a UDP stream, 60 to 180 (default).";
    udp_timeout: Optional "Idle time of one UDP exchange, 30 (default) to 60.";
    icmp: Optional "Idle time of ICMP, 1 to 600. Default 30.";
    related_icmp: Optional "What happens to ICMP errors about flows that only narrow rules track. Default accept.";
    track_all: Optional "Whether flows are tracked that AWS leaves untracked. Default false.";
}

object! { draft::NatSettings, "NatSettings", "Knobs of NAT gateways; times in seconds.";
    idle_timeout: Optional "Idle time of a connection, 1 to 86400. Default 350.";
}

object! { draft::Limits, "Limits", "Sizes of tables.";
    sessions: Optional "Sessions that the flow table holds, 64 to 100000000. Default 1000000.";
}

object! { draft::FlowLogSettings, "FlowLogSettings", "Knobs of flow logs.";
    nitro: Optional "Whether windows are at most 60 s long, as on Nitro instances. Default true.";
    delivery_delay: Optional "Seconds between the end of a window and its delivery. Default 0.";
    allow_any_interval: Optional "Whether windows may have any length in seconds, for tests. Default false.";
}

choice! { draft::RelatedIcmp; "accept" => Accept, "reject" => Reject }

//! What is counted at a NAT gateway.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $field:ident = $name:literal;)+) => {
        /// Metrics of one NAT gateway since the lab was started, under CloudWatch's names (NG-25). Packets are those on the wire.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct NatMetrics {
            $($(#[doc = $doc])+ #[serde(rename = $name)] pub $field: u64,)+
        }

        impl NatMetrics {
            /// All metrics by name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($name, self.$field)),+].into_iter()
            }
        }

        impl AddAssign for NatMetrics {
            /// Every worker counts its own connections, so sums are those of all, also of what is open now.
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)+
            }
        }
    };
}

metrics! {
    /// Connections open now.
    active_connection_count = "ActiveConnectionCount";
    /// Bytes that came from destinations.
    bytes_in_from_destination = "BytesInFromDestination";
    /// Bytes that came from clients.
    bytes_in_from_source = "BytesInFromSource";
    /// Bytes sent to destinations.
    bytes_out_to_destination = "BytesOutToDestination";
    /// Bytes sent to clients.
    bytes_out_to_source = "BytesOutToSource";
    /// Connections that clients tried to make.
    connection_attempt_count = "ConnectionAttemptCount";
    /// Connections that were made.
    connection_established_count = "ConnectionEstablishedCount";
    /// Connections for which no port was left (NG-08).
    error_port_allocation = "ErrorPortAllocation";
    /// Connections that were idle for too long (NG-10).
    idle_timeout_count = "IdleTimeoutCount";
    /// Packets dropped.
    packets_drop_count = "PacketsDropCount";
    /// Packets that came from destinations.
    packets_in_from_destination = "PacketsInFromDestination";
    /// Packets that came from clients.
    packets_in_from_source = "PacketsInFromSource";
    /// Packets sent to destinations.
    packets_out_to_destination = "PacketsOutToDestination";
    /// Packets sent to clients.
    packets_out_to_source = "PacketsOutToSource";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_the_names_of_cloudwatch() {
        let json = serde_json::to_value(NatMetrics::default()).expect("JSON");
        let names: Vec<&str> = NatMetrics::default().named().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 14);
        assert!(names.is_sorted());
        assert!(names.iter().all(|name| json[name] == 0), "{json}");
    }

    #[test]
    fn every_metric_is_summed() {
        let ones = NatMetrics { packets_drop_count: 1, active_connection_count: 1, ..NatMetrics::default() };
        let mut sum = ones;
        sum += ones;
        let counted: Vec<_> = sum.named().filter(|(_, value)| *value > 0).collect();
        assert_eq!(counted, [("ActiveConnectionCount", 2), ("PacketsDropCount", 2)]);
    }
}

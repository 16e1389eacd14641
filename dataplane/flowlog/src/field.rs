//! The fields that a record format may name.

use std::fmt;

/// Column type of a field in Parquet; in text everything is a string (FL-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldKind {
    /// `INT_32`.
    Int32,
    /// `INT_64`.
    Int64,
    /// `STRING`.
    String,
}

impl FieldKind {
    /// Whether values are whole numbers.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int32 | Self::Int64)
    }
}

macro_rules! fields {
    ($($version:literal: $($variant:ident $kind:ident $name:literal,)*;)*) => {
        /// A field of a flow-log record (FL-24; AWS page "Flow log records"). Fields newer than version 5 may be named
        /// in a format but have no value here, except `resource-id`, which a record can carry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[doc = concat!("`", $name, "`, version ", $version, ".")] $variant,)*)*
        }

        impl Field {
            /// Every field, oldest version first.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The name that a format writes in `${}`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// The record version that introduced it.
            #[must_use]
            pub const fn version(self) -> u8 {
                match self { $($(Self::$variant => $version,)*)* }
            }

            /// Its Parquet column type.
            #[must_use]
            pub const fn kind(self) -> FieldKind {
                match self { $($(Self::$variant => FieldKind::$kind,)*)* }
            }
        }
    };
}

fields! {
    2:
        Version Int32 "version",
        AccountId String "account-id",
        InterfaceId String "interface-id",
        SrcAddr String "srcaddr",
        DstAddr String "dstaddr",
        SrcPort Int32 "srcport",
        DstPort Int32 "dstport",
        Protocol Int32 "protocol",
        Packets Int64 "packets",
        Bytes Int64 "bytes",
        Start Int64 "start",
        End Int64 "end",
        Action String "action",
        LogStatus String "log-status",;
    3:
        VpcId String "vpc-id",
        SubnetId String "subnet-id",
        InstanceId String "instance-id",
        TcpFlags Int32 "tcp-flags",
        Type String "type",
        PktSrcAddr String "pkt-srcaddr",
        PktDstAddr String "pkt-dstaddr",;
    4:
        Region String "region",
        AzId String "az-id",
        SublocationType String "sublocation-type",
        SublocationId String "sublocation-id",;
    5:
        PktSrcAwsService String "pkt-src-aws-service",
        PktDstAwsService String "pkt-dst-aws-service",
        FlowDirection String "flow-direction",
        TrafficPath Int32 "traffic-path",;
    7:
        EcsClusterArn String "ecs-cluster-arn",
        EcsClusterName String "ecs-cluster-name",
        EcsContainerInstanceArn String "ecs-container-instance-arn",
        EcsContainerInstanceId String "ecs-container-instance-id",
        EcsContainerId String "ecs-container-id",
        EcsSecondContainerId String "ecs-second-container-id",
        EcsServiceName String "ecs-service-name",
        EcsTaskDefinitionArn String "ecs-task-definition-arn",
        EcsTaskArn String "ecs-task-arn",
        EcsTaskId String "ecs-task-id",;
    8:
        RejectReason String "reject-reason",;
    9:
        ResourceId String "resource-id",;
    10:
        EncryptionStatus Int32 "encryption-status",;
    11:
        InstanceTag String "instance-tag",
        InstanceTag2 String "instance-tag-2",
        InterfaceTag String "interface-tag",
        InterfaceTag2 String "interface-tag-2",
        AsgTag String "asg-tag",
        AsgTag2 String "asg-tag-2",
        InterfaceType String "interface-type",
        NextHopInterfaceId String "next-hop-interface-id",
        NextHopSubnetId String "next-hop-subnet-id",
        NextHopAzId String "next-hop-az-id",
        NextHopVpcId String "next-hop-vpc-id",
        NextHopInterfaceType String "next-hop-interface-type",;
}

impl Field {
    /// The field with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules: FL-24
    #[test]
    fn every_version_adds_the_published_number_of_fields() {
        let up_to = |version| Field::ALL.iter().filter(|field| field.version() <= version).count();
        let counts = [2, 3, 4, 5, 7, 8, 9, 10, 11].map(up_to);
        assert_eq!(counts, [14, 21, 25, 29, 39, 40, 41, 42, 54]);
    }

    /// Rules: FL-24
    #[test]
    fn numbers_are_the_fields_that_aws_stores_as_integers() {
        let named = |kind| {
            let of_kind = Field::ALL.iter().filter(move |field| field.kind() == kind);
            of_kind.map(|field| field.name()).collect::<Vec<_>>()
        };
        let int_32 =
            ["version", "srcport", "dstport", "protocol", "tcp-flags", "traffic-path", "encryption-status"];
        assert_eq!(named(FieldKind::Int32), int_32);
        assert_eq!(named(FieldKind::Int64), ["packets", "bytes", "start", "end"]);
    }

    #[test]
    fn names_find_their_fields() {
        for field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(*field));
        }
        assert_eq!(Field::from_name("srcadr"), None);
    }
}

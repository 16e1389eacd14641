//! One flow-log record, before it becomes text.

use std::net::IpAddr;
use std::sync::Arc;

use engine::{Action, Direction};
use wire::proto;

use crate::Field;

/// One record: all fields of versions 2 to 5.
///
/// `version` is not here: it belongs to the format (FL-21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it was made.
    pub origin: Arc<Origin>,
    /// Unix seconds of the first packet (FL-13); start of the observed time when there is no traffic to show.
    pub start: u64,
    /// Unix seconds of the last packet (FL-13); end of the observed time when there is no traffic to show.
    pub end: u64,
    /// What happened.
    pub status: Status,
}

/// What a record says about its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was seen (FL-39).
    NoData,
    /// This traffic.
    Ok(Traffic),
    /// Records were lost; one such record may stand for many flows (FL-39).
    SkipData,
}

impl Status {
    /// The `log-status` field (FL-39).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoData => "NODATA",
            Self::Ok(_) => "OK",
            Self::SkipData => "SKIPDATA",
        }
    }
}

/// The place that a record belongs to: what is true of the interface whether or not there is traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Owner.
    pub account_id: Option<String>,
    /// Availability zone id.
    pub az_id: Option<String>,
    /// `i-` id; none for interfaces that AWS manages.
    pub instance_id: Option<String>,
    /// `eni-` id; none for a regional NAT gateway (FL-62).
    pub interface_id: Option<String>,
    /// Region name.
    pub region: Option<String>,
    /// Id of a regional NAT gateway, which has no interface (FL-62).
    pub resource_id: Option<String>,
    /// Outpost, Local Zone or Wavelength Zone.
    pub sublocation_id: Option<String>,
    /// `outpost`, `localzone` or `wavelength`.
    pub sublocation_type: Option<String>,
    /// `subnet-` id.
    pub subnet_id: Option<String>,
    /// `vpc-` id.
    pub vpc_id: Option<String>,
}

/// The flow fields of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Verdict of groups and ACL together (FL-36).
    pub action: Action,
    /// IP bytes (FL-14).
    pub bytes: u64,
    /// Relative to the interface (FL-43).
    pub direction: Direction,
    /// Destination as the interface is known by (FL-30, FL-31).
    pub dst_addr: Option<IpAddr>,
    /// Destination port; 0 unless TCP or UDP (FL-15).
    pub dst_port: u16,
    /// Packets.
    pub packets: u64,
    /// Destination in the packet.
    pub pkt_dst_addr: IpAddr,
    /// Name of the AWS service that owns the packet's destination (FL-45).
    pub pkt_dst_aws_service: Option<Arc<str>>,
    /// Source in the packet; its family is the `type` field.
    pub pkt_src_addr: IpAddr,
    /// Name of the AWS service that owns the packet's source (FL-45).
    pub pkt_src_aws_service: Option<Arc<str>>,
    /// IANA number (FL-17).
    pub protocol: u8,
    /// Source as the interface is known by (FL-30, FL-32).
    pub src_addr: Option<IpAddr>,
    /// Source port; 0 unless TCP or UDP (FL-15).
    pub src_port: u16,
    /// OR of the flags in the encoding of FL-40; printed as 0 unless TCP (FL-42).
    pub tcp_flags: u8,
    /// Kind of target, 1 to 8; printed for egress only (FL-44).
    pub traffic_path: Option<u8>,
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// An IP address.
    Address(IpAddr),
    /// A whole number.
    Number(u64),
    /// An id or a word.
    Text(&'a str),
}

impl Record {
    /// The value of `field`, or none where text shows `-` (FL-22).
    ///
    /// Without traffic the flow fields have none and what describes the interface stays: account-id and interface-id by
    /// FL-39, and as AWS documents nothing for later versions, also VPC, subnet, instance, region and zone.
    /// None too for [`Field::Version`], which is the format's, and for fields newer than version 5 except
    /// [`Field::ResourceId`].
    #[must_use]
    pub fn value(&self, field: Field) -> Option<Value<'_>> {
        match field {
            Field::Start => Some(Value::Number(self.start)),
            Field::End => Some(Value::Number(self.end)),
            Field::LogStatus => Some(Value::Text(self.status.code())),
            Field::AccountId => text(&self.origin.account_id),
            Field::InterfaceId => text(&self.origin.interface_id),
            Field::VpcId => text(&self.origin.vpc_id),
            Field::SubnetId => text(&self.origin.subnet_id),
            Field::InstanceId => text(&self.origin.instance_id),
            Field::Region => text(&self.origin.region),
            Field::AzId => text(&self.origin.az_id),
            Field::SublocationType => text(&self.origin.sublocation_type),
            Field::SublocationId => text(&self.origin.sublocation_id),
            Field::ResourceId => text(&self.origin.resource_id),
            Field::SrcAddr => self.traffic()?.src_addr.map(Value::Address),
            Field::DstAddr => self.traffic()?.dst_addr.map(Value::Address),
            Field::SrcPort => Some(Value::Number(self.traffic()?.src_port.into())),
            Field::DstPort => Some(Value::Number(self.traffic()?.dst_port.into())),
            Field::Protocol => Some(Value::Number(self.traffic()?.protocol.into())),
            Field::Packets => Some(Value::Number(self.traffic()?.packets)),
            Field::Bytes => Some(Value::Number(self.traffic()?.bytes)),
            Field::Action => Some(Value::Text(action(self.traffic()?.action))),
            Field::TcpFlags => Some(Value::Number(self.traffic()?.shown_tcp_flags().into())),
            Field::Type => Some(Value::Text(address_type(self.traffic()?.pkt_src_addr))),
            Field::PktSrcAddr => Some(Value::Address(self.traffic()?.pkt_src_addr)),
            Field::PktDstAddr => Some(Value::Address(self.traffic()?.pkt_dst_addr)),
            Field::PktSrcAwsService => self.traffic()?.pkt_src_aws_service.as_deref().map(Value::Text),
            Field::PktDstAwsService => self.traffic()?.pkt_dst_aws_service.as_deref().map(Value::Text),
            Field::FlowDirection => Some(Value::Text(direction(self.traffic()?.direction))),
            Field::TrafficPath => self.traffic()?.shown_traffic_path().map(|path| Value::Number(path.into())),
            Field::Version
            | Field::EcsClusterArn
            | Field::EcsClusterName
            | Field::EcsContainerInstanceArn
            | Field::EcsContainerInstanceId
            | Field::EcsContainerId
            | Field::EcsSecondContainerId
            | Field::EcsServiceName
            | Field::EcsTaskDefinitionArn
            | Field::EcsTaskArn
            | Field::EcsTaskId
            | Field::RejectReason
            | Field::EncryptionStatus
            | Field::InstanceTag
            | Field::InstanceTag2
            | Field::InterfaceTag
            | Field::InterfaceTag2
            | Field::AsgTag
            | Field::AsgTag2
            | Field::InterfaceType
            | Field::NextHopInterfaceId
            | Field::NextHopSubnetId
            | Field::NextHopAzId
            | Field::NextHopVpcId
            | Field::NextHopInterfaceType => None,
        }
    }

    const fn traffic(&self) -> Option<&Traffic> {
        match &self.status {
            Status::Ok(traffic) => Some(traffic),
            Status::NoData | Status::SkipData => None,
        }
    }
}

impl Traffic {
    const fn shown_tcp_flags(&self) -> u8 {
        if self.protocol == proto::TCP { self.tcp_flags } else { 0 }
    }

    const fn shown_traffic_path(&self) -> Option<u8> {
        match self.direction {
            Direction::Egress => self.traffic_path,
            Direction::Ingress => None,
        }
    }
}

fn text(value: &Option<String>) -> Option<Value<'_>> {
    value.as_deref().map(Value::Text)
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Accept => "ACCEPT",
        Action::Reject => "REJECT",
    }
}

const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "egress",
        Direction::Ingress => "ingress",
    }
}

const fn address_type(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}

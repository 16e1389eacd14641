//! Tap events to aggregation windows to VPC Flow Log records to text

#![forbid(unsafe_code)]

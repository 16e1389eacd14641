//! The vpclab program

#![forbid(unsafe_code)]

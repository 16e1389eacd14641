//! Labs of unique names, programs with deadlines, sockets inside instances, traffic with sequence numbers, flow-log records.

mod beyond;
mod capture;
mod deadline;
mod lab;
mod load;
mod logged;
mod machine;
mod observe;
mod program;
mod records;
mod sockets;

pub(crate) use beyond::Beyond;
pub(crate) use deadline::{Deadline, eventually};
pub(crate) use lab::{Finished, LATE, Lab, NOTHING, vpclab};
pub(crate) use load::Load;
pub(crate) use logged::{FULL, address, ping, ping_well, records, rows, rows_of, up};
pub(crate) use machine::{alone, lives, unique_name};
pub(crate) use program::{Done, Program};
pub(crate) use records::Records;
pub(crate) use sockets::{Instance, datagrams_in_one_call, echo_tcp, echo_tcp_at, echo_udp, echo_udp_at};

//! Links, addresses, routes and rules of the network namespace that the calling thread is in.
//!
//! The only module that knows `rtnetlink`: that crate changes its interface every few months. Calls block; the thread that makes
//! them was made for one namespace and has no other work.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures_util::StreamExt;
use ipnet::IpNet;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::route::{RouteMessage, RouteScope};
use rtnetlink::packet_route::rule::{RuleAction, RuleMessage};
use rtnetlink::{AddressMessageBuilder, Handle, LinkUnspec, RouteMessageBuilder};
use tokio::runtime::{Builder, Runtime};

use crate::plan::{Route, Rule};

/// How long the kernel may take for one request; it answers in microseconds unless something is very wrong.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `ENODEV`: how the kernel says that a link with this name does not exist.
const NO_SUCH_DEVICE: i32 = 19;

/// A netlink socket. It belongs to the namespace in which it was opened.
#[derive(Debug)]
pub(crate) struct Netlink {
    runtime: Runtime,
    handle: Handle,
}

/// Kernel's number of a link; unique within its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkIndex(u32);

impl Netlink {
    /// Opens a socket in the calling thread's namespace.
    pub(crate) fn open() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = {
            let _entered = runtime.enter();
            let (connection, handle, _unsolicited) = rtnetlink::new_connection()?;
            runtime.spawn(connection);
            handle
        };
        Ok(Self { runtime, handle })
    }

    /// The link with this name, if there is one.
    pub(crate) fn find(&self, device: &str) -> io::Result<Option<LinkIndex>> {
        let links = self.handle.link().get().match_name(device.to_owned()).execute();
        let first = async { Box::pin(links).next().await.transpose() };
        match self.wait(first) {
            Ok(link) => Ok(link.map(|link| LinkIndex(link.header.index))),
            Err(error) if error.raw_os_error() == Some(NO_SUCH_DEVICE) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn delete(&self, link: LinkIndex) -> io::Result<()> {
        self.wait(self.handle.link().del(link.0).execute())
    }

    pub(crate) fn set_up(&self, link: LinkIndex) -> io::Result<()> {
        self.wait(self.handle.link().set(LinkUnspec::new_with_index(link.0).up().build()).execute())
    }

    /// `mtu` in IP packet bytes.
    pub(crate) fn set_mtu(&self, link: LinkIndex, mtu: u16) -> io::Result<()> {
        let message = LinkUnspec::new_with_index(link.0).mtu(mtu.into()).build();
        self.wait(self.handle.link().set(message).execute())
    }

    pub(crate) fn add_address(&self, link: LinkIndex, address: IpNet) -> io::Result<()> {
        let mut request = self.handle.address().add(link.0, address.addr(), address.prefix_len());
        // The plan has every route; duplicate address detection would only delay the first packet.
        let flags = AddressFlags::Noprefixroute | AddressFlags::Nodad;
        request.message_mut().attributes.push(AddressAttribute::Flags(flags));
        self.wait(request.replace().execute())
    }

    pub(crate) fn delete_address(&self, link: LinkIndex, address: IpNet) -> io::Result<()> {
        self.wait(self.handle.address().del(address_message(link, address)).execute())
    }

    /// Makes the route, or replaces one of the same table and destination.
    pub(crate) fn set_route(&self, link: LinkIndex, route: &Route) -> io::Result<()> {
        self.wait(self.handle.route().add(route_message(link, route)).replace().execute())
    }

    pub(crate) fn delete_route(&self, link: LinkIndex, route: &Route) -> io::Result<()> {
        self.wait(self.handle.route().del(route_message(link, route)).execute())
    }

    pub(crate) fn add_rule(&self, rule: &Rule) -> io::Result<()> {
        let mut request = self.handle.rule().add();
        *request.message_mut() = self.rule_message(rule);
        self.wait(request.execute())
    }

    pub(crate) fn delete_rule(&self, rule: &Rule) -> io::Result<()> {
        self.wait(self.handle.rule().del(self.rule_message(rule)).execute())
    }

    fn rule_message(&self, rule: &Rule) -> RuleMessage {
        let any =
            self.handle.rule().add().action(RuleAction::ToTable).table_id(rule.table).priority(rule.table);
        match rule.from {
            IpAddr::V4(from) => any.v4().source_prefix(from, 32).message_mut().clone(),
            IpAddr::V6(from) => any.v6().source_prefix(from, 128).message_mut().clone(),
        }
    }

    fn wait<T>(&self, request: impl Future<Output = Result<T, rtnetlink::Error>>) -> io::Result<T> {
        let bounded = async { tokio::time::timeout(TIMEOUT, request).await };
        self.runtime.block_on(bounded).map_err(io::Error::from)?.map_err(into_io)
    }
}

fn address_message(link: LinkIndex, address: IpNet) -> AddressMessage {
    match address {
        IpNet::V4(net) => AddressMessageBuilder::<Ipv4Addr>::new()
            .index(link.0)
            .address(net.addr(), net.prefix_len())
            .build(),
        IpNet::V6(net) => AddressMessageBuilder::<Ipv6Addr>::new()
            .index(link.0)
            .address(net.addr(), net.prefix_len())
            .build(),
    }
}

fn route_message(link: LinkIndex, route: &Route) -> RouteMessage {
    let length = route.destination.prefix_len();
    match (route.destination, route.source) {
        (IpNet::V4(to), IpAddr::V4(source)) => RouteMessageBuilder::<Ipv4Addr>::new()
            .table_id(route.table)
            .destination_prefix(to.addr(), length)
            .pref_source(source)
            .output_interface(link.0)
            .scope(RouteScope::Link)
            .build(),
        (IpNet::V6(to), IpAddr::V6(source)) => RouteMessageBuilder::<Ipv6Addr>::new()
            .table_id(route.table)
            .destination_prefix(to.addr(), length)
            .pref_source(source)
            .output_interface(link.0)
            .build(),
        // The kernel refuses a source of the other family; a plan never has one.
        (IpNet::V4(_), IpAddr::V6(_)) | (IpNet::V6(_), IpAddr::V4(_)) => RouteMessage::default(),
    }
}

fn into_io(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        other @ (rtnetlink::Error::UnexpectedMessage(_)
        | rtnetlink::Error::RequestFailed
        | rtnetlink::Error::NamespaceError(_)
        | rtnetlink::Error::InvalidHardwareAddress(_)
        | rtnetlink::Error::InvalidIp(_)
        | rtnetlink::Error::InvalidAddress(..)
        | rtnetlink::Error::InvalidNla(_)) => io::Error::other(other),
    }
}

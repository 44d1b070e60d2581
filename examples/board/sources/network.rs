//! Network interfaces: their state, addresses and counters, and the way out. From `/sys/class/net` and `/proc/net`.

use std::fmt;
use std::net::Ipv4Addr;

use serde::Serialize;

use super::addresses::{self, Address4, Address6, Route4};
use super::root::{Known, Lack, Root, Why};
use super::text::{Bytes, value_of};

const NET: &str = "sys/class/net";
const WIRELESS: &str = "proc/net/wireless";
/// A board has two to five; each container or tunnel adds one.
pub(crate) const INTERFACES_MAX: usize = 64;

/// The machine's network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Network {
    /// Its interfaces, loopback among them.
    pub(crate) interfaces: Vec<Interface>,
    /// Whether there are more than [`INTERFACES_MAX`].
    pub(crate) more: bool,
    /// Where packets for everywhere else go, best first, as in `192.168.1.1 by eth0`.
    pub(crate) default_routes: Vec<String>,
    /// Addresses of which two interfaces that share a network could each be the owner, or none is known to be.
    pub(crate) unplaced_addresses: Vec<String>,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Interface {
    /// Its name.
    pub(crate) name: String,
    /// `up`, `down`, `dormant`, `unknown` and so on (RFC 2863; `unknown` for those that do not tell, such as loopback).
    pub(crate) state: Known<String>,
    /// Whether it is a radio.
    pub(crate) wireless: bool,
    /// How strong the signal is, in dBm.
    pub(crate) signal_dbm: Option<i32>,
    /// Its hardware address; absent where all are zero.
    pub(crate) mac: Option<String>,
    /// Its addresses with the length of their prefixes.
    pub(crate) addresses: Vec<String>,
    /// The largest packet, in bytes.
    pub(crate) mtu_bytes: Option<u32>,
    /// The speed of its link; absent where it has none or does not tell.
    pub(crate) speed_mbit_per_s: Option<u32>,
    /// What came in since the start.
    pub(crate) received: Traffic,
    /// What went out since the start.
    pub(crate) sent: Traffic,
}

/// Counters of one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Traffic {
    /// Bytes.
    pub(crate) bytes: Known<Bytes>,
    /// Packets that were lost to errors.
    pub(crate) errors: Known<u64>,
    /// Packets that were dropped, for lack of memory for instance.
    pub(crate) dropped: Known<u64>,
}

/// Reads all interfaces.
pub(crate) fn read(root: &Root) -> Result<Network, Lack> {
    let names = root.folders(NET, INTERFACES_MAX)?;
    if names.list.is_empty() {
        return Err(Lack::new(NET, Why::Empty));
    }
    let mut routes = addresses::routes4(root);
    routes.sort_by_key(|route| route.metric);
    let number = |name: &String| Some((name.clone(), root.number(&format!("{NET}/{name}/ifindex")).ok()?));
    let numbers: Vec<(String, u32)> = names.list.iter().filter_map(number).collect();
    let (four, six) = (addresses::ipv4(root, &routes, &numbers), addresses::ipv6(root));
    let wireless = root.text(WIRELESS).unwrap_or_default();
    let interface = |name: String| Interface::read(root, name, &four, &six, &wireless);
    Ok(Network {
        interfaces: names.list.into_iter().map(interface).collect(),
        more: names.more,
        default_routes: default_routes(root, &routes),
        unplaced_addresses: four.iter().filter_map(unplaced).collect(),
    })
}

impl Interface {
    fn read(root: &Root, name: String, four: &[Address4], six: &[Address6], wireless: &str) -> Self {
        let path = |file: &str| format!("{NET}/{name}/{file}");
        let count = |file: &str| root.number::<u64>(&path(&format!("statistics/{file}")));
        let traffic = |way: &str| Traffic {
            bytes: Known(count(&format!("{way}_bytes")).map(Bytes)),
            errors: Known(count(&format!("{way}_errors"))),
            dropped: Known(count(&format!("{way}_dropped"))),
        };
        let of4 = four.iter().filter_map(|known| match known.on.as_slice() {
            [(on, prefix)] if *on == name => Some(format!("{}/{prefix}", known.address)),
            _ => None,
        });
        let of6 =
            six.iter().filter(|known| known.on == name).map(|known| format!("{}/{}", known.address, known.prefix));
        Self {
            state: Known(root.line(&path("operstate"))),
            wireless: root.has(&path("wireless")) || root.has(&path("phy80211")),
            signal_dbm: signal(wireless, &name),
            mac: root.line(&path("address")).ok().filter(|mac| mac.contains(|digit| !matches!(digit, '0' | ':'))),
            addresses: of4.chain(of6).collect(),
            mtu_bytes: root.number(&path("mtu")).ok(),
            // -1 or an error where there is no link.
            speed_mbit_per_s: root.number(&path("speed")).ok(),
            received: traffic("rx"),
            sent: traffic("tx"),
            name,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.interfaces.iter().try_for_each(|interface| interface.fmt(f))?;
        if self.more {
            writeln!(f, "There are more interfaces; only the first {INTERFACES_MAX} are shown.")?;
        }
        for address in &self.unplaced_addresses {
            writeln!(f, "Address {address}")?;
        }
        if self.default_routes.is_empty() {
            return writeln!(f, "Default route: none, so that other networks cannot be reached");
        }
        self.default_routes.iter().try_for_each(|route| writeln!(f, "Default route: {route}"))
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: state {}{}", self.name, self.state, if self.wireless { ", wireless" } else { "" })?;
        self.signal_dbm.iter().try_for_each(|signal| write!(f, ", signal {signal} dBm"))?;
        self.speed_mbit_per_s.iter().try_for_each(|speed| write!(f, ", {speed} Mbit/s"))?;
        self.mtu_bytes.iter().try_for_each(|mtu| write!(f, ", MTU {mtu}"))?;
        self.mac.iter().try_for_each(|mac| write!(f, ", MAC {mac}"))?;
        if self.addresses.is_empty() {
            f.write_str(", no address known")
        } else {
            write!(f, ", addresses {}", self.addresses.join(" "))
        }?;
        writeln!(f, "\n  received {}; sent {}", self.received, self.sent)
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bytes.value(), self.errors.value(), self.dropped.value()) {
            (Some(bytes), Some(errors), Some(dropped)) => write!(f, "{bytes}, {errors} errors, {dropped} dropped"),
            _ => write!(f, "{}", self.bytes),
        }
    }
}

/// The level in the line of `/proc/net/wireless` that begins with the interface: `wlan0: 0000   70.  -40.  -256 ...`.
fn signal(wireless: &str, name: &str) -> Option<i32> {
    let words = value_of(wireless, name, ':')?;
    words.split_ascii_whitespace().nth(2)?.trim_end_matches('.').parse().ok()
}

fn default_routes(root: &Root, routes: &[Route4]) -> Vec<String> {
    let out = routes.iter().filter(|route| route.prefix == 0 && route.to.is_unspecified());
    let words = |route: &Route4| match route.via {
        Ipv4Addr::UNSPECIFIED => format!("directly by {}", route.on),
        via => format!("{via} by {}", route.on),
    };
    out.map(words).chain(addresses::gateways6(root).into_iter().map(|(via, on)| format!("{via} by {on}"))).collect()
}

/// What to say of an address that is not surely of one interface.
fn unplaced(known: &Address4) -> Option<String> {
    let on: Vec<&str> = known.on.iter().map(|(on, _)| on.as_str()).collect();
    match on.as_slice() {
        [] => Some(format!("{} is on an interface that is not told", known.address)),
        [_] => None,
        several => Some(format!("{} is on {}, which share a network", known.address, several.join(" or "))),
    }
}

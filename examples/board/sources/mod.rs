//! The machine, read from `/proc`, `/sys` and `/etc`: one module a topic, each a function of a [`root::Root`] that gives a typed report.
//!
//! A report renders itself as short plain lines with their units (`Display`, for tools) and as JSON with the unit in the field's name
//! (`serde::Serialize`, for resources). What a machine lacks is a [`root::Lack`] that says what was looked for: nothing is invented.
//! Reading is synchronous: these are files of the kernel's, bounded in number and length, and none of them waits for a network.

pub(crate) mod addresses;
pub(crate) mod cpu;
pub(crate) mod disks;
pub(crate) mod host;
pub(crate) mod iio;
pub(crate) mod leds;
pub(crate) mod memory;
pub(crate) mod meters;
pub(crate) mod netlink;
pub(crate) mod network;
pub(crate) mod onewire;
pub(crate) mod power;
pub(crate) mod processes;
pub(crate) mod root;
pub(crate) mod secrets;
pub(crate) mod sensors;
pub(crate) mod temperatures;
pub(crate) mod text;
pub(crate) mod watchdog;

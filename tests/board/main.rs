//! The board example as a program: what it is told by its configuration, and what a client has of it.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]
#![allow(dead_code, reason = "shared by path: a part of it is used here")]

#[path = "../support/mod.rs"]
mod support;

mod children;
mod commands;
mod config;
mod gpio;
mod i2c;
mod kernel;
mod pwm;
mod sensors;
mod simulate;
mod units;
mod who;

//! What a Millrace guest needs beyond the standard library: JSON, the door, the event, the frame of an integration.
//!
//! A function is a program: its event is on stdin, its settings are in the environment, stdout is its result and
//! stderr its log. Everything else it does to the world goes through [`door::call`].

pub mod date;
pub mod door;
pub mod event;
pub mod hash;
pub mod http;
pub mod integration;
pub mod json;

pub use door::{call, Answer, Call, Problem};
pub use event::Event;
pub use json::Value;

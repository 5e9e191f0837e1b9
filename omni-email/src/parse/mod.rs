//! From the bytes of a mail to events. Pure.

pub mod automatic;
pub mod event;
pub mod html;
mod mime;
pub mod quotes;
pub mod report;
pub mod sender;
pub mod thread;

pub use mime::{Limits, LoadedText, extract, read, reduced};
pub(crate) use mime::{file_name, parameter};

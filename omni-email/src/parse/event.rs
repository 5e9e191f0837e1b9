//! stub

use omni_core::event::{Event, Told};
use omni_core::media::MediaRef;
use crate::config::Config;
use crate::mail::{Mail, PartPath, Raw};

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role { /// a
 Inbox, /// b
 Junk, /// c
 Sent }
/// Where.
#[derive(Debug)]
pub struct Place<'a> { /// a
 pub role: Role, /// b
 pub raw: &'a Raw, /// c
 pub told: Told }
/// Ours.
#[derive(Debug)]
pub struct Ours;
impl Ours { /// x
 pub fn of(_: &Config) -> Self { Self } }
/// Events.
pub fn events(_: &Mail, _: &Place<'_>, _: &Ours) -> Vec<Event> { Vec::new() }
/// File.
#[derive(Debug)]
pub struct FileRef { /// a
 pub folder: String, /// a
 pub uid_validity: u32, /// a
 pub uid: u32, /// a
 pub message_id: Option<String>, /// a
 pub part: Option<PartPath> }
impl FileRef { /// x
 pub fn read(_: &MediaRef) -> omni_core::Result<Self> { Err(omni_core::Error::unsupported("fetch")) } }

//! Who wrote a mail: the name to show, the address to answer to, the tag of the address that was written to, and what
//! servers said about it.
//!
//! Nothing here proves who wrote: see [`verified`].

use std::borrow::Cow;

use crate::mail::{Mail, Mailbox};
use crate::parse::automatic;

mod name;
mod trust;

pub use name::{guessed_name, shown_name};
pub use trust::{Verified, spam, verified};

/// Headers that name whom a mail was delivered to, surest first.
const RECIPIENTS: [&str; 3] = ["delivered-to", "x-original-to", "envelope-to"];

/// Who wrote a mail, as a person is to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer<'a> {
    /// The person.
    pub mailbox: &'a Mailbox,
    /// What wrote in the person's name: a form of a web site, a group. Show it beside the person.
    pub via: Option<&'a Mailbox>,
}

/// Who wrote a mail: its first author; the one to whom answers go, where the author is a program, a group or one of
/// `own`, and a person stands behind it (contact forms, Google Groups). `None` for a mail without an author.
///
/// ```
/// use omni_email::mail::{Mail, Mailbox};
/// use omni_email::parse::sender::writer;
/// let at = |address: &str| Mailbox { name: None, address: address.into() };
/// let form = Mail { from: vec![at("no-reply@shop.example")], reply_to: vec![at("anna@mail.example")], ..Mail::default() };
/// assert_eq!(writer(&form, &[]).unwrap().mailbox.address, "anna@mail.example");
/// ```
pub fn writer<'a>(mail: &'a Mail, own: &[&str]) -> Option<Writer<'a>> {
    let from = mail.from.first()?;
    let is_go_between = is_form(from)
        || is_own(&from.address, own)
        || list_addresses(mail).any(|list| is_same(&list, &from.address));
    let person =
        mail.reply_to.iter().find(|one| is_person(mail, one, own) && !is_same(&one.address, &from.address));
    match person.filter(|_| is_go_between) {
        Some(mailbox) => Some(Writer { mailbox, via: Some(from) }),
        None => Some(Writer { mailbox: from, via: None }),
    }
}

/// Whether an author is one who writes for others: an address that nobody reads, or a name with the `via` of groups. The
/// person is under Reply-To then, if anywhere.
///
/// ```
/// use omni_email::mail::Mailbox;
/// use omni_email::parse::sender::is_form;
/// let group = Mailbox { name: Some("'Anna' via Support".into()), address: "support@shop.example".into() };
/// assert!(is_form(&group));
/// ```
pub fn is_form(author: &Mailbox) -> bool {
    automatic::is_robot(&author.address) || name::is_via(author.name.as_deref().unwrap_or_default())
}

/// Where an answer goes: to Reply-To (RFC 5322, 3.6.2), unless that is a mailing list, an address that nobody reads, or
/// one of `own`; then to the author. `None` when the author is no better: such a mail cannot be answered.
///
/// ```
/// use omni_email::mail::{Mail, Mailbox};
/// use omni_email::parse::sender::answer_to;
/// let at = |address: &str| Mailbox { name: None, address: address.into() };
/// let mail = Mail { from: vec![at("anna@a.example")], reply_to: vec![at("noreply@a.example")], ..Mail::default() };
/// assert_eq!(answer_to(&mail, &[]).unwrap().address, "anna@a.example");
/// ```
pub fn answer_to<'a>(mail: &'a Mail, own: &[&str]) -> Option<&'a Mailbox> {
    let named = mail.reply_to.iter().find(|one| is_person(mail, one, own));
    named.or_else(|| mail.from.iter().find(|one| is_person(mail, one, own)))
}

/// The tag of the address of ours that was written to: `help+spring@shop.example` has the tag `spring`. It tells where a
/// customer got the address. Looked for where the mail was delivered to, then in To and Cc; only in addresses that are
/// one of `own` without their tag. At most 64 characters, in lower case.
///
/// ```
/// use omni_email::mail::{Mail, Mailbox};
/// use omni_email::parse::sender::tag;
/// let to = vec![Mailbox { name: None, address: "Help+Spring@shop.example".into() }];
/// let mail = Mail { to, ..Mail::default() };
/// assert_eq!(tag(&mail, &["help@shop.example"]).as_deref(), Some("spring"));
/// ```
pub fn tag(mail: &Mail, own: &[&str]) -> Option<String> {
    let delivered = RECIPIENTS.iter().flat_map(|name| mail.headers.all(name)).map(bare).map(Cow::Borrowed);
    let named = mail.to.iter().chain(&mail.cc).map(|one| Cow::Borrowed(one.address.as_str()));
    let mut all = delivered.chain(named);
    all.find_map(|address| {
        let (base, tag) = split_tag(&address)?;
        is_own(&base, own).then_some(tag)
    })
}

/// An address without its tag, and the tag.
fn split_tag(address: &str) -> Option<(String, String)> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let (base, tag) = local.split_once('+')?;
    let tag: String = tag.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(64).collect();
    (!base.is_empty() && !tag.is_empty()).then(|| (format!("{base}@{domain}"), tag.to_lowercase()))
}

/// Whether an address is one at which a person is to be reached.
fn is_person(mail: &Mail, one: &Mailbox, own: &[&str]) -> bool {
    one.address.contains('@')
        && !automatic::is_robot(&one.address)
        && !is_own(&one.address, own)
        && !list_addresses(mail).any(|list| is_same(&list, &one.address))
}

/// The addresses of the list that a mail came through: `List-Post: <mailto:list@example.org>` (RFC 2369, 3.4),
/// `List-Id: Name <list.example.org>` (RFC 2919, 3), and the ones of old list servers.
fn list_addresses(mail: &Mail) -> impl Iterator<Item = String> {
    let post = mail.headers.all("list-post").filter_map(|value| {
        let (_, rest) = value.split_once("mailto:")?;
        Some(rest.split(['>', '?', ',']).next().unwrap_or_default().trim().to_owned())
    });
    let id = mail.headers.all("list-id").filter_map(|value| {
        let (name, domain) = bare(value).split_once('.')?;
        Some(format!("{name}@{domain}"))
    });
    let old = mail.headers.all("x-mailing-list").chain(mail.headers.all("mailing-list"));
    let old = old.map(|value| {
        bare(value.trim_start_matches("list ").split(';').next().unwrap_or_default()).to_owned()
    });
    post.chain(id).chain(old)
}

/// What stands within `<>`, or all of it.
fn bare(value: &str) -> &str {
    let inside = value.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inside, _)| inside);
    inside.unwrap_or(value).trim()
}

/// Whether an address, with or without a tag, is one of ours.
fn is_own(address: &str, own: &[&str]) -> bool {
    let without = split_tag(address).map(|(base, _)| base);
    own.iter().any(|one| is_same(one, address) || without.as_deref().is_some_and(|base| is_same(one, base)))
}

/// Whether two addresses are one mailbox, letters' case aside.
fn is_same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

#[cfg(test)]
#[path = "sender/tests.rs"]
mod tests;

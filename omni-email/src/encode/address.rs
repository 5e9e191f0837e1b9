//! E-mail addresses, as they are written into envelopes and headers.

use std::fmt;

use lettre::message::Mailbox;
use omni_core::error::{Error, ErrorKind, Result};
use url::Host;

/// Longest part before the `@`, in bytes (RFC 5321, 4.5.3.1.1, says 64; real ones are longer).
const LOCAL: usize = 128;
/// Longest domain, in bytes (RFC 1035, 2.3.4).
const DOMAIN: usize = 253;
/// Longest name to show, in characters.
const NAME: usize = 128;

/// An address that may be written into an envelope: no control characters, no blanks, the domain in ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MailAddress {
    local: String,
    domain: String,
}

impl MailAddress {
    /// Reads an address, alone or with a name before it (`Anna <anna@example.com>`).
    ///
    /// ```
    /// use omni_email::encode::MailAddress;
    /// let address = MailAddress::read("Анна <anna@пример.рф>")?;
    /// assert_eq!(address.to_string(), "anna@xn--e1afmkfd.xn--p1ai");
    /// assert!(MailAddress::read("a@b.example>\r\nRCPT TO:<c@d.example").is_err());
    /// # Ok::<(), omni_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound): nothing can be sent there.
    pub fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        let bare = match (text.strip_suffix('>'), text.rsplit_once('<')) {
            (Some(_), Some((_, inside))) => inside.trim_end_matches('>').trim(),
            _ => text,
        };
        // A name of several lines is no name: it was meant to end a command or a field.
        let parts = bare.rsplit_once('@').filter(|_| !text.contains(char::is_control));
        let address = parts.and_then(|(local, domain)| {
            let domain = domain_to_ascii(domain)?;
            is_local(local).then(|| Self { local: local.to_owned(), domain })
        });
        address.ok_or_else(|| Error::new(ErrorKind::NotFound, "send").with_text("not an e-mail address"))
    }

    /// The domain, in ASCII and lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether servers must know SMTPUTF8 to take it.
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }

    /// Equal for addresses that reach one mailbox.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// The address with a name before it.
    pub(super) fn named(&self, name: Option<&str>) -> Mailbox {
        let name = name.map(one_line).map(|name| name.chars().take(NAME).collect::<String>());
        let address = lettre::Address::new_dangerous(&self.local, &self.domain);
        Mailbox::new(name.filter(|name| !name.is_empty()), address)
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// RFC 5321, 4.1.2, and what Japanese operators gave out: dots side by side and at the end.
fn is_local(local: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[],;:\\\"@".contains(c);
    let is_quotable = |c: char| !c.is_control() && !"\\\"<>".contains(c);
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_good = match quoted {
        Some(inside) => !inside.is_empty() && inside.chars().all(is_quotable),
        None => local.chars().all(is_plain),
    };
    !local.is_empty() && local.len() <= LOCAL && is_good
}

/// A domain as servers know it (RFC 5890).
fn domain_to_ascii(domain: &str) -> Option<String> {
    let domain = domain.trim_end_matches('.');
    if domain.contains('%') {
        return None; // an URL's way of writing, which is read below
    }
    let Ok(Host::Domain(ascii)) = Host::parse(domain) else { return None };
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63;
    let is_good = ascii.len() <= DOMAIN
        && ascii.split('.').all(is_label)
        && ascii.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    is_good.then_some(ascii)
}

/// Words fit for a header: one line, no control characters, nothing that turns the direction of reading.
pub(super) fn one_line(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String =
        text.chars().filter(|&c| !turns(c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_addresses_are_taken_however_odd() {
        for (text, written) in [
            ("anna@example.com", "anna@example.com"),
            (" Anna@Example.COM ", "Anna@example.com"),
            ("\"Анна, отдел\" <anna@example.com>", "anna@example.com"),
            ("a..b.@docomo.example", "a..b.@docomo.example"),
            ("анна@пример.рф", "анна@xn--e1afmkfd.xn--p1ai"),
            ("a+b=c@x.example.", "a+b=c@x.example"),
            ("\"a b\"@x.example", "\"a b\"@x.example"),
            ("root@localhost", "root@localhost"),
            ("a_b@under_score.example", "a_b@under_score.example"),
        ] {
            assert_eq!(MailAddress::read(text).unwrap().to_string(), written, "{text}");
        }
    }

    #[test]
    fn what_could_end_a_command_or_a_field_is_no_address() {
        for text in [
            "",
            "anna",
            "@example.com",
            "anna@",
            "a b@example.com",
            "a@exa mple.com",
            "a@b.example\r\nRCPT TO:<c@d.example>",
            "a\r\n@b.example",
            "a\0@b.example",
            "a@b\0.example",
            "a<b@c.example",
            "a@b.example> SIZE=1",
            "<a@b.example>, <c@d.example",
            "a,b@c.example",
            "a@b@c.example",
            "\"a\"b\"@c.example",
            "\"a\r\n\"@c.example",
            "a@exa%0d%0ample.com",
            "a@1.2.3.4",
            "a@b..example",
            "a@[::1]",
        ] {
            assert!(MailAddress::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn keys_ignore_case_and_names_become_one_line() {
        let key = |text| MailAddress::read(text).unwrap().key();
        assert_eq!(key("Anna@Example.com"), key("anna@example.COM"));
        assert_eq!(
            one_line(" Анна\r\nBcc: x@y.example\0\u{202e}\t Иванова "),
            "Анна Bcc: x@y.example Иванова"
        );
    }
}

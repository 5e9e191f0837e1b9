//! Addresses and ids of headers.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

use super::encoded::{self, Hint};
use crate::mail::Mailbox;

/// The mailboxes of a header; members of groups like others.
pub(super) fn mailboxes(value: &[u8], hint: &Hint) -> Vec<Mailbox> {
    let found = of_line(encoded::one_word_each(value, hint));
    if found.is_empty() && value.windows(2).any(|two| two == b"=?") {
        // Some programs encode the address with the name. Only where nothing else is one: else it would be a forger's.
        return of_line(encoded::text(value, hint));
    }
    found
}

fn of_line(mut line: String) -> Vec<Mailbox> {
    line.push('\n');
    let list = match MessageStream::new(line.as_bytes()).parse_address() {
        HeaderValue::Address(Address::List(list)) => list,
        HeaderValue::Address(Address::Group(groups)) => {
            groups.into_iter().flat_map(|g| g.addresses).collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    // What stands before a comma and has no address is the begin of the next name: `Иванов, Иван <a@b>`.
    let mut begun: Option<String> = None;
    for Addr { name, address } in list {
        let name = name.map(|name| tidy(&name)).filter(|name| !name.is_empty());
        let address: Option<String> =
            address.map(|a| a.chars().filter(|c| !(c.is_whitespace() || c.is_control())).collect());
        match address.map(without_route) {
            Some(address) if address.starts_with('@') => {
                if let Some(local) = name {
                    found.push(Mailbox { name: begun.take(), address: format!("\"{local}\"{address}") });
                }
            }
            Some(address) if address.contains('@') => {
                found.push(Mailbox { name: joined(begun.take(), name), address });
            }
            word => begun = joined(begun, word.or(name)),
        }
    }
    if let Some(word) = begun.filter(|word| found.is_empty() && !word.contains([' ', ',']) && word.is_ascii())
    {
        found.push(Mailbox { name: None, address: word }); // `MAILER-DAEMON`, of this very host
    }
    found
}

fn joined(before: Option<String>, name: Option<String>) -> Option<String> {
    match (before, name) {
        (Some(before), Some(name)) => Some(format!("{before}, {name}")),
        (before, name) => before.or(name),
    }
}

/// An address without the hosts by which it once was to go (RFC 5322, 4.4).
fn without_route(address: String) -> String {
    match address.split_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest.to_owned(),
        _ => address,
    }
}

fn tidy(name: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_whitespace() || !c.is_control()).collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The ids of a header, without `<>`. Other words in it are dropped; one alone that looks like an id is taken for it.
pub(super) fn ids(value: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(value);
    let mut found: Vec<String> = Vec::new();
    for piece in text.split('<').skip(1) {
        let Some((id, _)) = piece.split_once('>') else { continue };
        let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if !id.is_empty() && !found.contains(&id) {
            found.push(id);
        }
        if found.len() == IDS {
            break;
        }
    }
    let alone = text.trim();
    if found.is_empty()
        && alone.contains('@')
        && !alone.contains(|c: char| c.is_whitespace() || "<>,".contains(c))
    {
        found.push(alone.to_owned());
    }
    found
}

/// Most ids of one header: a thread longer than that is found by the last ones of them.
const IDS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<(String, String)> {
        let all = mailboxes(value.as_bytes(), &Hint::default());
        all.into_iter().map(|m| (m.name.unwrap_or_default(), m.address)).collect()
    }

    fn one(name: &str, address: &str) -> (String, String) {
        (name.into(), address.into())
    }

    #[test]
    fn names_with_traps_keep_their_address() {
        assert_eq!(read(" Иванов, Иван <i@x.ru>"), [one("Иванов, Иван", "i@x.ru")]);
        assert_eq!(
            read("\"Иванов, Иван\" <i@x.ru>, b@c.d"),
            [one("Иванов, Иван", "i@x.ru"), one("", "b@c.d")]
        );
        assert_eq!(read("=?utf-8?Q?=D0=98=2C_a=40b_=3Cc=40d=3E?= <i@x.ru>"), [one("И, a@b <c@d>", "i@x.ru")]);
        assert_eq!(read("=?utf-8?Q?=D0?=\r\n =?utf-8?Q?=98?= <i@x.ru>"), [one("И", "i@x.ru")]);
        assert_eq!(read("a@b.c (Анна)"), [one("Анна", "a@b.c")]);
        assert_eq!(read("< i@x.ru >"), [one("", "i@x.ru")]);
        assert_eq!(read("\"O\\\"Hara\" <o@x>"), [one("O\"Hara", "o@x")]);
    }

    #[test]
    fn groups_give_their_members() {
        assert_eq!(read("undisclosed-recipients:;"), []);
        assert_eq!(
            read("Team: a@b.c, Anna <d@e.f>;, g@h.i"),
            [one("", "a@b.c"), one("Anna", "d@e.f"), one("", "g@h.i")]
        );
    }

    #[test]
    fn a_host_s_own_daemon_has_a_bare_word() {
        assert_eq!(read("MAILER-DAEMON"), [one("", "MAILER-DAEMON")]);
        assert_eq!(read("Mail Delivery System"), []);
        assert_eq!(read(""), []);
        assert_eq!(read("<>"), []);
    }

    #[test]
    fn ids_are_found_among_other_words() {
        assert_eq!(ids(b" <a@b>\r\n <c\r\n @d> <a@b>"), ["a@b", "c@d"]);
        assert_eq!(ids(b"<1@1><2@2>,<3@3>"), ["1@1", "2@2", "3@3"]);
        assert_eq!(ids(b"Your message of \"Mon\" <a@b>"), ["a@b"]);
        assert_eq!(ids(b" a@b "), ["a@b"]);
        assert!(ids(b"Your message of Monday").is_empty() && ids(b"<>").is_empty() && ids(b"").is_empty());
    }
}

//! Mailboxes whose servers are known by their address.

use url::Host;

use crate::config::{Server, Tls};

mod table;

pub use table::PRESETS;

/// A provider of mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preset {
    /// Its name in programs: `gmail`.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The domains of its addresses, in ASCII and lower case.
    pub domains: &'static [&'static str],
    /// Where mail for customers' own domains goes: names of MX hosts, or what such names end with.
    pub mx: &'static [&'static str],
    /// Where mail is read.
    pub imap: Place,
    /// Where mail is handed in.
    pub smtp: Place,
    /// Further names of its IMAP server.
    pub imap_also: &'static [&'static str],
    /// What its servers take as user name.
    pub user: UserName,
    /// What its servers take to log in, the best first.
    pub credentials: &'static [Credential],
    /// What a person has to do there before the first login. To be shown ahead of it: a wrong kind of password is the
    /// most common failure.
    pub advice: &'static str,
    /// Whether it puts what is handed in by SMTP into the Sent folder.
    pub autosaves_sent: Autosaves,
    /// Largest mail it takes, in bytes as sent.
    pub send_bytes: Option<u64>,
    /// What its servers do otherwise than others.
    pub quirks: &'static [Quirk],
    /// What of this is not proven, for people.
    pub doubt: Option<&'static str>,
    /// Where it is from, read in 2026-11.
    pub source: &'static str,
}

/// A server of a [`Preset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub host: &'static str,
    /// Its port.
    pub port: u16,
    /// How the connection is made safe.
    pub tls: Tls,
}

impl Place {
    /// The same, as it stands in settings.
    #[must_use]
    pub fn server(self) -> Server {
        Server { host: self.host.to_owned(), port: self.port, tls: self.tls }
    }
}

/// What servers take as user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserName {
    /// The whole address.
    Address,
    /// What stands before the `@`.
    LocalPart,
    /// What the provider shows; usually the address.
    Shown,
}

/// What servers take to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// The password of the account.
    Password,
    /// A password made for this program in the web settings; the account's own is refused.
    AppPassword,
    /// Tokens of this issuer: see [`issuer`](crate::oauth::issuer).
    Oauth(&'static str),
}

/// Whether a provider puts what is handed in by SMTP into the Sent folder. All unverified, so the connector looks
/// into the folder before it puts anything there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Autosaves {
    /// It does.
    Yes,
    /// It depends on a setting of the account, or is not known.
    Unknown,
}

/// What servers do otherwise than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirk {
    /// Parts of a mail may be answered in a form that cannot be read: mails are fetched whole.
    NoPartialFetch,
    /// There is no IDLE: mail is looked for from time to time.
    NoIdle,
    /// A folder can be selected only after the program has named itself with `ID`.
    IdBeforeSelect,
    /// Its MODSEQ numbers mean nothing.
    IgnoreModseq,
    /// Its certificate is its own: it has to be given as `ca_pem`.
    OwnCertificate,
}

impl Preset {
    /// Whether it takes a password of any kind.
    pub fn takes_passwords(&self) -> bool {
        self.credentials.iter().any(|credential| !matches!(credential, Credential::Oauth(_)))
    }

    /// Whether its servers do this.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// What its servers take as user name of an address.
    #[must_use]
    pub fn user_of(&self, address: &str) -> String {
        match (self.user, address.rsplit_once('@')) {
            (UserName::LocalPart, Some((local, _))) => local.to_owned(),
            _ => address.to_owned(),
        }
    }

    fn has_domain(&self, domain: &str) -> bool {
        self.domains.contains(&domain)
    }
}

/// The provider of an address, by its domain. Customers' own domains are found by
/// [`discover`](crate::discover::discover).
///
/// ```
/// use omni_email::presets::preset;
/// assert_eq!(preset("Help@YANDEX.ru").map(|preset| preset.imap.host), Some("imap.yandex.com"));
/// assert!(preset("help@example.com").is_none());
/// ```
pub fn preset(address: &str) -> Option<&'static Preset> {
    let domain = domain_of(address)?;
    PRESETS.iter().find(|preset| preset.has_domain(&domain))
}

/// The provider that an MX host belongs to: of an own domain.
pub fn by_mx(host: &str) -> Option<&'static Preset> {
    let host = ascii(host)?;
    PRESETS.iter().find(|preset| preset.mx.iter().any(|mx| is_within(&host, mx)))
}

/// The provider of an IMAP server. Where several have the same one, that of the address.
pub fn by_imap_host(host: &str, address: &str) -> Option<&'static Preset> {
    let host = ascii(host)?;
    let domain = domain_of(address).unwrap_or_default();
    // Bridges of all kinds are on loopback: nothing is known by that name.
    let is_named = |preset: &&Preset| {
        !preset.has(Quirk::OwnCertificate)
            && (preset.imap.host == host || preset.imap_also.contains(&host.as_str()))
    };
    let mut candidates = PRESETS.iter().filter(is_named);
    candidates.clone().find(|preset| preset.has_domain(&domain)).or_else(|| candidates.next())
}

/// The domain of an address in ASCII and lower case; `None` when it is none.
pub(crate) fn domain_of(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    if local.is_empty() { None } else { ascii(domain) }
}

/// A name in ASCII and lower case, without the dot at its end.
pub(crate) fn ascii(name: &str) -> Option<String> {
    match Host::parse(name.trim().trim_end_matches('.')) {
        Ok(Host::Domain(name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}

/// Whether a name is another one or below it.
fn is_within(name: &str, above: &str) -> bool {
    name.strip_suffix(above).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::oauth::issuer;

    fn id(address: &str) -> Option<&'static str> {
        preset(address).map(|preset| preset.id)
    }

    #[test]
    fn a_provider_is_found_however_the_domain_is_written() {
        for address in
            ["help@yandex.ru", " help@Yandex.RU ", "help@ya.ru.", "help@ＹＡＮＤＥＸ.ru", "a\"@\"b@narod.ru"]
        {
            assert_eq!(id(address), Some("yandex"), "{address}");
        }
        for (address, expected) in [
            ("a@bk.ru", "mailru"),
            ("a@gmail.com", "gmail"),
            ("a@hotmail.com", "outlook"),
            ("a@lenta.ru", "rambler"),
            ("a@me.com", "icloud"),
            ("a@pm.me", "proton"),
            ("a@web.de", "webde"),
            ("a@163.com", "netease"),
        ] {
            assert_eq!(id(address), Some(expected), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_provider_is_not_known() {
        for address in [
            "",
            "@",
            "@yandex.ru",
            "yandex.ru",
            "a@",
            "a@notyandex.ru",
            "a@mail.yandex.ru",
            "a@ёлка.рф",
            "a@[1.2.3.4]",
        ] {
            assert_eq!(id(address), None, "{address}");
        }
    }

    #[test]
    fn own_domains_are_known_by_where_their_mail_goes() {
        let by = |host| by_mx(host).map(|preset| preset.id);
        assert_eq!(by("mx.yandex.net."), Some("yandex"));
        assert_eq!(by("ASPMX.L.GOOGLE.COM"), Some("gmail"));
        assert_eq!(by("example-com.mail.protection.outlook.com"), Some("microsoft365"));
        assert_eq!(by("mx.zoho.eu"), Some("zoho-eu-pro"));
        assert_eq!(by("notgoogle.com"), None);
        assert_eq!(by("outlook.com"), None);
    }

    #[test]
    fn a_server_that_two_providers_share_belongs_to_that_of_the_address() {
        let by = |host, address| by_imap_host(host, address).map(|preset| preset.id);
        assert_eq!(by("outlook.office365.com", "a@hotmail.com"), Some("outlook"));
        assert_eq!(by("Outlook.Office365.com", "a@example.com"), Some("microsoft365"));
        assert_eq!(by("imap.yandex.ru", "a@example.com"), Some("yandex"));
        assert_eq!(by("127.0.0.1", "a@proton.me"), None);
        assert_eq!(by("localhost", "a@proton.me"), None);
    }

    #[test]
    fn the_part_before_the_sign_is_the_user_where_the_provider_wants_it() {
        assert_eq!(preset("anna@web.de").unwrap().user_of("anna@web.de"), "anna");
        assert_eq!(preset("anna@ya.ru").unwrap().user_of("anna@ya.ru"), "anna@ya.ru");
    }

    #[test]
    fn the_table_is_sound() {
        let mut seen = BTreeSet::new();
        for preset in &PRESETS {
            assert!(seen.insert(preset.id), "{} is there twice", preset.id);
            for name in preset.domains.iter().chain(preset.mx).chain(preset.imap_also) {
                assert_eq!(ascii(name).as_deref(), Some(*name), "{}", preset.id);
            }
            for domain in preset.domains {
                assert!(seen.insert(domain), "{domain} is there twice");
            }
            for place in [preset.imap, preset.smtp] {
                let expected = match place.port {
                    993 | 465 => Tls::Implicit,
                    _ => Tls::Starttls,
                };
                assert_eq!(place.tls, expected, "{}", preset.id);
            }
            assert!(!preset.credentials.is_empty() && !preset.advice.is_empty() && !preset.source.is_empty());
            for credential in preset.credentials {
                if let Credential::Oauth(name) = credential {
                    assert!(issuer(name).is_some(), "{name} of {}", preset.id);
                }
            }
        }
    }
}

//! The table of known providers.

use super::Credential::{AppPassword, Oauth, Password};
use super::{Autosaves, Place, Preset, Quirk, UserName};
use crate::config::Tls;

/// Hosts, user names and passwords of most: Mozilla's ISPDB (2026-03-12) and chatmail's provider-db (2026-04-20).
const BOTH: &str =
    "https://github.com/thunderbird/autoconfig (ispdb), https://github.com/chatmail/provider-db (_providers)";

const MB: u64 = 1_000_000;

/// What is the same for most.
const USUAL: Preset = Preset {
    id: "",
    name: "",
    domains: &[],
    mx: &[],
    imap: tls("", 993),
    smtp: tls("", 465),
    imap_also: &[],
    user: UserName::Address,
    credentials: &[Password],
    advice: "",
    autosaves_sent: Autosaves::Unknown,
    send_bytes: None,
    quirks: &[],
    doubt: None,
    source: BOTH,
};

const fn tls(host: &'static str, port: u16) -> Place {
    Place { host, port, tls: Tls::Implicit }
}

const fn starttls(host: &'static str, port: u16) -> Place {
    Place { host, port, tls: Tls::Starttls }
}

/// The known providers.
pub static PRESETS: [Preset; 25] = [
    Preset {
        id: "yandex",
        name: "Yandex",
        domains: &["yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.net", "ya.ru", "narod.ru"],
        mx: &["yandex.net", "yandex.ru"],
        imap: tls("imap.yandex.com", 993),
        smtp: tls("smtp.yandex.com", 465),
        imap_also: &["imap.yandex.ru"],
        credentials: &[AppPassword, Oauth("yandex")],
        advice: "Switch on IMAP in the mailbox's settings (Mail programs) and make an app \
                 password of the kind \"Mail: IMAP, POP3, SMTP\".",
        send_bytes: Some(30 * MB),
        quirks: &[Quirk::NoPartialFetch],
        doubt: Some(
            "The app password is community knowledge; the size limit and MX hosts but \
                 mx.yandex.net are unverified. Whether sent mail is kept is a setting of the mailbox.",
        ),
        ..USUAL
    },
    Preset {
        id: "mailru",
        name: "Mail.ru, VK Mail",
        domains: &["mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru", "vk.com"],
        mx: &["mail.ru"],
        imap: tls("imap.mail.ru", 993),
        smtp: tls("smtp.mail.ru", 465),
        credentials: &[AppPassword, Oauth("mailru")],
        advice: "Allow mail programs in the mailbox's settings and make a password for an \
                 external application there; the account's own password is refused.",
        autosaves_sent: Autosaves::Yes,
        send_bytes: Some(25 * MB),
        doubt: Some(
            "The password for applications is community knowledge (2026-04); the size limit, \
                 the MX hosts and that sent mail is kept are unverified.",
        ),
        ..USUAL
    },
    Preset {
        id: "gmail",
        name: "Gmail, Google Workspace",
        domains: &["gmail.com", "googlemail.com"],
        mx: &["google.com", "googlemail.com"],
        imap: tls("imap.gmail.com", 993),
        smtp: tls("smtp.gmail.com", 465),
        imap_also: &["imap.googlemail.com"],
        credentials: &[AppPassword, Oauth("google")],
        advice: "Switch on 2-step verification, then make an app password in the Google account; \
                 or connect with OAuth. The account's own password is refused.",
        autosaves_sent: Autosaves::Yes,
        send_bytes: Some(25 * MB),
        doubt: Some(
            "That plain passwords have ended for Workspace too is community knowledge; the MX \
                 hosts and that sent mail is kept are unverified.",
        ),
        source: "https://developers.google.com/workspace/gmail/imap/imap-smtp",
        ..USUAL
    },
    Preset {
        id: "microsoft365",
        name: "Microsoft 365",
        mx: &["mail.protection.outlook.com", "mx.microsoft"],
        imap: tls("outlook.office365.com", 993),
        smtp: starttls("smtp.office365.com", 587),
        user: UserName::Shown,
        credentials: &[Oauth("microsoft")],
        advice: "Connect with OAuth: IMAP takes no passwords. The administrator must allow IMAP \
                 and authenticated SMTP for the mailbox. For a shared mailbox set user to its address.",
        autosaves_sent: Autosaves::Yes,
        send_bytes: Some(35 * MB),
        doubt: Some(
            "SMTP takes passwords until the end of December 2026 (MC786329, read on \
                 third-party copies). The size limit, the MX hosts and that sent mail is kept are from \
                 memory.",
        ),
        source: "https://mc.merill.net/message/MC786329, \
                 https://github.com/thunderbird/autoconfig (ispdb), https://github.com/chatmail/provider-db",
        ..USUAL
    },
    Preset {
        id: "outlook",
        name: "Outlook.com, Hotmail, Live, MSN",
        domains: &["outlook.com", "hotmail.com", "live.com", "msn.com"],
        imap: tls("outlook.office365.com", 993),
        smtp: starttls("smtp-mail.outlook.com", 587),
        credentials: &[Oauth("microsoft")],
        advice: "Connect with OAuth: passwords and app passwords have not worked since September \
                 2024. Switch on IMAP in the mailbox's settings.",
        autosaves_sent: Autosaves::Yes,
        send_bytes: Some(20 * MB),
        doubt: Some(
            "That app passwords do not work is community knowledge; the size limit and that \
                 sent mail is kept are unverified.",
        ),
        source: "https://patriotmail.ai/blog/microsoft-modern-authentication-outlook-app-passwords, \
                 https://github.com/thunderbird/autoconfig (ispdb), https://github.com/chatmail/provider-db",
        ..USUAL
    },
    Preset {
        id: "rambler",
        name: "Rambler",
        domains: &["rambler.ru", "lenta.ru", "ro.ru", "autorambler.ru", "myrambler.ru"],
        imap: tls("imap.rambler.ru", 993),
        smtp: tls("smtp.rambler.ru", 465),
        advice: "Allow mail programs in the mailbox's settings; the password is the account's \
                 own.",
        doubt: Some("That access has to be switched on is community knowledge."),
        ..USUAL
    },
    Preset {
        id: "icloud",
        name: "iCloud",
        domains: &["icloud.com", "me.com", "mac.com"],
        mx: &["icloud.com"],
        imap: tls("imap.mail.me.com", 993),
        smtp: starttls("smtp.mail.me.com", 587),
        credentials: &[AppPassword],
        advice: "Make an app-specific password in the Apple account.",
        send_bytes: Some(20 * MB),
        doubt: Some(
            "For IMAP Apple names the part before the @ first and the whole address as the \
                 second choice; the whole one is used, because SMTP takes only that. The size limit and the \
                 MX hosts are unverified.",
        ),
        source: "https://support.apple.com/en-us/102525",
        ..USUAL
    },
    Preset {
        id: "yahoo",
        name: "Yahoo",
        domains: &[
            "yahoo.com",
            "yahoo.co.uk",
            "yahoo.de",
            "yahoo.fr",
            "yahoo.it",
            "yahoo.es",
            "yahoo.ca",
            "yahoo.in",
            "yahoo.co.in",
            "yahoo.com.br",
            "yahoo.com.ar",
            "yahoo.com.mx",
            "yahoo.com.au",
            "ymail.com",
            "rocketmail.com",
        ],
        imap: tls("imap.mail.yahoo.com", 993),
        smtp: tls("smtp.mail.yahoo.com", 465),
        credentials: &[AppPassword, Oauth("yahoo")],
        advice: "Switch on 2-step verification, then make an app password in the account's \
                 security settings.",
        send_bytes: Some(25 * MB),
        quirks: &[Quirk::NoIdle],
        doubt: Some(
            "OAuth is for partners only (community). The size limit and the domains of \
                 countries are unverified.",
        ),
        ..USUAL
    },
    Preset {
        id: "aol",
        name: "AOL",
        domains: &["aol.com"],
        imap: tls("imap.aol.com", 993),
        smtp: tls("smtp.aol.com", 465),
        credentials: &[AppPassword, Oauth("yahoo")],
        advice: "Switch on 2-step verification, then make an app password in the account's \
                 security settings.",
        send_bytes: Some(25 * MB),
        quirks: &[Quirk::NoIdle],
        doubt: Some("OAuth is for partners only (community). The size limit is unverified."),
        ..USUAL
    },
    Preset {
        id: "zoho",
        name: "Zoho",
        domains: &["zoho.com"],
        imap: tls("imap.zoho.com", 993),
        smtp: tls("smtp.zoho.com", 465),
        advice: "Switch on IMAP in the mailbox's settings; with 2-factor login make an \
                 app-specific password.",
        quirks: &[Quirk::IgnoreModseq],
        ..USUAL
    },
    Preset {
        id: "zoho-eu",
        name: "Zoho, Europe",
        domains: &["zoho.eu"],
        imap: tls("imap.zoho.eu", 993),
        smtp: tls("smtp.zoho.eu", 465),
        advice: "Switch on IMAP in the mailbox's settings; with 2-factor login make an \
                 app-specific password.",
        quirks: &[Quirk::IgnoreModseq],
        doubt: Some("The hosts of this region are community knowledge."),
        ..USUAL
    },
    Preset {
        id: "zoho-in",
        name: "Zoho, India",
        domains: &["zoho.in"],
        imap: tls("imap.zoho.in", 993),
        smtp: tls("smtp.zoho.in", 465),
        advice: "Switch on IMAP in the mailbox's settings; with 2-factor login make an \
                 app-specific password.",
        quirks: &[Quirk::IgnoreModseq],
        doubt: Some("The hosts of this region are community knowledge."),
        ..USUAL
    },
    Preset {
        id: "zoho-pro",
        name: "Zoho with an own domain",
        mx: &["zoho.com"],
        imap: tls("imappro.zoho.com", 993),
        smtp: tls("smtppro.zoho.com", 465),
        advice: "Switch on IMAP in the mailbox's settings; with 2-factor login make an \
                 app-specific password.",
        quirks: &[Quirk::IgnoreModseq],
        doubt: Some("The hosts are community knowledge, the MX hosts are unverified."),
        ..USUAL
    },
    Preset {
        id: "zoho-eu-pro",
        name: "Zoho with an own domain, Europe",
        mx: &["zoho.eu"],
        imap: tls("imappro.zoho.eu", 993),
        smtp: tls("smtppro.zoho.eu", 465),
        advice: "Switch on IMAP in the mailbox's settings; with 2-factor login make an \
                 app-specific password.",
        quirks: &[Quirk::IgnoreModseq],
        doubt: Some("The hosts are community knowledge, the MX hosts are unverified."),
        ..USUAL
    },
    Preset {
        id: "zoho-in-pro",
        name: "Zoho with an own domain, India",
        mx: &["zoho.in"],
        imap: tls("imappro.zoho.in", 993),
        smtp: tls("smtppro.zoho.in", 465),
        advice: "Switch on IMAP in the mailbox's settings; with 2-factor login make an \
                 app-specific password.",
        quirks: &[Quirk::IgnoreModseq],
        doubt: Some("The hosts are community knowledge, the MX hosts are unverified."),
        ..USUAL
    },
    Preset {
        id: "gmx",
        name: "GMX",
        domains: &["gmx.net", "gmx.de", "gmx.at", "gmx.ch"],
        imap: tls("imap.gmx.net", 993),
        smtp: tls("mail.gmx.net", 465),
        advice: "Allow IMAP once in the mailbox's settings; the password is the account's own. \
                 Bursts of logins lock the account.",
        doubt: Some("The locks are community knowledge."),
        ..USUAL
    },
    Preset {
        id: "gmx-com",
        name: "GMX, international",
        domains: &["gmx.com"],
        imap: tls("imap.gmx.com", 993),
        smtp: tls("mail.gmx.com", 465),
        advice: "Allow IMAP once in the mailbox's settings; the password is the account's own. \
                 Bursts of logins lock the account.",
        doubt: Some("The locks are community knowledge."),
        ..USUAL
    },
    Preset {
        id: "mailcom",
        name: "mail.com",
        domains: &["mail.com"],
        imap: tls("imap.mail.com", 993),
        smtp: tls("smtp.mail.com", 465),
        advice: "Allow IMAP once in the mailbox's settings; the password is the account's own. \
                 Bursts of logins lock the account.",
        doubt: Some("The locks are community knowledge."),
        ..USUAL
    },
    Preset {
        id: "webde",
        name: "web.de",
        domains: &["web.de"],
        imap: tls("imap.web.de", 993),
        smtp: tls("smtp.web.de", 465),
        user: UserName::LocalPart,
        advice: "Switch on IMAP in the mailbox's settings; the password is the account's own.",
        ..USUAL
    },
    Preset {
        id: "fastmail",
        name: "Fastmail",
        domains: &["fastmail.com", "fastmail.fm"],
        mx: &["messagingengine.com"],
        imap: tls("imap.fastmail.com", 993),
        smtp: tls("smtp.fastmail.com", 465),
        credentials: &[AppPassword, Oauth("fastmail")],
        advice: "Make an app password for IMAP and SMTP in the account's security settings; or \
                 connect with OAuth.",
        doubt: Some("The app password, the domains and the MX hosts are unverified."),
        ..USUAL
    },
    Preset {
        id: "proton",
        name: "Proton with Bridge",
        domains: &["proton.me", "protonmail.com", "pm.me"],
        imap: starttls("127.0.0.1", 1143),
        smtp: starttls("127.0.0.1", 1025),
        user: UserName::Shown,
        credentials: &[AppPassword],
        advice: "Run Proton Bridge on the same machine; take user name, password and ports from \
                 its window, export its certificate and set it as ca_pem.",
        quirks: &[Quirk::OwnCertificate],
        doubt: Some(
            "Without Bridge there is no IMAP. The certificate of its own is community \
                 knowledge.",
        ),
        ..USUAL
    },
    Preset {
        id: "seznam",
        name: "Seznam",
        domains: &["seznam.cz"],
        imap: tls("imap.seznam.cz", 993),
        smtp: tls("smtp.seznam.cz", 465),
        advice: "The password is the account's own, or one made for programs where 2-factor login \
                 is on.",
        doubt: Some("The kind of password is unverified."),
        ..USUAL
    },
    Preset {
        id: "qq",
        name: "QQ",
        domains: &["qq.com"],
        imap: tls("imap.qq.com", 993),
        smtp: tls("smtp.qq.com", 465),
        credentials: &[AppPassword],
        advice: "Switch on IMAP in the mailbox's settings and use the authorisation code shown \
                 there.",
        doubt: Some("The authorisation code is unverified."),
        ..USUAL
    },
    Preset {
        id: "netease",
        name: "163",
        domains: &["163.com"],
        imap: tls("imap.163.com", 993),
        smtp: tls("smtp.163.com", 465),
        credentials: &[AppPassword],
        advice: "Switch on IMAP in the mailbox's settings and use the authorisation code shown \
                 there.",
        quirks: &[Quirk::IdBeforeSelect],
        doubt: Some("The authorisation code and that it wants ID are unverified."),
        ..USUAL
    },
    Preset {
        id: "naver",
        name: "Naver",
        domains: &["naver.com"],
        imap: tls("imap.naver.com", 993),
        smtp: tls("smtp.naver.com", 465),
        advice: "Switch on IMAP in the mailbox's settings; with 2-factor login make an app \
                 password.",
        doubt: Some("The kind of password is unverified."),
        ..USUAL
    },
];

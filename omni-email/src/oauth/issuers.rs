//! Who gives out access tokens for mailboxes.

/// Whether an issuer takes the proof of RFC 7636, by which a stolen code is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkce {
    /// It has to be there.
    Needed,
    /// It may be there.
    Taken,
    /// Not known: leave it out.
    Unknown,
}

/// Who gives out access tokens for mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issuer {
    /// Its name in settings: `google`.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Where a person consents.
    pub authorize_url: &'static str,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: &'static str,
    /// What reading and sending needs.
    pub scopes: &'static [&'static str],
    /// Whether it takes PKCE.
    pub pkce: Pkce,
    /// What it wants in the address of consent beside, so that a refresh token comes back.
    pub extra: &'static [(&'static str, &'static str)],
    /// What a vendor has to know before registering an application.
    pub note: &'static str,
    /// Where the addresses and scopes are from.
    pub source: &'static str,
}

/// The issuers that are known. Addresses and scopes were read in 2026-11 at the places named in each.
pub static ISSUERS: [Issuer; 6] = [
    Issuer {
        id: "google",
        name: "Google",
        authorize_url: "https://accounts.google.com/o/oauth2/auth",
        token_url: "https://www.googleapis.com/oauth2/v3/token",
        scopes: &["https://mail.google.com/"],
        pkce: Pkce::Taken,
        // Unverified: without both, a second consent brings no refresh token.
        extra: &[("access_type", "offline"), ("prompt", "consent")],
        note: "The scope is restricted: Google reviews the application before strangers may consent.",
        source: "https://developers.google.com/gmail/imap/xoauth2-protocol",
    },
    Issuer {
        id: "microsoft",
        name: "Microsoft",
        authorize_url: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token_url: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        scopes: &[
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            "offline_access",
        ],
        pkce: Pkce::Taken,
        extra: &[],
        note: "For a shared mailbox a user who has access consents, and `user` is the shared mailbox. Without a person: \
               `grant` is `application`, `token_url` names the tenant, `scope` is \
               `https://outlook.office365.com/.default`; an administrator consents to IMAP.AccessAsApp and \
               SMTP.SendAsApp and gives the enterprise application access to the mailbox.",
        source: "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/\
                 how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth",
    },
    Issuer {
        id: "yandex",
        name: "Yandex",
        authorize_url: "https://oauth.yandex.com/authorize",
        token_url: "https://oauth.yandex.com/token",
        scopes: &["mail:imap_full", "mail:smtp"],
        pkce: Pkce::Unknown,
        extra: &[],
        note: "XOAUTH2 only.",
        source: "https://yandex.ru/support/mail-business/web/security/oauth.html",
    },
    Issuer {
        id: "mailru",
        name: "Mail.ru",
        authorize_url: "https://o2.mail.ru/login",
        token_url: "https://o2.mail.ru/token",
        scopes: &["mail.imap"],
        pkce: Pkce::Unknown,
        extra: &[],
        note: "Community: the addresses and the scope, which covers sending too, are those of a mail program.",
        source: "thunderbird-desktop, mailnews/base/src/OAuth2Providers.sys.mjs",
    },
    Issuer {
        id: "yahoo",
        name: "Yahoo and AOL",
        authorize_url: "https://api.login.yahoo.com/oauth2/request_auth",
        token_url: "https://api.login.yahoo.com/oauth2/get_token",
        scopes: &["mail-w"],
        pkce: Pkce::Unknown,
        extra: &[],
        note: "For partners under contract only (community).",
        source: "thunderbird-desktop, mailnews/base/src/OAuth2Providers.sys.mjs",
    },
    Issuer {
        id: "fastmail",
        name: "Fastmail",
        authorize_url: "https://api.fastmail.com/oauth/authorize",
        token_url: "https://api.fastmail.com/oauth/refresh",
        scopes: &["https://www.fastmail.com/dev/protocol-imap", "https://www.fastmail.com/dev/protocol-smtp"],
        pkce: Pkce::Needed,
        extra: &[],
        note: "Community: the addresses and scopes are those of a mail program.",
        source: "thunderbird-desktop, mailnews/base/src/OAuth2Providers.sys.mjs",
    },
];

/// An issuer by its name in settings.
pub fn issuer(id: &str) -> Option<&'static Issuer> {
    ISSUERS.iter().find(|issuer| issuer.id == id)
}

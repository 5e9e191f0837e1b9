//! Mails that were handed in, read enough to be asserted on.

use bytes::Bytes;
use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders as _, PartType};
use omni_core::Timestamp;

/// A mail that was handed in: its envelope and its bytes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Submission {
    /// The user who handed it in; `None` without a login.
    pub user: Option<String>,
    /// The envelope's sender; empty for `<>`.
    pub from: String,
    /// Parameters of MAIL FROM: `SIZE=1234`, `RET=HDRS`.
    pub parameters: Vec<String>,
    /// The envelope's recipients that were taken.
    pub to: Vec<Recipient>,
    /// The mail without the dots that were doubled for the way.
    pub raw: Bytes,
    /// When its dot came.
    pub at: Timestamp,
}

/// A recipient of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: String,
    /// Parameters: `NOTIFY=FAILURE`.
    pub parameters: Vec<String>,
}

/// A file in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, decoded.
    pub name: Option<String>,
    /// Its media type.
    pub mime: String,
    /// Its Content-ID without `<>`.
    pub content_id: Option<String>,
    /// Its bytes, decoded.
    pub bytes: Bytes,
}

impl Submission {
    /// Addresses of the envelope's recipients.
    #[must_use]
    pub fn recipients(&self) -> Vec<&str> {
        self.to.iter().map(|recipient| recipient.address.as_str()).collect()
    }

    /// A header as it was written, unfolded; the first of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let header = super::mime::read(&self.raw).header;
        super::mime::field(super::mime::slice(&self.raw, &header), &name.to_ascii_lowercase())
    }

    /// The subject, decoded.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        self.read(|mail| mail.subject().map(str::to_owned))
    }

    /// The Message-ID without `<>`.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        self.read(|mail| mail.message_id().map(str::to_owned))
    }

    /// Ids of In-Reply-To without `<>`.
    #[must_use]
    pub fn in_reply_to(&self) -> Vec<String> {
        self.read(|mail| Some(ids(mail.in_reply_to()))).unwrap_or_default()
    }

    /// Ids of References without `<>`, oldest first.
    #[must_use]
    pub fn references(&self) -> Vec<String> {
        self.read(|mail| Some(ids(mail.references()))).unwrap_or_default()
    }

    /// Names and addresses of an address header, `From` for one.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Vec<(Option<String>, String)> {
        let told = |list: &Address<'_>| {
            let one =
                |a: &mail_parser::Addr<'_>| Some((a.name().map(str::to_owned), a.address()?.to_owned()));
            list.iter().filter_map(one).collect()
        };
        let found = self.read(|mail| match mail.header(name.to_owned()) {
            Some(HeaderValue::Address(list)) => Some(told(list)),
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// The plain text, with LF for line ends and without an empty line behind it; `None` when there is no plain part.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.read(|mail| {
            let part = mail.parts.iter().find(|part| matches!(part.body, PartType::Text(_)))?;
            let PartType::Text(text) = &part.body else { return None };
            Some(text.replace("\r\n", "\n").trim_end_matches('\n').to_owned())
        })
    }

    /// The HTML; `None` when there is no such part.
    #[must_use]
    pub fn html(&self) -> Option<String> {
        self.read(|mail| {
            mail.parts.iter().find_map(|part| match &part.body {
                PartType::Html(html) => Some(html.to_string()),
                _ => None,
            })
        })
    }

    /// Files, inline ones too, in the order of the mail.
    #[must_use]
    pub fn attachments(&self) -> Vec<Attachment> {
        let found = self.read(|mail| Some(mail.attachments().map(attachment).collect()));
        found.unwrap_or_default()
    }

    fn read<T>(&self, look: impl FnOnce(&Message<'_>) -> Option<T>) -> Option<T> {
        look(&MessageParser::default().parse(&*self.raw)?)
    }
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let list = value.as_text_list().map(<[_]>::to_vec);
    list.or_else(|| value.as_text().map(|one| vec![one.to_owned().into()]))
        .unwrap_or_default()
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

fn attachment(part: &mail_parser::MessagePart<'_>) -> Attachment {
    let kind = part.content_type();
    let mime = kind.map_or_else(
        || "application/octet-stream".to_owned(),
        |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase(),
    );
    Attachment {
        name: part.attachment_name().map(str::to_owned),
        mime,
        content_id: part.content_id().map(str::to_owned),
        bytes: Bytes::copy_from_slice(part.contents()),
    }
}

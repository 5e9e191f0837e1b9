//! What a server tells, in our words.

use async_imap::imap_proto::{
    AttributeValue, BodyContentCommon, BodyContentSinglePart, BodyStructure, Capability, MailboxDatum,
    MessageSection, NameAttribute, Response, ResponseCode, SectionPath, Status,
};
use bytes::Bytes;
use mail_parser::DateTime;
use omni_core::Timestamp;

use crate::parse;

/// One untagged answer, as far as anybody here asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// What the server can do, in upper case.
    Capabilities(Vec<String>),
    /// The folder holds so many mails.
    Exists(u32),
    /// Something else happened in the folder: mail went, flags changed.
    Changed,
    /// Mails that a search found.
    Found(Vec<u32>),
    /// A mail.
    Mail(Fetched),
    /// A folder.
    Folder(Listed),
    /// A fact in brackets.
    Code(Code),
    /// Something a person has to read.
    Alert(String),
    /// The server ends the session.
    Bye(String),
    /// Anything else.
    Other,
}

/// A fact in brackets, with a greeting, a warning or the end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// UIDVALIDITY of the selected folder.
    UidValidity(u32),
    /// UIDNEXT of the selected folder.
    UidNext(u32),
    /// The folder to write into is not there.
    TryCreate,
    /// Nothing we act upon, by its name where it has one for errors.
    Other(Option<&'static str>),
}

/// A folder, as LIST tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its name on the wire (modified UTF-7).
    pub(crate) name: String,
    /// What stands between a folder and one within it; absent means flat.
    pub(crate) separator: Option<String>,
    /// Whether it can be opened.
    pub(crate) opens: bool,
    /// What it is for (RFC 6154).
    pub(crate) purpose: Option<Purpose>,
}

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Copies of sent mail.
    Sent,
    /// Spam.
    Junk,
}

/// A mail, as far as it was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Its UID; absent in news that nobody asked for.
    pub(crate) uid: Option<u32>,
    /// When the server took it.
    pub(crate) internal_date: Option<Timestamp>,
    /// Bytes, by the server's account: some lie.
    pub(crate) size: Option<u64>,
    /// Its flags.
    pub(crate) flags: Option<Vec<String>>,
    /// Pieces of it by section (empty: the whole), `None` where the server has nothing there.
    pub(crate) pieces: Vec<(String, Option<Bytes>)>,
    /// Its leaves.
    pub(crate) leaves: Option<Vec<Leaf>>,
}

/// A part of a mail that is not a multipart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Its section: `1`, `2.1`.
    pub(crate) section: String,
    /// Its media type in lower case.
    pub(crate) mime: String,
    /// Its name, decoded.
    pub(crate) name: Option<String>,
    /// Content-ID without `<>`.
    pub(crate) content_id: Option<String>,
    /// Whether it says that it is an attachment.
    pub(crate) attached: bool,
    /// Bytes, encoded.
    pub(crate) octets: u64,
    /// Whether its bytes are base64: then it has a quarter less.
    pub(crate) base64: bool,
}

impl Told {
    /// Reads an untagged answer.
    pub(crate) fn read(response: &Response<'_>) -> Self {
        match response {
            Response::Capabilities(list) => Told::Capabilities(names(list)),
            Response::Data { status: Status::Bye, outcome } => {
                Told::Bye(outcome.information.as_deref().unwrap_or_default().to_owned())
            }
            Response::Data { outcome, .. } => match &outcome.code {
                Some(ResponseCode::Alert) => {
                    Told::Alert(outcome.information.as_deref().unwrap_or_default().to_owned())
                }
                Some(code) => Told::Code(Code::read(code)),
                None => Told::Other,
            },
            Response::Expunge(_) | Response::Vanished { .. } => Told::Changed,
            Response::Fetch(_, attributes) => Told::Mail(Fetched::read(attributes)),
            Response::MailboxData(datum) => Self::of_folder(datum),
            _ => Told::Other,
        }
    }

    fn of_folder(datum: &MailboxDatum<'_>) -> Self {
        match datum {
            MailboxDatum::Exists(mails) => Told::Exists(*mails),
            MailboxDatum::Search(uids) => Told::Found(uids.clone()),
            MailboxDatum::List(list) => Told::Folder(Listed {
                name: list.name.to_string(),
                separator: list.delimiter.as_deref().map(str::to_owned),
                opens: !list.name_attributes.iter().any(is_closed),
                purpose: list.name_attributes.iter().find_map(purpose),
            }),
            _ => Told::Other,
        }
    }
}

fn is_closed(attribute: &NameAttribute<'_>) -> bool {
    match attribute {
        NameAttribute::NoSelect => true,
        NameAttribute::Extension(name) => name.eq_ignore_ascii_case("\\NonExistent"),
        _ => false,
    }
}

fn purpose(attribute: &NameAttribute<'_>) -> Option<Purpose> {
    match attribute {
        NameAttribute::Sent => Some(Purpose::Sent),
        NameAttribute::Junk => Some(Purpose::Junk),
        _ => None,
    }
}

fn names(capabilities: &[Capability<'_>]) -> Vec<String> {
    let name = |capability: &Capability<'_>| match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    };
    capabilities.iter().map(name).collect()
}

impl Code {
    pub(crate) fn read(code: &ResponseCode<'_>) -> Self {
        match code {
            ResponseCode::UidValidity(validity) => Code::UidValidity(*validity),
            ResponseCode::UidNext(next) => Code::UidNext(*next),
            ResponseCode::TryCreate => Code::TryCreate,
            ResponseCode::Alert => Code::Other(Some("ALERT")),
            ResponseCode::ReadOnly => Code::Other(Some("READ-ONLY")),
            _ => Code::Other(None),
        }
    }

    /// Its name on the wire, where errors are sorted by it. Codes that the library does not know stay in the text.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Code::TryCreate => Some("TRYCREATE"),
            Code::Other(name) => *name,
            Code::UidValidity(_) | Code::UidNext(_) => None,
        }
    }
}

impl Fetched {
    fn read(attributes: &[AttributeValue<'_>]) -> Self {
        let mut mail = Self::default();
        for attribute in attributes {
            match attribute {
                AttributeValue::Uid(uid) => mail.uid = Some(*uid),
                AttributeValue::InternalDate(date) => mail.internal_date = internal_date(date),
                AttributeValue::Rfc822Size(size) => mail.size = Some(u64::from(*size)),
                AttributeValue::Flags(flags) => {
                    mail.flags = Some(flags.iter().map(|flag| flag.to_string()).collect());
                }
                AttributeValue::BodySection { section, data, .. } => {
                    let bytes = data.as_deref().map(Bytes::copy_from_slice);
                    mail.pieces.push((section.as_ref().map(section_name).unwrap_or_default(), bytes));
                }
                AttributeValue::BodyStructure(structure) => {
                    let mut leaves = Vec::new();
                    collect(structure, "", &mut leaves);
                    mail.leaves = Some(leaves);
                }
                _ => {}
            }
        }
        mail
    }

    /// A piece that was asked for: `None` when it is not in the answer, `Some(None)` when the server has nothing there.
    pub(crate) fn piece(&self, section: &str) -> Option<Option<&Bytes>> {
        self.pieces.iter().find(|(name, _)| name == section).map(|(_, bytes)| bytes.as_ref())
    }
}

fn section_name(section: &SectionPath) -> String {
    let text = |what: &MessageSection| match what {
        MessageSection::Header => "HEADER",
        MessageSection::Mime => "MIME",
        MessageSection::Text => "TEXT",
    };
    match section {
        SectionPath::Full(what) => text(what).to_owned(),
        SectionPath::Part(path, what) => {
            let path = path.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            match what {
                Some(what) => format!("{path}.{}", text(what)),
                None => path,
            }
        }
    }
}

/// `17-Jul-1996 02:44:25 -0700` (RFC 3501, date-time): the date of a header but for its dashes.
fn internal_date(date: &str) -> Option<Timestamp> {
    let (day, rest) = date.trim().split_once(' ')?;
    let parsed = DateTime::parse_rfc822(&format!("{} {rest}", day.replace('-', " ")))?;
    parsed.is_valid().then(|| Timestamp::from_secs(parsed.to_timestamp()))
}

/// Deepest nesting that is looked into.
const DEPTH: usize = 50;

fn collect(structure: &BodyStructure<'_>, path: &str, leaves: &mut Vec<Leaf>) {
    let own = if path.is_empty() { "1" } else { path };
    match structure {
        BodyStructure::Multipart { bodies, .. } => {
            if path.matches('.').count() >= DEPTH {
                return;
            }
            for (n, body) in bodies.iter().enumerate() {
                let below = if path.is_empty() { format!("{}", n + 1) } else { format!("{path}.{}", n + 1) };
                collect(body, &below, leaves);
            }
        }
        BodyStructure::Basic { common, other, .. }
        | BodyStructure::Text { common, other, .. }
        | BodyStructure::Message { common, other, .. } => leaves.push(leaf(own, common, other)),
    }
}

fn leaf(section: &str, common: &BodyContentCommon<'_>, other: &BodyContentSinglePart<'_>) -> Leaf {
    use async_imap::imap_proto::ContentEncoding;
    let disposition = common.disposition.as_ref();
    let param = |params: Option<&Vec<(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)>>, name: &str| {
        parse::parameter(params?.iter().map(|(name, value)| (&**name, &**value)), name)
    };
    let name = param(disposition.and_then(|d| d.params.as_ref()), "filename")
        .or_else(|| param(common.ty.params.as_ref(), "name"));
    Leaf {
        section: section.to_owned(),
        mime: format!("{}/{}", common.ty.ty, common.ty.subtype).to_ascii_lowercase(),
        name,
        content_id: other.id.as_deref().map(|id| id.trim_matches(['<', '>', ' ']).to_owned()),
        attached: disposition.is_some_and(|d| d.ty.eq_ignore_ascii_case("attachment")),
        octets: u64::from(other.octets),
        base64: matches!(other.transfer_encoding, ContentEncoding::Base64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Told {
        let (_, response) = Response::parse(line.as_bytes()).expect("an answer");
        Told::read(&response)
    }

    #[test]
    fn the_date_of_the_server_counts_with_its_zone() {
        assert_eq!(internal_date("17-Jul-1996 02:44:25 -0700"), Some(Timestamp::from_secs(837_596_665)));
        assert_eq!(internal_date(" 1-Jan-2026 00:00:00 +0000"), Some(Timestamp::from_secs(1_767_225_600)));
        assert_eq!(internal_date("soon"), None);
        assert_eq!(internal_date(""), None);
    }

    #[test]
    fn leaves_are_named_by_their_section() {
        let line = concat!(
            "* 1 FETCH (UID 7 BODYSTRUCTURE (((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"8BIT\" 12 1 NIL NIL NIL NIL)",
            "(\"TEXT\" \"HTML\" NIL NIL NIL \"7BIT\" 40 1 NIL NIL NIL NIL) \"ALTERNATIVE\" NIL NIL NIL NIL)",
            "(\"APPLICATION\" \"PDF\" (\"NAME\" \"a.pdf\") \"<pic@x>\" NIL \"BASE64\" 4000 NIL (\"ATTACHMENT\" (\"FILENAME\" \"b.pdf\")) NIL NIL)",
            " \"MIXED\" NIL NIL NIL NIL))\r\n"
        );
        let Told::Mail(mail) = told(line) else { panic!("no mail") };
        let leaves = mail.leaves.expect("leaves");
        let sections: Vec<_> = leaves.iter().map(|l| (l.section.as_str(), l.mime.as_str())).collect();
        assert_eq!(sections, [("1.1", "text/plain"), ("1.2", "text/html"), ("2", "application/pdf")]);
        let file = leaves.last().expect("the file");
        assert_eq!((file.name.as_deref(), file.attached, file.base64), (Some("b.pdf"), true, true));
        assert_eq!(file.content_id.as_deref(), Some("pic@x"));
    }

    #[test]
    fn names_of_files_are_decoded_however_they_travel() {
        for (params, wanted) in [
            (r#"("FILENAME*" "utf-8''%D1%81%D1%87%D1%91%D1%82%20%F0%9F%91%9F.pdf")"#, "счёт 👟.pdf"),
            (r#"("filename*0*" "utf-8''%D1%81%D1%87" "filename*1*" "%D1%91%D1%82.pdf")"#, "счёт.pdf"),
            (r#"("filename" "=?utf-8?B?0YHRh9GR0YI=?=.pdf")"#, "счёт.pdf"),
        ] {
            let line = format!(
                "* 1 FETCH (BODYSTRUCTURE (\"APPLICATION\" \"PDF\" NIL NIL NIL \"BASE64\" 4000 NIL (\"ATTACHMENT\" {params}) NIL NIL))\r\n"
            );
            let Told::Mail(mail) = told(&line) else { panic!("no mail in {line}") };
            let leaves = mail.leaves.expect("leaves");
            assert_eq!(leaves.first().and_then(|leaf| leaf.name.as_deref()), Some(wanted), "{params}");
        }
    }

    #[test]
    fn a_mail_of_one_part_is_section_1() {
        let Told::Mail(mail) =
            told("* 1 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1))\r\n")
        else {
            panic!("no mail")
        };
        assert_eq!(mail.leaves.expect("leaves").first().map(|l| l.section.clone()), Some("1".to_owned()));
    }

    #[test]
    fn special_folders_are_known_by_what_they_are_for() {
        let Told::Folder(sent) =
            told("* LIST (\\HasNoChildren \\Sent) \"/\" \"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-\"\r\n")
        else {
            panic!("no folder")
        };
        assert_eq!((sent.purpose, sent.opens), (Some(Purpose::Sent), true));
        let Told::Folder(gone) = told("* LIST (\\NonExistent) NIL \"old\"\r\n") else { panic!("no folder") };
        assert_eq!((gone.opens, gone.separator), (false, None));
    }

    #[test]
    fn a_piece_without_bytes_differs_from_one_that_is_not_there() {
        let Told::Mail(mail) = told("* 1 FETCH (UID 1 BODY[] NIL)\r\n") else { panic!("no mail") };
        assert_eq!(mail.piece(""), Some(None));
        assert_eq!(mail.piece("HEADER"), None);
    }
}

//! The fields of reports: blocks like headers, parted by empty lines (RFC 3464, 2.1).

use super::{Action, Complaint, Delivery, Disposition, Feedback, Receipt, Recipient, SentBy, Told, reason};
use crate::mail::Headers;

/// Most bytes of a part that are read.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// Most recipients that are told.
pub(super) const MAX_RECIPIENTS: usize = 1_000;

/// Most fields of a block.
const MAX_FIELDS: usize = 1_000;

/// Most characters of what a server said.
const MAX_TEXT: usize = 1_000;

/// The text of a part, as far as it is read.
pub(super) fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..MAX_BYTES).unwrap_or(bytes)).replace("\r\n", "\n").replace('\r', "\n")
}

/// The blocks of a part.
pub(super) fn blocks(text: &str) -> Vec<Headers> {
    let mut blocks = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            if !fields.is_empty() && blocks.len() <= MAX_RECIPIENTS {
                blocks.push(Headers::new(std::mem::take(&mut fields)));
            }
            continue;
        }
        match (line.starts_with([' ', '\t']), fields.last_mut()) {
            (true, Some((_, value))) if value.len() < MAX_BYTES => {
                value.push(' ');
                value.push_str(line.trim());
            }
            _ => {
                let field = line.split_once(':').filter(|(name, _)| is_name(name.trim()));
                let field = field.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
                fields.extend(field.filter(|_| fields.len() < MAX_FIELDS));
            }
        }
    }
    blocks
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() < 80 && name.bytes().all(|b| b.is_ascii_graphic())
}

/// The headers at the begin of a quoted mail.
pub(super) fn first_block(bytes: &[u8]) -> Headers {
    let text = words(bytes);
    let text = text.trim_start_matches('\n');
    let head = text.split_once("\n\n").map_or(text, |(head, _)| head);
    blocks(head).into_iter().next().unwrap_or_default()
}

/// `message/delivery-status`: a block of the mail, then one a recipient. Some servers write all in one block, some put
/// empty lines where none belong.
pub(super) fn delivery(bytes: &[u8]) -> Delivery {
    let blocks = blocks(&words(bytes));
    let first = |name: &str| blocks.iter().find_map(|block| block.get(name)).map(str::trim);
    let is_recipient = |block: &&Headers| {
        block.has("final-recipient") || block.has("original-recipient") || block.has("action")
    };
    Delivery {
        envelope_id: first("original-envelope-id").filter(|id| !id.is_empty()).map(str::to_owned),
        reporter: first("reporting-mta").map(behind_type).filter(|name| !name.is_empty()),
        recipients: blocks.iter().filter(is_recipient).map(recipient).take(MAX_RECIPIENTS).collect(),
        told: Told::Fields,
        ..Delivery::default()
    }
}

fn recipient(block: &Headers) -> Recipient {
    let typed = |name: &str| block.get(name).map(behind_type).filter(|value| !value.is_empty());
    let address = |name: &str| typed(name).map(|value| address(&value)).filter(|value| !value.is_empty());
    let said = typed("diagnostic-code").map(|text| Said::read(&text)).unwrap_or_default();
    let told = block.get("status").and_then(|value| value.split([' ', '(', ';']).next());
    let told = told.filter(|status| reason::digits(status).is_some()).map(str::to_owned);
    let is_vague = |status: &String| status.ends_with(".0.0");
    let same_class =
        |status: &String| said.status.as_deref().is_some_and(|other| other.get(..2) == status.get(..2));
    let status = match told {
        Some(told) if is_vague(&told) && same_class(&told) => said.status,
        Some(told) => Some(told),
        None => said.status,
    };
    let original_address = address("original-recipient");
    Recipient {
        address: address("final-recipient").or_else(|| original_address.clone()).unwrap_or_default(),
        original_address,
        action: action(block.get("action").unwrap_or_default(), status.as_deref()),
        status,
        number: said.number,
        text: said.text,
        remote: typed("remote-mta"),
    }
}

/// RFC 3464, 2.3.3; by the code where the word is none of its words.
fn action(word: &str, status: Option<&str>) -> Action {
    let end = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
    match word.get(..end).unwrap_or_default().to_ascii_lowercase().as_str() {
        "failed" | "failure" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => match status.and_then(reason::digits) {
            Some((2, _, _)) => Action::Relayed,
            Some((4, _, _)) => Action::Delayed,
            _ => Action::Failed,
        },
    }
}

/// `message/disposition-notification`.
pub(super) fn receipt(bytes: &[u8]) -> Receipt {
    // RFC 8098 has one block; some programs write several.
    let blocks = blocks(&words(bytes));
    let first = |name: &str| blocks.iter().find_map(|block| block.get(name));
    let told = first("disposition").unwrap_or_default().to_ascii_lowercase();
    let (mode, kind) = told.split_once(';').unwrap_or(("", &told));
    let kind = kind.split(['/', ',']).next().unwrap_or_default();
    let recipient = first("original-recipient").or_else(|| first("final-recipient"));
    let mut receipt = Receipt {
        recipient: recipient.map(|value| address(&behind_type(value))).filter(|value| !value.is_empty()),
        disposition: match kind.trim() {
            "displayed" => Disposition::Displayed,
            "deleted" => Disposition::Deleted,
            "dispatched" => Disposition::Dispatched,
            "processed" => Disposition::Processed,
            _ => Disposition::Other,
        },
        sent_by: if mode.contains("mdn-sent-manually") { SentBy::Person } else { SentBy::Program },
        ..Receipt::default()
    };
    receipt.original.ids.extend(first("original-message-id").and_then(super::normal_id));
    receipt
}

/// `message/feedback-report`.
pub(super) fn complaint(bytes: &[u8]) -> Complaint {
    let blocks = blocks(&words(bytes));
    let all = |name: &'static str| blocks.iter().flat_map(move |block| block.all(name));
    let recipients = all("original-rcpt-to").chain(all("removal-recipient"));
    let mut complaint = Complaint::default();
    for one in recipients.map(|value| address(&behind_type(value))).filter(|one| one.contains('@')) {
        if complaint.recipients.len() < MAX_RECIPIENTS && !complaint.recipients.contains(&one) {
            complaint.recipients.push(one);
        }
    }
    let kind = all("feedback-type").next().unwrap_or("abuse").trim().to_ascii_lowercase();
    complaint.feedback = match kind.as_str() {
        "abuse" | "" => Feedback::Abuse,
        "fraud" => Feedback::Fraud,
        "virus" => Feedback::Virus,
        "not-spam" => Feedback::NotSpam,
        _ => Feedback::Other(kind.chars().filter(|c| !c.is_control()).take(64).collect()),
    };
    complaint
}

/// What stands behind the type: `rfc822; anna@b.example`, `dns; mx.b.example`.
fn behind_type(value: &str) -> String {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim().to_owned()
}

/// An address without brackets and comments. RFC 6533, 3, writes letters beyond ASCII as `\x{430}`.
fn address(value: &str) -> String {
    let value = value.split(" (").next().unwrap_or_default();
    let value: String = value.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(500).collect();
    let value = value.trim_matches(['<', '>', '"', '\'']);
    let mut pieces = value.split("\\x{");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let letter = piece.split_once('}').and_then(|(hex, rest)| {
            Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?).filter(|c| !c.is_control())?, rest))
        });
        match letter {
            Some((letter, rest)) => {
                whole.push(letter);
                whole.push_str(rest);
            }
            None => {
                whole.push_str("\\x{");
                whole.push_str(piece);
            }
        }
    }
    whole
}

/// What a server said: its number, its enhanced code, its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) number: Option<u16>,
    pub(super) status: Option<String>,
    pub(super) text: Option<String>,
}

impl Said {
    /// Reads `550-5.1.1 No such user 550 5.1.1 here`, and longer stories with an answer within. Number and code are
    /// left out of the words where they stand again and again, as every line of an answer begins with them.
    pub(super) fn read(text: &str) -> Self {
        let text: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT * 8).collect();
        let number = text.split(is_border).find_map(number_of);
        let class = number.map(|number| number / 100);
        let codes = || text.split(is_border).filter_map(|word| Some((reason::digits(word)?.0, word)));
        let agrees = |found: &(u16, &str)| class.is_none_or(|class| class == found.0);
        let status = codes().find(agrees).map(|(_, word)| word.to_owned());
        let is_status = |word: &str| status.as_deref() == Some(word);
        let is_number = |word: &str| number.is_some_and(|number| word.parse() == Ok(number));
        // `550-Words`: the sign of a line that is not the last.
        let rest = |word: &str| match word.split_once('-') {
            Some((first, rest)) if is_number(first) => rest.to_owned(),
            _ => word.to_owned(),
        };
        let is_code = |word: &String| {
            let word = word.trim_matches(['#', '(', ')', ';', ':']);
            word.is_empty() || is_number(word) || is_status(word)
        };
        let words: Vec<String> = text.split_whitespace().map(rest).filter(|word| !is_code(word)).collect();
        let words: String = words.join(" ").chars().take(MAX_TEXT).collect();
        Self { number, status, text: Some(words).filter(|words| !words.is_empty()) }
    }
}

fn is_border(c: char) -> bool {
    c.is_whitespace() || "-#<>()[];,:\"'=/".contains(c)
}

/// The number of a refusal. Others of three digits mean something else.
fn number_of(word: &str) -> Option<u16> {
    let is_number = word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    word.parse().ok().filter(|number| is_number && matches!(number, 421 | 432 | 450..=455 | 500..=559))
}

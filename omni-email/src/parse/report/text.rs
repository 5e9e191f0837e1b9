//! Reports in words: qmail, Exim, Mail.ru, old Exchange, and whoever else writes no fields.

use std::sync::LazyLock;

use regex::Regex;

use super::blocks::{self, Said};
use super::{Action, Delivery, Original, Recipient, Told};
use crate::mail::Headers;
use crate::parse::automatic::is_robot;
use crate::parse::thread::{message_of, normal_id};

/// Most lines that are looked at.
const MAX_LINES: usize = 2_000;

/// Longest line that is looked at, in bytes.
const MAX_LINE: usize = 2_000;

/// Most recipients that words tell.
const MAX_RECIPIENTS: usize = 100;

/// Most lines that tell of one recipient.
const MAX_STORY: usize = 30;

/// A report in words; `None` when the mail is none.
pub(super) fn delivery(text: &str, headers: &Headers) -> Option<Delivery> {
    let named: Vec<String> = headers.all("x-failed-recipients").flat_map(addresses).collect();
    let subject = headers.get("subject").unwrap_or_default();
    let (report, copy) = parted(text);
    let says = SUBJECT.is_match(subject) || report.iter().take(40).any(|line| BEGIN.is_match(line));
    let from = Sender::of(headers);
    let is_report = !named.is_empty() || (says && from != Sender::Person) || from == Sender::Daemon;
    if !is_report {
        return None;
    }
    let is_late = LATE.is_match(subject) || report.iter().take(40).any(|line| LATE.is_match(line));
    let action = if is_late { Action::Delayed } else { Action::Failed };
    let mut recipients = stories(&report, action);
    for address in named {
        if !recipients.iter().any(|one| one.address.eq_ignore_ascii_case(&address))
            && recipients.len() < MAX_RECIPIENTS
        {
            let said = Said::read(&report.join(" "));
            // The words are those of the whole mail: too many to be shown as what a server said.
            recipients.push(Recipient {
                address,
                action,
                status: said.status,
                number: said.number,
                ..Recipient::default()
            });
        }
    }
    let quoted = blocks::first_block(copy.join("\n").as_bytes());
    let ids = quoted.get("message-id").and_then(normal_id).into_iter().collect();
    let original = Original { ids, headers: quoted };
    Some(Delivery { original, recipients, told: Told::Words, ..Delivery::default() })
}

/// Adds what only the words say to recipients whose fields give no reason: Exim writes no more than `5.0.0` there.
pub(super) fn complete(recipients: &mut [Recipient], words: impl Fn() -> String) {
    if recipients.iter().all(|one| one.text.is_some() || one.action == Action::Delivered) {
        return;
    }
    let words = words();
    let told = stories(&parted(&words).0, Action::Failed);
    for one in recipients.iter_mut().filter(|one| one.text.is_none()) {
        let Some(story) = told.iter().find(|story| story.address.eq_ignore_ascii_case(&one.address)) else {
            continue;
        };
        let is_vague = one.status.as_deref().is_none_or(|status| status.ends_with(".0.0"));
        let class =
            |status: &Option<String>| status.as_deref().and_then(|status| status.get(..1)).map(str::to_owned);
        if is_vague
            && story.status.is_some()
            && (one.status.is_none() || class(&one.status) == class(&story.status))
        {
            one.status.clone_from(&story.status);
        }
        one.number = one.number.or(story.number);
        one.text.clone_from(&story.text);
    }
}

/// Whose mail it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// A program that carries mail, and nothing else comes from it.
    Daemon,
    /// Perhaps such a program: an address that people use too, or no sender of the envelope.
    Perhaps,
    Person,
}

impl Sender {
    fn of(headers: &Headers) -> Self {
        let from = headers.get("from").unwrap_or_default().to_lowercase();
        let has_no_sender = headers.get("return-path").is_some_and(|path| path.trim() == "<>");
        let is_daemon =
            ["mailer-daemon", "mail-daemon", "mailerdaemon"].iter().any(|name| from.contains(name));
        let is_robot = || addresses(&from).next().is_some_and(|address| is_robot(&address));
        match (is_daemon, has_no_sender) {
            (true, true) => Sender::Daemon,
            (true, false) | (false, true) => Sender::Perhaps,
            (false, false) if is_robot() => Sender::Perhaps,
            (false, false) => Sender::Person,
        }
    }
}

/// The lines of the report, and those of the copy of the mail that stands below them.
fn parted(text: &str) -> (Vec<&str>, Vec<&str>) {
    let lines: Vec<&str> = text.lines().take(MAX_LINES).filter(|line| line.len() <= MAX_LINE).collect();
    let mark = lines.iter().position(|line| COPY.is_match(line.trim()));
    // Without a mark the copy is told by its headers: several of them, one below the other.
    let is_field = |line: &&str| FIELD.is_match(line);
    let goes_on = |line: &&str| is_field(line) || line.starts_with([' ', '\t']);
    let header = || {
        lines.windows(3).position(|three| three.first().is_some_and(is_field) && three.iter().all(goes_on))
    };
    match mark.map(|at| (at, at + 1)).or_else(|| header().map(|at| (at, at))) {
        Some((end, begin)) => {
            let copy =
                lines.get(begin..).unwrap_or_default().iter().copied().skip_while(|line| !is_field(line));
            (lines.get(..end).unwrap_or_default().to_vec(), copy.collect())
        }
        None => (lines, Vec::new()),
    }
}

/// The recipients that a report names, each with what it tells of them: `<anna@b.example>:` of qmail and Postfix, an
/// address on a line of its own of Exim and Mail.ru, up to the next one or, after an empty line, to the next paragraph.
fn stories(report: &[&str], action: Action) -> Vec<Recipient> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    let mut is_open = false;
    for line in report {
        if let Some((address, rest)) = heading(line) {
            is_open = true;
            match found.iter().any(|(known, _)| known.eq_ignore_ascii_case(&address)) {
                true => {}
                false if found.len() < MAX_RECIPIENTS => found.push((address, vec![rest])),
                false => break,
            }
            continue;
        }
        let Some((_, story)) = found.last_mut().filter(|_| is_open) else { continue };
        let is_empty = line.trim().is_empty();
        // An empty line ends a story that has begun.
        if is_empty && story.iter().any(|line| !line.trim().is_empty()) {
            is_open = false;
        } else if story.len() < MAX_STORY {
            story.push(line);
        }
    }
    let whole = |address: String, story: Vec<&str>| {
        let said = Said::read(&story.join(" "));
        Recipient {
            address,
            action,
            status: said.status,
            number: said.number,
            text: said.text,
            ..Recipient::default()
        }
    };
    found.into_iter().map(|(address, story)| whole(address, story)).collect()
}

/// A line that begins the story of a recipient, and what of it is story already.
fn heading(line: &str) -> Option<(String, &str)> {
    let found = HEADING.captures(line)?;
    let address = found.name("bracketed").or_else(|| found.name("alone"))?.as_str();
    let rest = found.name("rest").map_or("", |rest| rest.as_str());
    Some((address.to_owned(), rest))
}

fn addresses(text: &str) -> impl Iterator<Item = String> {
    text.split([',', ' ', '\t', '<', '>', ';', '"'])
        .map(|word| word.trim_matches(['<', '>', '"', '\'']))
        .filter(|word| word.contains('@') && word.len() > 2)
        .map(str::to_owned)
}

/// Ids of our making in the words of a report. Those under References are of earlier mails.
pub(super) fn own_ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut is_of_earlier = false;
    for line in text.lines().take(MAX_LINES) {
        let is_fold = line.starts_with([' ', '\t']);
        let lower = line.trim_start_matches(['>', ' ', '\t']).to_ascii_lowercase();
        if !is_fold || lower.starts_with("references:") || lower.starts_with("in-reply-to:") {
            is_of_earlier = lower.starts_with("references:") || lower.starts_with("in-reply-to:");
        }
        if is_of_earlier {
            continue;
        }
        let all = OWN.find_iter(line).map(|found| found.as_str()).filter(|id| message_of(id).is_some());
        for id in all.map(str::to_owned) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    ids
}

fn regex(pattern: &str) -> Regex {
    // Patterns are constants, and every one is used by a test.
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{error}"))
}

/// Ids made by [`own_id`](crate::parse::thread::own_id).
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)omni\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}@[a-z0-9.-]*[a-z0-9]")
});

/// `<anna@b.example>:` and `<anna@b.example> (expanded from ..)`, or an address alone, `anna@b.example:`.
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"^\s{0,8}(?:[*-]\s+)?(?:<(?P<bracketed>[^\s<>@]+@[^\s<>@]+)>(?:\s*\([^)]*\))?:?|",
        r"'?(?P<alone>[^\s<>@:'();,]+@[^\s<>@:'();,]+\.[^\s<>@:'();,]+)'?(?:\s*\([^)]*\))?:?)(?P<rest>\s*|\s+(?:host|said|on|\S*: ).*)$",
    ))
});

/// What stands above the copy of the mail.
static COPY: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^[-*=_ ]*(?:below this line is a copy of the message|this is a copy of (?:the|your) message|",
        r"(?:the )?(?:following is a copy|original message|returned message|unsent message|undelivered message)|",
        r"(?:original )?message headers?|the (?:header|body) of (?:the|your) (?:original )?message|copy of (?:the )?message|",
        r"ваше исходное сообщение|исходное сообщение|оригинал письма|текст исходного (?:письма|сообщения)|",
        r"заголовки (?:исходного )?(?:письма|сообщения))",
    ))
});

/// The fields that a mail's header has in any case, and those that servers put above them.
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^(?:return-path|received|message-id|date|from|to|cc|subject|mime-version|content-type|dkim-signature|",
        r"references|in-reply-to|reply-to|delivered-to|x-[a-z-]+|content-transfer-encoding|user-agent|auto-submitted):",
    ))
});

/// Subjects of reports.
static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^(?:undeliver(?:ed|able)|failure notice|delivery (?:status notification|failure|has failed|failed|problems?)|",
        r"mail (?:delivery|system) (?:failed|failure|error|system)|returned mail|returned to sender|non[- ]?delivery|",
        r"message (?:undeliverable|not delivered|delivery)|mail could not be delivered|could not deliver|bounced|",
        r"warning: (?:message|could not send)|delayed mail|delivery delayed|mail delivery delayed|",
        r"недоставленн|не доставлен|не удалось доставить|сообщение не (?:было )?доставлено|письмо не (?:было )?доставлено|",
        r"ошибка доставки|уведомление о (?:недоставке|состоянии доставки|статусе доставки)|отч[её]т о (?:не)?доставк|",
        r"невозможно доставить|задержка доставки|",
        r"unzustellbar|zustellung fehlgeschlagen|rücksendung|non remis|échec de la remise|no se puede entregar|",
        r"mancato recapito|onbestelbaar|niedostarczon|не доставлено)",
    ))
});

/// How reports begin.
static BEGIN: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)(?:this is the qmail-send program|message was created automatically by mail delivery software|",
        r"this is the mail system at host|this is the mail delivery agent|mail delivery subsystem|",
        r"could not be delivered to|couldn['’]t be delivered|cannot be delivered|was(?:n['’]t| not) delivered to|",
        r"did not reach (?:some or all of )?the (?:following|intended) recipient|unable to deliver (?:your )?message|",
        r"delivery (?:to the following|has failed)|following address(?:es|\(es\))? (?:had|failed)|",
        r"following recipient(?:s|\(s\))? (?:cannot|could not)|permanent (?:fatal )?error|",
        r"не (?:может|могло|было|удалось) (?:быть )?(?:доставлен|отправлен|доставить)|не доставлено|",
        r"создано автоматически (?:сервером|почтовой)|не удается связаться со следующими)",
    ))
});

/// Words of reports of mail that is still being tried.
static LATE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)(?:warning: (?:message|could not send)|this is a warning message only|delayed|delivery delay|",
        r"has not yet been delivered|no action is required on your part|will be retried|will (?:continue|keep) try|",
        r"still (?:being )?trying|delivery attempts will continue|do(?:es)? not need to resend|",
        r"задержк|задержив|пока не (?:доставлен|удалось)|попытки (?:доставки )?будут продолж|повторная попытка)",
    ))
});

//! Lines that stand above a quoted mail.

use std::sync::LazyLock;

use regex::Regex;

/// What a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Splitter {
    /// "On … wrote:", over so many lines.
    Attribution(usize),
    /// A block of headers, or a line of ours or of a mailer that says that the former mail begins.
    Headers,
    /// A mail that is handed on.
    Forward,
}

/// Longest attribution, in characters.
const MAX_ATTRIBUTION: usize = 300;

/// Most lines over which mailers wrap an attribution.
const WRAPPED: usize = 3;

/// What begins at a line that is not empty.
pub(super) fn at(lines: &[&str], index: usize) -> Option<Splitter> {
    let line = lines.get(index)?.trim();
    if is_forward(line) {
        return Some(Splitter::Forward);
    }
    if OWN_MARK.is_match(line) || ORIGINAL.is_match(line) || has_headers(lines, index) {
        return Some(Splitter::Headers);
    }
    attribution(lines, index).map(Splitter::Attribution)
}

/// Whether a line says that a mail is handed on.
pub(super) fn is_forward(line: &str) -> bool {
    FORWARD.is_match(line.trim())
}

fn regex(pattern: &str) -> Regex {
    // Patterns are constants, and every one is used by a test.
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{error}"))
}

/// The line that we put above what we write, in the languages in which hosts may put it.
static OWN_MARK: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^[>\s]*#{2,}.*\b(?:above this line|выше этой (?:линии|строки|черты)|вище цієї лінії|über dieser zeile|oberhalb dieser|au-dessus de cette ligne|encima de esta l[ií]nea|sopra questa (?:riga|linea))\b.*#{2,}$",
    )
});

static ORIGINAL: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^[-–—_*\s]{3,}\s*(?:original message|original appointment|reply message|исходное сообщение|",
        r"оригинальное сообщение|исходное письмо|первоначальное сообщение|вихідне повідомлення|оригінальне повідомлення|",
        r"ursprüngliche nachricht|originalnachricht|message d['’]origine|message original|oprindelig meddelelse|",
        r"opprinnelig melding|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|",
        r"ursprungligt meddelande|originalmeddelande|wiadomość oryginalna|oryginalna wiadomość|původní zpráva|",
        r"alkuperäinen viesti|eredeti üzenet|orijinal mesaj|özgün ileti|原始邮件|邮件原件|元のメッセージ|원본 메시지|원본 메일)\s*[-–—_*\s]*$",
    ))
});

static FORWARD: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^(?:[-–—_*\s]{2,}\s*)?(?:begin forwarded message|forwarded message|forwarded by .{1,60}|",
        r"пересылаемое сообщение|пересланное сообщение|пересылаемое письмо|перенаправленное сообщение|",
        r"начало переадресованного сообщения|начало пересылаемого сообщения|переслане повідомлення|",
        r"weitergeleitete nachricht|anfang der weitergeleiteten nachricht|message transféré|message transmis|",
        r"début du message réexpédié|mensaje reenviado|mensagem encaminhada|mensagem reencaminhada|",
        r"messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht|vidarebefordrat meddelande|",
        r"videresendt (?:besked|melding)|przekazana wiadomość|wiadomość przekazana dalej|přeposlaná zpráva|",
        r"välitetty viesti|továbbított üzenet|iletilen mesaj|yönlendirilmiş ileti|转发的邮件|転送メッセージ|전달된 메시지)",
        r"\s*(?:[-–—_*\s]{2,}|:)$",
    ))
});

// Attributions.

static TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d{1,2}[:.h時시点]\s?\d{2}\b|\d{1,2}[時시点]"));
static YEAR: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:19|20)\d{2}(?:\D|$)"));
static DATE: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| regex(r"[^\s<>@,;:]+@[^\s<>@,;]+"));

/// An address in brackets at the end, perhaps with a verb or a few marks behind it.
static ENDS_WITH_ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"[<(\[]\s*(?:mailto:)?[^\s<>@]+@[^<>@]+[>)\]]["'*_\s,.]{0,12}[:：]\s*$"#));

/// How attributions begin: a date, a day of the week, a word for "on".
static START: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^[-–—*\s]{0,5}(?:\d|(?:on|am|le|el|il|em|op|den|på|pe|no dia|w dniu|dnia|dne|dňa|la|în data|pada|στις|",
        r"vào|lúc|il giorno|a|у|em|вы писали|ви писали|you wrote)\b|在|于|",
        r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b|",
        r"(?:пн|вт|ср|чт|пт|сб|вс|нд)\b|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|",
        r"понеділок|вівторок|середа|четвер|п['’]ятниця|субота|неділя|",
        r"(?:ma|ti|ke|to|pe|su|pon|wt|śr|czw|pt|sob|niedz|mo|di|mi|do|fr|sa|so|lun|mar|mer|mié|gio|jeu|jue|ven|vie|",
        r"sam|sáb|sab|dom|dim|seg|ter|qua|qui|sex|pzt|sal|çar|per|cum|cmt|paz)\b|",
        r"(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|",
        r"dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo)\b)",
    ))
});

const VERBS: &str = concat!(
    r"(?:wrote|writes|schrieb|a écrit|écrivait|escribió|escribio|ha scritto|escreveu|schreef|skrev|",
    r"napisała?(?:\(a\))?|napisala?|pisze|píše|napísala?|kirjoitti|đã viết|a scris|ezt írta|írta|yazdı|menulis|",
    r"έγραψε|написал(?:\(-?а\)|а|и)?|пишет|писал(?:\(-?а\)|а|и)?|написав(?:\(-ла\)|ла)?|пише|напісаў|жазды|",
    r"писали|写道|寫道|님이 작성|작성|のメッセージ|のメール|さんは書きました|כתב|كتب)",
);

static ENDS_WITH_VERB: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(r#"(?i)(?:^|[\s"'>)\]】，,\p{{Han}}\p{{Hangul}}]){VERBS}[\s*_]*[:：]\s*$"#))
});

/// Chinese, Korean: nothing need stand behind the verb.
static ENDS_WITH_BARE_VERB: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?:写道|寫道|님이 작성|작성)\s*[:：]?\s*$"));

/// Germanic and Polish order: the name stands behind the verb.
static NAME_BEHIND_VERB: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?i)\s(?:schrieb|schreef|skrev|pisze|napisała?(?:\(a\))?)\s[^,;.!?]{1,80}[:：]\s*$"#)
});

static VERB: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"(?i)(?:^|\s){VERBS}(?:\W|$)")));

/// Somebody tells what they themselves once wrote.
static FIRST_PERSON: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r"(?i)(?:^|[\s,])(?:i|we|ich|wir|je|j['’]ai|nous|yo|io|eu|ik|jag|jeg|я|мы|ми)\s+(?:\p{{L}}+\s+)?{VERBS}"
    ))
});

/// The Bat!: `Вы писали 5 июня 2024 г., 10:15:30:`
static YOU_WROTE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^(?:вы писали|ви писали|you wrote)\b.*[:：]\s*$"));

static YOU_WROTE_ANYWHERE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)\b(?:вы|ви|ты|you)\s+(?:писали|писал|wrote)"));

/// Mail.ru: `Четверг, 5 июня 2024, 10:00 +03:00 от Имя <…>:`; Yandex: `05.06.2024, 10:00, "Имя":`
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?i)\d{1,2}:\d{2}.*(?:\sот\s[^:]{1,80}|,\s*["«“][^"»”]{1,80}["»”])\s*[:：]\s*$"#)
});

/// So many lines from `index` on are an attribution.
fn attribution(lines: &[&str], index: usize) -> Option<usize> {
    let mut joined = String::new();
    for count in 1..=WRAPPED {
        let line = lines.get(index + count - 1)?.trim();
        let is_over = line.is_empty() || line.starts_with('>') || joined.ends_with([':', '：']);
        if is_over || joined.chars().count() > MAX_ATTRIBUTION {
            return None;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line);
        let below = lines.iter().skip(index + count).take(3).find(|line| !line.trim().is_empty());
        let is_above_quote = below.is_some_and(|line| line.trim_start().starts_with('>'));
        if is_attribution(&joined, count, is_above_quote) {
            return Some(count);
        }
    }
    None
}

fn is_attribution(line: &str, count: usize, is_above_quote: bool) -> bool {
    if line.chars().count() > MAX_ATTRIBUTION {
        return false;
    }
    let has_colon = line.ends_with([':', '：']);
    let has_date = YEAR.is_match(line) || DATE.is_match(line) || TIME.is_match(line);
    let has_address = ADDRESS.is_match(line);
    let is_told = has_date || has_address || is_above_quote;
    let is_start = START.is_match(line);
    if !is_told || FIRST_PERSON.is_match(line) {
        return false;
    }
    if YOU_WROTE_ANYWHERE.is_match(line) {
        return YOU_WROTE.is_match(line) && (is_above_quote || TIME.is_match(line));
    }
    if ENDS_WITH_BARE_VERB.is_match(line) {
        return has_date;
    }
    if !has_colon {
        return false;
    }
    let ends_with_address = ENDS_WITH_ADDRESS.is_match(line);
    if is_start {
        let is_named = NAME_BEHIND_VERB.is_match(line) && has_date;
        return ENDS_WITH_VERB.is_match(line)
            || is_named
            || (ends_with_address && has_date)
            || (ends_with_address && VERB.is_match(line))
            || (NAMED.is_match(line) && has_date)
            || (is_above_quote && has_date);
    }
    // A name first: only on the first line, or what stands above would be taken along.
    let is_first = count == 1;
    is_first
        && ((ENDS_WITH_VERB.is_match(line) && (has_address || is_above_quote))
            || (has_address && has_date && (is_above_quote || line.contains("<"))))
}

// Blocks of headers.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    From,
    Date,
    To,
    Cc,
    Subject,
}

const KEYS: &[(Key, &[&str])] = &[
    (
        Key::From,
        &[
            "from",
            "от",
            "от кого",
            "від",
            "von",
            "de",
            "da",
            "van",
            "från",
            "fra",
            "od",
            "lähettäjä",
            "kimden",
            "gönderen",
            "feladó",
            "发件人",
            "寄件者",
            "差出人",
            "보낸 사람",
            "보낸사람",
            "expéditeur",
            "mittente",
            "remitente",
            "адправіў",
        ],
    ),
    (
        Key::Date,
        &[
            "sent",
            "date",
            "отправлено",
            "отправлена",
            "дата",
            "дата отправления",
            "надіслано",
            "gesendet",
            "datum",
            "envoyé",
            "envoyé le",
            "inviato",
            "data",
            "enviado",
            "enviada",
            "enviado el",
            "enviada em",
            "fecha",
            "verzonden",
            "skickat",
            "sendt",
            "wysłano",
            "lähetetty",
            "päiväys",
            "发送时间",
            "日期",
            "送信日時",
            "日付",
            "보낸 날짜",
            "날짜",
            "tarih",
            "gönderildi",
            "odesláno",
            "küldve",
        ],
    ),
    (
        Key::To,
        &[
            "to",
            "кому",
            "an",
            "à",
            "pour",
            "para",
            "a",
            "aan",
            "till",
            "til",
            "do",
            "vastaanottaja",
            "kime",
            "收件人",
            "宛先",
            "받는 사람",
            "받는사람",
            "komu",
            "destinataire",
            "címzett",
        ],
    ),
    (Key::Cc, &["cc", "копия", "копія", "kopie", "kopi", "kopia", "抄送", "참조"]),
    (
        Key::Subject,
        &[
            "subject",
            "тема",
            "betreff",
            "objet",
            "asunto",
            "assunto",
            "oggetto",
            "onderwerp",
            "ämne",
            "emne",
            "temat",
            "aihe",
            "konu",
            "主题",
            "主旨",
            "件名",
            "제목",
            "předmět",
            "tárgy",
        ],
    ),
];

fn key(line: &str) -> Option<(Key, &str)> {
    let line = line.trim().trim_start_matches('*');
    let (name, value) = line.split_once([':', '：'])?;
    let name = name.trim().trim_matches('*').trim().to_lowercase();
    let found = KEYS.iter().find(|(_, names)| names.contains(&name.as_str()))?;
    Some((found.0, value.trim().trim_matches('*').trim()))
}

/// Whether a block of headers begins here, perhaps after a rule.
fn has_headers(lines: &[&str], index: usize) -> bool {
    let line = lines.get(index).map_or("", |line| line.trim());
    let is_rule = line.chars().count() >= 5
        && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '—' | '–' | '*' | ' '));
    if !is_rule && key(line).is_none() {
        return false;
    }
    let mut keys: Vec<Key> = Vec::new();
    let mut has_address = false;
    let mut skipped = 0;
    for line in lines.iter().skip(index + usize::from(is_rule)).take(14) {
        match key(line) {
            Some((key, value)) => {
                has_address |= matches!(key, Key::From | Key::To) && ADDRESS.is_match(value);
                if !keys.contains(&key) {
                    keys.push(key);
                }
                skipped = 0;
            }
            // A long list of recipients goes on; some converters leave a line empty.
            None if skipped == 0 => skipped = 1,
            None => break,
        }
    }
    let has = |key| keys.contains(&key);
    let is_dated = has(Key::Date) && has(Key::Subject);
    has(Key::From) && keys.len() >= 2 && (has_address || is_rule || is_dated)
}

//! Subjects without what mailers put before and behind them (RFC 5256, 2.1, and other languages).

/// Signs of an answer that mailers put before a subject, in lower case.
const ANSWERS: &[&str] = &[
    "re",
    "aw",
    "sv",
    "vs",
    "antw",
    "ant",
    "odp",
    "res",
    "rif",
    "ref",
    "ynt",
    "i̇lt",
    "atb",
    "bls",
    "отв",
    "ответ",
    "на",
    "回复",
    "回覆",
    "答复",
    "返信",
    "답장",
    "회신",
    "trả lời",
    "auto",
    "автоответ",
    "automatic reply",
];

/// Signs of a mail handed on, in lower case.
const FORWARDS: &[&str] = &[
    "fw",
    "fwd",
    "wg",
    "tr",
    "rv",
    "enc",
    "pd",
    "vl",
    "vb",
    "doorst",
    "ilt",
    "пс",
    "пересл",
    "转发",
    "轉寄",
    "転送",
    "전달",
];

/// Subjects that say nothing, in lower case and without marks.
const GENERIC: &[&str] = &[
    "hello",
    "hi",
    "hey",
    "question",
    "order",
    "help",
    "info",
    "request",
    "test",
    "support",
    "no subject",
    "none",
    "message",
    "feedback",
    "urgent",
    "привет",
    "здравствуйте",
    "добрый день",
    "добрый вечер",
    "доброе утро",
    "вопрос",
    "заказ",
    "заявка",
    "запрос",
    "помощь",
    "помогите",
    "срочно",
    "тест",
    "сообщение",
    "письмо",
    "без темы",
    "тема",
    "обращение",
    "жалоба",
    "hallo",
    "guten tag",
    "anfrage",
    "frage",
    "bestellung",
    "bonjour",
    "question commande",
    "commande",
    "hola",
    "pregunta",
    "pedido",
    "consulta",
    "ciao",
    "domanda",
    "kein betreff",
    "sans objet",
];

/// A subject without its prefixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The words, blanks collapsed.
    pub text: String,
    /// What stood before them.
    pub prefix: Prefix,
}

/// What stood before a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing that mailers put there.
    #[default]
    None,
    /// A sign of a mail handed on, and no sign of an answer.
    Forward,
    /// A sign of an answer.
    Answer,
}

impl Base {
    /// Whether the subject says too little to tell one talk from another.
    pub fn is_generic(&self) -> bool {
        let lower = self.text.to_lowercase();
        let words: String = lower.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().count() < 4 || GENERIC.contains(&words.as_str())
    }
}

/// The base of a subject.
///
/// ```
/// use omni_email::parse::thread::{Prefix, base};
/// let base = base("Re[2]: НА: [support] Отв: Не  пришёл заказ (fwd)");
/// assert_eq!(base.text, "Не пришёл заказ");
/// assert_eq!(base.prefix, Prefix::Answer);
/// ```
pub fn base(subject: &str) -> Base {
    let mut text = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut prefix = Prefix::None;
    // Every turn shortens the text; a subject is one line, and no line needs more turns than this.
    for _ in 0..64 {
        let shorter = without_trailer(&text)
            .or_else(|| without_leader(&text, &mut prefix))
            .or_else(|| without_wrapper(&text, &mut prefix))
            .or_else(|| without_blob(&text));
        match shorter {
            Some(shorter) => text = shorter,
            None => break,
        }
    }
    Base { text, prefix }
}

fn without_trailer(text: &str) -> Option<String> {
    let cut = text.len().checked_sub("(fwd)".len())?;
    let tail = text.get(cut..)?;
    tail.eq_ignore_ascii_case("(fwd)").then(|| text.get(..cut).unwrap_or_default().trim_end().to_owned())
}

/// `Re:`, `RE :`, `Re[2]:`, `Re (3):`, `[list] Re:`, each with what stands behind it.
fn without_leader(text: &str, prefix: &mut Prefix) -> Option<String> {
    let mut start = text;
    while let Some(rest) = after_blob(start) {
        start = rest;
    }
    let colon = start.char_indices().take(40).find(|(_, c)| matches!(c, ':' | '：'))?;
    let word = start.get(..colon.0)?;
    let rest = start.get(colon.0 + colon.1.len_utf8()..)?;
    let kind = kind(word)?;
    if *prefix != Prefix::Answer {
        *prefix = kind;
    }
    Some(rest.trim().to_owned())
}

/// The sign that a word before a colon is, its count left out.
fn kind(word: &str) -> Option<Prefix> {
    let word = word.trim_end();
    let bare = word.split(['[', '(', '^', '*']).next().unwrap_or_default().trim_end();
    let count = word.get(bare.len()..).unwrap_or_default();
    let is_count = count.chars().all(|c| c.is_ascii_digit() || " []()^*".contains(c));
    let name = bare.trim_end_matches(|c: char| c.is_ascii_digit()).to_lowercase();
    match name.as_str() {
        _ if !is_count => None,
        name if ANSWERS.contains(&name) => Some(Prefix::Answer),
        name if FORWARDS.contains(&name) => Some(Prefix::Forward),
        _ => None,
    }
}

/// `[fwd: subject]`
fn without_wrapper(text: &str, prefix: &mut Prefix) -> Option<String> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let (word, rest) = inner.split_once(':')?;
    if !word.eq_ignore_ascii_case("fwd") {
        return None;
    }
    if *prefix == Prefix::None {
        *prefix = Prefix::Forward;
    }
    Some(rest.trim().to_owned())
}

/// `[list] subject`, while something remains.
fn without_blob(text: &str) -> Option<String> {
    after_blob(text).filter(|rest| !rest.is_empty()).map(str::to_owned)
}

fn after_blob(text: &str) -> Option<&str> {
    let (blob, rest) = text.strip_prefix('[')?.split_once(']')?;
    (!blob.contains('[')).then(|| rest.trim_start())
}

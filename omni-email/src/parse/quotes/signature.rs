//! Signatures, lines of phones, closings, disclaimers.

use std::sync::LazyLock;

use regex::Regex;

/// Most lines behind a delimiter.
const MAX_SIGNATURE: usize = 25;

/// Most lines behind a closing.
const MAX_CLOSING: usize = 8;

/// Longest line behind a closing, in characters.
const SHORT: usize = 80;

/// The text without its signature, and the signature; `None` when there is none, or nothing else.
pub(super) fn split(text: &str) -> Option<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut end = lines.iter().rposition(|line| !line.trim().is_empty())? + 1;
    let mut start = end;
    // A phone's line may stand below a signature, a disclaimer below both.
    for _ in 0..4 {
        let Some(at) = starts_at(lines.get(..end)?) else { break };
        start = at;
        end = at;
    }
    if start == lines.len() {
        return None;
    }
    let part = |lines: &[&str]| lines.join("\n").trim().to_owned();
    let (visible, signature) = (part(lines.get(..start)?), part(lines.get(start..)?));
    (!visible.is_empty() && !signature.is_empty()).then_some((visible, signature))
}

/// Where the last part of a signature begins.
fn starts_at(lines: &[&str]) -> Option<usize> {
    let last = lines.iter().rposition(|line| !line.trim().is_empty())?;
    disclaimer(lines)
        .or_else(|| phone(lines, last))
        .or_else(|| delimiter(lines, last))
        .or_else(|| closing(lines, last))
}

/// `-- ` of RFC 3676, 4.3, and what providers make of it.
fn delimiter(lines: &[&str], last: usize) -> Option<usize> {
    let is_delimiter = |(index, line): (usize, &&str)| {
        let is_exact = line.starts_with("-- ") && line.trim() == "--";
        let is_after_blank =
            index.checked_sub(1).and_then(|i| lines.get(i)).is_none_or(|l| l.trim().is_empty());
        is_exact || (matches!(line.trim(), "--" | "—" | "---") && is_after_blank)
    };
    let at = lines.iter().enumerate().rev().find(|(index, line)| is_delimiter((*index, line)))?.0;
    (at > 0 && at < last && last - at <= MAX_SIGNATURE).then_some(at)
}

/// The line that a phone or an app adds.
fn phone(lines: &[&str], last: usize) -> Option<usize> {
    let line = lines.get(last)?.trim();
    (line.chars().count() <= 120 && PHONE.is_match(line)).then_some(last)
}

/// `С уважением,` with a few short lines that ask nothing.
fn closing(lines: &[&str], last: usize) -> Option<usize> {
    let nearest = last.saturating_sub(MAX_CLOSING + 4);
    let at = (nearest..=last).find(|i| lines.get(*i).is_some_and(|line| CLOSING.is_match(line.trim())))?;
    let behind: Vec<&str> =
        lines.get(at + 1..=last)?.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let is_name = |line: &&str| {
        line.chars().count() <= SHORT
            && !line.ends_with(['?', '？'])
            && !POSTSCRIPT.is_match(line)
            && !line.starts_with('>')
    };
    (at > 0 && behind.len() <= MAX_CLOSING && behind.iter().all(is_name)).then_some(at)
}

/// A paragraph of lawyers, to the end.
fn disclaimer(lines: &[&str]) -> Option<usize> {
    let at = lines.iter().position(|line| DISCLAIMER.is_match(line.trim()))?;
    let is_after_blank =
        at.checked_sub(1).and_then(|i| lines.get(i)).is_some_and(|l| l.trim().len() < 3 || is_rule(l));
    let asks = lines.get(at..)?.iter().any(|line| line.trim().ends_with('?'));
    let above = lines.get(at.checked_sub(1)?)?;
    (is_after_blank && !asks).then_some(if is_rule(above) { at - 1 } else { at })
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() >= 3 && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '*' | '—'))
}

fn regex(pattern: &str) -> Regex {
    // Patterns are constants, and every one is used by a test.
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{error}"))
}

static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^[\[(*_]?(?:",
        r"sent from my (?:iphone|ipad|ipod|mobile|phone|cell|smartphone|tablet|android|galaxy|samsung|huawei|honor|xiaomi|",
        r"redmi|poco|realme|oppo|vivo|pixel|nokia|motorola|moto|sony|xperia|lg|htc|oneplus|blackberry|windows phone|mac|",
        r"verizon|t-mobile)[^.!?]{0,60}|",
        r"sent from (?:mail for windows|yahoo mail|outlook|proton mail|protonmail|gmail|mail\.ru|myMail|a mobile|samsung|",
        r"mailbird|spark|airmail|canary)[^!?]{0,60}|sent (?:via|with|using) [^.!?]{1,50}|get outlook for .{1,40}|",
        r"(?:отправлено|послано|отослано) (?:с|со|из|через) [^!?]{1,80}|отправлено:? с моего [^!?]{1,60}|",
        r"получить outlook для .{1,40}|скачать outlook для .{1,40}|надіслано (?:з|із|зі) [^!?]{1,60}|",
        r"(?:von meinem|gesendet (?:von|mit|aus)) [^!?]{1,60}|diese nachricht wurde von mein[^!?]{1,80} gesendet|",
        r"holen sie sich outlook .{1,40}|envoyé (?:de|depuis|à partir de) [^!?]{1,60}|télécharger outlook .{1,40}|",
        r"(?:enviado|enviada) (?:desde|do|da|de|a partir d[oe]) [^!?]{1,60}|obtener outlook .{1,40}|obter o outlook .{1,40}|",
        r"inviato da[l]? [^!?]{1,60}|verzonden (?:vanaf|met|van) [^!?]{1,60}|verstuurd vanaf [^!?]{1,60}|",
        r"skickat från [^!?]{1,60}|sendt fra [^!?]{1,60}|wysłane z [^!?]{1,60}|wysłano z [^!?]{1,60}|odesláno z [^!?]{1,60}|",
        r"lähetetty [^!?]{1,60}|iphone['’]umdan gönderildi|.{1,30}(?:dan|den) gönderildi|发自我的.{1,40}|從我的.{1,20}傳送|",
        r"iphoneから送信|.{1,30}から送信|나의 .{1,20}에서 보냄",
        r")[\])*_]?\.?(?:\s*<https?://\S*>)?$",
    ))
});

static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^(?:--\s*)?(?:с уважением|с наилучшими пожеланиями|с наилучшими|с благодарностью|искренне ваша?|",
        r"всего (?:доброго|наилучшего|хорошего)|хорошего дня|з повагою|з найкращими побажаннями|з павагай|құрметпен|",
        r"best regards|kind regards|kindest regards|warm regards|regards|best wishes|yours (?:sincerely|faithfully|truly)|",
        r"sincerely(?: yours)?|cheers|mit freundlichen grü(?:ß|ss)en|mit besten grü(?:ß|ss)en|freundliche grü(?:ß|ss)e|",
        r"viele grü(?:ß|ss)e|beste grü(?:ß|ss)e|liebe grü(?:ß|ss)e|mfg|cordialement|bien cordialement|",
        r"bien à vous|sincères salutations|saludos(?: cordiales)?|un saludo|atentamente|cordialmente|",
        r"cordiali saluti|distinti saluti|atenciosamente|com os melhores cumprimentos|met vriendelijke groet(?:en)?|",
        r"med vänlig(?:a)? hälsning(?:ar)?|med venlig hilsen|med vennlig hilsen|vennlig hilsen|",
        r"z poważaniem|pozdrawiam|s pozdravem|ystävällisin terveisin|üdvözlettel|saygılarımla|trân trọng|",
        r"此致|祝好|よろしくお願いいたします。?|감사합니다\.?)",
        r"(?:\s*[,.!;]?\s*|\s*,\s*[^,.?!]{1,40}(?:,\s*[^?!]{1,60})?)$",
    ))
});

static POSTSCRIPT: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^(?:p\.?\s?p?\.?\s?s\b|з\.?ы\b|п\.?\s?с\b)"));

static DISCLAIMER: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^\W{0,3}(?:(?:disclaimer|confidentiality notice|конфиденциально)\b\W|",
        r"this (?:e-?mail|message|communication)(?: message)?(?:,| and| is| may| contains| \(including| was sent).{0,80}",
        r"(?:attach|confidential|intended|privileged)|the information (?:contained )?in this (?:e-?mail|message)|",
        r"(?:настоящее|данное|это) (?:электронное )?(?:сообщение|письмо)(?: и |,| содержит| предназначен| является| может).{0,160}",
        r"(?:конфиденц|предназнач|вложен|адресат)|",
        r"информация,? содержащаяся в (?:этом|данном|настоящем)|(?:це|дане) (?:повідомлення|електронне).{0,80}конфіденц|",
        r"diese e-?mail (?:enthält|kann|und).{0,80}(?:vertraulich|anh)|ce (?:message|courriel)(?: et| est| peut).{0,80}confidenti|",
        r"este (?:mensaje|correo|e-?mail)(?: y| es| puede| contiene| e ).{0,80}(?:confidenc|privileg)|",
        r"(?:проверено на вирусы|это письмо проверено|без вирусов|virus-free)\b)",
    ))
});

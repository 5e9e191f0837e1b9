//! Names fit to be shown.

use std::sync::LazyLock;

use regex::Regex;

use crate::mail::Mailbox;

/// Longest name, in characters.
const MAX: usize = 128;

/// The name of a mailbox, fit to be shown: without quotes, control characters, signs that turn the direction of reading
/// or have no width, `via` of groups, and remains of encoded words. `Иванов, Иван` stays as it is.
///
/// `None` when there is none, or when it is an address: one that is not the mailbox's own is there to deceive.
///
/// ```
/// use omni_email::mail::Mailbox;
/// use omni_email::parse::sender::shown_name;
/// let named = |name: &str| shown_name(&Mailbox { name: Some(name.into()), address: "a@b.example".into() });
/// assert_eq!(named("'Анна Ли' via Support").as_deref(), Some("Анна Ли"));
/// assert_eq!(named("boss@bank.example"), None);
/// ```
pub fn shown_name(mailbox: &Mailbox) -> Option<String> {
    let name = tidy(mailbox.name.as_deref()?);
    let name = VIA.replace(&name, "");
    let name = ENCODED.replace_all(&name, " ");
    let name = unquoted(&name);
    let has_letters = name.chars().any(|c| c.is_alphanumeric() || is_picture(c));
    (has_letters && !ADDRESS.is_match(name))
        .then(|| name.chars().take(MAX).collect::<String>().trim().to_owned())
}

/// A name made of an address, for a person who gives none: `anna.li@b.example` is `Anna Li`. Mark it as a guess where
/// that matters.
///
/// ```
/// use omni_email::parse::sender::guessed_name;
/// assert_eq!(guessed_name("anna.li+shop@b.example"), "Anna Li");
/// ```
pub fn guessed_name(address: &str) -> String {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let local = local.split('+').find(|part| !part.is_empty()).unwrap_or(local);
    let words = local.split(['.', '_']).map(tidy).filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
        first + letters.as_str()
    });
    words.collect::<Vec<_>>().join(" ").chars().take(MAX).collect()
}

/// Whether a name is one that groups write over the sender's: `Anna via Support`.
pub(super) fn is_via(name: &str) -> bool {
    VIA.is_match(&tidy(name))
}

/// One line without signs that are not seen.
fn tidy(name: &str) -> String {
    let shown = name.chars().filter(|c| !is_unseen(*c)).map(|c| if c.is_control() { ' ' } else { c });
    shown.take(MAX * 8).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that have no width or turn the direction of reading (Unicode 16, categories Cf and the like). The joiner
/// between pictures (U+200D) stays: emoji are made with it.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e007f}'
    )
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}')
}

/// Without the quotes around it, however many. Those of `"A" and "B"` are not around it.
fn unquoted(name: &str) -> &str {
    let mut name = name.trim();
    for _ in 0..4 {
        let ends = [('"', '"'), ('\'', '\''), ('«', '»'), ('“', '”'), ('‘', '’'), ('<', '>'), ('`', '`')];
        let inside = ends.iter().find_map(|&(first, last)| {
            let inside = name.strip_prefix(first)?.strip_suffix(last)?;
            (!inside.trim_matches([first, last]).contains([first, last])).then_some(inside)
        });
        match inside {
            Some(inside) => name = inside.trim(),
            None => break,
        }
    }
    name
}

fn regex(pattern: &str) -> Regex {
    // Patterns are constants, and every one is used by a test.
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{error}"))
}

/// What Google Groups and lists add to names when they send in their own (DMARC).
static VIA: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\s+(?:via|через)\s+\S.*$"));

/// An encoded word that was not decoded (RFC 2047), whole or torn.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| regex(r"=\?[^\s?]*(?:\?[BbQq](?:\?[^\s?]*(?:\?=)?)?)?"));

/// Something that reads as an address.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| regex(r"[^\s@<>]+[@＠﹫][^\s@<>]+\.[^\s@<>]+"));

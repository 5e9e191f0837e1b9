//! Texts with variables: `Здравствуйте, {{contact.name|друг}}!`
//!
//! Between `{{` and `}}` stands a name, and behind a `|`, if wanted, what is said where the value is not known. A
//! literal `{{` is written `{{{{`; a `}}` that closes nothing stands for itself. There is no more to it, on purpose:
//! users' texts are not programs, so no template language comes in. Values are put in as they are and are not looked
//! at again: a contact who calls themselves `{{agent.name}}` is greeted as that.

use std::borrow::Cow;

/// A variable in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variable<'t> {
    /// Its name: `contact.name`.
    pub name: &'t str,
    /// What is said where the value is not known; empty says nothing there. Absent: such a text is not sent.
    pub fallback: Option<&'t str>,
    /// The byte at which it begins in the text.
    pub at: usize,
}

/// A text with a variable that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {character}: {what}")]
pub struct BadTemplate {
    /// The byte at which the bad variable begins.
    pub at: usize,
    /// The same in characters, from 1.
    pub character: usize,
    what: Cow<'static, str>,
}

/// A variable has no value and no fallback, so the text cannot be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{{{{{0}}}}} has no value here and no fallback")]
pub(crate) struct Missing(pub(crate) String);

/// The variables of a text, in order.
///
/// ```
/// use omni_core::policy::book::variables;
///
/// let found = variables("{{ contact.name | друг }}, заказ {{order}} готов").unwrap();
/// assert_eq!(found[0].name, "contact.name");
/// assert_eq!(found[0].fallback, Some(" друг "));
/// assert_eq!(found[1].name, "order");
/// assert!(variables("{{{{так пишут скобки}}").unwrap().is_empty());
/// ```
///
/// # Errors
/// The first variable that cannot be read, with its place.
pub fn variables(text: &str) -> Result<Vec<Variable<'_>>, BadTemplate> {
    let mut found = Vec::new();
    for piece in Pieces::of(text) {
        match piece {
            Piece::Words(_) => {}
            Piece::Variable(variable) => found.push(variable),
            Piece::Bad { at, what } => {
                let character = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
                return Err(BadTemplate { at, character, what });
            }
        }
    }
    Ok(found)
}

/// Puts the values in. An empty value counts as none. What cannot be read as a variable stays as it is written: a
/// book that was looked over has none, and a bot's words are never lost for a brace.
///
/// # Errors
/// The first variable that has neither a value nor a fallback.
pub(crate) fn render<'v>(
    text: &str,
    mut value: impl FnMut(&str) -> Option<Cow<'v, str>>,
) -> Result<String, Missing> {
    if !text.contains(OPEN) {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len() + 32);
    for piece in Pieces::of(text) {
        match piece {
            Piece::Words(words) => out.push_str(words),
            Piece::Bad { .. } => out.push_str(OPEN),
            Piece::Variable(variable) => match (value(variable.name), variable.fallback) {
                (Some(value), _) if !value.is_empty() => out.push_str(&value),
                (_, Some(fallback)) => out.push_str(fallback),
                (_, None) => return Err(Missing(variable.name.to_owned())),
            },
        }
    }
    Ok(out)
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// Says a literal `{{`.
const ESCAPED: &str = "{{{{";

/// What a text is made of.
enum Piece<'t> {
    Words(&'t str),
    Variable(Variable<'t>),
    /// A `{{` that begins no variable; what stands behind it follows as pieces of its own.
    Bad {
        at: usize,
        what: Cow<'static, str>,
    },
}

struct Pieces<'t> {
    rest: &'t str,
    at: usize,
}

impl<'t> Pieces<'t> {
    fn of(text: &'t str) -> Self {
        Self { rest: text, at: 0 }
    }

    /// Takes so many bytes; they end at a border of characters.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.at += taken.len();
        taken
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        let at = self.at;
        match self.rest.find(OPEN) {
            None => return Some(Piece::Words(self.take(self.rest.len()))),
            Some(0) => {}
            Some(words) => return Some(Piece::Words(self.take(words))),
        }
        if self.rest.starts_with(ESCAPED) {
            self.take(ESCAPED.len());
            return Some(Piece::Words(OPEN));
        }
        let inner = self.rest.strip_prefix(OPEN).unwrap_or_default();
        let closed =
            inner.split_once(CLOSE).map(|(inside, _)| inside).filter(|inside| !inside.contains(OPEN));
        let Some(inside) = closed else {
            self.take(OPEN.len());
            let what = "`{{` is not closed: write `}}` behind the name, or `{{{{` for two braces";
            return Some(Piece::Bad { at, what: what.into() });
        };
        let (name, fallback) = match inside.split_once('|') {
            Some((name, fallback)) => (name.trim(), Some(fallback)),
            None => (inside.trim(), None),
        };
        match problem(name) {
            Some(what) => {
                self.take(OPEN.len());
                Some(Piece::Bad { at, what })
            }
            None => {
                self.take(OPEN.len() + inside.len() + CLOSE.len());
                Some(Piece::Variable(Variable { name, fallback, at }))
            }
        }
    }
}

/// What is wrong with a name.
pub(crate) fn problem(name: &str) -> Option<Cow<'static, str>> {
    if name.is_empty() {
        return Some("a variable without a name: write `{{contact.name}}` or the like".into());
    }
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.split('.').any(str::is_empty) || !name.chars().all(is_allowed) {
        let shown: String = name.chars().take(40).collect();
        let what = format!(
            "{shown:?} is not a name: letters, digits, `_`, `-`, and single dots between them; a fallback stands \
             behind a `|`"
        );
        return Some(what.into());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<Cow<'static, str>> {
        match name {
            "contact.name" => Some("Оля 👩‍🦰".into()),
            "trick" => Some("{{contact.name}} {{".into()),
            "contact.fields.город" => Some("Орёл".into()),
            "empty" => Some("".into()),
            _ => None,
        }
    }

    #[test]
    fn values_and_fallbacks_are_put_in() {
        for (text, said) in [
            ("", ""),
            ("Без переменных } {x} 🙂", "Без переменных } {x} 🙂"),
            ("Здравствуйте, {{contact.name|друг}}!", "Здравствуйте, Оля 👩‍🦰!"),
            ("{{contact.name}}{{ contact.name }}", "Оля 👩‍🦰Оля 👩‍🦰"),
            ("{{order|ваш заказ 📦}} готов", "ваш заказ 📦 готов"),
            ("готово{{order|}}.", "готово."),
            ("{{empty|никто}}", "никто"),
            ("Едем в {{contact.fields.город}}", "Едем в Орёл"),
            ("{{order|a|b}}", "a|b"),
            ("}} {{{{contact.name}} }}", "}} {{contact.name}} }}"),
            ("{{{{{{contact.name}}", "{{Оля 👩‍🦰"),
        ] {
            assert_eq!(render(text, value).as_deref(), Ok(said), "{text}");
        }
    }

    #[test]
    fn a_value_is_never_looked_at_again() {
        assert_eq!(render("<{{trick}}>", value).unwrap(), "<{{contact.name}} {{>");
    }

    #[test]
    fn a_text_without_a_value_or_a_fallback_is_not_said() {
        let missing = render("Заказ {{order}} готов", value).unwrap_err();
        assert_eq!(missing.to_string(), "{{order}} has no value here and no fallback");
        assert_eq!(render("{{empty}}", value), Err(Missing("empty".into())));
    }

    #[test]
    fn a_bad_variable_is_named_with_its_place() {
        for (text, at, character, words) in [
            ("Привет, {{name", 14, 9, "is not closed"),
            ("👋 {{}}", 5, 3, "without a name"),
            ("{{ |друг}}", 0, 1, "without a name"),
            ("{{имя клиента}}", 0, 1, "\"имя клиента\" is not a name"),
            ("{{a..b}}", 0, 1, "is not a name"),
            ("{{{name}}", 0, 1, "\"{name\" is not a name"),
            ("{{a|b, {{c}}", 0, 1, "is not closed"),
            ("{{a}} {{#if x}}", 6, 7, "is not a name"),
        ] {
            let bad = variables(text).unwrap_err();
            assert_eq!((bad.at, bad.character), (at, character), "{text}: {bad}");
            assert!(bad.to_string().contains(words), "{text}: {bad}");
        }
    }

    #[test]
    fn what_cannot_be_read_stays_as_it_is_written() {
        for text in ["{{", "a {{ b", "{{}}", "{{#if x}} да {{/if}}", "{{{"] {
            assert_eq!(render(text, value).as_deref(), Ok(text));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panics(text in "(\\{|\\}|\\||a|\\.| |ё|👍🏽){0,40}") {
            let read = variables(&text);
            let said = render(&text, |_| Some("x".into())).unwrap();
            if !text.contains(OPEN) {
                proptest::prop_assert_eq!(&said, &text);
            }
            if let Ok(found) = read {
                for variable in found {
                    proptest::prop_assert!(text[variable.at..].starts_with(OPEN));
                }
            }
        }
    }
}

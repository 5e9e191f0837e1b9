//! Answers to calls.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Str, lenient};

/// Tokens. <https://developers.avito.ru/api-catalog/auth/documentation> (read 2026-11)
#[derive(Deserialize)]
#[allow(missing_docs, missing_debug_implementations)] // it is made of secrets
pub struct Token<'a> {
    #[serde(borrow)]
    pub access_token: Str<'a>,
    /// In seconds.
    pub expires_in: Option<u64>,
    /// With an application's token only.
    #[serde(borrow)]
    pub refresh_token: Option<Str<'a>>,
}

/// The account itself. <https://developers.avito.ru/api-catalog/user/documentation> (read 2026-11)
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Account<'a> {
    pub id: Option<i64>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub name: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub profile_url: Option<Str<'a>>,
}

/// Where webhooks go.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Subscriptions<'a> {
    #[serde(borrow, default)]
    pub subscriptions: Vec<Subscription<'a>>,
}

/// Where one webhook goes. The address may hold a secret: `Debug` leaves it out.
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct Subscription<'a> {
    #[serde(borrow)]
    pub url: Str<'a>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub version: Option<Str<'a>>,
}

impl fmt::Debug for Subscription<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A sent message, as far as we need to know it.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Sent<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
}

/// A page of chats; each is read by itself.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Chats<'a> {
    #[serde(borrow)]
    pub chats: Vec<&'a RawValue>,
}

/// A page of messages; each is read by itself.
#[derive(Debug)]
pub struct Messages<'a> {
    /// Newest first (*community*).
    pub messages: Vec<&'a RawValue>,
}

impl<'a> Messages<'a> {
    /// Reads a page in either form: the bare list of the description, or the object that clients see (*community*).
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(json: &'a [u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Wrapped<'a> {
            #[serde(borrow)]
            messages: Vec<&'a RawValue>,
        }
        let is_list = json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let messages = if is_list {
            serde_json::from_slice(json)?
        } else {
            serde_json::from_slice::<Wrapped<'_>>(json)?.messages
        };
        Ok(Self { messages })
    }
}

/// The id of an uploaded picture: the only key of the answer, its sizes beside it.
///
/// # Errors
/// When it is not an object.
pub fn read_images(json: &[u8]) -> serde_json::Result<Option<String>> {
    let images: HashMap<String, serde::de::IgnoredAny> = serde_json::from_slice(json)?;
    Ok(images.into_keys().next())
}

/// The addresses of voice messages by their ids, from the map of the description or from a list (*community*).
///
/// # Errors
/// When it is neither.
pub fn read_voices(json: &[u8]) -> serde_json::Result<HashMap<String, String>> {
    #[derive(Deserialize)]
    struct Voices<'a> {
        #[serde(borrow)]
        voices_urls: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Voice {
        #[serde(alias = "id")]
        voice_id: String,
        #[serde(alias = "voice_url")]
        url: String,
    }
    let Voices { voices_urls } = serde_json::from_slice(json)?;
    if voices_urls.get().starts_with('[') {
        let list: Vec<Voice> = serde_json::from_str(voices_urls.get())?;
        return Ok(list.into_iter().map(|voice| (voice.voice_id, voice.url)).collect());
    }
    serde_json::from_str(voices_urls.get())
}

/// A refusal, in any of the forms that are seen. Only the first is described; the others are *unverified*.
///
/// - `{"error": {"code": 400, "message": "...", "fields": {"text": "too long"}}}`
/// - `{"error": "invalid_client", "error_description": "..."}`, of the token call
/// - `{"result": {"status": false, "message": "..."}}`
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Its code, where it is not that of HTTP.
    pub code: Option<u16>,
    /// What it says, all of it.
    pub said: String,
}

/// Texts about fields of a refused call.
pub type Fields<'a> = HashMap<Str<'a>, &'a RawValue>;

impl Failure {
    /// Reads a refusal; `None` when the body is in none of these forms.
    pub fn read(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Any<'a> {
            #[serde(borrow, default, deserialize_with = "lenient")]
            error: Option<&'a RawValue>,
            #[serde(borrow, default, deserialize_with = "lenient")]
            error_description: Option<Str<'a>>,
            #[serde(borrow, default, deserialize_with = "lenient")]
            result: Option<Described<'a>>,
        }
        let Any { error, error_description, result } = serde_json::from_slice(json).ok()?;
        if let Some(error) = error {
            if let Ok(word) = serde_json::from_str::<Str<'_>>(error.get()) {
                let said = [Some(word), error_description].into_iter().flatten();
                return Some(Self { code: None, said: joined(said.map(Str::into_string)) });
            }
            return serde_json::from_str::<Described<'_>>(error.get()).ok().map(Described::told);
        }
        result.filter(|result| result.message.is_some() || result.status.is_some()).map(Described::told)
    }
}

#[derive(Deserialize)]
struct Described<'a> {
    #[serde(default, deserialize_with = "lenient")]
    code: Option<u16>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<bool>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    message: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    fields: Option<Fields<'a>>,
}

impl Described<'_> {
    fn told(self) -> Failure {
        let mut fields: Vec<String> = self.fields.into_iter().flatten().map(field).collect();
        fields.sort();
        let said = self.message.map(Str::into_string).into_iter().chain(fields);
        Failure { code: self.code, said: joined(said) }
    }
}

fn field((name, value): (Str<'_>, &RawValue)) -> String {
    match serde_json::from_str::<Str<'_>>(value.get()) {
        Ok(text) => format!("{}: {}", &*name, &*text),
        Err(_) => name.into_string(),
    }
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> Option<(Option<u16>, String)> {
        Failure::read(json.as_bytes()).map(|failure| (failure.code, failure.said))
    }

    #[test]
    fn a_refusal_is_read_in_every_form() {
        let rows = [
            (r#"{"error":{"code":401,"message":"Unauthorized"}}"#, Some((Some(401), "Unauthorized"))),
            (
                r#"{"error":{"code":400,"message":"Ошибка","fields":{"text":"too long","b":[1]}}}"#,
                Some((Some(400), "Ошибка; b; text: too long")),
            ),
            (r#"{"error":{"code":"x","message":null,"fields":null}}"#, Some((None, ""))),
            (
                r#"{"error":"invalid_client","error_description":"нет такого"}"#,
                Some((None, "invalid_client; нет такого")),
            ),
            (r#"{"result":{"status":false,"message":"no"}}"#, Some((None, "no"))),
            (r#"{"result":{}}"#, None),
            (r#"{"message":"x"}"#, None),
            ("<html>", None),
            ("", None),
            ("[]", None),
        ];
        for (json, wanted) in rows {
            assert_eq!(said(json), wanted.map(|(code, said)| (code, said.to_owned())), "{json}");
        }
    }

    #[test]
    fn pages_of_messages_are_read_in_both_forms() {
        for json in [r#" [{"id":"1"}]"#, r#"{"messages":[{"id":"1"}],"meta":{"has_more":false}}"#] {
            assert_eq!(Messages::read(json.as_bytes()).unwrap().messages.len(), 1, "{json}");
        }
        for json in ["", "{}", "null", r#"{"messages":{}}"#] {
            assert!(Messages::read(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn voices_are_read_as_a_map_and_as_a_list() {
        let url = "https://voice.example/vc-77.mp4";
        for json in [
            format!(r#"{{"voices_urls":{{"vc-77":"{url}"}}}}"#),
            format!(r#"{{"voices_urls":[{{"voice_id":"vc-77","url":"{url}"}}]}}"#),
            format!(r#"{{"voices_urls":[{{"id":"vc-77","voice_url":"{url}"}}]}}"#),
        ] {
            let voices = read_voices(json.as_bytes()).unwrap();
            assert_eq!(voices.get("vc-77").map(String::as_str), Some(url), "{json}");
        }
        assert!(read_voices(b"{}").is_err());
    }

    #[test]
    fn an_uploaded_picture_is_named_by_the_key() {
        let json = br#"{"90210.qwertyuiop":{"140x105":"https://img.example/m.png"}}"#;
        assert_eq!(read_images(json).unwrap().as_deref(), Some("90210.qwertyuiop"));
        assert_eq!(read_images(b"{}").unwrap(), None);
        assert!(read_images(b"[]").is_err());
    }
}

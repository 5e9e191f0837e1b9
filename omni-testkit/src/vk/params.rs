//! Parameters of a call: all strings, whether they came in the query or in a form.

use serde_json::{Map, Value};

use super::error::{ApiError, ApiResult, invalid, missing};

/// Decoded parameters, in the order they came; of two with one name the last counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    fields: Vec<(String, String)>,
}

impl Params {
    /// Reads a query string or a form.
    pub(crate) fn add_form(&mut self, form: &[u8]) {
        for (key, value) in url::form_urlencoded::parse(form) {
            self.set(&key, value.into_owned());
        }
    }

    /// Parameters of a call inside a script: scalars as they are, lists joined by commas.
    pub(crate) fn from_script(object: Map<String, Value>) -> ApiResult<Self> {
        let mut params = Self::default();
        for (key, value) in object {
            let text = match &value {
                Value::Array(items) => {
                    items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|i| i.join(","))
                }
                other => scalar(other),
            };
            let text =
                text.ok_or_else(|| invalid(format!("{key} should be a string, a number or a list")))?;
            params.set(&key, text);
        }
        Ok(params)
    }

    pub(crate) fn set(&mut self, key: &str, value: String) {
        match self.fields.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.fields.push((key.to_owned(), value)),
        }
    }

    /// All but the token: for `request_params` and for records.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().filter(|(key, _)| key != "access_token").map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The parameter, unless it is absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// Whether the parameter is there, empty or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(key, _)| key == name)
    }

    /// The parameter, which has to be there.
    pub(crate) fn need(&self, name: &str) -> ApiResult<&str> {
        self.text(name).ok_or_else(|| missing(name))
    }

    /// A whole number, if it is there.
    pub(crate) fn integer(&self, name: &str) -> ApiResult<Option<i64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format!("{name} not integer")))
    }

    /// A whole number, which has to be there.
    pub(crate) fn need_integer(&self, name: &str) -> ApiResult<i64> {
        self.integer(name)?.ok_or_else(|| missing(name))
    }

    /// A whole number within bounds, or the value for its absence.
    pub(crate) fn integer_in(&self, name: &str, least: i64, most: i64, absent: i64) -> ApiResult<i64> {
        match self.integer(name)? {
            None => Ok(absent),
            Some(value) if (least..=most).contains(&value) => Ok(value),
            Some(_) => Err(invalid(format!("{name} should be between {least} and {most}"))),
        }
    }

    /// A real number, if it is there.
    pub(crate) fn real(&self, name: &str) -> ApiResult<Option<f64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format!("{name} not float")))
    }

    /// `1` is yes, `0` and absence are no; anything else is refused.
    pub(crate) fn flag(&self, name: &str) -> ApiResult<bool> {
        match self.text(name) {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) => Err(invalid(format!("{name} should be 0 or 1"))),
        }
    }

    /// Numbers separated by commas; nothing when absent.
    pub(crate) fn integers(&self, name: &str) -> ApiResult<Vec<i64>> {
        let Some(text) = self.text(name) else { return Ok(Vec::new()) };
        let read = |item: &str| item.trim().parse().map_err(|_| invalid(format!("{name} not integer")));
        text.split(',').map(read).collect()
    }

    /// A JSON value in a string; the error is what the method answers to a broken one.
    pub(crate) fn json(&self, name: &str, broken: impl Fn(&str) -> ApiError) -> ApiResult<Option<Value>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|_| broken("invalid json"))
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(i64::from(*flag).to_string()),
        _ => None,
    }
}

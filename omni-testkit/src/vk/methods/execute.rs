//! `execute`: scripts of the one form `return [API.a.b({...}), API.c.d({...})];`
//! (<https://dev.vk.com/method/execute>, read 2026-11).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Place;
use crate::vk::{
    Core,
    error::{ApiError, ApiResult},
    params::Params,
    state::{Caller, World},
};

/// The most calls of one script.
const MAX_CALLS: usize = 25;

/// Where the failures of a script stand, in their order; among the answers each is `false`.
const ERRORS: &str = "execute_errors";

impl Core {
    /// Carries a script out. The outcome is the whole body of the answer, for failures stand beside `response`.
    pub(super) fn execute(self: &Arc<Self>, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let calls = read(params.need("code")?).map_err(|reason| ApiError::because(12, &reason))?;
        if calls.len() > MAX_CALLS {
            return Err(ApiError::because(13, "too many api calls"));
        }
        let (mut answers, mut errors) = (Vec::new(), Vec::new());
        for (method, arguments) in calls {
            let inner = Params::from_script(arguments);
            let asked = inner.as_ref().cloned().unwrap_or_default();
            let result = match inner {
                Ok(inner) if method != "execute" => self.run(world, caller, &method, &inner),
                Ok(_) => Err(ApiError::new(3)),
                Err(error) => Err(error),
            };
            self.note(world, &method, &asked, Place::InScript, &result);
            answers.push(match result {
                Ok(answer) => answer,
                Err(error) => {
                    let (code, text) = (error.code, error.message);
                    errors.push(json!({"method": method, "error_code": code, "error_msg": text}));
                    Value::Bool(false)
                }
            });
        }
        let mut body = json!({"response": answers});
        if !errors.is_empty() {
            crate::vk::set(&mut body, ERRORS, errors);
        }
        Ok(body)
    }
}

type Script = Vec<(String, Map<String, Value>)>;

/// Reads a script to the letter; the error is what VK's compiler would say.
pub(in crate::vk) fn read(code: &str) -> Result<Script, String> {
    let mut at = Cursor { rest: code.trim() };
    at.word("return")?;
    at.word("[")?;
    let mut calls = Vec::new();
    if at.word("]").is_err() {
        loop {
            calls.push(at.call()?);
            if at.word(",").is_err() {
                break;
            }
        }
        at.word("]")?;
    }
    at.word(";")?;
    match at.rest.is_empty() {
        true => Ok(calls),
        false => Err(format!("unexpected {:?} after the end", at.near())),
    }
}

/// What is left of a script.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn near(&self) -> String {
        self.rest.chars().take(12).collect()
    }

    fn word(&mut self, word: &str) -> Result<(), String> {
        let rest = self.rest.trim_start();
        self.rest =
            rest.strip_prefix(word).ok_or_else(|| format!("{word:?} expected at {:?}", self.near()))?;
        self.rest = self.rest.trim_start();
        Ok(())
    }

    fn call(&mut self) -> Result<(String, Map<String, Value>), String> {
        self.word("API.")?;
        let end = self.rest.find('(').ok_or_else(|| format!("\"(\" expected at {:?}", self.near()))?;
        let (method, rest) = self.rest.split_at_checked(end).ok_or("unexpected end")?;
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') {
            return Err(format!("unexpected name {method:?}"));
        }
        self.rest = rest;
        self.word("(")?;
        let arguments = if self.rest.starts_with(')') { Map::new() } else { self.object()? };
        self.word(")")?;
        Ok((method.to_owned(), arguments))
    }

    fn object(&mut self) -> Result<Map<String, Value>, String> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Map<String, Value>>();
        let object = values.next().and_then(Result::ok);
        let object = object.ok_or_else(|| format!("an object expected at {:?}", self.near()))?;
        self.rest = self.rest.get(values.byte_offset()..).unwrap_or_default();
        Ok(object)
    }
}

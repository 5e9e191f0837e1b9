//! One error for the family, made for the person who reads it at three in the morning.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result of an operation on a channel.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words that need no knowledge of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The provider says that the credential is wrong or revoked. Only ever a classified answer.
    BadCredentials,
    /// Somebody else uses the account in a way that excludes us (a second poller, a webhook).
    Conflict,
    /// The account may not do this.
    Forbidden,
    /// No such chat, message, file or account.
    NotFound,
    /// The person blocked us.
    RecipientBlocked,
    /// The person cannot be reached: never wrote, left, was deleted.
    RecipientUnreachable,
    /// The provider refuses what the message says or how.
    ContentRejected,
    /// Over a size limit.
    TooLarge,
    /// The time in which one may write is over.
    WindowClosed,
    /// Only an approved template may be sent now.
    TemplateNeeded,
    /// Too many calls.
    RateLimited,
    /// The provider is ill: 5xx and the like.
    Unavailable,
    /// No connection.
    Network,
    /// No answer in time.
    Timeout,
    /// The channel cannot do this; the capabilities say so.
    Unsupported,
    /// Our settings cannot be used.
    Configuration,
    /// The provider answered something that cannot be understood.
    Protocol,
    /// The state in the store does not allow it (a closed conversation, a lost claim).
    State,
    /// The store failed.
    Storage,
    /// A fault of ours.
    Internal,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The provider's.
    Provider,
    /// Of whoever called us.
    Caller,
    /// Of the settings.
    Configuration,
    /// Of the network between.
    Network,
    /// Ours.
    Us,
}

/// Whether doing the same again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "retry", rename_all = "snake_case")]
pub enum Retry {
    /// No.
    Never,
    /// Yes, with growing pauses.
    Later,
    /// Yes, when this time is over, and nothing else within `scope` before that.
    After {
        /// How long to wait.
        #[serde(with = "crate::time::millis")]
        #[schemars(with = "u64")]
        wait: Duration,
        /// What has to wait.
        scope: RateScope,
    },
}

/// What a limit counts over (law 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateScope {
    /// The whole account.
    Account,
    /// One address of it.
    Chat,
    /// One kind of call of it.
    Method,
}

/// An error of an operation on a channel.
///
/// `Display` is one line for logs; `Debug` shows every field for people. Neither ever holds a secret: the
/// connector redacts the provider's text before it puts it here.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    fault: Fault,
    retry: Retry,
    code: Option<String>,
    text: Option<String>,
    advice: Option<String>,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` in `operation`, with the fault and retry that usually go with the kind.
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        let (fault, retry) = usual(kind);
        Self {
            inner: Box::new(Inner {
                kind,
                operation,
                fault,
                retry,
                code: None,
                text: None,
                advice: None,
                context: Vec::new(),
                source: None,
            }),
        }
    }

    /// The channel cannot do `operation`.
    pub fn unsupported(operation: &'static str) -> Self {
        Self::new(ErrorKind::Unsupported, operation)
    }

    /// The settings cannot be used; `text` says which and what to do.
    pub fn configuration(operation: &'static str, text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, operation).with_text(text)
    }

    /// Says whether a repetition can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.inner.retry = retry;
        self
    }

    /// Says whose fault it is.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.inner.fault = fault;
        self
    }

    /// Adds the provider's own code.
    #[must_use]
    pub fn with_code(mut self, code: impl fmt::Display) -> Self {
        self.inner.code = Some(code.to_string());
        self
    }

    /// Adds the provider's own text, already redacted; cut at 500 characters.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.inner.text = Some(if text.len() > 500 { text.chars().take(500).collect() } else { text });
        self
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.inner.advice = Some(advice.into());
        self
    }

    /// Adds a fact: an id, a size. Never a secret, a body or a phone number.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.inner.context.push((name, value.to_string()));
        self
    }

    /// Adds the error below.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What was being done, such as `sendMessage`.
    pub fn operation(&self) -> &'static str {
        self.inner.operation
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.inner.fault
    }

    /// Whether doing the same again can help.
    pub fn retry(&self) -> Retry {
        self.inner.retry
    }

    /// The provider's own code.
    pub fn code(&self) -> Option<&str> {
        self.inner.code.as_deref()
    }

    /// The provider's own text, redacted.
    pub fn text(&self) -> Option<&str> {
        self.inner.text.as_deref()
    }

    /// What a person can do about it.
    pub fn advice(&self) -> Option<&str> {
        self.inner.advice.as_deref()
    }

    /// The same error for another who waited for the same call. What lies below it stays with the first.
    #[must_use]
    pub fn again(&self) -> Self {
        let Inner { kind, operation, fault, retry, ref code, ref text, ref advice, ref context, .. } =
            *self.inner;
        Self {
            inner: Box::new(Inner {
                kind,
                operation,
                fault,
                retry,
                code: code.clone(),
                text: text.clone(),
                advice: advice.clone(),
                context: context.clone(),
                source: None,
            }),
        }
    }

    /// A form that can be stored and shown.
    pub fn report(&self) -> ErrorReport {
        ErrorReport {
            kind: self.inner.kind,
            fault: self.inner.fault,
            code: self.inner.code.clone(),
            text: self.inner.text.clone(),
            advice: self.inner.advice.clone(),
        }
    }
}

/// The fault and retry that usually go with a kind.
fn usual(kind: ErrorKind) -> (Fault, Retry) {
    use ErrorKind::*;
    match kind {
        BadCredentials | Configuration | Forbidden => (Fault::Configuration, Retry::Never),
        Conflict => (Fault::Configuration, Retry::Later),
        NotFound | RecipientBlocked | RecipientUnreachable | ContentRejected | TooLarge | WindowClosed
        | TemplateNeeded | Unsupported | State => (Fault::Caller, Retry::Never),
        RateLimited | Unavailable => (Fault::Provider, Retry::Later),
        Network | Timeout => (Fault::Network, Retry::Later),
        Protocol => (Fault::Provider, Retry::Never),
        Storage => (Fault::Us, Retry::Later),
        Internal => (Fault::Us, Retry::Never),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, operation, code, text, advice, context, .. } = &*self.inner;
        write!(f, "{operation}: {kind}")?;
        if let Some(code) = code {
            write!(f, " ({code})")?;
        }
        if let Some(text) = text {
            write!(f, ": {text}")?;
        }
        for (name, value) in context {
            write!(f, ", {name} {value}")?;
        }
        if let Some(advice) = advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::BadCredentials => "bad credentials",
            ErrorKind::Conflict => "the account is in use elsewhere",
            ErrorKind::Forbidden => "not allowed",
            ErrorKind::NotFound => "not found",
            ErrorKind::RecipientBlocked => "the recipient blocked us",
            ErrorKind::RecipientUnreachable => "the recipient cannot be reached",
            ErrorKind::ContentRejected => "the content was refused",
            ErrorKind::TooLarge => "too large",
            ErrorKind::WindowClosed => "the reply window is closed",
            ErrorKind::TemplateNeeded => "only a template may be sent",
            ErrorKind::RateLimited => "too many calls",
            ErrorKind::Unavailable => "the provider is not available",
            ErrorKind::Network => "no connection",
            ErrorKind::Timeout => "no answer in time",
            ErrorKind::Unsupported => "not supported by this channel",
            ErrorKind::Configuration => "unusable configuration",
            ErrorKind::Protocol => "the answer cannot be understood",
            ErrorKind::State => "not possible in this state",
            ErrorKind::Storage => "the store failed",
            ErrorKind::Internal => "internal error",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|s| s as _)
    }
}

/// An [`Error`] in a form that can be stored, serialised and shown to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReport {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Whose fault it is.
    pub fault: Fault,
    /// The provider's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's own text, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

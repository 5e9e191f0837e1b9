//! What the server can, and who the client is.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::fault::ImapFault;
use super::super::sasl::{Exchange, Step, by_password};
use super::super::settings::{Ability, Starttls};
use super::super::wire::LINE;
use super::parse::{Request, Token};
use super::{Answer, Flow, Handled, Session};

const IN_CLEAR: &str =
    "NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.";
const WRONG: &str = "NO [AUTHENTICATIONFAILED] Authentication failed.";

impl Session {
    /// The words of CAPABILITY, which are others after the login.
    pub(super) fn capabilities(&self) -> String {
        let state = self.core.state();
        let mut words = vec!["IMAP4rev1".to_owned()];
        let before_login =
            [Ability::SaslIr, Ability::Id, Ability::Enable, Ability::Idle, Ability::LiteralPlus];
        let told = state.settings.abilities.iter().filter(|ability| match self.user {
            Some(_) => **ability != Ability::SaslIr,
            None => before_login.contains(ability),
        });
        words.extend(told.map(|ability| ability.name().to_owned()));
        if self.user.is_none() {
            if state.settings.starttls != Starttls::None && !self.wire.is_secure() {
                words.push("STARTTLS".to_owned());
            }
            if self.takes_login(&state) {
                let mechanisms = state.settings.mechanisms.iter();
                words.extend(mechanisms.map(|mechanism| format!("AUTH={}", mechanism.name())));
            } else {
                words.push("LOGINDISABLED".to_owned());
            }
        }
        words.join(" ")
    }

    pub(super) fn capability(&self) -> Answer {
        Answer::ok("Capability completed").with(format!("CAPABILITY {}", self.capabilities()))
    }

    pub(super) fn id(&self) -> Handled {
        if !self.core.state().settings.can(Ability::Id) {
            return Err("BAD Unknown command".to_owned());
        }
        Ok(Answer::ok("ID completed").with("ID (\"name\" \"Mail server\")"))
    }

    pub(super) fn enable(&self, request: &Request) -> Handled {
        let state = self.core.state();
        if !state.settings.can(Ability::Enable) {
            return Err("BAD Unknown command".to_owned());
        }
        let wanted: Vec<String> = request.arguments.iter().filter_map(Token::word).collect();
        if wanted.is_empty() {
            return Err("BAD No capability is named".to_owned());
        }
        let can = |word: &&String| *word == "CONDSTORE" && state.settings.can(Ability::Condstore);
        let enabled: String = wanted.iter().filter(can).map(|word| format!(" {word}")).collect();
        Ok(Answer::ok("Enabled").with(format!("ENABLED{enabled}")))
    }

    pub(super) fn login(&mut self, request: &Request) -> Handled {
        let words: Vec<String> = request.arguments.iter().filter_map(Token::text).collect();
        let (None, [user, password]) = (&self.user, &words[..]) else {
            return Err("BAD LOGIN wants a name and a password, once".to_owned());
        };
        let state = self.core.state();
        if !self.takes_login(&state) {
            return Err(IN_CLEAR.to_owned());
        }
        let step = by_password(&state, user, password);
        drop(state);
        self.logs_in(step)
    }

    /// What comes of a login.
    fn logs_in(&mut self, step: Step) -> Handled {
        let mut state = self.core.state();
        let Step::In(user) = step else {
            state.counts.imap_refusals += 1;
            return Err(WRONG.to_owned());
        };
        if state.open.logged_in >= state.settings.connections {
            state.counts.imap_refusals += 1;
            return Err("NO [LIMIT] Maximum number of connections from user+IP exceeded".to_owned());
        }
        state.counts.imap_logins += 1;
        state.open.logged_in += 1;
        drop(state);
        self.user = Some(user);
        self.core.ground.changed();
        Ok(Answer::ok("Logged in").with(format!("CAPABILITY {}", self.capabilities())))
    }

    pub(super) async fn authenticate(
        &mut self,
        request: &Request,
        fault: Option<ImapFault>,
    ) -> io::Result<Flow> {
        let handled = match self.exchange(request) {
            Ok((exchange, first)) => self.goes_through(exchange, first).await?,
            Err(refusal) => Err(refusal),
        };
        self.answer(request, handled, fault).await
    }

    /// The exchange that is asked for, and what the client says in it at once.
    fn exchange(&self, request: &Request) -> Result<(Exchange, Option<String>), String> {
        let state = self.core.state();
        let words: Vec<String> = request.arguments.iter().filter_map(Token::text).collect();
        let (name, first) = match (&self.user, &words[..]) {
            (None, [name]) => (name, None),
            (None, [name, first]) if state.settings.can(Ability::SaslIr) => (name, Some(first.clone())),
            _ => return Err("BAD AUTHENTICATE wants a mechanism, once".to_owned()),
        };
        if !self.takes_login(&state) {
            return Err(IN_CLEAR.to_owned());
        }
        let unknown = || "NO [ALERT] Unsupported authentication mechanism.".to_owned();
        Ok((Exchange::new(name, &state).ok_or_else(unknown)?, first))
    }

    async fn goes_through(&mut self, mut exchange: Exchange, first: Option<String>) -> io::Result<Handled> {
        let mut said = match first {
            // A single `=` is an empty first answer (RFC 4959).
            Some(first) if first == "=" => String::new(),
            Some(first) => first,
            None => match self.asks(exchange.first()).await? {
                Some(said) => said,
                None => return Ok(Err("BAD Authentication aborted by client.".to_owned())),
            },
        };
        loop {
            let Ok(decoded) = STANDARD.decode(&said) else {
                return Ok(Err("BAD Invalid base64 data".to_owned()));
            };
            let step = exchange.answer(&decoded, &self.core.state());
            match step {
                Step::Ask(question) => match self.asks(&question).await? {
                    Some(answer) => said = answer,
                    None => return Ok(Err("BAD Authentication aborted by client.".to_owned())),
                },
                Step::Malformed => return Ok(Err("BAD Malformed authentication".to_owned())),
                step => return Ok(self.logs_in(step)),
            }
        }
    }

    /// The client's answer to a question; `None` when it gives up.
    async fn asks(&mut self, question: &str) -> io::Result<Option<String>> {
        self.wire.write(format!("+ {}\r\n", STANDARD.encode(question))).await?;
        let line = self.wire.line(LINE).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Some(line.text()).filter(|text| text != "*"))
    }

    pub(super) async fn starttls(&mut self, request: &Request, fault: Option<ImapFault>) -> io::Result<Flow> {
        let offered = self.core.state().settings.starttls != Starttls::None;
        if !offered || self.wire.is_secure() || self.user.is_some() {
            return self.ends_with(&request.tag, "BAD Unknown command").await;
        }
        let injected = match fault {
            Some(ImapFault::Injects(text)) => text,
            _ => String::new(),
        };
        let line = format!("{} OK Begin TLS negotiation now.\r\n{injected}", request.tag);
        self.wire.write(line).await?;
        let tls = self.core.tls.clone();
        self.wire.secure(&tls.acceptor).await?;
        Ok(Flow::Goes)
    }
}

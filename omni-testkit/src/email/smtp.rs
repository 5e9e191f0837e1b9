//! A session of SMTP.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mail_parser::DateTime;

use super::fault::{SmtpFault, Stage};
use super::sasl::{Exchange, Step};
use super::settings::{Extension, SentCopies, Starttls};
use super::submission::{Recipient, Submission};
use super::wire::{LINE, Line, LineEnd, Wire};
use super::{Core, ended};

const HOST: &str = "mail.test.example";

/// Speaks with one client until either ends it.
pub(super) async fn serve(core: Arc<Core>, wire: Wire) {
    core.note(|state| {
        state.counts.smtp_connections += 1;
        state.open.smtp += 1;
    });
    let mut session = Session { core: Arc::clone(&core), wire, greeted: None, user: None, letter: None };
    tokio::select! {
        biased;
        _ = ended(&core) => {}
        // However it ended: the client sees the end.
        _ = session.run() => {}
    }
    session.wire.end().await;
    core.note(|state| state.open.smtp -= 1);
}

struct Session {
    core: Arc<Core>,
    wire: Wire,
    greeted: Option<Greeted>,
    user: Option<String>,
    letter: Option<Envelope>,
}

/// How the client greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Greeted {
    Helo,
    Ehlo,
}

#[derive(Debug, Default)]
struct Envelope {
    from: String,
    parameters: Vec<String>,
    to: Vec<Recipient>,
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Goes,
    Ends,
}

impl Session {
    async fn run(&mut self) -> io::Result<()> {
        let greeting = format!("220 {HOST} ESMTP ready");
        if self.step(Stage::Connect, "", |_| greeting).await? == Flow::Ends {
            return Ok(());
        }
        while let Some(line) = self.wire.line(LINE).await? {
            if self.command(&line).await? == Flow::Ends {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn command(&mut self, line: &Line) -> io::Result<Flow> {
        let text = line.text();
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        if line.end == LineEnd::Lf {
            return self.says("500 5.5.2 Error: a line ends with CRLF").await;
        }
        match word.to_ascii_uppercase().as_str() {
            "EHLO" => self.step(Stage::Ehlo, &text, |s| s.greets(rest, Greeted::Ehlo)).await,
            "HELO" => self.step(Stage::Ehlo, &text, |s| s.greets(rest, Greeted::Helo)).await,
            "STARTTLS" => self.starttls().await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.step(Stage::Mail, &text, |s| s.mail(rest)).await,
            "RCPT" => self.step(Stage::Rcpt, &text, |s| s.rcpt(rest)).await,
            "DATA" => self.data().await,
            "RSET" => {
                let reset = |s: &mut Self| {
                    s.letter = None;
                    "250 2.0.0 Ok".to_owned()
                };
                self.step(Stage::Rset, &text, reset).await
            }
            "NOOP" => self.step(Stage::Noop, &text, |_| "250 2.0.0 Ok".to_owned()).await,
            "QUIT" => {
                self.step(Stage::Quit, &text, |_| "221 2.0.0 Bye".to_owned()).await?;
                Ok(Flow::Ends)
            }
            _ => self.says("500 5.5.2 Error: command not recognized").await,
        }
    }

    /// Answers a step, as a fault lets it.
    async fn step(
        &mut self,
        stage: Stage,
        line: &str,
        work: impl FnOnce(&mut Self) -> String,
    ) -> io::Result<Flow> {
        let fault = self.core.smtp.strike(stage, line);
        match fault {
            Some(SmtpFault::Reply(words)) => return self.says(&words).await,
            Some(SmtpFault::ReplyAndClose(words)) => {
                self.says(&words).await?;
                return Ok(Flow::Ends);
            }
            Some(SmtpFault::Close) => return Ok(Flow::Ends),
            Some(SmtpFault::Silence) => {
                self.wire.listens_for_nothing().await;
                return Ok(Flow::Ends);
            }
            Some(SmtpFault::Delay(by)) => tokio::time::sleep(by).await,
            _ => {}
        }
        let answer = work(self);
        match fault {
            Some(SmtpFault::LosesAnswer) => return Ok(Flow::Ends),
            Some(SmtpFault::DelayAnswer(by)) => tokio::time::sleep(by).await,
            Some(SmtpFault::Slow(pause)) => {
                for byte in lines(&answer).into_bytes() {
                    tokio::time::sleep(pause).await;
                    self.wire.write([byte]).await?;
                }
                return Ok(Flow::Goes);
            }
            _ => {}
        }
        self.says(&answer).await
    }

    async fn says(&mut self, words: &str) -> io::Result<Flow> {
        self.wire.write(lines(words)).await?;
        Ok(Flow::Goes)
    }

    fn greets(&mut self, name: &str, how: Greeted) -> String {
        if name.trim().is_empty() {
            return "501 Syntax: EHLO hostname".to_owned();
        }
        self.greeted = Some(how);
        self.letter = None;
        if how == Greeted::Helo {
            return format!("250 {HOST}");
        }
        let state = self.core.state();
        let mut words = vec![HOST.to_owned()];
        for extension in &state.settings.extensions {
            match extension {
                Extension::Size => words.push(format!("SIZE {}", state.settings.size_limit)),
                other => words.push(other.name().to_owned()),
            }
        }
        if state.settings.starttls != Starttls::None && !self.wire.is_secure() {
            words.push("STARTTLS".to_owned());
        }
        let names: Vec<&str> = state.settings.mechanisms.iter().map(|m| m.name()).collect();
        if self.takes_login(state.settings.starttls) && !names.is_empty() {
            words.push(format!("AUTH {}", names.join(" ")));
        }
        format!("250 {}", words.join("\n"))
    }

    fn takes_login(&self, starttls: Starttls) -> bool {
        self.wire.is_secure() || starttls != Starttls::Demanded
    }

    async fn starttls(&mut self) -> io::Result<Flow> {
        let fault = self.core.smtp.strike(Stage::Starttls, "STARTTLS");
        let offered = self.core.state().settings.starttls != Starttls::None;
        if !offered || self.wire.is_secure() || self.greeted != Some(Greeted::Ehlo) {
            return self.says("503 5.5.1 Error: STARTTLS is not possible now").await;
        }
        let injected = match fault {
            Some(SmtpFault::Reply(words)) => return self.says(&words).await,
            Some(SmtpFault::Close) => return Ok(Flow::Ends),
            Some(SmtpFault::Silence) => {
                self.wire.listens_for_nothing().await;
                return Ok(Flow::Ends);
            }
            Some(SmtpFault::Injects(text)) => text,
            _ => String::new(),
        };
        self.wire.write(format!("220 2.0.0 Ready to start TLS\r\n{injected}")).await?;
        let tls = self.core.tls.clone();
        self.wire.secure(&tls.acceptor).await?;
        // What was said in clear does not count (RFC 3207, 4.2).
        self.greeted = None;
        Ok(Flow::Goes)
    }

    async fn auth(&mut self, rest: &str) -> io::Result<Flow> {
        let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        let made = {
            let state = self.core.state();
            match &words[..] {
                _ if self.user.is_some() => Err("503 5.5.1 Error: already authenticated"),
                _ if self.greeted != Some(Greeted::Ehlo) || !self.takes_login(state.settings.starttls) => {
                    Err("503 5.5.1 Error: authentication not enabled")
                }
                [name, first @ ..] if first.len() < 2 => Exchange::new(name, &state)
                    .map(|exchange| (exchange, first.first().map(|first| (*first).to_owned())))
                    .ok_or("535 5.7.8 Error: authentication failed: Invalid authentication mechanism"),
                _ => Err("501 5.5.4 Syntax: AUTH mechanism"),
            }
        };
        match made {
            Err(refusal) => self.says(refusal).await,
            Ok((exchange, first)) => {
                let step = self.goes_through(exchange, first).await?;
                self.step(Stage::Auth, "AUTH", |s| s.logs_in(step)).await
            }
        }
    }

    /// What comes of an exchange; an error is the answer to one that went wrong.
    async fn goes_through(
        &mut self,
        mut exchange: Exchange,
        first: Option<String>,
    ) -> io::Result<Result<Step, &'static str>> {
        let mut question = exchange.first().to_owned();
        let mut said = first.map(|first| if first == "=" { String::new() } else { first });
        loop {
            let answer = match said.take() {
                Some(said) => said,
                None => {
                    self.says(&format!("334 {}", STANDARD.encode(&question))).await?;
                    let line = self.wire.line(LINE).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    line.text()
                }
            };
            if answer == "*" {
                return Ok(Err("501 5.7.0 Authentication aborted"));
            }
            let Ok(decoded) = STANDARD.decode(&answer) else {
                return Ok(Err("535 5.7.8 Error: authentication failed: Invalid base64 data"));
            };
            let step = exchange.answer(&decoded, &self.core.state());
            match step {
                Step::Ask(next) => question = next,
                Step::Malformed => return Ok(Err("501 5.5.2 Malformed authentication")),
                step => return Ok(Ok(step)),
            }
        }
    }

    fn logs_in(&mut self, step: Result<Step, &'static str>) -> String {
        let mut state = self.core.state();
        match step {
            Ok(Step::In(user)) => {
                state.counts.smtp_logins += 1;
                self.user = Some(user);
                "235 2.7.0 Authentication successful".to_owned()
            }
            Ok(_) => {
                state.counts.smtp_refusals += 1;
                "535 5.7.8 Error: authentication failed".to_owned()
            }
            Err(words) => words.to_owned(),
        }
    }

    fn mail(&mut self, rest: &str) -> String {
        if self.greeted.is_none() {
            return "503 5.5.1 Error: send HELO/EHLO first".to_owned();
        }
        if self.user.is_none() {
            return "530 5.7.0 Authentication required".to_owned();
        }
        if self.letter.is_some() {
            return "503 5.5.1 Error: nested MAIL command".to_owned();
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return "501 5.5.4 Syntax: MAIL FROM:<address>".to_owned();
        };
        let state = self.core.state();
        if let Some(refusal) = wrong_parameter(&state.settings, &from, &parameters) {
            return refusal;
        }
        drop(state);
        self.letter = Some(Envelope { from, parameters, to: Vec::new() });
        "250 2.1.0 Ok".to_owned()
    }

    fn rcpt(&mut self, rest: &str) -> String {
        let Some(letter) = &mut self.letter else { return "503 5.5.1 Error: need MAIL command".to_owned() };
        let Some((address, parameters)) = path(rest, "TO:").filter(|(address, _)| address.contains('@'))
        else {
            return "501 5.1.3 Bad recipient address syntax".to_owned();
        };
        let state = self.core.state();
        if let Some(answer) = state.refused.get(&address.to_ascii_lowercase()) {
            return answer.clone();
        }
        let utf8 = letter.parameters.iter().any(|parameter| parameter == "SMTPUTF8");
        if !address.is_ascii() && !utf8 {
            return "553 5.6.7 Address needs SMTPUTF8".to_owned();
        }
        if !parameters.is_empty() && !state.settings.offers(Extension::Dsn) {
            return "555 5.5.4 Unsupported option".to_owned();
        }
        letter.to.push(Recipient { address, parameters });
        "250 2.1.5 Ok".to_owned()
    }

    async fn data(&mut self) -> io::Result<Flow> {
        if self.letter.as_ref().is_none_or(|letter| letter.to.is_empty()) {
            let words = if self.letter.is_none() { "need MAIL command" } else { "need RCPT command" };
            return self.says(&format!("503 5.5.1 Error: {words}")).await;
        }
        let mut takes = false;
        let words = |_: &mut Self| {
            takes = true;
            "354 End data with <CR><LF>.<CR><LF>".to_owned()
        };
        let flow = self.step(Stage::Data, "DATA", words).await?;
        if flow == Flow::Ends || !takes {
            return Ok(flow);
        }
        let Some(raw) = self.content().await? else { return Ok(Flow::Ends) };
        let flow = self
            .step(Stage::Dot, ".", |s| match raw {
                Ok(raw) => s.takes(raw),
                Err(refusal) => refusal.to_owned(),
            })
            .await;
        // The end of the mail ends its transaction, also when it is refused (RFC 5321, 4.1.1.4).
        self.letter = None;
        flow
    }

    /// The mail up to its dot; `None` when the session ends before it, an error when it may not be taken.
    async fn content(&mut self) -> io::Result<Option<Result<Vec<u8>, &'static str>>> {
        let mut fault = self.core.smtp.strike(Stage::Content, "");
        let most = self.core.state().settings.size_limit;
        let mut raw: Vec<u8> = Vec::new();
        let mut refusal = None;
        loop {
            // The longest line that may be sent is 1000 octets (RFC 5321, 4.5.3.1.6); Postfix takes any and cuts it.
            let Some(line) = self.wire.line(most.max(LINE)).await? else { return Ok(None) };
            match fault.take() {
                Some(SmtpFault::Delay(by)) => tokio::time::sleep(by).await,
                Some(SmtpFault::Silence) => {
                    self.wire.listens_for_nothing().await;
                    return Ok(None);
                }
                Some(SmtpFault::ReplyAndClose(words)) => {
                    self.says(&words).await?;
                    return Ok(None);
                }
                Some(_) => return Ok(None),
                None => {}
            }
            if line.end == LineEnd::Lf || line.bytes.contains(&b'\r') {
                refusal = Some("550 5.5.2 Error: bare <CR> or <LF> received");
            }
            if line.bytes == b"." && line.end == LineEnd::CrLf {
                break;
            }
            let kept = line.bytes.strip_prefix(b".").unwrap_or(&line.bytes);
            raw.extend_from_slice(kept);
            raw.extend_from_slice(b"\r\n");
            if raw.len() > most {
                refusal = Some("552 5.3.4 Error: message file too big");
                raw.clear();
            }
        }
        Ok(Some(refusal.map_or(Ok(raw), Err)))
    }

    /// Takes a mail: it is kept, and goes where it can go.
    fn takes(&mut self, raw: Vec<u8>) -> String {
        let Some(letter) = self.letter.take() else { return "503 5.5.1 Error: no mail".to_owned() };
        let now = self.core.ground.now();
        let raw = Bytes::from(raw);
        let mut state = self.core.state();
        let queue = format!("4B{:08X}", state.next_queue);
        state.next_queue += 1;
        for recipient in &letter.to {
            let Some(found) = state.box_of(&recipient.address) else { continue };
            let date = DateTime::from_timestamp(now.as_millis() / 1000).to_rfc822();
            let trace = format!(
                "Return-Path: <{}>\r\nDelivered-To: {}\r\nReceived: by {HOST} with ESMTP id {queue}; {date}\r\n",
                letter.from, recipient.address
            );
            let delivered = Bytes::from([trace.as_bytes(), &*raw].concat());
            if let Some(inbox) = state.folder_mut(&found, "INBOX") {
                inbox.add(delivered, BTreeSet::new(), now);
            }
        }
        if let (SentCopies::ByServer, Some(user)) = (state.settings.sent, &self.user)
            && let Some(sent) = state.folder_for(user, "\\Sent")
        {
            sent.add(raw.clone(), BTreeSet::from(["\\Seen".to_owned()]), now);
        }
        let user = self.user.clone();
        let Envelope { from, parameters, to } = letter;
        state.sent.push(Submission { user, from, parameters, to, raw, at: now });
        drop(state);
        self.core.ground.changed();
        format!("250 2.0.0 Ok: queued as {queue}")
    }
}

/// Lines of an answer, the code before each: `250 one\ntwo`.
fn lines(answer: &str) -> String {
    let (code, words) = answer.split_once(' ').unwrap_or((answer, ""));
    let all: Vec<&str> = words.split('\n').collect();
    let last = all.len().saturating_sub(1);
    let line = |(at, words): (usize, &&str)| {
        // A scripted answer may name its code in every line.
        let words = words.strip_prefix(code).map_or(*words, |rest| rest.trim_start_matches(['-', ' ']));
        format!("{code}{}{words}\r\n", if at == last { ' ' } else { '-' })
    };
    all.iter().enumerate().map(line).collect()
}

/// Address and parameters behind `FROM:` or `TO:`.
fn path(rest: &str, word: &str) -> Option<(String, Vec<String>)> {
    let head = rest.get(..word.len())?;
    let rest = rest.get(word.len()..).filter(|_| head.eq_ignore_ascii_case(word))?;
    let (address, parameters) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    let parameters: Vec<String> = parameters.split_whitespace().map(str::to_owned).collect();
    let is_clean = !address.contains(|c: char| c.is_control() || c == ' ' || c == '<');
    is_clean.then(|| (address.to_owned(), parameters))
}

/// The refusal of a parameter of MAIL FROM that was not offered.
fn wrong_parameter(
    settings: &super::settings::Settings,
    from: &str,
    parameters: &[String],
) -> Option<String> {
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let extension = match name.to_ascii_uppercase().as_str() {
            "SIZE" => Extension::Size,
            "BODY" => Extension::EightBitMime,
            "SMTPUTF8" => Extension::SmtpUtf8,
            "RET" | "ENVID" => Extension::Dsn,
            _ => return Some(format!("555 5.5.4 Unsupported option: {name}")),
        };
        if !settings.offers(extension) {
            return Some(format!("555 5.5.4 Unsupported option: {name}"));
        }
        if extension == Extension::Size && value.parse().is_ok_and(|size: usize| size > settings.size_limit) {
            return Some("552 5.3.4 Message size exceeds fixed limit".to_owned());
        }
    }
    let utf8 = parameters.iter().any(|parameter| parameter.eq_ignore_ascii_case("SMTPUTF8"));
    (!from.is_ascii() && !utf8).then(|| "553 5.6.7 Address needs SMTPUTF8".to_owned())
}

use super::*;

const LATER: Retry = Retry::Later;
const NEVER: Retry = Retry::Never;

const fn after(seconds: u64, scope: RateScope) -> Retry {
    Retry::After { wait: Duration::from_secs(seconds), scope }
}

const AGED: Retry = after(60, RateScope::Chat);

/// Where, what is said, what it means, when again, and a word of the advice.
type Told = (Stage, u16, &'static str, ErrorKind, Retry, &'static str);

#[rustfmt::skip]
const ANSWERS: &[Told] = {
    use ErrorKind::*;
    use RateScope::Account;
    use Stage::*;
    &[
        // It closes, or takes nobody now.
        (Hello, 421, "4.3.2 Service not available", Unavailable, LATER, ""),
        (Data, 421, "closing transmission channel", Unavailable, LATER, ""),
        (Hello, 450, "come back later", Unavailable, LATER, ""),
        (Hello, 451, "4.7.1 greylisted host", Unavailable, LATER, ""),
        // Put off.
        (Recipient, 450, "4.2.0 <anna@example.com>: Recipient address rejected: Greylisted", Unavailable, AGED, ""),
        (Recipient, 451, "4.7.1 Please try again later", Unavailable, AGED, ""),
        (Recipient, 451, "4.7.1 Operated by a separate team", Unavailable, AGED, ""),
        (Recipient, 451, "Greylisting in action, please come back in 5 minutes", Unavailable, after(300, RateScope::Chat), ""),
        (Recipient, 452, "4.5.3 Too many recipients", Unavailable, AGED, ""),
        (Recipient, 452, "4.2.2 mailbox full", Unavailable, AGED, ""),
        (Data, 452, "4.3.1 Insufficient system storage", Unavailable, AGED, ""),
        // Too much at once.
        (Data, 432, "4.3.2 Concurrent connections limit exceeded", RateLimited, after(60, Account), ""),
        (Sender, 454, "4.7.0 Too many login attempts", RateLimited, after(300, Account), ""),
        (Hello, 421, "4.7.0 Too many connections from your address", RateLimited, after(300, Account), ""),
        (Sender, 421, "4.7.28 Our system has detected an unusual rate", RateLimited, after(300, Account), ""),
        (Hello, 421, "too many connections", RateLimited, after(300, Account), ""),
        (Recipient, 450, "4.7.1 sending rate exceeded", RateLimited, after(300, Account), ""),
        // Logins.
        (Login, 535, "5.7.8 Username and Password not accepted", BadCredentials, NEVER, "app password"),
        (Login, 535, "authentication failed", BadCredentials, NEVER, "password"),
        (Login, 534, "5.7.9 Application-specific password required", BadCredentials, NEVER, "make an app password"),
        (Login, 535, "5.7.0 NEOBHODIM parol prilozheniya; Application password is REQUIRED", BadCredentials, NEVER, "make an app password"),
        (Login, 534, "5.7.14 Please log in with your web browser and then try again", BadCredentials, NEVER, "log in once"),
        (Login, 530, "5.7.0 Authentication Required", BadCredentials, NEVER, "password"),
        (Sender, 530, "5.7.0 Authentication required", BadCredentials, NEVER, "password"),
        (Login, 530, "5.7.0 Must issue a STARTTLS command first", Configuration, NEVER, "587"),
        (Login, 538, "Encryption required", Configuration, NEVER, "587"),
        (Login, 535, "5.7.139 Authentication unsuccessful, basic authentication is disabled", BadCredentials, NEVER, "OAuth2"),
        (Login, 535, "5.7.8 Error: authentication failed: This user does not have access rights to this service", BadCredentials, NEVER, "switch SMTP"),
        (Login, 525, "5.7.13 User account disabled", BadCredentials, NEVER, "switch SMTP"),
        (Login, 432, "4.7.12 A password transition is needed", BadCredentials, NEVER, "log in once"),
        (Login, 454, "4.7.0 Temporary authentication failure", Unavailable, LATER, ""),
        (Login, 504, "5.5.4 Unrecognized authentication type", Configuration, NEVER, "host, port"),
        (Login, 550, "account blocked", BadCredentials, NEVER, "password"),
        // Nobody there.
        (Recipient, 550, "5.1.1 User unknown", RecipientUnreachable, NEVER, "address"),
        (Recipient, 550, "5.1.2 Bad destination system", RecipientUnreachable, NEVER, "address"),
        (Recipient, 501, "5.1.3 Bad recipient address syntax", RecipientUnreachable, NEVER, "address"),
        (Recipient, 553, "5.1.8 domain does not exist", RecipientUnreachable, NEVER, "address"),
        (Recipient, 556, "5.1.10 Recipient address has null MX", RecipientUnreachable, NEVER, "address"),
        (Recipient, 556, "domain does not accept mail", RecipientUnreachable, NEVER, "address"),
        (Data, 550, "5.1.1 no mailbox by that name", RecipientUnreachable, NEVER, "address"),
        (Recipient, 550, "mailbox unavailable", RecipientUnreachable, NEVER, "address"),
        (Recipient, 550, "5.2.1 mailbox disabled", RecipientUnreachable, NEVER, ""),
        // Full, too large.
        (Recipient, 552, "5.2.2 Mailbox full", RecipientUnreachable, NEVER, "full"),
        (Data, 552, "5.2.3 Message exceeds the limit", TooLarge, NEVER, ""),
        (Sender, 552, "5.3.4 Message size exceeds fixed limit", TooLarge, NEVER, ""),
        (Data, 552, "message too big", TooLarge, NEVER, ""),
        (Recipient, 554, "5.2.2 mailbox quota exceeded", RecipientUnreachable, NEVER, "full"),
        // What it says.
        (Data, 554, "5.7.1 Message rejected under suspicion of SPAM", ContentRejected, NEVER, ""),
        (Data, 550, "5.7.26 Unauthenticated mail is prohibited", ContentRejected, NEVER, ""),
        (Data, 554, "5.6.0 Invalid message content", ContentRejected, NEVER, ""),
        (Data, 554, "transaction failed", ContentRejected, NEVER, ""),
        // What the account may.
        (Data, 550, "5.4.5 Daily user sending limit exceeded", RateLimited, after(3600, Account), "as much as"),
        (Data, 554, "5.2.0 sender quota exceeded", RateLimited, after(3600, Account), "as much as"),
        (Data, 550, "daily sending limit reached", RateLimited, after(3600, Account), "as much as"),
        (Data, 550, "5.7.60 Client does not have permissions to send as this sender", Forbidden, NEVER, "own addresses"),
        (Data, 554, "5.2.252 SendAsDenied", Forbidden, NEVER, "own addresses"),
        (Sender, 553, "5.7.1 Sender address rejected: not owned by user help", Forbidden, NEVER, "own addresses"),
        (Sender, 550, "5.1.8 sender unknown", Forbidden, NEVER, "own addresses"),
        (Recipient, 554, "5.7.1 <anna@example.com>: Relay access denied", Forbidden, NEVER, "own addresses"),
        // Who we are.
        (Hello, 554, "5.7.1 no service for you", Configuration, NEVER, "ehlo"),
        (Hello, 502, "5.5.1 EHLO not known", Configuration, NEVER, "ehlo"),
        (Sender, 553, "not allowed", Configuration, NEVER, "own addresses"),
        (Sender, 554, "no valid sender", Configuration, NEVER, "ehlo"),
        // Out of step.
        (Recipient, 503, "5.5.1 bad sequence of commands", Protocol, NEVER, ""),
        (Sender, 555, "5.5.4 unsupported option", Protocol, NEVER, ""),
        (Data, 354, "go on", Protocol, NEVER, ""),
        (Data, 250, "2.0.0 ok", Protocol, NEVER, ""),
    ]
};

#[test]
fn answers_of_smtp_servers_mean_what_the_standards_and_providers_say() {
    for &(stage, number, text, kind, retry, advice) in ANSWERS {
        let error = smtp(stage, number, text, Duration::ZERO);
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{stage:?} {number} {text}");
        assert_eq!(error.operation(), stage.operation());
        assert_eq!(error.text(), Some(text));
        assert!(error.code().unwrap().starts_with(&number.to_string()));
        match (error.advice(), advice) {
            (None, "") => {}
            (Some(told), word) if !word.is_empty() && told.contains(word) => {}
            other => panic!("{number} {text}: {other:?}"),
        }
    }
}

/// Whoever adds a row above learns which one below it can never be reached.
#[test]
fn no_row_is_hidden_by_those_above_it() {
    const STAGES: [Stage; 5] = [Stage::Hello, Stage::Login, Stage::Sender, Stage::Recipient, Stage::Data];
    for (position, row) in SMTP.iter().enumerate() {
        let status = match row.status {
            "" => None,
            all if all.ends_with('.') => Some(format!("{all}99")),
            one => Some(one.to_owned()),
        };
        let (from, to) = row.numbers;
        let is_reached = STAGES.iter().any(|&stage| {
            (from..=to).any(|number| {
                let fits = |row: &SmtpRow, words| row.fits(stage, number, status.as_deref(), words);
                SMTP.iter().position(|other| fits(other, row.words)) == Some(position)
            })
        });
        assert!(is_reached, "{row:?}");
    }
    for (position, row) in IMAP.iter().enumerate() {
        let code = Some(row.code).filter(|code| !code.is_empty());
        assert_eq!(IMAP.iter().position(|other| other.fits(code, row.words)), Some(position), "{row:?}");
    }
}

#[test]
fn words_and_advice_of_the_tables_can_be_found_and_read() {
    let words = SMTP.iter().map(|row| row.words).chain(IMAP.iter().map(|row| row.words));
    assert!(words.clone().all(|words| words == words.to_lowercase()));
    for row in SMTP.iter().filter(|row| row.kind == ErrorKind::BadCredentials) {
        assert!(row.advice.is_some(), "{row:?}");
    }
    for row in SMTP.iter().filter(|row| row.kind == ErrorKind::Configuration) {
        assert!(row.advice.is_some(), "{row:?}");
    }
}

#[test]
fn an_enhanced_code_counts_only_when_it_agrees_with_the_number() {
    for (number, text, code) in [
        (550, "5.1.1 gone", Some("5.1.1")),
        (550, "5.1.1", Some("5.1.1")),
        (535, "5.7.139 x", Some("5.7.139")),
        (450, "5.1.1 gone", None),
        (550, "4.2.0 x", None),
        (550, "5.1 x", None),
        (550, "5.1.1.1 x", None),
        (550, "5.1.1234 x", None),
        (550, "5.a.1 x", None),
        (550, "нет такого", None),
        (550, "", None),
    ] {
        assert_eq!(enhanced(number, text), code, "{number} {text}");
    }
    // The number decides then.
    let error = smtp(Stage::Recipient, 450, "5.1.1 gone", Duration::ZERO);
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, Some("450")));
}

#[test]
fn what_is_put_off_waits_longer_and_longer() {
    let mut age = Duration::ZERO;
    let mut waits = Vec::new();
    for _ in 0..9 {
        let wait = pause(age);
        waits.push(wait.as_secs() / 60);
        age += wait;
    }
    assert_eq!(waits, [1, 5, 15, 30, 60, 120, 240, 240, 240]);
}

#[test]
fn a_server_that_says_how_long_is_believed_within_reason() {
    for (text, wait) in [
        ("Greylisted, try again in 300 seconds", 300),
        ("try in 2 minutes", 120),
        ("try in 1 second", 60),
        ("try in 99999999999999999999 seconds", 60),
        ("try in 18446744073709551615 minutes", 3600),
        ("in a while", 60),
    ] {
        let error = smtp(Stage::Recipient, 450, text, Duration::ZERO);
        assert_eq!(error.retry(), after(wait, RateScope::Chat), "{text}");
    }
}

#[test]
fn a_servers_words_stay_in_one_line() {
    let error = smtp(Stage::Data, 554, " 5.7.1 нет\r\n\u{1b}[31m\u{0}спам ", Duration::ZERO);
    assert_eq!(error.code(), Some("554 5.7.1"));
    assert!(!error.to_string().contains(char::is_control), "{error}");
}

#[test]
fn response_codes_of_imap_servers_mean_what_the_standards_and_providers_say() {
    use ErrorKind::*;
    for (code, text, kind, retry, advice) in [
        (
            Some("AUTHENTICATIONFAILED"),
            "Invalid credentials (Failure)",
            BadCredentials,
            NEVER,
            "app password",
        ),
        (Some("AUTHORIZATIONFAILED"), "x", BadCredentials, NEVER, "password"),
        (Some("expired"), "x", BadCredentials, NEVER, "new one"),
        (Some("PRIVACYREQUIRED"), "x", Configuration, NEVER, "993"),
        (Some("CONTACTADMIN"), "account blocked", Forbidden, NEVER, "ask"),
        (Some("UNAVAILABLE"), "x", Unavailable, LATER, ""),
        (Some("INUSE"), "x", Unavailable, LATER, ""),
        (Some("SERVERBUG"), "x", Unavailable, LATER, ""),
        (Some("EXPUNGEISSUED"), "x", Unavailable, LATER, ""),
        (Some("LIMIT"), "Maximum number of connections", RateLimited, after(60, RateScope::Account), ""),
        (Some("OVERQUOTA"), "Quota exceeded", TooLarge, NEVER, "full"),
        (Some("NONEXISTENT"), "no such mailbox", NotFound, NEVER, "folders"),
        (Some("TRYCREATE"), "no such mailbox", NotFound, NEVER, "folders"),
        (Some("NOPERM"), "x", Forbidden, NEVER, "folders"),
        (Some("CANNOT"), "x", Configuration, NEVER, "folders"),
        (Some("CLIENTBUG"), "x", Protocol, NEVER, ""),
        (Some("ALERT"), "maintenance tonight", Unavailable, LATER, "person"),
        (
            Some("ALERT"),
            "Too many simultaneous connections. (Failure)",
            RateLimited,
            after(60, RateScope::Account),
            "",
        ),
        (Some("ALERT"), "Please log in via your web browser", BadCredentials, NEVER, "log in once"),
        (Some("ALERT"), "Application-specific password required", BadCredentials, NEVER, "app password"),
        (
            Some("OVERQUOTA"),
            "Account exceeded command or bandwidth limits",
            RateLimited,
            after(3600, RateScope::Account),
            "",
        ),
        (None, "LOGIN invalid credentials or IMAP is disabled", BadCredentials, NEVER, "IMAP"),
        (None, "something", Unavailable, LATER, ""),
        (Some("XODD"), "something", Unavailable, LATER, ""),
    ] {
        let error = imap("imap select", code, text);
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{code:?} {text}");
        assert_eq!(error.code(), code);
        assert!(error.advice().unwrap_or_default().contains(advice), "{error}");
        assert_eq!(error.advice().is_some(), !advice.is_empty(), "{error}");
    }
}

#[test]
fn servers_without_codes_refuse_logins_in_words_and_only_logins() {
    for text in ["Authentication failed.", "LOGIN failed", "Invalid credentials"] {
        let refused = imap("imap login", None, text);
        assert_eq!(refused.kind(), ErrorKind::BadCredentials, "{text}");
        assert!(refused.advice().is_some());
        assert_eq!(imap("imap select", None, text).kind(), ErrorKind::Unavailable);
    }
    assert_eq!(imap("imap login", None, "try later").kind(), ErrorKind::Unavailable);
}

//! Against an issuer that gives one answer after another.

use std::collections::HashMap;

use wiremock::matchers::{body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

const SECRET: &str = "s3cr3t-of-the-application";
const FIRST: &str = "r1-первый";
/// <https://www.rfc-editor.org/rfc/rfc7636#appendix-B>
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn http() -> Http {
    Http::new().unwrap()
}

fn client(server: &MockServer) -> Client {
    let url = Url::parse(&server.uri()).unwrap().join("token").unwrap();
    Client::new(&http(), &url, "app", Some(&SECRET.into()))
}

fn renewal(server: &MockServer) -> Renewal {
    Renewal::new(client(server), Some(FIRST.into()), None, Grant::Consent)
}

fn app(server: &MockServer) -> App {
    let redirect = Url::parse("https://crm.example/back").unwrap();
    let app = App::at(issuer("google").unwrap(), "app", redirect).unwrap().with_secret(SECRET);
    App { token_url: Url::parse(&server.uri()).unwrap().join("token").unwrap(), ..app }
}

/// A server that gives this answer to every call.
async fn answering(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json");
    Mock::given(method("POST")).and(path("/token")).respond_with(answer).mount(&server).await;
    server
}

/// The forms that the server was sent, in order.
async fn forms(server: &MockServer) -> Vec<HashMap<String, String>> {
    let read = |request: &Request| url::form_urlencoded::parse(&request.body).into_owned().collect();
    server.received_requests().await.unwrap().iter().map(read).collect()
}

/// What a renewal comes to at a server that gives this answer.
async fn refusal(status: u16, body: &str) -> Error {
    renewal(&answering(status, body).await).renew(None).await.unwrap_err()
}

#[test]
fn a_token_is_over_a_tenth_before_its_end() {
    let now = Timestamp::from_secs(1000);
    let tokens = read(br#"{"access_token":"a","expires_in":3600,"refresh_token":"r"}"#, now).unwrap();
    assert_eq!(tokens.expires_at, Some(Timestamp::from_secs(1000 + 3240)));
    assert_eq!(tokens.refresh, Some("r".into()));
    let tokens = read(br#"{"access_token":"a","expires_in":"600","refresh_token":""}"#, now).unwrap();
    assert_eq!((tokens.expires_at, tokens.refresh), (Some(Timestamp::from_secs(1000 + 540)), None));
    let endless = format!(r#"{{"access_token":"a","expires_in":{}}}"#, u64::MAX);
    assert!(read(endless.as_bytes(), now).unwrap().expires_at.unwrap() > now);
    assert_eq!(read(br#"{"access_token":"a"}"#, now).unwrap().expires_at, Some(now + sooner(LIFE)));
}

#[test]
fn an_answer_without_a_token_is_none() {
    for json in ["", "{}", "null", r#"{"access_token":""}"#, r#"{"access_token":7}"#, "<html>"] {
        assert_eq!(read(json.as_bytes(), Timestamp::default()), None, "{json}");
    }
}

#[test]
fn only_the_hash_of_the_verifier_is_told() {
    let verifier = Secret::new(VERIFIER);
    assert_eq!(challenge(&verifier).unwrap(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for bad in ["short", &"x".repeat(129), &"ж".repeat(43), &"a b".repeat(20)] {
        assert!(challenge(&Secret::new(bad)).is_err(), "{bad}");
    }
}

#[test]
fn the_person_is_sent_to_the_issuer_with_everything_that_brings_a_refresh_token() {
    let redirect = Url::parse("https://crm.example/back?tenant=1").unwrap();
    let app = App::at(issuer("google").unwrap(), "app", redirect).unwrap().with_secret(SECRET);
    let url = app.authorize_url("сост&яние", Some(&VERIFIER.into()), "help@example.com").unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", "https://crm.example/back?tenant=1"),
        ("scope", "https://mail.google.com/"),
        ("state", "сост&яние"),
        ("login_hint", "help@example.com"),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    assert!(!url.as_str().contains(VERIFIER) && !url.as_str().contains(SECRET), "{url}");
    let without = app.authorize_url("s", None, "help@example.com").unwrap();
    assert!(!without.as_str().contains("code_challenge"), "{without}");
}

#[test]
fn all_known_issuers_can_be_sent_to_and_ask_for_reading_and_sending() {
    let redirect = Url::parse("https://crm.example/back").unwrap();
    for issuer in &ISSUERS {
        let app = App::at(issuer, "app", redirect.clone()).unwrap();
        for url in [&app.authorize_url, &app.token_url] {
            assert!(url.scheme() == "https" && url.query().is_none(), "{}", issuer.id);
        }
        assert!(
            !app.scope.is_empty() && !issuer.note.is_empty() && !issuer.source.is_empty(),
            "{}",
            issuer.id
        );
    }
}

#[tokio::test]
async fn a_code_becomes_tokens_and_a_login() {
    let server = answering(200, r#"{"access_token":"a1","refresh_token":"r1","expires_in":3600}"#).await;
    let app = app(&server);
    let tokens = app.exchange(&http(), &"c0de".into(), Some(&VERIFIER.into())).await.unwrap();
    let form = &forms(&server).await[0];
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "c0de"),
        ("code_verifier", VERIFIER),
        ("redirect_uri", "https://crm.example/back"),
        ("client_id", "app"),
        ("client_secret", SECRET),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
    let auth = app.auth(&tokens);
    assert!(matches!(&auth, Auth::Oauth { refresh_token, grant: Grant::Consent, .. }
        if *refresh_token == Some("r1".into())));
    let shown = format!("{auth:?} {app:?} {tokens:?}");
    for secret in [SECRET, "\"r1\"", "\"a1\""] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_code_that_brings_no_refresh_token_is_an_error_that_says_what_to_ask_for() {
    let server = answering(200, r#"{"access_token":"a1","expires_in":3600}"#).await;
    let error = app(&server).exchange(&http(), &"c0de".into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.advice().unwrap().contains("offline access"), "{error}");
}

#[tokio::test]
async fn a_code_that_was_used_is_refused_without_being_shown() {
    let server =
        answering(400, r#"{"error":"invalid_grant","error_description":"Code c0de-4711 was redeemed"}"#)
            .await;
    let error = app(&server).exchange(&http(), &"c0de-4711".into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("was redeemed") && !shown.contains("c0de-4711"), "{shown}");
}

#[tokio::test]
async fn a_renewal_shows_the_refresh_token_and_the_application_in_the_body_alone() {
    let server = MockServer::start().await;
    let granted = r#"{"access_token":"a2","token_type":"Bearer","expires_in":3599,"scope":"x"}"#;
    Mock::given(method("POST"))
        .and(path("/token"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string_contains("grant_type=refresh_token"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(granted, "application/json"))
        .expect(1)
        .mount(&server)
        .await;
    let tokens = renewal(&server).renew(None).await.unwrap();
    assert_eq!(tokens.access, "a2".into());
    // None came back: the one that was used stays good.
    assert_eq!(tokens.refresh, Some(FIRST.into()));
    let form = &forms(&server).await[0];
    assert_eq!((form["refresh_token"].as_str(), form["client_secret"].as_str()), (FIRST, SECRET));
    assert!(!form.contains_key("scope"), "{form:?}");
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(request.url.query(), None);
    assert!(!request.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_kept_refresh_token_goes_before_that_of_the_settings() {
    let server = answering(200, r#"{"access_token":"a3","refresh_token":"r3"}"#).await;
    let kept = Tokens { access: "a2".into(), refresh: Some("r2".into()), expires_at: None };
    let tokens = renewal(&server).renew(Some(&kept)).await.unwrap();
    assert_eq!(tokens.refresh, Some("r3".into()));
    assert_eq!(forms(&server).await[0]["refresh_token"], "r2");
}

#[tokio::test]
async fn after_a_new_consent_the_refresh_token_of_the_settings_takes_over() {
    let server = MockServer::start().await;
    let post =
        |token: &str| Mock::given(method("POST")).and(body_string_contains(format!("refresh_token={token}")));
    let refused = ResponseTemplate::new(400).set_body_raw(r#"{"error":"invalid_grant"}"#, "application/json");
    let granted = ResponseTemplate::new(200)
        .set_body_raw(r#"{"access_token":"a9","refresh_token":"r9"}"#, "application/json");
    post("old").respond_with(refused).expect(1).mount(&server).await;
    post("r1-").respond_with(granted).expect(1).mount(&server).await;
    let kept = Tokens { access: "a2".into(), refresh: Some("old".into()), expires_at: None };
    let tokens = renewal(&server).renew(Some(&kept)).await.unwrap();
    assert_eq!((tokens.access, tokens.refresh), ("a9".into(), Some("r9".into())));
}

#[tokio::test]
async fn a_server_that_fails_for_a_moment_does_not_cost_the_kept_token() {
    let server = answering(503, "").await;
    let kept = Tokens { access: "a2".into(), refresh: Some("r2".into()), expires_at: None };
    let error = renewal(&server).renew(Some(&kept)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(forms(&server).await.len(), 1);
}

#[tokio::test]
async fn an_application_of_a_company_asks_by_its_secret_alone() {
    let server = answering(200, r#"{"access_token":"a1","expires_in":3599}"#).await;
    let scope = "https://outlook.office365.com/.default".to_owned();
    let renewal = Renewal::new(client(&server), None, Some(scope.clone()), Grant::Application);
    let tokens = renewal.renew(None).await.unwrap();
    assert_eq!(tokens.refresh, None);
    let form = &forms(&server).await[0];
    assert_eq!((&form["grant_type"], &form["scope"]), (&"client_credentials".to_owned(), &scope));
    assert!(!form.contains_key("refresh_token"));
}

#[tokio::test]
async fn without_any_refresh_token_a_person_is_asked_and_nobody_else() {
    let server = answering(200, "{}").await;
    let error = Renewal::new(client(&server), None, None, Grant::Consent).renew(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials);
    assert!(error.advice().unwrap().contains("consent"), "{error}");
    assert!(forms(&server).await.is_empty());
}

#[tokio::test]
async fn every_refusal_says_whether_a_person_can_help_and_how() {
    for (status, body, kind, advice) in [
        (400, r#"{"error":"invalid_grant"}"#, ErrorKind::BadCredentials, "consent again"),
        (400, r#"{"error":"interaction_required"}"#, ErrorKind::BadCredentials, "consent again"),
        (401, r#"{"error":"invalid_client"}"#, ErrorKind::BadCredentials, "client_secret"),
        (400, r#"{"error":"unauthorized_client"}"#, ErrorKind::BadCredentials, "client_id"),
        (400, r#"{"error":"invalid_scope"}"#, ErrorKind::Configuration, "scope"),
        (404, "<html>нет такой страницы</html>", ErrorKind::Protocol, "token_url"),
        (200, "{}", ErrorKind::Protocol, "token_url"),
        (302, "", ErrorKind::Protocol, "token_url"),
    ] {
        let error = refusal(status, body).await;
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert!(error.advice().unwrap().contains(advice), "{status} {body}: {error}");
    }
    for (status, body) in [(500, ""), (503, "<html>"), (400, r#"{"error":"temporarily_unavailable"}"#)] {
        assert_eq!(refusal(status, body).await.kind(), ErrorKind::Unavailable, "{status} {body}");
    }
}

#[tokio::test]
async fn an_issuer_that_was_asked_too_often_says_how_long_to_wait() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(429).insert_header("retry-after", "40");
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    let error = renewal(&server).renew(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry(), Retry::After { wait: Duration::from_secs(40), scope: RateScope::Account });
}

#[tokio::test]
async fn no_secret_is_in_what_a_refusal_shows_though_the_issuer_quotes_it() {
    let quoting = format!(
        r#"{{"error":"invalid_grant","error_description":"токен {FIRST} приложения {SECRET} отозван 😀"}}"#
    );
    let error = refusal(400, &quoting).await;
    let shown = format!("{error} {error:?} {:?}", error.report());
    assert!(shown.contains("отозван 😀"), "{shown}");
    assert!(!shown.contains(FIRST) && !shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let error = refusal(200, &format!(r#"{{"access_token":"{}"}}"#, "x".repeat(ANSWER))).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

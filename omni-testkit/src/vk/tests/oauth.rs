use serde_json::json;

use super::*;
use crate::vk::App;

const REDIRECT: &str = "https://crm.example.ru/vk";
/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn app() -> App {
    App { id: 51, secret: "shh".into(), redirect_uri: REDIRECT.into() }
}

#[tokio::test]
async fn a_code_gives_tokens_of_communities_once() {
    let Scene { sim, api, .. } = scene().await;
    sim.add_app(app());
    let code = sim.authorizes(51, &[GROUP]);
    let ask = |secret: &'static str, redirect: &'static str| {
        let (api, code) = (api.clone(), code.clone());
        async move {
            let fields =
                [("client_id", "51"), ("client_secret", secret), ("redirect_uri", redirect), ("code", &code)];
            api.post("/access_token", &fields).await.unwrap()
        }
    };
    assert_eq!(ask("нет", REDIRECT).await.json()["error"], "invalid_client");
    assert_eq!(ask("shh", "https://evil.example").await.json()["error"], "invalid_request");
    let got = ask("shh", REDIRECT).await.json();
    assert_eq!((&got["expires_in"], &got["groups"][0]["group_id"]), (&json!(0), &json!(GROUP)));
    let token = got["groups"][0]["access_token"].as_str().unwrap();
    let me = Api::new(&api.base, token).call("groups.getById", &[]).await.response();
    assert_eq!(me["groups"][0]["id"], GROUP);
    let again = ask("shh", REDIRECT).await;
    assert_eq!((again.status, &again.json()["error"]), (401, &json!("invalid_grant")));
}

#[tokio::test]
async fn vk_id_checks_the_verifier_and_renews_once() {
    let Scene { sim, shop, api, .. } = scene().await;
    sim.add_app(app());
    shop.has_admin(&ivan());
    let address: url::Url = format!(
        "https://id.vk.com/authorize?response_type=code&client_id=51&redirect_uri={REDIRECT}&state=st&scope=groups\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    .parse()
    .unwrap();
    let exchange = |verifier: &'static str| {
        let (api, back) = (api.clone(), sim.signs_in(51, &ivan(), &address));
        async move {
            assert_eq!(back.state, "st");
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", &*back.code),
                ("code_verifier", verifier),
                ("client_id", "51"),
                ("device_id", &*back.device_id),
                ("redirect_uri", REDIRECT),
                ("state", "st"),
            ];
            (api.post("/oauth2/auth", &fields).await.unwrap().json(), back.device_id.clone())
        }
    };
    assert_eq!(exchange("too-short").await.0["error"], "invalid_grant");
    assert_eq!(exchange("xBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").await.0["error"], "invalid_grant");
    let (got, device) = exchange(VERIFIER).await;
    assert_eq!(
        (&got["expires_in"], &got["user_id"], &got["state"]),
        (&json!(3600), &json!(IVAN), &json!("st"))
    );
    let me = Api::new(&api.base, got["access_token"].as_str().unwrap());
    let admin = [("filter", "admin"), ("extended", "1")];
    let groups = me.call("groups.get", &admin).await.response();
    assert_eq!(groups["items"][0]["name"], "Ромашка");
    sim.advance(std::time::Duration::from_secs(3601));
    me.call("groups.get", &admin).await.refused(1117);
    let renew = [
        ("grant_type", "refresh_token"),
        ("refresh_token", got["refresh_token"].as_str().unwrap()),
        ("client_id", "51"),
        ("device_id", &device),
        ("state", "s2"),
    ];
    let fresh = api.post("/oauth2/auth", &renew).await.unwrap().json();
    let me = Api::new(&api.base, fresh["access_token"].as_str().unwrap());
    assert_eq!(me.call("groups.get", &admin).await.response()["count"], 1);
    assert_eq!(api.post("/oauth2/auth", &renew).await.unwrap().json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_persons_token_without_the_right_or_a_communitys_lists_nothing() {
    let Scene { sim, api, .. } = scene().await;
    let token = sim.user_token(&ivan(), &[]);
    Api::new(&api.base, &token).call("groups.get", &[("filter", "admin")]).await.refused(7);
    api.call("groups.get", &[]).await.refused(27);
    Api::new(&api.base, &token).say(&[("message", "Да")]).await.refused(15);
}

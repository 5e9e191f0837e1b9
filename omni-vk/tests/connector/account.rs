//! Checks, names, and where files come from.

use super::*;

#[tokio::test]
async fn a_good_token_names_its_community_and_makes_links() {
    let server = MockServer::start().await;
    call("groups.getById").respond_with(ok(group())).expect(1).mount(&server).await;
    let vk = vk(at(&server));
    let link = vk.as_links().unwrap().link(&CampaignToken::new("spring_2026-a").unwrap()).await.unwrap();
    assert_eq!(link.as_str(), "https://vk.me/romashka_shop?ref=spring_2026-a");
    let again = vk.as_links().unwrap().link(&CampaignToken::new("b").unwrap()).await.unwrap();
    assert_eq!(again.as_str(), "https://vk.me/romashka_shop?ref=b");
    let asked = &bodies(&server, "groups.getById").await[0];
    assert_eq!(asked, &format!("access_token={TOKEN}&v=5.199&lang=ru"));
}

#[tokio::test]
async fn a_check_tells_the_account_and_what_is_missing() {
    let server = MockServer::start().await;
    call("groups.getById").respond_with(ok(group())).mount(&server).await;
    let rights = json!({"mask": 4096, "permissions": [{"name": "messages", "setting": 4096}]});
    call("groups.getTokenPermissions").respond_with(ok(rights)).mount(&server).await;
    let failed = json!({"count": 1, "items": [{"id": 3, "title": "omni", "creator_id": 1,
        "url": "https://omni.example/hook", "secret_key": SECRET, "status": "failed"}]});
    call("groups.getCallbackServers").respond_with(ok(failed)).mount(&server).await;
    let account = vk(at(&server)).check().await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("123456", "Ромашка"));
    assert_eq!(account.handle.as_deref(), Some("romashka_shop"));
    let warned = |what: &str| account.warnings.iter().any(|warning| warning.contains(what));
    assert!(warned("photos") && warned("docs") && warned("manage") && !warned("right messages"));
    assert!(warned("given up") && warned("confirmation code"));
    let mut open = at(&server);
    open.secret = None;
    let account = vk(open).check().await.unwrap();
    assert!(account.warnings.iter().any(|warning| warning.contains("until secret is set")));
}

#[tokio::test]
async fn an_old_version_lists_its_community_bare() {
    let server = MockServer::start().await;
    call("groups.getById").respond_with(ok(group()["groups"].clone())).mount(&server).await;
    let mut config = at(&server);
    config.api_version = "5.131".to_owned();
    assert_eq!(vk(config).check().await.unwrap().name, "Ромашка");
}

#[tokio::test]
async fn a_token_of_another_community_is_a_wrong_setting() {
    let server = MockServer::start().await;
    let other = json!({"groups": [{"id": 654321, "name": "Другая"}]});
    call("groups.getById").respond_with(ok(other)).mount(&server).await;
    let error = vk(at(&server)).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("654321"), "{error}");
    let person = MockServer::start().await;
    call("groups.getById").respond_with(ok(json!({"groups": []}))).mount(&person).await;
    assert_eq!(vk(at(&person)).check().await.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn a_revoked_token_is_bad_credentials_with_advice() {
    for (code, text) in [(5, "User authorization failed"), (27, "Group authorization failed"), (1117, "")] {
        let server = MockServer::start().await;
        call("groups.getById").respond_with(refused(code, text)).mount(&server).await;
        let error = vk(at(&server)).check().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::BadCredentials, Retry::Never));
        assert!(error.advice().is_some());
    }
}

#[tokio::test]
async fn names_are_asked_for_together_and_once() {
    let server = MockServer::start().await;
    let people = json!([
        {"id": 5, "first_name": "Иван", "last_name": "Петров", "photo_100": "https://sun1.userapi.com/i.jpg", "screen_name": "ivan_p"},
        {"id": 6, "first_name": "Анна", "last_name": "", "screen_name": "id6"},
    ]);
    call("users.get").respond_with(ok(people)).expect(1).mount(&server).await;
    call("groups.getById")
        .and(body_string_contains("group_ids=7&"))
        .respond_with(ok(json!({"groups": [{"id": 7, "name": "Соседи", "screen_name": "neighbours"}]})))
        .expect(1)
        .mount(&server)
        .await;
    let chats = json!({"count": 1, "items": [{"peer": {"id": 2000000007i64, "type": "chat"},
        "chat_settings": {"title": "Закупка 📦"}}]});
    call("messages.getConversationsById").respond_with(ok(chats)).expect(1).mount(&server).await;
    let vk = vk(at(&server));
    let addresses: Vec<Address> = ["5", "wall-123456_310?from=6&thread=1", "-7", "2000000007", "нигде", "8"]
        .iter()
        .map(|address| address.parse().unwrap())
        .collect();
    let look_up = vk.as_look_up().unwrap();
    let known = look_up.look_up(&addresses).await.unwrap();
    let told: Vec<_> = known
        .iter()
        .map(|known| {
            let sender = known.told.sender.as_ref();
            let profile = sender.map(|s| s.profile.clone()).unwrap_or_default();
            (known.address.to_string(), profile.name.or(known.told.title.clone()).unwrap(), profile.username)
        })
        .collect();
    let row = |address: &str, name: &str, handle: Option<&str>| {
        (address.to_owned(), name.to_owned(), handle.map(str::to_owned))
    };
    assert_eq!(
        told,
        [
            row("5", "Иван Петров", Some("ivan_p")),
            row("wall-123456_310?from=6&thread=1", "Анна", None),
            row("-7", "Соседи", Some("neighbours")),
            row("2000000007", "Закупка 📦", None),
        ]
    );
    let again = look_up.look_up(&addresses[..4]).await.unwrap();
    assert_eq!(again, known);
}

#[tokio::test]
async fn a_look_up_that_fails_for_all_is_an_error() {
    let server = MockServer::start().await;
    call("users.get").respond_with(refused(6, "Too many requests per second")).mount(&server).await;
    let vk = vk(at(&server));
    let error = vk.as_look_up().unwrap().look_up(&[Address::new("5")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(vk.as_look_up().unwrap().look_up(&[Address::new("нигде")]).await.unwrap().is_empty());
}

#[tokio::test]
async fn files_come_from_hosts_of_vk_only() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/files/a"))
        .respond_with(ResponseTemplate::new(200).set_body_string("да"))
        .mount(&server)
        .await;
    let vk = vk(at(&server));
    assert!(vk.fetch(&MediaRef::new(format!("{}/files/a", server.uri())), 10).await.is_ok());
    for foreign in
        ["https://evil.example/a", "http://sun9-1.userapi.com/a", "https://userapi.com.evil.example/a"]
    {
        let error = vk.fetch(&MediaRef::new(foreign), 10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{foreign}");
    }
    let error = vk.fetch(&MediaRef::new("photo-1_2"), 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

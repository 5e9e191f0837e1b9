use serde_json::json;

use super::*;
use crate::vk::{Author, ThreadKind};

fn last(shop: &Community) -> (String, Value) {
    let event = shop.events().pop().unwrap();
    (event.kind, event.object)
}

#[tokio::test]
async fn a_comment_under_a_post_is_answered_once_by_its_guid() {
    let Scene { shop, api, .. } = scene().await;
    let post = shop.posts(310, "Новинки 🌷");
    let asked = post.writes(&ivan(), "Цена?");
    let answered = post.answers(&olga(), asked, "И мне");
    let (kind, object) = last(&shop);
    assert_eq!(kind, "wall_reply_new");
    assert_eq!((&object["parents_stack"], &object["reply_to_comment"]), (&json!([asked]), &json!(asked)));
    assert_eq!((&object["post_id"], &object["owner_id"]), (&json!(310), &json!(-GROUP)));
    let (owner, group, to) = (format!("-{GROUP}"), GROUP.to_string(), answered.to_string());
    let fields = [
        ("owner_id", owner.as_str()),
        ("post_id", "310"),
        ("reply_to_comment", &to),
        ("from_group", &group),
        ("message", "450 ₽"),
        ("guid", "наш-1"),
    ];
    let first = api.call("wall.createComment", &fields).await.response();
    assert_eq!(first["parents_stack"], json!([asked]));
    assert_eq!(api.call("wall.createComment", &fields).await.response(), first);
    let comments = post.comments();
    assert_eq!(comments.len(), 3);
    assert_eq!((comments[2].author, comments[2].text()), (Author::Api, "450 ₽"));
    assert_eq!(comments[2].reply_to, Some(answered));
    assert_eq!(last(&shop).1["from_id"], -GROUP);
}

#[tokio::test]
async fn comments_elsewhere_are_refused() {
    let Scene { shop, api, .. } = scene().await;
    let post = shop.posts(310, "Пост");
    let owner = format!("-{GROUP}");
    let call = |post: &'static str, more: &'static [(&'static str, &'static str)]| {
        let (api, owner) = (api.clone(), owner.clone());
        async move {
            let mut fields = vec![("owner_id", owner.as_str()), ("post_id", post)];
            fields.extend_from_slice(more);
            api.call("wall.createComment", &fields).await
        }
    };
    call("311", &[("message", "Да")]).await.refused(100);
    call("310", &[]).await.refused(100);
    call("310", &[("message", "Да"), ("reply_to_comment", "9")]).await.refused(100);
    call("310", &[("message", "Да"), ("from_group", "9")]).await.refused(100);
    let theirs = [("owner_id", "-9"), ("post_id", "310"), ("message", "Да")];
    api.call("wall.createComment", &theirs).await.refused(15);
    api.call("photos.createComment", &[]).await.refused(3);
    post.closes();
    call("310", &[("message", "Да")]).await.refused(212);
}

#[tokio::test]
async fn every_kind_of_thread_names_its_thing() {
    let Scene { shop, .. } = scene().await;
    let kinds = [
        (ThreadKind::Wall, "wall_reply", "post_id", Some("post_owner_id")),
        (ThreadKind::Photo, "photo_comment", "photo_id", Some("photo_owner_id")),
        (ThreadKind::Video, "video_comment", "video_id", Some("video_owner_id")),
        (ThreadKind::Market, "market_comment", "item_id", Some("market_owner_id")),
        (ThreadKind::Topic, "board_post", "topic_id", Some("topic_owner_id")),
    ];
    for (kind, event, thing, owner) in kinds {
        let thread = shop.thread(kind, 77);
        let id = thread.writes(&ivan(), "Цена?");
        let (name, object) = last(&shop);
        assert_eq!(name, format!("{event}_new"));
        assert_eq!((&object[thing], &object["from_id"]), (&json!(77), &json!(IVAN)));
        assert_eq!(object[owner.unwrap()], -GROUP);
        thread.edits(id, "Какая цена?");
        let (name, object) = last(&shop);
        assert_eq!((name, &object["text"]), (format!("{event}_edit"), &json!("Какая цена?")));
        thread.deletes(id, IVAN);
        let (name, object) = last(&shop);
        assert_eq!(
            (name, &object["id"], &object[thing]),
            (format!("{event}_delete"), &json!(id), &json!(77))
        );
        assert!(object.get("text").is_none());
        thread.restores(id);
        assert_eq!(last(&shop).0, format!("{event}_restore"));
        thread.admin_writes(7_001_002, "Ответили в личку");
        assert_eq!(last(&shop).1["from_id"], -GROUP);
    }
}

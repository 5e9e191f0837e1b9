use serde_json::json;

use super::*;
use crate::sim::Fault;

async fn photo_url(api: &Api) -> String {
    let server = api.call("photos.getMessagesUploadServer", &[("peer_id", "50112233")]).await.response();
    assert_eq!((&server["album_id"], &server["group_id"]), (&json!(-64), &json!(GROUP)));
    server["upload_url"].as_str().unwrap().to_owned()
}

async fn save(api: &Api, uploaded: &Value) -> Got {
    let server = uploaded["server"].to_string();
    let (photo, hash) = (uploaded["photo"].as_str().unwrap(), uploaded["hash"].as_str().unwrap());
    api.call("photos.saveMessagesPhoto", &[("server", &server), ("photo", photo), ("hash", hash)]).await
}

#[tokio::test]
async fn a_photo_goes_through_its_three_steps_once() {
    let Scene { sim, api, ivan, .. } = talk().await;
    let url = photo_url(&api).await;
    let uploaded = api.upload(&url, "photo", "кот.jpg", b"\xff\xd8jpeg").await;
    let saved = save(&api, &uploaded).await.response()[0].clone();
    assert_eq!(saved["owner_id"], -GROUP);
    let (id, key) = (saved["id"].to_string(), saved["access_key"].as_str().unwrap());
    api.say(&[("attachment", &format!("photo-{GROUP}_{id}_{key}"))]).await.response();
    api.say(&[("attachment", &format!("photo-{GROUP}_{id}"))]).await.response();
    let entry = ivan.sees().pop().unwrap();
    assert_eq!((entry.files[0].kind, &*entry.files[0].bytes), ("photo", &b"\xff\xd8jpeg"[..]));
    assert_eq!(entry.files[0].name, "кот.jpg");
    assert_eq!(sim.file(&format!("photo-{GROUP}_{id}")).unwrap().bytes, entry.files[0].bytes);
    let carousel =
        json!({"type": "carousel", "elements": [{"photo_id": format!("-{GROUP}_{id}")}]}).to_string();
    api.say(&[("message", "Смотрите"), ("template", &carousel)]).await.response();
    api.say(&[("attachment", &format!("photo-{GROUP}_{id}_чужой"))]).await.refused(100);
    save(&api, &uploaded).await.refused(121);
}

#[tokio::test]
async fn a_photo_that_was_not_taken_is_an_empty_list() {
    let scene = talk().await;
    let api = &scene.api;
    let url = photo_url(api).await;
    for (field, name, bytes) in
        [("file", "a.jpg", &b"jpeg"[..]), ("photo", "", b"jpeg"), ("photo", "a.jpg", b"")]
    {
        let uploaded = api.upload(&url, field, name, bytes).await;
        assert_eq!(uploaded["photo"], "[]", "{field} {name}");
        save(api, &uploaded).await.refused(100);
    }
    let mut uploaded = api.upload(&url, "photo", "a.jpg", b"jpeg").await;
    uploaded["server"] = 1.into();
    save(api, &uploaded).await.refused(118);
    let lost = format!("{}/upload/нет", api.base);
    assert!(api.upload(&lost, "photo", "a.jpg", b"jpeg").await["error"].is_string());
}

#[tokio::test]
async fn documents_and_voices_are_saved_and_go_out_as_documents() {
    let Scene { sim, api, ivan, .. } = talk().await;
    for (kind, name) in [("doc", "счёт.pdf"), ("audio_message", "voice.ogg")] {
        let fields = [("type", kind), ("peer_id", "50112233")];
        let server = api.call("docs.getMessagesUploadServer", &fields).await.response();
        let url = server["upload_url"].as_str().unwrap();
        let file = api.upload(url, "file", name, name.as_bytes()).await["file"].as_str().unwrap().to_owned();
        let saved = api.call("docs.save", &[("file", &file), ("title", name)]).await.response();
        assert_eq!(saved["type"], kind);
        let reference = format!("doc-{GROUP}_{}", saved[kind]["id"]);
        api.say(&[("attachment", &reference)]).await.response();
        let entry = ivan.sees().pop().unwrap();
        assert_eq!((entry.files[0].kind, &*entry.files[0].bytes), (kind, name.as_bytes()));
        assert!(entry.attachment(kind).is_some());
        api.call("docs.save", &[("file", &file)]).await.refused(105);
    }
    sim.faults().on("upload", 1, Fault::BadGateway);
    let fields = [("type", "doc"), ("peer_id", "50112233")];
    let server = api.call("docs.getMessagesUploadServer", &fields).await.response();
    let url = server["upload_url"].as_str().unwrap();
    let request = Request::post(url).body(Full::default()).unwrap();
    assert_eq!(api.send(request).await.unwrap().status, 502);
}

#[tokio::test]
async fn documents_for_nobody_and_of_barred_kinds_are_refused() {
    let Scene { sim, api, .. } = talk().await;
    sim.add_person(&olga());
    let olgas = olga().id.to_string();
    api.call("docs.getMessagesUploadServer", &[("type", "doc"), ("peer_id", &olgas)]).await.refused(901);
    let telepathy = [("type", "telepathy"), ("peer_id", "50112233")];
    api.call("docs.getMessagesUploadServer", &telepathy).await.refused(100);
    let fields = [("type", "doc"), ("peer_id", "50112233")];
    let server = api.call("docs.getMessagesUploadServer", &fields).await.response();
    let url = server["upload_url"].as_str().unwrap();
    for (field, name) in [("photo", "a.pdf"), ("file", "setup.EXE"), ("file", "песня.mp3")] {
        let answer = api.upload(url, field, name, b"bytes").await;
        assert!(answer["error"].is_string() && answer["error_descr"].is_string(), "{answer}");
    }
}

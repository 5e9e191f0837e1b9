//! Uploads in their three steps: an address, the file, its saving (<https://dev.vk.com/api/upload>, read 2026-11).

use serde_json::{Value, json};

use super::send::{may_write, writing};
use crate::{
    sim::{FormFile, Reply, Request},
    vk::{
        Core,
        config::Scope,
        error::{ApiError, ApiResult, invalid},
        files::{FileKind, Ticket},
        params::Params,
        state::{Caller, World},
    },
};

/// Bytes of a photo and of a document (50 and 200 MB: from memory).
const MAX_PHOTO: usize = 50 << 20;
const MAX_DOC: usize = 200 << 20;
/// The number of the server that takes photos.
const PHOTO_SERVER: i64 = 885_123;

impl Core {
    fn upload_url(&self, ticket: &str) -> String {
        format!("{}/upload/{ticket}", self.ground.base_url())
    }

    pub(super) fn photo_upload_server(
        &self,
        world: &mut World,
        caller: Caller,
        params: &Params,
    ) -> ApiResult {
        let club = caller.community(Scope::Photos)?;
        params.integer("peer_id")?;
        let ticket = world.files.open(FileKind::Photo, club, &mut world.random);
        Ok(json!({"upload_url": self.upload_url(&ticket), "album_id": -64, "group_id": club, "user_id": 0}))
    }

    pub(super) fn save_photo(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = caller.community(Scope::Photos)?;
        let (photo, hash) = (params.need("photo")?, params.need("hash")?);
        if params.need_integer("server")? != PHOTO_SERVER {
            return Err(ApiError::new(118));
        }
        if photo == "[]" {
            return Err(invalid("photos_list is invalid"));
        }
        let is_photo = |kind: FileKind| kind == FileKind::Photo;
        let ticket = world.files.take(&proof_of_photo(photo, hash), is_photo);
        let ticket = ticket.ok_or_else(|| ApiError::new(121))?;
        let file = self.keep(world, club, ticket, None);
        Ok(json!([file]))
    }

    pub(super) fn docs_upload_server(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = caller.community(Scope::Docs)?;
        let kind = match params.text("type").unwrap_or("doc") {
            "doc" => FileKind::Doc,
            "audio_message" => FileKind::AudioMessage,
            "graffiti" => FileKind::Graffiti,
            _ => return Err(invalid("type is unknown")),
        };
        writing(world, caller)?;
        may_write(world, club, params.need_integer("peer_id")?)?;
        let ticket = world.files.open(kind, club, &mut world.random);
        Ok(json!({"upload_url": self.upload_url(&ticket)}))
    }

    pub(super) fn docs_save(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = caller.community(Scope::Docs)?;
        let is_doc = |kind: FileKind| kind != FileKind::Photo;
        let ticket = world.files.take(params.need("file")?, is_doc);
        let ticket = ticket.ok_or_else(|| ApiError::new(105))?;
        let kind = ticket.kind;
        let file = self.keep(world, club, ticket, params.text("title"));
        let mut answer = json!({"type": kind.name()});
        crate::vk::set(&mut answer, kind.name(), file);
        Ok(answer)
    }

    fn keep(&self, world: &mut World, club: i64, ticket: Ticket, title: Option<&str>) -> Value {
        let name = title.map_or(ticket.name, str::to_owned);
        let content = (name, ticket.bytes);
        let now = self.now();
        let file = world.files.keep(ticket.kind, -club, content, now, &mut world.random);
        file.to_json(self.ground.base_url())
    }

    /// The second step: a file at an address that was given out.
    pub(in crate::vk) fn take_upload(&self, world: &mut World, key: &str, request: &Request) -> Reply {
        let form = request.form();
        let Some(ticket) = world.files.tickets.get_mut(key) else {
            return Reply::json(200, &json!({"error": "ERR_UPLOAD_BAD_URL"}));
        };
        if request.method != http::Method::POST {
            return Reply::json(200, &json!({"error": "ERR_UPLOAD_METHOD"}));
        }
        let is_photo = ticket.kind == FileKind::Photo;
        let file = form.file(if is_photo { "photo" } else { "file" });
        let answer = if is_photo {
            photo(ticket, file, key)
        } else {
            document(ticket, file, key, &self.config.barred_documents)
        };
        Reply::json(200, &answer)
    }
}

/// What the server of photos answers: an empty list when it could not read one.
fn photo(ticket: &mut Ticket, file: Option<&FormFile>, key: &str) -> Value {
    let is_good =
        |file: &&FormFile| !file.name.is_empty() && !file.bytes.is_empty() && file.bytes.len() <= MAX_PHOTO;
    let Some(file) = file.filter(is_good) else {
        return json!({"server": PHOTO_SERVER, "photo": "[]", "hash": key});
    };
    let list = json!([{"markers_restarted": true, "photo": key, "sizes": []}]).to_string();
    ticket.proof = Some(proof_of_photo(&list, key));
    (ticket.name, ticket.bytes) = (file.name.clone(), file.bytes.clone());
    json!({"server": PHOTO_SERVER, "photo": list, "hash": key})
}

fn proof_of_photo(list: &str, hash: &str) -> String {
    format!("{hash} {list}")
}

fn document(ticket: &mut Ticket, file: Option<&FormFile>, key: &str, barred: &[String]) -> Value {
    let refused = |error: &str, text: &str| json!({"error": error, "error_descr": text});
    let Some(file) = file.filter(|file| !file.name.is_empty() && !file.bytes.is_empty()) else {
        return refused("no_file", "no file was uploaded");
    };
    if file.bytes.len() > MAX_DOC {
        return refused("too_big", "file is too big");
    }
    let extension = file.name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    if ticket.kind == FileKind::Doc && barred.contains(&extension) {
        return refused("wrong_type", "files of this type are not allowed");
    }
    let proof = format!("{}|0|-1|{key}", ticket.club);
    ticket.proof = Some(proof.clone());
    (ticket.name, ticket.bytes) = (file.name.clone(), file.bytes.clone());
    json!({"file": proof})
}

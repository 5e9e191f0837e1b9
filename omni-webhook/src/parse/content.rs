//! What a message says, part by part: one that cannot be read is kept as unsupported, and the message in its raw form.

use std::collections::BTreeMap;

use omni_core::content::{ContactCard, Content, Item, Location, Part};
use omni_core::media::{Media, MediaRef};
use omni_core::text::{Entity, Text};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Context, Whole, people, read, time};
use crate::wire::{MediaIn, Said, Str};

/// What an event says. One that says nothing in words of ours says something that has none.
pub(super) fn content(cx: &Context<'_>, known: &[&str]) -> Option<(Content, Whole)> {
    let said: Said<'_> = cx.read()?;
    let mut reader = Reader { content: Content::default(), is_whole: Whole::Yes };
    reader.text(&said);
    reader.many("media", said.media, media);
    reader.one("location", said.location, place);
    reader.one("contact", said.contact, card);
    reader.many("items", said.items, |item: Item| Some(Part::Item(item)));
    if reader.content.is_empty() {
        let what = cx.read().and_then(|fields| novelty(fields, known)).unwrap_or("nothing".to_owned());
        reader.unsupported(&what);
    }
    Some((reader.content, reader.is_whole))
}

struct Reader {
    content: Content,
    is_whole: Whole,
}

impl Reader {
    fn text(&mut self, said: &Said<'_>) {
        let Some(raw) = said.text else { return };
        let Some(plain) = read::<Str<'_>>(raw) else { return self.unsupported("text") };
        let mut text = Text::plain(plain.into_string());
        match said.entities.map(read::<Vec<Entity>>) {
            None => {}
            Some(Some(entities)) => {
                let count = entities.len();
                text.entities = entities.into_iter().filter(|entity| text.slice(entity).is_some()).collect();
                if text.entities.len() < count {
                    self.is_whole = Whole::No;
                }
            }
            // The words are worth more than what is bold in them.
            Some(None) => self.is_whole = Whole::No,
        }
        if !text.is_empty() {
            self.content.text = Some(text);
        }
    }

    fn one<'a, T: Deserialize<'a>>(
        &mut self,
        name: &str,
        raw: Option<&'a RawValue>,
        part: impl Fn(T) -> Option<Part>,
    ) {
        let Some(raw) = raw else { return };
        // A derived reader takes lists for objects as well.
        let found = raw.get().starts_with('{').then(|| read::<T>(raw)).flatten();
        match found.and_then(part) {
            Some(part) => self.content.parts.push(part),
            None => self.unsupported(name),
        }
    }

    fn many<'a, T: Deserialize<'a>>(
        &mut self,
        name: &str,
        raw: Option<&'a RawValue>,
        part: impl Fn(T) -> Option<Part>,
    ) {
        let Some(raw) = raw else { return };
        let Some(all) = read::<Vec<&RawValue>>(raw) else { return self.unsupported(name) };
        for raw in all {
            self.one(name, Some(raw), &part);
        }
    }

    fn unsupported(&mut self, what: &str) {
        self.content.parts.push(Part::Unsupported { what: what.to_owned() });
        self.is_whole = Whole::No;
    }
}

fn media(file: MediaIn) -> Option<Part> {
    if !people::is_web(&file.url) {
        return None;
    }
    let until = file.until.and_then(time);
    let at = MediaRef { until, ..MediaRef::new(file.url) };
    Some(Part::Media(Media {
        name: file.name,
        mime: file.mime,
        size: file.size,
        width: file.width,
        height: file.height,
        seconds: file.seconds,
        emoji: file.emoji,
        title: file.title,
        ..Media::new(file.kind, at)
    }))
}

fn place(place: Location) -> Option<Part> {
    let on_earth = place.latitude.abs() <= 90.0 && place.longitude.abs() <= 180.0;
    on_earth.then_some(Part::Location(place))
}

fn card(card: ContactCard) -> Option<Part> {
    Some(Part::Contact(card))
}

/// The first field of an event that this version has no word for.
fn novelty(fields: BTreeMap<Str<'_>, IgnoredAny>, known: &[&str]) -> Option<String> {
    const OF_ALL: [&str; 11] =
        ["id", "type", "at", "told", "address", "text", "entities", "media", "location", "contact", "items"];
    let is_new = |name: &&Str<'_>| !OF_ALL.contains(&&***name) && !known.contains(&&***name);
    fields.keys().find(is_new).map(|name| name.to_string())
}

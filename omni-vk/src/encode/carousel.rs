//! Goods to look through. <https://dev.vk.com/api/bots/development/messages#Карусели> (read 2026-11)

use omni_core::content::{Content, Item, Part};
use omni_core::error::Result;
use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use super::source::item_name;
use super::{Request, refused};

/// Most cards.
pub(crate) const CARDS: u32 = 10;
/// Longest title and description of a card, in characters.
const WORDS: usize = 80;
/// Longest words on a key.
const LABEL: usize = 40;
/// Longest line above the cards, which VK asks for.
const ABOVE: usize = 200;

#[derive(Debug, Serialize)]
struct Template<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    elements: Vec<Element<'a>>,
}

/// VK wants the same set of fields in every card: what one of them lacks none has.
#[derive(Debug, Serialize)]
struct Element<'a> {
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Open<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buttons: Option<[Key<'a>; 1]>,
}

#[derive(Debug, Serialize)]
struct Open<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    link: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

#[derive(Debug, Serialize)]
struct Key<'a> {
    action: Open<'a>,
}

/// The goods that go as cards: several, each with a title, none of them VK's own. Those go as attachments, which VK
/// shows as what they are.
pub(super) fn cards(content: &Content, group_id: i64) -> Option<Vec<&Item>> {
    let goods = content.parts.iter().map(|part| match part {
        Part::Item(item) if item_name(item, group_id).is_none() => Some(item),
        _ => None,
    });
    let goods: Vec<&Item> = goods.collect::<Option<_>>()?;
    let have_titles = goods.iter().all(|item| item.title.as_deref().is_some_and(|t| !t.trim().is_empty()));
    (goods.len() > 1 && have_titles).then_some(goods)
}

/// The pictures that have to go up for these cards: of all of them, or none.
pub(super) fn pictures<'a>(cards: &[&'a Item]) -> Vec<&'a Url> {
    cards.iter().map(|item| item.image.as_ref()).collect::<Option<_>>().unwrap_or_default()
}

/// Adds the cards to a message. `named` are their pictures as VK names them.
pub(super) fn attach(request: Request, cards: &[&Item], words: &str, named: &[String]) -> Result<Request> {
    if cards.len() > CARDS as usize {
        return Err(refused(request.method, "a carousel has ten cards at most"));
    }
    let links: Vec<&Url> =
        cards.iter().map(|item| item.url.as_ref()).collect::<Option<_>>().unwrap_or_default();
    let elements = cards.iter().enumerate().map(|(at, item)| {
        let link = links.get(at).copied();
        let open =
            |label: Option<String>| link.map(|url| Open { kind: "open_link", link: url.as_str(), label });
        // A word for "open" would have to know the person's language.
        let host = link.and_then(Url::host_str).map(|host| cut(host, LABEL));
        Element {
            title: cut(item.title.as_deref().unwrap_or_default(), WORDS),
            description: cut(described(item), WORDS),
            photo_id: named.get(at).map(|name| photo_id(name)),
            action: open(None),
            buttons: open(host).map(|action| [Key { action }]),
        }
    });
    let template = Template { kind: "carousel", elements: elements.collect() };
    let request = match words {
        "" => request.with("message", super::neutral(&above(cards))),
        _ => request,
    };
    request.with_json("template", &template)
}

/// A card names a picture by owner and number, without the key that a message wants.
fn photo_id(name: &str) -> &str {
    let name = name.strip_prefix("photo").unwrap_or(name);
    let key = name.match_indices('_').nth(1).map_or(name.len(), |(at, _)| at);
    name.get(..key).unwrap_or(name)
}

/// VK wants a description beside the title.
fn described(item: &Item) -> &str {
    let host = || item.url.as_ref().and_then(Url::host_str);
    item.price.as_deref().filter(|price| !price.trim().is_empty()).or_else(host).unwrap_or("—")
}

/// What stands above cards that come without words, and alone in apps that show no cards.
fn above(cards: &[&Item]) -> String {
    let titles: Vec<&str> = cards.iter().filter_map(|item| item.title.as_deref()).collect();
    cut(&titles.join(", "), ABOVE)
}

/// At most so many characters, cut between signs.
fn cut(text: &str, most: usize) -> String {
    let mut room = most;
    let fits = text.graphemes(true).take_while(|sign| match room.checked_sub(sign.chars().count()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    });
    fits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_between_signs() {
        assert_eq!(cut("Кружка 👨‍👩‍👧", 8), "Кружка ");
        assert_eq!(cut("Кружка 👨‍👩‍👧", 12), "Кружка 👨‍👩‍👧");
    }

    #[test]
    fn goods_of_vks_own_and_goods_without_a_title_are_no_cards() {
        let item = |title: Option<&str>, id: Option<&str>| {
            Part::Item(Item { title: title.map(str::to_owned), id: id.map(str::to_owned), ..Item::default() })
        };
        let content = |parts: Vec<Part>| Content { parts, ..Content::default() };
        let good = item(Some("Кружка"), None);
        assert_eq!(cards(&content(vec![good.clone(), good.clone()]), 1).map(|cards| cards.len()), Some(2));
        for other in [item(None, None), item(Some("Кружка"), Some("991"))] {
            assert_eq!(cards(&content(vec![good.clone(), other]), 1), None);
        }
        assert_eq!(cards(&content(vec![good]), 1), None);
    }
}

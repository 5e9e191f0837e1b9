//! Goods and adverts as cards to look through.

use omni_core::content::Item;
use omni_core::error::Result;

use super::keyboard::harmless;
use super::{cut, refused};
use crate::capabilities::{CARDS, LABEL, ROW};
use crate::wire::{ActionType, Body, Card, RichMedia};

/// <https://developers.viber.com/docs/api/rest-bot-api/#rich-media-message--carousel-content-message>: apps
/// of version 6.7 and up (read 2026-11).
pub(super) const LEVEL: u8 = 2;

const IMAGE_ROWS: u8 = 3;
const TITLE_ROWS: u8 = 2;

/// One card for each item. A card is a grid whose height is the same for all, so what one of them lacks is
/// blank.
pub(super) fn body(method: &'static str, items: &[&Item]) -> Result<Body> {
    if items.len() > CARDS as usize {
        return Err(refused(method, "at most 6 cards fit in one message").with("cards", items.len()));
    }
    let shows = |item: &&&Item| item.title.is_some() || item.image.is_some() || item.url.is_some();
    if items.iter().filter(shows).count() < items.len() {
        return Err(refused(method, "a card needs a title, a picture or a page"));
    }
    let has = |part: fn(&Item) -> bool| items.iter().any(|item| part(item));
    let grid = Grid {
        image: has(|item| item.image.is_some()),
        price: has(|item| item.price.is_some()),
        link: has(|item| item.url.is_some()),
    };
    let buttons = items.iter().flat_map(|item| grid.card(item)).collect();
    Ok(Body::RichMedia {
        alt_text: cut(&items.iter().map(|item| in_words(item)).collect::<Vec<_>>().join("\n\n"), 7000),
        rich_media: RichMedia {
            buttons_group_columns: u8::try_from(ROW).unwrap_or(6),
            buttons_group_rows: grid.rows(),
            bg_color: "#FFFFFF",
            buttons,
        },
    })
}

/// What the cards of one message have between them.
struct Grid {
    image: bool,
    price: bool,
    link: bool,
}

impl Grid {
    fn rows(&self) -> u8 {
        let image = if self.image { IMAGE_ROWS } else { 0 };
        image + TITLE_ROWS + u8::from(self.price) + u8::from(self.link)
    }

    fn card(&self, item: &Item) -> Vec<Card> {
        let mut parts = Vec::new();
        if self.image {
            let image = item.image.as_ref().map(ToString::to_string);
            parts.push(Card { image, ..part(item, IMAGE_ROWS, None) });
        }
        parts.push(part(item, TITLE_ROWS, item.title.as_deref()));
        if self.price {
            parts.push(part(item, 1, item.price.as_deref()));
        }
        if self.link {
            // A word for "open" would have to know the person's language.
            parts.push(part(item, 1, item.url.as_ref().and_then(|url| url.host_str())));
        }
        parts
    }
}

/// A part of a card. Wherever it is pressed, it opens the page, where there is one.
fn part(item: &Item, rows: u8, words: Option<&str>) -> Card {
    let (action_type, action_body) = match &item.url {
        Some(url) => (ActionType::OpenUrl, url.to_string()),
        None => (ActionType::None, "none".to_owned()),
    };
    let text = words.map(|words| cut(&harmless(words), LABEL));
    Card { columns: 6, rows, action_type, action_body, text, image: None, silent: true }
}

fn in_words(item: &Item) -> String {
    let url = item.url.as_ref().map(ToString::to_string);
    let parts = [item.title.clone(), item.price.clone(), url];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

//! The tables in `docs.md` are those of the data. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_core::error::RateScope;
use omni_core::{Address, Channel};
use omni_http::Http;
use omni_testkit::docs;
use omni_vk::{Config, Vk, error};

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    let community = Vk::new(Config::new("vk1.a.Zx9", 123_456).long_poll(), Http::new().unwrap()).unwrap();
    let at = |address: &str| community.capabilities_at(&address.parse::<Address>().unwrap()).into_owned();
    let (chat, post, photo) = (at("2000000007"), at("wall-123456_310?from=5"), at("photo-123456_1?from=5"));
    let places = [
        ("Private messages", community.capabilities()),
        ("Chats", &chat),
        ("Under posts", &post),
        ("Under anything else", &photo),
    ];
    let here = env!("CARGO_MANIFEST_DIR");
    docs::is_in_docs(here, "settings", &docs::settings::<Config>());
    docs::is_in_docs(here, "capabilities", &docs::capabilities(here, &places));
    docs::is_in_docs(here, "errors", &errors());
}

fn errors() -> String {
    let rows = error::TABLE.iter().map(|row| {
        let pause = row.pause.map_or_else(String::new, |(wait, scope)| {
            let scope = match scope {
                RateScope::Chat => "the talk",
                RateScope::Method => "the method",
                _ => "the community",
            };
            format!("{scope} waits {} s", wait.as_secs())
        });
        let advice = row.advice.unwrap_or_default().to_owned();
        vec![row.code.to_string(), row.name.to_owned(), format!("{:?}", row.kind), pause, advice]
    });
    docs::table(&["Code", "What it says", "Means", "Pause", "What to do"], rows)
}

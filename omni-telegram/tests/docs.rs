//! The tables in `docs.md` are those of the data. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_core::{Address, Channel};
use omni_http::Http;
use omni_telegram::{Config, Telegram, error};
use omni_testkit::docs;

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    let bot = Telegram::new(
        Config::new("7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw").polling(),
        Http::new().unwrap(),
    )
    .unwrap();
    let connected = bot.capabilities_at(&Address::new("100200300").with("business", "a")).into_owned();
    let places = [("In the bot's chats", bot.capabilities()), ("For a connected person", &connected)];
    let here = env!("CARGO_MANIFEST_DIR");
    docs::is_in_docs(here, "settings", &docs::settings::<Config>());
    docs::is_in_docs(here, "capabilities", &docs::capabilities(here, &places));
    docs::is_in_docs(here, "errors", &errors());
}

fn errors() -> String {
    let rows = error::TABLE.iter().map(|row| {
        let text = if row.text.is_empty() { "anything else".to_owned() } else { format!("`{}`", row.text) };
        let advice = row.advice.unwrap_or_default().to_owned();
        vec![row.code.to_string(), text, format!("{:?}", row.kind), advice]
    });
    docs::table(&["Code", "Contains", "Means", "What to do"], rows)
}

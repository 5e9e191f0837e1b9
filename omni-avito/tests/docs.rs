//! The tables in `docs.md` are those of the data. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_avito::capabilities::capabilities;
use omni_avito::error::{Call, TABLE};
use omni_avito::{Access, Config, Receive};
use omni_testkit::docs;

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    let here = env!("CARGO_MANIFEST_DIR");
    let (full, reading) =
        (capabilities(Access::Full, Receive::Webhook), capabilities(Access::ReceiveOnly, Receive::Webhook));
    docs::is_in_docs(here, "settings", &docs::settings::<Config>());
    docs::is_in_docs(
        here,
        "capabilities",
        &docs::capabilities(here, &[("With full access", &full), ("Receiving only", &reading)]),
    );
    docs::is_in_docs(here, "errors", &errors());
}

fn errors() -> String {
    let rows = TABLE.iter().map(|row| {
        let text = if row.text.is_empty() { "anything else".to_owned() } else { format!("`{}`", row.text) };
        let call = match row.call {
            Call::Any => "any",
            Call::Chat => "in a chat",
            Call::Token => "for a token",
        };
        let advice = row.advice.unwrap_or_default().to_owned();
        vec![row.code.to_string(), call.to_owned(), text, format!("{:?}", row.kind), advice]
    });
    docs::table(&["Code", "Call", "Contains", "Means", "What to do"], rows)
}

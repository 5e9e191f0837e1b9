//! The tables in `docs.md` are those of the data. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_testkit::docs;
use omni_viber::{Config, capabilities, error};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    docs::is_in_docs(CRATE, "settings", &docs::settings::<Config>());
    let caps = capabilities::capabilities(&Config::new(""));
    docs::is_in_docs(CRATE, "capabilities", &docs::capabilities(CRATE, &[("Support", &caps)]));
    docs::is_in_docs(CRATE, "errors", &errors());
}

fn errors() -> String {
    let rows = error::TABLE.iter().map(|row| {
        let advice = row.advice.unwrap_or_default().to_owned();
        vec![row.status.to_string(), format!("`{}`", row.name), format!("{:?}", row.kind), advice]
    });
    docs::table(&["Status", "Name", "Means", "What to do"], rows)
}

//! The tables in `docs.md` are those of the data. `UPDATE_GOLDEN=1` writes them anew.

use omni_autoru::{Autoru, Config, Rest, error};
use omni_core::{Address, Channel};
use omni_http::Http;
use omni_testkit::docs::{capabilities, is_in_docs, settings, table};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    is_in_docs(CRATE, "settings", &settings::<Config>());
    is_in_docs(CRATE, "settings of rest", &settings::<Rest>());
    is_in_docs(CRATE, "capabilities", &places());
    is_in_docs(CRATE, "errors", &errors());
}

#[allow(clippy::unwrap_used)] // a failed `unwrap` is the failure
fn places() -> String {
    let dealer = Autoru::new(Config::new("Vj72x3B9NTk0qLw4"), Http::new().unwrap()).unwrap();
    let room = dealer.capabilities_at(&Address::new("room:8a8a")).into_owned();
    capabilities(CRATE, &[("To a buyer", dealer.capabilities()), ("In a room", &room)])
}

fn errors() -> String {
    let rows = error::TABLE.iter().map(|row| {
        let interface = row.interface.map_or("both".to_owned(), |interface| format!("{interface:?}"));
        let advice = row.advice.unwrap_or_default().to_owned();
        vec![row.status.to_string(), interface, format!("{:?}", row.kind), advice]
    });
    table(&["Status", "Interface", "Means", "What to do"], rows)
}

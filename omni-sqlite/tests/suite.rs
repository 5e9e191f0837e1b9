//! The SQLite store passes the suite of all stores, and that of those that outlive the process.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use omni_sqlite::SqliteStore;
use omni_testkit::store::Fresh;

async fn make() -> Fresh {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let store = SqliteStore::open(&path).unwrap();
    let reopen = move || {
        let path = path.clone();
        async move { SqliteStore::open(path).unwrap() }
    };
    Fresh::new(store).reopening(reopen).keeping(directory)
}

omni_testkit::store::suite!(make);
omni_testkit::store::persistence!(make);

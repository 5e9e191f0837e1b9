//! The store in memory passes the suite of all stores.

use omni_hub::MemoryStore;
use omni_testkit::store::Fresh;

async fn make() -> Fresh {
    Fresh::new(MemoryStore::new())
}

omni_testkit::store::suite!(make);

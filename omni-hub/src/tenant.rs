//! What all channels of a tenant share: its book, and who is there.

use std::sync::{Arc, PoisonError, RwLock};

use omni_core::policy::{Book, Desk, Engines};

/// What all channels of a tenant share.
#[derive(Debug, Default)]
pub(crate) struct Tenant {
    engines: RwLock<Option<Engines>>,
    /// As last read from the store: a step may see it a moment late.
    desk: RwLock<Arc<Desk>>,
}

impl Tenant {
    pub(crate) fn engines(&self) -> Option<Engines> {
        self.engines.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn book(&self) -> Option<Arc<Book>> {
        self.engines().map(|engines| engines.book().clone())
    }

    pub(crate) fn set_engines(&self, engines: Engines) {
        *self.engines.write().unwrap_or_else(PoisonError::into_inner) = Some(engines);
    }

    pub(crate) fn desk(&self) -> Arc<Desk> {
        self.desk.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_desk(&self, desk: Desk) {
        *self.desk.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(desk);
    }
}

//! What all channels of a tenant share: its book, and who is there.

use std::sync::{Arc, PoisonError, RwLock};

use omni_core::policy::{Book, Desk};

/// What all channels of a tenant share.
#[derive(Debug, Default)]
pub(crate) struct Tenant {
    book: RwLock<Option<Arc<Book>>>,
    /// As last read from the store: a step may see it a moment late.
    desk: RwLock<Arc<Desk>>,
}

impl Tenant {
    pub(crate) fn book(&self) -> Option<Arc<Book>> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_book(&self, book: Arc<Book>) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Some(book);
    }

    pub(crate) fn desk(&self) -> Arc<Desk> {
        self.desk.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_desk(&self, desk: Desk) {
        *self.desk.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(desk);
    }
}

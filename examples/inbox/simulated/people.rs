//! Whoever is played at a simulator.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Customer;

/// Customers by their ids at the provider, each with their side of the chat.
pub(super) struct People<H> {
    all: Mutex<BTreeMap<String, Person<H>>>,
}

struct Person<H> {
    handle: H,
    name: String,
    blocked: bool,
}

impl<H: Clone> People<H> {
    pub(super) fn new() -> Self {
        Self { all: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Person<H>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.all().len()
    }

    pub(super) fn add(&self, id: String, name: &str, handle: H) -> Customer {
        let person = Person { handle, name: name.to_owned(), blocked: false };
        self.all().insert(id.clone(), person);
        Customer { id, name: name.to_owned(), blocked: false }
    }

    pub(super) fn list(&self) -> Vec<Customer> {
        let all = self.all();
        let shown = all.iter().map(|(id, person)| Customer {
            id: id.clone(),
            name: person.name.clone(),
            blocked: person.blocked,
        });
        shown.collect()
    }

    /// Somebody's side of their chat.
    pub(super) fn handle(&self, id: &str) -> Option<H> {
        self.all().get(id).map(|person| person.handle.clone())
    }

    /// The same, for whoever plays.
    pub(super) fn known(&self, id: &str) -> Result<H, String> {
        self.handle(id).ok_or_else(|| "there is no such customer".to_owned())
    }

    pub(super) fn set_blocked(&self, id: &str, blocked: bool) {
        if let Some(person) = self.all().get_mut(id) {
            person.blocked = blocked;
        }
    }
}

/// A number that no former run has used: the database may remember those of a former one.
pub(super) fn unique() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// Something nobody can guess.
pub(super) fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What a provider cannot do is said to whoever plays.
pub(super) fn impossible<T>(what: &str) -> Result<T, String> {
    Err(format!("{what} is not possible at this provider"))
}

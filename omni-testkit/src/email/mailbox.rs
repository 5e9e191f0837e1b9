//! A mailbox of the server, as its owner and its postman see it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use omni_core::Timestamp;

use super::Core;
use super::compose::Letter;
use super::settings::NewFolder;
use super::state::{Folder, Store};

/// A mailbox. Clones are handles to the same one; they do not keep the server running.
///
/// Folders are named in plain Unicode. Methods that name a folder or a UID panic when there is none: a test that
/// names a wrong one is wrong.
#[derive(Clone, Debug)]
pub struct Mailbox {
    core: Arc<Core>,
    key: String,
    address: String,
}

impl Mailbox {
    pub(super) fn new(core: Arc<Core>, address: &str) -> Self {
        Self { core, key: address.to_ascii_lowercase(), address: address.to_owned() }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What time it is at the server.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.ground.now()
    }

    /// A customer's mail with these words, to be changed and then to arrive.
    pub fn mail(&self, text: &str) -> Letter {
        let number = self.core.letters.fetch_add(1, Ordering::Relaxed) + 1;
        Letter::new(self.clone(), number, text)
    }

    /// Puts a raw mail into a folder, as a new one that nobody has seen. Returns its UID.
    pub fn deliver(&self, folder: &str, raw: impl Into<Bytes>) -> u32 {
        self.deliver_at(folder, raw, self.now())
    }

    /// The same with this internal date.
    pub fn deliver_at(&self, folder: &str, raw: impl Into<Bytes>, at: Timestamp) -> u32 {
        self.folder(folder, |folder| folder.add(raw.into(), BTreeSet::new(), at))
    }

    /// Puts a raw mail in under a UID of choice, below others too, as servers do that take mail in late.
    pub fn insert(&self, folder: &str, uid: u32, raw: impl Into<Bytes>) {
        let now = self.now();
        self.folder(folder, |folder| {
            assert!(!folder.mails.contains_key(&uid), "UID {uid} is taken");
            folder.put(uid, raw.into(), BTreeSet::new(), now);
        });
    }

    /// UIDs in a folder, in order.
    #[must_use]
    pub fn uids(&self, folder: &str) -> Vec<u32> {
        self.folder(folder, |folder| folder.mails.keys().copied().collect())
    }

    /// The bytes of a mail.
    #[must_use]
    pub fn raw(&self, folder: &str, uid: u32) -> Bytes {
        self.folder(folder, |folder| {
            let mail = folder.mails.get(&uid);
            mail.unwrap_or_else(|| panic!("there is no mail {uid} in {}", folder.name)).raw.clone()
        })
    }

    /// The flags of a mail, in order of their names.
    #[must_use]
    pub fn flags(&self, folder: &str, uid: u32) -> Vec<String> {
        self.folder(folder, |folder| {
            let mail = folder.mails.get(&uid);
            let mail = mail.unwrap_or_else(|| panic!("there is no mail {uid} in {}", folder.name));
            mail.flags.iter().cloned().collect()
        })
    }

    /// Gives a mail these flags, as another program does.
    pub fn set_flags(&self, folder: &str, uid: u32, flags: &[&str]) {
        let flags: BTreeSet<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self.folder(folder, |folder| folder.flag(uid, |old| *old = flags).is_some().then_some(()))
            .unwrap_or_else(|| panic!("there is no mail {uid}"));
    }

    /// Moves a mail to another folder, as another program does. Returns its UID there.
    pub fn move_to(&self, folder: &str, uid: u32, to: &str) -> u32 {
        let gone = self.folder(folder, |folder| folder.remove(uid));
        let gone = gone.unwrap_or_else(|| panic!("there is no mail {uid}"));
        self.folder(to, |to| to.add(gone.raw, gone.flags, gone.at))
    }

    /// Deletes a mail for good, as another program does.
    pub fn expunge(&self, folder: &str, uid: u32) {
        let gone = self.folder(folder, |folder| folder.remove(uid));
        assert!(gone.is_some(), "there is no mail {uid}");
    }

    /// Numbers the mails of a folder anew under another UIDVALIDITY, which it returns.
    pub fn change_uid_validity(&self, folder: &str) -> u32 {
        let fresh = self.core.state().new_validity();
        self.folder(folder, |folder| folder.renumber(fresh));
        fresh
    }

    /// Makes a folder.
    pub fn create_folder(&self, name: &str) {
        let mut state = self.core.state();
        let folder = state.new_folder(NewFolder { name: name.to_owned(), use_for: None });
        if let Some(store) = state.boxes.get_mut(&self.key) {
            store.folders.push(folder);
        }
    }

    /// Removes a folder with all that is in it.
    pub fn remove_folder(&self, name: &str) {
        self.store(|store| store.folders.retain(|folder| !folder.is(name)));
    }

    /// Another password from now on; who is logged in stays so.
    pub fn change_password(&self, password: &str) {
        self.store(|store| store.password = password.to_owned());
    }

    /// Takes this access token from now on.
    pub fn accept_token(&self, token: &str) {
        self.store(|store| drop(store.tokens.replace(token.to_owned())));
    }

    /// Takes this access token no longer; who is logged in stays so.
    pub fn expire_token(&self, token: &str) {
        self.store(|store| drop(store.tokens.take(token)));
    }

    fn store<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut state = self.core.state();
        let Some(store) = state.boxes.get_mut(&self.key) else { panic!("{} is gone", self.key) };
        let done = work(store);
        drop(state);
        self.core.ground.changed();
        done
    }

    fn folder<T>(&self, name: &str, work: impl FnOnce(&mut Folder) -> T) -> T {
        self.store(|store| {
            let folder = store.folders.iter_mut().find(|folder| folder.is(name));
            work(folder.unwrap_or_else(|| panic!("there is no folder {name}")))
        })
    }
}

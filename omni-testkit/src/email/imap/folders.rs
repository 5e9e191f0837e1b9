//! Folders: which there are, and which one is open.

use std::collections::BTreeSet;

use super::super::settings::{Ability, NewFolder};
use super::super::state::Folder;
use super::super::utf7;
use super::parse::{Request, Token};
use super::{Access, Answer, Handled, Selected, Session};

/// The name of a folder in an argument, in plain Unicode.
pub(super) fn folder_name(argument: Option<&Token>) -> Option<String> {
    utf7::decode(&argument?.text()?)
}

/// A name as it travels: an atom where it may be one.
fn travelling(name: &str) -> String {
    let name = utf7::encode(name);
    let is_atom = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte));
    if is_atom { name } else { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) }
}

fn unknown(name: &str) -> String {
    format!("NO [NONEXISTENT] Mailbox doesn't exist: {name}")
}

impl Session {
    fn named(request: &Request) -> Result<String, String> {
        let name = folder_name(request.arguments.first());
        name.ok_or_else(|| "BAD Invalid mailbox name".to_owned())
    }

    pub(super) fn list(&self, request: &Request) -> Handled {
        let arguments = &request.arguments;
        let (only_special, rest) = match arguments.split_first() {
            Some((Token::List(options), rest)) => (options.iter().any(is_special_use), rest),
            _ => (false, &arguments[..]),
        };
        let [reference, pattern, returned @ ..] = rest else {
            return Err("BAD LIST wants a reference and a pattern".to_owned());
        };
        let state = self.core.state();
        let (Some(reference), Some(pattern)) = (reference.text(), pattern.text()) else {
            return Err("BAD Invalid pattern".to_owned());
        };
        let extended = only_special || !returned.is_empty();
        if extended && !state.settings.can(Ability::SpecialUse) {
            return Err("BAD Invalid pattern".to_owned());
        }
        let separator = state.settings.separator;
        if pattern.is_empty() {
            return Ok(Answer::ok("List completed").with(format!("LIST (\\Noselect) \"{separator}\" \"\"")));
        }
        let wanted = utf7::decode(&format!("{reference}{pattern}")).unwrap_or_default();
        let Some(store) = self.user.as_ref().and_then(|user| state.boxes.get(user)) else {
            return Err("NO The mailbox is gone".to_owned());
        };
        let names: Vec<&str> = store.folders.iter().map(|folder| folder.name.as_str()).collect();
        let found = store.folders.iter().filter(|folder| {
            fits(&folder.name, &wanted, separator) && (!only_special || folder.use_for.is_some())
        });
        let told = state.settings.can(Ability::SpecialUse);
        let line = |folder: &Folder| {
            let inner = format!("{}{separator}", folder.name);
            let has_children = names.iter().any(|name| name.starts_with(&inner));
            let children = if has_children { "\\HasChildren" } else { "\\HasNoChildren" };
            let special = folder.use_for.filter(|_| told).map(|u| format!(" {u}")).unwrap_or_default();
            format!("LIST ({children}{special}) \"{separator}\" {}", travelling(&folder.name))
        };
        Ok(found.fold(Answer::ok("List completed"), |answer, folder| answer.with(line(folder))))
    }

    pub(super) fn select(&mut self, request: &Request, access: Access) -> Handled {
        let name = Self::named(request)?;
        self.selected = None;
        let Some(user) = &self.user else { return Err("BAD Please login first.".to_owned()) };
        let mut state = self.core.state();
        let condstore = state.settings.can(Ability::Condstore);
        let folder = state.folder_mut(user, &name).ok_or_else(|| unknown(&name))?;
        let recent: BTreeSet<u32> =
            folder.mails.iter().filter(|(_, mail)| mail.recent).map(|(uid, _)| *uid).collect();
        if access == Access::ReadWrite {
            folder.mails.values_mut().for_each(|mail| mail.recent = false);
        }
        let flags = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
        let (permanent, word) = match access {
            Access::ReadWrite => (format!("{flags} \\*"), "OK [READ-WRITE] Select completed"),
            Access::ReadOnly => (String::new(), "OK [READ-ONLY] Examine completed"),
        };
        let mut answer = Answer { untagged: Vec::new(), status: word.to_owned() }
            .with(format!("FLAGS ({flags})"))
            .with(format!("OK [PERMANENTFLAGS ({permanent})] Flags permitted."))
            .with(format!("{} EXISTS", folder.mails.len()))
            .with(format!("{} RECENT", recent.len()))
            .with(format!("OK [UIDVALIDITY {}] UIDs valid", folder.uid_validity))
            .with(format!("OK [UIDNEXT {}] Predicted next UID", folder.uid_next));
        if condstore {
            answer = answer.with(format!("OK [HIGHESTMODSEQ {}] Highest", folder.mod_seq));
        }
        self.selected = Some(Selected {
            name: folder.name.clone(),
            uid_validity: folder.uid_validity,
            access,
            uids: folder.mails.keys().copied().collect(),
            recent,
            mod_seq: folder.mod_seq,
        });
        Ok(answer)
    }

    pub(super) fn status(&self, request: &Request) -> Handled {
        let name = Self::named(request)?;
        let Some(Token::List(items)) = request.arguments.get(1) else {
            return Err("BAD STATUS wants a list of items".to_owned());
        };
        let user = self.user.clone().unwrap_or_default();
        let state = self.core.state();
        let condstore = state.settings.can(Ability::Condstore);
        let folder = state.folder(&user, &name).ok_or_else(|| unknown(&name))?;
        let count = |fits: fn(&super::super::state::Stored) -> bool| {
            folder.mails.values().filter(|mail| fits(mail)).count() as u64
        };
        let mut told = Vec::new();
        for item in items {
            let word = item.word().unwrap_or_default();
            let value = match word.as_str() {
                "MESSAGES" => folder.mails.len() as u64,
                "RECENT" => count(|mail| mail.recent),
                "UIDNEXT" => folder.uid_next.into(),
                "UIDVALIDITY" => folder.uid_validity.into(),
                "UNSEEN" => count(|mail| !mail.flags.contains("\\Seen")),
                "HIGHESTMODSEQ" if condstore => folder.mod_seq,
                _ => return Err(format!("BAD Invalid status item {word}")),
            };
            told.push(format!("{word} {value}"));
        }
        let is_selected = self.selected.as_ref().is_some_and(|selected| folder.is(&selected.name));
        // Dovecot says so too: STATUS is not for the folder that is open.
        let words =
            if is_selected { "[CLIENTBUG] Status on selected mailbox completed" } else { "Status completed" };
        Ok(Answer::ok(words).with(format!("STATUS {} ({})", travelling(&name), told.join(" "))))
    }

    pub(super) fn create(&self, request: &Request) -> Handled {
        let name = Self::named(request)?;
        let user = self.user.clone().unwrap_or_default();
        let mut state = self.core.state();
        if state.folder(&user, &name).is_some() {
            return Err("NO [ALREADYEXISTS] Mailbox already exists".to_owned());
        }
        let folder = state.new_folder(NewFolder { name, use_for: None });
        if let Some(store) = state.boxes.get_mut(&user) {
            store.folders.push(folder);
        }
        Ok(Answer::ok("Create completed"))
    }

    pub(super) fn delete(&self, request: &Request) -> Handled {
        let name = Self::named(request)?;
        let user = self.user.clone().unwrap_or_default();
        let mut state = self.core.state();
        if name.eq_ignore_ascii_case("INBOX") || state.folder(&user, &name).is_none() {
            return Err(unknown(&name));
        }
        if let Some(store) = state.boxes.get_mut(&user) {
            store.folders.retain(|folder| !folder.is(&name));
        }
        Ok(Answer::ok("Delete completed"))
    }

    /// Deleted mails go without a word about each.
    pub(super) fn close(&mut self) -> Handled {
        let read_write = self.selected.as_ref().is_some_and(|s| s.access == Access::ReadWrite);
        if read_write {
            self.within(|folder, _| folder.mails.retain(|_, mail| !mail.flags.contains("\\Deleted")))?;
        }
        self.selected = None;
        Ok(Answer::ok("Close completed"))
    }

    pub(super) fn unselect(&mut self) -> Handled {
        if !self.core.state().settings.can(Ability::Unselect) {
            return Err("BAD Unknown command".to_owned());
        }
        self.selected = None;
        Ok(Answer::ok("Unselect completed"))
    }
}

fn is_special_use(option: &Token) -> bool {
    option.word().as_deref() == Some("SPECIAL-USE")
}

/// Whether a name fits a pattern: `*` stands for anything, `%` for anything within one step.
fn fits(name: &str, pattern: &str, separator: char) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = pattern.get(first.len_utf8()..).unwrap_or_default();
    match first {
        '*' | '%' => {
            let ends = name.char_indices().map(|(at, c)| (at, Some(c))).chain([(name.len(), None)]);
            for (at, next) in ends {
                if fits(name.get(at..).unwrap_or_default(), rest, separator) {
                    return true;
                }
                if first == '%' && next == Some(separator) {
                    return false;
                }
            }
            false
        }
        _ => name.strip_prefix(first).is_some_and(|name| fits(name, rest, separator)),
    }
}

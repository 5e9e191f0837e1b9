//! STORE, COPY, MOVE, EXPUNGE, APPEND.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::super::settings::Ability;
use super::super::state::Stored;
use super::fetch::flags;
use super::folders::folder_name;
use super::parse::{By, Numbers, Request, Token};
use super::search::date_time;
use super::{Access, Answer, Handled, Session};
use crate::email::fault::Command;

const READ_ONLY: &str = "NO [READ-ONLY] The folder is open for reading only";

impl Session {
    fn is_read_only(&self) -> bool {
        self.selected.as_ref().is_some_and(|selected| selected.access == Access::ReadOnly)
    }

    pub(super) fn flag(&mut self, request: &Request) -> Handled {
        if self.is_read_only() {
            return Err(READ_ONLY.to_owned());
        }
        let [set, Token::Atom(how), list @ ..] = &request.arguments[..] else {
            return Err("BAD STORE wants numbers, a way and flags".to_owned());
        };
        let list = match list {
            [Token::List(list)] => list,
            list => list,
        };
        let wanted = flag_names(list).ok_or("BAD Invalid flags")?;
        let how = how.to_ascii_uppercase();
        let (how, silent) = match how.strip_suffix(".SILENT") {
            Some(how) => (how, true),
            None => (how.as_str(), false),
        };
        let change = match how {
            "FLAGS" => |_: &BTreeSet<String>, wanted: &BTreeSet<String>| wanted.clone(),
            "+FLAGS" => |old: &BTreeSet<String>, wanted: &BTreeSet<String>| old | wanted,
            "-FLAGS" => |old: &BTreeSet<String>, wanted: &BTreeSet<String>| old - wanted,
            _ => return Err("BAD Invalid way to store".to_owned()),
        };
        let chosen = self.chosen(set, request.by)?;
        let by = request.by;
        self.within(|folder, selected| {
            let mut answer = Answer::ok("Store completed");
            for (place, uid) in chosen {
                let before = folder.mod_seq;
                if folder.flag(uid, |old| *old = change(old, &wanted)).is_none() {
                    continue;
                }
                // Only a change of our own needs not be told again.
                if selected.mod_seq == before {
                    selected.mod_seq = folder.mod_seq;
                }
                if let Some(mail) = folder.mails.get(&uid).filter(|_| !silent) {
                    let uid_told = if by == By::Uid { format!("UID {uid} ") } else { String::new() };
                    let flags = flags(mail, selected, uid);
                    answer = answer.with(format!("{place} FETCH ({uid_told}FLAGS ({flags}))"));
                }
            }
            answer
        })
    }

    /// COPY and MOVE.
    pub(super) fn copy(&mut self, request: &Request) -> Handled {
        let moves = request.command == Command::Move;
        let can = |session: &Self, ability| session.core.state().settings.can(ability);
        if moves && !can(self, Ability::Move) {
            return Err("BAD Unknown command".to_owned());
        }
        if moves && self.is_read_only() {
            return Err(READ_ONLY.to_owned());
        }
        let [set, to] = &request.arguments[..] else {
            return Err("BAD COPY wants numbers and a folder".to_owned());
        };
        let to = folder_name(Some(to)).ok_or("BAD Invalid mailbox name")?;
        let chosen: Vec<u32> = self.chosen(set, request.by)?.into_iter().map(|(_, uid)| uid).collect();
        let taken: Vec<(u32, Stored)> = self.within(|folder, _| {
            let mails = chosen.iter().filter_map(|uid| Some((*uid, folder.mails.get(uid)?.clone())));
            mails.collect()
        })?;
        let user = self.user.clone().unwrap_or_default();
        let mut state = self.core.state();
        let target = state.folder_mut(&user, &to);
        let target = target.ok_or_else(|| format!("NO [TRYCREATE] Mailbox doesn't exist: {to}"))?;
        let (mut from_uids, mut to_uids) = (Vec::new(), Vec::new());
        for (uid, mail) in taken {
            from_uids.push(uid.to_string());
            to_uids.push(target.add(mail.raw, mail.flags, mail.at).to_string());
        }
        let validity = target.uid_validity;
        drop(state);
        if from_uids.is_empty() {
            return Ok(Answer::ok("No messages found"));
        }
        let code = format!("[COPYUID {validity} {} {}] ", from_uids.join(","), to_uids.join(","));
        let code = if can(self, Ability::UidPlus) { code } else { String::new() };
        if !moves {
            self.core.ground.changed();
            return Ok(Answer::ok(&format!("{code}Copy completed")));
        }
        self.within(|folder, _| chosen.iter().for_each(|uid| drop(folder.remove(*uid))))?;
        let answer = Answer::ok("Move completed");
        Ok(if code.is_empty() { answer } else { answer.with(format!("OK {code}Moved UIDs.")) })
    }

    /// EXPUNGE, and UID EXPUNGE of UIDPLUS.
    pub(super) fn expunge(&mut self, request: &Request) -> Handled {
        if self.is_read_only() {
            return Err(READ_ONLY.to_owned());
        }
        let set = match (request.by, request.arguments.first()) {
            (By::Place, None) => None,
            (By::Uid, Some(set)) if self.core.state().settings.can(Ability::UidPlus) => {
                let most = self.selected.as_ref().and_then(|selected| selected.uids.last().copied());
                let set = Numbers::read(&set.text().unwrap_or_default(), most.unwrap_or(0));
                Some(set.ok_or("BAD Invalid messageset")?)
            }
            _ => return Err("BAD Unknown command".to_owned()),
        };
        self.within(|folder, _| {
            let marked = folder.mails.iter().filter(|(_, mail)| mail.flags.contains("\\Deleted"));
            let gone: Vec<u32> = marked.map(|(uid, _)| *uid).collect();
            let gone = gone.into_iter().filter(|uid| set.as_ref().is_none_or(|set| set.has(*uid)));
            gone.for_each(|uid| drop(folder.remove(uid)));
            Answer::ok("Expunge completed")
        })
    }

    pub(super) fn append(&mut self, request: &Request) -> Handled {
        let name = folder_name(request.arguments.first()).ok_or("BAD Invalid mailbox name")?;
        let Some((Token::Text(raw), options)) = request.arguments.get(1..).and_then(<[Token]>::split_last)
        else {
            return Err("BAD APPEND wants a literal".to_owned());
        };
        let (list, at) = match options {
            [] => (&[][..], None),
            [Token::List(list)] => (&list[..], None),
            [Token::Text(at)] => (&[][..], Some(at)),
            [Token::List(list), Token::Text(at)] => (&list[..], Some(at)),
            _ => return Err("BAD Invalid arguments of APPEND".to_owned()),
        };
        let flags = flag_names(list).ok_or("BAD Invalid flags")?;
        let at = match at {
            Some(at) => date_time(&String::from_utf8_lossy(at)).ok_or("BAD Invalid date")?,
            None => self.core.ground.now(),
        };
        let user = self.user.clone().unwrap_or_default();
        let mut state = self.core.state();
        let uid_plus = state.settings.can(Ability::UidPlus);
        let folder = state.folder_mut(&user, &name);
        let folder = folder.ok_or_else(|| format!("NO [TRYCREATE] Mailbox doesn't exist: {name}"))?;
        let uid = folder.add(Bytes::from(raw.clone()), flags, at);
        let code =
            if uid_plus { format!("[APPENDUID {} {uid}] ", folder.uid_validity) } else { String::new() };
        drop(state);
        self.core.ground.changed();
        Ok(Answer::ok(&format!("{code}Append completed")))
    }
}

/// Flags as they are kept; `None` for words that no flag is.
fn flag_names(list: &[Token]) -> Option<BTreeSet<String>> {
    const SYSTEM: [&str; 5] = ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"];
    let name = |token: &Token| {
        let Token::Atom(word) = token else { return None };
        if !word.starts_with('\\') {
            return Some(word.clone());
        }
        SYSTEM.iter().find(|name| name.eq_ignore_ascii_case(word)).map(|name| (*name).to_owned())
    };
    list.iter().map(name).collect()
}

//! What happened in the selected folder, told when it may be told.

use std::collections::BTreeSet;
use std::io;

use super::super::fault::ImapFault;
use super::super::settings::Ability;
use super::super::wire::LINE;
use super::parse::Request;
use super::{Expunges, Flow, INCONSISTENT, Selected, Session, Waits};

impl Session {
    /// Responses about what happened in the folder since the client was told last.
    pub(super) fn news(&mut self, expunges: Expunges) -> Vec<Vec<u8>> {
        let (Some(user), Some(selected)) = (&self.user, &mut self.selected) else { return Vec::new() };
        let mut state = self.core.state();
        let Some(folder) = state.folder_mut(user, &selected.name) else { return Vec::new() };
        if folder.uid_validity != selected.uid_validity {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if expunges == Expunges::Told {
            for place in (0..selected.uids.len()).rev() {
                if selected.uids.get(place).is_some_and(|uid| !folder.mails.contains_key(uid)) {
                    selected.uids.remove(place);
                    lines.push(format!("* {} EXPUNGE\r\n", place + 1));
                }
            }
        }
        let known: BTreeSet<u32> = selected.uids.iter().copied().collect();
        let fresh: Vec<u32> = folder.mails.keys().copied().filter(|uid| !known.contains(uid)).collect();
        for uid in &fresh {
            selected.recent.extend(folder.mails.get_mut(uid).filter(|mail| mail.recent).map(|mail| {
                mail.recent = false;
                *uid
            }));
        }
        if !fresh.is_empty() {
            selected.uids.extend(fresh);
            // A mail that a server takes in late stands at its place, not at the end.
            selected.uids.sort_unstable();
            lines.push(format!("* {} EXISTS\r\n", selected.uids.len()));
            lines.push(format!("* {} RECENT\r\n", selected.recent.len()));
        }
        for (place, uid) in selected.uids.iter().enumerate().filter(|(_, uid)| known.contains(uid)) {
            if let Some(mail) = folder.mails.get(uid).filter(|mail| mail.mod_seq > selected.mod_seq) {
                let flags: Vec<&str> = mail.flags.iter().map(String::as_str).collect();
                lines.push(format!("* {} FETCH (FLAGS ({}))\r\n", place + 1, flags.join(" ")));
            }
        }
        selected.mod_seq = folder.mod_seq;
        lines.into_iter().map(String::into_bytes).collect()
    }

    /// Whether the folder is no longer the one that was selected: real servers end the session then.
    pub(super) fn is_inconsistent(&self) -> bool {
        let (Some(user), Some(Selected { name, uid_validity, .. })) = (&self.user, &self.selected) else {
            return false;
        };
        let state = self.core.state();
        state.folder(user, name).is_none_or(|folder| folder.uid_validity != *uid_validity)
    }

    pub(super) async fn idle(&mut self, request: &Request, fault: Option<ImapFault>) -> io::Result<Flow> {
        if self.user.is_none() || !self.core.state().settings.can(Ability::Idle) {
            return self.ends_with(&request.tag, "BAD Unknown command").await;
        }
        self.wire.write("+ idling\r\n").await?;
        match &fault {
            Some(ImapFault::Close) => return Ok(Flow::Ends),
            Some(ImapFault::Bye(words)) => {
                self.wire.write(format!("* BYE {words}\r\n")).await?;
                return Ok(Flow::Ends);
            }
            _ => {}
        }
        self.waits(Waits::Idle);
        if fault == Some(ImapFault::Deaf) {
            self.wire.listens_for_nothing().await;
            return Ok(Flow::Ends);
        }
        let flow = self.pushes().await?;
        self.waits(Waits::No);
        if flow == Flow::Ends {
            return Ok(flow);
        }
        self.answer(request, Ok(super::Answer::ok("Idle completed")), fault).await
    }

    /// Tells what happens at once, until the client is done.
    async fn pushes(&mut self) -> io::Result<Flow> {
        let mut changes = self.core.ground.watch();
        loop {
            changes.mark_unchanged();
            if self.is_inconsistent() {
                self.wire.write(INCONSISTENT).await?;
                return Ok(Flow::Ends);
            }
            let news = self.news(Expunges::Told);
            if !news.is_empty() {
                self.wire.write(news.concat()).await?;
            }
            let line = tokio::select! {
                line = self.wire.line(LINE) => line?,
                // The sender lives in the ground, which outlives the session.
                _ = changes.changed() => continue,
            };
            let Some(line) = line else { return Ok(Flow::Ends) };
            if line.bytes.eq_ignore_ascii_case(b"DONE") {
                return Ok(Flow::Goes);
            }
            self.wire.write("* BAD Expected DONE.\r\n").await?;
        }
    }

    fn waits(&mut self, waits: Waits) {
        self.core.note(|state| match (self.waits, waits) {
            (Waits::No, Waits::Idle) => state.open.idling += 1,
            (Waits::Idle, Waits::No) => state.open.idling -= 1,
            _ => {}
        });
        self.waits = waits;
    }
}

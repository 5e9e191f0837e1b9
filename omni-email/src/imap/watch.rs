//! Listening to a mailbox: one connection waits at the first folder, another looks at the rest in turn.

use std::time::Duration;

use omni_core::channel::Sink;
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::event::{Event, Told};
use omni_core::{Cursor, Timestamp};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use crate::config::{First, Junk, Seen};
use crate::mailbox::Mailbox;
use crate::parse::event::Role;

use super::folder::{Folder, Folders, Open, Opened};
use super::mark::{Gap, Mark, Marks, TRIES};
use super::take::{self, Taken};
use super::told::Fetched;
use super::uids::Uids;
use super::wire::{Idle, Wire};

/// How long nothing must be told before a burst counts as over.
const SETTLE: Duration = Duration::from_millis(200);
/// How far back a folder is compared with what was taken of it, and how often.
const OVERLAP: Duration = Duration::from_secs(2 * 24 * 3600);
const SWEEP: Duration = Duration::from_secs(24 * 3600);
/// Clocks of servers differ from ours: mail this much older than the first look still counts as new when the folder's
/// UIDs changed.
const GRACE: Duration = Duration::from_secs(3600);
/// A session that lasted so long ended for a reason of its own (a token that ran out, a server that restarts): the
/// next one begins at once.
const HEALTHY: Duration = Duration::from_secs(60);
/// Before a session is begun again.
const BREATH: Duration = Duration::from_secs(1);
/// Listens until an error. See [`Inbound::listen`](omni_core::Inbound::listen).
pub(crate) async fn listen(mailbox: &Mailbox, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
    let marks = Mutex::new(Marks::read(from.as_ref()));
    let watch = Watch { mailbox, sink, marks: &marks };
    loop {
        let began = Instant::now();
        let error = match watch.session().await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        let passing =
            matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Unavailable);
        if !passing || began.elapsed() < HEALTHY {
            return Err(error);
        }
        debug!(%error, "the session ended; beginning another");
        sleep(BREATH).await;
    }
}

/// What never comes: a session ends with an error only.
enum Never {}

struct Watch<'a> {
    mailbox: &'a Mailbox,
    sink: &'a dyn Sink,
    marks: &'a Mutex<Marks>,
}

/// A folder that is watched.
struct Watched {
    folder: Folder,
    role: Role,
}

impl Watch<'_> {
    async fn session(&self) -> Result<Never> {
        let mut wire = self.mailbox.open().await?;
        let folders = Folders::list(&mut wire).await?;
        let mut watched = self.choose(&folders)?;
        let first = watched.remove(0);
        let others = async {
            if watched.is_empty() {
                return std::future::pending().await;
            }
            self.tour(watched).await
        };
        tokio::select! {
            ended = self.stay(wire, first) => ended,
            ended = others => ended,
        }
    }

    /// The folders of the settings, the first one first; then those of spam and of sent mail.
    fn choose(&self, folders: &Folders) -> Result<Vec<Watched>> {
        let config = &self.mailbox.config;
        let mut watched = Vec::new();
        for name in &config.folders {
            watched.push(Watched { folder: folders.named(name)?, role: Role::Inbox });
        }
        let junk = folders.junk().filter(|_| config.junk == Junk::Watch).map(|f| (f, Role::Junk));
        for (folder, role) in junk.into_iter().chain(folders.sent().map(|f| (f, Role::Sent))) {
            if watched.iter().all(|w| w.folder != folder) {
                watched.push(Watched { folder, role });
            }
        }
        Ok(watched)
    }

    /// Waits at one folder.
    async fn stay(&self, mut wire: Wire, watched: Watched) -> Result<Never> {
        let mut idles = wire.can("IDLE");
        let mut last_news = Instant::now();
        loop {
            let opened = wire.open_folder(&watched.folder, self.how(watched.role)).await?;
            self.catch_up(&mut wire, &watched, opened, Sweeping::Now).await?;
            // A folder whose UIDs changed under us is noticed when it is opened again: after every quiet wait.
            loop {
                self.sink.alive();
                if !wire.take_news() {
                    let wait = self.wait(&watched, idles, last_news).await;
                    let quiet = if idles {
                        match wire.idle(wait, SETTLE).await? {
                            Idle::News => false,
                            Idle::Quiet => true,
                            Idle::Refused => {
                                warn!(
                                    "the server refuses to be waited upon: its folder is looked at now and then"
                                );
                                idles = false;
                                continue;
                            }
                        }
                    } else {
                        sleep(wait).await;
                        wire.command("NOOP", "NOOP").await?;
                        !wire.take_news()
                    };
                    if quiet && idles {
                        break;
                    }
                    if !quiet {
                        last_news = Instant::now();
                    }
                }
                self.catch_up(&mut wire, &watched, opened, Sweeping::WhenDue).await?;
            }
        }
    }

    /// Looks at folders in turn.
    async fn tour(&self, watched: Vec<Watched>) -> Result<Never> {
        let mut wire = self.mailbox.open().await?;
        let mut sweeping = Sweeping::Now;
        loop {
            for one in &watched {
                let opened = wire.open_folder(&one.folder, self.how(one.role)).await?;
                self.catch_up(&mut wire, one, opened, sweeping).await?;
            }
            sweeping = Sweeping::WhenDue;
            sleep(self.mailbox.config.poll()).await;
        }
    }

    fn how(&self, role: Role) -> Open {
        match (self.mailbox.config.seen, role) {
            (Seen::WhenTaken, Role::Inbox) => Open::ToChange,
            _ => Open::ToRead,
        }
    }

    /// How long to wait: until something is due. Without IDLE a folder that was quiet for an hour is looked at less.
    async fn wait(&self, watched: &Watched, idles: bool, last_news: Instant) -> Duration {
        let config = &self.mailbox.config;
        let usual = match idles {
            true => config.idle(),
            false if last_news.elapsed() > Duration::from_secs(3600) => config.poll() * 5,
            false => config.poll(),
        };
        let due = self.marks.lock().await.get(&watched.folder.name).and_then(Mark::next_due);
        let now = self.mailbox.now();
        let until = due
            .map(|due| Duration::from_millis(due.as_millis().saturating_sub(now.as_millis()).max(0) as u64));
        until.map_or(usual, |until| until.clamp(Duration::from_secs(1), usual))
    }

    /// Takes everything that is new in an open folder.
    async fn catch_up(
        &self,
        wire: &mut Wire,
        watched: &Watched,
        opened: Opened,
        sweeping: Sweeping,
    ) -> Result<()> {
        let known = self.marks.lock().await.get(&watched.folder.name).cloned();
        match known {
            Some(mark) if mark.validity == opened.uid_validity => {}
            Some(mark) => self.renew(wire, watched, opened, &mark).await?,
            None => self.begin(wire, watched, opened).await?,
        }
        self.take_new(wire, watched).await?;
        let now = self.mailbox.now();
        let mark = self.mark(watched).await;
        if sweeping == Sweeping::Now || mark.swept + SWEEP <= now {
            self.sweep(wire, watched, mark).await?;
        }
        self.take_todo(wire, watched).await?;
        while let Some(gap) = self.mark(watched).await.due_gap(self.mailbox.now()) {
            self.retry(wire, watched, gap).await?;
        }
        Ok(())
    }

    async fn mark(&self, watched: &Watched) -> Mark {
        let marks = self.marks.lock().await;
        let none = || Mark::new(0, 0, Timestamp::default(), Timestamp::default());
        marks.get(&watched.folder.name).cloned().unwrap_or_else(none)
    }

    /// Makes events and a mark durable, in one transaction.
    async fn commit(&self, watched: &Watched, mark: Mark, events: Vec<Event>) -> Result<()> {
        // Held until it is durable: two folders move one cursor.
        let mut marks = self.marks.lock().await;
        let mut moved = marks.clone();
        moved.set(&watched.folder.name, mark);
        self.sink.commit(events, moved.cursor()).await?;
        *marks = moved;
        Ok(())
    }

    /// A folder is seen for the first time.
    async fn begin(&self, wire: &mut Wire, watched: &Watched, opened: Opened) -> Result<()> {
        let now = self.mailbox.now();
        let last = greatest(wire, opened).await?;
        let mut mark = Mark::new(opened.uid_validity, last, now, now);
        mark.taken = wire.search_since(now - OVERLAP).await?;
        if let (First::Days { days }, Role::Inbox) = (self.mailbox.config.first, watched.role) {
            mark.since = now - Duration::from_secs(u64::from(days) * 24 * 3600);
            let found = wire.search_since(mark.since).await?;
            mark.todo = found.iter().filter(|uid| *uid <= last).collect();
            mark.todo_is = Told::History;
            mark.taken = mark.taken.iter().filter(|uid| !mark.todo.has(*uid)).collect();
        }
        info!(
            folder = watched.folder.name,
            last,
            todo = mark.todo.len(),
            "the folder is watched from now on"
        );
        self.commit(watched, mark, Vec::new()).await
    }

    /// The folder's UIDs mean other mails now. What came lately is told again; the hub knows what it has.
    async fn renew(&self, wire: &mut Wire, watched: &Watched, opened: Opened, old: &Mark) -> Result<()> {
        let now = self.mailbox.now();
        // Read before the search: what comes meanwhile is behind it.
        let last = greatest(wire, opened).await?;
        let found = wire.search_since(old.newest - OVERLAP).await?;
        let mut mark = Mark::new(opened.uid_validity, last, old.since, now);
        mark.newest = old.newest;
        mark.todo = found.iter().filter(|uid| *uid <= last).collect();
        warn!(
            folder = watched.folder.name,
            old = old.validity,
            new = opened.uid_validity,
            again = mark.todo.len(),
            "the folder's UIDs changed: its last days are compared with what was taken"
        );
        self.commit(watched, mark, Vec::new()).await
    }

    /// Compares the last days with what was taken: some servers put mails among older ones.
    async fn sweep(&self, wire: &mut Wire, watched: &Watched, mut mark: Mark) -> Result<()> {
        let now = self.mailbox.now();
        let found = wire.search_since(now - OVERLAP).await?;
        let late = mark.unknown(&found);
        if !late.is_empty() {
            info!(folder = watched.folder.name, mails = late.len(), "mails lie among older ones");
            late.iter().for_each(|uid| mark.todo.add(uid));
        }
        mark.taken.retain(&found);
        mark.swept = now;
        self.commit(watched, mark, Vec::new()).await
    }

    /// Takes what lies behind the mark.
    async fn take_new(&self, wire: &mut Wire, watched: &Watched) -> Result<()> {
        loop {
            let last = self.mark(watched).await.last;
            let Some(next) = last.checked_add(1) else { return Ok(()) };
            // `n:*` always holds the last mail, also below n (RFC 3501, 6.4.8).
            let mut mails = wire.sizes(&format!("{next}:*")).await?;
            mails.retain(|mail| mail.uid.is_some_and(|uid| uid > last));
            if mails.is_empty() {
                return Ok(());
            }
            self.take_all(wire, watched, mails, Told::Live).await?;
        }
    }

    /// Takes what was left behind the mark, the oldest first.
    async fn take_todo(&self, wire: &mut Wire, watched: &Watched) -> Result<()> {
        loop {
            let mut mark = self.mark(watched).await;
            let step: Uids = mark.todo.iter().take(super::folder::PER_COMMAND).collect();
            if step.is_empty() {
                return Ok(());
            }
            let told = mark.todo_is;
            let mut mails = wire.sizes(&step.to_set()).await?;
            // What is gone by now, and what the server took before we were there, is not ours to tell.
            let ours = |mail: &Fetched| mail.internal_date.is_none_or(|date| date + GRACE >= mark.since);
            mails.retain(|mail| ours(mail) && mail.uid.is_some_and(|uid| step.has(uid)));
            let there: Uids = mails.iter().filter_map(|mail| mail.uid).collect();
            if there.len() < step.len() {
                step.iter().filter(|uid| !there.has(*uid)).for_each(|uid| mark.done(uid));
                self.commit(watched, mark, Vec::new()).await?;
            }
            self.take_all(wire, watched, mails, told).await?;
        }
    }

    /// Fetches mails and tells of them, step by step, each step durable before the next.
    async fn take_all(
        &self,
        wire: &mut Wire,
        watched: &Watched,
        mails: Vec<Fetched>,
        told: Told,
    ) -> Result<()> {
        let mut rest = mails.as_slice();
        while !rest.is_empty() {
            let careful = self.mark(watched).await.careful;
            let (step, after) = rest.split_at(take::step(rest, careful, self.mailbox.config.max_whole));
            rest = after;
            self.take_step(wire, watched, step, told).await?;
        }
        Ok(())
    }

    async fn take_step(
        &self,
        wire: &mut Wire,
        watched: &Watched,
        step: &[Fetched],
        told: Told,
    ) -> Result<()> {
        let uids: Uids = step.iter().filter_map(|mail| mail.uid).collect();
        let mut mark = self.mark(watched).await;
        let taken = match take::fetch(wire, self.mailbox, &watched.folder, mark.validity, step).await {
            Ok(taken) => taken,
            Err(error) => return self.stumbled(watched, mark, &uids, error).await,
        };
        let (mut events, mut seen, now) = (Vec::new(), Vec::new(), self.mailbox.now());
        for (fetched, taken) in step.iter().zip(taken) {
            let Some(uid) = fetched.uid else { continue };
            match taken {
                Taken::Mail(raw) => {
                    mark.newest = mark.newest.max(raw.internal_date.unwrap_or(mark.newest)).min(now);
                    events.extend(self.mailbox.events(&raw, watched.role, told));
                    seen.push(uid);
                    mark.done(uid);
                }
                Taken::Gone => mark.done(uid),
                Taken::Nothing => mark.failed(uid, now),
            }
        }
        self.commit(watched, mark, events).await?;
        // A session that took mails was none that failed, however it ends.
        self.sink.alive();
        if self.how(watched.role) == Open::ToChange && !seen.is_empty() {
            wire.add_flag(&seen.into_iter().collect(), "\\Seen").await?;
        }
        Ok(())
    }

    /// A step failed. Its mails are fetched one by one the next time; one that fails alone is left for later.
    async fn stumbled(&self, watched: &Watched, mut mark: Mark, uids: &Uids, error: Error) -> Result<()> {
        let greatest = uids.iter().last().unwrap_or_default();
        if greatest > mark.careful {
            mark.careful = greatest;
        } else {
            warn!(folder = watched.folder.name, uid = greatest, %error, "the mail cannot be fetched; the others go on");
            uids.iter().for_each(|uid| mark.failed(uid, self.mailbox.now()));
        }
        self.commit(watched, mark, Vec::new()).await?;
        // The connection may be out of step.
        Err(error)
    }

    /// Tries a mail again that could not be fetched.
    async fn retry(&self, wire: &mut Wire, watched: &Watched, gap: Gap) -> Result<()> {
        let mut mark = self.mark(watched).await;
        if gap.tries >= TRIES {
            warn!(folder = watched.folder.name, uid = gap.uid, "the mail is told as unreadable");
            mark.done(gap.uid);
            let raw = take::unreadable(&watched.folder, mark.validity, gap.uid);
            let events = self.mailbox.events(&raw, watched.role, Told::Live);
            return self.commit(watched, mark, events).await;
        }
        let mails = wire.sizes(&gap.uid.to_string()).await?;
        if mails.is_empty() {
            mark.done(gap.uid);
            return self.commit(watched, mark, Vec::new()).await;
        }
        self.take_step(wire, watched, &mails, Told::Live).await
    }
}

/// Whether the last days are compared with what was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweeping {
    /// Once a day.
    WhenDue,
    /// Now: the connection is new, and who knows what was missed.
    Now,
}

/// The greatest UID of a folder. Some servers never say which is next.
async fn greatest(wire: &mut Wire, opened: Opened) -> Result<u32> {
    if let Some(next) = opened.uid_next {
        return Ok(next.saturating_sub(1));
    }
    if opened.exists == 0 {
        return Ok(0);
    }
    let last = wire.sizes("*").await?;
    Ok(last.iter().filter_map(|mail| mail.uid).max().unwrap_or(0))
}

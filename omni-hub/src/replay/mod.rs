//! A dry run: a recorded log under a changed policy, and what would have been different.

mod shadow;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use omni_core::channel::Channel;
use omni_core::conversation::{Actor, CloseReason, Owner};
use omni_core::id::{ChannelId, TenantId};
use omni_core::policy::book::BadBook;
use omni_core::policy::{Book, ClockKind, ClockNews, Engines, Trace};
use omni_core::{Address, Content, Timestamp};
use serde::{Deserialize, Serialize};

use crate::hub::{Hub, HubError};
use crate::store::{Entry, StoreError};
use shadow::Shadow;

/// A recorded log, to be run again under one policy and another. Nothing is sent, nothing is stored: the decisions are
/// those of the hub, made in memory and in the time of the log.
///
/// What people, customers and providers did comes from the log: messages, answers, takes, closings, presence, bots'
/// answers. What rules did is decided anew. A log that begins in the middle of a conversation is taken up where it
/// begins. A status that says an automatic text of the log failed is left out: the other policy may not have sent it.
#[derive(Debug)]
pub struct Replay<'e> {
    tenant: TenantId,
    entries: &'e [Entry],
    channels: BTreeMap<ChannelId, Arc<dyn Channel>>,
    until: Option<Timestamp>,
}

/// Why a dry run could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The book cannot be used.
    #[error(transparent)]
    Book(#[from] BadBook),
    /// The store in memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Something that a rule did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Over which channel.
    pub channel: ChannelId,
    /// In the conversation with whom.
    pub address: Address,
    /// What.
    pub what: What,
    /// Why.
    pub why: Trace,
}

/// What a rule did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// It said something.
    Said {
        /// What.
        content: Content,
        /// In whose name.
        by: Actor,
    },
    /// It would have said something, and did not.
    Dropped,
    /// It gave the conversation to somebody.
    Assigned {
        /// To whom.
        to: Owner,
    },
    /// It closed the conversation.
    Closed {
        /// Why.
        reason: CloseReason,
    },
    /// It labelled the conversation.
    Tagged {
        /// With what.
        tag: String,
    },
    /// It left words for the agents.
    Noted {
        /// What.
        text: String,
    },
    /// It told the host something.
    Notified {
        /// Under which topic.
        topic: String,
        /// What.
        text: String,
    },
    /// A promised time began, stood still, was met or was not.
    Clock {
        /// Which.
        clock: ClockKind,
        /// What became of it.
        news: ClockNews,
    },
}

/// What two policies make of one log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Deeds that both do, at the same time.
    pub same: usize,
    /// What only the former policy does.
    pub gone: Vec<Deed>,
    /// What only the changed one does.
    pub new: Vec<Deed>,
}

impl<'e> Replay<'e> {
    /// A log of a tenant, in the order of its numbers.
    pub fn new(tenant: impl Into<TenantId>, entries: &'e [Entry]) -> Self {
        Self { tenant: tenant.into(), entries, channels: BTreeMap::new(), until: None }
    }

    /// With a channel of the log: what it can send decides what goes out. Entries of channels that are not given are left
    /// out.
    #[must_use]
    pub fn channel(mut self, id: impl Into<ChannelId>, channel: Arc<dyn Channel>) -> Self {
        self.channels.insert(id.into(), channel);
        self
    }

    /// Runs on to a time after the end of the log, for what would have fallen due.
    #[must_use]
    pub fn until(mut self, at: Timestamp) -> Self {
        self.until = Some(at);
        self
    }

    /// What the rules of a book make of the log, in order of time.
    ///
    /// # Errors
    /// [`ReplayError::Book`] with all that is wrong with it.
    pub async fn under(&self, book: Book) -> Result<Vec<Deed>, ReplayError> {
        let mut shadow = Shadow::new(&self.tenant, &Engines::new(book)?, &self.channels);
        for entry in self.entries.iter().filter(|e| e.tenant == self.tenant) {
            shadow.go_on_to(entry.at).await?;
            shadow.take(entry).await?;
        }
        if let Some(until) = self.until {
            shadow.go_on_to(until).await?;
        }
        Ok(shadow.deeds)
    }

    /// What a changed book would have done otherwise.
    ///
    /// # Errors
    /// As [`Replay::under`].
    pub async fn compare(&self, former: Book, changed: Book) -> Result<Difference, ReplayError> {
        Ok(Difference::of(self.under(former).await?, self.under(changed).await?))
    }
}

impl Hub {
    /// A dry run of a tenant's changed book over a part of the log, against the book it has now, with the channels that
    /// are connected.
    ///
    /// # Errors
    /// [`ReplayError`], with all that is wrong with the changed book.
    pub async fn dry_run(
        &self,
        tenant: &TenantId,
        entries: &[Entry],
        changed: Book,
    ) -> Result<Difference, ReplayError> {
        let mut replay = Replay::new(tenant.clone(), entries);
        for key in self.inner.channels().into_iter().filter(|key| key.tenant == *tenant) {
            if let Some(channel) = self.channel(&key) {
                replay = replay.channel(key.channel, channel);
            }
        }
        let former = self.book(tenant).map(|book| Book::clone(&book)).unwrap_or_default();
        replay.compare(former, changed).await
    }

    /// A part of the host event log, from behind a number on: what a dry run reads.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, HubError> {
        Ok(self.inner.store.entries(after, limit).await?)
    }
}

impl Difference {
    fn of(former: Vec<Deed>, changed: Vec<Deed>) -> Self {
        let mut difference = Self { new: changed, ..Self::default() };
        for deed in former {
            // Why it was done may read otherwise under another policy; what was done is compared.
            let same = |d: &Deed| {
                (d.at, &d.channel, &d.address, &d.what) == (deed.at, &deed.channel, &deed.address, &deed.what)
            };
            match difference.new.iter().position(same) {
                Some(at) => {
                    difference.new.remove(at);
                    difference.same += 1;
                }
                None => difference.gone.push(deed),
            }
        }
        difference
    }

    /// Whether the policies do the same.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty()
    }
}

impl fmt::Display for Difference {
    /// One line a deed, `-` for those that are gone and `+` for new ones, in order of time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gone = self.gone.iter().map(|deed| ('-', deed));
        let new = self.new.iter().map(|deed| ('+', deed));
        let mut all: Vec<(char, &Deed)> = gone.chain(new).collect();
        all.sort_by_key(|(sign, deed)| (deed.at, *sign != '-'));
        for (sign, deed) in all {
            writeln!(f, "{sign} {deed}")?;
        }
        writeln!(f, "{} gone, {} new, {} the same", self.gone.len(), self.new.len(), self.same)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}: ", self.at, self.channel, self.address)?;
        match &self.what {
            What::Said { content, .. } => write!(f, "says {:?}", content.preview()),
            What::Dropped => f.write_str("drops a text"),
            What::Assigned { to } => match to {
                Owner::Nobody => f.write_str("gives it to nobody"),
                Owner::Agent { agent } => write!(f, "gives it to {agent}"),
                Owner::Team { team } => write!(f, "gives it to the team {team}"),
                Owner::Bot { bot } => write!(f, "gives it to the bot {bot}"),
                other => write!(f, "gives it to {other:?}"),
            },
            What::Closed { reason } => write!(f, "closes it, {reason:?}"),
            What::Tagged { tag } => write!(f, "labels it {tag:?}"),
            What::Noted { text } => write!(f, "notes {text:?}"),
            What::Notified { topic, text } => write!(f, "tells the host {topic:?}: {text}"),
            What::Clock { clock, news } => write!(f, "{}: {news:?}", clock.as_str()),
        }
    }
}

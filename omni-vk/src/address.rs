//! What is in a VK [`Address`].

use omni_core::error::ErrorKind;
use omni_core::{Address, Error, Result};

/// Chats of several people begin here; below are people, below zero communities.
/// <https://dev.vk.com/method/messages.send>, `peer_id` (read 2026-11)
pub(crate) const FIRST_CHAT: i64 = 2_000_000_000;

/// Where to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VkAddress {
    /// Private messages or a chat, by `peer_id`: `50112233`.
    Peer(i64),
    /// Comments: `wall-123456_310?from=50112233&thread=412`.
    Comments(Comments),
}

/// One person's comments in one thread under something.
///
/// Two people under one post are two talks, so the person is a part of it. Under a post the thread is one too: it
/// is where an answer is seen, when no certain comment is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comments {
    /// Under what.
    pub(crate) subject: Subject,
    /// Whose comments; `None` for what the community says to nobody.
    pub(crate) from: Option<i64>,
    /// The outermost comment, under posts.
    pub(crate) thread: Option<i64>,
}

/// Something that can be commented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) kind: SubjectKind,
    /// Below zero for a community.
    pub(crate) owner: i64,
    pub(crate) id: i64,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    /// Goods.
    Market,
    /// A picture.
    Photo,
    /// A topic of the community's board.
    Topic,
    /// A film.
    Video,
    /// A post.
    Wall,
}

impl SubjectKind {
    const ALL: [Self; 5] = [Self::Market, Self::Photo, Self::Topic, Self::Video, Self::Wall];

    /// As VK writes it in the addresses of its pages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Photo => "photo",
            Self::Topic => "topic",
            Self::Video => "video",
            Self::Wall => "wall",
        }
    }
}

impl Subject {
    /// As VK names it: `wall-123456_310`.
    pub(crate) fn name(&self) -> String {
        format!("{}{}_{}", self.kind.name(), self.owner, self.id)
    }

    /// Its page.
    pub(crate) fn page(&self) -> String {
        match self.kind {
            SubjectKind::Market => {
                format!("https://vk.com/market{0}?w=product{0}_{1}", self.owner, self.id)
            }
            _ => format!("https://vk.com/{}", self.name()),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let name = |kind: &SubjectKind| text.strip_prefix(kind.name()).map(|rest| (*kind, rest));
        let (kind, rest) = SubjectKind::ALL.iter().find_map(name)?;
        let (owner, id) = rest.split_once('_')?;
        Some(Self { kind, owner: owner.parse().ok()?, id: id.parse().ok()? })
    }
}

impl VkAddress {
    /// Whether several people read along.
    pub(crate) fn is_shared(&self) -> bool {
        match self {
            Self::Peer(peer) => *peer >= FIRST_CHAT,
            Self::Comments(_) => true,
        }
    }

    /// The peer; comments have none.
    pub(crate) fn peer(&self, operation: &'static str) -> Result<i64> {
        match self {
            Self::Peer(peer) => Ok(*peer),
            Self::Comments(_) => Err(Error::unsupported(operation)
                .with_text("comments are answered, and nothing else can be done to them")),
        }
    }
}

impl From<VkAddress> for Address {
    fn from(address: VkAddress) -> Address {
        match address {
            VkAddress::Peer(peer) => Address::new(peer.to_string()),
            VkAddress::Comments(Comments { subject, from, thread }) => {
                let mut written = Address::new(subject.name());
                if let Some(from) = from {
                    written = written.with("from", from.to_string());
                }
                if let Some(thread) = thread {
                    written = written.with("thread", thread.to_string());
                }
                written
            }
        }
    }
}

impl TryFrom<&Address> for VkAddress {
    type Error = Error;

    fn try_from(address: &Address) -> Result<Self> {
        let main = address.main();
        let part = |name| address.part(name).map(|value| number(&value)).transpose();
        if let Some(subject) = Subject::read(&main) {
            return Ok(Self::Comments(Comments { subject, from: part("from")?, thread: part("thread")? }));
        }
        match number(&main)? {
            0 => Err(foreign()),
            peer => Ok(Self::Peer(peer)),
        }
    }
}

fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| foreign())
}

fn foreign() -> Error {
    Error::new(ErrorKind::NotFound, "address")
        .with_text("not a VK address")
        .with_advice("use the address of an event, or the number of a person or chat (peer_id)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_being_written() {
        for kind in SubjectKind::ALL {
            let subject = Subject { kind, owner: -123_456, id: 310 };
            for (from, thread) in [(Some(50_112_233), Some(412)), (Some(50_112_233), None), (None, None)] {
                let whole = VkAddress::Comments(Comments { subject, from, thread });
                let written = Address::from(whole);
                assert_eq!(VkAddress::try_from(&written).unwrap(), whole, "{written}");
            }
        }
        for peer in [50_112_233, FIRST_CHAT + 7, -654_321] {
            let written = Address::from(VkAddress::Peer(peer));
            assert_eq!(written.to_string(), peer.to_string());
            assert_eq!(VkAddress::try_from(&written).unwrap(), VkAddress::Peer(peer));
        }
    }

    #[test]
    fn comments_are_written_as_vk_names_their_subject() {
        let subject = Subject { kind: SubjectKind::Wall, owner: -123_456, id: 310 };
        let address = VkAddress::Comments(Comments { subject, from: Some(50_112_233), thread: Some(412) });
        assert_eq!(Address::from(address).to_string(), "wall-123456_310?from=50112233&thread=412");
        assert_eq!(subject.page(), "https://vk.com/wall-123456_310");
    }

    #[test]
    fn an_address_of_another_channel_is_refused() {
        for foreign in
            ["ivan@example.com", "", "?", "0", "12a", "wall", "wall-1", "wall_1", "wall-1_2?from=x"]
        {
            let error = VkAddress::try_from(&foreign.parse::<Address>().unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{foreign}");
        }
    }
}

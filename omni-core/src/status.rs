//! How far an outgoing message has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far an outgoing message has come. It only rises: see [`Status::merge`] (law 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Waits in the outbox.
    Queued,
    /// Handed to the connector; the answer is awaited.
    Sending,
    /// The answer was lost: it may have been sent or not. Never repeated blindly (law 5).
    Unknown,
    /// The provider took it.
    Accepted,
    /// The provider says it went out to the person.
    Sent,
    /// It reached the person's device.
    Delivered,
    /// The person saw it.
    Read,
    /// The provider refused it or gave up. Terminal, unless the provider itself proves delivery later.
    Failed,
    /// It was not delivered within its time. Terminal like [`Status::Failed`].
    Expired,
    /// It was never handed over: an automatic text somebody overtook (law 7), or a person took it back.
    Dropped,
}

impl Status {
    /// The status after hearing `news`.
    ///
    /// - A late or repeated callback never lowers it.
    /// - `Failed` and `Expired` yield to `Delivered` and `Read` only: those prove delivery.
    /// - `Delivered` and `Read` never yield to a failure.
    /// - The result does not depend on the order in which callbacks of one message arrive.
    #[must_use]
    pub fn merge(self, news: Status) -> Status {
        if news.rank() > self.rank() { news } else { self }
    }

    /// Whether nothing more will be done by us for the message.
    pub fn is_settled(self) -> bool {
        !matches!(self, Status::Queued | Status::Sending | Status::Unknown)
    }

    /// Whether it ended without reaching the person, as far as known.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Failed | Status::Expired)
    }

    /// A total order for stores: a higher rank wins a merge.
    pub fn rank(self) -> u8 {
        match self {
            Status::Queued => 0,
            Status::Sending => 1,
            Status::Unknown => 2,
            Status::Accepted => 3,
            Status::Sent => 4,
            Status::Dropped => 5,
            Status::Expired => 6,
            Status::Failed => 7,
            Status::Delivered => 8,
            Status::Read => 9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; 10] = [
        Status::Queued,
        Status::Sending,
        Status::Unknown,
        Status::Accepted,
        Status::Sent,
        Status::Delivered,
        Status::Read,
        Status::Failed,
        Status::Expired,
        Status::Dropped,
    ];

    #[test]
    fn late_delivered_does_not_overwrite_read() {
        assert_eq!(Status::Read.merge(Status::Delivered), Status::Read);
        assert_eq!(Status::Delivered.merge(Status::Sent), Status::Delivered);
    }

    #[test]
    fn failure_is_terminal_unless_delivery_is_proved() {
        assert_eq!(Status::Failed.merge(Status::Sent), Status::Failed);
        assert_eq!(Status::Failed.merge(Status::Delivered), Status::Delivered);
        assert_eq!(Status::Expired.merge(Status::Read), Status::Read);
        assert_eq!(Status::Read.merge(Status::Failed), Status::Read);
    }

    #[test]
    fn the_order_of_callbacks_does_not_matter() {
        for a in ALL {
            for b in ALL {
                for c in ALL {
                    assert_eq!(a.merge(b).merge(c), a.merge(c).merge(b), "{a:?} {b:?} {c:?}");
                    assert_eq!(a.merge(a), a);
                }
            }
        }
    }
}

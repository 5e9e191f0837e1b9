//! Statuses only rise (law 6).

use omni_core::Status;
use omni_core::error::{ErrorKind, ErrorReport, Fault};
use omni_core::id::{MessageId, ProviderMessageId};
use omni_hub::Store;
use omni_hub::store::{Changes, Lookup, MessageRecord, StatusPatch, Target};

use super::Fresh;
use super::fixture::*;

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

fn report(code: &str) -> ErrorReport {
    ErrorReport {
        kind: ErrorKind::ContentRejected,
        fault: Fault::Caller,
        code: Some(code.to_owned()),
        text: None,
        advice: None,
    }
}

async fn news(
    store: &dyn Store,
    message: MessageId,
    status: Status,
    ids: &[&str],
    error: Option<ErrorReport>,
) {
    let provider_ids: Vec<ProviderMessageId> = ids.iter().map(|id| ProviderMessageId::from(*id)).collect();
    let patch = StatusPatch { message, status, provider_ids, error };
    write(store, move || Changes { statuses: vec![patch.clone()], ..Changes::default() }).await;
}

async fn read(store: &dyn Store, id: MessageId) -> MessageRecord {
    match ok(store.message(id).await) {
        Some(message) => message,
        None => panic!("the message is gone"),
    }
}

/// Every status after every other one.
pub async fn a_status_never_falls(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    for old in ALL {
        for new in ALL {
            let message = make.outgoing(&conversation, old);
            say(&*fresh.store, std::slice::from_ref(&message)).await;
            news(&*fresh.store, message.id, new, &[], None).await;
            let status = read(&*fresh.store, message.id).await.status;
            assert_eq!(status, Some(old.merge(new)), "{old:?} then {new:?}");
        }
    }
}

/// It comes and goes with the status it explains.
pub async fn an_error_is_that_of_the_status(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let message = make.outgoing(&conversation, Status::Sending);
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    let steps = [
        (Status::Unknown, Some("lost"), Some("lost")),
        (Status::Sending, Some("late"), Some("lost")),
        (Status::Failed, Some("refused"), Some("refused")),
        (Status::Failed, Some("again"), Some("refused")),
        (Status::Delivered, None, None),
        (Status::Failed, Some("late"), None),
    ];
    for (status, told, expected) in steps {
        news(&*fresh.store, message.id, status, &[], told.map(report)).await;
        let error = read(&*fresh.store, message.id).await.error;
        assert_eq!(error, expected.map(report), "after {status:?} {told:?}");
    }
}

/// A message is changed from an older look at it: what became of it meanwhile stands.
pub async fn a_changed_message_keeps_its_status(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let message = make.outgoing(&conversation, Status::Sending);
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    news(&*fresh.store, message.id, Status::Failed, &["7"], Some(report("refused"))).await;
    let old = MessageRecord { reactions: vec![("1".to_owned(), "👍".to_owned())], ..message.clone() };
    write(&*fresh.store, move || Changes { changed_messages: vec![old.clone()], ..Changes::default() }).await;
    let stored = read(&*fresh.store, message.id).await;
    assert_eq!((stored.status, stored.error), (Some(Status::Failed), Some(report("refused"))));
    assert_eq!(stored.reactions.len(), 1);
}

/// The names are found by later news, and stay when news bring none.
pub async fn news_may_name_a_message(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let message = make.outgoing(&conversation, Status::Sending);
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    news(&*fresh.store, message.id, Status::Accepted, &["7", "8"], None).await;
    news(&*fresh.store, message.id, Status::Read, &[], None).await;
    for id in ["7", "8"] {
        let lookup = Lookup::Provider(ProviderMessageId::from(id));
        let seen = look(&*fresh.store, Target::Peer(peer("1")), vec![lookup]).await;
        assert_eq!(seen.messages.iter().map(|m| m.id).collect::<Vec<_>>(), [message.id]);
        assert_eq!(seen.messages.first().map(|m| m.provider_ids.len()), Some(2));
    }
}

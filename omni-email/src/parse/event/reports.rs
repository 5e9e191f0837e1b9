//! Reports as events: news of the message they are about, or of nothing we know.

use omni_core::Status;
use omni_core::error::ErrorReport;
use omni_core::event::{Event, EventBody, MessageName, StatusNews};

use super::Context;
use crate::mail::Mailbox;
use crate::parse::report::{Delivery, Recipient, Report};

impl Context<'_> {
    /// What a report tells. It never begins a talk, and what it says of somebody else's mail concerns nobody here.
    pub(super) fn reports(&self, report: &Report) -> Vec<Event> {
        let event = match report {
            Report::Delivery(delivery) => self.delivery(report, delivery),
            Report::Receipt(receipt) => self.news(report, receipt.status(), None, "receipt"),
            Report::Complaint(_) => self.unsupported("complaint"),
        };
        vec![event]
    }

    fn delivery(&self, report: &Report, delivery: &Delivery) -> Event {
        let reached = match recipient(delivery) {
            Ok(reached) => reached,
            Err(OfCopy) => return self.unsupported("delivery report of a copy"),
        };
        let told = reached.map(|recipient| (recipient.action.status(), recipient.error()));
        match told {
            Some((Some(status), error)) => {
                self.news(report, status, error.map(|e| e.report()), "delivery report")
            }
            // It is still being tried, or nobody says what became of it.
            _ => self.unsupported("delivery report without a result"),
        }
    }

    fn news(&self, report: &Report, status: Status, error: Option<ErrorReport>, what: &str) -> Event {
        match self.about(report) {
            Some(message) => {
                let body = EventBody::Status(StatusNews { message, status, error });
                self.event(self.id(), body)
            }
            None => self.unsupported(&format!("{what} of a mail that is not ours")),
        }
    }

    /// The message it is about: one of ours, or one that somebody sent from the mailbox with another program.
    fn about(&self, report: &Report) -> Option<MessageName> {
        let original = report.original();
        if let Some(id) = original.ids.iter().find_map(|id| self.ours.message(id)) {
            return Some(MessageName::Ours(id));
        }
        if original.ids.is_empty()
            && let Some(id) = report.ours()
        {
            return Some(MessageName::Ours(id)); // by the ENVID that we gave
        }
        let from = original.headers.get("from")?;
        let from = Mailbox { name: None, address: from.to_owned() };
        let id = original.headers.get("message-id").and_then(super::thread::normal_id)?;
        self.ours.is(&from).then(|| MessageName::Provider(id.into()))
    }
}

/// What a report says is about those in copy alone.
struct OfCopy;

/// The recipient whose fate is that of the message: the one it was written to, not one in copy. Where a mailbox handed it
/// on to another, the report names the other.
fn recipient(delivery: &Delivery) -> Result<Option<&Recipient>, OfCopy> {
    let holds = |header: &str, one: &Recipient| {
        let told = [Some(&one.address), one.original_address.as_ref()];
        let mut told = told.into_iter().flatten().filter(|address| !address.is_empty());
        let values = || delivery.original.headers.all(header);
        told.any(|address| values().any(|v| v.to_lowercase().contains(&address.to_lowercase())))
    };
    let all = &delivery.recipients;
    if let Some(main) = all.iter().find(|one| holds("to", one)) {
        return Ok(Some(main));
    }
    if !all.is_empty() && all.iter().all(|one| holds("cc", one)) {
        return Err(OfCopy);
    }
    Ok(delivery.worst())
}

//! Keeping to a channel's limits, by scope (law 10).
//!
//! The generic cell rate algorithm over the hub's own clock. Ready-made crates measure with the processor's
//! counter relative to the start of the process, so their state can neither be moved by a test clock nor be
//! compared across nodes; this is small enough to own. Each node paces for itself: on several nodes the
//! provider's retry-after, which moves the whole scope, is what brings them together.

use std::collections::HashMap;

use omni_core::capability::{Capabilities, Rate, RateChats};
use omni_core::error::RateScope;
use omni_core::event::ChatKind;
use omni_core::{Address, Timestamp};

/// What one channel may send, and when.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    account_rates: Vec<Rate>,
    private_rates: Vec<Rate>,
    group_rates: Vec<Rate>,
    account: Scope,
    chats: HashMap<Address, Scope>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    /// Theoretical arrival time of the next send, in microseconds: a thousand sends a second still count.
    arrival: i64,
    blocked_until: Timestamp,
}

impl Scope {
    /// When one more may go, at the earliest; now or before means at once.
    fn ready_at(&self, rates: &[Rate]) -> Timestamp {
        let Some(slack) = rates.iter().map(|r| micros(r) * i64::from(r.burst.saturating_sub(1))).min() else {
            return self.blocked_until;
        };
        // Rounded up to whole milliseconds: a clock that counts in them must find the time reached.
        let free = Timestamp::from_millis((self.arrival - slack + 999).div_euclid(1000));
        free.max(self.blocked_until)
    }

    fn spend(&mut self, rates: &[Rate], now: Timestamp) {
        if let Some(every) = rates.iter().map(micros).max() {
            self.arrival = self.arrival.max(now.as_millis().saturating_mul(1000)).saturating_add(every);
        }
    }
}

fn micros(rate: &Rate) -> i64 {
    i64::try_from(rate.every.as_micros()).unwrap_or(i64::MAX)
}

impl Pacer {
    /// A pacer for a channel's declared limits.
    pub(crate) fn new(capabilities: &Capabilities) -> Self {
        let mut pacer = Self::default();
        pacer.renew(capabilities);
        pacer
    }

    /// Another channel has the name: its limits hold from now on, and the pauses of the former one end. What was
    /// spent stays spent: it may be the same account.
    pub(crate) fn renew(&mut self, capabilities: &Capabilities) {
        let of = |scope, chats| {
            let fits = move |r: &&Rate| r.scope == scope && (r.chats == RateChats::All || r.chats == chats);
            capabilities.rates.iter().filter(fits).copied().collect()
        };
        self.account_rates = of(RateScope::Account, RateChats::All);
        self.private_rates = of(RateScope::Chat, RateChats::Private);
        self.group_rates = of(RateScope::Chat, RateChats::Groups);
        self.account.blocked_until = Timestamp::default();
        for chat in self.chats.values_mut() {
            chat.blocked_until = Timestamp::default();
        }
    }

    fn chat_rates(&self, chat: ChatKind) -> &[Rate] {
        if chat == ChatKind::Private { &self.private_rates } else { &self.group_rates }
    }

    /// When one more may go to the address, at the earliest.
    pub(crate) fn ready_at(&self, address: &Address, chat: ChatKind) -> Timestamp {
        let ready = self.account_ready_at();
        match self.chats.get(address) {
            Some(scope) => ready.max(scope.ready_at(self.chat_rates(chat))),
            None => ready,
        }
    }

    /// When anything may go, at the earliest.
    pub(crate) fn account_ready_at(&self) -> Timestamp {
        self.account.ready_at(&self.account_rates)
    }

    /// Takes note of a send.
    pub(crate) fn spend(&mut self, address: &Address, chat: ChatKind, now: Timestamp) {
        self.account.spend(&self.account_rates, now);
        let rates = if chat == ChatKind::Private { &self.private_rates } else { &self.group_rates };
        if !rates.is_empty() {
            self.chats.entry(address.clone()).or_default().spend(rates, now);
        }
    }

    /// The provider asked for a pause of a scope.
    pub(crate) fn block(&mut self, scope: RateScope, address: &Address, until: Timestamp) {
        let scope = match scope {
            RateScope::Chat => self.chats.entry(address.clone()).or_default(),
            _ => &mut self.account,
        };
        scope.blocked_until = scope.blocked_until.max(until);
    }

    /// Forgets chats that may send freely again, so that memory does not grow with their number.
    pub(crate) fn forget_idle(&mut self, now: Timestamp) {
        let idle = now.as_millis().saturating_mul(1000);
        self.chats.retain(|_, scope| scope.arrival > idle || scope.blocked_until > now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn capabilities() -> Capabilities {
        let rate = |scope, burst, millis| Rate {
            scope,
            chats: RateChats::All,
            burst,
            every: Duration::from_millis(millis),
        };
        let mut capabilities = Capabilities::default();
        capabilities.rates = vec![rate(RateScope::Account, 3, 100), rate(RateScope::Chat, 1, 1000)];
        capabilities
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    #[test]
    fn a_burst_goes_and_then_one_at_a_time() {
        let mut pacer = Pacer::new(&capabilities());
        for chat in ["1", "2", "3"] {
            let address = Address::new(chat);
            assert!(pacer.ready_at(&address, ChatKind::Private) <= at(0), "{chat}");
            pacer.spend(&address, ChatKind::Private, at(0));
        }
        assert_eq!(pacer.ready_at(&Address::new("4"), ChatKind::Private), at(100));
    }

    #[test]
    fn one_chat_waits_while_another_goes() {
        let mut pacer = Pacer::new(&capabilities());
        pacer.spend(&Address::new("1"), ChatKind::Private, at(0));
        assert_eq!(pacer.ready_at(&Address::new("1"), ChatKind::Private), at(1000));
        assert!(pacer.ready_at(&Address::new("2"), ChatKind::Private) <= at(0));
    }

    #[test]
    fn a_retry_after_moves_its_scope_and_no_other() {
        let mut pacer = Pacer::new(&capabilities());
        pacer.block(RateScope::Chat, &Address::new("1"), at(5000));
        assert_eq!(pacer.ready_at(&Address::new("1"), ChatKind::Private), at(5000));
        assert!(pacer.account_ready_at() <= at(0));
        pacer.block(RateScope::Account, &Address::new("1"), at(7000));
        assert_eq!(pacer.ready_at(&Address::new("2"), ChatKind::Private), at(7000));
    }

    #[test]
    fn idle_chats_are_forgotten() {
        let mut pacer = Pacer::new(&capabilities());
        pacer.spend(&Address::new("1"), ChatKind::Private, at(0));
        pacer.forget_idle(at(500));
        assert_eq!(pacer.chats.len(), 1);
        pacer.forget_idle(at(1001));
        assert!(pacer.chats.is_empty());
    }
}

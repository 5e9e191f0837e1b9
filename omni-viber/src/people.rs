//! What Viber tells of people when it is asked.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use omni_core::Timestamp;
use omni_core::contact::{Profile, Sender};

use crate::parse::profile;
use crate::wire::{OnlineUser, Str, User};

/// Viber tells of one person twice in this time. We ask once and keep the answer, so that another process may
/// too. <https://developers.viber.com/docs/api/rest-bot-api/#get-user-details> (read 2026-11)
const KEPT: Duration = Duration::from_secs(12 * 3600);
/// Most people kept; more than that are not asked about while these are fresh.
const MOST: usize = 10_000;

/// Most people in one question whether they are there.
/// <https://developers.viber.com/docs/api/rest-bot-api/#get-online> (read 2026-11)
pub(crate) const MOST_ONLINE: usize = 100;

/// A person as Viber describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserDetails {
    /// Viber's id of the person, another for each bot.
    pub id: String,
    /// Name, picture and language, as far as the person shares them.
    pub profile: Profile,
    /// Country of two letters, as `BY`.
    pub country: Option<String>,
    /// The system of the main device, as `android 15`.
    pub system: Option<String>,
    /// The device, as `Pixel 9`.
    pub device: Option<String>,
    /// Version of the app, as `25.1.0`.
    pub app: Option<String>,
    /// The highest `min_api_version` that the app understands.
    pub api_version: Option<u64>,
    /// The mobile network: country and network code.
    pub network: Option<(u64, u64)>,
}

impl From<User<'_>> for UserDetails {
    fn from(user: User<'_>) -> Self {
        let filled = |text: Option<Str<'_>>| text.map(Str::into_string).filter(|text| !text.is_empty());
        Self {
            id: user.id.into_string(),
            profile: profile(user.name, user.avatar, user.language),
            country: filled(user.country),
            system: filled(user.primary_device_os),
            device: filled(user.device_type),
            app: filled(user.viber_version),
            api_version: user.api_version,
            network: user.mcc.zip(user.mnc),
        }
    }
}

/// Whether a person is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Online {
    /// Viber's id of the person.
    pub id: String,
    /// Whether they are.
    pub state: OnlineState,
    /// When they were last, for who is away.
    pub last: Option<Timestamp>,
}

/// Whether a person is there, as far as Viber tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnlineState {
    /// Yes.
    Online,
    /// No.
    Offline,
    /// The person does not let it be told.
    Undisclosed,
    /// Ask again later.
    TryLater,
    /// It cannot be told.
    Unavailable,
}

impl From<OnlineUser<'_>> for Online {
    /// <https://developers.viber.com/docs/api/rest-bot-api/#get-online> (read 2026-11)
    fn from(user: OnlineUser<'_>) -> Self {
        let state = match user.online_status {
            0 => OnlineState::Online,
            1 => OnlineState::Offline,
            2 => OnlineState::Undisclosed,
            3 => OnlineState::TryLater,
            _ => OnlineState::Unavailable,
        };
        let last = user.last_online.and_then(|millis| i64::try_from(millis).ok()).map(Timestamp::from_millis);
        Self { id: user.id.into_string(), state, last }
    }
}

/// What is known of people without asking: what came of the last question, and what their own messages told.
#[derive(Default)]
pub(crate) struct Asked {
    answers: Mutex<HashMap<String, (Instant, Option<Profile>)>>,
    named: Mutex<HashMap<String, Profile>>,
}

impl fmt::Debug for Asked {
    /// No names of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

/// Whether somebody has to be asked about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lately {
    /// Asked lately, with this answer.
    Told(Option<Box<Profile>>),
    /// Not asked lately.
    Never,
    /// As many as may be kept were asked about lately.
    Full,
}

impl Asked {
    /// Takes in what a callback told of its author: who has a name need not be asked about.
    pub(crate) fn hear(&self, sender: &Sender) {
        let (id, profile) = (&sender.identity.id, &sender.profile);
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if profile.name.is_none() || named.get(id) == Some(profile) {
            return;
        }
        // Who is forgotten is asked about when it matters.
        if named.len() >= MOST {
            named.clear();
        }
        named.insert(id.clone(), profile.clone());
    }

    /// What was told of a person lately, at `now`.
    pub(crate) fn lately(&self, person: &str, now: Instant) -> Lately {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner).get(person).cloned();
        if let Some(profile) = named {
            return Lately::Told(Some(Box::new(profile)));
        }
        let mut kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |(at, _): &(Instant, Option<Profile>)| now.saturating_duration_since(*at) < KEPT;
        if let Some(answer) = kept.get(person).filter(|answer| is_fresh(answer)) {
            return Lately::Told(answer.1.clone().map(Box::new));
        }
        if kept.len() >= MOST {
            kept.retain(|_, answer| is_fresh(answer));
        }
        if kept.len() >= MOST { Lately::Full } else { Lately::Never }
    }

    /// Keeps what a question brought.
    pub(crate) fn keep(&self, person: &str, told: Option<Profile>, now: Instant) {
        let mut kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(person.to_owned(), (now, told));
    }
}

#[cfg(test)]
mod tests {
    use omni_core::contact::{Identity, SenderKind};

    use super::*;

    #[test]
    fn a_person_is_asked_about_once_in_twelve_hours() {
        let (asked, now) = (Asked::default(), Instant::now());
        assert_eq!(asked.lately("a", now), Lately::Never);
        let olga = Profile { name: Some("Ольга".to_owned()), ..Profile::default() };
        asked.keep("a", Some(olga.clone()), now);
        asked.keep("b", None, now);
        let later = now + KEPT - Duration::from_secs(1);
        assert_eq!(asked.lately("a", later), Lately::Told(Some(Box::new(olga))));
        assert_eq!(asked.lately("b", later), Lately::Told(None));
        assert_eq!(asked.lately("a", now + KEPT), Lately::Never);
    }

    #[test]
    fn who_has_told_a_name_is_not_asked_about() {
        let (asked, now) = (Asked::default(), Instant::now());
        let mut sender = Sender {
            identity: Identity::new(crate::PROVIDER, "a"),
            profile: Profile::default(),
            kind: SenderKind::Person,
        };
        asked.hear(&sender);
        assert_eq!(asked.lately("a", now), Lately::Never);
        sender.profile.name = Some("Ольга".to_owned());
        asked.hear(&sender);
        assert_eq!(asked.lately("a", now), Lately::Told(Some(Box::new(sender.profile.clone()))));
        assert!(!format!("{asked:?}").contains("Ольга"));
        for n in 0..MOST {
            sender.identity.id = n.to_string();
            asked.hear(&sender);
        }
        assert!(asked.named.lock().unwrap().len() <= MOST);
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let (asked, now) = (Asked::default(), Instant::now());
        for n in 0..MOST {
            asked.keep(&n.to_string(), None, now);
        }
        assert_eq!(asked.lately("one more", now), Lately::Full);
        assert_eq!(asked.lately("one more", now + KEPT), Lately::Never);
        assert!(asked.answers.lock().unwrap().is_empty());
    }
}

//! Names: VK's events have only numbers.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use omni_core::channel::Known;
use omni_core::contact::{Profile, Sender};
use omni_core::error::Result;
use omni_core::event::Introduced;
use omni_core::{Address, Error};
use tokio::time::Instant;
use url::Url;

use crate::address::{FIRST_CHAT, VkAddress};
use crate::api::Api;
use crate::encode;
use crate::parse::sender;
use crate::wire::{Chats, Group, Name, Str};

/// How long a name is taken for the present one.
const FRESH: Duration = Duration::from_secs(3600);
/// How many names are kept. When it is full everything goes: who writes at the moment is asked for again at the cost
/// of one call, and no order of use has to be kept for that.
const MOST: usize = 10_000;

/// Names that were asked for lately. Without it a person with many talks would be asked for at each of them.
#[derive(Default)]
pub(crate) struct Names {
    kept: Mutex<HashMap<i64, (Instant, Profile)>>,
}

impl Names {
    fn fresh(&self, id: i64) -> Option<Profile> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&id).filter(|(since, _)| since.elapsed() < FRESH).map(|(_, profile)| profile.clone())
    }

    fn keep(&self, id: i64, profile: Profile) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(id, (Instant::now(), profile));
    }
}

/// Whom an address is about: a person, a community below zero, or a chat.
fn about(address: &Address) -> Option<i64> {
    match VkAddress::try_from(address).ok()? {
        VkAddress::Peer(peer) => Some(peer),
        VkAddress::Comments(place) => place.from,
    }
}

impl Api {
    /// What VK tells of these addresses: three calls at most, one for each sort.
    pub(crate) async fn look_up(&self, names: &Names, addresses: &[Address]) -> Result<Vec<Known>> {
        let ids: HashSet<i64> = addresses.iter().filter_map(about).collect();
        let unknown = |id: &&i64| names.fresh(**id).is_none();
        let (people, rest): (Vec<i64>, Vec<i64>) =
            ids.iter().filter(unknown).partition(|id| (1..FIRST_CHAT).contains(*id));
        let (chats, communities): (Vec<i64>, Vec<i64>) = rest.into_iter().partition(|id| *id >= FIRST_CHAT);
        let mut failed: Vec<Error> = Vec::new();
        for outcome in [
            self.ask_people(names, people).await,
            self.ask_communities(names, communities).await,
            self.ask_chats(names, chats).await,
        ] {
            failed.extend(outcome.err());
        }
        let known: Vec<Known> = addresses.iter().filter_map(|address| told(names, address)).collect();
        match failed.into_iter().next() {
            Some(error) if known.is_empty() => Err(error),
            _ => Ok(known),
        }
    }

    async fn ask_people(&self, names: &Names, ids: Vec<i64>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let answered = self.ask(encode::get_users(&ids)).await?;
        let people: Vec<Name<'_>> = answered.read()?;
        people.into_iter().for_each(|person| names.keep(person.id, person_of(person)));
        Ok(())
    }

    async fn ask_communities(&self, names: &Names, ids: Vec<i64>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let positive: Vec<i64> = ids.iter().map(|id| id.saturating_neg()).collect();
        let answered = self.ask(encode::get_groups(&positive)).await?;
        answered.read_groups()?.into_iter().for_each(|group| names.keep(-group.id, community_of(group)));
        Ok(())
    }

    async fn ask_chats(&self, names: &Names, peers: Vec<i64>) -> Result<()> {
        if peers.is_empty() {
            return Ok(());
        }
        let answered = self.ask(encode::chats(&peers, self.config.group_id)).await?;
        let chats: Chats<'_> = answered.read()?;
        for chat in chats.items {
            let title = chat.chat_settings.and_then(|settings| settings.title);
            names.keep(chat.peer.id, Profile { name: text(title), ..Profile::default() });
        }
        Ok(())
    }
}

fn told(names: &Names, address: &Address) -> Option<Known> {
    let id = about(address)?;
    let profile = names.fresh(id)?;
    let told = if id >= FIRST_CHAT {
        Introduced { title: profile.name, ..Introduced::default() }
    } else {
        let mut person = sender(id);
        person.identity.aliases.extend(profile.username.clone());
        Introduced { sender: Some(Sender { profile, ..person }), ..Introduced::default() }
    };
    Some(Known { address: address.clone(), told })
}

fn person_of(person: Name<'_>) -> Profile {
    let names = [person.first_name, person.last_name];
    let name =
        names.iter().flatten().map(|name| &**name).filter(|n| !n.is_empty()).collect::<Vec<_>>().join(" ");
    // Whoever chose no name has the number as one.
    let chosen = person.screen_name.filter(|name| **name != format!("id{}", person.id));
    Profile {
        name: Some(name).filter(|name| !name.is_empty()),
        username: text(chosen),
        avatar: person.photo_100.and_then(|url| Url::parse(&url).ok()),
        ..Profile::default()
    }
}

fn community_of(group: Group<'_>) -> Profile {
    Profile {
        name: text(Some(group.name)),
        username: text(group.screen_name),
        avatar: group.photo_200.or(group.photo_50).and_then(|url| Url::parse(&url).ok()),
        ..Profile::default()
    }
}

fn text(text: Option<Str<'_>>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(Str::into_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_is_asked_for_again_after_an_hour() {
        let names = Names::default();
        names.keep(5, Profile { name: Some("Иван".to_owned()), ..Profile::default() });
        assert!(names.fresh(5).is_some());
        tokio::time::advance(FRESH).await;
        assert!(names.fresh(5).is_none());
    }

    #[test]
    fn names_do_not_grow_without_end() {
        let names = Names::default();
        for id in 0..=i64::try_from(MOST).unwrap() {
            names.keep(id, Profile::default());
        }
        assert_eq!(names.kept.lock().unwrap().len(), 1);
    }
}

//! The customers: when they write, what they do with what they get.

use std::time::Duration;

use omni::core::contact::{Identity, Profile, Sender, SenderKind};
use omni::core::content::{ButtonAction, Item};
use omni::core::event::{Button, Echo, EventBody, Message, Origin};
use omni::core::hours::{Weekday, Zone};
use omni::core::outbound::Author;
use omni::{Address, Content, Event, Timestamp};

use crate::agenda::{Agenda, Deed};
use crate::chance::Chance;
use crate::providers::{CHANNELS, Delivery, Simulated};
use crate::words::{self, Wish};

/// How many people begin to write in each hour of a working day, on the busiest channel, in tenths.
const CURVE: [u64; 24] =
    [6, 4, 2, 2, 2, 3, 6, 12, 26, 46, 58, 60, 52, 44, 48, 54, 50, 46, 42, 40, 34, 28, 20, 12];

/// One customer.
#[derive(Debug)]
struct Person {
    channel: &'static str,
    address: String,
    name: &'static str,
    wish: Wish,
    /// How often they will ask on after an answer of this visit.
    asks_on: u64,
    thanked: bool,
    impatient: bool,
    /// How many things they did: numbers their messages, and their chances.
    turns: u64,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct People {
    seed: u64,
    agenda: Agenda,
    people: Vec<Person>,
}

impl People {
    /// Plans who writes when in the week, by the hour of the day and the day of the week.
    pub(crate) fn plan(seed: u64, agenda: &Agenda, zone: &Zone, from: Timestamp, until: Timestamp) -> Self {
        let mut all = Self { seed, agenda: agenda.clone(), people: Vec::new() };
        for (channel, share) in CHANNELS.into_iter().zip([100, 65, 10]) {
            let mut hour = from;
            while hour < until {
                let local = zone.local(hour);
                let curve = CURVE.get(usize::from(local.minute_of_day / 60)).copied().unwrap_or_default();
                let day = match local.weekday {
                    Weekday::Saturday => 60,
                    Weekday::Sunday => 45,
                    _ => 100,
                };
                let mut chance = Chance::of(seed, channel, hour.as_millis().unsigned_abs());
                let thousandths = curve * share * day / 100;
                let arrivals = thousandths / 1000 + u64::from(chance.permille(thousandths % 1000));
                for _ in 0..arrivals {
                    let at = hour + chance.secs(0, 3599);
                    let who = all.somebody(channel, &mut chance);
                    agenda.plan(at, &format!("arrival {channel}"), Deed::Arrive(who));
                }
                hour = hour + Duration::from_secs(3600);
            }
        }
        all
    }

    /// Somebody new, or now and then one of those who were here.
    fn somebody(&mut self, channel: &'static str, chance: &mut Chance) -> usize {
        let known: Vec<usize> =
            self.people.iter().enumerate().filter(|(_, p)| p.channel == channel).map(|(i, _)| i).collect();
        if chance.permille(180)
            && let Some(back) = chance.pick(&known)
        {
            return back;
        }
        let wish = match chance.below(100) {
            0..48 => Wish::Question,
            48..68 => Wish::Order,
            68..83 => Wish::Refund,
            83..90 => Wish::English,
            90..98 => Wish::Item,
            _ => Wish::Robot,
        };
        self.people.push(Person {
            channel,
            address: format!("{channel}-{}", known.len() + 1),
            name: chance.pick(words::NAMES).unwrap_or_default(),
            wish,
            asks_on: 0,
            thanked: false,
            impatient: false,
            turns: 0,
        });
        self.people.len() - 1
    }

    /// The next thing that somebody decides.
    fn turn(&mut self, who: usize) -> Option<(&mut Person, Chance)> {
        let seed = self.seed;
        let person = self.people.get_mut(who)?;
        person.turns += 1;
        let chance = Chance::of(seed, &person.address, person.turns);
        Some((person, chance))
    }

    /// Somebody begins to write, and perhaps goes on in a second message.
    pub(crate) fn arrive(&mut self, who: usize, now: Timestamp) {
        let agenda = self.agenda.clone();
        let Some((person, mut chance)) = self.turn(who) else { return };
        let again = person.turns > 1;
        (person.asks_on, person.thanked, person.impatient) = (chance.below(4), false, false);
        let texts = if again { words::BACK } else { words::first_words(person.wish) };
        let text = chance.pick(texts).unwrap_or_default();
        agenda.plan(now, &person.address, Deed::Write(who, text.to_owned()));
        if chance.permille(250) {
            let more = chance.pick(words::MORE).unwrap_or_default();
            agenda.plan(now + chance.secs(15, 90), &person.address, Deed::Write(who, more.to_owned()));
        }
    }

    /// What the provider tells of a person's words. The same may be told twice, or come late.
    pub(crate) fn write(&mut self, who: usize, text: &str, now: Timestamp) -> Option<(&'static str, Event)> {
        let agenda = self.agenda.clone();
        let (person, mut chance) = self.turn(who)?;
        let id = format!("{}-{}", person.address, person.turns);
        let mut message = Message::new(id.clone(), person.sender(), Content::text(text));
        if person.wish == Wish::Robot {
            message.origin = Origin::Automatic;
        }
        if person.wish == Wish::Item {
            let (id, title) = (Some("991".to_owned()), Some("Кружка «Созвездие»".to_owned()));
            message.item = Some(Item { id, title, price: Some("790 ₽".to_owned()), ..Item::default() });
        }
        // Now and then the provider had trouble, and brings what was written two hours ago.
        let age = if chance.permille(12) { Duration::from_secs(2 * 3600) } else { Duration::from_secs(1) };
        let event = person.event(id, EventBody::Message(message)).at_time(now - age);
        if chance.permille(30) {
            let repeat = Deed::Deliver(person.channel.to_owned(), Box::new(event.clone()));
            agenda.plan(now + chance.secs(5, 60), &person.address, repeat);
        }
        if !person.impatient && chance.permille(120) {
            person.impatient = true;
            let text = chance.pick(words::IMPATIENT).unwrap_or_default().to_owned();
            agenda.plan(now + chance.secs(1500, 5400), &person.address, Deed::Write(who, text));
        }
        Some((person.channel, event))
    }

    /// What the provider tells of a pressed key.
    pub(crate) fn press(
        &mut self,
        who: usize,
        label: String,
        data: String,
        now: Timestamp,
    ) -> Option<(&'static str, Event)> {
        let (person, _) = self.turn(who)?;
        let id = format!("{}-{}", person.address, person.turns);
        let (message, ticket) = (None, None);
        let button = Button { sender: person.sender(), data, label: Some(label), message, ticket };
        Some((person.channel, person.event(id, EventBody::Button(button)).at_time(now)))
    }

    /// Somebody got something. They do not know whether a person wrote it; how they react differs all the same.
    pub(crate) fn got(&mut self, delivery: &Delivery, now: Timestamp) {
        let agenda = self.agenda.clone();
        let address = delivery.item.address.to_string();
        let Some(who) = self.people.iter().position(|p| p.address == address) else { return };
        let Some((person, mut chance)) = self.turn(who) else { return };
        let plan = |after: Duration, text: &str| {
            agenda.plan(now + after, &address, Deed::Write(who, text.to_owned()));
        };
        if person.wish == Wish::Robot {
            return plan(
                chance.secs(2, 5),
                words::first_words(Wish::Robot).first().copied().unwrap_or_default(),
            );
        }
        if let Some((label, data)) = wanted_key(&delivery.item.content, person.wish, &mut chance) {
            agenda.plan(now + chance.secs(8, 90), &address, Deed::Press(who, label, data));
            return;
        }
        match delivery.item.author {
            Author::Person if person.asks_on > 0 && chance.permille(650) => {
                person.asks_on -= 1;
                plan(chance.secs(40, 720), chance.pick(words::MORE).unwrap_or_default());
            }
            Author::Person if !person.thanked && chance.permille(600) => {
                person.thanked = true;
                plan(chance.secs(20, 600), chance.pick(words::THANKS).unwrap_or_default());
            }
            Author::Program if chance.permille(120) => {
                plan(chance.secs(60, 300), chance.pick(words::MORE).unwrap_or_default());
            }
            _ => {}
        }
    }

    /// The owner answers from her phone: the provider tells us of a message that we did not send.
    pub(crate) fn by_phone(
        &self,
        address: &str,
        number: u64,
        now: Timestamp,
    ) -> Option<(&'static str, Event)> {
        let person = self.people.iter().find(|p| p.address == address)?;
        let id = format!("phone-{address}-{number}");
        let message = Message::new(
            id.clone(),
            sender("business", "Ольга"),
            Content::text("Отвечу сама: всё сделаем 📱"),
        );
        let echo = Echo { message, ours: None, author: Some("Ольга".to_owned()) };
        Some((person.channel, person.event(id, EventBody::Echo(echo)).at_time(now)))
    }
}

impl Person {
    fn sender(&self) -> Sender {
        let mut sender = sender(&self.address, self.name);
        sender.identity.provider = Simulated::provider_of(self.channel);
        sender.profile.language = Some(if self.wish == Wish::English { "en" } else { "ru" }.to_owned());
        sender
    }

    fn event(&self, id: String, body: EventBody) -> Event {
        Event::new(id, body).at_address(Address::new(self.address.clone()))
    }
}

fn sender(id: &str, name: &str) -> Sender {
    let profile = Profile { name: Some(name.to_owned()), ..Profile::default() };
    Sender {
        identity: Identity::new(Simulated::provider_of("telegram"), id),
        profile,
        kind: SenderKind::Person,
    }
}

/// The key that a person presses, if the message has one for them: what they came for, or how it was.
fn wanted_key(content: &Content, wish: Wish, chance: &mut Chance) -> Option<(String, String)> {
    let keys = content.keyboard.iter().flat_map(|k| k.rows.iter().flatten());
    let keys: Vec<(&str, &str)> = keys
        .filter_map(|key| match &key.action {
            ButtonAction::Press { data } => Some((key.label.as_str(), data.as_str())),
            _ => None,
        })
        .collect();
    let named = |data: &str| keys.iter().find(|(_, d)| *d == data).copied();
    let rating = ["csat:5", "csat:5", "csat:5", "csat:3", "csat:1"];
    let (label, data) = match wish {
        Wish::Order if chance.permille(800) => named("menu:order"),
        Wish::Refund if chance.permille(400) => named("menu:refund"),
        _ => None,
    }
    .or_else(|| named(chance.pick(&rating)?).filter(|_| chance.permille(450)))?;
    Some((label.to_owned(), data.to_owned()))
}

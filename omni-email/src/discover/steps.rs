//! The steps, one after the other.

use std::cmp::Reverse;
use std::time::Duration;

use omni_core::error::{Error, Result};
use omni_http::is_public;
use omni_http::settings::below;
use tokio::time::Instant;
use url::Url;

use super::autoconfig::{self, ClientConfig, Offer};
use super::network::{PrivateNetworks, private};
use super::{
    Allowed, Found, Ispdb, Look, Lookups, Outcome, PlainHttp, Servers, Srv, Step, Takes, Tried, Trust,
};
use crate::config::{Server, Tls};
use crate::presets::{self, Credential, Preset, ascii, domain_of};

/// How long all of it may take before no further place is asked.
const PATIENCE: Duration = Duration::from_secs(50);

/// The name of the file that a domain publishes.
const FILE: &str = "mail/config-v1.1.xml";

pub(super) async fn discover(address: &str, look: &Lookups) -> Result<Found> {
    let address = address.trim();
    let domain = domain_of(address).ok_or_else(|| {
        Error::configuration("discover", "this is no address")
            .with_advice("give one such as help@example.com")
    })?;
    let mut found = Found { address: address.to_owned(), servers: None, tried: Vec::new() };
    if let Some(preset) = presets::preset(address) {
        found.tried.push(Tried { step: Step::Preset, at: domain, outcome: Outcome::Found });
        found.servers = Some(of_preset(preset, address, Step::Preset, Trust::Named));
        return Ok(found);
    }
    found.tried.push(Tried { step: Step::Preset, at: domain.clone(), outcome: Outcome::Nothing });
    let Allowed::Network(asked) = &look.allowed else {
        for step in [Step::Autoconfig, Step::Ispdb, Step::Mx, Step::Srv] {
            found.tried.push(Tried { step, at: domain.clone(), outcome: Outcome::NotAllowed });
        }
        return Ok(found);
    };
    let until = Instant::now() + PATIENCE;
    let mut walk = Walk { look, asked: asked.as_ref(), address, until, tried: found.tried };
    found.servers = walk.all(&domain).await;
    found.tried = walk.tried;
    Ok(found)
}

fn of_preset(preset: &'static Preset, address: &str, by: Step, trust: Trust) -> Servers {
    Servers {
        by,
        trust,
        name: Some(preset.name.to_owned()),
        imap: preset.imap.server(),
        smtp: preset.smtp.server(),
        user: preset.user_of(address),
        takes: taken_by(preset),
        oauth: None,
        preset: Some(preset),
    }
}

fn taken_by(preset: &'static Preset) -> Vec<Takes> {
    let mut takes = Vec::new();
    for credential in preset.credentials {
        let one = if matches!(credential, Credential::Oauth(_)) { Takes::Oauth } else { Takes::Password };
        if !takes.contains(&one) {
            takes.push(one);
        }
    }
    takes
}

/// One search.
struct Walk<'a> {
    look: &'a Lookups,
    asked: &'a dyn Look,
    address: &'a str,
    until: Instant,
    tried: Vec<Tried>,
}

impl Walk<'_> {
    async fn all(&mut self, domain: &str) -> Option<Servers> {
        if let Some(servers) = self.own_file(Step::Autoconfig, domain, Trust::Named).await {
            return Some(servers);
        }
        if let Some(servers) = self.ispdb(Step::Ispdb, domain, Trust::Named).await {
            return Some(servers);
        }
        if let Some(servers) = self.mx(domain).await {
            return Some(servers);
        }
        self.srv(domain).await
    }

    fn note(&mut self, step: Step, at: &str, outcome: Outcome) {
        self.tried.push(Tried { step, at: at.to_owned(), outcome });
    }

    /// Whether there is time for one more place; noted when there is not.
    fn has_time(&mut self, step: Step, at: &str) -> bool {
        let has_time = Instant::now() < self.until;
        if !has_time {
            self.note(step, at, Outcome::NoTime);
        }
        has_time
    }

    /// The file that a domain publishes: over https at both places, then over http where a person agreed. The first is
    /// told the whole address, because its file may differ by it. The second is the same for everybody; and over http
    /// anybody on the way would read the address.
    async fn own_file(&mut self, step: Step, domain: &str, trust: Trust) -> Option<Servers> {
        let named = format!("autoconfig.{domain}/{FILE}");
        let mut first = Url::parse(&format!("https://{named}")).ok()?;
        first.query_pairs_mut().append_pair("emailaddress", self.address);
        if let Some(servers) = self.fetched(step, first, trust).await {
            return Some(servers);
        }
        let second = Url::parse(&format!("https://{domain}/.well-known/autoconfig/{FILE}")).ok()?;
        if let Some(servers) = self.fetched(step, second, trust).await {
            return Some(servers);
        }
        if self.look.plain_http == PlainHttp::Never {
            return None;
        }
        let third = Url::parse(&format!("http://{named}")).ok()?;
        self.fetched(step, third, Trust::Confirm).await
    }

    /// Mozilla's list has a file for each domain. It learns the domain, never the address.
    async fn ispdb(&mut self, step: Step, domain: &str, trust: Trust) -> Option<Servers> {
        let Ispdb::At(base) = &self.look.ispdb else { return None };
        // A copy of the list may be on the host's own network, without TLS.
        let trust = if base.scheme() == "https" { trust } else { Trust::Confirm };
        self.fetched(step, below(base, domain), trust).await
    }

    async fn fetched(&mut self, step: Step, url: Url, trust: Trust) -> Option<Servers> {
        let mut shown = url.clone();
        shown.set_query(None); // the person's address is in it
        let at = shown.to_string();
        if !self.has_time(step, &at) {
            return None;
        }
        let read = match self.asked.get(&url).await {
            Ok(Some(file)) => autoconfig::parse(&file),
            Ok(None) => {
                self.note(step, &at, Outcome::Nothing);
                return None;
            }
            Err(error) => {
                self.note(step, &at, Outcome::Failed(told(&error)));
                return None;
            }
        };
        let chosen = match read {
            Ok(file) => choose(&file, self.address),
            Err(error) => Err(told(&error)),
        };
        match chosen {
            Ok(servers) => self.accepted(step, &at, Servers { by: step, trust, ..servers }).await,
            Err(why) => {
                self.note(step, &at, Outcome::Unusable(why));
                None
            }
        }
    }

    /// Servers in private networks are refused here, before anybody connects to them.
    async fn accepted(&mut self, step: Step, at: &str, servers: Servers) -> Option<Servers> {
        if self.look.private == PrivateNetworks::Refused {
            for host in [&servers.imap.host, &servers.smtp.host] {
                let checked = match self.asked.addresses(host).await {
                    Ok(found) if found.is_empty() => Err("the server's name is not known".to_owned()),
                    Ok(found) if !found.iter().all(|ip| is_public(*ip)) => Err(told(&private())),
                    Ok(_) => Ok(()),
                    Err(error) => Err(told(&error)),
                };
                if let Err(why) = checked {
                    self.note(step, at, Outcome::Unusable(format!("{host}: {why}")));
                    return None;
                }
            }
        }
        self.note(step, at, Outcome::Found);
        Some(servers)
    }
}

impl Walk<'_> {
    /// Where the domain's mail goes: a known provider, or one that publishes a file. Mail may go to a mere filter, which
    /// publishes none.
    async fn mx(&mut self, domain: &str) -> Option<Servers> {
        if !self.has_time(Step::Mx, domain) {
            return None;
        }
        let hosts = match self.asked.mx(domain).await {
            Ok(hosts) => hosts,
            Err(error) => {
                self.note(Step::Mx, domain, Outcome::Failed(told(&error)));
                return None;
            }
        };
        // A single "." says that the domain takes no mail (RFC 7505).
        let best = hosts.into_iter().min_by_key(|mx| mx.preference).and_then(|mx| ascii(&mx.host));
        let Some(best) = best else {
            self.note(Step::Mx, domain, Outcome::Nothing);
            return None;
        };
        if let Some(preset) = presets::by_mx(&best) {
            self.note(Step::Mx, &best, Outcome::Found);
            return Some(of_preset(preset, self.address, Step::Mx, Trust::Confirm));
        }
        let places = places_of(&best, domain);
        if places.is_empty() {
            self.note(Step::Mx, &best, Outcome::Nothing);
        }
        for place in &places {
            if let Some(servers) = self.own_file(Step::Mx, place, Trust::Confirm).await {
                return Some(servers);
            }
        }
        for place in &places {
            if let Some(servers) = self.ispdb(Step::Mx, place, Trust::Confirm).await {
                return Some(servers);
            }
        }
        None
    }

    async fn srv(&mut self, domain: &str) -> Option<Servers> {
        let imap = self.service(domain, [("_imaps", Tls::Implicit), ("_imap", Tls::Starttls)]).await?;
        let smtp =
            self.service(domain, [("_submissions", Tls::Implicit), ("_submission", Tls::Starttls)]).await?;
        let preset = presets::by_imap_host(&imap.host, self.address);
        let servers = Servers {
            by: Step::Srv,
            trust: Trust::Confirm,
            name: preset.map(|preset| preset.name.to_owned()),
            imap,
            smtp,
            // RFC 6186, 4: the whole address is tried first.
            user: preset.map_or_else(|| self.address.to_owned(), |preset| preset.user_of(self.address)),
            takes: preset.map_or_else(|| vec![Takes::Password], taken_by),
            oauth: None,
            preset,
        };
        self.accepted(Step::Srv, domain, servers).await
    }

    /// The first server of a service that is offered, with TLS from the first byte if it can be.
    async fn service(&mut self, domain: &str, names: [(&str, Tls); 2]) -> Option<Server> {
        for (service, tls) in names {
            let name = format!("{service}._tcp.{domain}");
            if !self.has_time(Step::Srv, &name) {
                return None;
            }
            let outcome = match self.asked.srv(&name).await {
                Ok(answers) => match first_of(answers) {
                    Some((host, port)) => return Some(Server { host, port, tls }),
                    None => Outcome::Nothing,
                },
                Err(error) => Outcome::Failed(told(&error)),
            };
            self.note(Step::Srv, &name, outcome);
        }
        None
    }
}

/// The domains that an MX host stands for: its name without the first label, and its registrable domain. The domain
/// itself was asked already.
fn places_of(host: &str, domain: &str) -> Vec<String> {
    let Some(base) = psl::domain_str(host) else { return Vec::new() };
    let full = host.split_once('.').map(|(_, above)| above).filter(|above| above.len() > base.len());
    let mut places: Vec<String> = full.into_iter().chain([base]).map(str::to_owned).collect();
    places.retain(|place| place != domain);
    places
}

/// The server that RFC 2782 tries first. Where weights differ the heaviest: who sets up a mailbox wants the same answer
/// twice.
fn first_of(mut answers: Vec<Srv>) -> Option<(String, u16)> {
    answers.sort_by_key(|srv| (srv.priority, Reverse(srv.weight)));
    answers.into_iter().filter(|srv| srv.port > 0).find_map(|srv| Some((ascii(&srv.host)?, srv.port)))
}

/// A pair of servers out of a file: TLS from the first byte goes before STARTTLS, and both take the same name and kind
/// of login.
fn choose(file: &ClientConfig, address: &str) -> Result<Servers, String> {
    let imap = usable(&file.imap, address);
    let smtp = usable(&file.smtp, address);
    let skipped = || file.skipped.iter().map(|why| format!("; {why}")).collect::<String>();
    if imap.is_empty() {
        return Err(format!("it names no IMAP server that can be used{}", skipped()));
    }
    if smtp.is_empty() {
        return Err(format!("it names no SMTP server that can be used{}", skipped()));
    }
    let pairs = || imap.iter().flat_map(|imap| smtp.iter().map(move |smtp| (imap, smtp)));
    let fits = |(imap, smtp): &(&Usable, &Usable)| imap.user == smtp.user && !common(imap, smtp).is_empty();
    let Some((imap, smtp)) = pairs().find(fits) else {
        return Err("its IMAP and SMTP servers want different user names or kinds of login".to_owned());
    };
    let takes = common(imap, smtp);
    let oauth = file.oauth.clone().filter(|_| takes.contains(&Takes::Oauth));
    Ok(Servers {
        by: Step::Autoconfig,
        trust: Trust::Confirm,
        name: file.name.clone(),
        preset: presets::by_imap_host(&imap.server.host, address),
        imap: imap.server.clone(),
        smtp: smtp.server.clone(),
        user: imap.user.clone(),
        takes,
        oauth,
    })
}

/// A server of a file with everything filled in.
struct Usable {
    server: Server,
    user: String,
    takes: Vec<Takes>,
}

fn usable(offers: &[Offer], address: &str) -> Vec<Usable> {
    let read = |offer: &Offer| {
        let (server, user) = offer.filled(address)?;
        Some(Usable { server, user, takes: offer.takes.clone() })
    };
    let mut usable: Vec<Usable> = offers.iter().filter_map(read).collect();
    // RFC 8314, 3: TLS from the first byte is preferred. Within each kind the file's order stays.
    usable.sort_by_key(|usable| usable.server.tls != Tls::Implicit);
    usable
}

fn common(imap: &Usable, smtp: &Usable) -> Vec<Takes> {
    imap.takes.iter().copied().filter(|one| smtp.takes.contains(one)).collect()
}

/// What an error says, for a list.
fn told(error: &Error) -> String {
    match error.text() {
        Some(text) => text.to_owned(),
        None => error.kind().to_string(),
    }
}

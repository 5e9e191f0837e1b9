//! The world's answers: HTTP and DNS.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RData;
use http::{StatusCode, header};
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::outbound::SendError;
use omni_http::reqwest::dns::{Addrs, Name, Resolve, Resolving};
use omni_http::{Http, is_public};
use tokio::time::timeout;
use url::{Host, Url};

use super::autoconfig::LARGEST;
use super::{Look, Mx, Srv};

const OPERATION: &str = "discover";
/// How long one look-up may take, redirects and all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most redirects that are followed.
const HOPS: usize = 3;

/// Whether servers may be in private networks. A service that takes addresses from strangers refuses them: otherwise
/// anybody's domain could name a machine beside ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrivateNetworks {
    /// They are refused.
    #[default]
    Refused,
    /// A company's own servers are looked for.
    Allowed,
}

/// Asks the world: HTTP without a proxy, and the DNS servers of the machine.
pub struct Network {
    http: Http,
    dns: TokioResolver,
    private: PrivateNetworks,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("private", &self.private).finish_non_exhaustive()
    }
}

impl Network {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when TLS cannot be set up or the machine's DNS settings cannot be
    /// read.
    pub fn new(private: PrivateNetworks) -> Result<Self> {
        let wrong = |what: &str| Error::configuration(OPERATION, what);
        let client = Http::client_builder()?.no_proxy();
        let client = match private {
            // Checked where the connection is made: a name that changes between two look-ups gains nothing.
            PrivateNetworks::Refused => client.dns_resolver(PublicOnly),
            PrivateNetworks::Allowed => client,
        };
        let client = client.build().map_err(|_| wrong("the HTTP client cannot be set up"))?;
        let dns = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        let dns = dns.map_err(|_| wrong("the machine's DNS settings cannot be read"))?;
        Ok(Self { http: Http::with_client(client), dns, private })
    }

    async fn follow(&self, url: &Url) -> Result<Option<Bytes>> {
        let mut url = url.clone();
        for _ in 0..=HOPS {
            self.check(&url)?;
            let call = self.http.get(OPERATION, url.clone()).timeout(PATIENCE).cap(LARGEST);
            let answer = call.send().await.map_err(SendError::into_error)?;
            match answer.status {
                status if status.is_success() => return Ok(Some(answer.body)),
                StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
                status if status.is_redirection() => {
                    let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
                    url = next(&url, to.unwrap_or_default())?;
                }
                status => {
                    return Err(Error::new(ErrorKind::Protocol, OPERATION)
                        .with_code(status.as_u16())
                        .with_text("the server gave no file"));
                }
            }
        }
        Err(Error::new(ErrorKind::Protocol, OPERATION).with_text("redirected more than three times"))
    }

    /// A bare address is not looked up, so nothing else would check it.
    fn check(&self, url: &Url) -> Result<()> {
        let ip: IpAddr = match url.host() {
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
            Some(Host::Domain(_)) => return Ok(()),
            None => {
                return Err(Error::new(ErrorKind::Protocol, OPERATION).with_text("an address without a host"));
            }
        };
        if self.private == PrivateNetworks::Refused && !is_public(ip) {
            return Err(private());
        }
        Ok(())
    }

    async fn lookup<T>(&self, asked: impl Future<Output = Result<T, NetError>>) -> Result<Option<T>> {
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(error)) if error.is_no_records_found() || error.is_nx_domain() => Ok(None),
            Ok(Err(error)) => Err(Error::new(ErrorKind::Network, OPERATION)
                .with_text(format!("DNS gave no answer: {error}"))
                .with_source(error)),
            Err(_) => Err(Error::new(ErrorKind::Timeout, OPERATION).with_text("DNS gave no answer in 10 s")),
        }
    }
}

/// Where a redirect leads: https only, wherever it began.
fn next(from: &Url, to: &str) -> Result<Url> {
    let wrong = |text: &str| Error::new(ErrorKind::Protocol, OPERATION).with_text(text);
    if to.is_empty() {
        return Err(wrong("redirected to nowhere"));
    }
    let to = from.join(to).map_err(|_| wrong("redirected to something that is no address"))?;
    if to.scheme() == "https" { Ok(to) } else { Err(wrong("redirected to an address without TLS")) }
}

pub(super) fn private() -> Error {
    Error::new(ErrorKind::Forbidden, OPERATION)
        .with_text("the server is in a private network")
        .with_advice("allow private networks in the look-ups if it is a server of your own")
}

/// A name in DNS as it is: the search list of the machine is not gone through.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

#[async_trait]
impl Look for Network {
    async fn get(&self, url: &Url) -> Result<Option<Bytes>> {
        let followed = timeout(PATIENCE, self.follow(url)).await;
        followed.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Timeout, OPERATION).with_text("the server gave no answer in 10 s"))
        })
    }

    async fn mx(&self, domain: &str) -> Result<Vec<Mx>> {
        let Some(found) = self.lookup(self.dns.mx_lookup(absolute(domain))).await? else {
            return Ok(Vec::new());
        };
        let read = |data: &RData| match data {
            RData::MX(mx) => Some(Mx { preference: mx.preference, host: mx.exchange.to_utf8() }),
            _ => None,
        };
        Ok(found.answers().iter().filter_map(|record| read(&record.data)).collect())
    }

    async fn srv(&self, name: &str) -> Result<Vec<Srv>> {
        let Some(found) = self.lookup(self.dns.srv_lookup(absolute(name))).await? else {
            return Ok(Vec::new());
        };
        let read = |data: &RData| match data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                host: srv.target.to_utf8(),
            }),
            _ => None,
        };
        Ok(found.answers().iter().filter_map(|record| read(&record.data)).collect())
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        // As a connection would: the machine's own table of hosts counts too.
        let found = match timeout(PATIENCE, tokio::net::lookup_host((host, 0))).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                return Err(Error::new(ErrorKind::Network, OPERATION)
                    .with_text("the server's name is not known")
                    .with_source(error));
            }
            Err(_) => {
                return Err(Error::new(ErrorKind::Timeout, OPERATION).with_text("DNS gave no answer in 10 s"));
            }
        };
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Looks names up and lets none through that leads to a private address.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().all(|address| is_public(address.ip())) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "the host is in a private network").into())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{MX, SRV};
    use hickory_resolver::proto::rr::{Name as DnsName, Record};
    use tokio::net::UdpSocket;

    use super::*;

    /// What a DNS server knows of these names.
    fn known(name: &str) -> Result<Vec<RData>, ResponseCode> {
        let host = |name: &str| DnsName::from_ascii(name).unwrap();
        match name {
            "shop.example." => Ok(vec![
                RData::MX(MX::new(10, host("mx1.hoster.example."))),
                RData::MX(MX::new(5, host("xn--e1afmkfd.xn--p1ai."))),
            ]),
            "none.example." => Ok(vec![RData::MX(MX::new(0, host(".")))]),
            "_imaps._tcp.shop.example." => {
                Ok(vec![RData::SRV(SRV::new(1, 2, 993, host("imap.shop.example.")))])
            }
            "_imap._tcp.shop.example." => Ok(vec![RData::SRV(SRV::new(0, 0, 0, host(".")))]),
            "empty.example." | "_submission._tcp.shop.example." => Ok(Vec::new()),
            "broken.example." => Err(ResponseCode::ServFail),
            _ => Err(ResponseCode::NXDomain),
        }
    }

    /// A network whose DNS server is this.
    async fn network() -> Network {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
        server.connections = vec![ConnectionConfig::udp()];
        server.connections[0].port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let mut answer = Message::from_vec(&buffer[..length]).unwrap().into_response();
                let name = answer.queries[0].name().clone();
                match known(&name.to_ascii().to_lowercase()) {
                    Ok(found) => drop(answer.add_answers(
                        found.into_iter().map(|data| Record::from_rdata(name.clone(), 60, data)),
                    )),
                    Err(code) => answer.metadata.response_code = code,
                }
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            }
        });
        let config = ResolverConfig::from_name_servers(vec![server]);
        let dns = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        Network { dns: dns.build().unwrap(), ..Network::new(PrivateNetworks::Allowed).unwrap() }
    }

    #[tokio::test]
    async fn hosts_that_take_mail_are_read_as_dns_has_them() {
        let found = network().await.mx("shop.example").await.unwrap();
        let found: Vec<_> = found.iter().map(|mx| (mx.preference, crate::presets::ascii(&mx.host))).collect();
        assert_eq!(found.len(), 2);
        assert!(found.contains(&(10, Some("mx1.hoster.example".to_owned()))), "{found:?}");
        assert!(found.contains(&(5, Some("xn--e1afmkfd.xn--p1ai".to_owned()))), "{found:?}");
        let none = network().await.mx("none.example.").await.unwrap();
        assert_eq!(none.iter().map(|mx| crate::presets::ascii(&mx.host)).collect::<Vec<_>>(), [None]);
    }

    #[tokio::test]
    async fn services_are_read_with_their_ports_and_the_dot_of_those_not_offered() {
        let network = network().await;
        let found = network.srv("_imaps._tcp.shop.example").await.unwrap();
        let expected = Srv { priority: 1, weight: 2, port: 993, host: "imap.shop.example.".to_owned() };
        assert_eq!(found, [expected]);
        let none = network.srv("_imap._tcp.shop.example").await.unwrap();
        assert_eq!((none.len(), none[0].host.as_str()), (1, "."));
    }

    #[tokio::test]
    async fn that_there_is_nothing_is_an_answer_and_a_broken_server_is_none() {
        let network = network().await;
        assert_eq!(network.mx("empty.example").await.unwrap(), []);
        assert_eq!(network.mx("gone.example").await.unwrap(), []);
        assert_eq!(network.srv("_submission._tcp.shop.example").await.unwrap(), []);
        let error = network.mx("broken.example").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
        assert!(error.text().unwrap().starts_with("DNS gave no answer"), "{error}");
    }

    #[test]
    fn a_redirect_leads_to_https_only() {
        let from =
            Url::parse("https://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=a%40b").unwrap();
        assert_eq!(next(&from, "/x").unwrap().as_str(), "https://autoconfig.example.com/x");
        assert_eq!(next(&from, "https://mail.example/c.xml").unwrap().as_str(), "https://mail.example/c.xml");
        for to in [
            "",
            "http://mail.example/c.xml",
            "file:///etc/passwd",
            "data:text/xml,x",
            "https://",
            "ftp://a.b/",
        ] {
            assert!(next(&from, to).is_err(), "{to}");
        }
        let from = Url::parse("http://autoconfig.example.com/").unwrap();
        assert!(next(&from, "/x").is_err());
    }

    #[tokio::test]
    async fn bare_addresses_of_private_networks_are_not_asked() {
        let network = Network::new(PrivateNetworks::Refused).unwrap();
        for url in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://169.254.169.254/x",
            "https://2130706433/",
        ] {
            let error = network.get(&Url::parse(url).unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{url}");
        }
    }

    #[tokio::test]
    async fn names_of_private_networks_are_not_asked() {
        let network = Network::new(PrivateNetworks::Refused).unwrap();
        let error = network.get(&Url::parse("https://localhost:9/").unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("private network"), "{error}");
    }
}

//! Which hosts media may come from.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use omni_core::error::ErrorKind;
use omni_core::{Error, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Which hosts media may come from (law 12). Without any, nothing may be fetched.
///
/// - Only `https`, only hosts that were named, only public networks.
/// - One address can be trusted: the configured base address, wherever it is. A host that runs the provider's
///   server in its own network said so in its configuration.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    hosts: Vec<String>,
    trusted: Option<Url>,
}

impl Guard {
    /// Allows these hosts; `*.example.com` allows every host below `example.com`.
    pub fn hosts(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let hosts = hosts.into_iter().map(|h| h.into().to_ascii_lowercase()).collect();
        Self { hosts, trusted: None }
    }

    /// Allows the scheme, host and port of `base` as well, in private networks and without TLS too.
    #[must_use]
    pub fn trusting(mut self, base: &Url) -> Self {
        self.trusted = Some(base.clone());
        self
    }

    /// Whether an address is the trusted one.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        self.trusted.as_ref().is_some_and(|trusted| trusted.origin() == url.origin())
    }

    /// Checks an address by its text alone; names still have to be resolved.
    pub(crate) fn check(&self, operation: &'static str, url: &Url) -> Result<()> {
        if self.trusts(url) {
            return Ok(());
        }
        let refuse = |text: &str| Err(Error::new(ErrorKind::Forbidden, operation).with_text(text));
        let Some(host) = url.host() else { return refuse("media without a host is not fetched") };
        if url.scheme() != "https" {
            return refuse("media is fetched over https only");
        }
        let named = match host {
            Host::Domain(name) => self.names(&name.to_ascii_lowercase()),
            Host::Ipv4(ip) => return self.check_ip(operation, ip.into(), &ip.to_string()),
            Host::Ipv6(ip) => return self.check_ip(operation, ip.into(), &ip.to_string()),
        };
        if named { Ok(()) } else { refuse("the media is on a host that this channel does not expect") }
    }

    fn check_ip(&self, operation: &'static str, ip: IpAddr, text: &str) -> Result<()> {
        if is_public(ip) && self.names(text) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Forbidden, operation)
            .with_text("the media is at a bare address that this channel does not expect"))
    }

    fn names(&self, host: &str) -> bool {
        self.hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|below| below.ends_with('.')),
            None => allowed == host,
        })
    }
}

/// Looks names up and lets public addresses through only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = public_addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name; an error when one of them is private, because a name that mixes both is an attack
/// or a mistake.
pub(crate) async fn public_addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    if found.iter().all(|address| is_public(address.ip())) {
        Ok(found)
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "the host is in a private network"))
    }
}

/// Whether an address is on the public internet: not loopback, private, link-local, shared, reserved,
/// documentation or multicast, in either version of the protocol and through its translations.
///
/// Source: IANA special-purpose address registries, RFC 6890 (read 2026-11).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let segments = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        // NAT64 and 6to4 lead to the address they carry.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        [0x2001, 0xdb8, ..] | [0x2001, 0, ..] => false,
        // Global unicast is 2000::/3; everything else is special.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
        ];
        for ip in private {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["149.154.167.220", "8.8.8.8", "100.128.0.1", "2a00:1450:4001::1", "64:ff9b::808:808"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn only_named_hosts_over_tls_are_allowed() {
        let guard = Guard::hosts(["api.telegram.org", "*.userapi.com"]);
        for good in
            ["https://api.telegram.org/file/x", "https://API.Telegram.org/x", "https://sun9-1.userapi.com/a"]
        {
            assert!(guard.check("fetch", &url(good)).is_ok(), "{good}");
        }
        for bad in [
            "http://api.telegram.org/x",
            "https://api.telegram.org.evil.example/x",
            "https://userapi.com/",
            "https://eviluserapi.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "file:///etc/passwd",
        ] {
            let error = guard.check("fetch", &url(bad)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{bad}");
        }
    }

    #[test]
    fn the_configured_server_may_be_private_and_nothing_beside_it() {
        let guard = Guard::default().trusting(&url("http://127.0.0.1:8081/"));
        assert!(guard.check("fetch", &url("http://127.0.0.1:8081/file/x")).is_ok());
        for bad in ["http://127.0.0.1:22/", "https://127.0.0.1:8081/", "http://localhost:8081/"] {
            assert!(guard.check("fetch", &url(bad)).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_resolved() {
        let error = public_addresses("localhost", 443).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}

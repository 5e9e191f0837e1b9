//! Checks of settings that HTTP connectors share: the same words for the same mistake.

use omni_core::{Error, Result};
use url::Url;

/// Checks the address of an API: `http` or `https`, without `?`, `#` and credentials. `setting` names it in the error.
///
/// # Errors
/// [`Configuration`](omni_core::error::ErrorKind::Configuration), which never quotes the address.
pub fn check_address(setting: &str, url: &Url) -> Result<()> {
    let is_plain = url.has_host() && url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return wrong(format!("{setting} must be an http or https address without ? and #"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(format!(
            "{setting} must not hold a user name or password: addresses are no place for secrets"
        ));
    }
    Ok(())
}

/// Checks names of hosts for a [`Guard`](crate::Guard): `files.example` or `*.files.example`. Everything below a
/// top-level domain would be nearly everything, so a name has a dot in it.
///
/// # Errors
/// [`Configuration`](omni_core::error::ErrorKind::Configuration), naming the first that is none.
pub fn check_hosts(setting: &str, hosts: &[String]) -> Result<()> {
    match hosts.iter().find(|host| !is_host(host)) {
        Some(host) => {
            wrong(format!("{setting} takes names of hosts, as files.example or *.files.example, not {host}"))
        }
        None => Ok(()),
    }
}

fn is_host(host: &str) -> bool {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    plain && name.contains('.') && !name.starts_with('.') && !name.ends_with('.')
}

/// Whether a text can stand in a path, a query or a header as it is: `A-Z a-z 0-9 _ -`.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// The address `path` below another, however that one ends.
#[must_use]
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let before = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{before}/{path}"));
    url
}

fn wrong(text: String) -> Result<()> {
    Err(Error::configuration("configure", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn an_address_with_a_secret_or_a_query_is_refused_without_being_shown() {
        assert!(check_address("base_url", &url("http://proxy.internal:8081/pa/")).is_ok());
        for bad in [
            "https://user:pa55@api.example",
            "https://api.example/?pa55=1",
            "https://api.example/#pa55",
            "file:///pa55",
        ] {
            let error = check_address("base_url", &url(bad)).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("base_url") && !shown.contains("pa55"), "{shown}");
        }
    }

    #[test]
    fn only_names_of_hosts_are_taken() {
        let check = |host: &str| check_hosts("media_hosts", &[host.to_owned()]);
        for good in ["files.example", "*.files.example", "a-1.b.example"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["https://files.example", "*", "*.example.", "com", "файлы.example", "", "a.example/x"]
        {
            assert!(check(bad).unwrap_err().to_string().contains("media_hosts"), "{bad}");
        }
    }

    #[test]
    fn a_path_is_put_below_a_base_however_it_ends() {
        for base in ["https://api.example/pa", "https://api.example/pa/"] {
            assert_eq!(below(&url(base), "send").as_str(), "https://api.example/pa/send");
        }
        assert_eq!(below(&url("https://api.example"), "a/b").as_str(), "https://api.example/a/b");
    }
}

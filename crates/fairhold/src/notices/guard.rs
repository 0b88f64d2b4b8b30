//! Where may a webhook go? To the public internet over HTTPS, and nowhere into
//! the operator's own network: customers set these addresses.
//!
//! Names are resolved here and connections go to what was checked, so that a
//! name which changes its mind in between reaches nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

fn private4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // carriers' networks
        || (a == 198 && (18..20).contains(&b)) // benchmarks
        || (a == 192 && b == 0 && c == 0)
}

fn private6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    let [first, second, .., high, low] = segments;
    let [high, low] = [high.to_be_bytes(), low.to_be_bytes()];
    let inside = Ipv4Addr::from([high, low].concat().try_into().unwrap_or([0; 4]));
    let mapped = ip.to_ipv4().is_some(); // also those without ffff, long out of use
    let translated = first == 0x64 && second == 0xff9b;
    ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || (mapped || translated) && private4(inside)
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80
        || (first & 0xffc0) == 0xfec0
        || (first == 0x2001 && (second == 0xdb8 || second == 0)) // documentation, Teredo
        || first == 0x2002 // 6to4 carries any IPv4 address
}

/// Whether an address is one of the public internet.
pub(crate) fn public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !private4(ip),
        IpAddr::V6(ip) => !private6(ip),
    }
}

fn allowed(ip: IpAddr, loopback: bool) -> bool {
    public(ip) || loopback && ip.is_loopback()
}

/// The URL, if a webhook may go there as far as it says itself.
///
/// # Errors
/// In words that say what to change.
pub(crate) fn url(text: &str, loopback: bool) -> Result<Uri, String> {
    let wrong = |why: &str| format!("`{text}` is no place for a webhook: {why}");
    let uri: Uri = text.parse().map_err(|_| wrong("it is not a URL"))?;
    let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
    if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
        return Err(wrong("it holds a name and password"));
    }
    let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let own = host == "localhost" || literal.is_some_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if own && loopback => {}
        Some("http") if own => {
            return Err(wrong(
                "this machine itself is reached only where `loopback` in `[notices]` says so",
            ));
        }
        _ => return Err(wrong("use https://")),
    }
    match literal {
        Some(ip) if !allowed(ip, loopback) => Err(wrong("its address is not public")),
        _ => Ok(uri),
    }
}

/// Resolves names to addresses where a webhook may go.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    pub(crate) loopback: bool,
}

type Found = std::vec::IntoIter<SocketAddr>;

impl Service<Name> for Resolver {
    type Response = Found;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Found, std::io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let loopback = self.loopback;
        Box::pin(async move {
            let looked = tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs());
            let found = looked.await.map_err(std::io::Error::other)??;
            let (fit, other): (Vec<_>, Vec<_>) = found.partition(|at| allowed(at.ip(), loopback));
            // A name that is partly inside is not asked at all.
            if fit.is_empty() || !other.is_empty() {
                return Err(std::io::Error::other("its address is not public"));
            }
            Ok(fit.into_iter())
        })
    }
}

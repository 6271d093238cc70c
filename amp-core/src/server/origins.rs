use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use crate::events::Shortage;
use crate::peer::Peer;

/// The common origin of the connections of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    V4(Ipv4Addr),
    /// The first 64 bits: a host that has one address has all that begin with them.
    V6([u16; 4]),
    /// The user of a process behind a unix socket.
    User(u32),
}

impl Origin {
    /// `None` for a peer that cannot be told from others.
    pub(super) fn of(peer: &Peer) -> Option<Self> {
        match peer {
            Peer::Tcp { address } => Some(match address.ip().to_canonical() {
                IpAddr::V4(address) => Self::V4(address),
                IpAddr::V6(address) => {
                    let [a, b, c, d, ..] = address.segments();
                    Self::V6([a, b, c, d])
                }
            }),
            Peer::Unix { credentials: Some(credentials), .. } => Some(Self::User(credentials.user)),
            Peer::Unix { credentials: None, .. } | Peer::Process { .. } | Peer::Other(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6([a, b, c, d]) => write!(f, "{}/64", Ipv6Addr::new(*a, *b, *c, *d, 0, 0, 0, 0)),
            Self::User(id) => write!(f, "user {id}"),
        }
    }
}

/// Counts the connections of each origin, and limits them.
#[derive(Debug)]
pub(super) struct Origins {
    /// `None`: nothing is counted.
    max: Option<usize>,
    held: HashMap<Origin, Held>,
    /// How many of the connections that are held were refused.
    refused: usize,
    shortage: Shortage,
}

#[derive(Debug, Default)]
struct Held {
    count: usize,
    /// Whether it was refused because its origin has reached the limit.
    is_refused: bool,
}

impl Origins {
    pub(super) fn new(max: Option<usize>) -> Self {
        Self { max, held: HashMap::new(), refused: 0, shortage: Shortage::default() }
    }

    /// The limit, if the origin has reached it.
    pub(super) fn is_full(&self, origin: Option<Origin>) -> Option<usize> {
        let held = self.held.get(&origin?)?;
        self.max.filter(|max| held.count >= *max)
    }

    /// Counts one more connection.
    pub(super) fn enter(&mut self, origin: Option<Origin>) {
        if let Some(origin) = origin
            && self.max.is_some()
        {
            self.held.entry(origin).or_default().count += 1;
        }
    }

    /// Counts a refused connection of a full origin. Returns whether to report it.
    pub(super) fn refuse(&mut self, origin: Option<Origin>, now: Instant) -> bool {
        if let Some(held) = origin.and_then(|origin| self.held.get_mut(&origin))
            && !std::mem::replace(&mut held.is_refused, true)
        {
            self.refused += 1;
        }
        self.shortage.begins(now)
    }

    /// Counts one connection less. Returns how many were refused, if no origin is over the limit any more and that is to be
    /// reported.
    pub(super) fn leave(&mut self, origin: Option<Origin>) -> Option<u64> {
        let origin = origin?;
        let held = self.held.get_mut(&origin)?;
        held.count -= 1;
        let was_refused = std::mem::take(&mut held.is_refused);
        if held.count == 0 {
            self.held.remove(&origin);
        }
        if !was_refused {
            return None;
        }
        self.refused -= 1;
        if self.refused == 0 { self.shortage.ends() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Credentials;

    fn tcp(address: &str) -> Option<Origin> {
        Origin::of(&Peer::Tcp { address: address.parse().unwrap() })
    }

    #[test]
    fn an_origin_is_an_address_a_network_or_a_user() {
        assert_eq!(tcp("192.0.2.7:1"), tcp("192.0.2.7:2"));
        assert_eq!(tcp("192.0.2.7:1"), tcp("[::ffff:192.0.2.7]:2"), "the same, seen by a socket for both");
        assert_ne!(tcp("192.0.2.7:1"), tcp("192.0.2.8:1"));
        assert_eq!(tcp("[2001:db8::1]:1"), tcp("[2001:db8::ffff:1:2]:2"));
        assert_ne!(tcp("[2001:db8::1]:1"), tcp("[2001:db8:0:1::1]:1"));
        assert_eq!(tcp("[2001:db8::1]:1").unwrap().to_string(), "2001:db8::/64");
        let user = |user, process| {
            let credentials = Some(Credentials { user, group: 0, process: Some(process) });
            Origin::of(&Peer::Unix { path: None, credentials })
        };
        assert!(user(7, 1) == user(7, 2) && user(7, 1) != user(8, 1));
        for other in [Peer::other("tls"), Peer::Process { id: Some(1) }, Peer::Unix { path: None, credentials: None }] {
            assert_eq!(Origin::of(&other), None, "{other}");
        }
    }

    #[test]
    fn origins_are_counted_apart_and_nothing_is_kept_of_those_that_left() {
        let (mut origins, now) = (Origins::new(Some(2)), Instant::now());
        let (one, other) = (tcp("192.0.2.7:1"), tcp("192.0.2.8:1"));
        for origin in [one, one, other, None, None, None] {
            assert_eq!(origins.is_full(origin), None);
            origins.enter(origin);
        }
        assert_eq!((origins.is_full(one), origins.is_full(other)), (Some(2), None));
        assert!(origins.refuse(one, now) && !origins.refuse(one, now));
        origins.enter(other);
        assert!(!origins.refuse(other, now), "told once");
        assert_eq!(origins.leave(one), None, "the other one is still over the limit");
        assert_eq!(origins.leave(other), Some(3));
        assert_eq!(origins.is_full(one), None);
        assert_eq!([one, other, None].map(|origin| origins.leave(origin)), [None; 3]);
        assert!(origins.held.is_empty() && origins.refused == 0);
    }
}

//! How much memory a decoded value holds, counted from the value itself: what was charged must be no less.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use ::bytes::Bytes;

use super::*;
use crate::sample_commands::{Empty, Item, Kid, Parent};

/// Bytes on the heap that a value holds.
pub(super) trait Held {
    fn held(&self) -> usize;
}

macro_rules! inline {
    ($($type:ty)*) => {$(
        impl Held for $type {
            fn held(&self) -> usize {
                0
            }
        }
    )*};
}

inline! { u8 i64 f64 bool Kid Empty DateTime char Duration NonZero<u8> IpAddr SocketAddr Octets<IpAddr> }

impl<T: Held, const N: usize> Held for [T; N] {
    fn held(&self) -> usize {
        self.iter().map(Held::held).sum()
    }
}

impl Held for str {
    fn held(&self) -> usize {
        0
    }
}

impl<T: Held> Held for [T] {
    fn held(&self) -> usize {
        self.iter().map(Held::held).sum()
    }
}

impl<T: Held + ?Sized> Held for Box<T> {
    fn held(&self) -> usize {
        size_of_val(&**self) + T::held(self)
    }
}

/// Beside the value there are two counters.
impl<T: Held + ?Sized> Held for Arc<T> {
    fn held(&self) -> usize {
        2 * size_of::<usize>() + size_of_val(&**self) + T::held(self)
    }
}

/// At least so much: every leaf is full.
impl<K: Held, V: Held> Held for BTreeMap<K, V> {
    fn held(&self) -> usize {
        let leaves = self.len().div_ceil(11);
        leaves * (11 * size_of::<(K, V)>() + 16)
            + self.iter().map(|(key, value)| key.held() + value.held()).sum::<usize>()
    }
}

impl<K: Held, V: Held> Held for HashMap<K, V> {
    fn held(&self) -> usize {
        let places = self.capacity() * 8 / 7;
        places * (size_of::<(K, V)>() + 1) + self.iter().map(|(key, value)| key.held() + value.held()).sum::<usize>()
    }
}

#[cfg(feature = "zlib")]
impl<T: Held> Held for Zlib<T> {
    fn held(&self) -> usize {
        self.0.held()
    }
}

#[cfg(feature = "url")]
impl Held for ::url::Url {
    fn held(&self) -> usize {
        self.as_str().len()
    }
}

impl Held for String {
    fn held(&self) -> usize {
        self.capacity()
    }
}

impl Held for Decimal {
    fn held(&self) -> usize {
        self.as_str().len()
    }
}

impl Held for std::path::PathBuf {
    fn held(&self) -> usize {
        self.capacity()
    }
}

impl Held for Bytes {
    fn held(&self) -> usize {
        self.len()
    }
}

impl<T: Held> Held for Option<T> {
    fn held(&self) -> usize {
        self.as_ref().map_or(0, Held::held)
    }
}

impl<T: Held> Held for Vec<T> {
    fn held(&self) -> usize {
        let own = if size_of::<T>() == 0 { 0 } else { self.capacity() * size_of::<T>() };
        own + self.iter().map(Held::held).sum::<usize>()
    }
}

impl Held for Item {
    fn held(&self) -> usize {
        self.b.held()
    }
}

impl Held for Parent {
    fn held(&self) -> usize {
        self.kids.held() + self.name.held()
    }
}

#[cfg(feature = "num-bigint")]
impl Held for num_bigint::BigInt {
    fn held(&self) -> usize {
        usize::try_from(self.bits().div_ceil(8)).expect("a length")
    }
}

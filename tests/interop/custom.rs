//! Argument types of a user's own, against the same types written in Python (`python/custom.py`).

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use amp::value::{Argument, BoxReader, BoxWriter, DecodeError, EncodeError, Key, RawValue, Value, ValueWriter};
use amp::value::{AsciiJson, Octets, Zlib};
use amp::wire::{BoxDecoder, BoxLimits, MAX_VALUE};
use amp::{AmpBox, Arguments, Command, Connection};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::harness::{Twisted, on, soon};

/// Bytes of any length over `x`, `x.2`, `x.3`, ….
#[derive(Debug, Clone, PartialEq)]
struct Numbered(Vec<u8>);

impl Argument for Numbered {
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        let (first, rest) = self.0.split_at(self.0.len().min(MAX_VALUE));
        out.put_bytes(key.name(), first)?;
        let mut parts = (2..).zip(rest.chunks(MAX_VALUE));
        parts.try_for_each(|(number, part)| out.put_bytes(&format!("{}.{number}", key.name()), part))
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(first) = from.value(key) else { return Ok(None) };
        let rest = parts(key, 2, from);
        Ok(Some(Self([first.as_bytes().to_vec(), rest].concat())))
    }
}

/// Bytes of any length over `x.0`, `x.1`, …; no bytes are no keys.
#[derive(Debug, Clone, PartialEq)]
struct Dotted(Vec<u8>);

impl Argument for Dotted {
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        let mut parts = (0..).zip(self.0.chunks(MAX_VALUE));
        parts.try_for_each(|(number, part)| out.put_bytes(&format!("{}.{number}", key.name()), part))
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(Some(Self(parts(key, 0, from))))
    }
}

/// What stands in `key.first` and the numbers after it.
fn parts(key: Key, first: usize, from: &mut BoxReader<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut numbers = first..;
    while let Some(part) = numbers.next().and_then(|number| from.find(format!("{}.{number}", key.name()).as_bytes())) {
        all.extend_from_slice(part.as_bytes());
    }
    all
}

/// A value, deflated.
#[derive(Debug, Clone, PartialEq)]
struct Zipped<T>(T);

impl<T: Value> Value for Zipped<T> {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let mut plain = Vec::new();
        self.0.encode(&mut ValueWriter::new(&mut plain))?;
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&plain).and_then(|()| encoder.finish()).map_err(EncodeError::custom)?;
        out.write(&packed);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let mut plain = Vec::new();
        // A few bytes can unpack to very many.
        let mut decoder = ZlibDecoder::new(raw.as_bytes()).take(1 << 20);
        decoder.read_to_end(&mut plain).map_err(DecodeError::custom)?;
        T::decode(raw.with_bytes(&plain)).map(Self)
    }
}

/// JSON as text.
#[derive(Debug, Clone, PartialEq)]
struct Json(serde_json::Value);

impl Value for Json {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(&serde_json::to_vec(&self.0).map_err(EncodeError::custom)?);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        serde_json::from_slice(raw.as_bytes()).map(Self).map_err(DecodeError::custom)
    }
}

/// An IP address as its 4 or 16 bytes.
#[derive(Debug, Clone, PartialEq)]
struct Address(IpAddr);

impl Value for Address {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        match self.0 {
            IpAddr::V4(address) => out.write(&address.octets()),
            IpAddr::V6(address) => out.write(&address.octets()),
        }
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let bytes = raw.as_bytes();
        let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
        address.map(Self).map_err(|_| DecodeError::custom("not 4 or 16 bytes"))
    }
}

#[derive(Arguments, Debug, Clone, PartialEq)]
struct File {
    name: String,
    size: u64,
}

#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = CustomGiven)]
struct Custom {
    dotted: Dotted,
    numbered: Numbered,
    packed: Zipped<Vec<File>>,
    tree: Zipped<Json>,
    v4: Address,
    v6: Address,
}

#[derive(Arguments, Debug, Clone, PartialEq)]
struct CustomGiven {
    dotted: Dotted,
    numbered: Numbered,
    packed: Zipped<Vec<File>>,
    tree: Zipped<Json>,
    v4: Address,
    v6: Address,
}

fn given(Custom { dotted, numbered, packed, tree, v4, v6 }: Custom) -> CustomGiven {
    CustomGiven { dotted, numbered, packed, tree, v4, v6 }
}

/// A command whose large arguments have this many bytes.
fn custom(length: usize) -> Custom {
    let bytes: Vec<u8> = (0_u8..251).cycle().take(length).collect();
    Custom {
        dotted: Dotted(bytes.clone()),
        numbered: Numbered(bytes),
        // Small once it is deflated, and only then.
        packed: Zipped((0..5000).map(|size| File { name: "a rather long name".into(), size }).collect()),
        tree: Zipped(Json(serde_json::json!({ "list": [1, null, "\u{2603}"], "deep": { "float": 0.5 } }))),
        v4: Address(IpAddr::from([192, 0, 2, 1])),
        v6: Address("2001:db8::1".parse().unwrap()),
    }
}

/// None, some, exactly one, just over one and several values full.
const LENGTHS: [usize; 5] = [0, 10, MAX_VALUE, MAX_VALUE + 1, 4 * MAX_VALUE];

#[tokio::test]
async fn rule_57_argument_types_of_ones_own_reach_twisted_and_come_back() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    for length in LENGTHS {
        let command = custom(length);
        let answer = soon(connection.call(command.clone())).await.unwrap();
        assert!(answer == given(command), "with {length} bytes");
    }
}

#[tokio::test]
async fn rule_57_argument_types_of_ones_own_come_from_twisted_and_go_back() {
    let Some(mut served) = Twisted::calling(Arc::new(on(async |command| Ok(given(command))))).await else { return };
    for length in LENGTHS {
        let arguments = format!(
            "dict(dotted=b'x' * {length}, numbered=b'y' * {length}, packed=[dict(name='n', size=7)] * 5000, \
             tree={{'list': [1, None, '\u{2603}']}}, v4=ipaddress.ip_address('192.0.2.1'), \
             v6=ipaddress.ip_address('2001:db8::1'))"
        );
        let same = format!("call(Custom, **{arguments}).addCallback(lambda it: it == {arguments} or it)");
        assert_eq!(served.twisted.say(&same).await, "True", "with {length} bytes");
    }
}

/// The same command with the library's own wrappers.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(name = "Custom", response = Wrapped)]
struct Wrapped {
    dotted: Dotted,
    numbered: Numbered,
    packed: Zlib<Vec<File>>,
    tree: Zlib<AsciiJson<serde_json::Value>>,
    v4: Octets<Ipv4Addr>,
    v6: Octets<IpAddr>,
}

fn wrapped(Custom { dotted, numbered, packed, tree, v6, .. }: Custom) -> Wrapped {
    let (packed, tree) = (Zlib(packed.0), Zlib(AsciiJson(tree.0.0)));
    Wrapped { dotted, numbered, packed, tree, v4: Octets(Ipv4Addr::new(192, 0, 2, 1)), v6: Octets(v6.0) }
}

#[tokio::test]
async fn rule_57_the_librarys_wrappers_reach_the_types_of_twisteds_users_and_come_back() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let command = wrapped(custom(10));
    assert_eq!(soon(connection.call(command.clone())).await.unwrap(), command);
}

#[tokio::test]
async fn rule_57_the_librarys_wrappers_read_what_the_types_of_twisteds_users_write() {
    let Some(mut served) = Twisted::calling(Arc::new(on(async |it: Wrapped| Ok(it)))).await else { return };
    let arguments = "dict(dotted=b'', numbered=b'', packed=[dict(name='n', size=7)] * 5000, tree={'list': [1, None, '\u{2603}']}, \
         v4=ipaddress.ip_address('192.0.2.1'), v6=ipaddress.ip_address('2001:db8::1'))";
    let same = format!("call(Custom, **{arguments}).addCallback(lambda it: it == {arguments} or it)");
    assert_eq!(served.twisted.say(&same).await, "True");
}

/// The keys themselves, as an untyped caller sends and gets them.
#[tokio::test]
async fn rule_57_the_keys_are_those_of_the_conventions() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    for (length, expected) in [
        (0, &["numbered"][..]),
        (1, &["dotted.0", "numbered"]),
        (2 * MAX_VALUE + 1, &["dotted.0", "dotted.1", "dotted.2", "numbered", "numbered.2", "numbered.3"]),
    ] {
        let sent = untyped(&custom(length));
        let answer = soon(connection.call_box("Custom", sent.clone())).await.unwrap();
        assert_eq!(numbered_names(&sent), expected);
        assert_eq!(numbered_names(&answer), expected, "as Twisted writes them");
    }
}

/// The arguments as a box without a type.
fn untyped(command: &Custom) -> AmpBox {
    let mut bytes = Vec::new();
    let mut out = BoxWriter::new(&mut bytes, BoxLimits::DEFAULT.nesting);
    command.put_leading(&mut out).and_then(|()| command.put_trailing(&mut out)).unwrap();
    out.finish(BoxLimits::DEFAULT.bytes).unwrap();
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    decoder.buffer().extend_from_slice(&bytes);
    AmpBox::from(&decoder.next_box().unwrap().unwrap())
}

fn numbered_names(from: &AmpBox) -> Vec<&str> {
    let names = from.iter().map(|(name, _)| std::str::from_utf8(name).unwrap());
    names.filter(|name| name.starts_with("dotted") || name.starts_with("numbered")).collect()
}

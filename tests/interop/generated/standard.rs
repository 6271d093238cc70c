//! Types of Rust's that Twisted has no type for, in a module that Rust wrote.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::time::Duration;

use amp::value::{Octets, ValueWriter};
use ipnet::IpNet;
use url::Url;
use uuid::Uuid;

use super::*;
use crate::numbers::python_bytes;

/// Every one of them.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Standard)]
struct Standard {
    character: char,
    absent_character: Option<char>,
    non_zero: NonZero<i8>,
    non_zeros: Vec<NonZero<u64>>,
    duration: Duration,
    absent_duration: Option<Duration>,
    array: [u16; 3],
    arrays: Vec<[String; 1]>,
    leaves: [Leaf; 2],
    absent_array: Option<[u16; 3]>,
    boxed: Box<Leaf>,
    boxes: Vec<Arc<Leaf>>,
    shared: Arc<str>,
    constant: Cow<'static, str>,
    ip: IpAddr,
    v4: Vec<Ipv4Addr>,
    v6: Ipv6Addr,
    socket: SocketAddr,
    sockets: Vec<SocketAddr>,
    network: IpNet,
    octets: Octets<IpAddr>,
    octets_v4: Vec<Octets<Ipv4Addr>>,
    octets_v6: Octets<Ipv6Addr>,
    absent_octets: Option<Octets<IpAddr>>,
    id: Uuid,
    url: Url,
    map: BTreeMap<String, i64>,
    hashed: HashMap<i64, Leaf>,
    maps: Vec<HashMap<bool, Option<String>>>,
    of_lists: BTreeMap<Vec<i64>, i64>,
    #[constrain(length = ..=2)]
    absent_map: Option<BTreeMap<PathBuf, NonZero<i64>>>,
}

const SAMPLE: &str = r"dict(
    character='\u2603', absent_character=None, non_zero=-3, non_zeros=[1, 2**64 - 1], duration=1.5, absent_duration=None,
    array=[1, 2, 65535], arrays=[['a']], leaves=[{'number': 1, 'note': None}, {'number': 2, 'note': ''}], absent_array=None,
    boxed={'number': 3, 'note': 'n'}, boxes=[{'number': 4, 'note': None}], shared='s', constant='c',
    ip=ipaddress.ip_address('::1'), v4=[ipaddress.IPv4Address('10.0.0.1')], v6=ipaddress.IPv6Address('2001:db8::1'),
    socket='127.0.0.1:80', sockets=['[::1]:65535', '[2001:db8::1]:0'], network=ipaddress.ip_interface('10.1.2.3/8'),
    octets=ipaddress.ip_address('::2'), octets_v4=[ipaddress.IPv4Address('10.0.0.2')], octets_v6=ipaddress.IPv6Address('::3'),
    absent_octets=None, id=uuid.UUID(int=2**127 + 5), url='http://example.com/',
    map={'a': 1, '': 2}, hashed={10: {'number': 1, 'note': None}}, maps=[{}, {True: None, False: 'f'}], of_lists=[{'key': [1], 'value': 2}],
    absent_map=None)";

fn standard() -> Standard {
    let leaf = |number, note: Option<&str>| Leaf { number, note: note.map(str::to_owned) };
    Standard {
        character: '\u{2603}',
        absent_character: None,
        non_zero: NonZero::new(-3).unwrap(),
        non_zeros: vec![NonZero::<u64>::MIN, NonZero::<u64>::MAX],
        duration: Duration::from_millis(1500),
        absent_duration: None,
        array: [1, 2, 65_535],
        arrays: vec![["a".into()]],
        leaves: [leaf(1, None), leaf(2, Some(""))],
        absent_array: None,
        boxed: Box::new(leaf(3, Some("n"))),
        boxes: vec![Arc::new(leaf(4, None))],
        shared: "s".into(),
        constant: Cow::Borrowed("c"),
        ip: Ipv6Addr::LOCALHOST.into(),
        v4: vec![Ipv4Addr::new(10, 0, 0, 1)],
        v6: "2001:db8::1".parse().unwrap(),
        socket: (Ipv4Addr::LOCALHOST, 80).into(),
        sockets: vec!["[::1]:65535".parse().unwrap(), "[2001:db8::1]:0".parse().unwrap()],
        network: "10.1.2.3/8".parse().unwrap(),
        octets: Octets("::2".parse().unwrap()),
        octets_v4: vec![Octets(Ipv4Addr::new(10, 0, 0, 2))],
        octets_v6: Octets("::3".parse().unwrap()),
        absent_octets: None,
        id: Uuid::from_u128((1 << 127) + 5),
        url: Url::parse("http://example.com").unwrap(),
        map: [("a".into(), 1), (String::new(), 2)].into(),
        hashed: [(10, leaf(1, None))].into(),
        maps: vec![[].into(), [(true, None), (false, Some("f".into()))].into()],
        of_lists: [(vec![1], 2)].into(),
        absent_map: None,
    }
}

#[tokio::test]
async fn types_of_rusts_library_and_of_known_crates_go_both_ways() {
    let echo = || on(async |it: Standard| Ok(it));
    both_ways(&echo, standard(), "Standard", SAMPLE).await;
}

#[tokio::test]
async fn python_refuses_what_rust_could_not_read() {
    let echo = || on(async |it: Standard| Ok(it));
    let Some(module) = generated(&echo()) else { return };
    let mut served = Twisted::calling(Arc::new(echo())).await.unwrap();
    served.twisted.learn(module.path()).await;
    let rows = [
        ("character", "'ab'", "ConstraintError: character: not one character"),
        ("character", "''", "ConstraintError: character: not one character"),
        ("non_zero", "0", "ConstraintError: non_zero: 0"),
        ("non_zero", "128", "ConstraintError: non_zero: out of range for NonZero<i8>"),
        ("non_zeros", "[1, 0]", "ConstraintError: non_zeros[1]: 0"),
        ("duration", "-1.0", "ConstraintError: duration: out of range for Duration"),
        ("duration", "float('nan')", "ConstraintError: duration: out of range for Duration"),
        ("duration", "2.0**64", "ConstraintError: duration: out of range for Duration"),
        ("array", "[1, 2]", "ConstraintError: array: not 3 items"),
        ("array", "[1, 2, 65536]", "ConstraintError: array[2]: out of range for u16"),
        ("arrays", "[['a'], []]", "ConstraintError: arrays[1]: not 1 items"),
        ("leaves", "[]", "ConstraintError: leaves: not 2 items"),
        ("ip", "'127.0.0.1.1'", "ValueError: "),
        ("v4", "['::1']", "AddressValueError: "),
        ("socket", "'127.0.0.1'", "AddressValueError: "),
        ("socket", "'127.0.0.1:65536'", "ValueError: "),
        ("network", "'10.0.0.0/33'", "ValueError: "),
        ("octets_v6", "'127.0.0.1'", "AddressValueError: "),
        ("map", "{'a': 2**63}", "ConstraintError: map[0].value: out of range for i64"),
        (
            "absent_map",
            "{FilePath('/'): 1, FilePath('/a'): 2, FilePath('/b'): 3}",
            "ConstraintError: absent_map: length",
        ),
        ("id", "'1234'", "ValueError: "),
    ];
    let sample = SAMPLE.replace('\n', " ");
    for (field, value, told) in rows {
        let call = format!("call(learned.Standard, **{{**{sample}, '{field}': {value}}})");
        let said = served.twisted.say(&call).await;
        assert!(said.starts_with(told), "{field} {value}: {said}");
    }
    let said = served.twisted.say(&format!("call(learned.Standard, **{sample}).addCallback(lambda it: True)")).await;
    assert_eq!(said, "True", "nothing of it cost the connection");
}

#[tokio::test]
async fn python_writes_the_bytes_that_rust_writes() {
    let Some(module) = generated(&on(async |it: Standard| Ok(it))) else { return };
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    twisted.learn(module.path()).await;
    let mut bytes = Vec::new();
    let ours = standard();
    let put = ValueWriter::new(&mut bytes).put_box(|out| ours.put_leading(out).and_then(|()| ours.put_trailing(out)));
    put.unwrap();
    let sample = SAMPLE.replace('\n', " ");
    let theirs = "learned._objectsToStrings(it, learned.Standard.arguments, learned.amp.Box(), None).serialize()";
    let same = format!("(lambda it, ours: {theirs} == ours or {theirs})({sample}, {})", python_bytes(&bytes));
    assert_eq!(twisted.say(&same).await, "True", "{}", bytes.escape_ascii());
}
